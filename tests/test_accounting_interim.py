"""The short way that nearly every Interim takes writes what the long way would have written."""

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


def report(query, way, base=0, **change):
    """Report an Interim the short or the long way; return (taken, the session, its usage)."""
    packet = PLAIN | {"uid": "one", "prefix": "", "delegated": ""} | change
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
        taken = query(
            "SELECT radius.account_interim(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            packet["uid"],
            at,
            -1 if packet["seconds"] is None else packet["seconds"],
            *_halves(packet["up"]),
            *_halves(packet["down"]),
            packet["ip"],
            packet["prefix"],
            packet["delegated"],
        )
    else:
        taken = query(
            "SELECT radius.account_report(ROW('s', %s, 'karim', '', '10.9.0.1', 'nas-1', '', '',"
            " '', '', '', '', '', '', '', NULLIF(%s, '')::inet, NULL, NULLIF(%s, '')::inet, '',"
            " NULLIF(%s, '')::inet, to_timestamp(%s), %s, %s, %s, true, '')::radius.packet, false)",
            *(packet["uid"], packet["ip"], packet["prefix"], packet["delegated"], at),
            *(packet["seconds"], packet["up"], packet["down"]),
        )
    sessions = query("SELECT to_jsonb(r) - 'radacctid' FROM radius.radacct r ORDER BY acctuniqueid")
    return bool(taken), sessions, query("SELECT to_jsonb(u) FROM radius.usage_delta u")


def _halves(octets):
    return (0, -1) if octets is None else divmod(octets, 1 << 32)


@pytest.mark.parametrize("change", SHORT_WAY.values(), ids=SHORT_WAY)
def test_a_plain_report_goes_the_short_way(query, change):
    taken, sessions, usage = report(query, "short", **change)
    assert taken
    assert (sessions, usage) == report(query, "long", **change)[1:]


@pytest.mark.parametrize("change", LONG_WAY.values(), ids=LONG_WAY)
def test_anything_else_is_left_to_the_long_way_untouched(query, change):
    taken, sessions, usage = report(query, "short", **change)
    assert not taken
    assert not usage
    assert sessions[0][0]["acctinputoctets"] == 1000
    assert sessions[0][0]["acctsessiontime"] == 600


def test_a_session_that_ended_is_left_to_the_long_way(query):
    report(query, "short")
    query("SELECT radius.ensure_partitions()")
    query("UPDATE radius.radacct SET acctstoptime = acctupdatetime")
    epoch = query("SELECT extract(epoch FROM now())::bigint")[0][0]
    assert not query(
        "SELECT radius.account_interim('one', %s, 9999, 0, 9999, 0, 9999, '', '', '')", epoch
    )


def test_both_ways_write_the_same_for_random_reports(query):
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
        taken, *written = report(query, "short", base, **change)
        if taken:
            short += 1
            assert written == list(report(query, "long", base, **change)[1:]), (base, change)
    assert short >= 10
