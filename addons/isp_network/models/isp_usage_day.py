from datetime import date, timedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# A record's id is its subscription and its day, so that no number need be stored.
_EPOCH = date(2000, 1, 1)
_DAYS = 65536
_MEASURES = ("upload_mb", "download_mb", "total_mb", "hours", "row_count")
# Passed in the context by the method below; a context that arrives by RPC cannot hold it.
_SUMS = object()


def _counted(aggregates):
    return ["row_count:sum" if name == "__count" else name for name in aggregates]


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
    _depends = {"isp.subscription": ["partner_id"]}

    _privacy_subject = "partner_id"
    _privacy_defaults = {
        "category": "usage",
        "purpose": "service",
        "retention": "network",
        "erasure": "delete",
    }
    _privacy_fields = {"partner_id": "subject"}
    _privacy_facts = "date upload_mb download_mb total_mb hours"
    _privacy_retention = {"anchor": "date"}

    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True)
    plan_id = fields.Many2one("isp.plan", readonly=True, help="Of that day.")
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Date(readonly=True)
    upload_mb = fields.Float("Uploaded (MB)", digits=(16, 1), readonly=True)
    download_mb = fields.Float("Downloaded (MB)", digits=(16, 1), readonly=True)
    total_mb = fields.Float("Total (MB)", digits=(16, 1), readonly=True)
    row_count = fields.Integer("Days", readonly=True)
    hours = fields.Float("Online (hours)", digits=(16, 1), readonly=True)

    @property
    def _table_query(self):
        if self.env.context.get("isp_usage_sums") is _SUMS:
            return SQL(
                """
                SELECT NULL::bigint AS id, NULL::int AS subscription_id, NULL::int AS partner_id,
                    plan_id, company_id, day AS date, row_count,
                    upload_bytes::float8 / 1e6 AS upload_mb,
                    download_bytes::float8 / 1e6 AS download_mb,
                    (upload_bytes + download_bytes)::float8 / 1e6 AS total_mb,
                    session_seconds::float8 / 3600 AS hours
                FROM radius.usage_total
                """
            )
        # Division of floats, not of numerics: a month has millions of rows. PostgreSQL leaves the
        # join out where nothing of it is asked for.
        return SQL(
            """
            SELECT u.subscription_id::bigint * %(days)s + (u.day - %(epoch)s::date) AS id,
                u.subscription_id, s.partner_id, u.plan_id, u.company_id, u.day AS date,
                1 AS row_count,
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

    def _read_group(
        self, domain, groupby=(), aggregates=(), having=(), offset=0, limit=None, order=None
    ):
        """Answer from the sums where they know all that is asked for."""
        if having or not self._sums_know(domain, groupby, aggregates, order):
            return super()._read_group(domain, groupby, aggregates, having, offset, limit, order)
        rows = super(IspUsageDay, self._with_sums())._read_group(
            domain, groupby, _counted(aggregates), having, offset, limit, order
        )
        return self._from_sums(rows, [*groupby, *aggregates])

    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), order=None):
        """As :meth:`_read_group`, for pivots."""
        groupby = [name for names in grouping_sets for name in names]
        if not self._sums_know(domain, groupby, aggregates, order):
            return super()._read_grouping_sets(domain, grouping_sets, aggregates, order)
        results = super(IspUsageDay, self._with_sums())._read_grouping_sets(
            domain, grouping_sets, _counted(aggregates), order
        )
        return [
            self._from_sums(rows, [*names, *aggregates])
            for names, rows in zip(grouping_sets, results, strict=True)
        ]

    # === HELPERS === #

    def _with_sums(self):
        return self.with_context(isp_usage_sums=_SUMS)

    def _from_sums(self, rows, names):
        """Rows as if they came from the days: a count of nothing is 0, records are ours."""

        def convert(value, name):
            if isinstance(value, models.BaseModel):
                return value.with_env(self.env)
            return value or 0 if name == "__count" else value

        return [
            tuple(convert(value, name) for value, name in zip(row, names, strict=True))
            for row in rows
        ]

    def _sums_know(self, domain, groupby, aggregates, order):
        names = {name.partition(":")[0].partition(".")[0] for name in groupby}
        names |= {
            condition.field_expr.partition(".")[0] for condition in Domain(domain).iter_conditions()
        }
        measures = {name for name in aggregates if name != "__count"}
        return (
            names <= {"date", "plan_id", "company_id"}
            and measures <= {f"{name}:sum" for name in _MEASURES}
            and "count" not in (order or "")
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

    # === BUSINESS METHODS - RETENTION === #

    def _privacy_delete(self):
        """Delete the rows themselves; the sums of a day name nobody."""
        self.env.execute_query(
            SQL(
                """
                DELETE FROM radius.usage_day u USING unnest(%s::bigint[]) AS k(id)
                WHERE u.subscription_id = k.id / %s AND u.day = %s::date + (k.id %% %s)::int
                RETURNING 1
                """,
                self.ids,
                _DAYS,
                _EPOCH,
                _DAYS,
            )
        )
        self.invalidate_model()

    def _privacy_drop(self, free, due):
        """Drop whole months; see :meth:`isp.radius.month._drop_between`."""
        return self.env["isp.radius.month"]._drop_between("usage_day", free, due)
