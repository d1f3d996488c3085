"""Real Odoo servers and simulated routers: changes arrive, whoever is killed on the way."""

import json
import random
import subprocess
import time
from contextlib import contextmanager

import pytest

from harness import databases, server
from harness.databases import query
from harness.settings import environment, odoo_command
from simulators.routeros import RouterOS

SUBSCRIPTIONS = 500
CHAOS_SEED = 20261127
CONVERGE_S = 300
SECRET = "/ppp/secret"

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
    """A database whose customers are on simulated routers."""
    database = new_database()
    ports = {name: sim.port for name, sim in routers.items()}
    code = SEED.replace("@ROUTERS@", repr(ports)).replace("@COUNT@", str(count))
    server.run_shell(database, code)
    try:
        yield database
    finally:
        databases.drop_database(database)


def shell_process(database, code):
    process = subprocess.Popen(
        odoo_command("shell", "-d", database, "--no-http", "--log-level", "critical"),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(code)
    process.stdin.close()
    process.stdin = None
    return process


def wait_until(check, seconds, what):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.2)


def secrets(sim):
    with sim.router.lock:
        return {row["name"]: dict(row) for row in sim.tree[SECRET]}


def profiles(sim):
    with sim.router.lock:
        return {row["name"]: dict(row) for row in sim.tree["/ppp/profile"]}


def read_state(database, name):
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


def test_a_change_arrives_and_a_dead_router_waits_alone(new_database, odoo_server):
    with RouterOS(users={"isp": "secret"}) as alive, RouterOS(users={"isp": "secret"}) as dead:
        with provider(new_database, {"alive": alive, "dead": dead}, 30) as database:
            dead.faults.hang = True
            odoo_server(database, crons=1)
            wait_until(lambda: len(secrets(alive)) == 30, 90, "the live router filled")
            assert not secrets(dead)
            start = time.monotonic()
            server.run_shell(
                database,
                "one = env['isp.subscription'].search([('username', '=', 'alive7')])\n"
                "one._suspend('other', 'Test')\nenv.cr.commit()\n"
                "import time; print(time.time())",
            )
            wait_until(
                lambda: (
                    profiles(alive)[secrets(alive)["alive7"]["profile"]].get("address-list")
                    == "walled-garden"
                ),
                30,
                "the suspension on the live router",
            )
            print(f"suspension, with the start of a shell: {time.monotonic() - start:.1f} s")
            wait_until(
                lambda: (
                    query(
                        database,
                        "SELECT s.result FROM isp_nas_sync s JOIN isp_nas n ON n.id = s.nas_id"
                        " WHERE n.name = 'dead'",
                    )
                    == [("unreachable",)]
                ),
                60,
                "the dead router told apart",
            )
            dead.faults.hang = False
            dead.reset_connections()
            wait_until(lambda: is_quiet(database), CONVERGE_S, "the dead router caught up")
            for name, sim in (("alive", alive), ("dead", dead)):
                assert_three_way_equality(read_state(database, name), sim)


def test_ledger_entitlement_and_router_agree_after_chaos(new_database):
    """Server killed, database connections cut, router rebooting, lying and away: 500 changes."""
    chance = random.Random(CHAOS_SEED)
    with RouterOS(users={"isp": "secret"}) as sim:
        sim.tree[SECRET].append({"name": "boss", "password": "theirs", "comment": "hands off"})
        with provider(new_database, {"core": sim}, SUBSCRIPTIONS) as database:
            running = server.OdooServer(database, crons=1).start()
            try:
                wait_until(lambda: len(secrets(sim)) == SUBSCRIPTIONS + 1, 120, "router filled")
                code = CHANGES.replace("@SEED@", str(CHAOS_SEED)).replace("@PAUSE@", "0.08")
                changes = shell_process(database, code)
                counts = dict.fromkeys(_CHAOS, 0)
                while changes.poll() is None:
                    what = chance.choice(list(_CHAOS))
                    counts[what] += 1
                    if what == "kill":
                        running.kill()
                        running = server.OdooServer(database, crons=1).start()
                    else:
                        _CHAOS[what](database, sim, chance)
                    time.sleep(chance.uniform(0.2, 1.5))
                output, errors = changes.communicate(timeout=10)
                assert f"changed {SUBSCRIPTIONS}" in output, errors[-2000:]
                _calm(sim)
                start = time.monotonic()
                wait_until(lambda: is_quiet(database), CONVERGE_S, "everything settled")
                print(f"{counts}, settled after {time.monotonic() - start:.0f} s")
            finally:
                running.stop()
            state = read_state(database, "core")
            assert len({one["state"] for one in state}) == 3, "the changes were no changes"
            assert_three_way_equality(state, sim, foreign=["boss"])
            assert secrets(sim)["boss"]["password"] == "theirs"
            assert min(counts.values()), f"not everything happened: {counts}"


def _cut_database(database, _sim, _chance):
    query(
        database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def _reboot(_database, sim, _chance):
    sim.reboot(clock_1970=True)


def _away(_database, sim, chance):
    sim.faults.refuse_connections = True
    sim.reset_connections()
    time.sleep(chance.uniform(0.2, 2))
    sim.faults.refuse_connections = False


def _drop(_database, sim, chance):
    sim.faults.drop_after_words = chance.randrange(5, 800)
    sim.faults.drop_mid_word = chance.random() < 0.5


def _forget(_database, sim, chance):
    sim.faults.forget_every = chance.choice([0, 2, 5])


_CHAOS = {
    "kill": None,
    "database": _cut_database,
    "reboot": _reboot,
    "away": _away,
    "drop": _drop,
    "forget": _forget,
}


def _calm(sim):
    sim.faults.forget_every, sim.faults.drop_after_words = 0, None
    sim.faults.drop_mid_word = sim.faults.refuse_connections = False


@pytest.mark.parametrize("what", ["down", "password"])
def test_the_proof_of_equality_is_one(what):
    """A router that differs in one row is found out."""
    with RouterOS(users={"isp": "secret"}) as sim:
        sim.tree["/ppp/profile"].append({"name": "isp-1", "rate-limit": "5120k/10240k"})
        sim.tree[SECRET].append(
            {"name": "a", "password": "pw", "profile": "isp-1", "comment": "isp:subscription:1"}
        )
        one = {
            "id": 1, "state": "active", "username": "a", "entitled": "a", "password": "pw",
            "access": "full", "down": 10240, "up": 5120, "entitled_down": 10240,
        }  # fmt: skip
        assert_three_way_equality([one], sim)
        wrong = {"down": {"down": 9, "entitled_down": 9}, "password": {"password": "x"}}[what]
        with pytest.raises(AssertionError):
            assert_three_way_equality([{**one, **wrong}], sim)
