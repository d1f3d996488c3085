from odoo import fields, models


class PrivacyProfile(models.Model):
    """From which age people decide for themselves."""

    _inherit = "privacy.profile"

    min_age = fields.Integer(
        "Age to decide alone",
        required=True,
        default=18,
        tracking=True,
        help="What the policy promises. A country with a higher age has the last word.",
    )
    age_gate = fields.Boolean(
        "Ask for the age",
        tracking=True,
        help="Nobody can agree to anything in the portal before they have confirmed their age.",
    )

    _min_age_positive = models.Constraint(
        "CHECK (min_age > 0 AND min_age < 150)", "Enter an age in years."
    )

    def _get_min_age(self, country):
        """Return the age that holds: the higher of the profile's and the country's."""
        self.ensure_one()
        # sudo: customers read neither, and see the number on the page.
        return max(self.sudo().min_age, country.sudo().privacy_min_age)
