from datetime import date, timedelta

from odoo import fields, models
from odoo.tools import SQL

# A record's id is its subscription and its day, so that no number need be stored.
_EPOCH = date(2000, 1, 1)
_DAYS = 65536


class IspUsageDay(models.Model):
    """What a subscription used on one day of its company's calendar.

    Input is what the customer uploads, output what he downloads. The rows are written by
    ``radius.roll_up_usage`` and by nobody else.
    """

    _name = "isp.usage.day"
    _description = "Usage per day"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {"isp.subscription": ["partner_id", "plan_id"]}

    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True)
    plan_id = fields.Many2one("isp.plan", "Plan", readonly=True, help="The present one.")
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Date(readonly=True)
    upload_mb = fields.Float("Uploaded (MB)", digits=(16, 1), readonly=True)
    download_mb = fields.Float("Downloaded (MB)", digits=(16, 1), readonly=True)
    total_mb = fields.Float("Total (MB)", digits=(16, 1), readonly=True)
    hours = fields.Float("Online (hours)", digits=(16, 1), readonly=True)

    @property
    def _table_query(self):
        # Division of floats, not of numerics: a month has millions of rows. PostgreSQL leaves the
        # join out where nothing of it is asked for.
        return SQL(
            """
            SELECT u.subscription_id::bigint * %(days)s + (u.day - %(epoch)s::date) AS id,
                u.subscription_id, s.partner_id, s.plan_id, u.company_id, u.day AS date,
                u.upload_bytes::float8 / 1e6 AS upload_mb,
                u.download_bytes::float8 / 1e6 AS download_mb,
                (u.upload_bytes + u.download_bytes)::float8 / 1e6 AS total_mb,
                u.session_seconds::float8 / 3600 AS hours
            FROM radius.usage_day u
            LEFT JOIN isp_subscription s ON s.id = u.subscription_id
            """,
            days=_DAYS,
            epoch=_EPOCH,
        )

    def _as_query(self, ordered=True):
        """Let the database find records by its index: no index holds the composed id."""
        query = super()._as_query(ordered)
        if self._ids:
            pairs = [divmod(record_id, _DAYS) for record_id in self._ids]
            query.add_where(
                SQL(
                    "%s = ANY(%s) AND %s = ANY(%s)",
                    SQL.identifier(self._table, "subscription_id"),
                    sorted({subscription_id for subscription_id, _days in pairs}),
                    SQL.identifier(self._table, "date"),
                    sorted({_EPOCH + timedelta(days=days) for _subscription, days in pairs}),
                )
            )
        return query
