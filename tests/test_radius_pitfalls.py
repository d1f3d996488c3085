"""What goes wrong in stock configurations of FreeRADIUS, row by row (docs/network-radius.md)."""

import re
import subprocess
import time

import pytest

from harness import radius

SECRET = "secret-of-the-test-nas"

SETUP = f"""
env = env(context=dict(env.context, tracking_disable=True))
env["isp.nas"].create({{"name": "Test", "ip_address": "127.0.0.1", "secret": "{SECRET}"}})
plan = env["isp.plan"].create({{"name": "Home", "price": 1000, "allow_chap": True,
    "address_list": "home", "framed_pool": "pool-home"}})
partner = env["res.partner"].create({{"name": "Karim Uddin"}})
env["isp.subscription"].create({{"partner_id": partner.id, "plan_id": plan.id,
    "username": "cached", "password": "pass of cached",
    "mac_addresses": "AA-BB-CC-00-00-01 AA-BB-CC-00-00-02"}})._activate()
env.cr.commit()
"""
MAC = {"Calling_Station_Id": "AA-BB-CC-00-00-01"}


@pytest.fixture(scope="module")
def nas(module_db, odoo_shell):
    odoo_shell(module_db, SETUP)


def raw_login(server, protocol="pap"):
    """A login as radclient prints it, so that an attribute that comes twice is seen twice."""
    field = "CHAP-Password" if protocol == "chap" else "User-Password"
    done = subprocess.run(
        ["radclient", "-x", "-t", "3", "-r", "1", f"127.0.0.1:{server.auth_port}", "auth", SECRET],
        input=f'User-Name = "cached"\n{field} = "pass of cached"\nNAS-IP-Address = 127.0.0.1\n'
        f'Calling-Station-Id = "{MAC["Calling_Station_Id"]}"\nMessage-Authenticator = 0x00\n',
        capture_output=True,
        text=True,
        timeout=30,
    )
    answer = done.stdout.partition("Received ")[2]
    assert answer.startswith("Access-Accept"), done.stdout
    return re.findall(r"^\t([\w-]+) = ", answer, re.MULTILINE)


def test_a_cached_answer_has_every_attribute_once(module_db, nas):
    with radius.DatabaseGate() as gate, radius.RadiusServer(module_db, gate) as server:
        live = [raw_login(server) for _time in range(3)][-1]
        gate.close()
        for protocol in ("pap", "chap"):
            cached = raw_login(server, protocol)
            assert sorted(cached) == sorted(live)
            assert len(cached) == len(set(cached))
        other = server.login(
            "cached", "pass of cached", SECRET, Calling_Station_Id="00-11-22-33-44-55"
        )
        assert other.code == "Access-Reject", "the lock holds without a database"


def test_a_record_that_can_never_be_stored_blocks_no_other(module_db, nas, pg):
    """It is spooled, then put aside; those behind it are stored."""
    with radius.RadiusServer(module_db) as server, pg(module_db).cursor() as cr:
        cr.execute(
            "ALTER TABLE radius.radacct_open ADD CONSTRAINT never CHECK (username <> 'poison')"
        )
        try:
            for name in ("poison", "behind"):
                session = {"User_Name": name, "Acct_Session_Id": f"{name}-1"}
                reply = server.account("Start", SECRET, **session)
                assert reply.code == "Accounting-Response", (name, server.log.read_text())
            deadline = time.monotonic() + 40
            dead = server.folder / "acct/dead"
            while not any(b"poison" in file.read_bytes() for file in dead.glob("*")):
                assert time.monotonic() < deadline, "the record was not put aside"
                time.sleep(0.2)
            cr.execute("SELECT count(*) FROM radius.radacct WHERE username = 'behind'")
            assert cr.fetchone() == (1,)
        finally:
            cr.execute("ALTER TABLE radius.radacct_open DROP CONSTRAINT never")


def test_timeouts_end_in_this_order():
    """A query that waits ends before the driver gives the connection up."""
    folder = radius.REPO / "deploy/freeradius"
    queries = (folder / "queries").read_text().replace("\\\n", "")
    modules = (folder / "modules").read_text()
    lock = int(re.search(r"lock_timeout = (\d+)", queries)[1])
    statement = int(re.search(r"statement_timeout = (\d+)", queries)[1])
    driver = int(re.search(r"query_timeout = (\d+)", modules)[1]) * 1000
    assert lock < statement < driver


def test_two_servers_fit_the_roles_connections(module_db, pg):
    pool = int(
        re.search(r"max = (\d+)", (radius.REPO / "deploy/freeradius/modules").read_text())[1]
    )
    with pg(module_db).cursor() as cr:
        cr.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'radius_ro'")
        [limit] = cr.fetchone()
    assert limit == -1 or 2 * pool <= limit
