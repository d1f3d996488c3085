from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_topup_ids = fields.One2many("isp.subscription.topup", "move_id", "Top-ups", readonly=True)

    def _invoice_paid_hook(self):
        """Give the volume that was ordered in the transaction of the payment."""
        res = super()._invoice_paid_hook()
        self._isp_give_topups()
        return res

    def _isp_give_topups(self):
        """Give what was ordered with these bills, where they are settled."""
        orders = self.filtered("isp_is_order")
        # sudo: the payer is a customer or a gateway; what was paid for is given all the same.
        orders.sudo().isp_topup_ids._give_if_paid()
