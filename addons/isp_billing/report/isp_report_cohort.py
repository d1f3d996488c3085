from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .facts import MONTHS_BACK


class IspReportCohort(models.Model):
    """Of those who joined in a month, how many are still there so many months later.

    Worked out as it is read: joining and leaving are dates of the subscription.
    """

    _name = "isp.report.cohort"
    _description = "Churn by joining month"
    _order = "joined_month desc, months_since, plan_id, id"
    _rec_name = "joined_month"
    _auto = False
    _depends = {
        "isp.subscription": ["company_id", "plan_id", "date_start", "date_end", "state"],
        "isp.plan": ["categ_id"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    plan_id = fields.Many2one("isp.plan", readonly=True)
    categ_id = fields.Many2one("product.category", "Plan family", readonly=True)
    joined_month = fields.Date("Joined in", readonly=True)
    month = fields.Date(readonly=True)
    months_since = fields.Integer(
        "Months since", readonly=True, aggregator=None, help="0 for the month of joining itself."
    )
    cohort_count = fields.Integer("Joined", readonly=True)
    retained_count = fields.Integer(
        "Still there", readonly=True, help="In service on the last day of the month."
    )
    retention_rate = fields.Float(
        "Share still there",
        readonly=True,
        aggregator="avg",
        help="Of those who joined in the month, the share in service so many months later.",
    )

    @property
    def _table_query(self):
        companies = self.env["res.company"].sudo().search(Domain.TRUE)
        return SQL(
            """
            SELECT row_number() OVER () AS id, joined.company_id, joined.plan_id, plan.categ_id,
                   joined.joined_month::date AS joined_month, point.month::date AS month,
                   ((extract(year FROM point.month) - extract(year FROM joined.joined_month)) * 12
                    + extract(month FROM point.month) - extract(month FROM joined.joined_month)
                   )::int AS months_since,
                   sum(joined.members)::int AS cohort_count,
                   sum(CASE WHEN joined.left_month <= point.month THEN 0 ELSE joined.members END)::int
                        AS retained_count,
                   sum(CASE WHEN joined.left_month <= point.month THEN 0 ELSE joined.members END)
                        / sum(joined.members) AS retention_rate
              FROM (
                SELECT company_id, plan_id, date_trunc('month', date_start::timestamp) AS joined_month,
                       date_trunc('month', date_end::timestamp) AS left_month, count(*) AS members
                  FROM isp_subscription
                 WHERE state <> 'draft' AND date_start IS NOT NULL
                 GROUP BY 1, 2, 3, 4
              ) joined
              JOIN (VALUES %(today)s) AS now (company_id, today) USING (company_id)
              JOIN isp_plan plan ON plan.id = joined.plan_id
             CROSS JOIN LATERAL generate_series(
                        GREATEST(joined.joined_month, date_trunc('month', now.today::timestamp)
                                 - %(back)s * interval '1 month'),
                        date_trunc('month', now.today::timestamp), interval '1 month'
                   ) AS point (month)
             GROUP BY joined.company_id, joined.plan_id, plan.categ_id, joined.joined_month,
                      point.month
            """,
            today=SQL(", ").join(
                SQL("(%s::int, %s::date)", company.id, company._get_isp_today())
                for company in companies
            ),
            back=MONTHS_BACK,
        )

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec == "retention_rate:avg":
            return SQL(
                "SUM(%s)::numeric / NULLIF(SUM(%s), 0)",
                self._field_to_sql(self._table, "retained_count", query),
                self._field_to_sql(self._table, "cohort_count", query),
            )
        return super()._read_group_select(aggregate_spec, query)
