"""The short ways that nearly every packet takes write what the long ones would have written."""

import random

import pytest

# What the router reports about a session that was last heard at 600 s with 1,000 and 2,000 octets.
PLAIN = {"at": 900, "seconds": 900, "up": 1500, "down": 2500, "ip": "10.0.0.7"}
LONG_WAY = {
    "an unknown session": {"uid": "another"},
    "no time": {"seconds": None},
    "no octets": {"up": None},
    "counters that fell": {"down": 1999},
    "a session time that fell": {"seconds": 10},
    "an older report": {"at": 599},
    "a clock of another age": {"at": 200_000},
}
NEW_ADDRESSES = {
    "a new address": {"ip": "10.0.0.8"},
    "a new prefix": {"prefix": "2001:db8:7::/64"},
    "a new delegation": {"delegated": "2001:db8:70::/56"},
}
SHORT_WAY = {
    "counters that grew": {},
    "counters past 32 bits": {"up": (5 << 32) + 7, "down": (1 << 32) - 1},
    "nothing new": {"at": 600, "seconds": 600, "up": 1000, "down": 2000},
    "no address": {"ip": ""},
    "the address and prefixes as before": {
        "prefix": "2001:db8:1::/64",
        "delegated": "2001:db8:10::/56",
    },
}


INTERIM, STOP = "account_interim", "account_plain_stop"


def report(query, way, base=0, kind=INTERIM, **change):
    """Report the short or the long way.

    :param kind: INTERIM or STOP, the function of the short way
    :return: whether it was taken, the session, its usage
    """
    packet = PLAIN | {"uid": "one", "prefix": "", "delegated": ""} | change
    query("SELECT radius.ensure_partitions()")
    query("DELETE FROM radius.radacct")
    query("DELETE FROM radius.usage_delta")
    query(
        "INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress,"
        " subscription_id, acctstarttime, acctupdatetime, acctsessiontime, acctinputoctets,"
        " acctoutputoctets, base_in, base_out, base_seconds, framedipaddress, framedipv6prefix,"
        " delegatedipv6prefix) SELECT 's', 'one', 'karim', '10.9.0.1', 7, day, day + '600 s',"
        " 600 + more, 1000 + more, 2000 + more, more, more, more,"
        " '10.0.0.7', '2001:db8:1::/64', '2001:db8:10::/56'"
        " FROM (SELECT date_trunc('hour', now()) - interval '1 hour' AS day, %s::bigint AS more) f",
        base,
    )
    epoch = query(
        "SELECT extract(epoch FROM date_trunc('hour', now()) - interval '1 hour')::bigint"
    )
    at = epoch[0][0] + packet["at"]
    if way == "short":
        rest = [packet["prefix"], packet["delegated"]] if kind == INTERIM else ["", "Lost-Carrier"]
        taken = query(
            f"SELECT radius.{kind}(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            packet["uid"],
            at,
            -1 if packet["seconds"] is None else packet["seconds"],
            *_halves(packet["up"]),
            *_halves(packet["down"]),
            packet["ip"],
            *rest,
        )
    else:
        taken = query(
            "SELECT radius.account_report(ROW('s', %s, 'karim', '', '10.9.0.1', 'nas-1', '', '',"
            " '', '', '', '', '', '', '', NULLIF(%s, '')::inet, NULL, NULLIF(%s, '')::inet, '',"
            " NULLIF(%s, '')::inet, to_timestamp(%s), %s, %s, %s, true, 'Lost-Carrier')"
            "::radius.packet, %s)",
            *(packet["uid"], packet["ip"], packet["prefix"], packet["delegated"], at),
            *(packet["seconds"], packet["up"], packet["down"], kind == STOP),
        )
    return bool(taken), _sessions(query), query("SELECT to_jsonb(u) FROM radius.usage_delta u")


def _sessions(query):
    """What is stored, but for the number that each new row gets."""
    return query("SELECT to_jsonb(r) - 'radacctid' FROM radius.radacct r ORDER BY acctuniqueid")


def _halves(octets):
    return (0, -1) if octets is None else divmod(octets, 1 << 32)


BOTH = pytest.mark.parametrize("kind", [INTERIM, STOP])


@BOTH
@pytest.mark.parametrize("change", SHORT_WAY.values(), ids=SHORT_WAY)
def test_a_plain_report_goes_the_short_way(query, change, kind):
    taken, sessions, usage = report(query, "short", kind=kind, **change)
    assert taken
    assert bool(sessions[0][0]["acctstoptime"]) == (kind == STOP)
    assert (sessions, usage) == report(query, "long", kind=kind, **change)[1:]


@pytest.mark.parametrize("change", NEW_ADDRESSES.values(), ids=NEW_ADDRESSES)
def test_a_stop_with_another_address_goes_the_short_way(query, change):
    taken, *written = report(query, "short", kind=STOP, **change)
    assert taken
    assert written == list(report(query, "long", kind=STOP, **change)[1:])


@BOTH
@pytest.mark.parametrize("change", LONG_WAY.values(), ids=LONG_WAY)
def test_anything_else_is_left_to_the_long_way_untouched(query, change, kind):
    assert_untouched(*report(query, "short", kind=kind, **change))


@pytest.mark.parametrize("change", NEW_ADDRESSES.values(), ids=NEW_ADDRESSES)
def test_an_interim_with_another_address_is_left_to_the_long_way(query, change):
    assert_untouched(*report(query, "short", **change))


def assert_untouched(taken, sessions, usage):
    """Assert that a report has done nothing."""
    assert not taken
    assert not usage
    assert sessions[0][0]["acctinputoctets"] == 1000
    assert sessions[0][0]["acctsessiontime"] == 600
    assert sessions[0][0]["acctstoptime"] is None


@BOTH
def test_a_session_that_ended_is_left_to_the_long_way(query, kind):
    report(query, "short")
    query("UPDATE radius.radacct SET acctstoptime = acctupdatetime")
    epoch = query("SELECT extract(epoch FROM now())::bigint")[0][0]
    assert not query(f"SELECT radius.{kind}('one', %s, 9999, 0, 9999, 0, 9999, '', '', '')", epoch)


@BOTH
def test_both_ways_write_the_same_for_random_reports(query, kind):
    draw = random.Random(20261127)
    short = 0
    for _number in range(150):
        base = draw.choice([0, 0, 1 << 20])
        change = {
            "at": draw.choice([590, 600, 601, 900, 1200]),
            "seconds": draw.choice([None, 0, 599, 600, 601, 900, 1200]),
            "up": draw.choice([None, 0, 999, 1000, 1001, 1 << 33]),
            "down": draw.choice([0, 1999, 2000, 1 << 32, (1 << 34) + 1]),
            "ip": draw.choice(["", "10.0.0.7", "10.0.0.7", "10.0.0.9"]),
        }
        taken, *written = report(query, "short", base, kind, **change)
        if taken:
            short += 1
            assert written == list(report(query, "long", base, kind, **change)[1:]), (base, change)
    assert short >= 10


# === STARTS === #

START = {
    "uid": "one",
    "realm": "",
    "class": "ai:0123456789abcdef0123456789abcdef:7",
    "port": "ether1",
    "device": "00-00-00-00-00-01",
    "ip": "10.0.0.7",
    "ip6": "",
    "prefix": "2001:db8:1::/64",
    "delegated": "",
    "age": 0,
}
PLAIN_STARTS = {
    "of a customer": {},
    "without Class": {"class": ""},
    "with a realm and both addresses": {"realm": "padma", "ip6": "2001:db8::1"},
    "without addresses": {"ip": "", "prefix": "", "port": ""},
    "with a delegation, an hour late": {"delegated": "2001:db8:70::/56", "age": 3600},
}
OTHER_STARTS = {
    "of another subscription": {"class": "ai:0123456789abcdef0123456789abcdef:8"},
    "with a Class that is not ours": {"class": "somebody-else"},
    "of another age": {"age": 40 * 86400},
    "of a known session": {"known": {"uid": "one", "device": "other"}},
    "of a session that ended": {"known": {"uid": "one", "stopped": True}},
    "of a device that is online": {"known": {"uid": "two"}},
    "of nobody's login": {"customer": False},
}


def start(query, way, customer=True, known=None, **change):
    """Start a session the short or the long way.

    :param customer: whether the login is a customer's
    :param known: the uid of a session before this one; its device; whether it has stopped
    :return: whether it was taken, the sessions
    """
    packet = START | change
    query("SELECT radius.ensure_partitions()")
    query("DELETE FROM radius.radacct")
    query("DELETE FROM radius.login")
    if customer:
        query(
            "INSERT INTO radius.login (id, subscription_id, username, access)"
            " VALUES (1, 7, 'karim', 'full')"
        )
    if known:
        query(
            "INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, nas_id,"
            " acctstarttime, acctupdatetime, acctstoptime, callingstationid)"
            " SELECT 's', %s, 'karim', '10.9.0.2', 2, day, day, CASE WHEN %s THEN day END, %s"
            " FROM (SELECT date_trunc('hour', now()) - interval '2 hours' AS day) d",
            *(known["uid"], known.get("stopped", False), known.get("device", START["device"])),
        )
    at = query("SELECT extract(epoch FROM date_trunc('hour', now()))::bigint")[0][0] - packet["age"]
    values = {
        **dict.fromkeys(("kind", "authentic", "info", "called", "service", "protocol"), "x"),
        **{"session": "s", "name": "karim", "nas": "10.9.0.1", "key": "nas-1", "interface": ""},
        **packet,
    }
    common = ("session", "uid", "name", "realm", "nas", "key", "class", "port", "kind", "authentic")
    common += ("info", "called", "device", "service", "protocol")
    common = [values[name] for name in common]
    if way == "short":
        rest = [values[name] for name in ("ip", "ip6", "prefix", "interface", "delegated")]
        holes = ", ".join(["%s"] * 20)
        taken = query(f"SELECT radius.account_plain_start({holes}, %s)", *common, *rest, at)
    else:
        holes = ", ".join(["%s"] * 15)
        rest = [values[name] or None for name in ("ip", "ip6", "prefix")]
        rest += [values["interface"], values["delegated"] or None]
        taken = query(
            f"SELECT radius.account_start(ROW({holes}, %s::inet, %s::inet, %s::inet, %s, %s::inet,"
            " to_timestamp(%s), NULL, NULL, NULL, false, '')::radius.packet)",
            *(common + rest + [at]),
        )
    return bool(taken), _sessions(query)


@pytest.mark.parametrize("change", PLAIN_STARTS.values(), ids=PLAIN_STARTS)
def test_a_plain_start_goes_the_short_way(query, change):
    taken, sessions = start(query, "short", **change)
    assert taken
    assert len(sessions) == 1
    assert sessions[0][0]["subscription_id"] == 7
    assert sessions == start(query, "long", **change)[1]


@pytest.mark.parametrize("change", OTHER_STARTS.values(), ids=OTHER_STARTS)
def test_any_other_start_is_left_to_the_long_way_untouched(query, change):
    taken, sessions = start(query, "short", **change)
    assert not taken
    assert len(sessions) == bool(change.get("known"))


def test_a_start_sent_again_is_left_to_the_long_way_and_stored_once(query):
    assert start(query, "short")[0]
    row = query("SELECT to_jsonb(r) FROM radius.radacct r")
    assert not query(
        "SELECT radius.account_plain_start('s', 'one', 'karim', '', '10.9.0.1', 'nas-1', '', '', '',"
        " '', '', '', %s, '', '', '', '', '', '', '', extract(epoch FROM now())::bigint)",
        START["device"],
    )
    assert query("SELECT to_jsonb(r) FROM radius.radacct r") == row
