"""The same subscribers and sessions in our schema and in FreeRADIUS's stock schema, by SQL."""

import os
import subprocess
from contextlib import closing

from . import databases, radius_stock, server, settings

PASSWORD = "pass-of-the-bench"
TABLES = {"ours": "radius.radacct", "stock": "radacct"}

# Makes the router in Odoo, so that its secret is sealed as ever, and the logins as the trigger
# would: each hash sealed with an IV of its own.
OURS = """
from passlib.hash import nthash
from odoo.addons.isp_base import crypto
env["isp.nas"].create({{"name": "Bench", "ip_address": "127.0.0.1", "secret": "{secret}"}})
env.flush_all()
env.cr.execute(
    "INSERT INTO radius.login (id, subscription_id, username, nt_secret, access, reason, "
    "download_kbps, upload_kbps, framed_pool, address_list, simultaneous_use, interim_interval_s) "
    "SELECT n, n, 'user' || n, encode(iv || encrypt_iv(%s, decode(%s, 'hex'), iv, 'aes'), 'hex'), "
    "'full', 'active', 20000, 10000, 'pool-home', 'home', CASE WHEN n > 3 * %s / 4 THEN 1 END, 300 "
    "FROM (SELECT n, gen_random_bytes(16 + 0 * n) AS iv FROM generate_series(1, %s) n) drawn",
    [nthash.hash("{password}").encode(), crypto.load_keyring().radius_key_hex(), {subscribers},
     {subscribers}],
)
env.cr.commit()
"""

STOCK = """
INSERT INTO radcheck (username, attribute, op, value)
SELECT 'user' || n, 'NT-Password', ':=', %(hash)s FROM generate_series(1, %(subscribers)s) n;
INSERT INTO radusergroup (username, groupname, priority)
SELECT 'user' || n, CASE WHEN n > 3 * %(subscribers)s / 4 THEN 'limited' ELSE 'home' END, 1
FROM generate_series(1, %(subscribers)s) n;
INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES
    ('limited', 'Simultaneous-Use', ':=', '1');
INSERT INTO radgroupreply (groupname, attribute, op, value)
SELECT plan, attribute, ':=', value FROM unnest(ARRAY['home', 'limited']) plan, (VALUES
    ('Mikrotik-Rate-Limit', '10M/20M'), ('Framed-Pool', 'pool-home'),
    ('Mikrotik-Address-List', 'home'), ('Acct-Interim-Interval', '300')
) reply (attribute, value)
"""

# A closed session a row within the last 20 hours, and one open session for every second subscriber.
SESSIONS = """
INSERT INTO {table} (acctsessionid, acctuniqueid, username, nasipaddress, nasportid, nasporttype,
    acctstarttime, acctupdatetime, acctstoptime, acctsessiontime, acctauthentic, acctinputoctets,
    acctoutputoctets, calledstationid, callingstationid, acctterminatecause, servicetype,
    framedprotocol, framedipaddress {more_columns})
SELECT 's' || n, md5('closed' || n), 'user' || (1 + n %% %(subscribers)s),
    ('10.250.0.' || (1 + n %% 20))::inet, 'ether1', 'Ethernet',
    now() - interval '30 hours', stop, stop, 36000, 'RADIUS', n * 1000, n * 3000, 'pppoe-in',
    '00-00-00-00-00-01', 'User-Request', 'Framed-User', 'PPP',
    '10.0.0.0'::inet + 1 + n %% %(subscribers)s {more_closed}
FROM (SELECT n, now() - n %% 72000 * interval '1 second' AS stop
      FROM generate_series(1, %(history)s) n) drawn;
INSERT INTO {table} (acctsessionid, acctuniqueid, username, nasipaddress, nasportid, nasporttype,
    acctstarttime, acctupdatetime, acctsessiontime, acctauthentic, acctinputoctets,
    acctoutputoctets, calledstationid, callingstationid, servicetype, framedprotocol,
    framedipaddress {more_columns})
SELECT 'o' || n, md5('open' || n), 'user' || n, ('10.250.0.' || (1 + n %% 20))::inet, 'ether1',
    'Ethernet', now() - interval '2 hours', now(), 7200, 'RADIUS', 1000, 3000, 'pppoe-in',
    '00-00-00-00-00-01', 'Framed-User', 'PPP', '10.0.0.0'::inet + n {more_open}
FROM generate_series(1, %(subscribers)s / 2) n
"""


def databases_of_both(stack, subscribers, history, secret):
    """Make and fill two databases, dropped with ``stack``; return their names by side."""
    names = {side: f"isp_test_{os.getpid()}_bench_{side}" for side in TABLES}
    template = databases.suite_template(print)
    for name in names.values():
        stack.callback(databases.drop_database, name)
    databases.copy_database(template, names["ours"])
    radius_stock.create_database(names["stock"])
    server.run_shell(
        names["ours"], OURS.format(secret=secret, password=PASSWORD, subscribers=subscribers)
    )
    fill(names["stock"], STOCK, subscribers=subscribers, hash=_nt_hash())
    numbers = {"subscribers": subscribers, "history": history}
    ours_more = {
        "more_columns": ", subscription_id, nas_id",
        "more_closed": ", 1 + n %% %(subscribers)s, 1",
        "more_open": ", n, 1",
    }
    for side, more in (("ours", ours_more), ("stock", dict.fromkeys(ours_more, ""))):
        fill(names[side], SESSIONS.format(table=TABLES[side], **more), **numbers)
        databases.query(names[side], "VACUUM ANALYZE")
    return names


def fill(db, statement, **values):
    """Run a statement with named values on a connection of its own."""
    with closing(databases.connect(db)) as connection, connection.cursor() as cr:
        cr.execute(statement, values)


def _nt_hash():
    from passlib.hash import nthash

    return nthash.hash(PASSWORD)


def old_month(db, rows):
    """Fill the month of two years ago with ``rows`` closed sessions; return its first moment."""
    with closing(databases.connect(db)) as connection, connection.cursor() as cr:
        cr.execute("SELECT date_trunc('month', (now() AT TIME ZONE 'UTC') - interval '2 years')")
        month = cr.fetchone()[0]
        cr.execute("SELECT radius.make_partition('radacct', %s)", [month])
        part = f"radius.radacct_{month:%Y%m}"
        cr.execute(
            f"""
            INSERT INTO {part} (acctsessionid, acctuniqueid, username, nasipaddress,
                acctstarttime, acctupdatetime, acctstoptime, acctsessiontime, acctinputoctets,
                acctoutputoctets, callingstationid, framedipaddress, subscription_id, nas_id)
            SELECT 's' || n, md5('old' || n), 'user' || n %% 100000, '10.250.0.1',
                stop - interval '1 hour', stop, stop, 3600, n, n, '00-00-00-00-00-01',
                '10.0.0.0'::inet + n %% 100000, n %% 100000, 1
            FROM (SELECT n, %(month)s::timestamp AT TIME ZONE 'UTC'
                    + n %% 2400000 * interval '1 second' AS stop
                  FROM generate_series(1, %(rows)s) n) drawn
            """,
            {"month": month, "rows": rows},
        )
    # As after two years: all of it on the disk, and nothing left to do for autovacuum.
    databases.query(db, f"VACUUM (FREEZE, ANALYZE) {part}")
    checkpoint = [settings.REPO / "scripts/pg", "superuser", "-qc", "CHECKPOINT"]
    subprocess.run(checkpoint, check=True, timeout=300)
    os.sync()
    return month
