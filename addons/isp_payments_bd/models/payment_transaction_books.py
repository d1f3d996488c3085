"""Fees, money that came twice, and who is told."""

from odoo import Command, fields, models

from ..gateways.common import HELD


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # === POST-PROCESSING === #

    def _post_process(self):
        """Leave a payment to the worker that is settling it.

        Odoo's status page post-processes at each poll: it would wait as long as the gateway lets
        the other worker wait.
        """
        ours = self.filtered(lambda tx: tx._bd_is_ours())
        free = ours.try_lock_for_update(allow_referencing=True)
        return super(PaymentTransaction, (self - ours) | free)._post_process()

    # === PAID TWICE === #

    def _bd_extras(self):
        """Return the payments that were made once more for this order."""
        return self.search([("gateway_duplicate_of_id", "in", self.ids)])

    def _bd_book_extra(self, verified):
        """A second transfer for one order id is money of the customer: a payment of its own."""
        extra = self.create(
            {
                "provider_id": self.provider_id.id,
                "payment_method_id": self.payment_method_id.id,
                "reference": self._compute_reference(self.provider_code, prefix=self.reference),
                "amount": self.amount,
                "currency_id": self.currency_id.id,
                "partner_id": self.partner_id.id,
                "operation": self.operation,
                "invoice_ids": [Command.set(self.invoice_ids.ids)],
                "gateway_duplicate_of_id": self.id,
                "gateway_payment_id": verified.payment_id,
            }
        )
        extra.is_live = self.is_live
        extra._bd_mark_paid(verified)
        extra._bd_flag_credit(extra.amount)
        if verified.status == HELD:
            extra._bd_alert(
                self.env._("A risky payment for a bill that is paid already"), verified.reason
            )
        return extra

    def _create_payment(self, **extra_create_values):
        """Book the fee with the payment, and flag money that no bill was left for."""
        if not self._bd_is_ours():
            return super()._create_payment(**extra_create_values)
        if self.source_transaction_id.gateway_status == "refused":
            # The payment was refused by staff and is not in the books: neither is its refund.
            return self.env["account.payment"]
        due = self._bd_due()
        payment = super()._create_payment(**extra_create_values)
        if self.operation != "refund":
            if problem := self._bd_book_fee(payment):
                self.gateway_note = problem
            over = self.amount - due
            if self.invoice_ids and self.currency_id.compare_amounts(over, 0) > 0:
                self._bd_flag_credit(over)
        return payment

    def _bd_due(self):
        """Return what is still to be paid on the bills of this payment, in its currency."""
        bills = self.invoice_ids.filtered(lambda move: move.state == "posted")
        return sum(
            bills.filtered(lambda b: b.currency_id == self.currency_id).mapped("amount_residual")
        )

    def _bd_flag_credit(self, amount):
        self.gateway_paid_twice = True
        self._bd_alert(
            self.env._("A bill was paid twice"),
            self.env._(
                "%(customer)s paid %(amount)s more than was due. The money is a credit of the"
                " customer: give it back with the button Refund of the payment, or leave it for"
                " the next bill.",
                customer=self.partner_id.display_name,
                amount=self.currency_id.format(amount),
            ),
        )

    def _bd_fee(self, told=None):
        """Saving a wallet costs nothing."""
        return 0.0 if self.operation == "validation" else super()._bd_fee(told)

    # === PEOPLE === #

    def _bd_for_staff(self):
        """Return this payment with the language of the company: notes are read by its staff."""
        return self.with_context(lang=self.provider_id.company_id.partner_id.lang or self.env.lang)

    def _bd_alert(self, summary, note):
        """Give the accountant something to do, once."""
        if self.activity_ids.filtered(lambda activity: activity.summary == summary):
            return
        user = self.provider_id._bd_accountant()
        # The systray shows it; a mail from within the request of the gateway is not wanted.
        self.with_context(mail_activity_quick_update=True).activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=fields.Date.context_today(self.with_user(user)),
            summary=summary,
            note=note,
            user_id=user.id,
        )
