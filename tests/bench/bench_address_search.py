"""Seconds to say who had an address and port, beside reading the sessions one after the other.

A year of sessions is put into 13 monthly partitions of a scratch database, as dense per address as
100,000 subscribers with two sessions a day make it: each subscriber has 730 sessions. By default
there are 13,700 subscribers, 10 million sessions; ``--subscribers`` changes that. What grows with
the number of subscribers is the depth of the indexes, by its logarithm; run it with two sizes to
see. The questions go through the addon, from the request to the answer and its record.
"""

import argparse
import os
import statistics
import time
from contextlib import closing

from bench_reports import shell

from harness import databases

BAR_S = 1.0

PREPARE = """
company = env.company
nas = env["isp.nas"].create({"name": "Bench", "ip_address": "10.20.0.1"})
plan = env["isp.plan"].create({"name": "Plan", "price": 500, "tax_ids": [(5,)]})
user = env["res.users"].create({
    "name": "Lawful", "login": "bench_lawful",
    "group_ids": [(6, 0, env.ref("isp_network.group_isp_lawful").ids)],
})
pools = env["isp.ip.pool"].create([
    {"name": "Private", "purpose": "dynamic", "range_ids": [(0, 0, {"name": "100.64.0.0/15"})]},
    {"name": "Public", "purpose": "cgnat", "range_ids": [(0, 0, {"name": "203.0.0.0/20"})]},
])
translation = env["isp.cgnat.pool"].create({
    "name": "All", "private_pool_id": pools[0].id, "public_pool_id": pools[1].id,
    "valid_from": "2020-01-01 00:00:00",
})
translation.action_put_in_force()
env.cr.commit()
print("RESULT", json.dumps({"nas": nas.id, "plan": plan.id, "company": company.id, "uid": user.id}))
"""

# Subscriber n sleeps and dials: two sessions a day of about eleven hours, at one of 256 moments so
# that addresses change hands; one in 500 stays online for two months, and all are online now.
FILL = (
    (
        "customers and subscriptions",
        """
        INSERT INTO res_partner (id, name, complete_name, type, autopost_bills, active, phone,
                                 commercial_partner_id, create_date, write_date)
        SELECT 1000000 + n, 'Customer ' || n, 'Customer ' || n, 'contact', 'ask', TRUE,
               '+88017' || lpad(n::text, 8, '0'), 1000000 + n, now(), now()
          FROM generate_series(1, %(count)s) AS n;
        INSERT INTO isp_subscription (id, name, company_id, partner_id, commercial_partner_id,
            plan_id, state, active, username, end_policy, create_date, write_date)
        SELECT 1000000 + n, 'B' || n, %(company)s, 1000000 + n, 1000000 + n, %(plan)s, 'active',
               TRUE, 'bench' || n, 'credit', now(), now()
          FROM generate_series(1, %(count)s) AS n
        """,
    ),
    (
        "indexes that no question uses, dropped",
        """
        DROP INDEX radius.radacct_user; DROP INDEX radius.radacct_id;
        DROP INDEX radius.radacct_ip; DROP INDEX radius.radacct_subscription;
        DROP INDEX radius.radacct_delegated; DROP INDEX radius.radacct_ipv6_prefix;
        DROP INDEX radius.radacct_ipv6_address;
        SELECT radius.ensure_partitions(13, 1);
        DO $$ DECLARE one text; BEGIN
            FOR one IN SELECT indexname FROM pg_indexes WHERE schemaname = 'radius'
                AND tablename ~ '^radacct_[0-9]' LOOP EXECUTE 'DROP INDEX radius.' || one; END LOOP;
        END $$
        """,
    ),
    (
        "sessions",
        """
        INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, nas_id,
            subscription_id, acctstarttime, acctupdatetime, acctstoptime, acctsessiontime,
            acctinputoctets, acctoutputoctets, callingstationid, framedipaddress,
            delegatedipv6prefix)
        SELECT to_hex(d * 131072 + n), md5(n || ':' || d || ':' || half), 'bench' || n,
               '10.20.0.1', %(nas)s, 1000000 + n, start, stop, stop, 39600, 1000000000, 9000000000,
               'AA-BB-CC-00-' || lpad(to_hex(n %% 256), 2, '0') || '-01',
               '100.64.0.0'::inet + place,
               ('2001:db8:' || to_hex(place >> 8) || ':' || to_hex((place & 255) << 8)
                   || '::/56')::inet
          FROM generate_series(0, 364) AS d, generate_series(0, 1) AS half,
               generate_series(1, %(count)s) AS n,
               LATERAL (SELECT (n + 17 * d + half) %% %(count)s) s (place),
               LATERAL (SELECT date_trunc('day', now()) - (365 - d) * interval '1 day'
                   + half * interval '12 hours' + (n * 97 %% 2400) * interval '1 second') t (start),
               LATERAL (SELECT start + CASE WHEN n %% 500 = 0 AND d %% 61 = 0 AND half = 0
                   THEN interval '60 days' ELSE interval '11 hours' END) u (ended),
               LATERAL (SELECT CASE WHEN ended < date_trunc('day', now())
                   AND d * 2 + half < 729 THEN ended END) v (stop)
        """,
    ),
    (
        "indexes",
        """
        CREATE INDEX radacct_ip ON radius.radacct (framedipaddress, acctstarttime);
        CREATE INDEX radacct_subscription ON radius.radacct (subscription_id, acctstarttime);
        CREATE INDEX radacct_delegated ON radius.radacct (delegatedipv6prefix, acctstarttime)
            WHERE delegatedipv6prefix IS NOT NULL;
        CREATE INDEX radacct_ipv6_prefix ON radius.radacct (framedipv6prefix, acctstarttime)
            WHERE framedipv6prefix IS NOT NULL;
        CREATE INDEX radacct_ipv6_address ON radius.radacct (framedipv6address, acctstarttime)
            WHERE framedipv6address IS NOT NULL
        """,
    ),
    ("statistics", "VACUUM ANALYZE radius.radacct"),
)

ASK = """
import json, random, time
from datetime import datetime, timedelta

from odoo.addons.isp_network.addresses import cgnat

user = env["res.users"].browse({uid})
dice = random.Random({seed})
count = {count}
requests = env["isp.address.request"].with_user(user)
blocks = [(b, b._get_block()) for b in env["isp.cgnat.block"].search([])]
today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
spent, found, slow = {{}}, 0, []
for number in range({questions}):
    import ipaddress
    place = dice.randrange(count)
    private = ipaddress.IPv4Address("100.64.0.0") + place
    moment = today - timedelta(seconds=dice.randrange(60, 365 * 86400))
    kind = ("private", "shared", "ipv6", "all sessions of a month")[number % 4]
    vals = {{"authority": "A", "reference": str(number), "date_received": today.date(),
            "requested_by": "R", "reason": "Bench", "tz": "UTC",
            "moment_text": str(moment)}}
    if kind == "private":
        vals["address"] = str(private)
    elif kind == "shared":
        one = next(n for _b, n in blocks if private in n.private)
        vals |= {{"address": str(cgnat.translate(private, one.private, one.public)),
                 "port": dice.randint(one.port_first, one.port_last)}}
    elif kind == "ipv6":
        net = int(ipaddress.IPv6Address("2001:db8::")) + (place << 72)
        vals["address"] = str(ipaddress.IPv6Address(net + dice.getrandbits(72)))
    else:
        vals |= {{"kind": "subscription", "subscription_id": 1000001 + place,
                 "date_from": (moment - timedelta(days=30)).date(), "date_to": moment.date()}}
    request = requests.create(vals)
    env.flush_all()
    env.invalidate_all()
    begin = time.perf_counter()
    request.action_answer()
    env.flush_all()
    spent.setdefault(kind, []).append(time.perf_counter() - begin)
    found += bool(request.answer_ids)
    env.cr.commit()
print("RESULT", json.dumps({{"spent": spent, "found": found}}))
"""

SEQUENTIAL = """
    SELECT count(*) FROM radius.radacct a
     WHERE a.framedipaddress = %s AND a.acctstarttime <= %s
       AND (a.acctstoptime >= %s OR a.acctstoptime IS NULL)
"""


def fill(database, count):
    values = shell(database, PREPARE) | {"count": count}
    with closing(databases.connect(database)) as connection, connection.cursor() as cr:
        cr.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        for what, statement in FILL:
            start = time.perf_counter()
            cr.execute(statement, values)
            print(f"  {what:40} {time.perf_counter() - start:7.1f} s", flush=True)
        cr.execute(
            "SELECT count(*), count(DISTINCT tableoid), count(*) FILTER (WHERE acctstoptime IS NULL)"
            " FROM radius.radacct"
        )
        rows, parts, still_open = cr.fetchone()
        cr.execute(
            "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits"
            " WHERE inhparent = 'radius.radacct'::regclass"
        )
        size = cr.fetchone()[0]
    print(f"  {rows:,} sessions in {parts} partitions, {still_open:,} open, {size}")
    return values


def ask_sequentially(database, questions):
    """The peer: the same question without an index, months before the moment left out as well."""
    spent = []
    with closing(databases.connect(database)) as connection, connection.cursor() as cr:
        cr.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        cr.execute("SET enable_indexonlyscan = off")
        for number in range(questions):
            cr.execute(
                "SELECT date_trunc('day', now()) - %s * interval '1 day'", [20 + 340 * number // 5]
            )
            [moment] = cr.fetchone()
            start = time.perf_counter()
            cr.execute(SEQUENTIAL, [f"100.64.0.{number + 5}", moment, moment])
            cr.fetchone()
            spent.append(time.perf_counter() - start)
    return spent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=13_700)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    databases.drop_leftovers()
    template = os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print)
    database = f"isp_test_{os.getpid()}_addresses"
    databases.copy_database(template, database)
    try:
        print(f"{options.subscribers:,} subscribers, one year, filled by SQL:")
        values = fill(database, options.subscribers)
        values |= {"questions": options.questions, "seed": options.seed}
        answer = shell(database, ASK.format(**values))
        show(answer, ask_sequentially(database, 5), options.questions)
    finally:
        databases.drop_database(database)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(answer, sequential, questions):
    print(f"\n  {questions} random questions, {answer['found']} found somebody")
    print(f"  {'question':26} {'p50':>9} {'p95':>9} {'max':>9}")
    everything = [one for spent in answer["spent"].values() for one in spent]
    for kind, spent in [*answer["spent"].items(), ("all", everything)]:
        p50, p95 = statistics.median(spent), percentile(spent, 0.95)
        print(f"  {kind:26} {p50 * 1000:6.1f} ms {p95 * 1000:6.1f} ms {max(spent) * 1000:6.1f} ms")
    peer = statistics.median(sequential)
    print(
        f"  one after the other: median {peer:.2f} s, slowest {max(sequential):.2f} s; "
        f"{peer / statistics.median(everything):,.0f} times as long"
    )
    met = "met" if max(everything) < BAR_S else "MISSED"
    print(f"  slowest {max(everything):.3f} s  bar < {BAR_S:.0f} s  {met}")
    load, cores = os.getloadavg()[0], os.cpu_count()
    if load > cores:
        print(f"  The machine was busy: load {load:.1f} on {cores} cores.")


if __name__ == "__main__":
    main()
