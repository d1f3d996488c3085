import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

_SETTLED = ("paid", "in_payment")
# Whoever opened the payment form so long ago has left it.
_FORM_OPEN = timedelta(hours=1)


class IspSubscriptionTopup(models.Model):
    """Top-ups that customers order: a bill first, the volume with its payment."""

    _inherit = "isp.subscription.topup"

    # === BUSINESS METHODS - ORDERING === #

    @api.model
    def _place(self, subscription, offer, window):
        """Bill ``offer``; credits of the customer pay for it first.

        :return: the order, given already where a credit has paid the bill
        :raises UserError: when the company cannot bill
        """
        own_words = self._selling().with_context(lang=subscription.partner_id.lang)
        order = self.browse(
            own_words.create(
                {"subscription_id": subscription.id, "offer_id": offer.id, "state": "ordered"}
            ).id
        )
        fee = order._create_fee()
        bill = fee._bill_alone(
            isp_is_order=True,
            invoice_payment_term_id=False,
            # As long as the volume that it adds to.
            invoice_date_due=fields.Date.subtract(window.date_to, days=1),
        )
        order._selling().write({"fee_id": fee.id, "move_id": bill.id})
        subscription._log_event("billing", self.env._("Top-up ordered: %(name)s", name=order.name))
        bill._isp_apply_credits()
        order._give_if_paid()
        return order

    def _is_being_paid(self):
        """Whether a provider works on a payment of the order."""
        self.ensure_one()
        # sudo: transactions are the gateway's; only whether there is one is told.
        return any(
            transaction.state in ("pending", "authorized")
            or (transaction.state == "done" and not transaction.payment_id)
            for transaction in self.sudo().move_id.transaction_ids
        )

    def _may_be_paid_soon(self):
        """Whether a payment is under way, or its form was opened a short while ago."""
        self.ensure_one()
        since = fields.Datetime.now() - _FORM_OPEN
        return self._is_being_paid() or any(
            transaction.state == "draft" and transaction.last_state_change > since
            for transaction in self.sudo().move_id.transaction_ids  # sudo: as above
        )

    # === BUSINESS METHODS - PAID === #

    def _give_if_paid(self):
        """Give the volume of the orders whose bills are settled, each of them once.

        Called within the transaction of the payment.

        :return: the orders that were settled
        """
        paid = self.filtered(
            lambda topup: topup.state == "ordered" and topup.move_id.payment_state in _SETTLED
        )
        for topup in paid:
            if window := topup._open_window():
                topup._give(window)
                continue
            # The payment stands whatever has become of the plan.
            topup._drop_fee()
            topup.subscription_id._log_event(
                "billing",
                self.env._(
                    "“%(name)s” was paid, but there is no limited volume any more: the amount "
                    "comes back with the next bill",
                    name=topup.name,
                ),
            )
        return paid

    # === BUSINESS METHODS - NOT PAID === #

    @api.model
    def _settle_orders(self, today):
        """Give what was paid, and cancel what was not paid in time, in the company of the
        environment.

        :return: the orders that were given or cancelled
        """
        company = Domain("company_id", "=", self.env.company.id)
        open_orders = self.search(company & Domain("state", "=", "ordered"))
        done = open_orders._give_if_paid()
        for order in open_orders - done:
            is_over = order.move_id.invoice_date_due < today
            if order.subscription_id.state == "terminated" or is_over:
                done |= order._cancel_or_log()
        return done

    def _cancel_or_log(self):
        """Cancel an order that was not paid; one that cannot be stops nobody else."""
        if self._may_be_paid_soon():
            return self.browse()
        try:
            with self.env.cr.savepoint():
                self._cancel_order()
        except UserError as error:
            _logger.warning("Order %s of extra volume stays open: %s", self.id, error)
            return self.browse()
        return self

    def _cancel_order(self):
        """Cancel the bill of an order that was not paid.

        What a customer had paid in part is his credit again.

        :raises UserError: where the bill can be neither cancelled nor reversed
        """
        self.ensure_one()
        bill = self.move_id
        try:
            with self.env.cr.savepoint():
                bill.button_cancel()
        except UserError:
            # Sealed, or in a locked period: a credit note takes it back, and its charge stays.
            day = bill.company_id._get_isp_bill_date(bill.company_id._get_isp_today())
            bill._reverse_moves([{"date": day, "invoice_date": day}], cancel=True)
        else:
            self.fee_id.charge_ids.write({"charge_type": "released"})
            self.fee_id.active = False
        self._selling().state = "cancelled"
        self.subscription_id._log_event(
            "billing",
            self.env._("Order of a top-up cancelled, as it was not paid: %(name)s", name=self.name),
        )
