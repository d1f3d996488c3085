"""Our RouterOS client and reconciler against the simulator's real wire protocol, faults included."""

import hashlib
import random
import ssl
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from simulators.routeros import RouterOS

sys.path.append(str(Path(__file__).parents[1] / "addons/isp_network"))

from routeros import backup, connection, errors, logins, menus
from routeros.active import ENDED, GONE, Online, end_online
from routeros.connection import Target, open_session
from routeros.desired import Service, build
from routeros.plan import LEAVES
from routeros.reconcile import reconcile

SECRET = menus.PPP_SECRET


@pytest.fixture
def sim():
    with RouterOS(users={"isp": "secret"}) as one:
        yield one
        assert not one.violations


def target(sim, **values):
    values = {"user": "isp", "password": "secret", "timeout_s": 5, **values}
    return Target("127.0.0.1", sim.port, **values)


def services(count, **values):
    return [
        Service(
            number, f"user{number}", f"pw-{number}", upload_kbps=5000, download_kbps=9000, **values
        )
        for number in range(1, count + 1)
    ]


def run(sim, wanted, **options):
    with open_session(target(sim)) as session:
        return reconcile(session, wanted.rows, **options)


def shown(sim, path=SECRET):
    return {row["name"]: dict(row) for row in sim.tree[path]}


# === CONNECTION === #


@pytest.mark.parametrize("version", ["6.40", "6.42.12", "6.43", "6.49.10", "7.1", "7.16", "7.18"])
def test_every_login_and_version(version):
    with RouterOS(version=version, users={"isp": "p=ss word"}) as sim:
        with open_session(target(sim, password="p=ss word")) as session:
            assert session.version == tuple(map(int, version.split(".")))
            # 7.18 answers an empty list otherwise than the versions before.
            assert session.print_rows("/ppp/secret", ["name"]) == []
        with pytest.raises(errors.WrongPassword):
            open_session(target(sim, password="wrong"))
        with pytest.raises(errors.WrongPassword):
            open_session(target(sim, user="nobody"))
        assert not sim.violations


def test_text_stays_what_it_is(sim):
    values = ["007", "yes", "true", "12", "", "গোপন শব্দ", "a=b=c", "x" * 5000, "-1", "1e5"]
    with open_session(target(sim)) as session:
        for number, value in enumerate(values):
            session.call("/ppp/secret/add", f"=name=u{number}", f"=password={value}")
        rows = session.print_rows(SECRET, ["name", "password"])
    assert [connection.parse_row(words)["password"] for words in rows] == values


def test_answers_are_sorted_out_by_tag(sim):
    sim.faults.delay_s, sim.faults.jitter_s = 0.001, 0.02
    with open_session(target(sim)) as session:
        commands = [("/ppp/secret/add", f"=name=u{number}") for number in range(300)]
        commands[7:7] = [("/ppp/secret/add", "=name=u3"), ("/ppp/nothing/print",)]
        replies = dict(session.stream(commands))
    assert len(replies) == 302
    refused = {position: reply.error for position, reply in replies.items() if reply.error}
    assert set(refused) in ({7, 8}, {3, 8})
    assert isinstance(refused[8], errors.Refused)
    assert {type(one) for one in refused.values()} == {errors.Exists, errors.Refused}
    assert len(shown(sim)) == 300


def test_commands_overlap_on_a_long_line(sim):
    sim.faults.delay_s = 0.02
    with open_session(target(sim)) as session:
        start = time.monotonic()
        dict(session.stream(("/ppp/secret/add", f"=name=u{number}") for number in range(320)))
        seconds = time.monotonic() - start
    assert seconds < 320 * 0.02 / 8, "320 commands one after the other take 6.4 s"


def test_a_reply_that_comes_byte_by_byte(sim):
    sim.load_secrets(40)
    sim.faults.byte_by_byte = True
    with open_session(target(sim)) as session:
        rows = session.print_rows(SECRET, ["name", "password"])
    assert [connection.parse_row(words)["password"] for words in rows] == [
        f"pw-{number:06}" for number in range(40)
    ]


@pytest.mark.parametrize("mid_word", [False, True])
def test_a_line_that_drops_in_the_middle_of_a_reply(sim, mid_word):
    sim.load_secrets(500)
    with open_session(target(sim)) as session:
        session.version  # noqa: B018 - asks the router
        sim.faults.drop_after_words, sim.faults.drop_mid_word = 700, mid_word
        with pytest.raises(errors.Unreachable):
            session.print_rows(SECRET, ["name"])
        with pytest.raises(errors.Unreachable, match="closed"):
            session.call("/system/identity/print")
    with open_session(target(sim)) as session:
        assert len(session.print_rows(SECRET, ["name"])) == 500


def test_a_late_answer_is_never_taken_for_the_next_one(sim):
    with open_session(target(sim, timeout_s=0.3)) as session:
        session.version  # noqa: B018 - asks the router
        sim.faults.hang = True
        with pytest.raises(errors.Unreachable, match="does not answer"):
            session.call("/ppp/secret/add", "=name=late")
        sim.faults.hang = False
        with pytest.raises(errors.Unreachable):
            session.print_rows(SECRET, ["name"])


def test_a_router_that_trickles_for_ever_is_left_at_the_deadline(sim):
    sim.faults.delay_s = 0.2
    with open_session(target(sim, deadline_s=1)) as session:
        start = time.monotonic()
        with pytest.raises(errors.Unreachable, match="too slowly"):
            for _try in range(100):
                session.call("/system/identity/print")
    assert time.monotonic() - start < 5


def test_a_session_that_the_router_ends(sim):
    with open_session(target(sim)) as session:
        sim.faults.fatal_next = "not logged in"
        with pytest.raises(errors.Unreachable, match="not logged in"):
            session.call("/system/identity/print")


def test_nobody_there(sim):
    sim.faults.refuse_connections = True
    with pytest.raises(errors.Unreachable, match="(?i)refused"):
        open_session(target(sim))


@pytest.mark.parametrize(
    ("trap", "kind"),
    [
        (("no such item", 0), errors.Gone),
        ("no such item (4)", errors.Gone),
        ("failure: already have such entry", errors.Exists),
        ("failure: secret with the same name already exists", errors.Exists),
        ("failure: pool with such name exists", errors.Exists),
        ("failure: already have user with this name for this server", errors.Exists),
        (("input does not match any value of profile", 1), errors.Refused),
        ("unknown parameter", errors.Refused),
        ([("failure: already have such name", 4), "unknown parameter"], errors.Exists),
    ],
)
def test_traps_are_told_apart_and_the_line_goes_on(sim, trap, kind):
    with open_session(target(sim)) as session:
        sim.faults.trap_next = trap
        with pytest.raises(errors.CommandError) as caught:
            session.call("/ppp/secret/add", "=name=a")
        assert type(caught.value) is kind
        assert session.call("/ppp/secret/add", "=name=a").ret().startswith("*")


# === TLS === #


@pytest.fixture
def tls_sim():
    with RouterOS(users={"isp": "secret"}, tls=True) as one:
        yield one


def test_a_pinned_certificate(tls_sim):
    shown_pin = connection.fetch_fingerprint("127.0.0.1", tls_sim.port)
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", tls_sim.port)))
    assert shown_pin == hashlib.sha256(certificate).hexdigest()
    pretty = ":".join(shown_pin.upper()[at : at + 2] for at in range(0, 64, 2))
    with open_session(target(tls_sim, tls="pin", fingerprint=pretty)) as session:
        assert session.version == (7, 16)


def test_another_certificate_gets_no_password(tls_sim):
    for fingerprint in ("", "ab" * 32):
        with pytest.raises(errors.UntrustedCertificate) as caught:
            open_session(target(tls_sim, tls="pin", fingerprint=fingerprint))
        assert len(caught.value.fingerprint) == 64
    assert not tls_sim.commands


def test_an_authority_is_checked(tls_sim):
    ca_pem = Path(tls_sim.ca_file).read_text()
    with open_session(target(tls_sim, tls="verify", ca_pem=ca_pem)) as session:
        assert session.version == (7, 16)
    with pytest.raises(errors.UntrustedCertificate):
        open_session(target(tls_sim, tls="verify"))


def test_a_clear_port_behind_tls_settings(sim):
    with pytest.raises(errors.Unreachable):
        open_session(target(sim, tls="pin", fingerprint="ab" * 32, timeout_s=1))
    sim.violations.clear()


# === RECONCILING === #


@pytest.mark.parametrize("version", ["6.49.10", "7.16", "7.18"])
def test_everything_a_router_holds(version):
    with RouterOS(version=version, users={"isp": "secret"}) as sim:
        sim.tree["/ppp/secret"].append({"name": "boss", "password": "x", "comment": "hands off"})
        sim.tree["/ip/pool"].append({"name": "home", "ranges": "10.64.0.2-10.64.255.254"})
        mixed = [
            Service(1, "a", "pw", upload_kbps=5120, download_kbps=10240, framed_pool="home",
                    burst_upload_kbps=9000, burst_download_kbps=20000, burst_time_s=8, priority=5,
                    session_timeout_s=86400, idle_timeout_s=300, simultaneous_use=2),
            Service(2, "b", "pw", access="walled", framed_pool="home",
                    mac_addresses="AA-BB-CC-00-11-22"),
            Service(3, "c", "pw", access="none", ipv4_address="10.9.0.3"),
            Service(4, "d", "pw", service_type="hotspot", upload_kbps=1000, download_kbps=2000,
                    idle_timeout_s=600, mac_addresses="AA-BB-CC-00-11-33"),
            Service(5, "e", service_type="static", ipv4_address="10.9.0.5", upload_kbps=5000,
                    download_kbps=5000, burst_upload_kbps=8000, burst_time_s=4),
            Service(6, "f", service_type="ipoe", ipv4_address="10.9.0.6", access="walled"),
            Service(7, "g", "pw", delegated_prefix="2001:db8:7::/64", framed_pool="home"),
            Service(8, "h", service_type="static", ipv4_address="10.9.0.8", upload_kbps=5000,
                    delegated_prefix="2001:db8:8::/56", address_list="office"),
            Service(9, "i", service_type="ipoe", delegated_prefix="2001:db8:9::/56"),
        ]  # fmt: skip
        seven = not version.startswith("6")
        number = tuple(map(int, version.split(".")))
        wanted = build(mixed, gateway="10.64.0.1", version=number)
        outcome = run(sim, wanted)
        assert outcome.settled, outcome.failures
        again = run(sim, wanted)
        assert (again.differences, again.applied) == ([], 0)
        assert shown(sim)["g"].get("remote-ipv6-prefix") == ("2001:db8:7::/64" if seven else None)
        targets = {row["name"]: row["target"] for row in sim.tree[menus.QUEUE]}
        assert targets["h"] == ("10.9.0.8/32,2001:db8:8::/56" if seven else "10.9.0.8/32")
        assert targets.get("i") == ("2001:db8:9::/56" if seven else None)
        if seven:
            entries = {(row["list"], row["address"]) for row in sim.tree[menus.IPV6_ADDRESS_LIST]}
            assert entries == {
                ("isp-active", "2001:db8:8::/56"),
                ("office", "2001:db8:8::/56"),
                ("isp-active", "2001:db8:9::/56"),
            }
        mixed[7] = replace(mixed[7], delegated_prefix="2001:db8:88::/56")
        changed = build([*mixed[2:], Service(1, "a", "pw2", upload_kbps=1000, download_kbps=1000)],
                        version=number)  # fmt: skip
        assert run(sim, changed).settled
        assert not run(sim, changed, dry=True).differences
        assert run(sim, build([])).settled
        assert set(shown(sim)) == {"boss"}
        for path in menus.menus_of(number).keys() & set(LEAVES) - {SECRET}:
            assert len(sim.tree[path]) == 0, path
        assert not sim.violations


def test_a_pool_that_the_router_lacks_is_said(sim):
    wanted = build([*services(2), Service(9, "x", "pw", framed_pool="nowhere")])
    outcome = run(sim, wanted)
    assert {one.label for one, _message in outcome.failures} >= {"x"}
    assert any("does not match any value" in message for _one, message in outcome.failures)
    assert set(shown(sim)) == {"user1", "user2"}


def test_writes_that_are_acknowledged_and_forgotten(sim):
    sim.faults.forget_every = 7
    outcome = run(sim, build(services(200)))
    assert outcome.settled and outcome.rounds > 1 and sim.faults.forgotten
    assert len(shown(sim)) == 200


def test_a_router_that_keeps_nothing_is_reported(sim):
    run(sim, build(services(3)))
    sim.faults.forget_every = 1
    changed = [Service(1, "user1", "other", upload_kbps=5000, download_kbps=9000), *services(3)[1:]]
    outcome = run(sim, build(changed))
    assert not outcome.settled and not outcome.failures
    assert [(one.kind, one.label) for one in outcome.left] == [("changed", "user1")]


def test_missing_rights_are_told(sim):
    sim.add_user("reader", "secret", ("api", "read", "sensitive", "test"))
    with open_session(target(sim, user="reader")) as session:
        assert logins.missing_policies(session, "reader") == ["write"]
        with pytest.raises(errors.NoRights):
            reconcile(session, build(services(1)).rows)
    assert not shown(sim)


def test_a_user_who_sees_no_passwords_does_not_reset_them(sim):
    run(sim, build(services(3)))
    sim.load_secrets(1, prefix="old")
    sim.add_user("blind", "secret", ("api", "read", "write", "test"))
    with open_session(target(sim, user="blind")) as session:
        with pytest.raises(errors.NoRights):
            reconcile(session, build(services(3)).rows)
        with pytest.raises(errors.NoRights):
            logins.read_logins(session)
        assert logins.missing_policies(session, "blind") == ["sensitive"]


def test_sessions_end_with_what_they_had(sim):
    run(sim, build(services(3)))
    for name in ("user1", "user2", "user3"):
        assert sim.connect_subscriber(name, address="10.64.0.9")
    changed = services(3)
    changed[0] = Service(1, "user1", "pw-1", access="walled")
    changed[2] = Service(3, "user3", "pw-3", access="none")
    outcome = run(sim, build(changed))
    assert outcome.settled and outcome.ended == 2
    assert [row["name"] for row in sim.tree["/ppp/active"]] == ["user2"]
    assert sim.connect_subscriber("user3") is None


def test_one_service_among_many_is_looked_up_by_the_router(sim):
    everybody = services(3000)
    run(sim, build(everybody))
    before = sim.commands
    wanted = build([Service(7, "user7", "new", upload_kbps=5000, download_kbps=9000)])
    outcome = run(sim, wanted, scope=[7])
    assert outcome.settled and outcome.own == 2 and outcome.applied == 1
    assert sim.commands - before < 30
    assert shown(sim)["user7"]["password"] == "new" and len(shown(sim)) == 3000


def test_runs_cut_off_at_random_converge(sim):
    """Drops, reboots, forgotten writes and a meddling operator; at the end the state is right."""
    chance = random.Random(20261127)
    everybody = services(400)
    run(sim, build(everybody))
    sim.tree[SECRET].append({"name": "boss", "password": "theirs", "comment": "hands off"})
    for _round in range(12):
        everybody = [
            Service(
                one.id, one.username, f"pw-{chance.randrange(5)}", upload_kbps=5000,
                download_kbps=chance.choice([9000, 20000]),
                access=chance.choice(["full", "full", "walled", "none", "gone"]),
            )
            if chance.random() < 0.4
            else one
            for one in everybody
        ]  # fmt: skip
        sim.faults.drop_after_words = chance.randrange(50, 6000)
        sim.faults.drop_mid_word = chance.random() < 0.5
        sim.faults.forget_every = chance.choice([0, 0, 5])
        timer = threading.Timer(chance.uniform(0, 0.2), sim.reboot)
        timer.start()
        try:
            run(sim, build(everybody), force=True)
        except errors.Unreachable:
            pass
        finally:
            timer.join()
        for row in chance.sample(list(sim.tree[SECRET]), 3):
            if row["name"] != "boss":
                row["disabled"] = "true"
    sim.faults.drop_after_words, sim.faults.drop_mid_word, sim.faults.forget_every = None, False, 0
    assert run(sim, build(everybody), force=True).settled
    assert not run(sim, build(everybody), dry=True).differences
    there = shown(sim)
    assert there.pop("boss")["password"] == "theirs"
    assert {
        name: (row["password"], row["disabled"]) for name, row in there.items()
    } == {
        one.username: (one.password, "true" if one.access == "none" else "false")
        for one in everybody
        if one.access != "gone"
    }  # fmt: skip


# === BACKUP AND MOVING IN === #


@pytest.mark.parametrize(
    ("version", "secrets"), [("6.49.10", 20), ("7.12", 20), ("7.16", 20), ("7.16", 3000)]
)
def test_the_configuration_is_fetched(version, secrets):
    with RouterOS(version=version, users={"isp": "secret"}) as sim:
        sim.load_secrets(secrets)
        with open_session(target(sim)) as session:
            text = backup.fetch_export(session)
            assert text == backup.fetch_export(session)
        assert f"name=user{secrets - 1}" in text.replace("\\\n    ", "")
        assert "pw-000001" in text and "pw-000001" not in backup.mask(text)
        assert not [row for row in sim.tree["/file"] if row["name"].startswith("isp-export")]


def test_the_logins_of_a_router_are_read(sim):
    run(sim, build(services(2)))
    sim.load_secrets(3, prefix="old", comment="House 5")
    with open_session(target(sim)) as session:
        found = logins.read_logins(session)
    assert [(one.name, one.password, one.comment) for one in found] == [
        (f"old{number}", f"pw-{number:06}", "House 5") for number in range(3)
    ]


# === SESSIONS THAT RADIUS CANNOT END === #


@pytest.mark.parametrize("version", ["6.49.10", "7.18"])
def test_the_session_that_accounting_knows_is_ended_and_no_other(version):
    with RouterOS(version=version, users={"isp": "secret"}) as sim:
        live = [
            {"name": "Karim", "address": "10.64.0.9", "session-id": "0x81000001"},
            {"name": "karim", "address": "10.64.0.10", "session-id": "0x81000002"},
            {"name": "rahim", "address": "10.64.0.11", "session-id": "0x8100000A"},
        ]
        for row in live:
            sim.tree["/ppp/active"].append(row)
        for user, address in (("guest", "10.5.0.2"), ("guest", "10.5.0.3")):
            sim.tree["/ip/hotspot/active"].append({"user": user, "address": address})
        wanted = [
            Online(1, "karim", "81000001", "10.64.0.9"),
            Online(2, "rahim", "8100000a"),
            Online(3, "guest", "", "10.5.0.3"),
            Online(4, "nobody", "81000009", "10.64.0.99"),
        ]
        with open_session(target(sim)) as session:
            assert end_online(session, wanted) == {1: ENDED, 2: ENDED, 3: ENDED, 4: GONE}
            assert end_online(session, wanted) == dict.fromkeys((1, 2, 3, 4), GONE)
        assert [row["address"] for row in sim.tree["/ppp/active"]] == ["10.64.0.10"]
        assert [row["address"] for row in sim.tree["/ip/hotspot/active"]] == ["10.5.0.2"]
        assert not sim.violations


def test_a_user_who_may_not_write_ends_no_session(sim):
    sim.add_user("reader", "secret", ("api", "read", "sensitive", "test"))
    sim.tree["/ppp/active"].append({"name": "karim", "session-id": "0x81000001"})
    with open_session(target(sim, user="reader")) as session:
        [said] = end_online(session, [Online(1, "karim", "81000001")]).values()
    assert "not enough permissions" in said
    assert len(sim.tree["/ppp/active"]) == 1


def test_many_sessions_are_ended_at_once(sim):
    for number in range(300):
        sim.tree["/ppp/active"].append({"name": f"user{number}", "session-id": f"0x8{number:07x}"})
    wanted = [Online(number, f"user{number}", f"8{number:07x}") for number in range(200)]
    before = sim.commands
    with open_session(target(sim)) as session:
        assert set(end_online(session, wanted).values()) == {ENDED}
    assert sim.commands - before < 210
    assert len(sim.tree["/ppp/active"]) == 100
