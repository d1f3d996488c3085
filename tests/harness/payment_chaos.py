"""Customers in the walled garden who pay while PostgreSQL is killed: does each get what is paid for?

The order that ends a session in the walled garden is made in the transaction of the payment. An
accountant registers the payments one after the other; after an error she looks whether the bill is
paid before she tries again. The customers' routers dial again until they are online.
"""

import http.client
import random
import time
from dataclasses import dataclass

import psycopg2

from simulators.nas import Nas

from . import radius, server
from .databases import query
from .rpc import Rpc, RpcError
from .waiting import Background, wait_for

SECRET = "secret-of-the-nas"
FULL = {"Mikrotik-Rate-Limit": "10M/20M", "Mikrotik-Address-List": "home"}
SETTLE_S = 240
# As often as a router would report in five minutes.
REPORT_S = 4

SETUP = """
import json
from datetime import timedelta

env = env(context=dict(env.context, tracking_disable=True))
env["isp.nas"].create(
    {"name": "NAS", "ip_address": "@ADDRESS@", "secret": "@SECRET@", "coa_port": @PORT@}
)
env.company.partner_id.tz = "Asia/Dhaka"
day = env.company._get_isp_today().replace(day=1) - timedelta(days=40)
plan = env["isp.plan"].create({
    "name": "Home", "price": 1000, "tax_ids": [(5,)], "upload_kbps": 10000,
    "download_kbps": 20000, "framed_pool": "pool-home", "address_list": "home",
})
subscriptions = env["isp.subscription"].create([
    {
        "partner_id": env["res.partner"].create({"name": f"Customer {number}"}).id,
        "plan_id": plan.id, "username": f"customer{number}", "password": "secret",
        "date_start": day,
        "payment_term_id": env.ref("account.account_payment_term_immediate").id,
    } for number in range(@COUNT@)
])
subscriptions._activate()
subscriptions._bill(day, day)
subscriptions._suspend("overdue", "Unpaid")
env["res.users"].with_context(no_reset_password=True).create({
    "name": "Ayesha", "login": "ayesha", "password": "ayesha-secret",
    "group_ids": [(6, 0, env.ref("isp_base.group_isp_accountant").ids)],
})
env.cr.commit()
print("RESULT" + json.dumps({one.username: one.charge_ids.move_id.ids for one in subscriptions}))
"""

LEDGER = """
SELECT s.username, s.state, e.access, l.access,
    (SELECT sum(m.amount_residual) FROM account_move m WHERE m.partner_id = s.partner_id
        AND m.move_type = 'out_invoice' AND m.state = 'posted'),
    (SELECT count(*) FROM account_payment p WHERE p.partner_id = s.partner_id
        AND p.state NOT IN ('draft', 'canceled'))
FROM isp_subscription s JOIN isp_entitlement e ON e.subscription_id = s.id
JOIN radius.login l ON l.username = s.username
"""


@dataclass
class Outcome:
    """What happened before all was equal."""

    payments: int
    kills: int
    recoveries: int
    repeated: int
    settle_s: float

    def __str__(self):
        return (
            f"{self.payments} payments, {self.kills} kills of PostgreSQL with {self.recoveries} "
            f"crash recoveries, {self.repeated} of them tried again; {self.settle_s:.0f} s "
            "later ledger, entitlement, RADIUS and router agree on every customer"
        )


def run(cluster, new_database, customers, kills, seed):
    """Let customers pay while the database is killed, compare, and return the outcome.

    :param cluster: the :class:`harness.cluster.Cluster` in use, which is killed
    :raises AssertionError: when it does not settle, or a customer has not what was paid for
    """
    chance = random.Random(seed)
    before = cluster.recoveries()
    database = new_database()
    with Nas("127.0.0.21", SECRET, redial_s=0.2) as nas:
        bills = _set_up(database, nas, customers)
        with (
            radius.RadiusServer(database) as freeradius,
            server.SupervisedServer(database, workers=2, crons=1) as odoo,
        ):
            nas.auth_port, nas.acct_port = freeradius.auth_port, freeradius.acct_port
            for name in bills:
                session = nas.login(name, "secret")
                assert session.reply["Mikrotik-Address-List"] == "walled-garden"
            done = 0
            with Background(lambda: _pay_all(odoo, database, bills)) as paying:
                while paying.running and done < kills:
                    time.sleep(chance.uniform(0.2, 1.5))
                    cluster.kill()
                    time.sleep(chance.uniform(0, 1))
                    cluster.start()
                    done += 1
            start = time.monotonic()
            _settle(database, nas, bills)
            settle_s = time.monotonic() - start
    return Outcome(customers, done, cluster.recoveries() - before, paying.result, settle_s)


def _set_up(database, nas, customers):
    values = {"ADDRESS": nas.address, "SECRET": SECRET, "PORT": nas.coa_port, "COUNT": customers}
    code = SETUP
    for name, value in values.items():
        code = code.replace(f"@{name}@", str(value))
    return server.read_shell(database, code)


# === PAYING === #


def _pay_all(odoo, database, bills):
    """Pay every bill; return how many payments had to be tried again."""
    ayesha = Rpc(odoo.url)
    repeated = 0
    for move_ids in bills.values():
        tries = 0
        while not _is_paid(database, move_ids):
            tries += 1
            assert tries < 60, f"bill {move_ids} cannot be paid"
            try:
                ayesha.sign_in(database, "ayesha", "ayesha-secret")
                ayesha.pay(move_ids)
            except (RpcError, OSError, http.client.HTTPException, ValueError):
                # The database died, so the server said so, closed the line or sent a page.
                time.sleep(0.5)
        repeated += tries > 1
    return repeated


def _is_paid(database, move_ids):
    statement = "SELECT 1 FROM account_move WHERE id = ANY(%s) AND amount_residual > 0"

    def ask():
        try:
            return [query(database, statement, [move_ids])]
        except psycopg2.OperationalError:
            return None  # dead, or in recovery

    [unpaid] = wait_for(ask, 60, "the database does not come back")
    return not unpaid


# === COMPARING === #


def _settle(database, nas, bills):
    """Wait until all agree, while time passes as it does for routers and scheduled jobs."""
    problems = []

    def all_agree():
        _let_time_pass(database, nas, bills)
        problems[:] = find_differences(database, nas, bills)
        return not problems

    try:
        wait_for(all_agree, SETTLE_S, pause_s=REPORT_S)
    except AssertionError:
        raise AssertionError(f"after {SETTLE_S} s: {problems}") from None


def _let_time_pass(database, nas, bills):
    """Routers report sessions, those who are offline dial, and the job of every minute is due."""
    online = {session.username: session for session in list(nas.sessions.values())}
    for name in bills:
        if name in online:
            nas.interim(online[name])
        else:
            nas.login(name, "secret")
    query(
        database,
        "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' WHERE id = ("
        "SELECT res_id FROM ir_model_data WHERE module = 'isp_network' AND name = %s)",
        ["ir_cron_network_orders"],
    )
    query("postgres", "SELECT pg_notify('cron_trigger', %s)", [database])


def find_differences(database, nas, bills):
    """What does not agree, in words; nothing when ledger, entitlement, RADIUS and router do."""
    expected = ("active", "full", "full", 0, 1)
    found = [
        f"{name}: {tuple(values)} in the database, expected {expected}"
        for name, *values in query(database, LEDGER)
        if tuple(values) != expected
    ]
    stored = query(database, "SELECT username, acctsessionid FROM radius.radacct_open")
    online = [(one.username, one.id) for one in list(nas.sessions.values())]
    if sorted(stored) != sorted(online) or {name for name, _id in online} != set(bills):
        found.append(f"sessions: {sorted(stored)} in the database, {sorted(online)} on the router")
    found += [
        f"{one.username}: {one.reply} on the router"
        for one in list(nas.sessions.values())
        if {name: one.reply.get(name) for name in FULL} != FULL
    ]
    orders = query(
        database,
        "SELECT username, state, message FROM isp_network_order"
        " WHERE state NOT IN ('acked', 'verified', 'gone')",
    )
    return found + [f"order: {order}" for order in orders]
