from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_charge_ids = fields.One2many("isp.charge", "move_id", "Charges", readonly=True)
    isp_is_order = fields.Boolean(
        "Ordered online",
        readonly=True,
        copy=False,
        help="Something the customer may leave unpaid: it is given when it is paid. Nobody is "
        "reminded of it, and it is not overdue.",
    )
    isp_subscription_count = fields.Integer(
        compute="_compute_isp_subscription_count", groups="isp_base.group_isp_support"
    )

    def _compute_isp_subscription_count(self):
        for move in self:
            move.isp_subscription_count = len(move.isp_charge_ids.subscription_id)

    def _invoice_paid_hook(self):
        """Give the service back in the transaction of the payment."""
        res = super()._invoice_paid_hook()
        # sudo: the payer is a customer or a gateway; the time that was bought begins all the same.
        self.sudo().isp_charge_ids._begin_paid_time()
        self._isp_resume_if_settled()
        return res

    def _post(self, soft=True):
        """Count money of the customer that is not matched with a bill yet."""
        posted = super()._post(soft)
        # sudo: as below; a payment is often posted by the gateway.
        credits_sudo = posted.sudo().line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and line.balance < 0
        )
        credits_sudo.partner_id._isp_resume_if_settled()
        return posted

    def _isp_resume_if_settled(self):
        """Resume the subscriptions of these invoices that owe nothing due any more."""
        # sudo: the payer is a customer or a gateway; resuming what was paid for needs no right.
        if subscriptions := self.sudo().isp_charge_ids.subscription_id:
            subscriptions._resume_if_settled()

    def action_view_isp_subscriptions(self):
        """Open the subscriptions the invoice bills."""
        self.ensure_one()
        return self.isp_charge_ids.subscription_id._action_open()
