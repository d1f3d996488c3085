"""Adds the facts up: exactly for the books, in groups that hide each person for the analyses.

``isp_report_total`` has a row for everything that subscriptions have in common. In
``isp_report_group`` each person is in one row, and each row stands for so many people as the company
demands: whatever is added up or subtracted, the result is about as many or about nobody. Therefore

* who is not analysed is in the row of each month in which nothing but the company is told;
* a group that is too small gives up what identifies most: the responsible, then the area, then the
  district, then the plan, and joins the others that did. Are these too few, the next smallest
  group joins them.

A customer with several services counts once.

What recurs and who is there is worked out for some years only. Before a month's is deleted, the month
is closed: its groups are made a last time, without the responsible and without each figure to which
too few people contribute. They stay, beside those of the money, which lasts as long as the bills.
"""

from odoo.tools import SQL

from .isp_report_fact import COUNTS, DIMENSIONS, MEASURES, MRR

# What is kept when a month is closed.
KEPT = MRR + COUNTS
# What is told of a group, from what it gives up last to what it gives up first.
TOLD = ("plan_id", "state_id", "area", "user_id")
ALL_TOLD = len(TOLD)

# The columns as far as they are told: the first ``depth`` of them.
_SHOWN = ", ".join(
    f"CASE WHEN cell.depth > {place} THEN cell.{name} END AS {name}"
    for place, name in enumerate(TOLD)
)

# A customer's second service makes no second person of him.
_RANK = """
SELECT fact.id AS fact_id,
       row_number() OVER (customer ORDER BY fact.subscription_id) = 1 AS is_first,
       row_number() OVER (
            PARTITION BY fact.company_id, fact.month, sub.commercial_partner_id,
                         fact.opening_count > 0 ORDER BY fact.subscription_id) = 1 AS is_first_before,
       row_number() OVER (
            PARTITION BY fact.company_id, fact.month, sub.commercial_partner_id,
                         fact.subscriber_count > 0 ORDER BY fact.subscription_id) = 1 AS is_first_now
  FROM isp_report_fact fact
  JOIN isp_subscription sub ON sub.id = fact.subscription_id
  JOIN (SELECT company_id, commercial_partner_id FROM isp_subscription
         GROUP BY 1, 2 HAVING count(*) > 1) several
    ON several.company_id = sub.company_id
   AND several.commercial_partner_id = sub.commercial_partner_id
 WHERE (fact.company_id, fact.month) IN (SELECT company_id, month FROM isp_tmp_changed)
WINDOW customer AS (PARTITION BY fact.company_id, fact.month, sub.commercial_partner_id)
"""

# Alike in all that reports group by. Besides all people of the month, those there when it began and
# when it ended count: their figures are shown on their own.
_CELL = f"""
SELECT row_number() OVER () AS id, {", ".join(f"fact.{name}" for name in DIMENSIONS)},
       CASE WHEN fact.is_left_out THEN 0 ELSE %(depth)s END AS depth,
       {", ".join(f"sum(fact.{name}) AS {name}" for name in MEASURES)},
       count(*) AS fact_count,
       count(*) FILTER (WHERE COALESCE(rank.is_first, TRUE)) AS people,
       count(*) FILTER (WHERE fact.opening_count > 0
                          AND COALESCE(rank.is_first_before, TRUE)) AS people_before,
       count(*) FILTER (WHERE fact.subscriber_count > 0
                          AND COALESCE(rank.is_first_now, TRUE)) AS people_now
       %(people_of)s
  FROM isp_report_fact fact
  LEFT JOIN isp_tmp_rank rank ON rank.fact_id = fact.id
 WHERE (fact.company_id, fact.month) IN (SELECT company_id, month FROM isp_tmp_changed)
 GROUP BY {", ".join(f"fact.{name}" for name in DIMENSIONS)}, fact.is_left_out
"""

# How many people contribute to each figure; the customer's other services are not counted.
_PEOPLE_OF = "".join(
    f", count(*) FILTER (WHERE fact.{name} <> 0 AND COALESCE(rank.is_first, TRUE)) AS of_{name}"
    for name in KEPT
)

_LARGE = """
    {0}people >= min_people AND ({0}people_before = 0 OR {0}people_before >= min_people)
    AND ({0}people_now = 0 OR {0}people_now >= min_people)
"""


def _get_pool(depth):
    """Return the statement by which groups that are too small give up all but ``depth`` columns."""
    parent = ", ".join(("company_id", "month", *TOLD[:depth]))
    # Who is not analysed joins the very last pool only, and always.
    wanted = f"cell.depth > {depth}" if depth else "TRUE"
    return f"""
    WITH told AS (
        SELECT cell.id, cell.company_id, cell.month, cell.depth, {_SHOWN}, people, people_before,
               people_now
          FROM isp_tmp_cell cell WHERE {wanted}
    ), together AS (
        SELECT company_id, month, depth, {", ".join(TOLD)}, array_agg(id) AS ids,
               sum(people) AS people, sum(people_before) AS people_before,
               sum(people_now) AS people_now
          FROM told GROUP BY company_id, month, depth, {", ".join(TOLD)}
    ), judged AS (
        SELECT together.*, company.min_people,
               depth = {depth} OR NOT ({_LARGE.format("")}) AS is_small
          FROM together JOIN isp_tmp_company company USING (company_id)
    ), summed AS (
        SELECT {parent}, ids, min_people,
               row_number() OVER in_order AS place,
               sum(people) OVER in_order AS sum_people,
               sum(people_before) OVER in_order AS sum_people_before,
               sum(people_now) OVER in_order AS sum_people_now,
               count(*) FILTER (WHERE is_small) OVER (PARTITION BY {parent}) AS smalls
          FROM judged
        WINDOW in_order AS (
                PARTITION BY {parent}
                ORDER BY is_small DESC, people, depth, {", ".join(TOLD)}
                ROWS UNBOUNDED PRECEDING)
    ), ended AS (
        SELECT *, min(place) FILTER (WHERE place >= smalls AND {_LARGE.format("sum_")})
                  OVER (PARTITION BY {parent}) AS last_place
          FROM summed WHERE smalls > 0
    )
    UPDATE isp_tmp_cell cell SET depth = {depth}
      FROM (SELECT unnest(ids) AS id FROM ended
             WHERE last_place IS NULL OR place <= last_place) pooled
     WHERE cell.id = pooled.id
    """


_POOLS = tuple(_get_pool(depth) for depth in reversed(range(ALL_TOLD)))

_TOTAL = f"""
DELETE FROM isp_report_total
 WHERE (company_id, month) IN (SELECT company_id, month FROM isp_tmp_changed);
INSERT INTO isp_report_total ({", ".join((*DIMENSIONS, *MEASURES))}, fact_count)
SELECT {", ".join((*DIMENSIONS, *(f"sum({name})" for name in MEASURES)))}, sum(fact_count)
  FROM isp_tmp_cell GROUP BY {", ".join(DIMENSIONS)}
"""

_GROUPED = ", ".join(("company_id", "month", "depth", *TOLD))
_INSERT = f"""
INSERT INTO isp_report_group
       ({_GROUPED}, %(names)s, people_count, min_people, is_closed)
SELECT {_GROUPED}, %(figures)s, sum(people), min_people, %(is_closed)s
  FROM (SELECT cell.company_id, cell.month, cell.depth, {_SHOWN}, people, %(columns)s
          FROM isp_tmp_cell cell) cell
  JOIN isp_tmp_company company USING (company_id)
 GROUP BY {_GROUPED}, min_people
"""
_GROUP = (
    """
DELETE FROM isp_report_group
 WHERE (company_id, month) IN (SELECT company_id, month FROM isp_tmp_changed) AND NOT is_closed;
"""
    + _INSERT
    % {
        "names": ", ".join(MEASURES),
        "figures": ", ".join(f"sum({name})" for name in MEASURES),
        "columns": ", ".join(MEASURES),
        "is_closed": "FALSE",
    }
)
# Where a company shows groups of any size, nothing is kept.
_CLOSE = (
    _INSERT
    % {
        "names": ", ".join(KEPT),
        "figures": ", ".join(
            f"CASE WHEN sum(of_{name}) >= min_people THEN sum({name}) END" for name in KEPT
        ),
        "columns": ", ".join(f"{name}, of_{name}" for name in KEPT),
        "is_closed": "TRUE",
    }
    + "HAVING min_people > 1 AND sum(people) >= min_people"
)

# Months that changed, and those whose groups are of another size than the company demands now.
_CHANGED = """
SELECT (pair->>0)::int AS company_id, (pair->>1)::date AS month
  FROM jsonb_array_elements(%(changed)s::jsonb) AS pair
 UNION
(SELECT company_id, month FROM isp_report_total
 EXCEPT
 SELECT made.company_id, made.month
   FROM isp_report_group made
   JOIN isp_tmp_company company ON company.company_id = made.company_id
    AND company.min_people = made.min_people
  WHERE NOT made.is_closed)
"""
# Months that still have what is about to be deleted.
_OVER = f"""
SELECT DISTINCT total.company_id, total.month
  FROM isp_report_total total
  JOIN isp_tmp_company company ON company.company_id = total.company_id
 WHERE total.month < company.horizon AND ({" OR ".join(f"total.{name} <> 0" for name in KEPT)})
"""


class Groups:
    """Makes the totals and groups of the months that need it.

    :param make: makes a temporary table
    :param companies: ``[(company_id, min_people, horizon)]``; before the horizon there is money only
    """

    def __init__(self, cr, make, companies):
        self.cr = cr
        self._make = make
        values = SQL(", ").join(SQL("(%s::int, %s::int, %s::date)", *row) for row in companies)
        self._make(
            "isp_tmp_company",
            SQL("SELECT * FROM (VALUES %s) companies (company_id, min_people, horizon)", values),
        )

    def close(self):
        """Make the groups that outlive what recurs and who is there; to be called before it is deleted."""
        self._make("isp_tmp_changed", _OVER)
        self._add_up(depth=ALL_TOLD - 1, people_of=SQL(_PEOPLE_OF), then=(_CLOSE,))

    def add_up(self, changed):
        """Add up the months that changed, and those for which the size of groups did.

        :param changed: JSON, a list of pairs of company and month
        """
        self._make("isp_tmp_changed", SQL(_CHANGED, changed=changed or "[]"))
        self._add_up(depth=ALL_TOLD, people_of=SQL(), then=(_TOTAL, _GROUP))

    def _add_up(self, depth, people_of, then):
        self.cr.execute("SELECT count(*) FROM isp_tmp_changed")
        if not self.cr.fetchone()[0]:
            return
        self._make("isp_tmp_rank", _RANK)
        self._make("isp_tmp_cell", SQL(_CELL, depth=depth, people_of=people_of), "id")
        for statement in (*_POOLS, *then):
            self.cr.execute(statement)
