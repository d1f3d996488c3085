"""The job that asks about every open payment until it is final."""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain

_logger = logging.getLogger(__name__)

_DELAY_MINUTES = (5, 10, 20, 40, 60)
_SLOW_MINUTES = 6 * 60
_LATE_DAYS = 3
_LATE_REFUND_DAYS = 10
# So many calls in a row without an answer, and a gateway is left alone for a while.
_SILENT_CALLS = 3


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # === WHEN TO ASK === #

    def _bd_schedule(self, outcome):
        """Say when the job asks next; empty when all is final."""
        now = fields.Datetime.now()
        over = self._bd_is_over()
        delay = _DELAY_MINUTES[max(min(self.gateway_asks, len(_DELAY_MINUTES)), 1) - 1]
        if over or outcome in ("held", "ignored"):
            delay = _SLOW_MINUTES
        next_ask_at = fields.Datetime.add(now, minutes=delay)
        if self.state == "done" or self.gateway_status in ("mismatch", "refused"):
            next_ask_at = False
        elif self.state in ("error", "cancel") and (outcome != "unknown" or self._bd_is_late(now)):
            # The payer may try once more on the gateway's page: one last look at the end.
            last_look = self.operation != "refund" and not over
            next_ask_at = last_look and self.gateway_expires_at
        self.gateway_next_ask_at = next_ask_at
        if next_ask_at and self.state == "pending" and self._bd_is_late(now):
            self._bd_tell_late()

    def _bd_is_over(self):
        """Return whether the gateway no longer lets the payer pay."""
        return bool(self.gateway_expires_at and self.gateway_expires_at <= fields.Datetime.now())

    def _bd_is_late(self, now):
        days = _LATE_REFUND_DAYS if self.operation == "refund" else _LATE_DAYS
        return now >= fields.Datetime.add(self.create_date, days=days)

    def _bd_tell_late(self):
        if self.gateway_status == "held":
            return  # staff were told, and it waits for them
        self._bd_alert(
            self.env._("The gateway gives no clear answer for days"),
            self.env._(
                "Look it up in the gateway's own panel. The job keeps asking; it last said: %s",
                self.gateway_note or "",
            ),
        )

    # === CRON === #

    @api.model
    def _cron_bd_reconcile(self):
        """Ask about what is due, one payment and one commit at a time.

        One payment holds the worker no longer than the time-out of its gateway. A gateway that
        does not answer is left alone for a while.
        """
        cron = self.env["ir.cron"]
        todo, silent = self._bd_due_ids(), {}
        cron._commit_progress(remaining=len(todo))
        for number, tx_id in enumerate(todo, 1):
            tx = self.browse(tx_id)  # alone: a commit empties the cache, others need not be read
            outcome = tx._bd_reconcile_one()
            if outcome not in ("", "busy", "failed", "sent") and tx._bd_open_messages():
                todo.append(tx_id)  # one claim, so one call to the gateway, at a time
            provider = tx.provider_id
            silent[provider] = silent.get(provider, 0) + 1 if outcome == "unknown" else 0
            left = cron._commit_progress(1, remaining=len(todo) - number)
            # Odoo calls a job again at once when its time was up: one time-out is then enough.
            if silent[provider] >= _SILENT_CALLS or (silent[provider] and not left):
                self._bd_leave_alone(provider)
                left = cron._commit_progress()
            if not left:
                if number < len(todo):
                    # Odoo would call the job nine times more, for a payment each or for the next
                    # silent gateway, and then leave it for a minute. So it is over for now, and
                    # comes again as soon as the other jobs had their turn.
                    self._bd_call_job()
                    cron._commit_progress(remaining=0)
                return

    @api.model
    def _bd_call_job(self):
        self.env.ref("isp_payments_bd.payment_transaction_cron_reconcile")._trigger()

    @api.model
    def _bd_due_ids(self):
        """Return what is due, the longest waiting first, and what came while a row was taken."""
        codes = self.env["payment.provider"]._bd_codes()
        ours = Domain("provider_id.code", "in", codes)
        due = Domain("gateway_next_ask_at", "<=", fields.Datetime.now())
        ids = self.search(ours & due, order="gateway_next_ask_at, id").ids
        events = self.env["isp.gateway.event"].search([("is_open", "=", True)], order="id")
        waiting = events.transaction_id.filtered_domain(ours).ids
        return list(dict.fromkeys(ids + waiting))

    def _bd_is_due(self):
        now = fields.Datetime.now()
        due = self.gateway_next_ask_at and self.gateway_next_ask_at <= now
        return due or bool(self._bd_open_messages())

    def _bd_open_messages(self):
        return self.gateway_event_ids.filtered("is_open").sorted("id")

    def _bd_reconcile_one(self):
        """Ask about one payment; whatever happens, the others are asked about too.

        :return: an outcome of ``isp.gateway.event``, ``""`` if there was nothing to ask any more
        """
        try:
            if not self.exists() or not self._bd_is_due():
                return ""
            if self._bd_waits_to_be_sent():
                return self._bd_send_now()
            outcome = self._bd_ask_by_job()
            self.env.flush_all()  # a conflict shows here, where it is caught
            return outcome
        except psycopg2.OperationalError:
            # Another worker had it; it is still due and comes again.
            self.env.cr.rollback()
            return "busy"
        except Exception:
            self.env.cr.rollback()
            _logger.exception("Asking about payment %s failed", self.id)
            self._bd_put_off()
            return "failed"

    def _bd_ask_by_job(self):
        """Ask, with the first claim that came while the row was taken as if it came now.

        So a customer whom bKash sent back at the wrong moment pays without a reload.
        """
        messages = self._bd_open_messages()
        handled = self.env["isp.gateway.event"]._handled
        news = messages.filtered(lambda event: not handled(self, event.hint_digest))
        claim = news[:1]
        if self.state == "done" and not news:
            outcome = self.gateway_status  # the same claim was answered meanwhile
        else:
            # sudo: only the job reads what was claimed.
            outcome = self._bd_settle("job", hint=claim.sudo().hint or None, again=bool(news))
        if outcome != "busy":
            answered = messages.filtered(lambda event: event.hint_digest == claim.hint_digest)
            (messages - news + answered)._close()
        return outcome

    def _bd_send_now(self):
        if self._bd_mark_sent():
            self.env["ir.cron"]._commit_progress()
            self._bd_send()
        return "sent"

    def _bd_put_off(self):
        """Let a payment that breaks the job wait, and tell somebody."""
        self.gateway_next_ask_at = fields.Datetime.add(fields.Datetime.now(), minutes=_SLOW_MINUTES)
        self._bd_for_staff()._bd_alert(
            self.env._("Asking the gateway about a payment breaks"),
            self.env._("The server's log has the reason. The job tries again in some hours."),
        )

    @api.model
    def _bd_leave_alone(self, provider):
        """Put off all that is due at a gateway that does not answer, in one go."""
        now = fields.Datetime.now()
        due = self.search(
            [("provider_id", "=", provider.id), ("gateway_next_ask_at", "<=", now)]
        ).try_lock_for_update(allow_referencing=True)
        due.gateway_next_ask_at = fields.Datetime.add(now, minutes=_DELAY_MINUTES[0])
        _logger.warning(
            "%s does not answer: %s payments are asked about later", provider.code, len(due)
        )
