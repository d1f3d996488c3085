"""Real Odoo servers and simulated routers: changes arrive, whoever is killed on the way.

Who kills the database as well: test_network_faults.py.
"""

import time

import pytest

from harness import server
from harness.databases import query
from harness.router_chaos import (
    CONVERGE_S,
    SECRETS,
    assert_three_way_equality,
    is_quiet,
    profiles,
    provider,
    read_state,
    secrets,
)
from harness.waiting import wait_for
from simulators.routeros import RouterOS


def test_a_change_arrives_and_a_dead_router_waits_alone(new_database, odoo_server):
    with RouterOS(users={"isp": "secret"}) as alive, RouterOS(users={"isp": "secret"}) as dead:
        with provider(new_database, {"alive": alive, "dead": dead}, 30) as database:
            dead.faults.hang = True
            odoo_server(database, crons=1)
            wait_for(lambda: len(secrets(alive)) == 30, 90, "the live router is not filled")
            assert not secrets(dead)
            start = time.monotonic()
            server.run_shell(
                database,
                "one = env['isp.subscription'].search([('username', '=', 'alive7')])\n"
                "one._suspend('other', 'Test')\nenv.cr.commit()\n"
                "import time; print(time.time())",
            )
            wait_for(
                lambda: (
                    profiles(alive)[secrets(alive)["alive7"]["profile"]].get("address-list")
                    == "walled-garden"
                ),
                30,
                "the live router does not suspend",
            )
            print(f"suspension, with the start of a shell: {time.monotonic() - start:.1f} s")
            wait_for(
                lambda: (
                    query(
                        database,
                        "SELECT s.result FROM isp_nas_sync s JOIN isp_nas n ON n.id = s.nas_id"
                        " WHERE n.name = 'dead'",
                    )
                    == [("unreachable",)]
                ),
                60,
                "the dead router is not told apart",
            )
            dead.faults.hang = False
            dead.reset_connections()
            wait_for(lambda: is_quiet(database), CONVERGE_S, "the dead router does not catch up")
            for name, sim in (("alive", alive), ("dead", dead)):
                assert_three_way_equality(read_state(database, name), sim)


@pytest.mark.parametrize("what", ["down", "password"])
def test_the_proof_of_equality_is_one(what):
    """A router that differs in one row is found out."""
    with RouterOS(users={"isp": "secret"}) as sim:
        sim.tree["/ppp/profile"].append({"name": "isp-1", "rate-limit": "5120k/10240k"})
        sim.tree[SECRETS].append(
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
