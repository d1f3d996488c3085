from odoo import fields, models
from odoo.exceptions import UserError


class AccountPayment(models.Model):
    _inherit = "account.payment"

    isp_subscription_count = fields.Integer(
        "Number of subscriptions",
        compute="_compute_isp_subscription_count",
        groups="isp_base.group_isp_support",
    )

    def _compute_isp_subscription_count(self):
        for payment in self:
            payment.isp_subscription_count = len(payment._get_isp_subscriptions())

    def unlink(self):
        """Refuse to delete what was in the books: the history of payments is kept."""
        self._check_isp_never_booked()
        return super().unlink()

    def _check_isp_never_booked(self):
        # The number is given when it is posted, and stays when it is reset or cancelled.
        for payment in self:
            if payment.name or payment.state not in ("draft", "canceled"):
                raise UserError(
                    self.env._(
                        "Payment %s was in the books, so it is kept. Cancel it, or register a refund.",
                        payment.display_name,
                    )
                )

    def action_post(self):
        """Give the service back also where payments make no journal entry of their own."""
        res = super().action_post()
        received = self.filtered(
            lambda pay: not pay.move_id and pay.payment_type == "inbound" and pay.partner_id
        )
        received.partner_id._isp_resume_if_settled()
        return res

    def _isp_settle_oldest_bills(self):
        """Use the money that no bill has taken yet; repeating is harmless.

        The setting of the company on credits is not asked: whoever pays means to pay what is open.
        A payment without a journal entry has nothing that could be reconciled.
        """
        for payment in self.filtered(lambda pay: pay.move_id and pay.payment_type == "inbound"):
            entry = payment.move_id
            entry._isp_apply_credits_of(entry.company_id, only=entry.line_ids)

    def _get_isp_subscriptions(self):
        """Subscriptions whose bills the payment settled, at least in part."""
        return (self.invoice_ids | self.reconciled_invoice_ids).isp_charge_ids.subscription_id

    def action_view_isp_subscriptions(self):
        """Open the subscriptions whose bills the payment settled."""
        self.ensure_one()
        return self._get_isp_subscriptions()._action_open()
