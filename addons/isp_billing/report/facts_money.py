"""Bills and payments by subscription and month: the statements that :mod:`facts` runs."""

# Posted bills of the subscriptions with the credit notes that reverse them.
_MOVE = """
WITH bill AS (
    SELECT DISTINCT move.id, move.id AS bill_id, move.date, move.amount_total_signed
      FROM isp_charge charge
      JOIN isp_tmp_sub sub ON sub.subscription_id = charge.subscription_id
      JOIN account_move move ON move.id = charge.move_id
     WHERE charge.charge_type <> 'released' AND move.state = 'posted'
)
SELECT *, FALSE AS is_credit FROM bill
UNION ALL
SELECT credit.id, bill.id, credit.date, credit.amount_total_signed, TRUE
  FROM bill
  JOIN account_move credit ON credit.reversed_entry_id = bill.id
 WHERE credit.state = 'posted' AND credit.move_type = 'out_refund'
   AND NOT EXISTS (SELECT 1 FROM isp_charge charge
                    WHERE charge.move_id = credit.id AND charge.charge_type <> 'released')
"""

# The charges on these bills, also those of other subscriptions on a bill in common.
_ITEM = """
SELECT charge.id, charge.subscription_id, charge.move_id AS bill_id,
       charge.date_from, GREATEST(charge.date_to, charge.date_from + 1) AS date_to,
       abs(charge.amount) AS weight, -item.balance AS total, currency.rounding,
       charge.charge_type NOT IN ('deposit', 'deposit_refund') AS is_revenue
  FROM isp_charge charge
  JOIN account_move_line item ON item.id = charge.invoice_line_id
  JOIN res_company company ON company.id = charge.company_id
  JOIN res_currency currency ON currency.id = company.currency_id
 WHERE charge.charge_type <> 'released'
   AND charge.move_id IN (SELECT id FROM isp_tmp_move WHERE NOT is_credit)
"""

# Whose bill it is: each subscription's part, where several are billed together.
_SHARE = """
SELECT bill_id, subscription_id, rounding, sum(weight) AS weight,
       count(*) OVER (PARTITION BY bill_id) = 1 AS is_alone,
       row_number() OVER (PARTITION BY bill_id ORDER BY subscription_id) AS place
  FROM isp_tmp_item GROUP BY bill_id, subscription_id, rounding
"""


def allotted(source):
    """Split totals in proportion to weights, to the smallest coin, losing nothing.

    ``source`` gives ``key, total, weight, rounding, place`` and whatever else is wanted; the result
    adds ``amount``. What rounding down leaves goes to the largest remainders, one coin each.
    """
    return f"""
    SELECT *, floor_amount + CASE
                WHEN row_number() OVER (PARTITION BY key ORDER BY raw - floor_amount DESC, place)
                     <= round((total - sum(floor_amount) OVER (PARTITION BY key)) / rounding)
                THEN rounding ELSE 0 END AS amount
      FROM (
        SELECT *, floor(round(raw / rounding, 6)) * rounding AS floor_amount
          FROM (
            SELECT *, total * CASE
                        WHEN sum(weight) OVER (PARTITION BY key) = 0
                        THEN 1.0 / count(*) OVER (PARTITION BY key)
                        ELSE weight / sum(weight) OVER (PARTITION BY key)
                      END AS raw
              FROM ({source}) source
          ) weighed
      ) floored
    """


# A charge is earned day by day; most lie in one month.
_EARNED = f"""
SELECT bill_id, subscription_id, is_revenue, date_trunc('month', date_from)::date AS month,
       total AS amount
  FROM isp_tmp_item
 WHERE date_trunc('month', date_from) = date_trunc('month', date_to - 1)
UNION ALL
SELECT bill_id, subscription_id, is_revenue, month, amount
  FROM ({
    allotted('''
        SELECT item.id AS key, item.bill_id, item.subscription_id, item.is_revenue, item.total,
               item.rounding,
               begin::date AS month, begin::date - date '2000-01-01' AS place,
               (LEAST(item.date_to, (begin + interval '1 month')::date)
                - GREATEST(item.date_from, begin::date))::numeric AS weight
          FROM isp_tmp_item item
         CROSS JOIN LATERAL generate_series(
                date_trunc('month', item.date_from::timestamp),
                date_trunc('month', (item.date_to - 1)::timestamp), interval '1 month') AS begin
         WHERE date_trunc('month', item.date_from) <> date_trunc('month', item.date_to - 1)
    ''')
}) allotted
"""

# A credit note takes off what the bill earned, in the same months.
_CREDITED = f"""
SELECT subscription_id, month, date, is_revenue, amount
  FROM ({
    allotted('''
        SELECT credit.id AS key, credit.date, credit.total, cell.rounding, cell.subscription_id,
               cell.month, cell.is_revenue, cell.amount AS weight,
               row_number() OVER (
                    PARTITION BY credit.id
                    ORDER BY cell.month, cell.subscription_id, cell.is_revenue) AS place
          FROM (
            SELECT move.id, move.bill_id, move.date, -sum(item.balance) AS total
              FROM isp_tmp_move move
              JOIN account_move_line item
                ON item.move_id = move.id AND item.display_type = 'product'
             WHERE move.is_credit GROUP BY 1, 2, 3
          ) credit
          JOIN (
            SELECT earned.bill_id, earned.subscription_id, earned.month, earned.is_revenue,
                   share.rounding, sum(earned.amount) AS amount
              FROM isp_tmp_earned earned
              JOIN isp_tmp_share share USING (bill_id, subscription_id)
             GROUP BY 1, 2, 3, 4, 5
          ) cell ON cell.bill_id = credit.bill_id
    ''')
}) allotted
"""

_RECEIVABLE = """
SELECT item.id, move.bill_id
  FROM isp_tmp_move move
  JOIN account_move_line item ON item.move_id = move.id
  JOIN account_account account
    ON account.id = item.account_id AND account.account_type = 'asset_receivable'
"""

# Totals of bills and what bank and cash journals paid on them, to be shared.
_TOTAL = """
SELECT bill_id, date, amount_total_signed AS invoiced, 0::numeric AS collected FROM isp_tmp_move
UNION ALL
SELECT paid.bill_id, paid.max_date, 0, paid.amount
  FROM (
    SELECT item.bill_id, part.max_date, part.amount, part.credit_move_id AS other_id
      FROM isp_tmp_receivable item
      JOIN account_partial_reconcile part ON part.debit_move_id = item.id
    UNION ALL
    SELECT item.bill_id, part.max_date, -part.amount, part.debit_move_id
      FROM isp_tmp_receivable item
      JOIN account_partial_reconcile part ON part.credit_move_id = item.id
  ) paid
  JOIN account_move_line other ON other.id = paid.other_id
  JOIN account_journal journal ON journal.id = other.journal_id
 WHERE journal.type IN ('bank', 'cash', 'credit')
"""


def _shared(name):
    return f"""
    SELECT share.subscription_id, date_trunc('month', total.date)::date AS month,
           total.{name} AS amount
      FROM isp_tmp_total total
      JOIN isp_tmp_share share ON share.bill_id = total.bill_id AND share.is_alone
     WHERE total.{name} <> 0
    UNION ALL
    SELECT subscription_id, date_trunc('month', date)::date, amount
      FROM ({
        allotted(f'''
            SELECT total.number AS key, total.date, total.{name} AS total, share.*
              FROM (SELECT *, row_number() OVER () AS number FROM isp_tmp_total) total
              JOIN isp_tmp_share share ON share.bill_id = total.bill_id AND NOT share.is_alone
             WHERE total.{name} <> 0
        ''')
    }) allotted
    """


_MONEY = f"""
SELECT cell.subscription_id, cell.month, sum(cell.revenue) AS revenue, sum(cell.billed) AS billed,
       sum(cell.invoiced) AS invoiced, sum(cell.collected) AS collected
  FROM (
    SELECT subscription_id, month, amount AS revenue, 0 AS billed, 0 AS invoiced, 0 AS collected
      FROM isp_tmp_earned WHERE is_revenue
    UNION ALL
    SELECT subscription_id, month, amount, 0, 0, 0 FROM isp_tmp_credited WHERE is_revenue
    UNION ALL
    SELECT item.subscription_id, date_trunc('month', move.date)::date, 0, item.total, 0, 0
      FROM isp_tmp_item item JOIN isp_tmp_move move ON move.id = item.bill_id
     WHERE item.is_revenue
    UNION ALL
    SELECT subscription_id, date_trunc('month', date)::date, 0, amount, 0, 0
      FROM isp_tmp_credited WHERE is_revenue
    UNION ALL
    SELECT subscription_id, month, 0, 0, amount, 0 FROM ({_shared("invoiced")}) invoiced
    UNION ALL
    SELECT subscription_id, month, 0, 0, 0, amount FROM ({_shared("collected")}) collected
  ) cell
  JOIN isp_tmp_sub sub ON sub.subscription_id = cell.subscription_id
 GROUP BY 1, 2
HAVING sum(cell.revenue) <> 0 OR sum(cell.billed) <> 0 OR sum(cell.invoiced) <> 0
    OR sum(cell.collected) <> 0
"""

STATEMENTS = (
    ("isp_tmp_move", _MOVE, "id"),
    ("isp_tmp_item", _ITEM, "bill_id"),
    ("isp_tmp_share", _SHARE, "bill_id"),
    ("isp_tmp_earned", _EARNED, "bill_id"),
    ("isp_tmp_credited", _CREDITED, "subscription_id"),
    ("isp_tmp_receivable", _RECEIVABLE, "id"),
    ("isp_tmp_total", _TOTAL, "bill_id"),
    ("isp_tmp_money", _MONEY, "subscription_id, month"),
)
