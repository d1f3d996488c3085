"""Works the monthly facts out of the books, for all subscriptions or for some, by SQL.

Each step fills a temporary table from the ones before:

    isp_tmp_month    months of each company          isp_tmp_mrr      what recurs, by month
    isp_tmp_sub      the subscriptions, who, where   isp_tmp_money    bills and payments, by month
    isp_tmp_value    monthly value of charges        isp_tmp_fact     the rows to be stored

:mod:`facts_groups` adds them up. ``docs/reports.md`` defines every figure. Nothing here remembers: the same books give the same rows.
"""

from datetime import date

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

from . import facts_money, facts_recurring
from .facts_groups import Groups
from .isp_report_fact import DIMENSIONS, MEASURES

# The reports look back so far at most.
MONTHS_BACK = 60


class Facts:
    """One refresh of the facts.

    :param subscription_ids: whose facts, ``None`` for everybody's
    """

    def __init__(self, env, subscription_ids=None):
        self.env = env
        self.cr = env.cr
        self._ids = subscription_ids

    def refresh(self):
        """Store what has changed, and add up the months that it changed.

        :return: how many rows were written or deleted
        """
        groups = Groups(self.cr, self._make, self._get_companies())
        changed, rows = None, 0
        if self._ids is None or self._ids:
            self._months()
            self._subscriptions()
            for statement in (*facts_recurring.STATEMENTS, *facts_money.STATEMENTS):
                self._make(*statement)
            self._make("isp_tmp_fact", _FACTS, "subscription_id, month")
            groups.close()
            changed, rows = self._store()
        groups.add_up(changed)
        return rows

    def _make(self, table, query, key=""):
        """Fill a temporary table; the planner gets to know its size."""
        self.cr.execute(
            SQL(
                "DROP TABLE IF EXISTS %(table)s; CREATE TEMP TABLE %(table)s ON COMMIT DROP AS"
                " %(query)s; %(index)s ANALYZE %(table)s",
                table=SQL.identifier(table),
                query=query if isinstance(query, SQL) else SQL(query),
                index=SQL(f"CREATE INDEX ON {table} ({key});") if key else SQL(),
            )
        )

    def _months(self):
        """The months that each company has books for, and when their days end."""
        rows = []
        self.cr.execute(
            "SELECT company_id, min(date_from), max(date_to) FROM isp_charge GROUP BY company_id"
        )
        begins = {company: days for company, *days in self.cr.fetchall()}
        for company in self.env["res.company"].sudo().search([]):
            today = company._get_isp_today()
            begin, end = begins.get(company.id, (today, today))
            month = max(begin, today - relativedelta(months=MONTHS_BACK)).replace(day=1)
            while month <= max(end, today):
                following = month + relativedelta(months=1)
                day_end = company._get_isp_day_start(following)
                # What lies ahead is known of days that were billed, not of who will be there.
                is_past = month <= today
                rows.append((company.id, month, following - date.resolution, day_end, is_past))
                month = following
        values = SQL(", ").join(
            SQL("(%s::int, %s::date, %s::date, %s::timestamp, %s)", *row) for row in rows
        )
        self._make(
            "isp_tmp_month",
            SQL(
                "SELECT * FROM (VALUES %s) months (company_id, month, last_day, day_end, is_past)",
                values,
            ),
            "company_id, month",
        )

    def _subscriptions(self):
        wanted = SQL("TRUE")
        if self._ids is not None:
            wanted = SQL("sub.id = ANY(%s)", list(self._ids))
        left_out = self.env["isp.report.refresh"]._get_left_out()
        self._make("isp_tmp_left_out", SQL(LEFT_OUT, people=left_out))
        self._make("isp_tmp_sub", SQL(_SUBSCRIPTIONS, wanted=wanted), "subscription_id")

    def _store(self):
        """Write the difference.

        :return: months in which there was one, as JSON, and the number of rows
        """
        stored = ("partner_id", "is_left_out", *DIMENSIONS, *MEASURES)
        names = [SQL.identifier(name) for name in stored]
        columns = SQL(", ").join(names)
        self.cr.execute(
            SQL(
                _STORE,
                columns=columns,
                assign=SQL(", ").join(SQL("%s = EXCLUDED.%s", name, name) for name in names),
                old=SQL(", ").join(SQL("fact.%s", name) for name in names),
                new=SQL(", ").join(SQL("EXCLUDED.%s", name) for name in names),
            )
        )
        return self.cr.fetchone()

    def _get_companies(self):
        """Return how large groups must be, and the first month that has facts."""
        return [
            (
                company.id,
                company.isp_report_min_group,
                (company._get_isp_today() - relativedelta(months=MONTHS_BACK)).replace(day=1),
            )
            for company in self.env["res.company"].sudo().search([])
        ]


# Subscriptions of people, given with a company or for all companies, who are not analysed.
LEFT_OUT = """
WITH person AS MATERIALIZED (%(people)s)
SELECT sub.id AS subscription_id
  FROM person
  JOIN isp_subscription sub ON sub.partner_id = person.partner_id
   AND COALESCE(person.company_id, sub.company_id) = sub.company_id
 UNION
SELECT sub.id
  FROM person
  JOIN isp_subscription sub ON sub.commercial_partner_id = person.partner_id
   AND COALESCE(person.company_id, sub.company_id) = sub.company_id
"""

# Who and where, as it is known now. A customer returns who had left before and had no other
# service meanwhile.
_SUBSCRIPTIONS = """
SELECT sub.id AS subscription_id, sub.company_id, sub.partner_id, sub.user_id, sub.plan_id,
       sub.state, sub.date_start, sub.date_end, sub.billed_through,
       sub.opening_billed_through IS NOT NULL AS is_taken_over,
       -- TRUE or nothing, as in rows that are older than the column.
       CASE WHEN left_out.subscription_id IS NOT NULL THEN TRUE END AS is_left_out,
       currency.rounding, currency.decimal_places,
       NULLIF(trim(COALESCE(NULLIF(trim(place.city), ''), NULLIF(trim(partner.city), ''),
                            family.city)), '') AS area,
       COALESCE(place.state_id, partner.state_id, family.state_id) AS state_id,
       EXISTS (
            SELECT 1 FROM isp_subscription other
             WHERE other.commercial_partner_id = sub.commercial_partner_id
               AND other.company_id = sub.company_id AND other.state <> 'draft'
               AND other.date_end < sub.date_start
       ) AND NOT EXISTS (
            SELECT 1 FROM isp_subscription other
             WHERE other.commercial_partner_id = sub.commercial_partner_id
               AND other.company_id = sub.company_id AND other.state <> 'draft'
               AND other.date_start < sub.date_start
               AND (other.date_end IS NULL OR other.date_end >= sub.date_start)
       ) AS is_return
  FROM isp_subscription sub
  JOIN res_company company ON company.id = sub.company_id
  JOIN res_currency currency ON currency.id = company.currency_id
  JOIN res_partner partner ON partner.id = sub.partner_id
  LEFT JOIN isp_tmp_left_out left_out ON left_out.subscription_id = sub.id
  LEFT JOIN res_partner place ON place.id = sub.service_address_id
  LEFT JOIN res_partner family ON family.id = sub.commercial_partner_id
 WHERE %(wanted)s
"""

_FACTS = f"""
SELECT COALESCE(spine.subscription_id, money.subscription_id) AS subscription_id,
       COALESCE(spine.month, money.month) AS month,
       sub.company_id, sub.partner_id, sub.is_left_out, COALESCE(spine.plan_id, sub.plan_id) AS plan_id,
       sub.area, sub.state_id, sub.user_id,
       {", ".join(f"COALESCE(spine.{name}, 0) AS {name}" for name in MEASURES[:17])},
       {", ".join(f"COALESCE(money.{name}, 0) AS {name}" for name in MEASURES[17:])}
  FROM isp_tmp_spine spine
  FULL JOIN isp_tmp_money money USING (subscription_id, month)
  JOIN isp_tmp_sub sub
    ON sub.subscription_id = COALESCE(spine.subscription_id, money.subscription_id)
"""

_STORE = """
WITH deleted AS (
    DELETE FROM isp_report_fact fact USING isp_tmp_sub sub
     WHERE fact.subscription_id = sub.subscription_id
       AND NOT EXISTS (
            SELECT 1 FROM isp_tmp_fact wanted
             WHERE wanted.subscription_id = fact.subscription_id AND wanted.month = fact.month)
    RETURNING fact.company_id, fact.month
), stored AS (
    INSERT INTO isp_report_fact AS fact (subscription_id, %(columns)s)
    SELECT subscription_id, %(columns)s FROM isp_tmp_fact
    ON CONFLICT (subscription_id, month) DO UPDATE SET %(assign)s
     WHERE (%(old)s) IS DISTINCT FROM (%(new)s)
    RETURNING company_id, month
), changed AS (SELECT * FROM deleted UNION ALL SELECT * FROM stored)
SELECT (SELECT jsonb_agg(DISTINCT jsonb_build_array(company_id, month))::text FROM changed),
       (SELECT count(*) FROM changed)
"""
