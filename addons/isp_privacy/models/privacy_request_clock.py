import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_datetime

from ..engine import clock
from ..engine.request_states import TERMINAL
from .privacy_request import WAITING_STATES

_logger = logging.getLogger(__name__)

PROOF_BATCH = 1000


class PrivacyRequest(models.Model):
    """When a request is due, who is warned, and what happens when time is over."""

    _inherit = "privacy.request"

    # === COMPUTE METHODS === #

    @api.depends("date_due", "state", "date_received", "extended_on", "closed_on")
    def _compute_clock(self):
        for request in self:
            if not request.terms:  # on a form that is not saved yet
                request.update({"is_overdue": False, "percent_used": 0})
                continue
            end = request.closed_on or fields.Datetime.now()
            day = request.company_id._get_privacy_day(end)
            runs = request.state not in TERMINAL | WAITING_STATES
            request.is_overdue = runs and clock.is_overdue(request.date_due, day)
            request.percent_used = request._get_percent(day)

    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        overdue = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("date_due", "<", company._get_privacy_today())
            for company in self.env["res.company"].sudo().search([])
        )
        return overdue & Domain("state", "not in", list(TERMINAL | WAITING_STATES))

    # === BUSINESS METHODS - THE CLOCK === #

    @api.model
    def _get_engine_terms(self, terms):
        return clock.Terms(terms["answer_days"], terms["answer_months"], terms["extension_months"])

    @api.model
    def _get_due_of_terms(self, terms, received):
        """The day on which a request that was received on the day ``received`` is due."""
        return clock.due_date(received, self._get_engine_terms(terms))

    def _get_clock(self, today):
        """Return what the engine needs to know of the request, as arguments."""
        return {
            "received": self.company_id._get_privacy_day(self.date_received),
            "terms": self._get_engine_terms(self.terms),
            "paused": clock.paused_days(self._get_pauses(), today),
        }

    def _get_pauses(self):
        """Days from and to which proof of identity was awaited, as the history tells."""
        pauses, start = [], None
        to_day = self.company_id._get_privacy_day
        # sudo: the history is internal, what follows from it is shown to the customer.
        moves = self.sudo().event_ids.filtered(lambda e: e.event_type == "move")
        for event in moves.sorted(lambda e: (e.date, e.id)):
            if event.to_state == "identity_pending":
                start = to_day(event.date)
            elif event.from_state == "identity_pending" and start:
                pauses.append((start, to_day(event.date)))
                start = None
        return pauses + ([(start, None)] if start else [])

    def _get_percent(self, today):
        return clock.percent_used(
            today=today, extended=bool(self.extended_on), **self._get_clock(today)
        )

    def _update_due(self):
        """Write the due date anew; while proof is awaited it moves with each day."""
        today = self.company_id._get_privacy_today()
        due = clock.due_date(extended=bool(self.extended_on), **self._get_clock(today))
        if due != self.date_due:
            self._write_step({"date_due": due})

    def _extend(self, reason):
        """Put the answer off, once, and tell the person before the request is due.

        :raises UserError: when it was extended before, or it is too late
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        reason = (reason or "").strip()
        today = self.company_id._get_privacy_today()
        if not reason:
            raise UserError(self.env._("Write down why the answer takes longer."))
        if self.state in TERMINAL | {"recovery"}:
            raise UserError(self.env._("Nothing is left to answer, so there is nothing to extend."))
        if self.extended_on:
            raise UserError(self.env._("The time was extended before. That is possible only once."))
        if not clock.may_extend(today=today, **self._get_clock(today)):
            raise UserError(
                self.env._("It is too late to extend: the person must be told before the due date.")
            )
        self._write_step({"extended_on": today, "extension_reason": reason})
        self._update_due()
        # The warnings start again, with what the longer time leaves of them.
        self._write_step({"warned_percent": clock.warning_level(self._get_percent(today))})
        self._unlink_activities("clock")
        self._log_event("extend", reason)
        self._send_letter("extended")

    # === CRON === #

    @api.model
    def _cron_watch(self, batch_size=200):
        """Look at each open request once a day: due date, warnings, proof not given in time."""
        domain = self._get_watch_domain()
        cron = self.env["ir.cron"]
        due = self.search(domain, limit=batch_size)
        cron._commit_progress(remaining=self.search_count(domain))
        for request in due:
            # One that somebody works on right now is looked at in the next run.
            locked = request.try_lock_for_update(allow_referencing=True).filtered_domain(domain)
            if locked:
                locked._watch_or_explain()
            if not cron._commit_progress(1):
                return

    @api.model
    def _get_watch_domain(self):
        """Domain of open requests that were not looked at on the present day of their company."""
        unseen = Domain.OR(
            Domain("company_id", "=", company.id)
            & (
                Domain("checked_on", "=", False)
                | Domain("checked_on", "<", company._get_privacy_today())
            )
            for company in self.env["res.company"].search([])
        )
        return unseen & Domain("state", "not in", list(TERMINAL))

    def _watch_or_explain(self):
        """Look after the request; what goes wrong is noted on it and holds up no other."""
        problem = False
        try:
            with self.env.cr.savepoint():
                self._watch()
        except psycopg2.OperationalError:
            raise  # somebody else changed it meanwhile: the whole run is tried again
        except Exception as error:  # border of a batch: logged, and shown on the request
            _logger.exception("Privacy request %s could not be looked after", self.name)
            problem = str(error) if isinstance(error, UserError) else type(error).__name__
        today = self.company_id._get_privacy_today()
        self._write_step({"checked_on": today, "problem": problem})

    def _watch(self):
        self.ensure_one()
        today = self.company_id._get_privacy_today()
        self._update_due()
        if self.state == "identity_pending":
            asked = self.company_id._get_privacy_day(self.identity_asked_on)
            if clock.is_unanswered(asked, self.terms["identity_timeout_days"], today):
                self._close_unverified()
        elif self.state not in WAITING_STATES:
            self._warn(today)

    def _warn(self, today):
        """Tell the officers when another part of the time is gone; only the highest one counts."""
        level = clock.warning_level(self._get_percent(today))
        if level <= self.warned_percent:
            return
        self._write_step({"warned_percent": level})
        self._schedule_activities(
            self.env._(
                "%(percent)s %% of the time to answer is gone, due on %(day)s",
                percent=level,
                day=self.date_due,
            ),
            self.date_due,
            kind="clock",
        )

    @api.model
    def _cron_end_recovery(self, batch_size=50):
        """Carry out the erasures that can no longer be called off."""
        domain = Domain("state", "=", "recovery")
        domain &= Domain("recover_until", "<=", fields.Datetime.now())
        cron = self.env["ir.cron"]
        due = self.search(domain, limit=batch_size, order="recover_until, id")
        cron._commit_progress(remaining=self.search_count(domain))
        for request in due:
            locked = request.try_lock_for_update(allow_referencing=True).filtered_domain(domain)
            if locked:
                locked._end_recovery_or_explain()
            if not cron._commit_progress(1):
                return

    def _end_recovery_or_explain(self):
        try:
            with self.env.cr.savepoint():
                self._begin_execution(self.env._("It can no longer be called off"))
        except psycopg2.OperationalError:
            raise  # somebody else changed it meanwhile: the whole run is tried again
        except Exception as error:  # border of a batch: logged, and shown on the request
            _logger.exception("Privacy request %s could not be carried out", self.name)
            self._move_to("executing", self.env._("It can no longer be called off"))
            self._fail(type(error).__name__)

    @api.autovacuum
    def _gc_proofs(self):
        """Delete proofs of identity some days after their request was closed."""
        domain = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("proofs_delete_on", "<=", company._get_privacy_today())
            for company in self.env["res.company"].search([])
        )
        done = self.search(domain & Domain("proof_ids", "!=", False), limit=PROOF_BATCH)
        for request in done:
            request.proof_ids.unlink()
            request._log_event("proof", self.env._("Proofs of identity deleted"))
        return len(done), len(done) == PROOF_BATCH

    # === HELPERS === #

    def _format_moment(self, moment):
        """``moment`` in words, on the calendar of the company."""
        zone = self.company_id._get_privacy_zone()
        return format_datetime(self.env, moment, tz=zone, dt_format="d MMMM yyyy, HH:mm")
