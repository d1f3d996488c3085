"""What a change of the service means for a session that is up."""

import pytest
from radius.live import changes, decide, describe, new_timeout

FULL = {
    "service": "full",
    "until": None,
    "Mikrotik-Rate-Limit": "10M/20M",
    "Framed-Pool": "home",
    "Mikrotik-Address-List": "home",
    "Acct-Interim-Interval": "300",
}
WALLED = {
    "service": "walled",
    "until": None,
    "Mikrotik-Rate-Limit": "512k/512k",
    "Framed-Pool": "pool-walled",
    "Mikrotik-Address-List": "walled-garden",
    "Session-Timeout": "1800",
    "Reply-Message": "Payment due",
}
REJECT = {**WALLED, "service": "reject", "Reply-Message": "Service not active"}


def with_(answer, **vals):
    vals = {name.replace("_", "-"): value for name, value in vals.items()}
    return {k: v for k, v in {**answer, **vals}.items() if v is not None or k == "until"}


SLOWER = with_(FULL, Mikrotik_Rate_Limit="5M/10M")
PREPAID = with_(FULL, until=2_000_000_000, Session_Timeout="900")


@pytest.mark.parametrize(
    ("told", "wanted", "kind"),
    [
        (FULL, FULL, None),
        (FULL, SLOWER, "coa"),
        (FULL, with_(SLOWER, service="throttled"), "coa"),
        (FULL, with_(FULL, service="throttled"), None),
        (FULL, WALLED, "disconnect"),
        (WALLED, FULL, "disconnect"),
        (WALLED, with_(WALLED, Reply_Message="Service suspended"), None),
        (FULL, REJECT, "disconnect"),
        (WALLED, REJECT, "disconnect"),
        (REJECT, REJECT, None),
        (REJECT, FULL, "disconnect"),
        (FULL, with_(FULL, Framed_Pool="other"), "disconnect"),
        (FULL, with_(FULL, Framed_Pool=None, Framed_IP_Address="10.1.1.1"), "disconnect"),
        (FULL, with_(FULL, Mikrotik_Address_List="vip"), "disconnect"),
        (FULL, with_(SLOWER, Mikrotik_Address_List="vip"), "disconnect"),
        (FULL, with_(FULL, Delegated_IPv6_Prefix="2001:db8::/56"), "disconnect"),
        # Heard at the next login.
        (FULL, with_(FULL, Acct_Interim_Interval="60", Idle_Timeout="600"), None),
        # No attribute takes a limit away.
        (FULL, with_(FULL, Mikrotik_Rate_Limit=None), "disconnect"),
        # Prepaid: the router would end the session at the old moment.
        (PREPAID, with_(PREPAID, until=2_000_086_400, Session_Timeout="87300"), "extend"),
        (PREPAID, with_(PREPAID, until=2_000_000_030, Session_Timeout="930"), None),
        (PREPAID, with_(SLOWER, until=2_000_086_400, Session_Timeout="87300"), "coa"),
        (PREPAID, with_(PREPAID, until=2_000_086_400, Framed_Pool="other"), "disconnect"),
        # The router is told no time that is longer: it cannot be told that there is none.
        (PREPAID, with_(PREPAID, until=2_000_086_400, Session_Timeout=None), None),
        (PREPAID, with_(PREPAID, until=1_999_900_000), "disconnect"),
        (PREPAID, with_(PREPAID, until=None), None),
        (FULL, PREPAID, "disconnect"),
        # Nobody knows what the session was told.
        (None, FULL, "coa"),
        (None, with_(FULL, Mikrotik_Rate_Limit=None), "disconnect"),
        (None, WALLED, "disconnect"),
        (None, REJECT, "disconnect"),
    ],
)
def test_what_a_session_has_to_hear(told, wanted, kind):
    assert decide(told, wanted) == kind


def test_changes_are_told_in_the_words_of_radius():
    assert describe(FULL, WALLED) == "full → walled"
    assert describe(FULL, SLOWER) == "10M/20M → 5M/10M"
    assert describe(FULL, with_(FULL, Mikrotik_Address_List=None)) == (
        "Mikrotik-Address-List: home → –"
    )


def test_a_longer_time_is_told_as_a_moment():
    longer = with_(PREPAID, until=2_000_086_400, Session_Timeout="87300")
    assert describe(PREPAID, longer) == "until 2033-05-18 03:33 → 2033-05-19 03:33 UTC"


@pytest.mark.parametrize(
    ("answer", "online", "limit", "seconds"),
    [
        ("87300", 0, None, 87300),
        # Counted from the beginning of the session.
        ("87300", 100_000, None, 187_300),
        ("87300", 100_000.7, 0, 187_300),
        # The plan ends sessions once a day.
        ("86400", 50_000, 86_400, 86_400),
        (None, 50_000, 86_400, None),
    ],
)
def test_a_new_time_out_counts_from_the_beginning_of_the_session(answer, online, limit, seconds):
    assert new_timeout(with_(FULL, Session_Timeout=answer), online, limit) == seconds


def test_a_coa_carries_speeds_only():
    other = {"service": "full", "WISPr-Bandwidth-Max-Up": "1", "Filter-Id": "vip"}
    assert changes(FULL) == {"Mikrotik-Rate-Limit": "10M/20M"}
    assert changes(other) == {"WISPr-Bandwidth-Max-Up": "1"}
