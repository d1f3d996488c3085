"""The least change, and that it always ends where it should. Against a router in memory."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routeros import errors, menus
from routeros.desired import Pool, Service, build
from routeros.reconcile import Suspicious, reconcile

from harness.routeros import fake_router

SECRET = menus.PPP_SECRET


def service(number, **values):
    values = {"upload_kbps": 1000, "download_kbps": 2000, **values}
    return Service(number, values.pop("username", f"user{number}"), "pw", **values)


def filled(*services, version="7.16"):
    router = fake_router(version)
    assert reconcile(router, build(services).rows).settled
    router.log.clear()
    return router


def changed_words(router):
    return [words for words in router.log if words[0].startswith(SECRET)]


# === LEAST CHANGE === #


def test_an_empty_router_is_filled_and_left_alone_then():
    router = fake_router()
    desired = build([service(1), service(2, access="none")], [Pool(1, "home", "10.0.0.2-10.0.0.9")])
    outcome = reconcile(router, desired.rows)
    assert outcome.settled and outcome.applied == 5 - 1  # one profile for both
    assert router.find(SECRET, "user2")["disabled"] == "true"
    assert router.find(menus.POOL, "home")["ranges"] == "10.0.0.2-10.0.0.9"
    router.log.clear()
    again = reconcile(router, desired.rows)
    assert (again.differences, again.applied, again.rounds, router.log) == ([], 0, 0, [])
    assert again.own == 4


def test_only_the_changed_property_is_set():
    router = filled(service(1), service(2))
    reconcile(router, build([replace(service(1), password="new"), service(2)]).rows)
    [words] = router.log
    assert words[0] == "/ppp/secret/set" and words[2:] == ("=password=new",)


def test_a_typed_property_is_taken_away_by_name():
    router = filled(service(1, ipv4_address="10.0.0.5"))
    reconcile(router, build([service(1)]).rows)
    [words] = router.log
    assert words[2:] == ("=!remote-address=",)
    assert "remote-address" not in router.find(SECRET, "user1")


def test_another_speed_makes_a_profile_first_and_removes_the_old_one_last():
    router = filled(service(1))
    reconcile(router, build([service(1, download_kbps=9000)]).rows)
    assert [words[0] for words in router.log] == [
        "/ppp/profile/add", "/ppp/secret/set", "/ppp/profile/remove",
    ]  # fmt: skip


def test_a_profile_that_others_use_stays():
    router = filled(service(1))
    name = router.find(SECRET, "user1")["profile"]
    router.add(SECRET, name="boss", profile=name)
    outcome = reconcile(router, build([service(1, download_kbps=9000)]).rows)
    assert router.find(menus.PPP_PROFILE, name) and router.find(SECRET, "boss")
    assert not outcome.failures


def test_a_dry_run_changes_nothing():
    router = filled(service(1))
    outcome = reconcile(router, build([service(1, access="none")]).rows, dry=True)
    assert [one.changes for one in outcome.differences] == [(("disabled", "false", "yes"),)]
    assert router.log == []


def test_names_that_change_places():
    router = filled(service(1, username="a"), service(2, username="b"))
    before = {row_id: row["comment"] for row_id, row in router.rows(SECRET).items()}
    wanted = build([service(1, username="b"), service(2, username="a")]).rows
    assert reconcile(router, wanted).settled
    assert {row_id: row["comment"] for row_id, row in router.rows(SECRET).items()} == before
    assert router.find(SECRET, "b")["comment"] == "isp:subscription:1"


def test_a_name_is_freed_before_it_is_taken():
    router = filled(service(1, username="a"))
    outcome = reconcile(router, build([service(2, username="a")]).rows)
    assert outcome.settled and outcome.rounds == 1
    assert [words[0] for words in router.log] == ["/ppp/secret/remove", "/ppp/secret/add"]


def test_text_behind_the_marker_belongs_to_the_operator():
    router = filled(service(1, service_type="static", ipv4_address="10.9.0.5"))
    for path in (menus.QUEUE, menus.ADDRESS_LIST):
        for row in router.rows(path).values():
            row["comment"] += " on the roof"
    wanted = build([service(1, service_type="static", ipv4_address="10.9.0.6")]).rows
    assert reconcile(router, wanted).settled
    for path in (menus.QUEUE, menus.ADDRESS_LIST):
        assert [row["comment"].split(" ", 1)[1] for row in router.rows(path).values()] == [
            "on the roof"
        ]


# === WHAT IS NOT OURS === #


def test_a_name_that_somebody_else_uses_is_reported_and_left():
    router = fake_router()
    router.add(SECRET, name="user1", password="theirs", comment="Karim")
    outcome = reconcile(router, build([service(1), service(2)]).rows)
    assert [one.kind for one in outcome.differences if one.path == SECRET] == ["clash", "missing"]
    assert router.find(SECRET, "user1")["password"] == "theirs"
    assert router.find(SECRET, "user2")


def test_clearing_most_of_a_router_needs_a_human():
    services = [service(number) for number in range(1, 41)]
    router = filled(*services)
    with pytest.raises(Suspicious):
        reconcile(router, build(services[:5]).rows)
    assert len(router.rows(SECRET)) == 40 and router.log == []
    assert reconcile(router, build(services[:5]).rows, force=True).settled
    assert len(router.rows(SECRET)) == 5


def test_what_may_not_be_settled_stays():
    router = filled(service(1), service(2))
    router.find(SECRET, "user1")["password"] = router.find(SECRET, "user2")["password"] = "drift"
    outcome = reconcile(
        router,
        build([service(1), service(2)]).rows,
        allowed=lambda one: one.marker == "isp:subscription:2",
    )
    assert len(outcome.differences) == 2 and outcome.applied == 1 and outcome.settled
    assert router.find(SECRET, "user1")["password"] == "drift"


# === SOME SERVICES ONLY === #


def test_a_look_at_one_service_leaves_the_others():
    router = filled(service(1), service(2), service(3))
    router.find(SECRET, "user2")["password"] = "drift"
    wanted = build([service(1, download_kbps=9000)]).rows
    outcome = reconcile(router, wanted, scope=[1])
    assert outcome.settled and outcome.own == 2
    assert router.find(SECRET, "user2")["password"] == "drift"
    assert len(router.rows(SECRET)) == 3
    # The old profile is another service's, or the nightly run's.
    assert len(router.rows(menus.PPP_PROFILE)) == 2


def test_a_service_that_left_is_found_by_its_marker():
    router = filled(
        service(1), service(2), service(3, service_type="static", ipv4_address="10.9.0.5")
    )
    outcome = reconcile(router, build([]).rows, scope=[1, 3])
    assert outcome.settled
    assert [row["name"] for row in router.rows(SECRET).values()] == ["user2"]
    assert not router.rows(menus.QUEUE) and not router.rows(menus.ADDRESS_LIST)


# === THE ROUTER ANSWERS OTHERWISE === #


def test_a_refused_row_does_not_hold_back_the_others():
    router = fake_router()
    original = router._do

    def do(command, *words):
        if command == "/ppp/secret/add" and "=name=user1" in words:
            raise errors.classify("input does not match any value of profile")
        return original(command, *words)

    router._do = do
    outcome = reconcile(router, build([service(1), service(2)]).rows)
    [(difference, message)] = outcome.failures
    assert difference.label == "user1" and "profile" in message
    assert not outcome.settled and router.find(SECRET, "user2")


def test_a_row_that_somebody_added_meanwhile_is_looked_at_again():
    router = fake_router()
    original = router._do

    def do(command, *words):
        if command == "/ppp/secret/add" and not router.rows(SECRET):
            # An earlier run of ours, still on its way, gets there first.
            router.add(SECRET, name="user1", password="old", comment="isp:subscription:1")
        return original(command, *words)

    router._do = do
    outcome = reconcile(router, build([service(1)]).rows)
    assert outcome.settled and outcome.rounds == 2
    assert router.find(SECRET, "user1")["password"] == "pw"


def test_missing_rights_stop_the_run():
    router = fake_router()
    original = router._do

    def do(command, *words):
        if command.endswith("/add"):
            raise errors.classify("not enough permissions (9)")
        return original(command, *words)

    router._do = do
    with pytest.raises(errors.NoRights):
        reconcile(router, build([service(1)]).rows)


# === SESSIONS === #


def online(router, *names, uptime="1h"):
    for name in names:
        router.add("/ppp/active", name=name, uptime=uptime)


def test_sessions_end_where_the_change_concerns_them():
    router = filled(*(service(number) for number in range(1, 6)))
    online(router, "user1", "user2", "user3", "user4", "user5", "boss")
    services = [
        service(1, access="none"),
        service(2, download_kbps=9000),
        replace(service(3), password="new"),
        service(4),
    ]
    outcome = reconcile(router, build(services).rows)
    assert outcome.ended == 3
    assert {row["name"] for row in router.rows("/ppp/active").values()} == {
        "user3",
        "user4",
        "boss",
    }


def test_a_run_that_was_cut_off_before_the_sessions_makes_up_for_it():
    router = filled(service(1, download_kbps=9000), service(2))
    online(router, "user1", uptime="1h")
    online(router, "user2", uptime="20s")
    stale = {(SECRET, "user1"): 600, (SECRET, "user2"): 600}
    services = [service(1, download_kbps=9000), service(2)]
    outcome = reconcile(router, build(services).rows, scope=[1, 2], stale=stale)
    assert outcome.ended == 1
    assert [row["name"] for row in router.rows("/ppp/active").values()] == ["user2"]


# === PROPERTIES === #

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
SERVICE = st.builds(
    dict,
    access=st.sampled_from(["full", "throttled", "walled", "none", "gone"]),
    service_type=st.sampled_from(["pppoe", "pppoe", "hotspot", "static"]),
    download_kbps=st.sampled_from([1000, 2000]),
    ipv4_address=st.sampled_from(["", "10.9.0.1"]),
    mac_addresses=st.sampled_from(["", "AA-BB-CC-DD-EE-FF"]),
)


@st.composite
def worlds(draw):
    """Services with names that no two share."""
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    ids = draw(st.permutations(range(1, 7)))
    found = []
    for number, name in zip(ids, names, strict=False):
        values = draw(SERVICE)
        if values["service_type"] == "static" and values["ipv4_address"]:
            values["ipv4_address"] = f"10.9.0.{number}"
        found.append(service(number, username=name, **values))
    return found


def damage(draw, router):
    """What happens to a router behind our back, rows of others included."""
    foreign = {}
    for name in draw(st.lists(NAMES, unique=True, max_size=2)):
        if all(row.get("name") != name for row in router.rows(SECRET).values()):
            row_id = router.add(SECRET, name=name, password="theirs", comment="not yours")
            foreign[row_id] = dict(router.rows(SECRET)[row_id])
    for path in (SECRET, menus.QUEUE, menus.ADDRESS_LIST, menus.PPP_PROFILE):
        for row_id in list(router.rows(path)):
            what = draw(st.sampled_from(["", "", "", "remove", "password", "disable", "copy"]))
            row = router.rows(path)[row_id]
            if row_id in foreign:
                continue
            if what == "remove":
                del router.rows(path)[row_id]
            elif what == "password" and path == SECRET:
                row["password"] = "drift"
            elif what == "disable":
                row["disabled"] = "true"
            elif what == "copy" and path == SECRET:
                router.add(path, **{**row, "name": row["name"] + "-copy"})
    return foreign


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_was_there_the_wanted_state_comes_and_the_second_run_is_empty(data):
    router = fake_router(data.draw(st.sampled_from(["6.49.10", "7.16"])))
    reconcile(router, build(data.draw(worlds())).rows)
    foreign = damage(data.draw, router)
    desired = build(data.draw(worlds()))
    reconcile(router, desired.rows, force=True)
    for row_id, row in foreign.items():
        assert router.rows(SECRET)[row_id] == row
    again = reconcile(router, desired.rows, dry=True)
    if any(one.kind == "clash" for one in again.differences):
        return  # somebody else has a name of ours; rows that wait for it may wait as well
    assert again.differences == []
    assert again.own == sum(
        len(rows) for path, rows in desired.rows.items() if path in menus.menus_of(router.version)
    )


def shown(router, path):
    """The rows of a menu without ids; an empty property is as good as none."""
    return sorted(
        sorted((name, value) for name, value in row.items() if value)
        for row in router.rows(path).values()
    )


@settings(max_examples=100, deadline=None)
@given(worlds(), worlds(), st.lists(st.integers(0, 12), max_size=4))
def test_runs_that_are_cut_off_anywhere_lead_to_the_same_end(before, after, cuts):
    router = fake_router()
    reconcile(router, build(before).rows)
    wanted = build(after).rows
    for cut in cuts:
        left = [cut]

        def before_command(_words, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise errors.Unreachable("cut")

        router.before = before_command
        try:
            reconcile(router, wanted, force=True)
        except errors.Unreachable:
            pass
    router.before = None
    assert reconcile(router, wanted, force=True).settled
    straight = fake_router()
    reconcile(straight, wanted)
    for path in menus.MENUS:
        assert shown(router, path) == shown(straight, path), path


def test_logins_that_were_there_are_taken_over_with_their_notes():
    router = fake_router()
    row_id = router.add(SECRET, name="user1", password="pw", profile="default", comment="House 5")
    router.add(SECRET, name="boss", password="x")
    wanted = build([service(1)]).rows
    outcome = reconcile(router, wanted, take_over=lambda clash: clash.path == SECRET)
    assert outcome.settled
    row = router.rows(SECRET)[row_id]
    assert row["comment"] == "isp:subscription:1 House 5" and row["profile"].startswith("isp-")
    assert not reconcile(router, wanted, dry=True).differences
    assert router.find(SECRET, "boss").get("comment") is None
