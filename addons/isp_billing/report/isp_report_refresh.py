import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, format_date, format_time

from .facts import Facts

_logger = logging.getLogger(__name__)

# One refresh at a time: key of PostgreSQL's advisory lock.
_LOCK = 0x15B0_FAC7
# So many changed subscriptions are worked out while a person waits for a report to open.
AT_ONCE = 2000
# Looking for changes reads all journal entries: no more than so many before a report opens.
QUICK_MOVES = 200_000
# A transaction may be seen a moment after the one that asks which are running.
MARGIN = timedelta(minutes=5)
KEPT = timedelta(days=7)


class IspReportRefresh(models.Model):
    """When the reports were worked out from the books.

    A refresh takes the subscriptions that changed since the one before; one a day takes them all,
    which also brings in what time alone changes.
    """

    _name = "isp.report.refresh"
    _description = "Refresh of the reports"
    _order = "id desc"
    _rec_name = "date"
    _log_access = False

    date = fields.Datetime("As of", required=True, readonly=True)
    since = fields.Datetime(
        required=True,
        readonly=True,
        help="What was written before this moment has been taken in; the next refresh begins here.",
    )
    day = fields.Date(readonly=True, help="The last day on which every subscription was taken.")
    is_full = fields.Boolean("Everybody", readonly=True)
    subscription_count = fields.Integer("Subscriptions", readonly=True)
    row_count = fields.Integer("Rows changed", readonly=True)
    seconds = fields.Float(readonly=True)

    # === ACTION METHODS === #

    def action_refresh(self):
        """Bring the reports up to date now."""
        return self._action_refresh()

    @api.model
    def action_open(self, action_id):
        """Open a report on figures that are as new as a person wants to wait for.

        :param action_id: external id of the window action
        """
        self._check_reader()
        # sudo: readers of reports need not be able to write what they read.
        refresh_sudo = self.sudo()
        if not (refresh_sudo._is_quick() and refresh_sudo._refresh(at_most=AT_ONCE)):
            refresh_sudo._get_cron()._trigger()
        action = self.env["ir.actions.act_window"]._for_xml_id(action_id)
        if date := self._get_last().date:
            moment = fields.Datetime.context_timestamp(self, date)
            action["display_name"] = self.env._(
                "%(report)s at %(moment)s",
                report=action["name"],
                moment=self._format_moment(moment),
            )
        return action

    @api.model
    def _format_moment(self, moment):
        """The time of today, the day of any other."""
        today = fields.Datetime.context_timestamp(self, fields.Datetime.now()).date()
        if moment.date() == today:
            return format_time(self.env, moment.time(), time_format="short")
        return format_date(self.env, moment.date())

    @api.model
    def _action_refresh(self):
        self._check_reader()
        # sudo: readers of reports need not be able to write what they read.
        self.sudo()._get_cron()._trigger()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "The reports are being brought up to date in the background."
                ),
            },
        }

    @api.model
    def _check_reader(self):
        if not self.env["isp.report.fact"].has_access("read"):
            raise AccessError(self.env._("Reports are for accountants and managers."))

    # === CRON METHODS === #

    @api.model
    def _cron_refresh(self):
        self._refresh()

    @api.model
    def _get_cron(self):
        return self.env.ref("isp_billing.isp_report_cron_refresh")

    # === BUSINESS METHODS === #

    @api.model
    def _get_last(self):
        # sudo: everybody who may see a report may see how old it is.
        return self.sudo().search([], limit=1)

    @api.model
    def _refresh(self, full=False, at_most=None):
        """Work out what changed since the last refresh, everything when that was another day.

        :param at_most: leave it when more subscriptions than so many have changed
        :return: whether the facts are up to date
        """
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cr.fetchone()[0]:
            _logger.info("Reports are being refreshed already")
            return False
        since = self._get_horizon()
        started = fields.Datetime.now()
        today = self.env.company._get_isp_today()
        last = self._get_last()
        full = full or last.day != today
        ids = None if full else self._get_changed(last.since)
        count = len(ids) if ids is not None else self._count_subscriptions()
        if at_most is not None and count > at_most:
            return False
        rows = Facts(self.env, ids).refresh()
        cr.execute("DELETE FROM isp_report_mark")
        self.env.invalidate_all(flush=False)
        self.create(
            {
                "date": started,
                "since": since,
                "day": today,
                "is_full": full,
                "subscription_count": count,
                "row_count": rows,
                "seconds": (fields.Datetime.now() - started).total_seconds(),
            }
        )
        self.search([("date", "<", started - KEPT)]).unlink()
        return True

    @api.model
    def _get_left_out(self):
        """Return a query of people who are not analysed.

        Hook. Columns: ``partner_id`` and ``company_id``, which is empty where no company may. Books
        count these people like others; analyses put them in no group.
        """
        return SQL("SELECT NULL::int AS partner_id, NULL::int AS company_id WHERE FALSE")

    @api.model
    def _count_subscriptions(self):
        return self.env["isp.subscription"].with_context(active_test=False).search_count([])

    @api.model
    def _is_quick(self):
        """Whether finding what has changed takes no longer than a person notices."""
        self.env.cr.execute("SELECT reltuples FROM pg_class WHERE oid = 'account_move'::regclass")
        return self.env.cr.fetchone()[0] <= QUICK_MOVES

    @api.model
    def _get_horizon(self):
        """A moment before which no transaction that is still running has begun.

        What such a one writes carries the time of its beginning, and is not visible yet.
        """
        self.env.cr.execute(
            "SELECT least(now(), min(xact_start)) AT TIME ZONE 'UTC'"
            " FROM pg_stat_activity WHERE datname = current_database()"
        )
        return self.env.cr.fetchone()[0] - MARGIN

    @api.model
    def _get_changed(self, since):
        """Ids of the subscriptions whose facts may differ, with all services of their customers."""
        if not since:
            return None
        self.env.cr.execute(SQL(_CHANGED, since=since))
        return [subscription_id for (subscription_id,) in self.env.cr.fetchall()]


# A customer's other services count in whether somebody came back.
_CHANGED = """
WITH move AS (
    SELECT id, reversed_entry_id FROM account_move WHERE write_date >= %(since)s
     UNION
    SELECT move.id, move.reversed_entry_id
      FROM account_partial_reconcile part
      JOIN account_move_line item ON item.id IN (part.debit_move_id, part.credit_move_id)
      JOIN account_move move ON move.id = item.move_id
     WHERE part.write_date >= %(since)s
), changed AS (
    SELECT subscription_id AS id FROM isp_report_mark
     UNION
    SELECT id FROM isp_subscription WHERE write_date >= %(since)s
     UNION
    SELECT subscription_id FROM isp_charge WHERE write_date >= %(since)s
     UNION
    SELECT subscription_id FROM isp_subscription_event WHERE create_date >= %(since)s
     UNION
    SELECT subscription_id FROM isp_subscription_line WHERE write_date >= %(since)s
     UNION
    SELECT charge.subscription_id FROM isp_charge charge JOIN move ON charge.move_id = move.id
     UNION
    SELECT charge.subscription_id FROM isp_charge charge
      JOIN move ON charge.move_id = move.reversed_entry_id
     UNION
    SELECT sub.id FROM res_partner partner
      JOIN isp_subscription sub
        ON partner.id IN (sub.partner_id, sub.commercial_partner_id, sub.service_address_id)
     WHERE partner.write_date >= %(since)s
)
SELECT DISTINCT family.id
  FROM changed
  JOIN isp_subscription sub ON sub.id = changed.id
  JOIN isp_subscription family ON family.commercial_partner_id = sub.commercial_partner_id
"""
