"""Refunds and payments by saved wallet: calls that move money and must never be made twice.

Odoo's request is committed first. Then, in a database transaction of its own, the record is marked
as sent; then, in another one, the gateway is called. Whoever dies in between leaves a record that
says whether the call may have been made: only one that was never marked is sent by the job.
"""

import contextlib
import logging

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import LockError, UserError, ValidationError
from odoo.tools import SQL

from ..gateways.common import FAILED, PAID, GatewayError, Misconfigured, Refund, Refused, Unknown

_logger = logging.getLogger(__name__)

_BY_TOKEN = ("online_token", "offline")


def _in(cr, ids):
    # Superuser: the request that asked for it was checked and is over.
    return api.Environment(cr, SUPERUSER_ID, {})["payment.transaction"].browse(ids)


@contextlib.contextmanager
def _left_to_the_job(ids):
    """The request is committed: a fault from now on is not its fault, and the job goes on."""
    try:
        yield
    except Exception:
        _logger.exception("Payments %s are left to the job", ids)


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # === ODOO'S HOOKS === #

    def _send_refund_request(self):
        if not self._bd_is_ours():
            return super()._send_refund_request()
        self._bd_check_refund()
        self._set_pending(state_message=self.env._("The refund is being sent to the gateway."))
        self._bd_open("sending")
        self._bd_after_commit()
        return None

    def _send_payment_request(self):
        if not self._bd_is_ours():
            return super()._send_payment_request()
        self._set_pending(state_message=self.env._("The saved wallet is being charged."))
        self._bd_open("sending")
        self._bd_after_commit()
        return None

    def _bd_check_refund(self):
        """Refuse a refund of more than was paid, also while another refund is under way.

        :raise ValidationError: Odoo shows it on the refund
        """
        source = self.source_transaction_id
        try:
            source.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(
                self.env._("This payment is just being handled. Try again in a minute.")
            ) from None
        # The lock alone does not show a refund that was committed after this request began: with
        # the row rewritten, the database refuses this request, and it is tried again.
        self.env.execute_query(
            SQL("UPDATE payment_transaction SET write_date = now() WHERE id = %s", source.id)
        )
        if problem := source._bd_wrong_mode():
            raise ValidationError(problem)
        refunds = source.child_transaction_ids.filtered(
            lambda tx: tx.operation == "refund" and tx.state in ("draft", "pending", "done")
        )
        total = -sum(refunds.mapped("amount"))
        if self.currency_id.compare_amounts(total, source.amount) > 0:
            raise ValidationError(
                self.env._(
                    "Refunds of %(total)s would be more than the %(paid)s that were paid. Refunds"
                    " that are still under way count.",
                    total=self.currency_id.format(total),
                    paid=self.currency_id.format(source.amount),
                )
            )

    def _bd_other_refunds(self):
        """Return the other refunds of the payment that this one is a refund of."""
        refunds = self.source_transaction_id.child_transaction_ids
        return refunds.filtered(lambda tx: tx.operation == "refund" and tx != self)

    def _bd_check_no_refund_under_way(self):
        """For gateways that cannot tell two refunds of one payment apart.

        :raise Refused: another one was sent before and is not final
        """
        now = fields.Datetime.now()
        mine = (self.gateway_sent_at or now, self.id)
        before = self._bd_other_refunds().filtered(
            lambda tx: (
                tx.state == "pending" and tx.gateway_sent_at and (tx.gateway_sent_at, tx.id) < mine
            )
        )
        if before:
            raise Refused(
                self.env._(
                    "The refund %s of this payment is still under way. Nothing was sent: try again"
                    " when it is done.",
                    before[0].reference,
                )
            )

    # === SENDING === #

    def _bd_after_commit(self):
        """Send once this request is committed; what fails is left to the job."""
        registry, ids = self.env.registry, self.ids

        @self.env.cr.postcommit.add
        def send():
            with _left_to_the_job(ids):
                with registry.cursor() as cr:
                    marked = _in(cr, ids)._bd_mark_sent().ids
                with registry.cursor() as cr:
                    _in(cr, marked)._bd_send()

    def _bd_mark_sent(self):
        """Mark what waits to be sent, and return it; to be committed before ``_bd_send``."""
        todo = self.try_lock_for_update(allow_referencing=True)
        todo.invalidate_recordset()
        todo = todo.filtered(lambda tx: tx._bd_waits_to_be_sent())
        todo.gateway_sent_at = fields.Datetime.now()
        return todo

    def _bd_waits_to_be_sent(self):
        return (
            self.state == "pending"
            and not self.gateway_sent_at
            and (self.operation == "refund" or (self.token_id and self.operation in _BY_TOKEN))
        )

    def _bd_send(self):
        """Make the call for what was marked; see the top of this file."""
        for tx in self:
            tx = tx._bd_for_staff()
            if not tx._bd_lock() or tx.state != "pending":
                continue
            if tx.operation == "refund":
                tx._bd_send_refund()
            else:
                tx._bd_send_charge()

    def _bd_send_refund(self):
        self._bd_count_ask()
        try:
            refund = self.with_context(bd_live=self.is_live)._bd_refund(self._bd_amount())
        except Unknown as error:
            outcome = self._bd_refund_unknown(str(error))
        except (Refused, Misconfigured) as error:
            outcome = self._bd_book_refund(Refund(FAILED, None, None, str(error)))
        else:
            outcome = self._bd_book_refund(refund)
        self._bd_schedule(outcome)
        self.env["isp.gateway.event"]._note(self, "refund", outcome, self.gateway_note)

    def _bd_send_charge(self):
        """Start the payment by saved wallet; it is committed before money moves."""
        try:
            hint = self.with_context(bd_live=self.is_live)._bd_charge()
        except GatewayError as error:
            self._bd_not_started(error)
            return
        registry, ids = self.env.registry, self.ids

        @self.env.cr.postcommit.add
        def settle():
            with _left_to_the_job(ids), registry.cursor() as cr:
                _in(cr, ids)._bd_settle("charge", hint=hint)

    # === ANSWERS === #

    def _bd_settle_refund(self, channel):
        """Ask what became of a refund and book it; like ``_bd_settle``."""
        self = self.sudo()._bd_for_staff()
        if not self._bd_lock():
            return "busy"
        if self.state != "pending":
            return self.gateway_status
        before = self.gateway_status
        self._bd_count_ask()
        try:
            refund = self.with_context(bd_live=self.is_live)._bd_ask_refund()
        except (Unknown, Misconfigured) as error:
            outcome = self._bd_refund_unknown(str(error))
        except Refused as error:
            outcome = self._bd_book_refund(Refund(FAILED, None, None, str(error)))
        else:
            outcome = self._bd_book_refund(refund)
        self._bd_schedule(outcome)
        if channel != "job" or before != self.gateway_status:
            self.env["isp.gateway.event"]._note(self, channel, outcome, self.gateway_note)
        return outcome

    def _bd_book_refund(self, refund):
        data = {"refund": refund}
        self._process(self.provider_code, data)
        if self.state == "done":
            self._bd_post_process()
        return data["outcome"]

    def _bd_apply_refund(self, refund):
        if self.state == "done":
            return "paid"
        if refund.reference and not self.provider_reference:
            self.provider_reference = refund.reference
        self.gateway_note = refund.reason or False
        if refund.status == FAILED:
            self.gateway_status = "failed"
            reason = refund.reason or self.env._("The gateway did not make the refund.")
            self._set_error(reason)
            self._bd_alert(self.env._("A refund failed: the customer has not got it"), reason)
            return "failed"
        if refund.status != PAID:
            self.gateway_status = "pending"
            return "pending"
        if problem := self._bd_refund_mismatch(refund):
            self.gateway_status = "mismatch"
            return self._bd_note_mismatch(problem)
        self.gateway_status = "paid"
        self._set_done()
        return "paid"

    def _bd_refund_unknown(self, reason):
        """Nobody knows: never failed and never sent again; the job keeps asking."""
        self.write({"gateway_status": "unknown", "gateway_note": reason})
        return "unknown"

    def _bd_refund_mismatch(self, refund):
        ours = self._bd_amount()
        if refund.amount is not None and refund.amount != ours:
            return self.env._(
                "The gateway refunded %(theirs)s, not %(ours)s.", theirs=refund.amount, ours=ours
            )
        twin = refund.reference and self.search(
            [
                ("provider_id", "=", self.provider_id.id),
                ("provider_reference", "=", refund.reference),
                ("operation", "=", "refund"),
                ("state", "=", "done"),
                ("id", "!=", self.id),
            ],
            limit=1,
        )
        if twin:
            return self.env._(
                "The gateway names the refund %(reference)s, which is already %(other)s.",
                reference=refund.reference,
                other=twin.reference,
            )
        return ""
