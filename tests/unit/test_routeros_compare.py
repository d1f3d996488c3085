"""What should be on a router, and the differences to what is there."""

import pytest
from routeros import menus
from routeros.compare import Row, compare, diff_rows, expected_words
from routeros.desired import Service, build, rate_limit, service_id_of

SECRET = menus.MENUS[menus.PPP_SECRET]
WANTED = {"name": "karim", "password": "007", "service": "pppoe", "profile": "isp-1"}
MARKER = "isp:subscription:7"


def words(*properties, row_id="*1"):
    return [b"!re", f"=.id={row_id}".encode(), *(f"={one}".encode() for one in properties)]


RIGHT = ("name=karim", "password=007", "service=pppoe", "profile=isp-1", "caller-id=",
         "disabled=false", f"comment={MARKER}")  # fmt: skip


def replaced(**changes):
    rows = dict(one.split("=", 1) for one in RIGHT) | {
        name.replace("_", "-"): value for name, value in changes.items()
    }
    return words(*(f"{name}={value}" for name, value in rows.items() if value is not None))


@pytest.mark.parametrize(
    ("row", "kind", "changes"),
    [
        (words(*RIGHT), None, ()),
        (words(*reversed(RIGHT)), None, ()),
        (replaced(comment=f"{MARKER} House 5, 2nd floor"), None, ()),
        (replaced(disabled="no"), None, ()),
        (replaced(caller_id=None), None, ()),
        (replaced(password="7"), "changed", (("password", "7", "007"),)),
        (replaced(password="007="), "changed", (("password", "007=", "007"),)),
        (replaced(disabled="true"), "changed", (("disabled", "true", "no"),)),
        (replaced(caller_id="AA:BB:CC:00:11:22"), "changed",
         (("caller-id", "AA:BB:CC:00:11:22", ""),)),
        (replaced(remote_address="10.0.0.9"), "changed", (("remote-address", "10.0.0.9", ""),)),
        (replaced(name="rahim"), "changed", (("name", "rahim", "karim"),)),
        (replaced(comment=""), "clash", ()),
        (replaced(comment="isp-ish: karim"), "clash", ()),
        (replaced(comment="isp:subscription:8"), "extra", ()),
    ],
)  # fmt: skip
def test_one_row_against_what_it_should_be(row, kind, changes):
    found = compare(SECRET, [row], {MARKER: WANTED}).differences
    if kind == "extra":
        assert [(one.kind, one.marker) for one in found] == [
            ("missing", MARKER),
            ("extra", "isp:subscription:8"),
        ]
    elif kind is None:
        assert found == []
    else:
        assert [(one.kind, one.marker, one.changes) for one in found] == [(kind, MARKER, changes)]


def test_a_row_that_is_neither_ours_nor_in_the_way_is_no_difference():
    assert compare(SECRET, [replaced(name="boss", comment="")], {}).differences == []


def test_a_copy_of_our_row_is_superfluous_and_the_right_one_stays():
    copy = words(*[*RIGHT[1:], "name=karim-copy"], row_id="*2")
    for rows in ([words(*RIGHT), copy], [copy, words(*RIGHT)]):
        [found] = compare(SECRET, rows, {MARKER: WANTED}).differences
        assert (found.kind, found.row_id, found.label) == ("extra", "*2", "karim-copy")


def test_a_taken_name_leaves_the_rest_of_the_row_enforced():
    """Renamed onto somebody else's secret: the name cannot be set, switching off can."""
    rows = [replaced(name="old"), replaced(comment="")]
    found = compare(SECRET, rows, {MARKER: {**WANTED, "disabled": "yes"}}).differences
    assert [(one.kind, one.changes) for one in found] == [
        ("clash", ()),
        ("changed", (("disabled", "false", "yes"),)),
    ]


@pytest.mark.parametrize(
    ("path", "name", "one", "other", "same"),
    [
        (menus.QUEUE, "max-limit", "10M/20M", "10000000/20000000", True),
        (menus.QUEUE, "max-limit", "10M", "10M/10M", True),
        (menus.QUEUE, "max-limit", "512k/512k", "512000/512000", True),
        (menus.QUEUE, "max-limit", "", "0/0", True),
        (menus.QUEUE, "max-limit", "10M/20M", "20M/10M", False),
        (menus.QUEUE, "burst-time", "1s/1s", "1/1", True),
        (menus.QUEUE, "target", "10.0.0.5", "10.0.0.5/32", True),
        (menus.QUEUE, "target", "10.0.0.5", "10.0.0.5/31", False),
        (menus.QUEUE, "target", "10.0.0.5/32,2001:db8::/56", "10.0.0.5,2001:db8::/56", True),
        (menus.QUEUE, "target", "10.0.0.5/32,2001:db8::/56", "10.0.0.5/32", False),
        (menus.IPV6_ADDRESS_LIST, "address", "2001:db8::1", "2001:db8::1/128", True),
        (menus.PPP_PROFILE, "session-timeout", "1d2h", "26:00:00", True),
        (menus.PPP_PROFILE, "session-timeout", "1800s", "30m", True),
        (menus.PPP_PROFILE, "session-timeout", "", "0s", True),
        (menus.PPP_PROFILE, "session-timeout", "30m", "30", False),
        (menus.PPP_PROFILE, "rate-limit", "1M/2M 2M/4M 1M/1M 8/8", "1000k/2M 2M/4M 1M 8s/8", True),
        (menus.PPP_PROFILE, "rate-limit", "1M/2M", "2M/1M", False),
        (menus.PPP_SECRET, "caller-id", "aa:bb:cc:dd:ee:ff", "AA:BB:CC:DD:EE:FF", True),
        (menus.PPP_SECRET, "password", "a", "A", False),
        (menus.PPP_SECRET, "disabled", "yes", "true", True),
    ],
)
def test_spellings_of_the_same_value(path, name, one, other, same):
    normal = menus.MENUS[path].by_name[name].normal
    assert (normal(one) == normal(other)) is same


def test_rows_that_are_right_are_not_taken_apart(monkeypatch):
    """What a list of 20,000 rows costs depends on it."""
    monkeypatch.setattr("routeros.compare.make_row", None)
    found = compare(SECRET, [words(*RIGHT)], {MARKER: WANTED})
    assert (found.differences, found.own) == ([], 1)
    queue = {"name": "a", "target": "10.9.0.5/32", "max-limit": "5M/10M"}
    printed = words("name=a", "target=10.9.0.5/32", "max-limit=5000000/10000000",
                    "burst-limit=0/0", "burst-threshold=0/0", "burst-time=0s/0s", "priority=8/8",
                    "disabled=false", f"comment={MARKER}")  # fmt: skip
    assert not compare(menus.MENUS[menus.QUEUE], [printed], {MARKER: queue}).differences


def test_words_expected_are_those_the_router_prints():
    assert expected_words(SECRET, MARKER, WANTED) == {
        b"=name=karim", b"=password=007", b"=service=pppoe", b"=profile=isp-1",
        b"=disabled=false", b"=comment=isp:subscription:7",
    }  # fmt: skip


def test_versions_decide_what_can_be_ours():
    v6, v7 = menus.menus_of((6, 49)), menus.menus_of((7, 1))
    assert menus.POOL in v7 and menus.POOL not in v6
    assert "remote-ipv6-prefix" in v7[menus.PPP_SECRET].by_name
    assert "remote-ipv6-prefix" not in v6[menus.PPP_SECRET].by_name
    assert menus.IPV6_ADDRESS_LIST in v7 and menus.IPV6_ADDRESS_LIST not in v6
    assert v7[menus.PPP_SECRET] is SECRET


# === WHAT SHOULD BE === #


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"upload_kbps": 10240, "download_kbps": 20480}, "10240k/20480k"),
        ({"upload_kbps": 10_000, "download_kbps": 20_000}, "10M/20M"),
        ({"upload_kbps": 0, "download_kbps": 0}, ""),
        ({"upload_kbps": 0, "download_kbps": 512}, "0/512k"),
        ({"upload_kbps": 1000, "download_kbps": 2000, "priority": 3}, "1M/2M 0/0 0/0 0/0 3"),
        ({"upload_kbps": 1000, "download_kbps": 2000, "burst_download_kbps": 4000,
          "burst_threshold_download_kbps": 1500, "burst_time_s": 8},
         "1M/2M 1M/4M 1M/1500k 8/8"),
    ],
)  # fmt: skip
def test_rates_in_routeros_words(values, text):
    assert rate_limit(Service(1, "x", **values)) == text


def ppp(**values):
    service = Service(
        7, "karim", "pw", upload_kbps=1000, download_kbps=2000, framed_pool="home", **values
    )
    rows = build([service], gateway="10.0.0.1").rows
    [profile] = rows[menus.PPP_PROFILE].values() or [None]
    return rows[menus.PPP_SECRET][MARKER], profile


def test_a_service_at_full_speed():
    secret, profile = ppp(address_list="home-users", session_timeout_s=1800)
    assert secret["profile"] == profile["name"]
    assert secret["disabled"] == "no" and secret["password"] == "pw"
    assert profile["rate-limit"] == "1M/2M"
    assert profile["remote-address"] == "home" and profile["local-address"] == "10.0.0.1"
    assert profile["address-list"] == "home-users" and profile["session-timeout"] == "1800s"
    assert profile["only-one"] == "yes"


def test_a_walled_service_reaches_the_payment_page_only():
    secret, profile = ppp(access="walled", address_list="home-users")
    assert secret["disabled"] == "no"
    assert (profile["rate-limit"], profile["address-list"]) == ("512k/512k", "walled-garden")


def test_a_service_without_access_is_switched_off():
    assert ppp(access="none")[0]["disabled"] == "yes"


def test_services_that_agree_share_a_profile():
    services = [
        Service(number, f"user{number}", "pw", upload_kbps=1000, download_kbps=2000 + number % 2)
        for number in range(10)
    ]
    assert len(build(services).rows[menus.PPP_PROFILE]) == 2


def test_one_device_can_be_locked_and_several_cannot():
    secret, _profile = ppp(mac_addresses="AA-BB-CC-DD-EE-FF")
    assert secret["caller-id"] == "AA:BB:CC:DD:EE:FF"
    desired = build([Service(7, "x", "pw", mac_addresses="AA-BB-CC-DD-EE-FF|AA-BB-CC-DD-EE-00")])
    assert desired.rows[menus.PPP_SECRET][MARKER]["caller-id"] == ""
    assert desired.skipped == [(7, "several_macs")]


def test_a_static_service_is_a_queue_and_a_place_in_a_list():
    service = Service(7, "office", service_type="static", ipv4_address="10.9.0.5",
                      upload_kbps=5000, download_kbps=5000, address_list="office")  # fmt: skip
    rows = build([service], logins=False).rows
    queue = rows[menus.QUEUE][MARKER]
    assert (queue["target"], queue["max-limit"]) == ("10.9.0.5/32", "5M/5M")
    entries = {marker: row["list"] for marker, row in rows[menus.ADDRESS_LIST].items()}
    assert entries == {"isp:active:7": "isp-active", "isp:list:7": "office"}
    walled = build([Service(7, "office", service_type="static", ipv4_address="10.9.0.5",
                            access="walled")]).rows  # fmt: skip
    assert [row["list"] for row in walled[menus.ADDRESS_LIST].values()] == ["walled-garden"]
    off = build([Service(7, "office", service_type="static", ipv4_address="10.9.0.5",
                         access="none")]).rows  # fmt: skip
    assert not off[menus.QUEUE] and not off[menus.ADDRESS_LIST]


def static(**values):
    service = Service(7, "office", service_type="static", upload_kbps=5000, download_kbps=5000,
                      address_list="office", **values)  # fmt: skip
    return service


def test_a_static_prefix_shares_the_queue_and_stands_in_the_lists_of_ipv6():
    rows = build([static(ipv4_address="10.9.0.5", delegated_prefix="2001:db8:7::/56")]).rows
    assert rows[menus.QUEUE][MARKER]["target"] == "10.9.0.5/32,2001:db8:7::/56"
    for path, address in (
        (menus.ADDRESS_LIST, "10.9.0.5"),
        (menus.IPV6_ADDRESS_LIST, "2001:db8:7::/56"),
    ):
        assert {marker: (row["list"], row["address"]) for marker, row in rows[path].items()} == {
            "isp:active:7": ("isp-active", address),
            "isp:list:7": ("office", address),
        }
    alone = build([static(delegated_prefix="2001:db8:7::/56", access="walled")])
    assert alone.rows[menus.QUEUE][MARKER]["target"] == "2001:db8:7::/56"
    assert not alone.rows[menus.ADDRESS_LIST] and not alone.skipped
    [entry] = alone.rows[menus.IPV6_ADDRESS_LIST].values()
    assert entry["list"] == "walled-garden"


@pytest.mark.parametrize(
    ("service", "version", "skipped"),
    [
        (static(ipv4_address="10.9.0.5", delegated_prefix="2001:db8:7::/56"), (6, 49), "prefix_v6"),
        (static(ipv4_address="10.9.0.5", delegated_prefix="2001:db8:7::/56"), (7, 1), None),
        (Service(7, "a", "pw", delegated_prefix="2001:db8:7::/64"), (7, 16), None),
        (Service(7, "a", "pw", delegated_prefix="2001:db8:7::/56"), (7, 16), "prefix_announced"),
        (Service(7, "a", "pw", delegated_prefix="2001:db8:7::/64"), (6, 49), "prefix_v6"),
        (Service(7, "a", "pw", service_type="hotspot", delegated_prefix="2001:db8:7::/64"), (7, 16),
         "prefix_hotspot"),
    ],
)  # fmt: skip
def test_prefixes_that_a_router_cannot_hold_are_named(service, version, skipped):
    desired = build([service], version=version)
    assert desired.skipped == ([(7, skipped)] if skipped else [])
    assert any(desired.rows.values())


def test_a_router_of_version_6_gets_no_prefix():
    rows = build([static(ipv4_address="10.9.0.5", delegated_prefix="2001:db8:7::/56")],
                 version=(6, 49)).rows  # fmt: skip
    assert rows[menus.QUEUE][MARKER]["target"] == "10.9.0.5/32"
    desired = build([static(delegated_prefix="2001:db8:7::/56")], version=(6, 49))
    assert not any(desired.rows.values())
    assert desired.skipped == [(7, "prefix_v6"), (7, "no_address")]


def test_what_cannot_be_on_a_router_is_named():
    services = [
        Service(1, "nobody", "", access="full"),
        Service(2, "nowhere", service_type="static"),
        Service(3, "old", "pw", access="gone"),
    ]
    desired = build(services)
    assert desired.skipped == [(1, "no_password"), (2, "no_address")]
    assert not any(desired.rows.values())


def test_logins_stay_with_radius_when_it_checks_them():
    rows = build([Service(1, "a", "pw"), Service(2, "b", "pw", service_type="hotspot")],
                 logins=False).rows  # fmt: skip
    assert not any(rows.values())


def test_markers_lead_back_to_their_service():
    assert service_id_of("isp:subscription:12") == 12
    assert service_id_of("isp:walled:12") == 12
    assert service_id_of("isp:ppp-profile:12") is None


def test_rows_of_others_are_told_apart_from_ours():
    rows = [Row("*1", {"name": "boss"}), Row("*2", {"name": "karim"}, "isp:subscription:9")]
    found = diff_rows(SECRET, {}, rows)
    assert [row.id for row in found.foreign] == ["*1"]
    assert (found.own, list(found.ours)) == (1, ["isp:subscription:9"])
