"""The RouterOS simulator's faults on command, and its size."""

import ssl
import threading
import time

import librouteros
import pytest
from librouteros.exceptions import ConnectionClosed, FatalError, MultiTrapError, TrapError

from simulators.routeros_clients import SECRETS, Raw, connect

# === FAULTS === #


def test_a_slow_router(router):
    api = connect(router)
    router.faults.delay_s = 0.2
    start = time.monotonic()
    list(api.path(SECRETS))
    assert time.monotonic() - start >= 0.2


def test_a_router_that_hangs_does_the_command_when_it_is_back(router):
    api = connect(router, timeout=0.2)
    router.faults.hang = True
    with pytest.raises(TimeoutError):
        api.path(SECRETS).add(name="ram")
    assert not router.tree[SECRETS]
    router.faults.hang = False
    for _ in range(100):
        if len(router.tree[SECRETS]):
            return
        time.sleep(0.02)
    raise AssertionError("the command was lost")


def test_a_change_whose_answer_is_lost_was_made(router):
    api = connect(router, timeout=0.2)
    router.faults.swallow_replies = True
    with pytest.raises(TimeoutError):
        api.path(SECRETS).add(name="ram")
    assert router.tree[SECRETS][0]["name"] == "ram"


@pytest.mark.parametrize("words", [0, 1, 7, 500])
@pytest.mark.parametrize("mid_word", [False, True])
def test_a_drop_in_the_middle_of_an_answer(router, words, mid_word):
    router.load_secrets(100)
    api = connect(router)
    router.faults.drop_after_words = words
    router.faults.drop_mid_word = mid_word
    with pytest.raises(ConnectionClosed):
        list(api.path(SECRETS))
    assert len(list(connect(router).path(SECRETS))) == 100, "a drop happens once"


def test_drop_and_reset_under_tls(new_router):
    router = new_router(tls=True)
    router.load_secrets(100)
    context = ssl.create_default_context(cafile=router.ca_file)
    options = {"ssl_wrapper": lambda s: context.wrap_socket(s, server_hostname="127.0.0.1")}
    api = connect(router, **options)
    router.faults.drop_after_words, router.faults.drop_mid_word = 50, True
    with pytest.raises((ConnectionClosed, OSError)):
        list(api.path(SECRETS))
    api = connect(router, **options)
    router.reset_connections()
    with pytest.raises((ConnectionClosed, OSError)):
        list(api.path(SECRETS))
    router.stop()
    assert not router.ca_file.exists()


def test_a_router_that_was_off_comes_back_with_its_configuration(router):
    router.load_secrets(3)
    port = router.port
    connect(router)
    router.stop()
    with pytest.raises(ConnectionRefusedError):
        connect(router)
    assert router.start()[1] == port
    assert len(list(connect(router).path(SECRETS))) == 3


@pytest.mark.parametrize(
    ("words", "mid_word", "sent"),
    [
        (1, True, b"\x03!re\x0e=name=M"),  # half of =name=MikroTik
        (1, False, b"\x03!re"),
        (2, False, b"\x03!re\x0e=name=MikroTik\0"),
        (2, True, b"\x03!re\x0e=name=MikroTik\0\x05!d"),
    ],
)
def test_where_the_answer_is_cut(router, words, mid_word, sent):
    raw = Raw(router)
    router.faults.drop_after_words, router.faults.drop_mid_word = words, mid_word
    raw.send("/system/identity/print")
    assert raw.file.read() == sent


def test_one_byte_at_a_time(router):
    router.load_secrets(50)
    api = connect(router)
    router.faults.byte_by_byte = True
    assert len(list(api.path(SECRETS))) == 50


def test_refused_connections(router):
    api = connect(router)
    router.faults.refuse_connections = True
    with pytest.raises(ConnectionRefusedError):
        connect(router)
    assert list(api.path(SECRETS)) == [], "who is in stays in"
    router.faults.refuse_connections = False
    connect(router)


def test_reset(router):
    raw = Raw(router)
    router.reset_connections()
    with pytest.raises(ConnectionResetError):
        raw.socket.recv(1)


def test_writes_that_are_acknowledged_and_not_kept(router):
    secrets = connect(router).path(SECRETS)
    router.faults.forget_every = 3
    ids = [secrets.add(name=f"user{number}") for number in range(9)]
    assert all(ids)
    assert [row["name"] for row in router.tree[SECRETS]] == [
        f"user{number}" for number in range(9) if number % 3 != 2
    ]
    assert router.faults.forgotten == 3
    router.faults.forget_every = 1
    secrets.update(**{".id": "user0", "comment": "x"})
    secrets.remove("user0")
    assert "comment" not in router.tree[SECRETS][0]
    router.faults.clear()
    secrets.remove("user0")
    assert router.tree[SECRETS][0]["name"] == "user1"


def test_fatal(router):
    api = connect(router)
    router.faults.fatal_next = "out of memory"
    with pytest.raises(FatalError):
        list(api.path(SECRETS))
    with pytest.raises(OSError):
        list(api.path(SECRETS))
    with pytest.raises(FatalError):
        tuple(connect(router)("/quit"))


def test_traps_on_command(router):
    api = connect(router)
    router.faults.trap_next = ("failure: try again", 4)
    with pytest.raises(TrapError) as error:
        list(api.path(SECRETS))
    assert (error.value.message, error.value.category) == ("failure: try again", 4)
    router.faults.trap_next = ["one", "two"]
    with pytest.raises(MultiTrapError):
        list(api.path(SECRETS))
    router.faults.trap_when = lambda command, values: (
        "failure: not today" if values.get("name") == "ram" else None
    )
    with pytest.raises(TrapError):
        api.path(SECRETS).add(name="ram")
    api.path(SECRETS).add(name="sita")


def test_changes_in_a_test_are_seen_by_clients(router):
    router.load_secrets(3)
    secrets = connect(router).path(SECRETS)
    list(secrets)
    router.tree[SECRETS][1]["profile"] = "other"
    router.tree[SECRETS].remove(router.tree[SECRETS][0])
    router.tree[SECRETS].append({"name": "new", "password": "p"})
    assert [(row["name"], row["profile"]) for row in secrets] == [
        ("user1", "other"),
        ("user2", "default"),
        ("new", "default"),
    ]
    secrets.update(**{".id": "new", "comment": "found by name"})


# === SIZE === #


def test_twenty_thousand_secrets(router):
    router.load_secrets(20_000)
    raw = Raw(router)
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
    secrets, start = connect(router).path(SECRETS), time.monotonic()
    assert sum(1 for _row in secrets) == 20_000
    reading = time.monotonic() - start
    assert seconds < reading / 4, "the client is the limit, not the simulator"


def test_secrets_may_differ(router):
    router.load_secrets(
        3, prefix="c", comment=lambda number: f"isp:secret:{number}", profile="gold"
    )
    rows = [(row["name"], row["comment"], row["profile"]) for row in router.tree[SECRETS]]
    assert rows[2] == ("c2", "isp:secret:2", "gold")


def test_many_clients_at_once(router):
    failures = []

    def work(number):
        try:
            secrets = connect(router).path(SECRETS)
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
    assert len({row[".id"] for row in router.tree[SECRETS]}) == 160
