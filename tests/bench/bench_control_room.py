"""Milliseconds to find a customer in the control room among 100,000, by whatever is typed.

All are online, with a million sessions behind them. Beside it, the ORM's own search for the same
text in the ordinary list of subscriptions, where the list can search by it at all.
"""

import argparse
import os
import statistics
from contextlib import closing

from bench_address_search import PREPARE
from bench_reports import shell

from harness import databases

BAR_S = 1.0
FILL = """
    INSERT INTO res_partner (id, name, complete_name, type, autopost_bills, active, phone,
                             phone_sanitized, city, commercial_partner_id, create_date, write_date)
    SELECT 1000000 + n, name, name, 'contact', 'ask', TRUE, phone, phone, 'Dhaka', 1000000 + n,
           now(), now()
      FROM generate_series(1, %(count)s) AS n,
           LATERAL (SELECT (ARRAY['Karim', 'Nasrin', 'Rahim', 'Ayesha', 'Jamal'])[1 + n %% 5]
               || ' ' || (ARRAY['Uddin', 'Akter', 'Hossain', 'Begum', 'Das', 'Khan', 'Roy'])
                   [1 + n %% 7] || ' ' || md5(n::text)) a (name),
           LATERAL (SELECT '+88017' || lpad(n::text, 8, '0')) b (phone);
    INSERT INTO isp_subscription (id, name, company_id, partner_id, commercial_partner_id,
        plan_id, state, active, username, mac_addresses, end_policy, create_date, write_date)
    SELECT 1000000 + n, 'SUB/' || lpad(n::text, 6, '0'), %(company)s, 1000000 + n, 1000000 + n,
           %(plan)s, 'active', TRUE, 'bench' || n, CASE WHEN n %% 3 = 0 THEN 'AA-BB-CC-'
           || to_char(n / 10000, 'FM00') || '-' || to_char(n / 100 %% 100, 'FM00') || '-'
           || to_char(n %% 100, 'FM00') END, 'credit', now(), now()
      FROM generate_series(1, %(count)s) AS n;
    INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, nas_id,
        subscription_id, acctstarttime, acctupdatetime, acctstoptime, callingstationid,
        framedipaddress)
    SELECT 's' || d, 'u' || d || ':' || n, 'bench' || n, '10.20.0.1', %(nas)s, 1000000 + n,
           now() - (d + 1) * interval '8 hours', now() - d * interval '8 hours' - interval '1 min',
           CASE WHEN d > 0 THEN now() - d * interval '8 hours' - interval '1 min' END,
           'AA-BB-CC-' || to_char(n / 10000, 'FM00') || '-' || to_char(n / 100 %% 100, 'FM00')
           || '-' || to_char(n %% 100, 'FM00'), '100.64.0.0'::inet + n
      FROM generate_series(0, 10) AS d, generate_series(1, %(count)s) AS n
"""

ASK = """
import json, random, time

env = env(user={uid})
room = env["isp.control.room"]
dice = random.Random(1)
count = {count}


def seconds(call):
    env.invalidate_all()
    begin = time.perf_counter()
    found = call()
    return time.perf_counter() - begin, found


def device(n):
    return f"aa:bb:cc:{{n // 10000:02}}:{{n // 100 % 100:02}}:{{n % 100:02}}"


import hashlib
import ipaddress
kinds = {{
    "a common name": (lambda n: "karim", "partner_id"),
    "a whole name": (lambda n: hashlib.md5(str(n).encode()).hexdigest()[:12], "partner_id"),
    "phone": (lambda n: f"017{{n:08}}", None),
    "end of a phone": (lambda n: f"{{n:08}}"[-7:], None),
    "username": (lambda n: f"bench{{n}}", "username"),
    "subscription number": (lambda n: f"sub/{{n:06}}", "name"),
    "IP address": (lambda n: str(ipaddress.IPv4Address("100.64.0.0") + n), None),
    "MAC address": (device, None),
    "nobody": (lambda n: f"zq{{n}}zq", "partner_id"),
}}
result = {{}}
for kind, (make, field) in kinds.items():
    spent, peer, found = [], [], 0
    for _round in range({rounds}):
        word = make(dice.randrange(100, count))
        took, answer = seconds(lambda: room.find(word))
        spent.append(took)
        found += bool(answer["hits"])
        if field:
            took, _records = seconds(lambda: env["isp.subscription"].web_search_read(
                [(field, "ilike", word)], {{"name": {{}}}}, limit=20))
            peer.append(took)
    result[kind] = [spent, peer, found]
result["who is online"] = [[seconds(room.online)[0] for _round in range({rounds})], [], {rounds}]
print("RESULT", json.dumps(result))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    databases.drop_leftovers()
    template = os.environ.get("ISP_SUITE_TEMPLATE") or databases.suite_template(print)
    database = f"isp_test_{os.getpid()}_control"
    databases.copy_database(template, database)
    try:
        values = shell(database, PREPARE) | {"count": options.subscribers}
        with closing(databases.connect(database)) as connection, connection.cursor() as cr:
            cr.execute("SET synchronous_commit = off; SELECT radius.ensure_partitions()")
            cr.execute(FILL, values)
            cr.execute("VACUUM ANALYZE")
        show(shell(database, ASK.format(**values, rounds=options.rounds)))
    finally:
        databases.drop_database(database)


def show(result):
    print(f"\n  {'typed':22} {'p50':>9} {'max':>9}   ordinary list, p50")
    for kind, (spent, peer, found) in result.items():
        beside = f"{statistics.median(peer) * 1000:6.0f} ms" if peer else ""
        p50 = statistics.median(spent)
        print(
            f"  {kind:22} {p50 * 1000:6.0f} ms {max(spent) * 1000:6.0f} ms   {beside:>9}"
            f"   {found} of {len(spent)} found"
        )
    slowest = max(max(spent) for spent, _peer, _found in result.values())
    met = "met" if slowest < BAR_S else "MISSED"
    print(f"  slowest {slowest:.3f} s  bar < {BAR_S:.0f} s  {met}")
    load, cores = os.getloadavg()[0], os.cpu_count()
    if load > cores:
        print(f"  The machine was busy: load {load:.1f} on {cores} cores.")


if __name__ == "__main__":
    main()
