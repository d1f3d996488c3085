from odoo import api, models


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _get_default_pdf_report_id(self, move):
        """Bills are sent and printed as bills, unless customer or journal have a report chosen."""
        report = super()._get_default_pdf_report_id(move)
        if report == self.env.ref("account.account_invoices") and move._is_printed_by_template():
            return self.env.ref("isp_billing.action_report_bill")
        return report

    @api.model
    def _hook_if_success(self, moves_data, from_cron=False):
        """Mark bills as sent whose file was stored before; Odoo does so when it makes the file."""
        stored = self.env["account.move"].union(*moves_data)
        stored.filtered(
            lambda move: move.invoice_pdf_report_id and not move.is_move_sent
        ).is_move_sent = True
        return super()._hook_if_success(moves_data, from_cron=from_cron)
