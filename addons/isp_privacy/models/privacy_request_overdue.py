import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..engine import clock
from ..engine.request_states import TERMINAL
from .privacy_request import AUDITOR

_logger = logging.getLogger(__name__)

# A hold beats the promise, and while proof is awaited nobody knows whose data it is.
_EXCUSED = TERMINAL | {"on_hold", "identity_pending"}


class PrivacyRequest(models.Model):
    """The alarm of an erasure that is not over when the policy has promised it."""

    _inherit = "privacy.request"

    erasure_alarm_at = fields.Datetime(
        "Alarm: overdue erasure",
        readonly=True,
        copy=False,
        groups=AUDITOR,
        help="When the officers were told that the erasure is not over in time.",
    )

    # === BUSINESS METHODS === #

    def _get_erasure_start(self):
        """Return the day from which the days to erase are counted, as promised to this person."""
        self.ensure_one()
        start = self.date_received
        counted_from = self.terms["erase_deadline_from"]
        if counted_from == "window_end":
            start = self.recover_until or self._get_recovery_end()
        elif counted_from == "closure":
            # sudo: asked by the job and in the mail to officers. The logins end with the restriction.
            start = self.sudo().partner_id.privacy_restricted_on or start
        return self.company_id._get_privacy_day(start)

    def _get_erasure_deadline(self):
        """Return the last day on which the erasure keeps the promise."""
        return self._get_erasure_start() + timedelta(days=self.terms["erase_deadline_days"])

    def _get_erasure_alarm(self):
        """Return the moment from which the erasure is called overdue."""
        return clock.alarm_moment(
            self._get_erasure_start(),
            self.terms["erase_deadline_days"],
            self.terms["grace_hours"],
            self.company_id._get_privacy_zone(),
        )

    def _alarm_erasure(self):
        """Tell every officer, by an activity and by mail, and write down that it was done."""
        self.ensure_one()
        deadline = self._get_erasure_deadline()
        officers = self.env["res.users"]._privacy_officers(self.company_id)
        summary = self.env._("Overdue: it had to be erased by %s", deadline)
        for officer in officers:
            self.activity_schedule(
                "isp_privacy.mail_activity_type_clock",
                date_deadline=deadline,
                summary=summary,
                user_id=officer.id,
            )
        template = self.env.ref("isp_privacy.mail_template_erasure_overdue")
        for officer in officers.filtered("email"):
            template.with_context(lang=officer.lang).send_mail(
                self.id,
                email_values={"email_to": officer.email_formatted},
                email_layout_xmlid="mail.mail_notification_light",
            )
        if officers:  # without an officer it is tried again
            self._write_step({"erasure_alarm_at": fields.Datetime.now()})
            self._log_event("alarm", summary)

    # === CRON === #

    @api.model
    def _cron_alarm_erasures(self):
        """Tell the officers, once for each erasure, that it is overdue."""
        domain = Domain("request_type", "=", "erasure") & Domain("erasure_alarm_at", "=", False)
        domain &= Domain("state", "not in", list(_EXCUSED))
        cron = self.env["ir.cron"]
        now = fields.Datetime.now()
        due = self.search(domain).filtered(lambda request: request._get_erasure_alarm() <= now)
        cron._commit_progress(remaining=len(due))
        for request in due:
            # One that somebody works on right now is looked at in the next run.
            locked = request.try_lock_for_update(allow_referencing=True).filtered_domain(domain)
            if locked:
                locked._alarm_or_explain()
            if not cron._commit_progress(1):
                return

    def _alarm_or_explain(self):
        try:
            with self.env.cr.savepoint():
                self._alarm_erasure()
        except psycopg2.OperationalError:
            raise  # somebody else changed it meanwhile: the whole run is tried again
        except Exception as error:  # border of a batch: logged, and shown on the request
            _logger.exception("No alarm could be given for privacy request %s", self.name)
            problem = str(error) if isinstance(error, UserError) else type(error).__name__
            self._write_step({"problem": problem})
