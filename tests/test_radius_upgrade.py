"""Customers log in, and sessions are accounted for, while the addon is being upgraded."""

import json
import runpy
import subprocess
import threading
import time
from contextlib import closing

import psycopg2
import pytest

from harness import radius, settings
from harness.settings import odoo_command

SECRET = "secret-of-the-test-nas"
COUNT = 900
UPGRADE_S = 900

SETUP = f"""
import json
env = env(context=dict(env.context, tracking_disable=True))
env["isp.nas"].create({{"name": "Local", "ip_address": "127.0.0.1", "secret": "{SECRET}"}})
plan = env["isp.plan"].create({{
    "name": "Home", "price": 1000, "upload_kbps": 10000, "download_kbps": 20000,
    "framed_pool": "pool-home",
}})
subscription = env["isp.subscription"].create({{
    "partner_id": env["res.partner"].create({{"name": "Karim"}}).id, "plan_id": plan.id,
    "username": "customer", "password": "one-for-all",
}})
subscription._activate()
env.cr.commit()
print("RESULT" + json.dumps(subscription.id))
"""

# More customers with the same password, as the ORM would store them; the trigger hands them on.
COPIES = """
WITH copy AS (
    INSERT INTO isp_subscription
    SELECT (jsonb_populate_record(NULL::isp_subscription, to_jsonb(s) || jsonb_build_object(
        'id', nextval('isp_subscription_id_seq'), 'name', 'COPY' || n, 'username', 'customer' || n
    ))).*
    FROM isp_subscription s, generate_series(1, %(count)s) n WHERE s.id = %(id)s
    RETURNING id, username
)
INSERT INTO isp_entitlement
SELECT (jsonb_populate_record(NULL::isp_entitlement, to_jsonb(e) || jsonb_build_object(
    'id', nextval('isp_entitlement_id_seq'), 'subscription_id', copy.id,
    'username', copy.username))).*
FROM isp_entitlement e, copy WHERE e.subscription_id = %(id)s
"""


@pytest.fixture(scope="module")
def customers(module_db, odoo_shell):
    output = odoo_shell(module_db, SETUP).split("RESULT")[1].splitlines()[0]
    with closing(owner(module_db)) as connection, connection.cursor() as cr:
        cr.execute(COPIES, {"count": COUNT, "id": json.loads(output)})
        cr.execute("SELECT count(*) FROM radius.login WHERE username LIKE 'customer_%%'")
        assert cr.fetchone() == (COUNT,)
        connection.commit()


@pytest.fixture(scope="module")
def server(module_db, customers):
    with radius.RadiusServer(module_db) as running:
        yield running


def owner(db):
    env = settings.environment()
    return psycopg2.connect(dbname=db, host=env["PGHOST"], port=env.get("PGPORT"), user="isp")


def test_applying_the_schema_again_locks_nothing_of_freeradius(module_db, customers):
    """Odoo holds its locks until the whole upgrade commits."""
    folder = radius.REPO / "addons/isp_network/radius"
    with closing(owner(module_db)) as upgrade, upgrade.cursor() as cr:
        for name in runpy.run_path(str(folder / "schema.py"))["FILES"]:
            cr.execute((folder / name).read_text())
        cr.execute("SELECT radius.grant_access('radius_ro')")
        cr.execute(
            """
            SELECT l.relation::regclass::text, l.mode
            FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
            WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'radius'::regnamespace
                AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
            """
        )
        assert cr.fetchall() == []
        upgrade.rollback()


class Customers(threading.Thread):
    """Log in one after the other, each for the first time: what FreeRADIUS remembers is no help."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.done = threading.Event()
        self.failed = []
        self.slowest = 0.0
        self.count = 0

    def run(self):
        while not self.done.is_set() and self.count < COUNT:
            self.count += 1
            start = time.monotonic()
            reply = self.server.login(f"customer{self.count}", "one-for-all", SECRET)
            self.slowest = max(self.slowest, time.monotonic() - start)
            if not reply.accepted or reply["Framed-Pool"] != "pool-home":
                self.failed.append((self.count, reply))
                continue
            started = self.server.account(
                "Start",
                SECRET,
                User_Name=f"customer{self.count}",
                Acct_Session_Id=f"session-{self.count}",
                Class=reply["Class"],
            )
            if started.code != "Accounting-Response":
                self.failed.append((self.count, started))
            self.done.wait(0.2)


def test_an_upgrade_of_the_addon_refuses_nobody(module_db, server):
    pid = server.pid
    with closing(owner(module_db)) as connection, connection.cursor() as cr:
        # As if an earlier version had made the schema: all of it is executed.
        cr.execute("COMMENT ON SCHEMA radius IS 'sha256:of-an-earlier-version'")
        connection.commit()
    customers = Customers(server)
    customers.start()
    log = settings.log_folder() / "upgrade-under-load.log"
    with log.open("w") as output:
        code = subprocess.run(
            odoo_command("-d", module_db, "-u", "isp_network", "--stop-after-init", "--no-http"),
            env=settings.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=UPGRADE_S,
        ).returncode
    during = customers.count
    # And afterwards, with the functions replaced.
    time.sleep(3)
    customers.done.set()
    customers.join(30)
    assert code == 0, log.read_text()[-3000:]
    assert during > 20, "nothing was tried during the upgrade"
    assert customers.failed == []
    assert server.pid == pid
    assert not list((server.folder / "acct/spool").glob("*")), "no packet had to wait"
    with closing(owner(module_db)) as connection, connection.cursor() as cr:
        cr.execute("SELECT obj_description('radius'::regnamespace, 'pg_namespace')")
        assert cr.fetchone()[0] != "sha256:of-an-earlier-version"
        cr.execute("SELECT count(*) FROM radius.radacct WHERE acctsessionid LIKE 'session-%'")
        assert cr.fetchone() == (customers.count,)
        cr.execute("SELECT count(*) FROM radius.radpostauth WHERE reply <> 'Access-Accept'")
        assert cr.fetchone() == (0,)
