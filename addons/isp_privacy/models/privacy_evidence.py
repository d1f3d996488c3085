from markupsafe import Markup

from odoo import api, fields, models

# Restoring is rehearsed every month; a drill proves something until the next one is overdue.
DRILL_VALID_DAYS = 35
DRILL_NOTICE_DAYS = 3


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
            ("restore_drill", "Restore drill"),
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

    @api.depends("valid_until", "company_id", "kind")
    def _compute_state(self):
        for evidence in self:
            today = evidence._today()
            if not evidence.valid_until or evidence.valid_until < today:
                evidence.state = "expired"
            elif evidence.valid_until <= fields.Date.add(today, days=evidence._get_notice_days()):
                evidence.state = "due"
            else:
                evidence.state = "valid"

    # === BUSINESS METHODS === #

    def _get_notice_days(self):
        return DRILL_NOTICE_DAYS if self.kind == "restore_drill" else super()._get_notice_days()

    def _get_reminder(self):
        """Return what officers are told before it ends."""
        if self.kind == "restore_drill":
            return self.env._("Have the backup restored again: the last drill is too old")
        return self.env._("Renew: %(name)s of %(holder)s", name=self.name, holder=self.holder)

    @api.model
    def _record_drill(self, moment, backup, findings):
        """Enter a restore drill that went well; it takes the place of the one before.

        ``deploy/backup/isp-restore`` calls it in a shell, of the production database.

        :param moment: the instant that was restored, in words
        :param backup: name of the backup it was restored from
        :param findings: sentences on what was seen in the restored database
        :return: the new entries, one for each company, as all are in the same backup
        """
        made = self.browse()
        for company in self.env["res.company"].search([("id", "!=", False)]):
            before = self.search([("kind", "=", "restore_drill"), ("company_id", "=", company.id)])
            before.activity_unlink(["mail.mail_activity_data_todo"])
            before.active = False
            today = company._get_privacy_day(fields.Datetime.now())
            drill = self.create(
                {
                    "name": self.env._("Database and files restored to %s", moment),
                    "kind": "restore_drill",
                    "holder": company.name,
                    "reference": backup,
                    "company_id": company.id,
                    "valid_from": today,
                    "valid_until": fields.Date.add(today, days=DRILL_VALID_DAYS),
                }
            )
            drill.message_post(body=Markup("<br/>").join(findings))
            made |= drill
        return made
