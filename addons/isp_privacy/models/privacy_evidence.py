from odoo import api, fields, models

# How long before its end an officer is told: time enough to order the next assessment.
NOTICE_DAYS = 30


class PrivacyEvidence(models.Model):
    """A certificate or assessment that proves a promise, as long as it is valid."""

    _name = "privacy.evidence"
    _description = "Evidence"
    _inherit = ["privacy.register"]
    _order = "valid_until, id"

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
    is_reminded = fields.Boolean("Officers were told", readonly=True, copy=False)

    _valid_order = models.Constraint(
        "CHECK (valid_until >= valid_from)", "It ends before it begins: correct one of the dates."
    )
    _reminder_idx = models.Index("(valid_until) WHERE active AND is_reminded IS NOT TRUE")

    # === COMPUTE AND CRUD METHODS === #

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

    def write(self, vals):
        """A renewed evidence is watched anew."""
        if "valid_until" in vals:
            vals = {**vals, "is_reminded": False}
        return super().write(vals)

    # === CRON === #

    @api.model
    def _cron_remind(self, batch_size=100):
        """Tell the officers, once, what has expired or ends soon."""
        cron = self.env["ir.cron"]
        # A day more than any time zone is ahead; which day it is for each company is asked below.
        horizon = fields.Date.add(fields.Date.today(), days=NOTICE_DAYS + 1)
        domain = [("is_reminded", "=", False), ("valid_until", "<=", horizon)]
        waiting = self.search(domain, limit=10 * batch_size).filtered(
            lambda evidence: evidence.state != "valid"
        )
        cron._commit_progress(remaining=len(waiting))
        while waiting:
            batch, waiting = waiting[:batch_size], waiting[batch_size:]
            batch._remind()
            if not cron._commit_progress(len(batch)):
                return

    def _remind(self):
        """Give each officer of the company an activity; without an officer it is tried again."""
        told = self.browse()
        for evidence in self:
            for officer in self.env["res.users"]._privacy_officers(evidence.company_id):
                told |= evidence
                evidence.activity_schedule(
                    "mail.mail_activity_data_todo",
                    date_deadline=evidence.valid_until,
                    user_id=officer.id,
                    summary=self.env._(
                        "Renew: %(name)s of %(holder)s", name=evidence.name, holder=evidence.holder
                    ),
                )
        told.write({"is_reminded": True})
