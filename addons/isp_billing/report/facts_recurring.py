"""What recurs and who is there, month by month: the statements that :mod:`facts` runs."""

# Months that a cycle lasts; one of days or weeks counts 30 days a month.
_FACTOR = """
    CASE split_part(per, ' ', 2)
        WHEN 'day' THEN 30.0 WHEN 'week' THEN 30.0 / 7 WHEN 'quarter' THEN 1.0 / 3
        WHEN 'half_year' THEN 1.0 / 6 WHEN 'year' THEN 1.0 / 12 ELSE 1.0
    END / split_part(per, ' ', 1)::int
"""

# A whole period is worth what its journal item says. A part is worth its rate, less the taxes that
# are included in the price.
_VALUE = f"""
SELECT subscription_id, line_id, plan_id, date_from, date_to, days, is_plan,
       round(net * {_FACTOR}, decimal_places) AS mrr
  FROM (
    SELECT charge.subscription_id, charge.line_id, charge.plan_id, charge.date_from,
           charge.date_to, charge.covered AS days, line.line_type = 'plan' AS is_plan,
           sub.decimal_places,
           COALESCE(NULLIF(charge.per, ''), plan.cycle_count || ' ' || plan.cycle_unit) AS per,
           CASE WHEN charge.rule = 'full' AND item.id IS NOT NULL THEN -item.balance
                ELSE COALESCE(
                        (charge.basis->>'rate')::numeric,
                        charge.quantity * charge.price_unit * (1 - charge.discount / 100)
                     ) / (1 + COALESCE(included.percent, 0) / 100)
           END AS net
      FROM isp_charge charge
      JOIN isp_tmp_sub sub ON sub.subscription_id = charge.subscription_id
      JOIN isp_plan plan ON plan.id = charge.plan_id
      LEFT JOIN isp_subscription_line line ON line.id = charge.line_id
      LEFT JOIN account_move move ON move.id = charge.move_id
      LEFT JOIN account_move_line item ON item.id = charge.invoice_line_id
      LEFT JOIN LATERAL (
            SELECT sum(tax.amount) AS percent
              FROM account_move_line_account_tax_rel rel
              JOIN account_tax tax ON tax.id = rel.account_tax_id
              JOIN res_company company ON company.id = tax.company_id
             WHERE charge.rule <> 'full' AND rel.account_move_line_id = item.id
               AND tax.amount_type = 'percent'
               AND COALESCE(tax.price_include_override, company.account_price_include)
                   = 'tax_included'
      ) included ON TRUE
     WHERE charge.charge_type = 'recurring' AND COALESCE(move.state, 'posted') <> 'cancel'
  ) charge
"""

_MRR = """
SELECT value.subscription_id, month.month, sum(value.mrr) AS mrr,
       max(value.plan_id) FILTER (WHERE value.is_plan) AS plan_id
  FROM isp_tmp_value value
  JOIN isp_tmp_sub sub ON sub.subscription_id = value.subscription_id
 CROSS JOIN LATERAL generate_series(
            date_trunc('month', value.date_from::timestamp),
            date_trunc('month', value.date_to::timestamp) - interval '1 month',
            interval '1 month') AS begin
  JOIN isp_tmp_month month ON month.company_id = sub.company_id AND month.month = begin::date
 WHERE month.is_past
   AND (value.days IS NULL OR value.days @> month.last_day)
   AND (sub.date_end IS NULL OR sub.date_end > month.last_day)
 GROUP BY 1, 2
"""

# What the last bill says of a service whose next one is still to come.
_LAST = """
SELECT value.subscription_id, max(line.date_to) AS date_to, sum(value.mrr) AS mrr
  FROM isp_tmp_value value
  JOIN isp_tmp_sub sub ON sub.subscription_id = value.subscription_id
  JOIN isp_subscription_line line ON line.id = value.line_id
 WHERE line.active AND sub.state IN ('active', 'suspended')
   AND value.date_from < sub.billed_through AND value.date_to >= sub.billed_through
   AND COALESCE(value.days, datemultirange(daterange(value.date_from, value.date_to)))
       @> sub.billed_through - 1
 GROUP BY value.subscription_id, value.line_id
"""

# The months at whose end a service was suspended, by its last change of state.
_SUSPENDED = """
SELECT DISTINCT state.subscription_id, month.month
  FROM (
    SELECT event.subscription_id, sub.company_id, event.to_value, event.date,
           lead(event.date) OVER (
                PARTITION BY event.subscription_id ORDER BY event.date, event.id) AS until
      FROM isp_subscription_event event
      JOIN isp_tmp_sub sub ON sub.subscription_id = event.subscription_id
     WHERE event.event_type = 'state'
  ) state
  JOIN isp_tmp_month month ON month.company_id = state.company_id AND month.is_past
   AND state.date < month.day_end AND (state.until IS NULL OR state.until >= month.day_end)
 WHERE state.to_value = 'suspended'
"""

_SPINE = """
WITH begun AS (
    SELECT subscription_id, min(date_from) AS date_from FROM isp_tmp_value GROUP BY 1
), raw AS (
    SELECT sub.subscription_id, month.month, COALESCE(recurs.plan_id, sub.plan_id) AS plan_id,
           sub.is_return, sub.is_taken_over,
           sub.date_start < month.month
               AND (sub.date_end IS NULL OR sub.date_end >= month.month) AS was_there,
           sub.date_start <= month.last_day
               AND (sub.date_end IS NULL OR sub.date_end > month.last_day) AS is_there,
           date_trunc('month', sub.date_start) = month.month AS joins,
           suspended.month IS NOT NULL AS is_suspended,
           recurs.mrr AS billed_mrr,
           CASE WHEN recurs.mrr IS NULL AND month.last_day >= sub.billed_through THEN (
                SELECT sum(last.mrr) FROM isp_tmp_last last
                 WHERE last.subscription_id = sub.subscription_id
                   AND (last.date_to IS NULL OR last.date_to > month.last_day)
                   AND (sub.date_end IS NULL OR sub.date_end > month.last_day)
                   AND NOT EXISTS (
                        SELECT 1 FROM isp_subscription_pause pause
                         WHERE pause.subscription_id = sub.subscription_id
                           AND pause.policy <> 'keep'
                           AND daterange(pause.date_from, pause.date_to) @> month.last_day)
           ) END AS unbilled_mrr
      FROM isp_tmp_sub sub
      LEFT JOIN begun ON begun.subscription_id = sub.subscription_id
      JOIN isp_tmp_month month ON month.company_id = sub.company_id AND month.is_past
       AND month.last_day >= LEAST(sub.date_start, begun.date_from)
       AND (sub.date_end IS NULL OR month.month <= sub.date_end)
      LEFT JOIN isp_tmp_mrr recurs
        ON recurs.subscription_id = sub.subscription_id AND recurs.month = month.month
      LEFT JOIN isp_tmp_suspended suspended
        ON suspended.subscription_id = sub.subscription_id AND suspended.month = month.month
     WHERE sub.state <> 'draft' AND sub.date_start IS NOT NULL
), moved AS (
    SELECT *, COALESCE(billed_mrr, unbilled_mrr, 0) AS closing,
           COALESCE(lag(COALESCE(billed_mrr, unbilled_mrr, 0)) OVER past, 0) AS opening,
           COALESCE(lag(is_suspended AND is_there) OVER past, FALSE) AS was_suspended,
           COALESCE(max(COALESCE(billed_mrr, unbilled_mrr, 0)) OVER (
                past ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0 AS had_mrr
      FROM raw WINDOW past AS (PARTITION BY subscription_id ORDER BY month)
), told AS (
    SELECT *, closing - opening AS change,
           opening = 0 AND closing <> 0 AS begins,
           had_mrr OR is_return AS is_back
      FROM moved
)
SELECT subscription_id, month, plan_id,
       opening AS opening_mrr,
       CASE WHEN begins AND NOT is_back AND NOT is_taken_over THEN change ELSE 0 END AS new_mrr,
       CASE WHEN NOT begins AND closing <> 0 THEN GREATEST(change, 0) ELSE 0 END AS up_mrr,
       CASE WHEN NOT begins AND closing <> 0 THEN LEAST(change, 0) ELSE 0 END AS down_mrr,
       CASE WHEN closing = 0 THEN change ELSE 0 END AS lost_mrr,
       CASE WHEN begins AND is_back THEN change ELSE 0 END AS back_mrr,
       CASE WHEN begins AND NOT is_back AND is_taken_over THEN change ELSE 0 END
           AS taken_over_mrr,
       closing AS mrr,
       CASE WHEN billed_mrr IS NULL THEN COALESCE(unbilled_mrr, 0) ELSE 0 END AS unbilled_mrr,
       was_there::int AS opening_count,
       (joins AND NOT is_return)::int AS joined_count,
       (joins AND is_return)::int AS returned_count,
       ((was_there OR joins) AND NOT is_there)::int AS left_count,
       is_there::int AS subscriber_count,
       (is_there AND is_suspended)::int AS suspended_count,
       (is_there AND was_suspended AND NOT is_suspended)::int AS resumed_count,
       (is_there AND NOT is_suspended)::int AS active_count
  FROM told
 WHERE was_there OR is_there OR joins OR opening <> 0 OR closing <> 0
"""

STATEMENTS = (
    ("isp_tmp_value", _VALUE, "subscription_id"),
    ("isp_tmp_mrr", _MRR, "subscription_id, month"),
    ("isp_tmp_last", _LAST, "subscription_id"),
    ("isp_tmp_suspended", _SUSPENDED, "subscription_id, month"),
    ("isp_tmp_spine", _SPINE, "subscription_id, month"),
)
