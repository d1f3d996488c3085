"""The wire follows the ledger while customers are online: real Odoo, real FreeRADIUS, NAS simulator.

Changes are committed by one process, the job runner of another sends them, FreeRADIUS answers the
next login and counts the sessions.
"""

import json
import os
import signal
import time
from contextlib import ExitStack, closing

import psycopg2
import pytest

from harness import radius
from harness.rpc import Rpc
from harness.server import OdooServer
from simulators.nas import Nas

SECRET = "secret-of-the-test-nas"
FULL, FASTER = "10M/20M", "10M/50M"

SETUP = """
import json
from datetime import timedelta

env = env(context=dict(env.context, tracking_disable=True))
ports = json.loads('@PORTS@')
for address, port in ports.items():
    env["isp.nas"].create(
        {"name": address, "ip_address": address, "secret": "@SECRET@", "coa_port": port}
    )
company = env.company
company.partner_id.tz = "Asia/Dhaka"
day = company._get_isp_today().replace(day=1) - timedelta(days=40)
vals = {
    "price": 1000, "tax_ids": [(5,)], "upload_kbps": 10000, "download_kbps": 20000,
    "framed_pool": "pool-home", "address_list": "home",
}
plans = env["isp.plan"].create([dict(vals, name="Home"), dict(vals, name="Faster")])
names = ["suspended", "paying", "upgraded", "elsewhere", "waiting", "crashed", "rolled",
         "forged", "prepaid"]
subscriptions = env["isp.subscription"].create([
    {
        "partner_id": env["res.partner"].create({"name": name}).id,
        "plan_id": plans[name == "upgraded"].id,
        "username": name, "password": "pass of " + name, "date_start": day,
        "payment_term_id": env.ref("account.account_payment_term_immediate").id,
    } for name in names
])
subscriptions._activate()
by_name = {one.username: one for one in subscriptions}
by_name["paying"]._bill(day, day)
by_name["paying"]._suspend("overdue", "Unpaid")
for login, role in (("ayesha", "accountant"), ("mona", "manager")):
    groups = [(6, 0, env.ref("isp_base.group_isp_" + role).ids)]
    env["res.users"].with_context(no_reset_password=True).create(
        {"name": login, "login": login, "password": login + "-secret", "group_ids": groups}
    )
env.cr.commit()
print("RESULT" + json.dumps({
    "ids": {name: one.id for name, one in by_name.items()},
    "plan": plans[1].id,
    "moves": by_name["paying"].charge_ids.move_id.ids,
}))
"""


@pytest.fixture(scope="module")
def routers():
    """Two routers of which the second is taken down by tests."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(Nas(f"127.0.0.{number}", SECRET, redial_s=0.2))
            for number in (11, 12)
        ]


@pytest.fixture(scope="module")
def provider(module_db, odoo_shell, routers):
    """Ids of the subscriptions by username; the password of each is "pass of <username>"."""
    ports = json.dumps({nas.address: nas.coa_port for nas in routers})
    code = SETUP.replace("@PORTS@", ports).replace("@SECRET@", SECRET)
    return json.loads(odoo_shell(module_db, code).split("RESULT")[1].splitlines()[0])


@pytest.fixture(scope="module")
def freeradius(module_db, provider, routers):
    with radius.RadiusServer(module_db) as running:
        for nas in routers:
            nas.auth_port, nas.acct_port = running.auth_port, running.acct_port
        yield running


@pytest.fixture(scope="module")
def odoo(module_db, provider):
    with OdooServer(module_db) as running:
        yield running


@pytest.fixture
def query(module_db, pg):
    connection = pg(module_db)

    def run(sql, *params):
        with connection.cursor() as cr:
            cr.execute(sql, params)
            return cr.fetchall() if cr.description else None

    return run


@pytest.fixture
def change(module_db, odoo_shell, provider):
    """Change a subscription in a process of its own, and commit."""

    def run(name, call, end="env.cr.commit()"):
        one = f"env['isp.subscription'].browse({provider['ids'][name]})"
        return odoo_shell(module_db, f"subscription = {one}\n{call}\n{end}")

    return run


@pytest.fixture
def orders(query, provider):
    """Orders of a subscription as ``[(kind, state), …]``, oldest first."""

    def read(name, *columns):
        return query(
            f"SELECT {', '.join(columns or ('kind', 'state'))} FROM isp_network_order"
            " WHERE subscription_id = %s ORDER BY id",
            provider["ids"][name],
        )

    return read


def log_in(nas, name):
    session = nas.login(name, f"pass of {name}")
    assert session, f"{name} was refused"
    return session


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def test_a_suspended_customer_is_moved_into_the_walled_garden(
    freeradius, odoo, routers, change, orders
):
    nas = routers[0]
    session = log_in(nas, "suspended")
    assert session.rate == FULL
    start = time.monotonic()
    change("suspended", "subscription._suspend('overdue', 'Unpaid')")
    [command] = nas.wait_for("disconnect", session_id=session.id)
    assert command.username == "suspended"
    _at, reply = nas.wait_for_login("suspended", after=start)
    assert reply["Mikrotik-Address-List"] == "walled-garden"
    assert wait_for(lambda: orders("suspended") == [("disconnect", "acked")])


def test_a_payment_gives_full_speed_within_seconds(
    freeradius, odoo, routers, provider, module_db, orders
):
    nas = routers[0]
    session = log_in(nas, "paying")
    assert session.reply["Mikrotik-Address-List"] == "walled-garden"
    accountant = Rpc(odoo.url).sign_in(module_db, "ayesha", "ayesha-secret")
    start = time.monotonic()
    accountant.pay(provider["moves"])
    [command] = nas.wait_for("disconnect", session_id=session.id)
    at, reply = nas.wait_for_login("paying", after=start)
    assert reply["Mikrotik-Rate-Limit"] == FULL
    assert reply["Mikrotik-Address-List"] == "home"
    # How fast it is, make bench-wire measures.
    assert at - start < 10
    assert command.at < at
    [again] = [one for one in nas.sessions.values() if one.username == "paying"]
    time.sleep(1.5)
    assert again.id in nas.sessions, "nobody is disconnected a second time"
    assert orders("paying") == [("disconnect", "acked")]


def test_time_that_is_bought_reaches_the_session_that_is_online(
    freeradius, odoo, routers, change, orders
):
    def paid_for(seconds):
        now = "__import__('odoo').fields.Datetime.now()"
        until = f"{now} + __import__('datetime').timedelta(seconds={seconds})"
        change("prepaid", f"subscription.entitlement_id.valid_until = {until}")

    nas = routers[0]
    paid_for(3600)
    session = log_in(nas, "prepaid")
    assert 3000 < session.timeout_s <= 3600
    paid_for(3 * 3600)
    nas.wait_for("coa", session_id=session.id)
    # From the beginning of the session: what it has been online comes on top.
    online = time.monotonic() - session.started
    assert 3 * 3600 < session.timeout_s <= 3 * 3600 + online + 1
    # It would have ended here.
    assert not nas.expire(session, after_s=3700)
    assert session.id in nas.sessions
    assert wait_for(lambda: orders("prepaid") == [("extend", "acked")])


def test_another_speed_reaches_the_session_without_a_drop(
    freeradius, odoo, routers, provider, module_db, odoo_shell, orders
):
    nas = routers[0]
    session = log_in(nas, "upgraded")
    code = f"env['isp.plan'].browse({provider['plan']}).download_kbps = 50000\nenv.cr.commit()"
    odoo_shell(module_db, code)
    nas.wait_for("coa", session_id=session.id)
    assert session.rate == FASTER
    assert session.id in nas.sessions
    # Verified by the next packet of the session, and not before.
    check = "env['isp.network.order']._cron_follow_up()\nenv.cr.commit()"
    odoo_shell(module_db, check)
    assert orders("upgraded") == [("coa", "acked")]
    time.sleep(1.1)
    nas.interim(session)
    odoo_shell(module_db, check)
    assert orders("upgraded") == [("coa", "verified")]


def test_nobody_waits_for_a_slow_router_and_the_newest_speed_wins(
    freeradius, odoo, routers, provider, module_db, orders
):
    nas = routers[0]
    session = next(one for one in nas.sessions.values() if one.username == "upgraded")
    manager = Rpc(odoo.url).sign_in(module_db, "mona", "mona-secret")
    nas.faults.delay_s = 2.0
    try:
        for kbps in (60000, 70000, 80000):
            start = time.monotonic()
            manager.call("isp.plan", "write", [provider["plan"]], {"download_kbps": kbps})
            assert time.monotonic() - start < 1.8, "the change waited for the router"
            time.sleep(0.25)
        wait_for(
            lambda: {state for _kind, state in orders("upgraded")} <= {"acked", "gone", "verified"}
        )
    finally:
        nas.faults.delay_s = 0.0
    assert session.rate == "10M/80M"
    told = [c.changes["Mikrotik-Rate-Limit"] for c in nas.commands if c.session_id == session.id]
    assert told[-1] == "10M/80M", told
    assert told == sorted(told), "an older speed never came after a newer one"


def test_what_is_rolled_back_is_not_sent(freeradius, odoo, routers, change, orders):
    nas = routers[0]
    session = log_in(nas, "rolled")
    change(
        "rolled", "subscription._suspend('overdue', '')\nenv.cr.flush()", end="env.cr.rollback()"
    )
    time.sleep(1.5)
    assert session.id in nas.sessions
    assert orders("rolled") == []


def test_a_dead_router_waits_alone_and_catches_up(
    freeradius, odoo, routers, module_db, odoo_shell, provider, orders, query
):
    alive, dead = routers
    here, there = log_in(alive, "elsewhere"), log_in(dead, "waiting")
    dead.faults.silent = True
    ids = [provider["ids"]["waiting"], provider["ids"]["elsewhere"]]
    start = time.monotonic()
    odoo_shell(
        module_db,
        f"env['isp.subscription'].browse({ids})._suspend('overdue', 'Unpaid')\n"
        "env.cr.commit()\nprint('committed')",
    )
    committed = time.monotonic()
    [command] = alive.wait_for("disconnect", session_id=here.id)
    assert command.at - start < committed - start + 2.5, "it did not wait for the dead one"
    wait_for(lambda: orders("waiting") == [("disconnect", "sent")])
    [[message]] = orders("waiting", "message")
    assert "does not answer" in message
    assert query("SELECT silent_since IS NOT NULL FROM radius.nas_contact WHERE silences > 0")
    dead.faults.silent = False
    dead.wait_for("disconnect", session_id=there.id, seconds=25)
    wait_for(lambda: orders("waiting") == [("disconnect", "acked")])
    assert query("SELECT silent_since FROM radius.nas_contact WHERE silences > 0") == []


def test_a_forged_answer_counts_as_none(freeradius, odoo, routers, change, orders):
    nas = routers[1]
    log_in(nas, "forged")
    nas.faults.forge = True
    try:
        change("forged", "subscription._suspend('overdue', 'Unpaid')")
        wait_for(lambda: orders("forged") == [("disconnect", "sent")])
        [[message]] = orders("forged", "message")
        assert "not signed with the router's secret" in message
    finally:
        nas.faults.forge = False


def test_a_crash_between_commit_and_job_loses_no_order(
    freeradius, module_db, odoo, routers, change, orders
):
    nas = routers[0]
    session = log_in(nas, "crashed")
    os.killpg(odoo.process.pid, signal.SIGKILL)
    odoo.process.wait(10)
    change("crashed", "subscription._suspend('overdue', 'Unpaid')")
    assert orders("crashed") == [("disconnect", "pending")]
    odoo.start()
    nas.wait_for("disconnect", session_id=session.id, seconds=30)
    wait_for(lambda: orders("crashed") == [("disconnect", "acked")])


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT * FROM radius.change",
        "SELECT * FROM radius.nas_contact",
        "SELECT radius.told('paying')",
        "SELECT * FROM public.isp_network_order",
        "INSERT INTO radius.change (subscription_id, told) VALUES (1, '{}')",
    ],
)
def test_the_role_of_freeradius_may_not(module_db, provider, forbidden):
    with closing(radius.connect_as_radius(module_db)) as connection, connection.cursor() as cr:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cr.execute(forbidden)
