from odoo import api, fields, models

from .privacy_expiring import NOTICE_DAYS


class PrivacyEvidence(models.Model):
    """A certificate or assessment that proves a promise, as long as it is valid."""

    _name = "privacy.evidence"
    _description = "Evidence"
    _inherit = ["privacy.expiring", "privacy.register"]
    _order = "valid_until, id"
    _end_field = "valid_until"

    _privacy_fields = {
        "holder": {
            "category": "identity",
            "erasure": "keep",
            "reason": "A certificate proves nothing without the name of whom it was given to.",
        },
    }
    _privacy_free = {"Of certificates and who gives them.": "name issuer reference"}

    name = fields.Char(
        "What it proves", required=True, help="Such as: ISO 27001, penetration test."
    )
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [
            ("certificate", "Certificate"),
            ("assessment", "Security assessment"),
            ("penetration_test", "Penetration test"),
            ("audit", "Audit report"),
            ("contract", "Contract or undertaking"),
        ],
        required=True,
        default="certificate",
    )
    holder = fields.Char("Whose", required=True, help="The company or person it was given to.")
    processor_id = fields.Many2one(
        "privacy.processor",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    issuer = fields.Char("Given by")
    reference = fields.Char("Number")
    valid_from = fields.Date()
    valid_until = fields.Date(
        required=True, index=True, tracking=True, help="The last day on which it is valid."
    )
    state = fields.Selection(
        [("valid", "Valid"), ("due", "Ends soon"), ("expired", "Expired")],
        compute="_compute_state",
    )

    _valid_order = models.Constraint(
        "CHECK (valid_until >= valid_from)", "It ends before it begins: correct one of the dates."
    )
    _reminder_idx = models.Index("(valid_until) WHERE active AND is_reminded IS NOT TRUE")

    # === COMPUTE METHODS === #

    @api.depends("valid_until", "company_id")
    def _compute_state(self):
        for evidence in self:
            today = evidence._today()
            if not evidence.valid_until or evidence.valid_until < today:
                evidence.state = "expired"
            elif evidence.valid_until <= fields.Date.add(today, days=NOTICE_DAYS):
                evidence.state = "due"
            else:
                evidence.state = "valid"

    # === BUSINESS METHODS === #

    def _get_reminder(self):
        """Return what officers are told before it ends."""
        return self.env._("Renew: %(name)s of %(holder)s", name=self.name, holder=self.holder)
