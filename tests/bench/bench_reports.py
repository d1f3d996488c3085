"""Seconds to open each report at 100,000 subscriptions and 12 months of bills, beside the ORM.

The books are made by SQL in a scratch database: 1.2 million charges on posted bills, most of them
paid. Indexes that no report reads are dropped before, which only makes the filling faster. The ORM
answers the same question the way a module without reports would, for a single month where the
report shows twelve. ``--subscriptions 10000`` is a quicker run.
"""

import argparse
import json
import os
import subprocess
import time
from contextlib import closing

from harness import databases
from harness.settings import environment, odoo_command

MONTHS = 12
BAR_S = 1.0
TIMEOUT_S = 7200

PLANS = """
plans = env["isp.plan"].create(
    [{"name": f"Plan {n}", "price": 500 + 100 * n, "tax_ids": [(5,)]} for n in range(10)]
)
user = env["res.users"].create({
    "name": "Manager", "login": "bench_manager",
    "group_ids": [(6, 0, env.ref("isp_base.group_isp_manager").ids)],
})
journal = env.company.isp_billing_journal_id
bank = env["account.journal"].search([("type", "=", "bank")], limit=1)
receivable = env["account.account"].search([("account_type", "=", "asset_receivable")], limit=1)
print("RESULT", json.dumps({
    "company": env.company.id, "currency": env.company.currency_id.id, "uid": user.id,
    "plan": plans[0].id, "product": plans[0].product_id.id, "journal": journal.id,
    "bank": bank.id, "receivable": receivable.id,
    "income": journal.default_account_id.id, "cash": bank.default_account_id.id,
    "today": str(env.company._get_isp_today()),
}))
env.cr.commit()
"""

# What fills the books. Numbers of rows are set, so that tables can point at each other.
FILL = (
    (
        "indexes that no report reads",
        """
        DO $$ DECLARE name text; BEGIN
            FOR name IN SELECT indexname FROM pg_indexes
                WHERE tablename IN ('account_move', 'account_move_line', 'res_partner')
                  AND indexdef LIKE '%% USING gin %%'
            LOOP EXECUTE format('DROP INDEX %%I', name); END LOOP;
        END $$;
        ALTER TABLE isp_charge DROP CONSTRAINT IF EXISTS isp_charge_period_once
        """,
    ),
    (
        "customers",
        """
        INSERT INTO res_partner (id, name, complete_name, type, autopost_bills, active, city,
                                 commercial_partner_id, create_date, write_date)
        SELECT 1000000 + n, 'Customer ' || n, 'Customer ' || n, 'contact', 'ask', TRUE,
               'City ' || (n * 7 %% 64), 1000000 + n, now() - interval '1 day',
               now() - interval '1 day'
          FROM generate_series(1, %(count)s) AS n
        """,
    ),
    (
        "subscriptions",
        """
        INSERT INTO isp_subscription (id, name, company_id, partner_id, commercial_partner_id,
            plan_id, user_id, state, active, date_start, date_end, billed_through, end_policy,
            create_date, write_date)
        SELECT 1000000 + n, 'B' || n, %(company)s, 1000000 + n, 1000000 + n,
               %(plan)s + n %% 10, CASE n %% 3 WHEN 0 THEN %(uid)s END,
               CASE WHEN n %% 25 = 1 AND n %% 6 > 0 THEN 'terminated' WHEN n %% 20 = 1 THEN 'suspended'
                    ELSE 'active' END, TRUE,
               %(first)s::date + (CASE WHEN n %% 6 = 0 THEN n %% 11 ELSE -(n %% 24) END)
                    * interval '1 month',
               CASE WHEN n %% 25 = 1 AND n %% 6 > 0
                    THEN %(first)s::date + (4 + n %% 8) * interval '1 month'
               END,
               %(first)s::date + %(months)s * interval '1 month', 'credit',
               now() - interval '1 day', now() - interval '1 day'
          FROM generate_series(1, %(count)s) AS n
        """,
    ),
    (
        "lines of subscriptions",
        """
        INSERT INTO isp_subscription_line (id, subscription_id, company_id, active, line_type,
            product_id, name, quantity, price_unit, discount, create_date, write_date)
        SELECT sub.id, sub.id, sub.company_id, TRUE, 'plan', plan.product_id, plan.name, 1,
               plan.price, 0, sub.create_date, sub.write_date
          FROM isp_subscription sub JOIN isp_plan plan ON plan.id = sub.plan_id
         WHERE sub.id > 1000000
        """,
    ),
    (
        "events",
        """
        INSERT INTO isp_subscription_event (subscription_id, company_id, event_type, date, user_id,
                                            from_value, to_value, create_date, write_date)
        SELECT sub.id, sub.company_id, 'state', sub.date_start, %(uid)s, 'draft', 'active',
               sub.create_date, sub.write_date
          FROM isp_subscription sub WHERE sub.id > 1000000
         UNION ALL
        SELECT sub.id, sub.company_id, 'state', now() - interval '9 days', %(uid)s, 'active',
               'suspended', sub.create_date, sub.write_date
          FROM isp_subscription sub WHERE sub.id > 1000000 AND sub.state = 'suspended'
        """,
    ),
    (
        "a table of bills to be",
        """
        CREATE UNLOGGED TABLE bench_bill AS
        SELECT 10000000 + m * %(count)s + n AS id, 1000000 + n AS sub_id,
               sub.plan_id, line.product_id, n, m,
               (%(first)s::date + m * interval '1 month')::date AS day,
               line.price_unit + CASE WHEN n %% 19 = 0 AND m >= 6 THEN 200 ELSE 0 END
                   - CASE WHEN n %% 23 = 0 AND m >= 8 THEN 100 ELSE 0 END AS amount,
               (m < %(months)s - 2 AND (n + m) %% 50 > 0) OR (n + m) %% 7 > 0 AS is_paid
          FROM generate_series(1, %(count)s) AS n
          JOIN isp_subscription sub ON sub.id = 1000000 + n
          JOIN isp_subscription_line line ON line.id = sub.id
         CROSS JOIN generate_series(0, %(months)s - 1) AS m
         WHERE sub.date_start < %(first)s::date + (m + 1) * interval '1 month'
           AND (sub.date_end IS NULL OR sub.date_end > %(first)s::date + m * interval '1 month');
        ANALYZE bench_bill
        """,
    ),
    (
        "bills",
        """
        INSERT INTO account_move (id, name, company_id, currency_id, journal_id, move_type, state,
            date, invoice_date, partner_id, commercial_partner_id, auto_post, payment_state,
            amount_total_signed, amount_untaxed_signed, create_date, write_date)
        SELECT id, 'BENCH/' || id, %(company)s, %(currency)s, %(journal)s, 'out_invoice', 'posted',
               day, day, sub_id, sub_id, 'no', CASE WHEN is_paid THEN 'paid' ELSE 'not_paid' END,
               amount, amount, now() - interval '1 day', now() - interval '1 day'
          FROM bench_bill
        """,
    ),
    (
        "journal items of bills",
        """
        INSERT INTO account_move_line (id, move_id, journal_id, company_id, currency_id,
            company_currency_id, account_id, product_id, partner_id, display_type, parent_state,
            date, date_maturity, debit, credit, balance, amount_currency, quantity, price_unit,
            amount_residual, reconciled, create_date, write_date)
        SELECT bill.id + side.shift, bill.id, %(journal)s, %(company)s, %(currency)s, %(currency)s,
               side.account_id, CASE WHEN side.shift = 0 THEN bill.product_id END, bill.sub_id,
               CASE WHEN side.shift = 0 THEN 'product' ELSE 'payment_term' END, 'posted', bill.day,
               CASE WHEN side.shift > 0 THEN bill.day + 10 END,
               CASE WHEN side.shift > 0 THEN amount ELSE 0 END,
               CASE WHEN side.shift = 0 THEN amount ELSE 0 END,
               CASE WHEN side.shift = 0 THEN -amount ELSE amount END,
               CASE WHEN side.shift = 0 THEN -amount ELSE amount END, 1, amount,
               CASE WHEN side.shift = 0 OR bill.is_paid THEN 0 ELSE amount END,
               side.shift > 0 AND bill.is_paid, now() - interval '1 day', now() - interval '1 day'
          FROM bench_bill bill
         CROSS JOIN (VALUES (0, %(income)s), (100000000, %(receivable)s)) AS side (shift, account_id)
        """,
    ),
    (
        "charges",
        """
        INSERT INTO isp_charge (subscription_id, line_id, company_id, partner_id, plan_id,
            charge_type, date_from, date_to, fraction, rule, per, quantity, price_unit, discount,
            amount, move_id, invoice_line_id, create_date, write_date)
        SELECT sub_id, sub_id, %(company)s, sub_id, plan_id, 'recurring', day,
               (day + interval '1 month')::date, 1, 'full', '1 month', 1, amount, 0, amount,
               id, id, now() - interval '1 day', now() - interval '1 day'
          FROM bench_bill
        """,
    ),
    (
        "payments, one entry a month",
        """
        INSERT INTO account_move (id, name, company_id, currency_id, journal_id, move_type, state,
            date, auto_post, create_date, write_date)
        SELECT 9000000 + m, 'BENCHPAY/' || m, %(company)s, %(currency)s, %(bank)s, 'entry',
               'posted', %(first)s::date + m * interval '1 month' + interval '8 days', 'no',
               now() - interval '1 day', now() - interval '1 day'
          FROM generate_series(0, %(months)s - 1) AS m;
        INSERT INTO account_move_line (id, move_id, journal_id, company_id, currency_id,
            company_currency_id, account_id, partner_id, display_type, parent_state, date, debit,
            credit, balance, amount_currency, quantity, amount_residual, reconciled, create_date,
            write_date)
        SELECT 200000000 + id, 9000000 + m, %(bank)s, %(company)s, %(currency)s, %(currency)s,
               %(receivable)s, sub_id, 'product', 'posted', day + 8, 0, amount, -amount, -amount,
               1, 0, TRUE, now() - interval '1 day', now() - interval '1 day'
          FROM bench_bill WHERE is_paid;
        INSERT INTO account_partial_reconcile (debit_move_id, credit_move_id, company_id, amount,
            debit_amount_currency, credit_amount_currency, max_date, create_date, write_date)
        SELECT 100000000 + id, 200000000 + id, %(company)s, amount, amount, amount, day + 8,
               now() - interval '1 day', now() - interval '1 day'
          FROM bench_bill WHERE is_paid
        """,
    ),
    ("statistics", "VACUUM ANALYZE"),
)

MEASURE = """
import json, resource, time
from datetime import date

manager = env["res.users"].browse({uid})
env = env(user=manager.id)
company = env.company
today = company._get_isp_today()
first = today.replace(day=1)
months = [("month", ">=", "{first}"), ("month", "<=", str(today))]


def seconds(call, times=3):
    spent = []
    for _number in range(times):
        env.invalidate_all()
        begin = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begin)
    return max(spent)


def pivot(model, domain, rows, columns, measures):
    fields = env[model]._fields
    aggregates = [f"{{name}}:{{fields[name].aggregator}}" for name in measures.split()]
    sets = [[], [rows], *([[columns], [rows, columns]] if columns else [])]
    return lambda: env[model].formatted_read_grouping_sets(domain, sets, aggregates)


opened = {{
    "recurring revenue": pivot(
        "isp.report.mrr", months, "month:month", None,
        "opening_mrr new_mrr up_mrr down_mrr lost_mrr back_mrr mrr revenue",
    ),
    "recurring revenue, month by plan": pivot(
        "isp.report.mrr", months, "plan_id", "month:month", "mrr new_mrr lost_mrr"
    ),
    "recurring revenue, month by area": pivot(
        "isp.report.mrr", months, "area", "month:month", "mrr new_mrr lost_mrr"
    ),
    "subscribers by month": pivot(
        "isp.report.subscriber", months, "month:month", None,
        "opening_count joined_count left_count subscriber_count active_count arpu churn_rate",
    ),
    "who joined and left": lambda: env["isp.report.fact"].web_search_read(
        ["&", ("month", "=", str(first)), "|", ("joined_count", ">", 0), ("left_count", ">", 0)],
        {{"subscription_id": {{"fields": {{"display_name": {{}}}}}}, "mrr": {{}}}}, limit=80,
    ),
    "churn by joining month": pivot(
        "isp.report.cohort", [], "joined_month:month", "months_since", "retention_rate"
    ),
    "what is owed, by area": pivot("isp.report.ageing", [], "area", "bucket", "amount"),
    "what is owed, list": lambda: env["isp.report.ageing"].web_search_read(
        [], {{"partner_id": {{"fields": {{"display_name": {{}}}}}}, "amount": {{}}, "bucket": {{}}}},
        limit=80,
    ),
    "collected against billed": pivot(
        "isp.report.collection", months, "area", "month:month", "invoiced collected rate"
    ),
}}


def orm_mrr():
    charges = env["isp.charge"].search(
        [("charge_type", "=", "recurring"), ("date_from", "<=", first), ("date_to", ">", first)]
    )
    return sum(c.quantity * c.price_unit * (1 - c.discount / 100) for c in charges)


def orm_subscribers():
    model = env["isp.subscription"].with_context(active_test=False)
    return [
        model.search_count([("date_start", "<=", day), "|", ("date_end", "=", False),
                            ("date_end", ">", day)])
        for day in (date(first.year - (m > first.month - 1), (first.month - m - 1) % 12 + 1, 1)
                    for m in range(12))
    ]


def orm_cohort():
    return len([
        (s.date_start, s.date_end) for s in env["isp.subscription"].with_context(
            active_test=False).search_fetch([], ["date_start", "date_end"])
    ])


def orm_owed():
    items = env["account.move.line"].search([
        ("account_type", "=", "asset_receivable"), ("parent_state", "=", "posted"),
        ("reconciled", "=", False), ("move_id.isp_charge_ids", "!=", False),
    ])
    owed = {{}}
    for item in items:
        key = (item.partner_id.city, (today - item.date_maturity).days // 30)
        owed[key] = owed.get(key, 0.0) + item.amount_residual
    return owed


def orm_collected():
    moves = env["account.move"].search([
        ("isp_charge_ids", "!=", False), ("state", "=", "posted"), ("date", ">=", first)
    ])
    items = moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
    return sum(moves.mapped("amount_total_signed")), sum(items.matched_credit_ids.mapped("amount"))


orm = {{
    "recurring revenue": ("closing of one month", orm_mrr),
    "subscribers by month": ("counts of 12 months", orm_subscribers),
    "churn by joining month": ("reading the dates", orm_cohort),
    "what is owed, by area": ("the same", orm_owed),
    "collected against billed": ("one month, no areas", orm_collected),
}}
result = {{name: [seconds(call)] for name, call in opened.items()}}
for name, (what, call) in orm.items():
    result[name] += [what, seconds(call, times=1)]
print("RESULT", json.dumps(result))
"""

REFRESH = """
import json, time
env["isp.report.refresh"]._refresh(full=True)
env.cr.commit()
full = env["isp.report.refresh"].search([], limit=1)
env["isp.report.refresh"].search([]).since = full.date
env.cr.execute(
    "UPDATE isp_subscription SET write_date = now() AT TIME ZONE 'UTC'"
    " WHERE id > 1000000 AND mod(id, 100) = 0"
)
env.cr.commit()
env["isp.report.refresh"]._refresh()
env.cr.commit()
part = env["isp.report.refresh"].search([], limit=1)
env.cr.execute("ANALYZE")
env.cr.commit()
print("RESULT", json.dumps({
    "full": [full.subscription_count, full.row_count, full.seconds],
    "part": [part.subscription_count, part.row_count, part.seconds],
    "totals": env["isp.report.total"].search_count([]),
}))
"""


def shell(database, code):
    """Run ``code`` in Odoo and return the result it printed."""
    done = subprocess.run(
        odoo_command("shell", "-d", database, "--no-http", "--log-level", "error"),
        env=environment(),
        input="import json\n" + code,
        text=True,
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not results:
        raise SystemExit(f"Odoo failed:\n{done.stderr[-3000:]}")
    return json.loads(results[-1][7:])


def fill(database, count):
    """Make the books; return the values that measuring needs."""
    values = shell(database, PLANS)
    year, month = (int(part) for part in values["today"].split("-")[:2])
    begin = year * 12 + month - MONTHS
    values |= {
        "count": count,
        "months": MONTHS,
        "first": f"{begin // 12}-{begin % 12 + 1:02}-01",
    }
    with closing(databases.connect(database)) as connection, connection.cursor() as cr:
        cr.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        for what, statement in FILL:
            start = time.perf_counter()
            cr.execute(statement, values)
            print(f"  {what:34} {time.perf_counter() - start:7.1f} s", flush=True)
        cr.execute("SELECT count(*) FROM isp_charge")
        print(f"  {cr.fetchone()[0]:,} charges on as many bills")
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    options = parser.parse_args()
    databases.drop_leftovers()
    template = os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print)
    database = f"isp_test_{os.getpid()}_reports"
    databases.copy_database(template, database)
    try:
        print(f"{options.subscriptions:,} subscriptions, {MONTHS} months, filled by SQL:")
        values = fill(database, options.subscriptions)
        refreshed = shell(database, REFRESH)
        for what, (count, rows, spent) in list(refreshed.items())[:2]:
            name = "all worked out" if what == "full" else "one in a hundred"
            print(f"  {name}: {count:,} subscriptions, {rows:,} rows changed, {spent:.1f} s")
        print(f"  {refreshed['totals']:,} rows of monthly totals")
        show(shell(database, MEASURE.format(**values)))
    finally:
        databases.drop_database(database)


def show(result):
    print(f"\n  {'report, slowest of three':34} {'opens in':>9}   beside the ORM")
    for name, (spent, *orm) in result.items():
        beside = f"{orm[1]:8.2f} s  {orm[0]}" if orm else ""
        print(f"  {name:34} {spent:7.3f} s {beside}")
    slowest = max(spent for spent, *_orm in result.values())
    met = "met" if slowest < BAR_S else "MISSED"
    print(f"\n  slowest {slowest:.3f} s  bar < {BAR_S:.0f} s  {met}")
    load, cores = os.getloadavg()[0], os.cpu_count()
    if load > cores:
        print(f"  The machine was busy: load {load:.1f} on {cores} cores.")


if __name__ == "__main__":
    main()
