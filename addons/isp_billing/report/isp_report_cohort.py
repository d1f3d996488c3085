from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .facts import LEFT_OUT, MONTHS_BACK


class IspReportCohort(models.Model):
    """Of those who joined in a month, how many are still there so many months later.

    Worked out as it is read: joining and leaving are dates of the subscription. Plans by which too few
    joined in a month are told together, as no plan; with the next smallest, if these are too few as
    well. Months in which too few joined are left out, as are people who are not analysed.
    """

    _name = "isp.report.cohort"
    _description = "Churn by joining month"
    _order = "joined_month desc, months_since, plan_id, id"
    _rec_name = "joined_month"
    _auto = False
    _depends = {
        "isp.subscription": [
            "commercial_partner_id",
            "company_id",
            "date_end",
            "date_start",
            "partner_id",
            "plan_id",
            "state",
        ],
        "isp.plan": ["categ_id"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    plan_id = fields.Many2one(
        "isp.plan", readonly=True, help="Empty for plans by which few joined, all together."
    )
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
            _QUERY,
            companies=SQL(", ").join(
                SQL(
                    "(%s::int, %s::date, %s::int)",
                    company.id,
                    company._get_isp_today(),
                    company.isp_report_min_group,
                )
                for company in companies
            ),
            left_out=SQL(LEFT_OUT, people=self.env["isp.report.refresh"]._get_left_out()),
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


_QUERY = """
WITH now (company_id, today, min_people) AS (VALUES %(companies)s), left_out AS (%(left_out)s),
member AS (
    SELECT sub.company_id, sub.plan_id, date_trunc('month', sub.date_start::timestamp) AS joined_month,
           date_trunc('month', sub.date_end::timestamp) AS left_month,
           row_number() OVER (
                PARTITION BY sub.company_id, date_trunc('month', sub.date_start::timestamp),
                             sub.commercial_partner_id ORDER BY sub.id) = 1 AS is_first
      FROM isp_subscription sub
      LEFT JOIN left_out ON left_out.subscription_id = sub.id
     WHERE sub.state <> 'draft' AND sub.date_start IS NOT NULL AND left_out.subscription_id IS NULL
), cell AS (
    SELECT company_id, plan_id, joined_month, left_month, count(*) AS members,
           count(*) FILTER (WHERE is_first) AS people
      FROM member GROUP BY 1, 2, 3, 4
), summed AS (
    SELECT company_id, joined_month, plan_id, min_people, sum(people) AS people,
           row_number() OVER in_order AS place, sum(sum(people)) OVER in_order AS sum_people,
           sum((sum(people) < min_people)::int) OVER (PARTITION BY company_id, joined_month) AS smalls
      FROM cell JOIN now USING (company_id)
     GROUP BY company_id, joined_month, plan_id, min_people
    WINDOW in_order AS (
            PARTITION BY company_id, joined_month ORDER BY sum(people), plan_id
            ROWS UNBOUNDED PRECEDING)
), told AS (
    SELECT *, CASE WHEN smalls = 0 OR place > min(place) FILTER (
                        WHERE place >= smalls AND sum_people >= min_people
                   ) OVER (PARTITION BY company_id, joined_month) THEN plan_id END AS told_plan_id
      FROM summed
), cohort AS (
    SELECT cell.company_id, told.told_plan_id AS plan_id, cell.joined_month, cell.left_month,
           sum(cell.members) AS members
      FROM cell
      JOIN told USING (company_id, joined_month, plan_id)
      JOIN (SELECT company_id, joined_month, told_plan_id, sum(people) AS people
              FROM told GROUP BY 1, 2, 3) size
        ON size.company_id = told.company_id AND size.joined_month = told.joined_month
       AND size.told_plan_id IS NOT DISTINCT FROM told.told_plan_id
       AND size.people >= told.min_people
     GROUP BY 1, 2, 3, 4
)
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
  FROM cohort joined
  JOIN now USING (company_id)
  LEFT JOIN isp_plan plan ON plan.id = joined.plan_id
 CROSS JOIN LATERAL generate_series(
            GREATEST(joined.joined_month, date_trunc('month', now.today::timestamp)
                     - %(back)s * interval '1 month'),
            date_trunc('month', now.today::timestamp), interval '1 month'
       ) AS point (month)
 GROUP BY joined.company_id, joined.plan_id, plan.categ_id, joined.joined_month, point.month
"""
