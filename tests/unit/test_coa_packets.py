"""CoA and Disconnect on the wire, against the NAS simulator."""

import time

import pytest
from radius import coa

from simulators.nas import Nas, Session

SECRET = "a-shared-secret"
FAST = coa.Timing(send_at=(0.0, 0.1, 0.2), give_up=0.4)


@pytest.fixture
def nas():
    with Nas("127.0.0.2", SECRET) as running:
        yield running


def online(nas, count=1, **changes):
    """Sessions that are up, without any RADIUS server."""
    for number in range(len(nas.sessions), len(nas.sessions) + count):
        name = f"u{number}"
        vals = {
            "id": f"81{number:06x}",
            "username": name,
            "password": "",
            "mac": "02:00:00:00:00:01",
            "ip": f"10.0.{number // 250}.{number % 250 + 1}",
            "reply": {},
            "started": 0.0,
        }
        nas.sessions[vals["id"]] = Session(**(vals | changes))
    return list(nas.sessions.values())[-count:]


def ask(nas, session, kind="disconnect", secret=SECRET, **attributes):
    identity = {
        "User-Name": session.username,
        "Acct-Session-Id": session.id,
        "Framed-IP-Address": session.ip,
    }
    attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
    return coa.Request(
        session.id, kind, nas.address, nas.coa_port, secret.encode(), identity | attributes
    )


def send_one(*args, timing=FAST, **attributes):
    [answer] = coa.send([ask(*args, **attributes)], timing)
    return answer


def test_a_disconnect_ends_the_session(nas):
    [session, other] = online(nas, 2)
    answer = send_one(nas, session)
    assert (answer.outcome, answer.sends) == (coa.ACK, 1)
    assert list(nas.sessions.values()) == [other]


def test_a_coa_changes_the_speed_without_a_drop(nas):
    [session] = online(nas)
    answer = send_one(nas, session, "coa", Mikrotik_Rate_Limit="5M/10M")
    assert answer.outcome == coa.ACK
    assert session.rate == "5M/10M"
    assert nas.sessions


def test_routers_of_other_makers_get_bandwidths_as_numbers(nas):
    [session] = online(nas)
    answer = send_one(nas, session, "coa", WISPr_Bandwidth_Max_Up="5000000")
    assert answer.outcome == coa.ACK
    assert nas.commands[-1].changes == {"WISPr-Bandwidth-Max-Up": 5000000}


def test_every_request_is_signed_twice_and_dated():
    request = coa.Request("k", "coa", "127.0.0.2", 1, b"s", {"User-Name": "karim"})
    message, octets = coa.build(request, 7)
    assert octets[:2] == bytes([43, 7])
    assert message["Event-Timestamp"][0] == pytest.approx(time.time(), abs=3)
    # First, where RFC 2869 readers that stop early still see it.
    assert octets[20] == 80


def test_a_wrong_secret_is_silence(nas):
    [session] = online(nas)
    answer = send_one(nas, session, secret="another-secret")
    assert (answer.outcome, answer.sends) == (coa.SILENCE, 3)
    assert nas.dropped == 3
    assert nas.sessions


@pytest.mark.parametrize(
    ("kind", "changes", "cause"),
    [
        ("disconnect", {"Acct_Session_Id": "unknown"}, "Session-Context-Not-Found"),
        ("disconnect", {"User_Name": "somebody"}, "Session-Context-Not-Found"),
        ("disconnect", {"Framed_IP_Address": "10.9.9.9"}, "Session-Context-Not-Found"),
        ("coa", {}, "Missing-Attribute"),
        ("coa", {"Mikrotik_Address_List": "walled-garden"}, "Unsupported-Attribute"),
    ],
)
def test_a_refusal_comes_with_its_cause(nas, kind, changes, cause):
    [session] = online(nas)
    answer = send_one(nas, session, kind, **changes)
    assert (answer.outcome, answer.error_cause) == (coa.NAK, cause)
    assert answer.is_gone == (cause == "Session-Context-Not-Found")
    assert nas.sessions


def test_a_cause_nobody_knows_is_told_by_its_number():
    answer = coa.packet.CoAPacket(code=coa.packet.CoANAK, secret=b"s", dict=coa.dictionary())
    answer[101] = [(999).to_bytes(4, "big")]
    assert coa._error_cause(answer) == "999"


@pytest.mark.parametrize("fault", ["silent", "forge"])
def test_no_answer_or_a_forged_one_is_silence(nas, fault):
    [session] = online(nas)
    setattr(nas.faults, fault, True)
    answer = send_one(nas, session)
    assert (answer.outcome, answer.sends) == (coa.SILENCE, 3)
    assert 0.35 < answer.seconds < 1.5
    assert bool(answer.bad_answers) == (fault == "forge")


def test_rubbish_before_the_answer_does_not_hide_it(nas):
    [session] = online(nas)
    nas.faults.garbage = True
    answer = send_one(nas, session)
    assert (answer.outcome, answer.bad_answers) == (coa.ACK, 1)


def test_a_lost_datagram_is_sent_again(nas):
    [session] = online(nas)
    nas.faults.drop_first = 2
    answer = send_one(nas, session)
    assert (answer.outcome, answer.sends) == (coa.ACK, 3)


def test_by_default_a_lost_datagram_costs_half_a_second(nas):
    [session] = online(nas)
    nas.faults.drop_first = 1
    answer = send_one(nas, session, timing=None)
    assert (answer.outcome, answer.sends) == (coa.ACK, 2)
    assert 0.45 < answer.seconds < 1.4


def test_a_slow_router_obeys_once(nas):
    [session] = online(nas)
    nas.faults.delay_s = 0.25
    answer = send_one(nas, session)
    assert (answer.outcome, answer.sends) == (coa.ACK, 3)
    assert len(nas.commands) == 1, "the copies were recognised as the same request"
    assert nas.duplicates == 2


def test_answers_that_come_twice_are_not_taken_for_those_of_others(nas):
    sessions = online(nas, 40)
    nas.faults.copies = 3
    gone = sessions[::2]
    for session in gone:
        del nas.sessions[session.id]
    answers = coa.send([ask(nas, session) for session in sessions], FAST)
    assert [a.outcome for a in answers] == [coa.NAK, coa.ACK] * 20
    assert [a.key for a in answers] == [s.id for s in sessions]


@pytest.mark.parametrize(
    "changes",
    [{"User_Name": "x" * 300}, {"Framed_IP_Address": "nowhere"}, {"No_Such_Attribute": "1"}],
)
def test_what_cannot_be_written_is_told_and_stops_nobody(nas, changes):
    [session, other] = online(nas, 2)
    bad, good = coa.send([ask(nas, session, **changes), ask(nas, other)], FAST)
    assert bad.outcome == coa.INVALID
    assert bad.detail
    assert good.outcome == coa.ACK


def test_no_route_is_silence_with_the_systems_words(nas):
    [session] = online(nas)
    request = ask(nas, session)
    nowhere = coa.Request(1, "disconnect", "255.255.255.255", 3799, b"s", request.attributes)
    lost, good = coa.send([nowhere, request], FAST)
    assert (lost.outcome, lost.sends) == (coa.SILENCE, 0)
    assert lost.detail
    assert good.outcome == coa.ACK


def test_secrets_are_not_shown(nas):
    [session] = online(nas)
    assert SECRET not in repr(ask(nas, session))


def test_more_sessions_than_packet_numbers(nas):
    sessions = online(nas, 700)
    changes = [
        ask(nas, session, "coa", Mikrotik_Rate_Limit=f"{number}M/{number}M")
        for number, session in enumerate(sessions, 1)
    ]
    answers = coa.send(changes)
    assert {a.outcome for a in answers} == {coa.ACK}
    assert [s.rate for s in sessions] == [f"{n}M/{n}M" for n in range(1, 701)]


def test_disconnects_keep_the_pace(nas):
    sessions = online(nas, 30)
    start = time.monotonic()
    answers = coa.send([ask(nas, s) for s in sessions], coa.Timing(disconnects_per_second=50))
    took = time.monotonic() - start
    assert {a.outcome for a in answers} == {coa.ACK}
    assert took >= 29 / 50
    times = [command.at for command in nas.commands]
    assert times[-1] - times[0] > 0.5, "they do not come in one burst"


def test_a_dead_router_among_three_delays_nobody():
    with Nas("127.0.0.2", SECRET) as one, Nas("127.0.0.3", SECRET) as two:
        with Nas("127.0.0.4", SECRET) as dead:
            dead.faults.silent = True
            routers = (one, dead, two)
            requests = [
                ask(nas, session, "coa", Mikrotik_Rate_Limit="1M/1M")
                for nas in routers
                for session in online(nas, 100)
            ]
            start = time.monotonic()
            answers = coa.send(requests)
            took = time.monotonic() - start
            assert took < 4, "the dead router costs the time of one request"
            parts = (answers[:100], answers[100:200], answers[200:])
            for nas, mine in zip(routers, parts, strict=True):
                if nas is dead:
                    outcomes = [a.outcome for a in mine]
                    assert set(outcomes) == {coa.SILENCE, coa.SKIPPED}
                    assert outcomes.count(coa.SILENCE) == coa.Timing().window_unheard
                    continue
                assert {a.outcome for a in mine} == {coa.ACK}
                assert max(c.at for c in nas.commands) - start < 1.5


def test_nothing_to_send_is_fine():
    assert coa.send([]) == []
