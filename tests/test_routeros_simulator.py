"""The RouterOS simulator, seen through three clients: sockets, librouteros and node-routeros.

What the simulator is made of is in tests/simulators/routeros; the wire format is written out here
once more, byte by byte, so that simulator and test do not share a mistake.
"""

import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import librouteros
import pytest
from librouteros.exceptions import ConnectionClosed, FatalError, MultiTrapError, TrapError
from librouteros.login import token
from librouteros.query import And, Key, Or

from harness import settings
from simulators.routeros import RouterOS
from simulators.routeros.errors import Trap
from simulators.routeros.export import export
from simulators.routeros.query import compile_query
from simulators.routeros.values import format_duration, parse_duration
from simulators.routeros.wire import Decoder, ProtocolViolation, encode_length, encode_word

NODE = Path(__file__).parent / "simulators/node"
SECRETS = "/ppp/secret"


@pytest.fixture
def router():
    """Start simulators: ``router(version="6.49.10")``."""
    started = []

    def start(**options):
        started.append(RouterOS(**options))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def sim(router):
    return router()


def connect(sim, user="isp", password="secret", **options):
    options = {"timeout": 5, "encoding": "utf-8", **options}
    return librouteros.connect("127.0.0.1", user, password, port=sim.port, **options)


class Raw:
    """A client of a few lines that shows words as they are."""

    def __init__(self, sim, login=True):
        self.socket = socket.create_connection(("127.0.0.1", sim.port), timeout=5)
        self.file = self.socket.makefile("rb")
        if login:
            assert self.talk("/login", "=name=isp", "=password=secret") == [["!done"]]

    def send(self, *words):
        self.send_all(words)

    def send_all(self, *sentences):
        """Send sentences in one piece."""
        data = b""
        for words in sentences:
            for word in words:
                raw = word.encode()
                assert len(raw) < 0x80
                data += bytes((len(raw),)) + raw
            data += b"\0"
        self.socket.sendall(data)

    def sentence(self):
        """The next sentence; None when the router has hung up."""
        words = []
        while True:
            first = self.file.read(1)
            if not first:
                return None
            if first == b"\0":
                return words
            length = first[0]
            if length >= 0x80:
                assert length < 0xC0
                length = (length & 0x3F) << 8 | self.file.read(1)[0]
            words.append(self.file.read(length).decode())

    def talk(self, *words):
        """Sentences up to ``!done``."""
        self.send(*words)
        sentences = [self.sentence()]
        while sentences[-1] and sentences[-1][0] not in ("!done", "!fatal"):
            sentences.append(self.sentence())
        return sentences

    def until_done(self, *tags):
        """Sentences until each of the tags is done."""
        left, sentences = {f".tag={tag}" for tag in tags}, []
        while left:
            sentences.append(self.sentence())
            if sentences[-1][0] == "!done":
                left -= set(sentences[-1])
        return sentences


# === WIRE === #


@pytest.mark.parametrize(
    ("length", "encoded"),
    [
        (0, "00"),
        (0x7F, "7f"),
        (0x80, "8080"),
        (0x3FFF, "bfff"),
        (0x4000, "c04000"),
        (0x1FFFFF, "dfffff"),
        (0x200000, "e0200000"),
        (0xFFFFFFF, "efffffff"),
        (0x10000000, "f010000000"),
        (0xFFFFFFFF, "f0ffffffff"),
    ],
)
def test_each_form_of_the_length(length, encoded):
    assert encode_length(length).hex() == encoded


@pytest.mark.parametrize("length", [1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000])
def test_a_word_of_each_form_is_read_in_pieces_of_any_size(length):
    data = encode_word(b"x" * length) + b"\0" + encode_word(b"second") + b"\0"
    decoder, sentences, step = Decoder(), [], max(1, length // 7)
    for start in range(0, len(data), step):
        sentences += decoder.feed(data[start : start + step])
    assert [[len(word) for word in words] for words in sentences] == [[length], [6]]


def test_empty_sentences_mean_nothing():
    assert Decoder().feed(b"\0\0\x01a\0\0") == [[b"a"]]


@pytest.mark.parametrize("first", [0xF1, 0xF8, 0xFF])
def test_reserved_first_bytes_are_refused(first):
    with pytest.raises(ProtocolViolation):
        Decoder().feed(bytes((first, 0, 0, 0, 0)))


def test_the_router_hangs_up_on_a_reserved_byte(sim):
    raw = Raw(sim)
    raw.socket.sendall(b"\xf8")
    with pytest.raises(ConnectionResetError):
        raw.sentence()
    assert sim.violations == ["reserved control byte 0xF8"]


def test_a_word_longer_than_16_kilobytes_goes_both_ways(sim):
    comment = "long " * 5000
    secrets = connect(sim).path(SECRETS)
    secrets.add(name="ram", comment=comment)
    assert next(iter(secrets))["comment"] == comment


def test_words_that_are_no_attribute_are_refused(sim):
    raw = Raw(sim)
    assert raw.talk("/system/identity/print", "name") == [
        ["!trap", "=category=5", "=message=unknown parameter"],
        ["!done"],
    ]
    assert raw.talk("system/identity/print")[0][0] == "!trap"


# === LOGIN === #


def test_login_since_6_43(sim):
    assert list(connect(sim).path("/system/identity")) == [{"name": "MikroTik"}]


@pytest.mark.parametrize(("user", "password"), [("isp", "wrong"), ("nobody", "secret")])
def test_wrong_user_or_password(sim, user, password):
    with pytest.raises(TrapError) as error:
        connect(sim, user, password)
    assert error.value.message == "invalid user name or password (6)"


def test_login_by_challenge(router):
    sim = router(version="6.42.12")
    api = connect(sim, login_method=token)
    assert next(api("/system/identity/print"))["name"] == "MikroTik"
    with pytest.raises(TrapError) as error:
        connect(sim, password="wrong", login_method=token)
    assert error.value.message == "cannot log in"


def test_an_old_router_answers_name_and_password_with_a_challenge(router):
    raw = Raw(router(version="6.42.12"), login=False)
    (answer,) = raw.talk("/login", "=name=isp", "=password=secret")
    challenge = bytes.fromhex(answer[1].removeprefix("=ret="))
    assert len(challenge) == 16
    digest = hashlib.md5(b"\0secret" + challenge, usedforsecurity=False).hexdigest()
    assert raw.talk("/login", "=name=isp", f"=response=00{digest}") == [["!done"]]
    # A challenge is good for one answer.
    assert raw.talk("/login", "=name=isp", f"=response=00{digest}")[0][0] == "!trap"


def test_a_router_since_6_45_1_has_no_challenge(sim):
    with pytest.raises(TrapError):
        connect(sim, login_method=token)


def test_nothing_is_answered_before_login(sim):
    raw = Raw(sim, login=False)
    assert raw.talk("/system/identity/print") == [["!fatal", "not logged in"]]
    assert raw.sentence() is None


def test_a_disabled_user_is_refused(sim):
    sim.tree["/user"][0]["disabled"] = "true"
    with pytest.raises(TrapError):
        connect(sim)


@pytest.mark.parametrize("kind", [True, "anonymous"])
def test_tls(router, kind):
    sim = router(tls=kind)
    if kind == "anonymous":  # a router without a certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ADH:@SECLEVEL=0")
    else:
        context = ssl.create_default_context(cafile=sim.ca_file)
    api = connect(sim, ssl_wrapper=lambda s: context.wrap_socket(s, server_hostname="127.0.0.1"))
    sim.load_secrets(3000)
    assert len(list(api.path(SECRETS))) == 3000


def test_a_client_that_does_not_trust_the_certificate_does_not_get_in(router):
    sim, context = router(tls=True), ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(sim, ssl_wrapper=lambda s: context.wrap_socket(s, server_hostname="127.0.0.1"))
    assert sim.commands == 0


# === ROWS === #


def test_a_secret_from_add_to_remove(sim):
    secrets = connect(sim).path(SECRETS)
    ids = [secrets.add(name=f"user{n}", password="p") for n in range(27)]
    assert ids[25:] == ["*1A", "*1B"]
    row = next(row for row in secrets if row[".id"] == "*1A")
    assert row["service"] == "any" and row["profile"] == "default" and row["disabled"] is False
    assert "comment" not in row and "remote-address" not in row
    secrets.update(**{".id": "*1A", "disabled": True, "remote-address": "10.9.0.7"})
    secrets.update(**{".id": "user26", "name": "renamed"})  # by name as well
    assert sim.tree[SECRETS][25]["disabled"] == "true"
    secrets.remove("*1A", "renamed")
    assert len(sim.tree[SECRETS]) == 25
    assert secrets.add(name="next") == "*1C", "an id is not used twice"


def refused(sim, menu, command="add", **values):
    """The (message, category) of a command that is refused."""
    with pytest.raises(TrapError) as error:
        tuple(connect(sim).path(menu)(command, **values))
    return error.value.message, error.value.category


def test_wrong_values_are_refused_as_a_router_does(sim):
    secrets = sim.tree[SECRETS]
    sim.load_secrets(2)
    assert refused(sim, SECRETS, name="user0") == (
        "failure: secret with the same name already exists",
        None,
    )
    assert refused(sim, SECRETS, "set", **{".id": "*1", "name": "user1"})[0].startswith("failure:")
    cases = [
        ({"name": "x", "profile": "none"}, "input does not match any value of profile"),
        ({"name": "x", "service": "dialup"}, "input does not match any value of service"),
        ({"name": "x", "disabled": "maybe"}, "input does not match any value of disabled"),
        ({"name": "x", "remote-address": "10.0.0"}, "invalid value for argument remote-address"),
        ({"name": "x", "limit-bytes-in": "-1"}, "invalid value for argument limit-bytes-in"),
        ({"password": "x"}, "missing value(s) of argument(s) name"),
    ]
    for values, message in cases:
        assert refused(sim, SECRETS, **values) == (message, 1)
    assert refused(sim, SECRETS, name="x", speed="1M")[0] == "unknown parameter speed"
    assert refused(sim, SECRETS, name="x", **{"last-caller-id": "1"})[0].startswith("unknown")
    assert refused(sim, SECRETS, "set", **{".id": "*FF", "name": "x"}) == (
        "no such item (4)",
        0,
    )
    assert refused(sim, SECRETS, "set", comment="x") == ("missing =.id=", 1)
    assert refused(sim, SECRETS, "paint") == ("no such command", 0)
    assert [row["name"] for row in secrets] == ["user0", "user1"], "a refusal changes nothing"


def test_removing_several_of_which_one_is_missing_removes_none(sim):
    sim.load_secrets(3)
    with pytest.raises(TrapError):
        connect(sim).path(SECRETS).remove("*1", "*99", "*2")
    assert len(sim.tree[SECRETS]) == 3


def test_an_unknown_menu_ends_in_two_traps(sim):
    with pytest.raises(MultiTrapError) as error:
        tuple(connect(sim)("/ppp/secrets/print"))
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
def test_duplicates(sim, menu, values, message):
    connect(sim).path(menu).add(**values)
    assert refused(sim, menu, **values) == (message, None)


def test_an_address_list_entry_is_compared_as_kept_and_only_while_enabled(sim):
    entries = connect(sim).path("/ip/firewall/address-list")
    first = entries.add(list="walled", address="10.0.0.1/32")
    assert sim.tree["/ip/firewall/address-list"][0]["address"] == "10.0.0.1"
    assert "already" in refused(sim, str(entries), list="walled", address="10.0.0.1")[0]
    entries.add(list="other", address="10.0.0.1")
    second = entries.add(list="walled", address="10.0.0.1", disabled=True)
    assert "already" in refused(sim, str(entries), "enable", **{".id": second})[0]
    tuple(entries("disable", **{".id": first}))
    tuple(entries("enable", **{".id": second}))


def test_values_come_back_in_the_routers_own_form(sim):
    api = connect(sim)
    api.path("/queue/simple").add(name="q", target="10.0.0.1", **{"max-limit": "10M/20M"})
    queue = sim.tree["/queue/simple"][0]
    assert queue["target"] == "10.0.0.1/32"
    assert queue["max-limit"] == "10000000/20000000"
    api.path("/ppp/profile").add(name="gold", **{"session-timeout": "90000"})
    assert sim.tree["/ppp/profile"].find("gold")["session-timeout"] == "1d1h"
    assert refused(
        sim, "/queue/simple", name="r", **{"limit-at": "9M/9M", "max-limit": "1M/20M"}
    ) == (
        "failure: upload-max-limit less than upload-limit",
        None,
    )
    for ranges, end in (("x", "before '-'"), ("10.0.0.1-x", "after '-'")):
        message, category = refused(sim, "/ip/pool", name="p", ranges=ranges)
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


def test_a_reference_follows_a_rename_and_dangles_after_removal(sim):
    api = connect(sim)
    profile = api.path("/ppp/profile").add(name="gold")
    api.path(SECRETS).add(name="ram", profile="gold")
    api.path("/ppp/profile").update(**{".id": profile, "name": "platinum"})
    assert sim.tree[SECRETS][0]["profile"] == "platinum"
    api.path("/ppp/profile").remove(profile)
    assert sim.tree[SECRETS][0]["profile"] == profile
    assert refused(sim, "/ppp/profile", "remove", **{".id": "default"})[0].startswith("failure:")


def test_unset_and_emptied_comments(sim):
    api = connect(sim)
    secrets = api.path(SECRETS)
    one = secrets.add(name="ram", comment="x", **{"remote-address": "10.0.0.9"})
    tuple(secrets("unset", **{".id": one, "value-name": "remote-address"}))
    secrets.update(**{".id": one, "comment": ""})
    secrets.update(**{".id": one, "!profile": ""})
    row = sim.tree[SECRETS][0]
    assert "remote-address" not in row and "comment" not in row and row["profile"] == "default"


def test_rows_of_the_router_itself_are_not_changed(sim):
    sim.load_secrets(1, profile="gold")
    sim.tree["/ppp/profile"].append({"name": "gold", "rate-limit": "5M/10M"})
    sim.connect_subscriber("user0")
    queue = sim.tree["/queue/simple"][0]
    assert (queue["name"], queue["max-limit"]) == ("<pppoe-user0>", "5000000/10000000")
    for command in ("set", "remove"):
        message = refused(sim, "/queue/simple", command, **{".id": queue[".id"]})[0]
        assert message == f"failure: cannot {'change' if command == 'set' else 'remove'} dynamic"


def test_order_of_queues(sim):
    queues = connect(sim).path("/queue/simple")
    ids = [queues.add(name=name, target="10.0.0.1") for name in "abc"]
    queues.add(name="d", target="10.0.0.1", **{"place-before": ids[0]})
    tuple(queues("move", numbers=f"{ids[2]},{ids[1]}", destination=ids[0]))
    assert [row["name"] for row in queues] == ["d", "c", "b", "a"]
    assert "before itself" in refused(sim, str(queues), "move", numbers="a", destination="a")[0]


# === QUERIES === #


def test_queries_from_librouteros(sim):
    sim.load_secrets(20)
    sim.tree[SECRETS][3]["comment"] = "isp:secret:3"
    sim.tree[SECRETS][4]["disabled"] = "true"
    secrets = connect(sim).path(SECRETS)
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


def test_empty_answers_since_7_18(router):
    assert Raw(router(version="7.17")).talk(f"{SECRETS}/print") == [["!done"]]
    raw = Raw(router(version="7.18"))
    assert raw.talk(f"{SECRETS}/print") == [["!empty"], ["!done"]]
    assert raw.talk(f"{SECRETS}/print", ".tag=7") == [["!empty", ".tag=7"], ["!done", ".tag=7"]]
    assert raw.talk(f"{SECRETS}/print", "=count-only=") == [["!done", "=ret=0"]]


# === TAGS, LISTEN, CANCEL === #


def test_tagged_commands_overlap_on_a_long_link(sim):
    raw = Raw(sim)
    sim.faults.delay_s = 0.1
    start = time.monotonic()
    for number in range(40):
        raw.send(f"{SECRETS}/add", f"=name=user{number}", f".tag={number}")
    raw.until_done(*range(40))
    assert 0.1 <= time.monotonic() - start < 1
    assert len(sim.tree[SECRETS]) == 40


def test_tagged_answers_overtake_each_other(sim):
    raw = Raw(sim)
    sim.faults.jitter_s = 0.05
    for number in range(30):
        raw.send("/system/identity/print", f".tag={number}")
    order = [words[-1] for words in raw.until_done(*range(30)) if words[0] == "!done"]
    assert order != [f".tag={number}" for number in range(30)]
    assert len(order) == 30


def test_long_and_short_answers_come_interleaved(sim):
    sim.load_secrets(5000)
    raw = Raw(sim)
    raw.send_all([f"{SECRETS}/print", ".tag=long"], ["/system/identity/print", ".tag=short"])
    tags = [words[1] for words in raw.until_done("long", "short")]
    assert tags.index(".tag=short") < len(tags) - 2
    assert tags.count(".tag=long") == 5001


def test_commands_without_a_tag_are_answered_in_order(sim):
    sim.load_secrets(1000)
    raw = Raw(sim)
    raw.send(f"{SECRETS}/print")
    raw.send("/system/identity/print")
    kinds = [raw.sentence()[0] for _ in range(1003)]
    assert kinds == ["!re"] * 1000 + ["!done", "!re", "!done"]


def test_listen_tells_changes_and_removals_until_cancelled(sim):
    sim.load_secrets(2)
    raw = Raw(sim)
    raw.send(f"{SECRETS}/listen", "=.proplist=.id,comment", ".tag=l")
    raw.talk(f"{SECRETS}/set", "=.id=*1", "=comment=moved", "=disabled=yes", ".tag=s")
    # One row for one command.
    assert raw.sentence() == ["!re", ".tag=l", "=.id=*1", "=comment=moved"]
    sim.tree[SECRETS].remove(sim.tree[SECRETS][1])  # somebody at the console
    assert raw.sentence() == ["!re", ".tag=l", "=.id=*2", "=.dead=yes"]
    raw.send("/cancel", "=tag=l", ".tag=c")
    answers = raw.until_done("l", "c")
    assert ["!trap", ".tag=l", "=category=2", "=message=interrupted"] in answers
    assert raw.talk("/system/identity/print", ".tag=x")[0][0] == "!re"
    assert not sim.tree[SECRETS].watchers


def test_a_listener_that_hangs_up_is_forgotten(sim):
    raw = Raw(sim)
    raw.send(f"{SECRETS}/listen", ".tag=l")
    raw.talk("/system/identity/print", ".tag=x")
    assert sim.tree[SECRETS].watchers
    raw.file.close()
    raw.socket.close()
    for _ in range(100):
        if not sim.tree[SECRETS].watchers:
            return
        time.sleep(0.02)
    raise AssertionError("still listening")


def test_cancel_interrupts_a_long_print(sim):
    sim.load_secrets(20_000)
    raw = Raw(sim)
    raw.send(f"{SECRETS}/print", ".tag=p")
    raw.sentence()
    raw.send("/cancel", "=tag=p", ".tag=c")
    answers = raw.until_done("p", "c")
    assert ["!trap", ".tag=p", "=category=2", "=message=interrupted"] in answers
    assert len(answers) < 20_000


def test_ping_and_traffic(sim):
    raw = Raw(sim)
    answers = raw.talk("/ping", "=address=127.0.0.1", "=count=3", "=interval=0")
    assert [words[0] for words in answers] == ["!re"] * 3 + ["!done"]
    assert "=received=3" in answers[2]
    answers = raw.talk("/interface/monitor-traffic", "=interface=ether1,ether2", "=once=")
    assert [words[1] for words in answers[:2]] == ["=name=ether1", "=name=ether2"]
    raw.send("/interface/monitor-traffic", "=interface=ether1", "=interval=1", ".tag=m")
    raw.talk("/cancel", ".tag=c")
    assert raw.sentence()[0] in ("!trap", "!done")


# === RIGHTS === #


def test_without_the_sensitive_policy_there_are_no_passwords(sim):
    sim.load_secrets(1)
    sim.add_user("viewer", "v", ["api", "read"])
    row = next(iter(connect(sim, "viewer", "v").path(SECRETS)))
    assert "password" not in row and row["name"] == "user0"
    select = connect(sim, "viewer", "v").path(SECRETS).select(Key("name"), Key("password"))
    assert list(select) == [{"name": "user0"}]
    assert not list(select.where(Key("password") == "pw-000000")), "nor can they be guessed"
    assert next(iter(connect(sim).path(SECRETS)))["password"] == "pw-000000"


def test_without_the_write_policy_nothing_changes(sim):
    sim.load_secrets(1)
    sim.add_user("viewer", "v", ["api", "read", "sensitive"])
    secrets = connect(sim, "viewer", "v").path(SECRETS)
    for change in (
        lambda: secrets.add(name="x"),
        lambda: secrets.update(**{".id": "*1", "comment": "x"}),
        lambda: secrets.remove("*1"),
        lambda: tuple(connect(sim, "viewer", "v")("/system/reboot")),
    ):
        with pytest.raises(TrapError) as error:
            change()
        assert error.value.message == "not enough permissions (9)"
    assert len(sim.tree[SECRETS]) == 1 and "comment" not in sim.tree[SECRETS][0]


def test_without_the_api_policy_nobody_logs_in(sim):
    sim.add_user("viewer", "v", ["read", "winbox"])
    with pytest.raises(TrapError):
        connect(sim, "viewer", "v")


def test_a_user_may_be_tied_to_networks(sim):
    for networks, welcome in (("10.0.0.0/8", False), ("10.0.0.0/8,127.0.0.0/8", True)):
        sim.tree["/user"][0]["address"] = networks
        if welcome:
            connect(sim)
        else:
            with pytest.raises(TrapError):
                connect(sim)


def test_rights_can_be_read(sim):
    sim.add_user("viewer", "v", ["api", "read"])
    groups = {row["name"]: row["policy"] for row in connect(sim).path("/user/group")}
    assert "!write" in groups["viewer"].split(",") and "read" in groups["viewer"].split(",")
    assert "!sensitive" not in groups["read"].split(","), "the built-in group sees passwords"
    assert all("password" not in row for row in connect(sim).path("/user"))
    assert refused(sim, "/user/group", "remove", **{".id": "viewer"})[0] == (
        "failure: group has some users"
    )


# === VERSIONS === #


def test_differences_between_versions(router):
    old, new = connect(router(version="6.49.10")), connect(router(version="7.16"))
    assert set(next(old("/system/health/print"))) == {"voltage", "temperature"}
    assert {row["name"] for row in new("/system/health/print")} == {"voltage", "temperature"}
    assert next(old("/system/clock/print"))["date"][3] == "/"
    assert next(new("/system/clock/print"))["date"][4] == "-"
    assert next(old("/system/resource/print"))["version"] == "6.49.10 (long-term)"
    assert next(new("/system/resource/print"))["version"] == "7.16 (stable)"
    assert next(old("/system/package/print"))["version"] == "6.49.10"
    old.path(SECRETS).add(name="ram")
    assert "ipv6-routes" not in next(iter(old.path(SECRETS)))
    with pytest.raises(TrapError) as error:
        old.path(SECRETS).add(name="x", speed="1M")
    assert error.value.message == "unknown parameter"
    with pytest.raises(TrapError) as error:
        old.path(SECRETS).remove("*FF")
    assert error.value.message == "no such item"


# === BACKUP === #


def export_of(api, options=""):
    return next(api("/execute", script=f"/export {options}", **{"as-string": ""}))["ret"]


def test_export_over_the_api(sim):
    api = connect(sim)
    api.path(SECRETS).add(name="ram", password='a "b" $c', comment="house 7")
    text = export_of(api, "show-sensitive")
    joined = text.replace(" \\\r\n    ", " ")
    assert text.startswith("# 20") and "by RouterOS 7.16\r\n" in text
    assert '/ppp secret\r\nadd name=ram password="a \\"b\\" \\$c" comment="house 7"\r\n' in joined
    assert all(len(line) <= 80 for line in text.split("\r\n"))
    assert "default-encryption" not in text, "nothing that every router has"
    assert "password" not in export_of(api)
    assert list(api("/export")) == []


def test_what_an_export_hides(router):
    old = router(version="6.49.10")
    old.load_secrets(1)
    old.router.file_delay_s = 0
    old.add_user("viewer", "v", ["api", "read", "ftp"])
    for user, options, shown in (
        ("isp", {}, True),
        ("isp", {"hide-sensitive": ""}, False),
        ("viewer", {}, False),
    ):
        tuple(
            connect(old, user, "v" if user == "viewer" else "secret")(
                "/export", file="x", **options
            )
        )
        row = next(connect(old)("/file/print"))
        assert row["name"] == "x.rsc"
        assert ("pw-000000" in row["contents"]) is shown
    with pytest.raises(TrapError):
        export_of(connect(old))


def test_a_long_export_is_cut_off_and_read_from_its_file_in_chunks(sim):
    sim.load_secrets(2000, comment="x" * 40)
    api = connect(sim)
    whole = export(sim.router, True)
    text = export_of(api, "show-sensitive")
    assert len(text) == 65536 < len(whole), "nobody says that it was cut off"
    tuple(api("/execute", script="/export show-sensitive file=night"))
    row = next(api("/file/print"))
    assert row["name"] == "night.rsc" and row["size"] == 0, "the name comes before the contents"
    time.sleep(0.15)
    row = next(api("/file/print"))
    assert row["size"] == len(whole) and "contents" not in row
    parts, offset = [], 0
    while chunk := next(
        api("/file/read", file="night.rsc", offset=offset, **{"chunk-size": "32768"})
    )["data"]:
        parts.append(chunk)
        offset += len(chunk)
    assert len(parts) == 1 + len(whole) // 32768
    assert "".join(parts).split("\r\n", 1)[1] == whole.split("\r\n", 1)[1]
    api.path("/file").remove("night.rsc")
    with pytest.raises(TrapError):
        tuple(api("/file/read", file="night.rsc"))


def test_a_binary_backup_is_a_file_without_readable_contents(sim):
    api = connect(sim)
    sim.router.file_delay_s = 0
    tuple(api("/system/backup/save", name="night", password="p"))
    row = next(api("/file/print"))
    assert (row["name"], row["type"]) == ("night.backup", "backup") and row["size"] > 100
    assert "contents" not in row


# === SESSIONS AND REBOOT === #


def test_a_session_comes_and_is_kicked(sim):
    sim.load_secrets(2, **{"profile": "gold"})
    sim.tree["/ip/pool"].append({"name": "p", "ranges": "10.5.0.2-10.5.0.3"})
    sim.tree["/ppp/profile"].append({"name": "gold", "remote-address": "p", "rate-limit": "2M/4M"})
    assert sim.connect_subscriber("nobody") is None
    sim.connect_subscriber("user0")
    sim.connect_subscriber("user1")
    api = connect(sim)
    rows = list(api("/ppp/active/print"))
    assert [row["address"] for row in rows] == ["10.5.0.2", "10.5.0.3"]
    assert rows[0]["uptime"] == "0s"
    assert len(list(api("/ip/pool/used/print"))) == 2
    assert "<pppoe-user0>" in {row["name"] for row in api("/interface/print")}
    api.path("/ppp/active").remove(rows[0][".id"])
    assert [row["name"] for row in sim.tree["/ppp/active"]] == ["user1"]
    assert [row["name"] for row in sim.tree["/queue/simple"]] == ["<pppoe-user1>"]
    assert [row["address"] for row in sim.tree["/ip/pool/used"]] == ["10.5.0.3"]
    assert sim.tree[SECRETS][0]["last-disconnect-reason"] == "admin-reset"


def test_a_reboot_forgets_sessions_and_keeps_the_configuration(sim):
    sim.load_secrets(3)
    sim.connect_subscriber("user0")
    api = connect(sim)
    api.path("/ip/firewall/address-list").add(list="a", address="10.0.0.1", timeout="1h")
    api.path("/ip/firewall/address-list").add(list="a", address="10.0.0.2")
    assert tuple(api("/system/reboot")) == ()
    with pytest.raises((ConnectionClosed, OSError)):
        list(api.path(SECRETS))
    api = connect(sim)
    assert not list(api("/ppp/active/print"))
    assert [row["address"] for row in api("/ip/firewall/address-list/print")] == ["10.0.0.2"]
    assert len(list(api.path(SECRETS))) == 3
    assert next(api("/system/resource/print"))["uptime"] == "0s"


def test_a_reboot_without_a_time_server_is_in_1970(sim):
    sim.reboot(clock_1970=True)
    clock = next(connect(sim)("/system/clock/print"))
    assert clock["date"] == "1970-01-02"


# === FAULTS === #


def test_a_slow_router(sim):
    api = connect(sim)
    sim.faults.delay_s = 0.2
    start = time.monotonic()
    list(api.path(SECRETS))
    assert time.monotonic() - start >= 0.2


def test_a_router_that_hangs_does_the_command_when_it_is_back(sim):
    api = connect(sim, timeout=0.2)
    sim.faults.hang = True
    with pytest.raises(TimeoutError):
        api.path(SECRETS).add(name="ram")
    assert not sim.tree[SECRETS]
    sim.faults.hang = False
    for _ in range(100):
        if len(sim.tree[SECRETS]):
            return
        time.sleep(0.02)
    raise AssertionError("the command was lost")


def test_a_change_whose_answer_is_lost_was_made(sim):
    api = connect(sim, timeout=0.2)
    sim.faults.swallow_replies = True
    with pytest.raises(TimeoutError):
        api.path(SECRETS).add(name="ram")
    assert sim.tree[SECRETS][0]["name"] == "ram"


@pytest.mark.parametrize("words", [0, 1, 7, 500])
@pytest.mark.parametrize("mid_word", [False, True])
def test_a_drop_in_the_middle_of_an_answer(sim, words, mid_word):
    sim.load_secrets(100)
    api = connect(sim)
    sim.faults.drop_after_words = words
    sim.faults.drop_mid_word = mid_word
    with pytest.raises(ConnectionClosed):
        list(api.path(SECRETS))
    assert len(list(connect(sim).path(SECRETS))) == 100, "a drop happens once"


def test_drop_and_reset_under_tls(router):
    sim = router(tls=True)
    sim.load_secrets(100)
    context = ssl.create_default_context(cafile=sim.ca_file)
    options = {"ssl_wrapper": lambda s: context.wrap_socket(s, server_hostname="127.0.0.1")}
    api = connect(sim, **options)
    sim.faults.drop_after_words, sim.faults.drop_mid_word = 50, True
    with pytest.raises((ConnectionClosed, OSError)):
        list(api.path(SECRETS))
    api = connect(sim, **options)
    sim.reset_connections()
    with pytest.raises((ConnectionClosed, OSError)):
        list(api.path(SECRETS))
    sim.stop()
    assert not sim.ca_file.exists()


def test_a_router_that_was_off_comes_back_with_its_configuration(sim):
    sim.load_secrets(3)
    port = sim.port
    connect(sim)
    sim.stop()
    with pytest.raises(ConnectionRefusedError):
        connect(sim)
    assert sim.start()[1] == port
    assert len(list(connect(sim).path(SECRETS))) == 3


@pytest.mark.parametrize(
    ("words", "mid_word", "sent"),
    [
        (1, True, b"\x03!re\x0e=name=M"),  # half of =name=MikroTik
        (1, False, b"\x03!re"),
        (2, False, b"\x03!re\x0e=name=MikroTik\0"),
        (2, True, b"\x03!re\x0e=name=MikroTik\0\x05!d"),
    ],
)
def test_where_the_answer_is_cut(sim, words, mid_word, sent):
    raw = Raw(sim)
    sim.faults.drop_after_words, sim.faults.drop_mid_word = words, mid_word
    raw.send("/system/identity/print")
    assert raw.file.read() == sent


def test_one_byte_at_a_time(sim):
    sim.load_secrets(50)
    api = connect(sim)
    sim.faults.byte_by_byte = True
    assert len(list(api.path(SECRETS))) == 50


def test_refused_connections(sim):
    api = connect(sim)
    sim.faults.refuse_connections = True
    with pytest.raises(ConnectionRefusedError):
        connect(sim)
    assert list(api.path(SECRETS)) == [], "who is in stays in"
    sim.faults.refuse_connections = False
    connect(sim)


def test_reset(sim):
    raw = Raw(sim)
    sim.reset_connections()
    with pytest.raises(ConnectionResetError):
        raw.socket.recv(1)


def test_writes_that_are_acknowledged_and_not_kept(sim):
    secrets = connect(sim).path(SECRETS)
    sim.faults.forget_every = 3
    ids = [secrets.add(name=f"user{number}") for number in range(9)]
    assert all(ids)
    assert [row["name"] for row in sim.tree[SECRETS]] == [
        f"user{number}" for number in range(9) if number % 3 != 2
    ]
    assert sim.faults.forgotten == 3
    sim.faults.forget_every = 1
    secrets.update(**{".id": "user0", "comment": "x"})
    secrets.remove("user0")
    assert "comment" not in sim.tree[SECRETS][0]
    sim.faults.clear()
    secrets.remove("user0")
    assert sim.tree[SECRETS][0]["name"] == "user1"


def test_fatal(sim):
    api = connect(sim)
    sim.faults.fatal_next = "out of memory"
    with pytest.raises(FatalError):
        list(api.path(SECRETS))
    with pytest.raises(OSError):
        list(api.path(SECRETS))
    with pytest.raises(FatalError):
        tuple(connect(sim)("/quit"))


def test_traps_on_command(sim):
    api = connect(sim)
    sim.faults.trap_next = ("failure: try again", 4)
    with pytest.raises(TrapError) as error:
        list(api.path(SECRETS))
    assert (error.value.message, error.value.category) == ("failure: try again", 4)
    sim.faults.trap_next = ["one", "two"]
    with pytest.raises(MultiTrapError):
        list(api.path(SECRETS))
    sim.faults.trap_when = lambda command, values: (
        "failure: not today" if values.get("name") == "ram" else None
    )
    with pytest.raises(TrapError):
        api.path(SECRETS).add(name="ram")
    api.path(SECRETS).add(name="sita")


def test_changes_in_a_test_are_seen_by_clients(sim):
    sim.load_secrets(3)
    secrets = connect(sim).path(SECRETS)
    list(secrets)
    sim.tree[SECRETS][1]["profile"] = "other"
    sim.tree[SECRETS].remove(sim.tree[SECRETS][0])
    sim.tree[SECRETS].append({"name": "new", "password": "p"})
    assert [(row["name"], row["profile"]) for row in secrets] == [
        ("user1", "other"),
        ("user2", "default"),
        ("new", "default"),
    ]
    secrets.update(**{".id": "new", "comment": "found by name"})


# === SIZE === #


def test_twenty_thousand_secrets(sim):
    sim.load_secrets(20_000)
    raw = Raw(sim)
    for _ in range(2):
        start = time.monotonic()
        raw.send(f"{SECRETS}/print")
        size = 0
        tail = b""
        while not tail.endswith(b"\x05!done\0"):
            data = raw.socket.recv(1 << 20)
            size += len(data)
            tail = (tail + data)[-8:]
        seconds = time.monotonic() - start
    assert size > 20_000 * 150
    secrets, start = connect(sim).path(SECRETS), time.monotonic()
    assert sum(1 for _row in secrets) == 20_000
    reading = time.monotonic() - start
    assert seconds < reading / 4, "the client is the limit, not the simulator"


def test_secrets_may_differ(sim):
    sim.load_secrets(3, prefix="c", comment=lambda number: f"isp:secret:{number}", profile="gold")
    rows = [(row["name"], row["comment"], row["profile"]) for row in sim.tree[SECRETS]]
    assert rows[2] == ("c2", "isp:secret:2", "gold")


def test_many_clients_at_once(sim):
    failures = []

    def work(number):
        try:
            secrets = connect(sim).path(SECRETS)
            for one in range(20):
                secrets.add(name=f"user{number}-{one}")
        except (librouteros.exceptions.LibRouterosError, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert len({row[".id"] for row in sim.tree[SECRETS]}) == 160


# === A CLIENT THAT IS NOT OURS === #


@pytest.fixture(scope="session")
def node_modules():
    """Folder with node-routeros as locked in tests/simulators/node, installed when it changes."""
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node and npm, "node or npm is missing: run scripts/bootstrap"
    folder = Path(settings.environment()["STATE"]) / "cache/node"
    lock = (NODE / "package-lock.json").read_bytes()
    stamp = folder / "installed"
    wanted = hashlib.sha256(lock).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE / name, folder)
        result = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", folder / "cache"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert result.returncode == 0, f"npm could not install node-routeros: {result.stderr}"
        stamp.write_text(wanted)
    return folder / "node_modules"


def test_the_lock_pins_and_names_no_registry():
    lock = json.loads((NODE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert "node_modules/node-routeros" in packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())


@pytest.mark.parametrize("version", ["6.42.12", "6.49.10", "7.16"])
def test_node_routeros(router, node_modules, version):
    sim = router(version=version)
    sim.load_secrets(120)
    sim.faults.jitter_s = 0.02
    result = subprocess.run(
        ["node", NODE / "client.js", node_modules, "127.0.0.1", str(sim.port), "isp", "secret"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    assert seen["wrong_password"]
    assert seen["loaded"] == seen["left"] == 120
    assert seen["added"] == [{"ret": "*79"}]
    row = seen["row"]
    assert (row["password"], row["comment"], row["disabled"]) == ("p=q w", "house 7", "true")
    assert seen["or"] == [{"name": "user0"}, {"name": "user1"}]
    assert seen["in_flight"] == [f"user{number}" for number in range(50)]
    assert seen["listened"]["comment"].startswith("heard ")
    gone = "no such item (4)" if version.startswith("7") else "no such item"
    assert seen["errors"] == [
        "failure: secret with the same name already exists",
        "input does not match any value of profile",
        gone,
    ]
    assert sim.violations == []


# === BY HAND === #


def test_started_by_hand():
    program = [settings.environment()["VENV"] + "/bin/python", NODE.parent / "routeros"]
    process = subprocess.Popen(
        [*program, "--port", "0", "--secrets", "3"], stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        api = librouteros.connect("127.0.0.1", "isp", "secret", port=port, timeout=5)
        assert len(list(api.path(SECRETS))) == 3
        api.close()
    finally:
        process.terminate()
        process.wait(10)
    assert process.returncode == 0
