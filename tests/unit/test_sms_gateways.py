"""The clients of the SMS gateways against simulators on loopback that refuse what the real ones do."""

import json
import logging

import pytest
import requests
from sms_gateways.common import Misconfigured, Order, Refused, Report, TryLater, Unknown, scrub
from sms_gateways.msg91 import Msg91
from sms_gateways.ssl_wireless import SslWireless

from simulators.sms import msg91, ssl_wireless

NUMBER = "+8801711000001"
INDIAN = "+919826268423"


@pytest.fixture
def bangladesh():
    with ssl_wireless.SslWireless() as simulator:
        yield simulator


@pytest.fixture
def india():
    with msg91.Msg91() as simulator:
        yield simulator


def client_of(simulator, answer_s=0.4, **changes):
    if isinstance(simulator, msg91.Msg91):
        settings = {"token": msg91.AUTHKEY, "sender": "PADMAN", **changes}
        return Msg91(**settings, base_url=simulator.url, answer_s=answer_s)
    settings = {"token": ssl_wireless.TOKEN, "sender": ssl_wireless.SID, **changes}
    return SslWireless(**settings, base_url=simulator.url, answer_s=answer_s)


def order(simulator, **changes):
    if isinstance(simulator, msg91.Msg91):
        values = {"number": INDIAN, "template_id": "tpl-due", "values": ("Asha", "Rs 500")}
    else:
        values = {"number": NUMBER}
    return Order(**{"key": "k" * 20, "text": "Please pay", **values, **changes})


@pytest.fixture(params=["bangladesh", "india"])
def gateway(request):
    return request.getfixturevalue(request.param)


def test_sent_once_with_a_reference(bangladesh):
    accepted = client_of(bangladesh).send(order(bangladesh))
    assert (accepted.reference, accepted.was_known) == ("ref00000001", False)
    assert bangladesh.delivered == [("8801711000001", "Please pay")]


def test_india_fills_in_the_registered_text(india):
    assert client_of(india).send(order(india)).reference
    assert india.delivered == [("919826268423", "Dear Asha, please pay Rs 500. Padma Net")]


def test_the_same_key_again_means_that_it_was_taken_earlier(bangladesh):
    bangladesh.faults.add("send", lose=True)
    with pytest.raises(Unknown):
        client_of(bangladesh).send(order(bangladesh))
    assert client_of(bangladesh).send(order(bangladesh)).was_known
    assert len(bangladesh.delivered) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"late_s": 1.0},  # taken, and the answer comes after the time-out
        {"lose": True},
        {"drop": True},
        {"html": True},
        {"html": "undone"},
        {"status": 503},
        {"status": 302},
        {"drip_s": 0.2},
        {"answer": {}},
        {"answer": {"hello": "world"}},
    ],
)
def test_what_nobody_knows(gateway, fault):
    gateway.faults.add("send", **fault)
    with pytest.raises(Unknown):
        client_of(gateway).send(order(gateway))


def test_an_answer_about_another_message_is_no_answer(bangladesh):
    bangladesh.faults.add("send", change={"smsinfo": [{"csms_id": "x", "sms_status": "SUCCESS"}]})
    with pytest.raises(Unknown):
        client_of(bangladesh).send(order(bangladesh))


def test_what_was_never_sent_may_be_tried_again(gateway):
    client = client_of(gateway)
    gateway.refuse_connections(True)
    with pytest.raises(TryLater):
        client.send(order(gateway))
    gateway.refuse_connections(False)
    gateway.faults.add("send", status=429)
    with pytest.raises(TryLater):
        client.send(order(gateway))
    assert gateway.delivered == []


@pytest.mark.parametrize("code", ["4029", "4031", "4033"])
def test_too_fast(bangladesh, code):
    bangladesh.faults.add("send", answer={"status_code": code})
    with pytest.raises(TryLater):
        client_of(bangladesh).send(order(bangladesh))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": "+8801099123456"}, "number"),
        ({"number": "+8801999999999"}, "blocked"),
        ({"text": "x" * 1001}, "too long"),
        ({"text": " "}, "misses"),
        ({"key": "k" * 21}, "misses"),
    ],
)
def test_refused_in_bangladesh(bangladesh, changes, words):
    with pytest.raises(Refused, match=words) as refused:
        client_of(bangladesh).send(order(bangladesh, **changes))
    assert "99" not in str(refused.value)
    assert bangladesh.delivered == []


@pytest.mark.parametrize("status", ["INVALID", "BLOCKED"])
def test_refused_for_one_number(bangladesh, status):
    entry = {"csms_id": "k" * 20, "sms_status": status}
    bangladesh.faults.add("send", change={"smsinfo": [entry]})
    with pytest.raises(Refused):
        client_of(bangladesh).send(order(bangladesh))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template_id": ""}, "template id"),
        ({"template_id": "other"}, "invalid"),
        ({"values": ("Asha",)}, "fit"),
        ({"number": "+911234567890"}, "Invalid mobile number …"),
    ],
)
def test_refused_in_india(india, changes, words):
    with pytest.raises(Refused, match=words):
        client_of(india).send(order(india, **changes))
    assert india.delivered == []


def test_settings_that_are_wrong_are_named(bangladesh, india):
    cases = [
        (client_of(bangladesh, token="wrong"), bangladesh, "API token"),
        (client_of(bangladesh, sender="OTHER"), bangladesh, "SID"),
        (client_of(india, token="wrong"), india, "authentication key"),
    ]
    for client, simulator, words in cases:
        with pytest.raises(Misconfigured, match=words):
            client.send(order(simulator))
        with pytest.raises(Misconfigured, match=words):
            client.balance()
    bangladesh.whitelisted = False
    with pytest.raises(Misconfigured, match="whitelist"):
        client_of(bangladesh).balance()
    for client in (SslWireless, Msg91):
        with pytest.raises(Misconfigured, match="Enter"):
            client("", "")


def test_balance(bangladesh, india):
    assert str(client_of(bangladesh).balance()) == "1500.50"
    assert str(client_of(india).balance()) == "420"


def test_nothing_secret_in_errors_and_logs(gateway, caplog):
    caplog.set_level(logging.DEBUG)
    client, secrets = (
        client_of(gateway),
        (ssl_wireless.TOKEN, msg91.AUTHKEY, NUMBER[1:], INDIAN[1:]),
    )
    texts = [repr(client)]
    for fault in ({"lose": True}, {"status": 500}, {"html": True}, {}):
        gateway.faults.add("send", **fault)
        try:
            client.send(order(gateway))
        except Unknown as error:
            texts += [repr(error), repr(error.__cause__)]
    client.balance()
    texts += [record.getMessage() for record in caplog.records]
    assert len(texts) > 5
    for secret in secrets:
        assert not any(secret in text for text in texts)


@pytest.mark.parametrize("is_form", [True, False])
def test_reports_of_deliveries(is_form):
    entries = [
        {
            "requestId": "abc",
            "report": [
                {"number": "919826268423", "desc": "DELIVERED", "status": "1"},
                {"number": "919826268424", "desc": "NDNC", "failedReason": "919826268424 is DND"},
                {"number": "919826268425", "desc": "SUBMITTED"},
                {"desc": "DELIVERED"},
            ],
        },
        {"report": [{"number": "919826268426", "desc": "DELIVERED"}]},
        "nonsense",
    ]
    text = json.dumps(entries)
    reports = Msg91.read_reports(*(({"data": text}, "") if is_form else ({}, text)))
    assert reports == [
        Report("abc", "+919826268423", True),
        Report("abc", "+919826268424", False, "… is DND"),
    ]


@pytest.mark.parametrize("body", ["", "{", "[]", "5", "null", '[{"report": [5]}]', '{"report": 5}'])
def test_reports_that_cannot_be_read(body):
    assert Msg91.read_reports({}, body) == []
    assert SslWireless.read_reports({}, body) == []


def test_words_of_a_gateway_lose_their_numbers():
    assert scrub("bad  number +880 1711-000001, code 42") == "bad number +…, code 42"
    assert len(scrub("x" * 999)) == 200


def test_the_simulator_is_steered_over_http(bangladesh):
    requests.post(
        f"{bangladesh.url}/_control/faults", json={"call": "send", "drop": True}, timeout=5
    )
    with pytest.raises(Unknown):
        client_of(bangladesh).send(order(bangladesh))
    state = requests.get(f"{bangladesh.url}/_control", timeout=5).json()["state"]
    assert state == {"delivered": []}
