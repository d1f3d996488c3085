from odoo import api, fields, models

# The numbers that a request keeps as they were when it came: a policy that changes meanwhile does
# not change what this person was promised.
TERMS = (
    "answer_days",
    "answer_months",
    "extension_months",
    "identity_timeout_days",
    "recovery_days",
    "proof_days",
    "erase_deadline_days",
    "erase_deadline_from",
    "grace_hours",
)


class PrivacyProfile(models.Model):
    """What a company's privacy policy promises, as numbers."""

    _name = "privacy.profile"
    _description = "Privacy policy profile"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    _privacy_free = "What the policy promises to everybody."

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    country_id = fields.Many2one(
        "res.country",
        help="Companies of this country use the profile, unless another is chosen for them.",
    )
    version = fields.Integer(
        default=1, readonly=True, copy=False, help="Counts the changes of what is promised."
    )

    answer_days = fields.Integer(
        "Days to answer",
        required=True,
        tracking=True,
        help="A request is due after so many days or months, whichever ends first. The day of "
        "receipt does not count.",
    )
    answer_months = fields.Integer("Months to answer", required=True, tracking=True)
    extension_months = fields.Integer(
        "Months of an extension",
        required=True,
        tracking=True,
        help="Once, and told before the request is due.",
    )
    identity_timeout_days = fields.Integer(
        "Days to prove the identity",
        required=True,
        tracking=True,
        help="A request whose sender has not proven the identity by then is closed. The clock "
        "stands still meanwhile.",
    )
    recovery_days = fields.Integer(
        "Days to call off an erasure",
        required=True,
        tracking=True,
        help="Counted from the receipt of the request. When they are over, the data is erased.",
    )
    proof_days = fields.Integer(
        "Days to keep proofs of identity",
        required=True,
        tracking=True,
        help="Counted from the day on which the request was closed. Then the files are deleted.",
    )
    requests_per_hour = fields.Integer(
        "Requests an hour",
        required=True,
        tracking=True,
        help="So many requests one customer may send from the portal within an hour.",
    )
    complaint_route = fields.Text(
        "Where to complain",
        required=True,
        translate=True,
        help="Named in each letter that rejects a request.",
    )

    _numbers_positive = models.Constraint(
        "CHECK (answer_days > 0 AND answer_months > 0 AND extension_months > 0"
        " AND identity_timeout_days > 0 AND recovery_days > 0 AND proof_days > 0"
        " AND requests_per_hour > 0)",
        "Days, months and limits of a privacy profile must be greater than zero.",
    )

    # === CREATE AND WRITE === #

    def write(self, vals):
        for profile in self.filtered(lambda p: p._changes_terms(vals)):
            super(PrivacyProfile, profile).write({"version": profile.version + 1})
        return super().write(vals)

    def _changes_terms(self, vals):
        return any(name in vals and self[name] != vals[name] for name in TERMS)

    # === BUSINESS METHODS === #

    def _get_terms(self):
        """Return what is promised now, for a request to keep."""
        self.ensure_one()
        return {name: self[name] for name in TERMS}

    @api.model
    def _get_for_country(self, country):
        """Return the profile of ``country``, the first one where it has none."""
        own = self.search([("country_id", "=", country.id)], limit=1)
        return own or self.search([], limit=1)
