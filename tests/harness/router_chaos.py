"""Subscriptions that change while the reconciler, the database and the router die at random moments.

At the end ledger, entitlement and router must say the same of every subscription.
"""

import json
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass

from simulators.routeros import RouterOS

from . import databases, processes, server
from .databases import query
from .waiting import wait_for

CONVERGE_S = 300
SECRETS = "/ppp/secret"

SEED = """
from odoo.tools import config
plan_vals = {"tax_ids": [(5,)], "service_type": "pppoe"}
plans = env["isp.plan"].create([
    {"name": f"Home {speed}", "price": 500.0, "download_kbps": speed, "upload_kbps": speed // 2,
     **plan_vals} for speed in (10240, 20480)
])
for number, (name, port) in enumerate(@ROUTERS@.items(), 1):
    nas = env["isp.nas"].create({
        "name": name, "ip_address": f"10.99.0.{number}", "routeros_host": "127.0.0.1",
        "routeros_port": port, "routeros_tls": "none", "routeros_user": "isp",
        "routeros_password": "secret", "provisioning": "routeros",
        "routeros_gateway": "10.64.0.1",
    })
    partner = env["res.partner"].create({"name": "Karim"})
    subscriptions = env["isp.subscription"].with_context(tracking_disable=True).create([
        {"partner_id": partner.id, "plan_id": plans[one % 2].id, "date_start": "2026-01-01",
         "username": f"{name}{one}", "password": f"pw-{one}", "nas_id": nas.id}
        for one in range(@COUNT@)
    ])
    subscriptions._activate()
env.cr.commit()
"""

# Random changes, each in a transaction of its own, repeated until it is committed.
CHANGES = """
import random, time
import psycopg2
from odoo import SUPERUSER_ID, api
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

chance = random.Random(@SEED@)
ids = env["isp.subscription"].search([("nas_id", "!=", False)], order="id").ids
plan_ids = env["isp.plan"].search([("name", "like", "Home")], order="id").ids
registry = env.registry
env.cr.rollback()


def change(subscription, what, number):
    if what == "suspend" and subscription.state == "active":
        subscription._suspend("other", "Chaos")
    elif what == "resume" and subscription.state == "suspended":
        subscription._resume("Chaos")
    elif what == "password":
        subscription.password = f"new-{number}"
    elif what == "plan" and subscription.state != "terminated":
        subscription.plan_id = plan_ids[number % 2]
    elif what == "rename":
        subscription.username = f"renamed-{subscription.id}-{number}"
    elif what == "terminate" and subscription.state != "terminated":
        subscription._terminate("Chaos")


print("begun", flush=True)
done = 0
for number, subscription_id in enumerate(chance.sample(ids, len(ids))):
    what = chance.choice(["suspend", "suspend", "resume", "password", "plan", "rename", "terminate"])
    for attempt in range(200):
        try:
            with registry.cursor() as cr:
                other = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
                change(other["isp.subscription"].browse(subscription_id), what, number)
                cr.commit()
            done += 1
            break
        except (psycopg2.Error, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            time.sleep(0.2)
    time.sleep(@PAUSE@)
print("changed", done)
"""

STATE = """
import json
rows = [
    {
        "id": one.id, "state": one.state, "username": one.username, "password": one.password,
        "access": one.entitlement_ids.access, "entitled": one.entitlement_ids.username,
        "down": one.plan_id.download_kbps, "up": one.plan_id.upload_kbps,
        "entitled_down": one.entitlement_ids.download_kbps,
    }
    for one in env["isp.subscription"].search([("nas_id.name", "=", "@NAS@")])
]
print(json.dumps(rows))
"""


@contextmanager
def provider(new_database, routers, count):
    """A database whose customers are on simulated routers: ``{name: RouterOS}``."""
    database = new_database()
    ports = {name: sim.port for name, sim in routers.items()}
    code = SEED.replace("@ROUTERS@", repr(ports)).replace("@COUNT@", str(count))
    try:
        server.run_shell(database, code)
        yield database
    finally:
        databases.drop_database(database)


def secrets(sim):
    """The logins that a router holds, by name."""
    with sim.router.lock:
        return {row["name"]: dict(row) for row in sim.tree[SECRETS]}


def profiles(sim):
    """The profiles that a router holds, by name."""
    with sim.router.lock:
        return {row["name"]: dict(row) for row in sim.tree["/ppp/profile"]}


def read_state(database, name):
    """What ledger and entitlement say of each subscription on a router."""
    return json.loads(server.run_shell(database, STATE.replace("@NAS@", name)))


def assert_three_way_equality(state, sim, foreign=()):
    """Ledger, entitlement and router say the same of every subscription."""
    access_of = {"active": "full", "suspended": "walled", "terminated": "none"}
    on_router, shapes = secrets(sim), profiles(sim)
    for name in foreign:
        on_router.pop(name)
    for one in state:
        assert one["access"] == access_of[one["state"]], one
        assert (one["entitled"], one["entitled_down"]) == (one["username"], one["down"])
        row = on_router.pop(one["username"], None)
        if one["state"] == "terminated":
            assert row is None, row
            continue
        assert row["comment"] == f"isp:subscription:{one['id']}"
        assert (row["password"], row["disabled"]) == (one["password"], "false")
        shape = shapes[row["profile"]]
        if one["state"] == "active":
            rate = f"{one['up']}k/{one['down']}k"
            assert (shape["rate-limit"], shape.get("address-list", "")) == (rate, "")
        else:
            assert (shape["rate-limit"], shape["address-list"]) == ("512k/512k", "walled-garden")
    assert not on_router, f"nobody's: {sorted(on_router)[:5]}"


def is_quiet(database):
    """Nothing waits, and the last word about every router was good."""
    return query(
        database,
        "SELECT (SELECT count(*) FROM isp_nas_change),"
        " (SELECT count(*) FROM isp_nas_sync WHERE result IS DISTINCT FROM 'ok')",
    ) == [(0, 0)]


@dataclass
class Outcome:
    """What happened before all was equal."""

    subscriptions: int
    states: dict
    strikes: dict
    recoveries: int
    changes_s: float
    settle_s: float

    def __str__(self):
        strikes = ", ".join(f"{count} {kind}" for kind, count in self.strikes.items())
        return (
            f"{self.subscriptions} subscriptions changed within {self.changes_s:.0f} s: {strikes}; "
            f"{self.recoveries} crash recoveries of PostgreSQL; settled after "
            f"{self.settle_s:.0f} s; ledger, entitlement and router are equal: {self.states}"
        )


def run(cluster, new_database, subscriptions, seed, pause_s):
    """Change every subscription while everything dies, then compare; return the outcome.

    :param cluster: the :class:`harness.cluster.Cluster` in use, which is killed
    :param pause_s: between two changes
    :raises AssertionError: when it does not settle, or the three differ
    """
    before = cluster.recoveries()
    with RouterOS(users={"isp": "secret"}) as sim:
        sim.tree[SECRETS].append({"name": "boss", "password": "theirs", "comment": "hands off"})
        with provider(new_database, {"core": sim}, subscriptions) as database:
            with Chaos(cluster, database, sim, random.Random(seed)) as chaos:
                full = subscriptions + 1
                wait_for(lambda: len(secrets(sim)) == full, CONVERGE_S, "the router is not filled")
                start = time.monotonic()
                code = CHANGES.replace("@SEED@", str(seed)).replace("@PAUSE@", str(pause_s))
                changes = processes.start_shell(database, code)
                assert changes.stdout.readline() == "begun\n"
                while changes.poll() is None:
                    chaos.strike()
                _code, output, errors = processes.finish(changes)
                assert f"changed {subscriptions}" in output, errors[-2000:]
                chaos.end()
                settle = time.monotonic()
                wait_for(lambda: is_quiet(database), CONVERGE_S, "it does not settle")
                end = time.monotonic()
            state = read_state(database, "core")
        assert_three_way_equality(state, sim, foreign=["boss"])
        assert secrets(sim)["boss"]["password"] == "theirs"
    states = [one["state"] for one in state]
    return Outcome(
        subscriptions,
        {name: states.count(name) for name in sorted(set(states))},
        chaos.counts,
        cluster.recoveries() - before,
        settle - start,
        end - settle,
    )


class Chaos:
    """A server whose reconciler, database and router are struck one after the other, at random."""

    def __init__(self, cluster, database, sim, chance):
        self._cluster = cluster
        self._sim = sim
        self._chance = chance
        self._server = server.SupervisedServer(database, workers=2, crons=1)
        self._kinds = {
            "kill -9 of the server": self._server.kill,
            "kill -9 of PostgreSQL": self._kill_database,
            "reboots of the router": lambda: sim.reboot(clock_1970=True),
            "routers away": self._away,
            "replies cut off": self._drop,
            "routers that forget": self._forget,
        }
        self._coming = []
        self.counts = dict.fromkeys(self._kinds, 0)

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_exc):
        self._server.stop()

    def strike(self):
        """Do the next harm and wait for a moment. Each kind comes once before one comes again."""
        if not self._coming:
            self._coming = self._chance.sample(list(self._kinds), len(self._kinds))
        kind = self._coming.pop()
        self._kinds[kind]()
        self.counts[kind] += 1
        time.sleep(self._chance.uniform(0.1, 1.2))

    def end(self):
        """Let the router be well."""
        faults = self._sim.faults
        faults.forget_every, faults.drop_after_words = 0, None
        faults.drop_mid_word = faults.refuse_connections = False

    def _kill_database(self):
        self._cluster.kill()
        time.sleep(self._chance.uniform(0, 1))
        self._cluster.start()

    def _away(self):
        self._sim.faults.refuse_connections = True
        self._sim.reset_connections()
        time.sleep(self._chance.uniform(0.2, 2))
        self._sim.faults.refuse_connections = False

    def _drop(self):
        self._sim.faults.drop_after_words = self._chance.randrange(5, 800)
        self._sim.faults.drop_mid_word = self._chance.random() < 0.5

    def _forget(self):
        self._sim.faults.forget_every = self._chance.choice([0, 2, 5])
