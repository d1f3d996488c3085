"""The RouterOS simulator on the wire: lengths, logins, TLS, tags, listen, rights.

The wire format is written out once more in simulators/routeros_clients.py, byte by byte, so that
simulator and test do not share a mistake.
"""

import hashlib
import ssl
import time

import pytest
from librouteros.exceptions import TrapError
from librouteros.login import token
from librouteros.query import Key

from simulators.routeros.wire import Decoder, ProtocolViolation, encode_length, encode_word
from simulators.routeros_clients import SECRETS, Raw, connect, refused

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


def test_the_router_hangs_up_on_a_reserved_byte(router):
    raw = Raw(router)
    raw.socket.sendall(b"\xf8")
    with pytest.raises(ConnectionResetError):
        raw.sentence()
    assert router.violations == ["reserved control byte 0xF8"]


def test_a_word_longer_than_16_kilobytes_goes_both_ways(router):
    comment = "long " * 5000
    secrets = connect(router).path(SECRETS)
    secrets.add(name="ram", comment=comment)
    assert next(iter(secrets))["comment"] == comment


def test_words_that_are_no_attribute_are_refused(router):
    raw = Raw(router)
    assert raw.talk("/system/identity/print", "name") == [
        ["!trap", "=category=5", "=message=unknown parameter"],
        ["!done"],
    ]
    assert raw.talk("system/identity/print")[0][0] == "!trap"


# === LOGIN === #


def test_login_since_6_43(router):
    assert list(connect(router).path("/system/identity")) == [{"name": "MikroTik"}]


@pytest.mark.parametrize(("user", "password"), [("isp", "wrong"), ("nobody", "secret")])
def test_wrong_user_or_password(router, user, password):
    with pytest.raises(TrapError) as error:
        connect(router, user, password)
    assert error.value.message == "invalid user name or password (6)"


def test_login_by_challenge(new_router):
    router = new_router(version="6.42.12")
    api = connect(router, login_method=token)
    assert next(api("/system/identity/print"))["name"] == "MikroTik"
    with pytest.raises(TrapError) as error:
        connect(router, password="wrong", login_method=token)
    assert error.value.message == "cannot log in"


def test_an_old_router_answers_name_and_password_with_a_challenge(new_router):
    raw = Raw(new_router(version="6.42.12"), login=False)
    (answer,) = raw.talk("/login", "=name=isp", "=password=secret")
    challenge = bytes.fromhex(answer[1].removeprefix("=ret="))
    assert len(challenge) == 16
    digest = hashlib.md5(b"\0secret" + challenge, usedforsecurity=False).hexdigest()
    assert raw.talk("/login", "=name=isp", f"=response=00{digest}") == [["!done"]]
    # A challenge is good for one answer.
    assert raw.talk("/login", "=name=isp", f"=response=00{digest}")[0][0] == "!trap"


def test_a_router_since_6_45_1_has_no_challenge(router):
    with pytest.raises(TrapError):
        connect(router, login_method=token)


def test_nothing_is_answered_before_login(router):
    raw = Raw(router, login=False)
    assert raw.talk("/system/identity/print") == [["!fatal", "not logged in"]]
    assert raw.sentence() is None


def test_a_disabled_user_is_refused(router):
    router.tree["/user"][0]["disabled"] = "true"
    with pytest.raises(TrapError):
        connect(router)


@pytest.mark.parametrize("kind", [True, "anonymous"])
def test_tls(new_router, kind):
    router = new_router(tls=kind)
    if kind == "anonymous":  # a router without a certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ADH:@SECLEVEL=0")
    else:
        context = ssl.create_default_context(cafile=router.ca_file)
    api = connect(router, ssl_wrapper=lambda s: context.wrap_socket(s, server_hostname="127.0.0.1"))
    router.load_secrets(3000)
    assert len(list(api.path(SECRETS))) == 3000


def test_a_client_that_does_not_trust_the_certificate_does_not_get_in(new_router):
    router, context = new_router(tls=True), ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(router, ssl_wrapper=lambda s: context.wrap_socket(s, server_hostname="127.0.0.1"))
    assert router.commands == 0


# === TAGS, LISTEN, CANCEL === #


def test_tagged_commands_overlap_on_a_long_link(router):
    raw = Raw(router)
    router.faults.delay_s = 0.1
    start = time.monotonic()
    for number in range(40):
        raw.send(f"{SECRETS}/add", f"=name=user{number}", f".tag={number}")
    raw.until_done(*range(40))
    assert 0.1 <= time.monotonic() - start < 1
    assert len(router.tree[SECRETS]) == 40


def test_tagged_answers_overtake_each_other(router):
    raw = Raw(router)
    router.faults.jitter_s = 0.05
    for number in range(30):
        raw.send("/system/identity/print", f".tag={number}")
    order = [words[-1] for words in raw.until_done(*range(30)) if words[0] == "!done"]
    assert order != [f".tag={number}" for number in range(30)]
    assert len(order) == 30


def test_long_and_short_answers_come_interleaved(router):
    router.load_secrets(5000)
    raw = Raw(router)
    raw.send_all([f"{SECRETS}/print", ".tag=long"], ["/system/identity/print", ".tag=short"])
    tags = [words[1] for words in raw.until_done("long", "short")]
    assert tags.index(".tag=short") < len(tags) - 2
    assert tags.count(".tag=long") == 5001


def test_commands_without_a_tag_are_answered_in_order(router):
    router.load_secrets(1000)
    raw = Raw(router)
    raw.send(f"{SECRETS}/print")
    raw.send("/system/identity/print")
    kinds = [raw.sentence()[0] for _ in range(1003)]
    assert kinds == ["!re"] * 1000 + ["!done", "!re", "!done"]


def test_listen_tells_changes_and_removals_until_cancelled(router):
    router.load_secrets(2)
    raw = Raw(router)
    raw.send(f"{SECRETS}/listen", "=.proplist=.id,comment", ".tag=l")
    raw.talk(f"{SECRETS}/set", "=.id=*1", "=comment=moved", "=disabled=yes", ".tag=s")
    # One row for one command.
    assert raw.sentence() == ["!re", ".tag=l", "=.id=*1", "=comment=moved"]
    router.tree[SECRETS].remove(router.tree[SECRETS][1])  # somebody at the console
    assert raw.sentence() == ["!re", ".tag=l", "=.id=*2", "=.dead=yes"]
    raw.send("/cancel", "=tag=l", ".tag=c")
    answers = raw.until_done("l", "c")
    assert ["!trap", ".tag=l", "=category=2", "=message=interrupted"] in answers
    assert raw.talk("/system/identity/print", ".tag=x")[0][0] == "!re"
    assert not router.tree[SECRETS].watchers


def test_a_listener_that_hangs_up_is_forgotten(router):
    raw = Raw(router)
    raw.send(f"{SECRETS}/listen", ".tag=l")
    raw.talk("/system/identity/print", ".tag=x")
    assert router.tree[SECRETS].watchers
    raw.file.close()
    raw.socket.close()
    for _ in range(100):
        if not router.tree[SECRETS].watchers:
            return
        time.sleep(0.02)
    raise AssertionError("still listening")


def test_cancel_interrupts_a_long_print(router):
    router.load_secrets(20_000)
    raw = Raw(router)
    raw.send(f"{SECRETS}/print", ".tag=p")
    raw.sentence()
    raw.send("/cancel", "=tag=p", ".tag=c")
    answers = raw.until_done("p", "c")
    assert ["!trap", ".tag=p", "=category=2", "=message=interrupted"] in answers
    assert len(answers) < 20_000


def test_ping_and_traffic(router):
    raw = Raw(router)
    answers = raw.talk("/ping", "=address=127.0.0.1", "=count=3", "=interval=0")
    assert [words[0] for words in answers] == ["!re"] * 3 + ["!done"]
    assert "=received=3" in answers[2]
    answers = raw.talk("/interface/monitor-traffic", "=interface=ether1,ether2", "=once=")
    assert [words[1] for words in answers[:2]] == ["=name=ether1", "=name=ether2"]
    raw.send("/interface/monitor-traffic", "=interface=ether1", "=interval=1", ".tag=m")
    raw.talk("/cancel", ".tag=c")
    assert raw.sentence()[0] in ("!trap", "!done")


# === RIGHTS === #


def test_without_the_sensitive_policy_there_are_no_passwords(router):
    router.load_secrets(1)
    router.add_user("viewer", "v", ["api", "read"])
    row = next(iter(connect(router, "viewer", "v").path(SECRETS)))
    assert "password" not in row and row["name"] == "user0"
    select = connect(router, "viewer", "v").path(SECRETS).select(Key("name"), Key("password"))
    assert list(select) == [{"name": "user0"}]
    assert not list(select.where(Key("password") == "pw-000000")), "nor can they be guessed"
    assert next(iter(connect(router).path(SECRETS)))["password"] == "pw-000000"


def test_without_the_write_policy_nothing_changes(router):
    router.load_secrets(1)
    router.add_user("viewer", "v", ["api", "read", "sensitive"])
    secrets = connect(router, "viewer", "v").path(SECRETS)
    for change in (
        lambda: secrets.add(name="x"),
        lambda: secrets.update(**{".id": "*1", "comment": "x"}),
        lambda: secrets.remove("*1"),
        lambda: tuple(connect(router, "viewer", "v")("/system/reboot")),
    ):
        with pytest.raises(TrapError) as error:
            change()
        assert error.value.message == "not enough permissions (9)"
    assert len(router.tree[SECRETS]) == 1 and "comment" not in router.tree[SECRETS][0]


def test_without_the_api_policy_nobody_logs_in(router):
    router.add_user("viewer", "v", ["read", "winbox"])
    with pytest.raises(TrapError):
        connect(router, "viewer", "v")


def test_a_user_may_be_tied_to_networks(router):
    for networks, welcome in (("10.0.0.0/8", False), ("10.0.0.0/8,127.0.0.0/8", True)):
        router.tree["/user"][0]["address"] = networks
        if welcome:
            connect(router)
        else:
            with pytest.raises(TrapError):
                connect(router)


def test_rights_can_be_read(router):
    router.add_user("viewer", "v", ["api", "read"])
    groups = {row["name"]: row["policy"] for row in connect(router).path("/user/group")}
    assert "!write" in groups["viewer"].split(",") and "read" in groups["viewer"].split(",")
    assert "!sensitive" not in groups["read"].split(","), "the built-in group sees passwords"
    assert all("password" not in row for row in connect(router).path("/user"))
    assert refused(router, "/user/group", "remove", **{".id": "viewer"})[0] == (
        "failure: group has some users"
    )
