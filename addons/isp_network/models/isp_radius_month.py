import logging
import time

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

_TRIES = 40
_PAUSE_S = 0.2


class IspRadiusMonth(models.Model):
    """A month of what the network reported, as it is stored, and the day it is deleted.

    All companies of the database share the months, so the longest of their rules counts.
    """

    _name = "isp.radius.month"
    _description = "Stored month of the network's records"
    _auto = False
    _order = "month desc, kind"
    _rec_name = "month"

    kind = fields.Selection(
        [("radacct", "Sessions"), ("radpostauth", "Login attempts"), ("usage_day", "Usage")],
        "Records",
        readonly=True,
    )
    month = fields.Date(readonly=True)
    part = fields.Char("Table", readonly=True)
    row_estimate = fields.Integer("Rows, about", readonly=True)
    size_mb = fields.Float("Size (MB)", digits=(16, 1), readonly=True)
    drop_date = fields.Date(
        "Deleted from",
        compute="_compute_drop_date",
        help="From this day on the whole month is deleted.",
    )
    is_due = fields.Boolean("Deleted next", compute="_compute_drop_date")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT to_char(month, 'YYYYMM')::int * 10 + array_position(
                    ARRAY['radacct', 'radpostauth', 'usage_day'], kind) AS id,
                kind, month, part, row_estimate, bytes / 1000000.0 AS size_mb
            FROM radius.stored_months()
            """
        )

    # === COMPUTE METHODS === #

    def _compute_drop_date(self):
        rules = self._get_rules()
        today = fields.Date.context_today(self)
        is_promised = self._has_policy()
        for record in self:
            if is_promised:
                record.drop_date = record._get_promised_date()
            else:
                # The last day of the month, and then as long as the rule says.
                months = rules[record.kind] + 1
                record.drop_date = fields.Date.add(record.month, months=months)
            record.is_due = record.drop_date <= today

    # === BUSINESS METHODS === #

    @api.model
    def _get_rules(self):
        """{kind: months}: the longest rule of any company, and never less than its law."""
        companies = self.env["isp.radius"]._get_companies()
        logs = max(max(c.isp_log_months, c._get_isp_least_log_months()) for c in companies)
        usage = max(companies.mapped("isp_usage_months"))
        return {"radacct": logs, "radpostauth": logs, "usage_day": usage}

    @api.model
    def _has_policy(self):
        """Whether a privacy policy says how long records are kept, and its own job deletes them.

        Asked by name, so that this addon needs not know the one that keeps policies.
        """
        return hasattr(self.env["res.company"], "_privacy_time")

    def _get_promised_date(self):
        """Return the first day without the month, as the policies of all companies have it.

        The month goes when its first day has had its time, but not while a law asks for the last.
        """
        self.ensure_one()
        last = fields.Date.end_of(self.month, "month")
        companies = self.env["isp.radius"]._get_companies()
        promised = min(company._privacy_time("network", self.month)[1] for company in companies)
        asked = max(company._privacy_time("network", last)[0] for company in companies)
        return fields.Date.add(max(promised, asked), days=1)

    @api.model
    def _cron_drop(self):
        """Delete the months whose time is over, unless a policy's own job does."""
        if not self._has_policy():
            due = self.search([("month", "!=", False)]).filtered("is_due").sorted("month")
            self._drop_parts(due.mapped("part"))

    @api.model
    def _drop_between(self, kind, free, due):
        """Delete the months that begin on the day ``due`` or before and that no law asks for.

        Months end in UTC and days in the zone of a company: the day after must be free too.

        :param free: the newest day that is free
        :return: about how many rows went
        """
        months = self.search([("kind", "=", kind), ("month", "<=", due)], order="month")
        over = fields.Date.subtract(free, days=1)
        months = months.filtered(lambda month: fields.Date.end_of(month.month, "month") <= over)
        counts = dict(zip(months.mapped("part"), months.mapped("row_estimate"), strict=True))
        return sum(counts[part] for part in self._drop_parts(list(counts)))

    @api.model
    def _drop_parts(self, parts):
        """Delete months.

        A month is taken out and dropped in two transactions, so that accounting waits for the
        first one only, and for milliseconds.

        :return: those that were deleted
        """
        dropped = []
        cron = self.env["ir.cron"]
        for number, part in enumerate(parts, 1):
            if not self._detach(part, cron):
                _logger.warning("RADIUS: %s is in use; it is deleted the next time", part)
                continue
            self.env.cr.execute(SQL("SELECT radius.drop_month(%s)", part))
            _logger.info("RADIUS: month %s deleted, its time is over", part)
            dropped.append(part)
            cron._commit_progress(1, remaining=len(parts) - number)
        return dropped

    @api.model
    def _detach(self, part, cron):
        """Take a month out between two packets.

        :return: whether it could be done
        """
        for _attempt in range(_TRIES):
            try:
                with self.env.cr.savepoint():
                    self.env.cr.execute(SQL("SELECT radius.detach_month(%s)", part))
            except psycopg2.errors.LockNotAvailable:
                # A report reads the table. Nothing may be held while waiting for it.
                cron._commit_progress()
                time.sleep(_PAUSE_S)
            else:
                cron._commit_progress()
                return True
        return False
