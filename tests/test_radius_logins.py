"""Logins as a table: who, how, from which router, and what comes back. Real FreeRADIUS."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

SECRET = "secret-of-the-mikrotik"
OTHER_SECRET = "secret-of-the-other-nas"
# The routers: MikroTik at 127.0.0.1, a standard one at 127.0.0.2, one for IPoE at 127.0.0.3.
ROUTERS = {"mikrotik": ("127.0.0.1", SECRET), "standard": ("127.0.0.2", OTHER_SECRET)}
IPOE = ("127.0.0.3", "secret-of-the-ipoe-nas")
DEVICE, SECOND, THIRD = "AA-BB-CC-00-00-01", "AA-BB-CC-00-00-02", "AA-BB-CC-00-00-03"

# Prints ids by username and vouchers as (code, PIN); passwords are "pass of <username>".
SETUP = f"""
env = env(context=dict(env.context, tracking_disable=True))
env["isp.nas"].create([
    {{"name": "MikroTik", "ip_address": "127.0.0.1", "secret": "{SECRET}"}},
    {{"name": "Standard", "ip_address": "127.0.0.2", "secret": "{OTHER_SECRET}",
      "nas_type": "other"}},
    {{"name": "IPoE", "ip_address": "127.0.0.3", "secret": "{IPOE[1]}", "login_by_mac": True}},
])
env.company.isp_realm = "isp.example"
common = {{
    "price": 1000, "upload_kbps": 10000, "download_kbps": 20000, "framed_pool": "pool-home",
    "ipv6_pool": "pool6", "address_list": "home", "simultaneous_use": 1,
    "interim_interval_s": 300, "idle_timeout_s": 600, "session_timeout_s": 86400,
}}
plan = env["isp.plan"].create({{"name": "Home", **common}})
plans = {{
    "plain": plan,
    "chap": plan.copy({{"name": "CHAP", "allow_chap": True}}),
    "burst": plan.copy({{"name": "Burst", "burst_upload_kbps": 15000, "burst_download_kbps": 30000,
        "burst_threshold_upload_kbps": 8000, "burst_threshold_download_kbps": 16000,
        "burst_time_s": 8}}),
    "refusing": plan.copy({{"name": "Refusing", "suspend_mode": "reject"}}),
    "learning": plan.copy({{"name": "Learning", "mac_lock": "first_use"}}),
    "two": plan.copy({{"name": "Two", "mac_lock": "first_use", "mac_lock_devices": 2,
        "simultaneous_use": 2}}),
    "fixed": plan.copy({{"name": "Fixed", "mac_lock": "fixed"}}),
    "ipoe": plan.copy({{"name": "IPoE", "service_type": "ipoe"}}),
    "hotspot": plan.copy({{"name": "Hotspot", "service_type": "hotspot", "allow_chap": True,
        "ipv6_pool": False}}),
}}
partner = env["res.partner"].create({{"name": "Karim Uddin"}})
wanted = {{
    "active": "plain", "chap-active": "chap", "burst": "burst", "static": "plain",
    "throttled": "plain", "overdue": "plain", "chap-overdue": "chap", "paused": "plain",
    "refused": "refusing", "draft": "plain", "ended": "plain", "lapsed": "plain",
    "lasting": "plain", "locked": "plain", "racing": "plain", "first": "learning", "crowd": "learning",
    "pair": "two", "unregistered": "fixed", "dhcp": "ipoe", "pppoe-box": "plain",
    "kept@elsewhere.example": "plain", "online": "plain",
}}
subs = {{name: env["isp.subscription"].create({{
    "partner_id": partner.id, "plan_id": plans[kind].id, "username": name,
    "password": "pass of " + name}}) for name, kind in wanted.items()}}
subs["static"].write({{"ipv4_address": "10.9.8.7", "delegated_prefix": "2001:db8:5::/56"}})
subs["locked"].mac_addresses = "{DEVICE}"
subs["dhcp"].mac_addresses = "AA-BB-CC-77-77-01"
subs["pppoe-box"].mac_addresses = "AA-BB-CC-77-77-02"
for name, sub in subs.items():
    if name != "draft":
        sub._activate()
subs["throttled"]._throttle("overdue", "Late")
for name in ("overdue", "chap-overdue", "refused"):
    subs[name]._suspend("overdue", "Unpaid")
subs["paused"]._suspend("request", "On holiday")
subs["ended"]._terminate("Moved away")
env.flush_all()
for name, moment in (("lapsed", "-1 hour"), ("lasting", "90 seconds")):
    env.cr.execute("UPDATE isp_entitlement SET valid_until = (now() AT TIME ZONE 'UTC') "
                   "+ %s::interval WHERE subscription_id = %s", [moment, subs[name].id])
batch = env["isp.voucher.batch"].create({{"name": "Tea stall", "plan_id": plans["hotspot"].id,
    "quantity": 6, "price": 20, "validity_count": 30, "validity_unit": "minute"}})
held = batch.copy({{"name": "To be sold", "sold_only": True, "quantity": 2}})
(batch + held).action_generate()
held.voucher_ids[0].action_sell()
batch.voucher_ids[5].action_cancel()
env.cr.commit()
print("RESULT" + json.dumps({{
    "ids": {{name: s.id for name, s in subs.items()}},
    "vouchers": [[v.code, v.pin] for v in batch.voucher_ids + held.voucher_ids],
}}))
""".replace("env = env(", "import json\nenv = env(", 1)

FULL = {
    "Framed-Pool": "pool-home",
    "Session-Timeout": "86400",
    "Idle-Timeout": "600",
    "Acct-Interim-Interval": "300",
}
SPEED = {
    "mikrotik": {
        "Mikrotik-Rate-Limit": "10M/20M",
        "Mikrotik-Address-List": "home",
        "Mikrotik-Delegated-IPv6-Pool": "pool6",
    },
    "standard": {
        "WISPr-Bandwidth-Max-Up": "10000000",
        "WISPr-Bandwidth-Max-Down": "20000000",
        "Filter-Id": "home",
        "Framed-IPv6-Pool": "pool6",
    },
}
WALL = {
    "Framed-Pool": "pool-walled",
    "Session-Timeout": "1800",
    "Idle-Timeout": "600",
    "Acct-Interim-Interval": "300",
}
WALL_SPEED = {
    "mikrotik": {
        "Mikrotik-Rate-Limit": "512k/512k",
        "Mikrotik-Address-List": "walled-garden",
    },
    "standard": {
        "WISPr-Bandwidth-Max-Up": "512000",
        "WISPr-Bandwidth-Max-Down": "512000",
        "Filter-Id": "walled-garden",
    },
}
OWN = {"Message-Authenticator", "Class", "MS-CHAP2-Success", "MS-CHAP-MPPE-Keys"} | {
    *("MS-MPPE-Recv-Key", "MS-MPPE-Send-Key", "MS-MPPE-Encryption-Policy"),
    "MS-MPPE-Encryption-Types",
}


def service(state, router):
    """What is given in a state, to the letter."""
    if state in ("overdue", "chap-overdue", "lapsed"):
        return WALL | WALL_SPEED[router] | {"Reply-Message": "Payment due"}
    if state == "paused":
        return WALL | WALL_SPEED[router] | {"Reply-Message": "Service suspended"}
    given = FULL | SPEED[router]
    if state == "throttled":
        given |= (
            {"Mikrotik-Rate-Limit": "512k/512k"}
            if router == "mikrotik"
            else {"WISPr-Bandwidth-Max-Up": "512000", "WISPr-Bandwidth-Max-Down": "512000"}
        )
    if state == "burst" and router == "mikrotik":
        given |= {"Mikrotik-Rate-Limit": "10M/20M 15M/30M 8M/16M 8/8"}
    if state == "static":
        given |= {"Framed-IP-Address": "10.9.8.7", "Delegated-IPv6-Prefix": "2001:db8:5::/56"}
        for name in ("Framed-Pool", "Mikrotik-Delegated-IPv6-Pool", "Framed-IPv6-Pool"):
            given.pop(name, None)
    return given


ACCEPTED = [
    "active", "chap-active", "burst", "static", "throttled", "overdue", "chap-overdue", "paused",
    "lapsed",
]  # fmt: skip
REFUSED = {"refused": "not-active", "draft": "not-active", "ended": "not-active"}
METHODS = ["pap", "chap", "mschapv2"]


def ask(server, name, method="pap", router="mikrotik", password=None, **attributes):
    address, secret = ROUTERS[router]
    return server.login(
        name,
        f"pass of {name}" if password is None else password,
        secret,
        protocol=method,
        Packet_Src_IP_Address=address,
        **attributes,
    )


def expect_reply(case):
    """(name, method, router) -> what must come back: a dict, or the reason of a refusal."""
    name, method, router = case
    if name in REFUSED:
        return REFUSED[name]
    if method == "chap" and not name.startswith("chap-"):
        return "chap-unsupported"
    return service(name, router)


CASES = [
    (name, method, router)
    for name in [*ACCEPTED, *REFUSED]
    for method in METHODS
    for router in ROUTERS
]


@pytest.fixture(scope="module")
def replies(server, query, made):
    """All cases at once: {case: (reply, reason)}. Each has a device of its own."""

    def run(numbered):
        number, (name, method, router) = numbered
        mac = f"02-00-00-00-{number >> 8:02X}-{number & 255:02X}"
        return mac, ask(server, name, method, router, Calling_Station_Id=mac)

    # Nobody's session is in the way of another case's.
    query("UPDATE radius.login SET simultaneous_use = NULL")
    with ThreadPoolExecutor(12) as pool:
        answered = list(pool.map(run, enumerate(CASES)))
    query("SELECT radius.resync()")
    reasons = dict(query("SELECT callingstationid, reason FROM radius.radpostauth"))
    return {case: (reply, reasons[mac]) for case, (mac, reply) in zip(CASES, answered, strict=True)}


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_each_state_by_each_method_on_each_router(replies, case):
    reply, reason = replies[case]
    expected = expect_reply(case)
    assert reply["Message-Authenticator"], "RouterOS 7.15 drops unsigned replies"
    if isinstance(expected, str):
        assert (reply.code, reason) == ("Access-Reject", expected)
        assert not set(reply.values) - OWN - {"Reply-Message", "MS-CHAP-Error"}
    else:
        assert reply.accepted, reason
        assert {k: v for k, v in reply.values.items() if k not in OWN} == expected
        if case[1] == "mschapv2":
            assert bytes.fromhex(reply["MS-CHAP2-Success"][2:])[1:3] == b"S="


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_password_is_called_so(server, query, method):
    reply = ask(server, "chap-active", method, password="wrong", Calling_Station_Id=THIRD)
    assert reply.code == "Access-Reject"
    [[reason]] = query("SELECT reason FROM radius.radpostauth ORDER BY id DESC LIMIT 1")
    assert reason == "wrong-password"


def test_radtest_logs_in_as_well(server, made):
    """Debian's radtest, as an operator tries a login by hand."""
    for method in ("pap", "mschap", "chap"):
        done = subprocess.run(
            ["radtest", "-t", method, "chap-active", "pass of chap-active"]
            + [f"127.0.0.1:{server.auth_port}", "0", SECRET],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert "Received Access-Accept" in done.stdout, (method, done.stdout + done.stderr)
        assert 'Mikrotik-Rate-Limit = "10M/20M"' in done.stdout


# === EXPIRY === #


def test_the_session_ends_at_the_second_the_service_does(server, query, made):
    for _try in range(2):
        [[left]] = query(
            "SELECT ceil(extract(epoch FROM valid_until - (now() AT TIME ZONE 'UTC'))) "
            "FROM radius.login WHERE username = 'lasting'"
        )
        given = int(ask(server, "lasting", Calling_Station_Id=DEVICE)["Session-Timeout"])
        assert abs(given - int(left)) <= 1
        time.sleep(1.1)


# === CHAP === #


def test_the_password_leaves_radius_with_the_permission(server, query, module_db, odoo_shell, made):
    def allow(value):
        odoo_shell(
            module_db,
            f"env['isp.subscription'].browse({made['ids']['chap-active']}).plan_id"
            f".allow_chap = {value}\nenv.cr.commit()",
        )
        query("DELETE FROM radius.pending")
        return ask(server, "chap-active", "chap", Calling_Station_Id=DEVICE)

    assert allow(False).code == "Access-Reject"
    stored = "SELECT chap_secret FROM {} WHERE username = 'chap-active'"
    assert query(stored.format("radius.login")) == [(None,)]
    assert query(stored.format("isp_entitlement"))[0][0] in (None, "")
    assert allow(True).accepted
    [[sealed]] = query(stored.format("radius.login"))
    assert "pass of" not in bytes.fromhex(sealed).decode("latin-1")


# === DEVICES === #


def from_device(server, name, mac, query, **options):
    # Each of these asks about devices, not about sessions at the same time.
    query("DELETE FROM radius.pending")
    return ask(server, name, Calling_Station_Id=mac, **options).accepted


def test_the_first_device_is_learned_and_a_clerk_releases_it(
    server, query, module_db, odoo_shell, made
):
    def in_odoo(code):
        setup = f"sub = env['isp.subscription'].browse({made['ids']['first']})\n"
        return odoo_shell(module_db, f"{setup}{code}\nenv.cr.commit()")

    assert not from_device(server, "first", DEVICE, query, password="wrong")
    assert from_device(server, "first", SECOND, query), "a failed login has learned nothing"
    assert not from_device(server, "first", DEVICE, query), "effective at once"
    assert from_device(server, "first", SECOND, query)
    shown = in_odoo(
        "env['isp.radius']._cron_take_over_devices()\n"
        "print(sub.mac_addresses, sub.event_ids.sorted('id')[-1].event_type)"
    )
    assert f"{SECOND} device" in shown
    assert query("SELECT count(*) FROM radius.device") == [(0,)], "Odoo owns it now"
    assert not from_device(server, "first", DEVICE, query)
    shown = in_odoo(
        "sub.action_release_devices()\nprint(sub.event_ids.sorted('id')[-1].from_value)"
    )
    assert SECOND in shown
    assert from_device(server, "first", DEVICE, query)
    assert not from_device(server, "first", SECOND, query)


def test_a_plan_may_learn_two_devices(server, query):
    assert from_device(server, "pair", DEVICE, query)
    assert from_device(server, "pair", SECOND, query)
    assert not from_device(server, "pair", THIRD, query)
    assert from_device(server, "pair", DEVICE, query)


def test_of_many_devices_at_once_one_is_learned(server, query):
    """The devices log in at the same moment, and nobody's session is in the way of them."""
    query("UPDATE radius.login SET simultaneous_use = NULL WHERE username = 'crowd'")
    macs = [f"0A-00-00-00-00-{number:02X}" for number in range(6)]
    with ThreadPoolExecutor(len(macs)) as pool:
        replies = list(
            pool.map(lambda mac: ask(server, "crowd", Calling_Station_Id=mac).accepted, macs)
        )
    assert sum(replies) == 1
    [[learned]] = query(
        "SELECT count(*) FROM radius.device d JOIN radius.login l ON l.id = d.login_id "
        "WHERE l.username = 'crowd'"
    )
    assert learned == 1


def test_a_plan_for_entered_devices_lets_no_other_in(server, query):
    assert not from_device(server, "unregistered", DEVICE, query)


# === ONE AT A TIME === #


def test_of_four_logins_at_once_one_gets_in(server, query):
    """The routers have reported nothing yet when all four ask."""
    macs = [f"0B-00-00-00-00-{number:02X}" for number in range(4)]
    with ThreadPoolExecutor(len(macs)) as pool:
        replies = list(
            pool.map(lambda mac: ask(server, "racing", Calling_Station_Id=mac).accepted, macs)
        )
    assert sum(replies) == 1


def test_the_second_login_is_explained(server, query, module_db, odoo_shell, made):
    first = ask(server, "online", Calling_Station_Id=DEVICE)
    session = {"User_Name": "online", "Acct_Session_Id": "words-1", "Class": first["Class"]}
    server.account("Start", SECRET, **session, Calling_Station_Id=DEVICE)
    assert ask(server, "online", Calling_Station_Id=SECOND).code == "Access-Reject"
    assert ask(server, "refused", Calling_Station_Id=SECOND).code == "Access-Reject"
    assert ask(server, "locked", Calling_Station_Id=SECOND).code == "Access-Reject"
    assert ask(server, "active", password="no", Calling_Station_Id=SECOND).code == "Access-Reject"
    assert ask(server, "draft", Calling_Station_Id=SECOND).code == "Access-Reject"
    query("DELETE FROM radius.pending")
    assert ask(server, "overdue", Calling_Station_Id=SECOND).accepted
    shown = odoo_shell(
        module_db,
        "for a in env['isp.radius.attempt'].search([], limit=6, order='id'"
        " ' desc'):\n    print('WORDS', a.username, '|', a.explanation, '|', a.access)",
    )
    words = dict(
        line.removeprefix("WORDS ").split(" | ", 1)
        for line in shown.splitlines()
        if line.startswith("WORDS")
    )
    year = time.strftime("%Y", time.gmtime())
    assert words["online"] == f"Second login: {DEVICE} is online on MikroTik | full"
    assert words["refused"].startswith("Suspended since ") and year in words["refused"]
    assert "(Payment overdue)" in words["refused"]
    assert words["locked"] == f"Another device than the locked one: {SECOND} | full"
    assert words["active"] == "Wrong password | full"
    assert words["draft"] == "The subscription has not been activated yet | none"
    assert words["overdue"] == "Accepted, payment page only | walled"


# === REALMS AND ADDRESSES === #


@pytest.mark.parametrize("method", ["pap", "mschapv2"])
@pytest.mark.parametrize("name", ["active@isp.example", "ACTIVE@ISP.Example"])
def test_the_realm_of_the_company_may_be_typed(server, query, method, name):
    query("DELETE FROM radius.pending")
    reply = ask(server, name, method, password="pass of active", Calling_Station_Id=DEVICE)
    assert reply.accepted and reply["Mikrotik-Rate-Limit"] == "10M/20M"


def test_another_realm_is_another_name(server, query):
    query("DELETE FROM radius.pending")
    assert not ask(server, "active@elsewhere.example", password="pass of active").accepted
    assert ask(server, "kept@elsewhere.example").accepted, "a name may hold an @ of its own"


def test_the_realm_is_kept_with_the_session(server, query, made):
    server.account("Start", SECRET, User_Name="Active@isp.example", Acct_Session_Id="realm-1")
    assert query(
        "SELECT realm, subscription_id FROM radius.radacct WHERE acctsessionid = 'realm-1'"
    ) == [("isp.example", made["ids"]["active"])]


def ipoe(server, mac, **attributes):
    address, secret = IPOE
    attributes = {"Calling_Station_Id": mac, "Packet_Src_IP_Address": address} | attributes
    return server.login(mac, "", secret, **attributes)


@pytest.mark.parametrize("mac", ["AA:BB:CC:77:77:01", "aa-bb-cc-77-77-01"])
def test_a_device_logs_in_by_its_address(server, query, made, mac):
    query("DELETE FROM radius.pending")
    reply = ipoe(server, mac)
    assert reply.accepted and reply["Mikrotik-Rate-Limit"] == "10M/20M"
    assert query("SELECT subscription_id FROM radius.radpostauth ORDER BY id DESC LIMIT 1") == [
        (made["ids"]["dhcp"],)
    ]


def test_an_address_proves_nothing_elsewhere(server, query):
    mac = "AA:BB:CC:77:77:01"
    assert not ask(server, mac, password="", Calling_Station_Id=mac).accepted, "another router"
    assert not ipoe(server, mac, Framed_Protocol="PPP").accepted, "typed by a neighbour"
    assert not ipoe(server, mac, Calling_Station_Id="AA:BB:CC:77:77:09").accepted
    assert not ipoe(server, "AA:BB:CC:77:77:02").accepted, "a plan with passwords"
    assert not ipoe(server, "AA:BB:CC:77:77:99").accepted


# === VOUCHERS === #


def voucher(server, made, number, mac=DEVICE, method="pap", **options):
    code, pin = made["vouchers"][number]
    return ask(
        server, code, method, password=options.pop("pin", pin), Calling_Station_Id=mac, **options
    )


def test_the_first_use_of_a_voucher_starts_its_time(server, query, made):
    code = made["vouchers"][0][0]
    assert not voucher(server, made, 0, pin="wrong").accepted
    assert query("SELECT count(*) FROM radius.voucher_use") == [(0,)], "nothing has begun yet"
    before = time.time()
    reply = voucher(server, made, 0, method="chap")
    assert reply.accepted and reply["Session-Timeout"] == "1800"
    [[until, device]] = query(
        "SELECT extract(epoch FROM valid_until AT TIME ZONE 'UTC'), mac FROM radius.voucher_use"
    )
    assert 1799 <= float(until) - before <= 1803 and device == DEVICE
    time.sleep(1.2)
    assert 1796 <= int(voucher(server, made, 0)["Session-Timeout"]) <= 1799
    assert not voucher(server, made, 0, mac=SECOND).accepted, "locked to its device"
    query("UPDATE radius.voucher_use SET valid_until = (now() AT TIME ZONE 'UTC') + interval '1 s'")
    query("SELECT radius.resync()")
    assert voucher(server, made, 0)["Session-Timeout"] == "1"
    time.sleep(1.1)
    assert not voucher(server, made, 0).accepted
    assert query(
        "SELECT reason FROM radius.radpostauth WHERE username = %s ORDER BY id DESC LIMIT 1", code
    ) == [("voucher-expired",)]


def test_a_voucher_is_used_once_however_many_try(server, query, made):
    macs = [f"0C-00-00-00-00-{number:02X}" for number in range(6)]
    with ThreadPoolExecutor(len(macs)) as pool:
        replies = list(pool.map(lambda mac: voucher(server, made, 1, mac).accepted, macs))
    assert sum(replies) == 1


def test_vouchers_that_were_not_sold_or_are_cancelled(server, query, made):
    for number, accepted, reason in (
        (6, True, None),
        (7, False, "voucher-unsold"),
        (5, False, "voucher-cancelled"),
    ):
        assert voucher(server, made, number).accepted is accepted
        assert query("SELECT reason FROM radius.radpostauth ORDER BY id DESC LIMIT 1") == [
            (reason,)
        ]


def test_the_sessions_of_a_voucher_are_nobody_elses(server, query, made):
    code = made["vouchers"][2][0]
    first = voucher(server, made, 2)
    server.account(
        "Start",
        SECRET,
        User_Name=code,
        Acct_Session_Id="voucher-1",
        Class=first["Class"],
        Calling_Station_Id=DEVICE,
    )
    assert query(
        "SELECT username, subscription_id FROM radius.radacct WHERE acctsessionid = 'voucher-1'"
    ) == [(code, None)]
