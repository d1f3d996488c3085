"""The one way of a payment into the ledger: ask the gateway under a lock, check, book."""

import logging

import psycopg2

from odoo import fields, models
from odoo.exceptions import ValidationError

from ..gateways.common import (
    CANCELED,
    EXPIRED,
    FAILED,
    HELD,
    PAID,
    PENDING,
    Misconfigured,
    Refused,
    Unknown,
    Verified,
)

_logger = logging.getLogger(__name__)


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # === SETTLE === #

    def _bd_settle(self, channel, hint=None, again=False):
        """Ask the gateway about this payment and book what it says.

        The one way into the ledger, for return, notification, job and staff alike. Repeating is
        harmless: a paid payment is asked about again only for a claim that was not seen before.

        :param str channel: a channel of ``isp.gateway.event``
        :param dict hint: see ``_bd_ask``
        :param bool again: ask, even if the payment is paid and the claim was seen
        :return: what came of it, an outcome of ``isp.gateway.event``. ``busy``: another worker
            has this payment, nothing was done, and the job asks once more
        """
        self.ensure_one()
        if self.operation == "refund":
            return self._bd_settle_refund(channel)
        if self.gateway_duplicate_of_id:
            return self.gateway_duplicate_of_id._bd_settle(channel, hint, again)
        # sudo: whoever brings the message, the gateway's answer alone decides.
        self = self.sudo()._bd_for_staff()
        events = self.env["isp.gateway.event"]
        digest = events._digest(hint)
        if not self._bd_lock():
            if channel in ("return", "notification"):
                events._note(self, channel, "busy", False, hint)
            return "busy"
        if self.state == "done" and not again and (known := events._handled(self, digest)):
            known.write({"repeats": known.repeats + 1, "last_at": fields.Datetime.now()})
            return known.outcome
        before = (self.state, self.gateway_status)
        outcomes = self._bd_ask_and_book(hint)
        outcome = "paid" if "paid" in outcomes else outcomes[0]
        self._bd_schedule(outcome)
        if channel != "job" or before != (self.state, self.gateway_status):
            events._note(self, channel, outcome, self.gateway_note, hint)
        if "extra" in outcomes and outcome != "extra":
            events._note(self, channel, "extra", self.gateway_note, hint)
        if self.state == "done":
            (self | self._bd_extras())._bd_post_process()
        return outcome

    def _bd_lock(self):
        """Take the row, or nothing when another worker has it; what was read before is dropped.

        Others may still refer to the row, so that a message that comes meanwhile is written down.
        """
        locked = self.try_lock_for_update(allow_referencing=True)
        self.invalidate_recordset()
        return bool(locked)

    def _bd_ask_and_book(self, hint):
        """Ask the gateway and process its answer.

        :return: the outcome, and one of each further payment that the gateway names
        """
        self._bd_count_ask()
        if problem := self._bd_wrong_mode():
            self._bd_apply_unknown(problem)
            return ["ignored"]
        try:
            verified = self.with_context(bd_live=self.is_live)._bd_ask(hint=hint)
        except Unknown as error:
            return [self._bd_apply_unknown(str(error))]
        except Misconfigured as error:
            self.provider_id._bd_note_connection("error", str(error))
            return [self._bd_apply_unknown(str(error))]
        except Refused as error:
            if self.state == "done":
                return ["ignored"]  # a gateway forgets old payments; ours is paid
            verified = Verified(FAILED, *[None] * 6, reason=str(error))
        outcomes = []
        for answer in (verified, *verified.also):
            data = {"verified": answer}
            self._process(self.provider_code, data)
            outcomes.append(data["outcome"])
        return outcomes

    def _bd_count_ask(self):
        self.write(
            {
                "gateway_asks": self.gateway_asks + 1,
                "gateway_checked_at": fields.Datetime.now(),
            }
        )

    def _bd_wrong_mode(self):
        """Say why the gateway cannot be asked: the settings are those of the other mode."""
        state = self.provider_id.state
        if state == "disabled" or (state == "enabled") == self.is_live:
            return ""
        if self.is_live:
            return self.env._("A real payment, while the provider is in test mode: not asked.")
        return self.env._("A test payment, while the provider takes real money: not asked.")

    def _bd_post_process(self):
        """Make the account payments now, so that nobody waits for the customer's browser.

        The money has moved: whatever goes wrong in the books must not undo that the payment is
        paid. Odoo's own job tries again.
        """
        for tx in self.filtered(lambda tx: not tx.is_post_processed):
            try:
                with self.env.cr.savepoint():
                    tx._post_process()
            except psycopg2.OperationalError:
                raise  # a conflict with another worker: the whole request is tried again
            except Exception:
                _logger.exception("Payment %s is paid, but not booked yet", tx.reference)
                tx.invalidate_recordset()
                # sudo: a system cron of Odoo; the portal may not even see it.
                self.env.ref("payment.cron_post_process_payment_tx").sudo()._trigger()

    # === ODOO'S HOOKS === #

    def _extract_amount_data(self, payment_data):
        """Leave the check of the amount to ``_apply_updates``.

        Odoo's own check lets a wrong amount pass when it comes a second time; ours is made every
        time, and covers more than the amount.
        """
        if self._bd_is_ours():
            return None
        return super()._extract_amount_data(payment_data)

    def _apply_updates(self, payment_data):
        """Book a verified answer of the gateway; anything else is refused."""
        if not self._bd_is_ours():
            return super()._apply_updates(payment_data)
        if "refund" in payment_data:
            payment_data["outcome"] = self._bd_apply_refund(payment_data["refund"])
            return None
        verified = payment_data.get("verified")
        if not isinstance(verified, Verified):
            raise ValidationError(
                self.env._("Only what the gateway confirms when it is asked is booked.")
            )
        apply = {
            PAID: self._bd_apply_paid,
            HELD: self._bd_apply_held,
            PENDING: self._bd_apply_pending,
            FAILED: self._bd_apply_not_paid,
            CANCELED: self._bd_apply_not_paid,
            EXPIRED: self._bd_apply_not_paid,
        }.get(verified.status)
        payment_data["outcome"] = (
            apply(verified) if apply else self._bd_apply_unknown(verified.reason)
        )
        return None

    def _extract_token_values(self, payment_data):
        verified = payment_data.get("verified")
        if not self._bd_is_ours() or not isinstance(verified, Verified):
            return super()._extract_token_values(payment_data)
        if not verified.token:
            return {}
        return {"provider_ref": verified.token, "payment_details": verified.payer}

    # === WHAT THE GATEWAY SAID === #

    def _bd_apply_paid(self, verified):
        if self.gateway_status == "refused":
            return "refused"
        if self.state == "done":
            return self._bd_apply_paid_again(verified)
        if problem := self._bd_mismatch(verified):
            return self._bd_apply_mismatch(verified, problem)
        self._bd_mark_paid(verified)
        return "paid"

    def _bd_mark_paid(self, verified):
        """A verified success wins: also over an error or a cancel that came first."""
        self.write(
            {
                "provider_reference": verified.reference,
                "gateway_status": "paid",
                "gateway_note": verified.reason
                or self.env._("Paid, transfer %(reference)s.", reference=verified.reference),
                "gateway_payer": verified.payer or verified.method or False,
                "gateway_fee": self._bd_fee(verified.fee),
            }
        )
        self._set_done(extra_allowed_states=("cancel",))

    def _bd_apply_paid_again(self, verified):
        """A paid payment is asked about again: nothing new, or a second transfer for one order."""
        if verified.reference == self.provider_reference or not verified.reference:
            if problem := self._bd_mismatch(verified):
                return self._bd_note_mismatch(problem)
            return "paid"
        if problem := self._bd_mismatch(verified):
            if self._bd_owner(verified.reference) in self._bd_extras():
                return "extra"
            return self._bd_note_mismatch(problem)
        self._bd_book_extra(verified)
        return "extra"

    def _bd_apply_held(self, verified):
        """Paid, but the gateway warns: staff decide."""
        if self.gateway_status == "refused":
            return "refused"
        if self.gateway_accepted_by_id or self.state == "done":
            return self._bd_apply_paid(verified)
        if problem := self._bd_mismatch(verified):
            return self._bd_apply_mismatch(verified, problem)
        note = verified.reason or self.env._("The gateway calls this payment risky.")
        self.write(
            {
                "gateway_status": "held",
                "gateway_note": note,
                "gateway_payer": verified.payer or verified.method or False,
                # Needed to give the money back, should staff refuse it.
                "provider_reference": verified.reference,
            }
        )
        self._set_pending(
            state_message=self._bd_for_payer().env._(
                "Your payment has arrived and is being checked by us. Do not pay again."
            ),
            extra_allowed_states=("error", "cancel"),
        )
        self._bd_alert(self.env._("Accept or refuse a risky payment"), note)
        return "held"

    def _bd_apply_pending(self, verified):
        under_way = bool(verified.payer or verified.reference)
        if self.state in ("draft", "pending") and not under_way and self._bd_is_over():
            return self._bd_apply_not_paid(verified, EXPIRED)
        if self.state in ("error", "cancel", "done"):
            return "pending"
        self.write({"gateway_status": "pending", "gateway_note": verified.reason or False})
        if under_way:
            self._set_pending(state_message=self._bd_text_under_way())
        return "pending"

    def _bd_apply_unknown(self, reason):
        """Nobody knows: never failed, never tried again blindly; the job keeps asking."""
        if self.state in ("draft", "pending") and self.gateway_status != "held":
            self.write({"gateway_status": "unknown", "gateway_note": reason})
            self._set_pending(state_message=self._bd_text_under_way())
        return "unknown"

    def _bd_text_under_way(self):
        return self._bd_for_payer().env._(
            "%(gateway)s has not confirmed the payment yet. We keep asking; do not pay again.",
            gateway=self.provider_id.name,
        )

    def _bd_apply_not_paid(self, verified, status=None):
        status = status or verified.status
        if self.state == "done":
            # What was booked stays: taking money back is for staff, with a refund.
            return self._bd_note_mismatch(
                self.env._(
                    "Paid before, but the gateway now says %(status)s: %(reason)s",
                    status=status,
                    reason=verified.reason,
                )
            )
        if self.gateway_status in ("refused", "mismatch"):
            return status
        self.write({"gateway_status": status, "gateway_note": verified.reason or False})
        env = self._bd_for_payer().env
        if status == FAILED:
            self._set_error(
                env._("The payment did not go through. Nothing was taken; you can try again.")
            )
        elif status == EXPIRED:
            self._set_canceled(env._("The payment was not made in time. You can try again."))
        else:
            self._set_canceled(env._("The payment was canceled. Nothing was taken."))
        return status

    # === CHECKS === #

    def _bd_mismatch(self, verified):
        """Say what in a verified answer is not as it must be for this payment, ``""`` if nothing.

        Made each time an answer is to be booked, the second time too.
        """
        checks = (
            self._bd_check_ids(verified),
            self._bd_check_money(verified),
            self._bd_check_reference(verified),
        )
        return " ".join(filter(None, checks))

    def _bd_check_ids(self, verified):
        merchant = self.provider_id._bd_merchant()
        pairs = [
            (self.env._("order id"), verified.order_id, self.gateway_order_id),
            (self.env._("merchant"), verified.merchant, merchant),
        ]
        if self.gateway_payment_id:
            pairs.append((self.env._("payment id"), verified.payment_id, self.gateway_payment_id))
        wrong = [
            self.env._("The %(what)s is %(theirs)s, not %(ours)s.", what=w, theirs=t, ours=o)
            for w, t, o in pairs
            if t and o and t != o
        ]
        if not verified.order_id and not (verified.payment_id and self.gateway_payment_id):
            wrong.append(self.env._("The answer names neither our order id nor the payment id."))
        return " ".join(wrong)

    def _bd_check_money(self, verified):
        if self.operation == "validation":
            return ""
        ours = self._bd_amount()
        if verified.amount is None or verified.amount != ours:
            return self.env._(
                "The amount is %(theirs)s, not %(ours)s.", theirs=verified.amount, ours=ours
            )
        if verified.currency != self.currency_id.name:
            return self.env._(
                "The currency is %(theirs)s, not %(ours)s.",
                theirs=verified.currency,
                ours=self.currency_id.name,
            )
        return ""

    def _bd_check_reference(self, verified):
        if not verified.reference:
            if self.operation == "validation":
                return ""
            return self.env._("The answer does not name the transfer.")
        if owner := self._bd_owner(verified.reference):
            return self.env._(
                "The transfer %(reference)s has already paid %(payment)s.",
                reference=verified.reference,
                payment=owner.reference,
            )
        return ""

    def _bd_owner(self, reference):
        """Return the other payment of this provider that a transfer has paid."""
        return self.search(
            [
                ("provider_id", "=", self.provider_id.id),
                ("provider_reference", "=", reference),
                ("operation", "!=", "refund"),
                ("state", "in", ("done", "authorized")),
                ("id", "!=", self.id),
            ],
            limit=1,
        )

    def _bd_apply_mismatch(self, verified, problem):
        """Money may have moved, but not as agreed: never paid, staff look into it."""
        self.write({"gateway_status": "mismatch", "gateway_note": problem})
        self._set_error(
            self._bd_for_payer().env._(
                "What %(gateway)s reports does not fit this payment. We look into it; do not pay"
                " again before you have asked us.",
                gateway=self.provider_id.name,
            ),
            extra_allowed_states=("cancel",),
        )
        return self._bd_note_mismatch(problem)

    def _bd_note_mismatch(self, problem):
        _logger.warning("Payment %s: the gateway's answer is not booked", self.reference)
        self.gateway_note = problem
        self._bd_alert(self.env._("The gateway's answer does not fit the payment"), problem)
        return "mismatch"
