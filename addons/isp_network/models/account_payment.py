from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def action_post(self):
        """Give the volume that was ordered also where payments make no entry of their own."""
        res = super().action_post()
        self.filtered(lambda payment: not payment.move_id).invoice_ids._isp_give_topups()
        return res
