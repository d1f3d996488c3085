"""The wire follows the ledger: real FreeRADIUS against the suite's database."""

import os
import runpy
import signal
import stat
import time
from contextlib import closing

import psycopg2
import pytest

from harness import radius
from harness.waiting import wait_for

SECRET = "secret-of-the-test-nas"
WALLED = {
    "Mikrotik-Rate-Limit": "512k/512k",
    "Framed-Pool": "pool-walled",
    "Mikrotik-Address-List": "walled-garden",
    "Session-Timeout": "1800",
}

# Prints the ids of the subscriptions by username; the password of each is "pass of <username>".
SETUP = f"""
env = env(context=dict(env.context, tracking_disable=True))
env["isp.nas"].create({{"name": "Test", "ip_address": "127.0.0.1", "secret": "{SECRET}"}})
plan = env["isp.plan"].create({{
    "name": "Home 20", "price": 1000, "upload_kbps": 10000, "download_kbps": 20000,
    "framed_pool": "pool-home", "address_list": "home", "simultaneous_use": 1,
    "interim_interval_s": 300,
}})
partner = env["res.partner"].create({{"name": "Karim Uddin"}})
names = [
    "active", "moving", "draft", "ended", "expired", "locked", "online", "cached", "accounted",
    "spooled",
]
subscriptions = env["isp.subscription"].create([
    {{"partner_id": partner.id, "plan_id": plan.id, "username": name,
      "password": "pass of " + name}} for name in names
])
by_name = {{s.username: s for s in subscriptions}}
by_name["locked"].mac_addresses = "AA:BB:CC:00:11:22"
(subscriptions - by_name["draft"])._activate()
by_name["ended"]._terminate("Moved away")
env.cr.commit()
import json
print("RESULT" + json.dumps({{name: s.id for name, s in by_name.items()}}))
"""


def login(server, name, **options):
    options = {"password": f"pass of {name}", "secret": SECRET} | options
    return server.login(name, **options)


def last_reason(query, name):
    [[reason]] = query(
        "SELECT reason FROM radius.radpostauth WHERE username = %s ORDER BY id DESC LIMIT 1", name
    )
    return reason


# === LOGINS === #


@pytest.mark.parametrize("protocol", ["pap", "mschapv2"])
def test_an_active_subscriber_gets_the_speed_of_the_plan(server, protocol):
    reply = login(server, "active", protocol=protocol)
    assert reply.accepted
    assert reply["Mikrotik-Rate-Limit"] == "10M/20M"
    assert reply["Framed-Pool"] == "pool-home"
    assert reply["Mikrotik-Address-List"] == "home"
    assert reply["Acct-Interim-Interval"] == "300"
    assert reply["Message-Authenticator"], "RouterOS 7.15 drops unsigned replies"
    if protocol == "mschapv2":
        assert bytes.fromhex(reply["MS-CHAP2-Success"][2:])[1:3] == b"S="


def test_the_case_of_a_username_does_not_matter(server):
    assert server.login("ACTIVE", "pass of active", SECRET).accepted
    assert server.login("Active", "pass of active", SECRET, protocol="mschapv2").accepted


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("active", {"password": "wrong"}, "wrong-password"),
        ("active", {"password": "wrong", "protocol": "mschapv2"}, "wrong-password"),
        ("nobody", {}, "unknown-login"),
        ("draft", {}, "not-active"),
        ("ended", {}, "not-active"),
        ("locked", {"Calling_Station_Id": "AA:BB:CC:99:99:99"}, "mac-mismatch"),
        ("locked", {}, "mac-mismatch"),
        ("active", {"protocol": "chap"}, "chap-unsupported"),
    ],
)
def test_refusals_are_kept_with_their_reason(server, query, name, options, reason):
    reply = login(server, name, **options)
    assert reply.code == "Access-Reject"
    assert reply["Mikrotik-Rate-Limit"] is None
    assert reply["Message-Authenticator"]
    assert last_reason(query, name) == reason


@pytest.mark.proves("P-01")
def test_the_typed_password_is_stored_nowhere(server, query):
    login(server, "active", password="canary-7f3a")
    [[rows]] = query("SELECT string_agg(p::text, ' ') FROM radius.radpostauth p")
    assert "canary-7f3a" not in rows
    assert "canary-7f3a" not in server.log.read_text()


@pytest.mark.parametrize("mac", ["AA:BB:CC:00:11:22", "aabb.cc00.1122", "aa-bb-cc-00-11-22"])
def test_the_locked_device_is_known_in_any_notation(server, mac):
    assert login(server, "locked", Calling_Station_Id=mac).accepted


def test_suspended_walled_in_resumed_at_full_speed(server, module_db, odoo_shell, made):
    def change(call):
        odoo_shell(
            module_db, f"env['isp.subscription'].browse({made['moving']}).{call}\nenv.cr.commit()"
        )
        reply = login(server, "moving")
        assert reply.accepted
        return reply

    assert login(server, "moving")["Mikrotik-Rate-Limit"] == "10M/20M"
    walled = change("_suspend('overdue', 'Unpaid')")
    assert {name: walled[name] for name in WALLED} == WALLED
    assert walled["Reply-Message"] == "Payment due"
    resumed = change("_resume('Paid')")
    assert resumed["Mikrotik-Rate-Limit"] == "10M/20M"
    assert resumed["Framed-Pool"] == "pool-home"


def test_what_is_not_committed_is_not_on_the_wire(server, module_db, made):
    with closing(psycopg2.connect(dbname=module_db, **owner())) as other:
        with other.cursor() as cr:
            cr.execute(
                "UPDATE isp_entitlement SET access = 'none' WHERE subscription_id = %s",
                [made["moving"]],
            )
        assert login(server, "moving").accepted
        other.rollback()


def owner():
    env = radius.environment()
    return {"host": env["PGHOST"], "user": env["PGUSER"]}


def test_an_expired_login_is_walled_in_by_the_clock_alone(server, query, made):
    query(
        "UPDATE isp_entitlement SET valid_until = (now() AT TIME ZONE 'UTC') + interval '2 s' "
        "WHERE subscription_id = %s",
        made["expired"],
    )
    assert login(server, "expired")["Mikrotik-Rate-Limit"] == "10M/20M"
    time.sleep(2.1)
    reply = login(server, "expired")
    assert {name: reply[name] for name in WALLED} == WALLED


def test_logins_do_not_wait_for_a_module_upgrade(server, module_db, made):
    """Odoo holds its locks until the whole upgrade commits."""
    folder = radius.REPO / "addons/isp_network/radius"
    with closing(psycopg2.connect(dbname=module_db, **owner())) as upgrade:
        with upgrade.cursor() as cr:
            cr.execute("ALTER TABLE isp_entitlement ADD COLUMN note varchar")
            cr.execute("ALTER TABLE isp_entitlement ALTER COLUMN framed_pool TYPE text")
            cr.execute("ALTER TABLE isp_nas ADD COLUMN note2 varchar")
            for name in runpy.run_path(str(folder / "schema.py"))["FILES"]:
                cr.execute((folder / name).read_text())
        start = time.monotonic()
        assert login(server, "active").accepted
        assert time.monotonic() - start < 1.5
        upgrade.rollback()


# === ROUTERS === #


def test_a_wrong_secret_gets_no_answer(server):
    assert login(server, "active", secret="not-the-secret").code is None


def test_an_unsigned_request_gets_no_answer(server):
    packet = {"User-Name": "active", "User-Password": "pass of active"}
    assert server._send("auth", server.auth_port, SECRET, packet).code is None


def test_a_new_router_works_without_restart(server, module_db, odoo_shell):
    def from_second_router():
        return login(server, "active", secret="second-secret", Packet_Src_IP_Address="127.0.0.2")

    pid = server.pid
    assert from_second_router().code is None
    odoo_shell(
        module_db,
        "env['isp.nas'].create({'name': 'Second', 'ip_address': '127.0.0.2', "
        "'secret': 'second-secret'})\nenv.cr.commit()",
    )
    assert from_second_router().accepted
    assert server.pid == pid


def test_the_second_session_is_refused_until_the_first_ends(server, query):
    def connect(mac):
        return login(server, "online", Calling_Station_Id=mac)

    first = connect("00:00:00:00:00:01")
    session = {
        "User_Name": "online",
        "Acct_Session_Id": "online-1",
        "Class": first["Class"],
        "Calling_Station_Id": "00:00:00:00:00:01",
    }
    server.account("Start", SECRET, **session)
    assert connect("00:00:00:00:00:02").code == "Access-Reject"
    assert last_reason(query, "online") == "session-limit"
    assert connect("00:00:00:00:00:01").accepted, "the same device may come back"
    server.account("Stop", SECRET, **session)
    assert connect("00:00:00:00:00:02").accepted


# === ACCOUNTING === #


def test_a_session_is_counted_once_however_often_it_is_reported(server, query, made):
    session = {
        "User_Name": "Accounted",
        "Acct_Session_Id": "81000001",
        "Class": login(server, "accounted")["Class"],
        "Framed_IP_Address": "10.0.0.5",
        "Calling_Station_Id": "aa:bb:cc:dd:ee:ff",
    }

    def report(status, **counters):
        for _twice in range(2):
            reply = server.account(status, SECRET, **session, **counters)
            assert reply.code == "Accounting-Response"
        return query(
            "SELECT username, subscription_id, host(framedipaddress), acctinputoctets, "
            "acctoutputoctets, acctstoptime IS NULL, acctterminatecause FROM radius.radacct "
            "WHERE username = 'accounted'"
        )

    who = ("accounted", made["accounted"], "10.0.0.5")
    assert report("Start") == [(*who, 0, 0, True, None)]
    assert report(
        "Interim-Update", Acct_Session_Time=60, Acct_Input_Octets=1000, Acct_Output_Octets=5000
    ) == [(*who, 1000, 5000, True, None)]
    assert report(
        "Stop",
        Acct_Session_Time=90,
        Acct_Input_Octets=2000,
        Acct_Output_Octets=705032704,
        Acct_Output_Gigawords=1,
        Acct_Terminate_Cause="User-Request",
    ) == [(*who, 2000, 5_000_000_000, False, "User-Request")]
    [[partition]] = query(
        "SELECT tableoid::regclass::text FROM radius.radacct WHERE username = 'accounted'"
    )
    assert partition == f"radius.radacct_{time.strftime('%Y%m', time.gmtime())}"


def test_a_router_that_sends_no_class_is_attributed_by_name(server, query, made):
    server.account("Start", SECRET, User_Name="active", Acct_Session_Id="no-class")
    [row] = query("SELECT subscription_id FROM radius.radacct WHERE acctsessionid = 'no-class'")
    assert row == (made["active"],)


def test_hostile_bytes_do_not_break_the_queries(server, query):
    name = "x'); DROP TABLE radius.login; -- \\"
    assert login(server, name.replace("\\", "\\\\"), password="p").code == "Access-Reject"
    [[kept]] = query("SELECT username FROM radius.radpostauth ORDER BY id DESC LIMIT 1")
    assert "=27" in kept and "'" not in kept
    assert login(server, "active").accepted


def test_without_a_database_known_logins_go_on_and_accounting_waits(module_db, made, query):
    with radius.DatabaseGate() as gate, radius.RadiusServer(module_db, gate) as server:
        accept = login(server, "cached")
        assert accept.accepted
        gate.close()
        reply = login(server, "cached")
        assert reply.accepted and reply["Mikrotik-Rate-Limit"] == "10M/20M"
        assert login(server, "cached", password="wrong").code == "Access-Reject"
        assert login(server, "active").code is None, "the router shall ask its next server"
        session = {"User_Name": "spooled", "Acct_Session_Id": "spooled-1"}
        assert server.account("Start", SECRET, **session).code == "Accounting-Response"
        stop = server.account("Stop", SECRET, **session, Acct_Input_Octets=4711)
        assert stop.code == "Accounting-Response"
        assert not query("SELECT 1 FROM radius.radacct WHERE username = 'spooled'")
        # A crash in the outage loses nothing either, and a start without a database works.
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        gate.open()
        [row] = wait_for(
            lambda: query(
                "SELECT acctinputoctets, subscription_id FROM radius.radacct "
                "WHERE username = 'spooled' AND acctstoptime IS NOT NULL"
            ),
            seconds=40,
        )
        assert row == (4711, made["spooled"])
        assert wait_for(lambda: login(server, "active").accepted)


# === RIGHTS === #


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT * FROM radius.login",
        "SELECT * FROM radius.client",
        "SELECT * FROM radius.radpostauth",
        "SELECT * FROM radius.desired_logins()",
        "SELECT radius.unseal('00')",
        "SELECT * FROM radius.device",
        "SELECT * FROM radius.voucher_use",
        "INSERT INTO radius.radpostauth (username) VALUES ('forged')",
        "SELECT * FROM radius.find_login('active')",
        "SELECT radius.resync()",
        "SELECT * FROM public.res_partner",
        "SELECT * FROM public.isp_subscription",
        "UPDATE radius.login SET access = 'full'",
        "SELECT * FROM radius.radacct",
        "SELECT radius.subscription_of('active')",
        "DELETE FROM radius.radacct",
        "CREATE TABLE radius.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        # Accounting is reported by functions, and read to count the sessions of a login.
        "INSERT INTO radius.radacct (acctsessionid, acctuniqueid, nasipaddress) "
        "VALUES ('x', 'x', '127.0.0.1')",
        "UPDATE radius.radacct SET acctinputoctets = 0",
        "SELECT * FROM radius.usage_delta",
        "SELECT * FROM radius.usage_day",
        "SELECT radius.roll_up_usage('{}')",
        "SELECT radius.close_stale()",
        # Sessions are told of changes by Odoo.
        "SELECT * FROM radius.change",
        "SELECT * FROM radius.nas_contact",
        "SELECT radius.told('active')",
        "SELECT * FROM public.isp_network_order",
        "INSERT INTO radius.change (subscription_id, told) VALUES (1, '{}')",
    ],
)
def test_the_role_of_freeradius_may_not(module_db, made, forbidden):
    with closing(radius.connect_as_radius(module_db)) as connection, connection.cursor() as cr:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cr.execute(forbidden)


def test_the_role_of_freeradius_alone_learns_no_password(module_db, made):
    with closing(radius.connect_as_radius(module_db)) as connection, connection.cursor() as cr:
        cr.execute("SELECT attribute FROM radius.login_items('active') WHERE id < 20 ORDER BY 1")
        assert [row[0] for row in cr.fetchall()] == [
            "ISP-Service",
            "ISP-Subscription-Id",
            "Simultaneous-Use",
        ]
        cr.execute("SELECT radius.find_nas('127.0.0.1')")
        assert cr.fetchone() == (None,)


# === THE PROCESS === #


def test_secrets_are_readable_for_freeradius_only_and_not_in_its_log(server):
    password = (radius.Path(radius.environment()["KEYS"]) / "radius_ro.password").read_text()
    assert password.strip() not in server.log.read_text()
    files = [path for path in (server.folder / "config").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        if os.getuid() == 0:
            assert path.owner() == "freerad"
    if os.getuid() == 0:
        assert os.stat(f"/proc/{server.pid}").st_uid != 0


def test_starting_twice_and_after_a_crash(module_db, made):
    with radius.RadiusServer(module_db) as server:
        first = server.pid
        assert "already" in server.run("start").stderr
        assert server.pid == first
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: server.run("status").returncode == 3)
        server.start()
        assert login(server, "active").accepted
        # A pid file that names somebody else's process is not believed.
        (server.folder / "run/radiusd.pid").write_text(str(os.getpid()))
        server.stop()
        assert login(server, "active").code is None


def test_a_taken_port_is_said_in_one_sentence(server, module_db):
    with pytest.raises(radius.HarnessError) as caught:
        other = radius.RadiusServer(module_db)
        other._env["RADIUS_AUTH_PORT"] = str(server.auth_port)
        try:
            other.start()
        finally:
            other.__exit__()
    assert "RADIUS_AUTH_PORT" in str(caught.value)
