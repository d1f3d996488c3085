"""Time and memory of a data package of one subscriber with a million sessions, and of its import.

The sessions are put into 13 monthly partitions of a scratch database. The job makes the package as
in daily use, search for secrets included; then a second database checks every hash and takes the
person over. The peer is what one would write first: read all, then dump it; of a tenth of the
sessions, because it needs that much memory. ``--sessions 100000`` is a quicker run.
"""

import argparse
import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from harness import databases
from harness.server import read_shell

BAR_MIB = 200

PREPARE = """
import json
env = env(context=dict(env.context, tracking_disable=True))
partner = env["res.partner"].create({"name": "Karim Uddin", "email": "karim@customer.example",
    "phone": "+8801711000001", "street": "House 7", "city": "Dhaka",
    "country_id": env.ref("base.bd").id})
plan = env["isp.plan"].create({"name": "Home 20", "price": 500, "tax_ids": [(5,)]})
subscription = env["isp.subscription"].create({"partner_id": partner.id, "plan_id": plan.id})
subscription._activate()
nas = env["isp.nas"].create({"name": "Bench", "ip_address": "10.20.0.1"})
env.cr.commit()
print("RESULT", json.dumps({"subscription": subscription.id, "nas": nas.id}))
"""

FILL = """
    SELECT radius.ensure_partitions(13, 1);
    INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, nas_id,
        subscription_id, acctstarttime, acctupdatetime, acctstoptime, acctsessiontime,
        acctinputoctets, acctoutputoctets, callingstationid, framedipaddress, delegatedipv6prefix)
    SELECT to_hex(n), md5(n::text), 'karim', '10.20.0.1', %(nas)s, %(subscription)s, start,
           start + step * 0.9, start + step * 0.9, extract(epoch FROM step * 0.9)::bigint,
           n::bigint * 1000, n::bigint * 9000, 'AA-BB-CC-00-00-01', '100.64.0.0'::inet + (n %% 65536),
           ('2001:db8:' || to_hex(n %% 65536) || '::/56')::inet
      FROM generate_series(1, %(count)s) AS n,
           LATERAL (SELECT interval '360 days' / %(count)s) s (step),
           LATERAL (SELECT now() - interval '361 days' + n * step) t (start)
"""

REQUEST = """
import json
officer = env["res.users"].create({"name": "Farid", "login": "bench_farid",
    "group_ids": [(6, 0, env.ref("isp_privacy.group_privacy_officer").ids)]})
partner = env["isp.subscription"].browse(SUBSCRIPTION).partner_id
request = env["privacy.request"].create({"request_type": "access", "partner_id": partner.id})
request._verify_identity("letter")
request.action_review()
request.with_user(officer).action_approve()
env.cr.commit()
print("RESULT", json.dumps(request.state))
"""

# The peak is counted from here on: what was needed to load the program is not the package's.
MEMORY = """
import json, time
def memory(name):
    with open("/proc/self/status") as status:
        return next(int(l.split()[1]) / 1024 for l in status if l.startswith(name))
def measure(call):
    before = memory("VmRSS:")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    start = time.monotonic()
    result = call()
    spent = time.monotonic() - start
    return result, dict(seconds=round(spent, 1), before=round(before),
        peak=round(memory("VmHWM:")), growth=round(memory("VmHWM:") - before))
"""

BUILD = """
from contextlib import closing
env["privacy.request"].search([], limit=1).partner_id.display_name
_none, found = measure(env["privacy.export"]._cron_build)
export = env["privacy.export"].search([])
if export.state != "ready":
    raise SystemExit(export.problem)
with closing(export._open_file(export.store_name)) as stream, open({path!r}, "wb") as file:
    while chunk := stream.read(1 << 20):
        file.write(chunk)
found.update(rows=export.row_count, size=round(export.size_mb, 1), parts=len(export.part_ids))
print("RESULT", json.dumps(found))
"""

IMPORT = """
def take_over():
    model = env["privacy.export.import"]
    with open({path!r}, "rb") as file:
        package = model._open_package(file)
        report = model._import_package(package)
        return package.is_ours, report
(ours, report), found = measure(take_over)
env.cr.commit()
found.update(ours=ours, contacts=report["contact_count"], equal=report["equal_count"],
    differences=report["differences"])
print("RESULT", json.dumps(found))
"""

PEER = """
names = ["username", "ip_address", "ipv6_prefix", "mac_address", "session_ref", "date_start",
    "date_stop", "duration_hours", "download_mb", "upload_mb"]
def read_all():
    rows = env["isp.radius.session"].search_read(
        [("subscription_id", "=", {subscription})], names, limit={limit})
    return len(json.dumps(rows, default=str))
_size, found = measure(read_all)
print("RESULT", json.dumps(found))
"""


def main():
    """Make a package in one scratch database, import it into another one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    count = parser.parse_args().sessions
    first, second = (f"isp_test_{os.getpid()}_export_{number}" for number in (1, 2))
    template = databases.suite_template(print)
    with tempfile.TemporaryDirectory(prefix="isp-bench-") as folder:
        path = str(Path(folder) / "export.zip")
        try:
            for name in (first, second):
                databases.copy_database(template, name)
            export(first, count, path)
            found = read_shell(second, MEMORY + IMPORT.format(path=path), timeout=3600)
            print(
                f"Check and import into a second database: {describe(found)}; "
                f"{found['contacts']} contact, {found['equal']} values equal, "
                f"different: {found['differences'] or 'none'}, signature ours: {found['ours']}"
            )
        finally:
            databases.drop_database(first)
            databases.drop_database(second)


def export(name, count, path):
    """Fill a database, have the job make the package, and print what it took."""
    ids = read_shell(name, PREPARE)
    start = time.monotonic()
    with closing(databases.connect(name)) as connection, connection.cursor() as cr:
        cr.execute(FILL, {**ids, "count": count})
        cr.execute("VACUUM ANALYZE radius.radacct")
    print(f"  filling: {count:,} sessions, {time.monotonic() - start:.1f} s", flush=True)
    read_shell(name, REQUEST.replace("SUBSCRIPTION", str(ids["subscription"])))
    found = read_shell(name, MEMORY + BUILD.format(path=path), timeout=7200)
    print(
        f"Package of {found['rows']:,} rows: {describe(found)}, {found['size']} MB in "
        f"{found['parts']} parts, {found['rows'] / found['seconds']:,.0f} rows a second   "
        f"{'ok' if found['growth'] <= BAR_MIB else 'OVER'} (bar: {BAR_MIB} MiB)",
        flush=True,
    )
    limit = count // 10
    peer = read_shell(
        name,
        MEMORY + PEER.format(subscription=ids["subscription"], limit=limit),
        timeout=3600,
    )
    print(
        f"Peer, all rows at once, {limit:,} sessions only: {describe(peer)}, "
        f"{limit / peer['seconds']:,.0f} rows a second",
        flush=True,
    )


def describe(found):
    """Seconds and memory, as one phrase."""
    return (
        f"{found['seconds']} s, peak {found['peak']} MiB = {found['before']} MiB of the program "
        f"+ {found['growth']} MiB"
    )


if __name__ == "__main__":
    main()
