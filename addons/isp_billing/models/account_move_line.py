from odoo import api, models
from odoo.exceptions import UserError


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_charged(self):
        # sudo: who deletes an invoice need not be able to read charges.
        charges = self.env["isp.charge"].sudo().search([("invoice_line_id", "in", self.ids)])
        if billed := charges.move_id:
            raise UserError(
                self.env._(
                    "Invoice %(names)s bills subscription periods, so neither it nor these lines "
                    "can be deleted. Cancel it instead; its charges can then be released to be "
                    "billed again.",
                    names=", ".join(billed.mapped("display_name")),
                )
            )

    def _reconcile_post_hook(self, data):
        """Give the service back also where a credit note took the debt away."""
        res = super()._reconcile_post_hook(data)
        data["not_paid_invoices"].filtered(
            lambda move: move.payment_state == "reversed"
        )._isp_resume_if_settled()
        return res
