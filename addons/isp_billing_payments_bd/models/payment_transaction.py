from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _bd_flag_credit(self, amount):
        """Money that came twice pays the oldest bills first; only what is left is a credit."""
        if not self.payment_id and self.invoice_ids:
            # It is not in the books yet, and comes here again when it is.
            self.gateway_paid_twice = True
            return None
        self.payment_id._isp_settle_oldest_bills()
        lines = self.payment_id.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        if lines:
            amount = min(amount, -sum(lines.mapped("amount_residual_currency")))
        if self.currency_id.compare_amounts(amount, 0) <= 0:
            self.gateway_paid_twice = False
            return None
        return super()._bd_flag_credit(amount)
