from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _reconcile_post_hook(self, data):
        """Give the service back also where a credit note took the debt away."""
        res = super()._reconcile_post_hook(data)
        data["not_paid_invoices"].filtered(
            lambda move: move.payment_state == "reversed"
        )._isp_resume_if_settled()
        return res
