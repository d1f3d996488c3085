"""Seconds to open a month of usage of 100,000 subscribers, to roll up, and to follow caps.

The rows are made by SQL in a scratch database: 30 days of each subscription, 3,000,000 in all.
``--subscriptions 10000`` is a quicker run.
"""

import argparse
import json
import os
import time
from contextlib import closing

from harness import databases, server

BAR_S = 1.0

PREPARE = """
env = env(context=dict(env.context, tracking_disable=True))
partner = env["res.partner"].create({"name": "Karim"})
plans = env["isp.plan"].create([{"name": "Free", "price": 1}, {"name": "Capped", "price": 1,
    "cap_gb": 100, "cap_notices": False}])
subscription = env["isp.subscription"].create({"partner_id": partner.id, "plan_id": plans[0].id})
subscription._activate()
user = env["res.users"].create({"name": "S", "login": "bench_support",
    "group_ids": [(6, 0, env.ref("isp_base.group_isp_support").ids)]})
env.cr.commit()
import json
print("RESULT", json.dumps([env.company.id, partner.id, plans.ids, user.id]))
"""

FILL = (
    (
        "subscriptions",
        """
        INSERT INTO isp_subscription (id, name, company_id, partner_id, commercial_partner_id,
            plan_id, state, active, date_start, end_policy, create_date, write_date)
        SELECT 1000000 + n, 'B' || n, %(company)s, %(partner)s, %(partner)s,
            CASE n %% 4 WHEN 0 THEN %(capped)s ELSE %(free)s END, 'active', true,
            current_date - 400, 'credit', now(), now()
        FROM generate_series(1, %(count)s) n
        """,
    ),
    (
        "entitlements",
        """
        INSERT INTO isp_entitlement (subscription_id, company_id, username, access, download_kbps,
            upload_kbps)
        SELECT id, company_id, lower(name), 'full', 10240, 10240 FROM isp_subscription
        WHERE id > 1000000
        """,
    ),
    (
        "30 days of usage",
        """
        SELECT radius.ensure_usage_parts((current_date - interval '2 months')::date, current_date);
        INSERT INTO radius.usage_day (subscription_id, day, company_id, plan_id, upload_bytes,
            download_bytes, session_seconds)
        SELECT 1000000 + n, d::date, %(company)s, CASE n %% 4 WHEN 0 THEN %(capped)s
            ELSE %(free)s END, (n::bigint * 7919 %% 500) * 1000000,
            (n::bigint * 104729 %% 5000) * 1000000, 80000
        FROM generate_series(1, %(count)s) n, generate_series(0, 29) k,
            LATERAL (SELECT date_trunc('month', current_date - interval '1 month') + k * interval
                '1 day') d (d)
        """,
    ),
    (
        "sums, as the roll-up keeps them",
        """
        INSERT INTO radius.usage_total
        SELECT company_id, plan_id, day, count(*), sum(upload_bytes), sum(download_bytes),
            sum(session_seconds)
        FROM radius.usage_day GROUP BY company_id, plan_id, day
        """,
    ),
    ("statistics", "VACUUM ANALYZE"),
)

MEASURE = """
import time, json
def clock(call):
    best = None
    for _ in range(3):
        env.invalidate_all()
        start = time.monotonic(); call(); spent = time.monotonic() - start
        best = spent if best is None else min(best, spent)
    return round(best, 3)
usage = env["isp.usage.day"].with_user(%(uid)s)
month = [("date", ">=", "=1d -1m"), ("date", "<", "=1d")]
sums = ["total_mb:sum", "download_mb:sum", "upload_mb:sum", "__count"]
spec = {"date": {}, "subscription_id": {"fields": {"display_name": {}}}, "total_mb": {}}
one = [("subscription_id", "=", 1000001)]
print("RESULT", json.dumps({
    "graph by day": clock(lambda: usage.formatted_read_group(month, ["date:day"], sums)),
    "pivot by month": clock(lambda: usage.formatted_read_group(month, ["date:month"], sums)),
    "pivot by plan and day": clock(
        lambda: usage.formatted_read_grouping_sets(
            month, [[], ["plan_id"], ["plan_id", "date:day"]], sums)),
    "all months": clock(lambda: usage.formatted_read_group([], ["date:month"], sums)),
    "the same from the rows": clock(
        lambda: usage.formatted_read_group(month, ["date:day"], sums, order="__count")),
    "list": clock(lambda: usage.web_search_read(month, spec, limit=80, count_limit=10001)),
    "one subscription": clock(lambda: usage.web_search_read(one, spec, limit=80)),
    "its usage of 12 months": clock(lambda: env["isp.subscription"].browse(1000001)
        ._get_usage_by_day(__import__("datetime").date(2020, 1, 1),
                           __import__("datetime").date(2099, 1, 1))),
}))
"""

WORK = """
import time, json
radius, windows = env["isp.radius"], env["isp.usage.window"]
start = time.monotonic(); ids = radius._roll_up_usage(); env.cr.commit()
rolled = time.monotonic() - start
start = time.monotonic(); windows._follow_usage(ids); env.cr.commit()
followed = time.monotonic() - start
print("RESULT", json.dumps([len(ids), round(rolled, 2), round(followed, 2)]))
"""


def main():
    """Fill a scratch database and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    count = parser.parse_args().subscriptions
    name = f"isp_test_{os.getpid()}_usage"
    databases.copy_database(databases.suite_template(print), name)
    try:
        measure(name, count)
    finally:
        databases.drop_database(name)


def measure(name, count):
    """Fill and measure one database."""
    company, partner, (free, capped), uid = run(name, PREPARE)
    values = dict(company=company, partner=partner, free=free, capped=capped, count=count)
    with closing(databases.connect(name)) as connection, connection.cursor() as cr:
        for label, sql in FILL:
            start = time.monotonic()
            cr.execute(sql, values if "%" in sql else None)
            print(f"  filling: {label}, {time.monotonic() - start:.1f} s", flush=True)
        print(f"A month of {count * 30:,} rows, seconds, best of three:")
        for label, spent in run(name, MEASURE % {"uid": uid}).items():
            print(f"  {label:28}{spent:8.3f}   {'ok' if spent <= BAR_S else 'OVER'}", flush=True)
        for label, share in (("first report of each", 1), ("a minute's reports", 5), ("again", 5)):
            cr.execute(
                "INSERT INTO radius.usage_delta SELECT 1000000 + n, now() - interval '5 min', now(),"
                " 1000000, 9000000, 300 FROM generate_series(1, %s) n WHERE n %% %s = 0",
                [count, share],
            )
            found, rolled, followed = run(name, WORK)
            print(f"{label}: {found:,} subscriptions, roll-up {rolled} s, caps {followed} s")


def run(name, code):
    """What ``code`` prints as RESULT in a shell of the database."""
    output = server.run_shell(name, code)
    return json.loads(output.split("RESULT")[1].splitlines()[0])


if __name__ == "__main__":
    main()
