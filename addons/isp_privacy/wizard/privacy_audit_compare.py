from odoo import fields, models


class PrivacyAuditCompare(models.TransientModel):
    """Compares a mailed hash with the chain: what finds a chain that was made anew as a whole."""

    _name = "privacy.audit.compare"
    _description = "Compare a mailed hash with the audit chain"

    seq = fields.Integer("Number", required=True, help="As in the mail to the officers.")
    hash = fields.Char(required=True, help="64 letters and digits, as in the mail.")
    result = fields.Selection(
        [
            ("same", "The same: nothing up to this number was changed since the mail."),
            ("differs", "Differs: rows up to this number were changed after the mail was sent."),
            ("gone", "Gone: the chain has no row of this number any more."),
        ],
        readonly=True,
    )

    def action_compare(self):
        """Compare, and show the answer in the same window."""
        self.ensure_one()
        # sudo: the row may be one of another company; only its hash is compared.
        row = self.env["privacy.audit"].sudo().search([("seal_seq", "=", self.seq)])
        if not row:
            self.result = "gone"
        else:
            self.result = "same" if row.hash == self.hash.strip().lower() else "differs"
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_privacy.privacy_audit_compare_action"
        )
        return {**action, "res_id": self.id}
