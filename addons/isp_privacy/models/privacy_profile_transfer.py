from odoo import fields, models


class PrivacyProfile(models.Model):
    """To which countries no personal data goes."""

    _inherit = "privacy.profile"

    blocked_country_ids = fields.Many2many(
        "res.country",
        "privacy_profile_blocked_country_rel",
        string="No data to",
        help="Countries to which a law or the policy lets no personal data go. A processor that keeps "
        "the data there cannot be used, whatever its contract says.",
    )
