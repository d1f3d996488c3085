"""The RouterOS simulator's rows: what is refused and in which words, and queries."""

import pytest
from librouteros.exceptions import MultiTrapError, TrapError
from librouteros.query import And, Key, Or

from simulators.routeros.errors import Trap
from simulators.routeros.query import compile_query
from simulators.routeros.values import format_duration, parse_duration
from simulators.routeros_clients import SECRETS, Raw, connect, refused

# === ROWS === #


def test_a_secret_from_add_to_remove(router):
    secrets = connect(router).path(SECRETS)
    ids = [secrets.add(name=f"user{n}", password="p") for n in range(27)]
    assert ids[25:] == ["*1A", "*1B"]
    row = next(row for row in secrets if row[".id"] == "*1A")
    assert row["service"] == "any" and row["profile"] == "default" and row["disabled"] is False
    assert "comment" not in row and "remote-address" not in row
    secrets.update(**{".id": "*1A", "disabled": True, "remote-address": "10.9.0.7"})
    secrets.update(**{".id": "user26", "name": "renamed"})  # by name as well
    assert router.tree[SECRETS][25]["disabled"] == "true"
    secrets.remove("*1A", "renamed")
    assert len(router.tree[SECRETS]) == 25
    assert secrets.add(name="next") == "*1C", "an id is not used twice"


def test_wrong_values_are_refused_as_a_router_does(router):
    secrets = router.tree[SECRETS]
    router.load_secrets(2)
    assert refused(router, SECRETS, name="user0") == (
        "failure: secret with the same name already exists",
        None,
    )
    assert refused(router, SECRETS, "set", **{".id": "*1", "name": "user1"})[0].startswith(
        "failure:"
    )
    cases = [
        ({"name": "x", "profile": "none"}, "input does not match any value of profile"),
        ({"name": "x", "service": "dialup"}, "input does not match any value of service"),
        ({"name": "x", "disabled": "maybe"}, "input does not match any value of disabled"),
        ({"name": "x", "remote-address": "10.0.0"}, "invalid value for argument remote-address"),
        ({"name": "x", "limit-bytes-in": "-1"}, "invalid value for argument limit-bytes-in"),
        ({"password": "x"}, "missing value(s) of argument(s) name"),
    ]
    for values, message in cases:
        assert refused(router, SECRETS, **values) == (message, 1)
    assert refused(router, SECRETS, name="x", speed="1M")[0] == "unknown parameter speed"
    assert refused(router, SECRETS, name="x", **{"last-caller-id": "1"})[0].startswith("unknown")
    assert refused(router, SECRETS, "set", **{".id": "*FF", "name": "x"}) == (
        "no such item (4)",
        0,
    )
    assert refused(router, SECRETS, "set", comment="x") == ("missing =.id=", 1)
    assert refused(router, SECRETS, "paint") == ("no such command", 0)
    assert [row["name"] for row in secrets] == ["user0", "user1"], "a refusal changes nothing"


def test_removing_several_of_which_one_is_missing_removes_none(router):
    router.load_secrets(3)
    with pytest.raises(TrapError):
        connect(router).path(SECRETS).remove("*1", "*99", "*2")
    assert len(router.tree[SECRETS]) == 3


def test_an_unknown_menu_ends_in_two_traps(router):
    with pytest.raises(MultiTrapError) as error:
        tuple(connect(router)("/ppp/secrets/print"))
    assert [trap.message for trap in error.value.traps] == [
        "no such command or directory (secrets)",
        "no such command prefix",
    ]


DUPLICATES = [
    ("/ppp/profile", {"name": "gold"}, "failure: profile with the same name already exists"),
    (
        "/ip/pool",
        {"name": "p", "ranges": "10.0.0.2-10.0.0.9"},
        "failure: pool with such name exists",
    ),
    ("/queue/simple", {"name": "q", "target": "10.0.0.1"}, "failure: already have such name"),
    (
        "/ip/firewall/address-list",
        {"list": "walled", "address": "10.0.0.1"},
        "failure: already have such entry",
    ),
    (
        "/ip/hotspot/user",
        {"name": "guest"},
        "failure: already have user with this name for this server",
    ),
    (
        "/ip/address",
        {"address": "10.0.0.1/24", "interface": "ether1"},
        "failure: already have such address",
    ),
]


@pytest.mark.parametrize(("menu", "values", "message"), DUPLICATES)
def test_duplicates(router, menu, values, message):
    connect(router).path(menu).add(**values)
    assert refused(router, menu, **values) == (message, None)


def test_an_address_list_entry_is_compared_as_kept_and_only_while_enabled(router):
    entries = connect(router).path("/ip/firewall/address-list")
    first = entries.add(list="walled", address="10.0.0.1/32")
    assert router.tree["/ip/firewall/address-list"][0]["address"] == "10.0.0.1"
    assert "already" in refused(router, str(entries), list="walled", address="10.0.0.1")[0]
    entries.add(list="other", address="10.0.0.1")
    second = entries.add(list="walled", address="10.0.0.1", disabled=True)
    assert "already" in refused(router, str(entries), "enable", **{".id": second})[0]
    tuple(entries("disable", **{".id": first}))
    tuple(entries("enable", **{".id": second}))


def test_values_come_back_in_the_routers_own_form(router):
    api = connect(router)
    api.path("/queue/simple").add(name="q", target="10.0.0.1", **{"max-limit": "10M/20M"})
    queue = router.tree["/queue/simple"][0]
    assert queue["target"] == "10.0.0.1/32"
    assert queue["max-limit"] == "10000000/20000000"
    api.path("/ppp/profile").add(name="gold", **{"session-timeout": "90000"})
    assert router.tree["/ppp/profile"].find("gold")["session-timeout"] == "1d1h"
    assert refused(
        router, "/queue/simple", name="r", **{"limit-at": "9M/9M", "max-limit": "1M/20M"}
    ) == (
        "failure: upload-max-limit less than upload-limit",
        None,
    )
    for ranges, end in (("x", "before '-'"), ("10.0.0.1-x", "after '-'")):
        message, category = refused(router, "/ip/pool", name="p", ranges=ranges)
        assert message.endswith(end) and category == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("1h30m", 5400),
        ("00:01:30", 90),
        ("1d02:03:04", 93784),
        ("1w", 604800),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1y", "1:2:3", "٣"])
def test_what_is_no_duration(text):
    assert parse_duration(text) is None


def test_a_reference_follows_a_rename_and_dangles_after_removal(router):
    api = connect(router)
    profile = api.path("/ppp/profile").add(name="gold")
    api.path(SECRETS).add(name="ram", profile="gold")
    api.path("/ppp/profile").update(**{".id": profile, "name": "platinum"})
    assert router.tree[SECRETS][0]["profile"] == "platinum"
    api.path("/ppp/profile").remove(profile)
    assert router.tree[SECRETS][0]["profile"] == profile
    assert refused(router, "/ppp/profile", "remove", **{".id": "default"})[0].startswith("failure:")


def test_unset_and_emptied_comments(router):
    api = connect(router)
    secrets = api.path(SECRETS)
    one = secrets.add(name="ram", comment="x", **{"remote-address": "10.0.0.9"})
    tuple(secrets("unset", **{".id": one, "value-name": "remote-address"}))
    secrets.update(**{".id": one, "comment": ""})
    secrets.update(**{".id": one, "!profile": ""})
    row = router.tree[SECRETS][0]
    assert "remote-address" not in row and "comment" not in row and row["profile"] == "default"


def test_rows_of_the_router_itself_are_not_changed(router):
    router.load_secrets(1, profile="gold")
    router.tree["/ppp/profile"].append({"name": "gold", "rate-limit": "5M/10M"})
    router.connect_subscriber("user0")
    queue = router.tree["/queue/simple"][0]
    assert (queue["name"], queue["max-limit"]) == ("<pppoe-user0>", "5000000/10000000")
    for command in ("set", "remove"):
        message = refused(router, "/queue/simple", command, **{".id": queue[".id"]})[0]
        assert message == f"failure: cannot {'change' if command == 'set' else 'remove'} dynamic"


def test_order_of_queues(router):
    queues = connect(router).path("/queue/simple")
    ids = [queues.add(name=name, target="10.0.0.1") for name in "abc"]
    queues.add(name="d", target="10.0.0.1", **{"place-before": ids[0]})
    tuple(queues("move", numbers=f"{ids[2]},{ids[1]}", destination=ids[0]))
    assert [row["name"] for row in queues] == ["d", "c", "b", "a"]
    assert "before itself" in refused(router, str(queues), "move", numbers="a", destination="a")[0]


# === QUERIES === #


def test_queries_from_librouteros(router):
    router.load_secrets(20)
    router.tree[SECRETS][3]["comment"] = "isp:secret:3"
    router.tree[SECRETS][4]["disabled"] = "true"
    secrets = connect(router).path(SECRETS)
    name, service = Key("name"), Key("service")

    def found(*query):
        return [row["name"] for row in secrets.select(name).where(*query)]

    assert found(name == "user3") == ["user3"]
    assert found(name == "nobody") == []
    assert len(found(service != "pppoe")) == 0
    assert found(name.In("user1", "user2", "user9")) == ["user1", "user2", "user9"]
    assert found(Or(name == "user1", And(name == "user4", Key("disabled") == True))) == [  # noqa: E712
        "user1",
        "user4",
    ]
    assert found(["?comment"]) == ["user3"]
    assert len(found(["?-comment"])) == 19
    assert found(["?>name=user7"]) == ["user8", "user9"]
    assert found(["?<name=user10", "?>name=user0"]) == ["user1"]
    assert [set(row) for row in secrets.select(Key(".id"), name)][0] == {".id", "name"}


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ([], True),
        (["a=1"], True),
        (["a=2"], False),
        (["=a=1", "b"], True),
        (["c"], False),
        (["-c"], True),
        (["a=2", "#!"], True),
        (["a=2", "b=x", "#|"], True),
        (["a=2", "b=x", "#&"], False),
        (["a=2", "a=1", "b=x", "#&|"], True),
        (["a=2", "b=x"], False),  # every value left must be true
        (["a=2", "b=x", "#0"], True),  # a number at the end: that value instead of all
        (["b=x", "a=2", "#1."], False),
        (["b=x", "#1&"], True),  # below the stack there is nothing but true
        (["<n=9"], True),  # numbers compare as numbers: 8 < 9 < 10
        (["<n=10"], True),
        ([">n=10"], False),
        (["<b=y"], True),
        ([">c=1"], False),  # no value is neither more nor less
        (["a=1", "#!!"], True),
        (["a=2", "#!.&"], True),
        (["on=yes"], True),
    ],
)
def test_the_query_stack(words, taken):
    row = {"a": "1", "b": "x", "n": "8", "on": "true"}
    assert compile_query(words)(row) is taken


@pytest.mark.parametrize("word", ["", "#x", "=", "<name", ">"])
def test_bad_query_words(word):
    with pytest.raises(Trap):
        compile_query([word])


def test_empty_answers_since_7_18(new_router):
    assert Raw(new_router(version="7.17")).talk(f"{SECRETS}/print") == [["!done"]]
    raw = Raw(new_router(version="7.18"))
    assert raw.talk(f"{SECRETS}/print") == [["!empty"], ["!done"]]
    assert raw.talk(f"{SECRETS}/print", ".tag=7") == [["!empty", ".tag=7"], ["!done", ".tag=7"]]
    assert raw.talk(f"{SECRETS}/print", "=count-only=") == [["!done", "=ret=0"]]
