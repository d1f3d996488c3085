"""Notifications of bKash: what is signed, by whom, when, and from which topic."""

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest

from gateways import bkash_sns
from gateways.bkash_sns import AmazonHosts, SnsRefused, SnsUnavailable
from simulators.gateways import sns
from simulators.gateways.bkash import Bkash
from simulators.gateways.faults import Fault

PAYLOAD = {"trxID": "BFD90JRLST", "amount": "500.00", "transactionType": "10003126"}
# The order of Amazon's documentation, written out once by hand.
STRING_TO_SIGN = (
    b"Message\nhello\nMessageId\nm-1\nSubject\ngreeting\nTimestamp\n2026-06-01T06:22:41.428Z\n"
    b"TopicArn\narn:aws:sns:ap-southeast-1:123456789012:t\nType\nNotification\n"
)


@pytest.fixture(scope="module")
def gateway():
    with Bkash() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def calm(gateway):
    gateway.faults.clear()
    gateway.topic.version, gateway.topic.subject = "1", None


@pytest.fixture
def hosts(gateway):
    return AmazonHosts(gateway.url)


def make(gateway, kind="notification", **fault):
    message = {"Type": "Notification", "Payload": PAYLOAD}
    if kind != "notification":
        message = {
            "Type": kind,
            "Token": "t0ken",
            "Message": "You have chosen to subscribe.",
            "SubscribeURL": f"{gateway.url}/sns/confirm?Token=t0ken",
        }
    body, _headers = gateway.topic.make(message, Fault("notify", **fault))
    return json.loads(body)


def read(fields, hosts, topic=sns.TOPIC, now=None):
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    now = now or datetime.now(timezone.utc)
    return bkash_sns.read(body, topic_arn=topic, hosts=hosts, now=now)


def test_the_string_that_is_signed():
    fields = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": "arn:aws:sns:ap-southeast-1:123456789012:t",
        "Subject": "greeting",
        "Message": "hello",
        "Timestamp": "2026-06-01T06:22:41.428Z",
        "UnsubscribeURL": "https://not.signed.example",
    }
    assert bkash_sns.string_to_sign(fields) == STRING_TO_SIGN
    del fields["Subject"]
    assert bkash_sns.string_to_sign(fields) == STRING_TO_SIGN.replace(b"Subject\ngreeting\n", b"")


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Payment"])
def test_a_genuine_notification_is_read(gateway, hosts, version, subject):
    gateway.topic.version, gateway.topic.subject = version, subject
    message = read(make(gateway), hosts)
    assert (message.kind, message.topic, message.payload) == ("Notification", sns.TOPIC, PAYLOAD)
    assert len(message.id) == 36


def test_a_genuine_subscription_is_read_and_confirmed(gateway, hosts):
    subscriber = sns.Subscriber("http://shop.example", "t0ken")
    gateway.topic.subscribers.append(subscriber)
    message = read(make(gateway, "SubscriptionConfirmation"), hosts)
    assert message.kind == bkash_sns.SUBSCRIPTION
    hosts.confirm(message.subscribe_url)
    assert subscriber.confirmed


@pytest.mark.parametrize("kind", ["notification", "SubscriptionConfirmation"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_tampering_with_any_signed_field_is_refused(gateway, hosts, kind, version):
    gateway.topic.version, gateway.topic.subject = version, "Payment"
    genuine = make(gateway, kind)
    read(genuine, hosts)
    names = [name for name in sns.SIGNED[genuine["Type"]] if name in genuine]
    assert len(names) >= 6
    for name in names:
        with pytest.raises(SnsRefused):
            read({**genuine, name: genuine[name] + "x"}, hosts)
        with pytest.raises(SnsRefused):
            read({k: v for k, v in genuine.items() if k != name}, hosts)
        with pytest.raises(SnsRefused):
            read({**genuine, name: 5}, hosts)


def test_a_wrong_topic_is_refused_even_when_it_is_signed(gateway, hosts):
    genuine = make(gateway)
    with pytest.raises(SnsRefused, match="another topic"):
        read(genuine, hosts, topic=sns.TOPIC + "2")
    for nothing in (None, False, ""):
        with pytest.raises(SnsRefused, match="No topic is set.*" + sns.TOPIC):
            read(genuine, hosts, topic=nothing)


@pytest.mark.parametrize("name", ["Signature", "SignatureVersion", "SigningCertURL"])
def test_a_message_without_its_signature_is_refused(gateway, hosts, name):
    genuine = make(gateway)
    for wrong in ("", "3", "!!!", base64.b64encode(b"x" * 256).decode(), None, 1, ["1"]):
        with pytest.raises(SnsRefused):
            read({**genuine, name: wrong}, hosts)
    del genuine[name]
    with pytest.raises(SnsRefused):
        read(genuine, hosts)


def test_a_signature_of_another_version_is_refused(gateway, hosts):
    with pytest.raises(SnsRefused, match="signature"):
        read({**make(gateway), "SignatureVersion": "2"}, hosts)


def test_a_key_that_nobody_trusts_is_refused(gateway, hosts):
    with pytest.raises(SnsRefused, match="signature"):
        read(make(gateway, forge=True), hosts)


def test_a_key_served_from_elsewhere_is_refused_without_a_look(gateway, hosts):
    gateway.received()
    before = len(gateway.requests)
    live = AmazonHosts()
    for url in (
        gateway.topic.certificate_url,
        "http://sns.ap-southeast-1.amazonaws.com/a.pem",
        "https://sns.ap-southeast-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.ap-southeast-1.amazonaws.com/a.pem",
        "https://sns.ap-southeast-1.amazonaws.com@evil.example/a.pem",
        "https://sns.ap-southeast-1.amazonaws.com:8443/a.pem",
        "https://sns.ap-southeast-1.amazonaws.com/a.txt",
        "https://evil-sns.ap-southeast-1.amazonaws.com/a.pem",
        "https://sns.ap-southeast-1.amazonaws.com\\@evil.example/a.pem",
        "https://[::1/a.pem",
        "https://s3.amazonaws.com/a.pem",
    ):
        with pytest.raises(SnsRefused):
            read({**make(gateway), "SigningCertURL": url}, live)
    assert len(gateway.requests) == before
    live.check("https://sns.ap-southeast-1.amazonaws.com/S-1.pem", "SigningCertURL", ".pem")
    live.check("https://sns.cn-north-1.amazonaws.com.cn/S-1.pem", "SigningCertURL", ".pem")
    with pytest.raises(SnsRefused):
        live.confirm(f"{gateway.url}/sns/confirm?Token=t0ken")


def test_old_and_future_messages_are_refused(gateway, hosts):
    genuine = make(gateway)
    now = datetime.now(timezone.utc)
    read(genuine, hosts, now=now + timedelta(hours=23))
    for days in (2, -1):
        with pytest.raises(SnsRefused, match="too old"):
            read(genuine, hosts, now=now + timedelta(days=days))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b"<html>", b"[" * 50000, b"{}"])
def test_rubbish_is_refused(hosts, body):
    with pytest.raises(SnsRefused):
        read(body, hosts)


def test_a_certificate_is_fetched_once(gateway, hosts):
    before = len(gateway.received("certificate"))
    read(make(gateway), hosts)
    read(make(gateway), hosts)
    assert len(gateway.received("certificate")) == before + 1


def test_a_certificate_that_has_expired_is_refused(gateway, hosts, monkeypatch):
    monkeypatch.setattr(gateway.topic, "certificate", lambda: sns.signer("old", days=-1).pem)
    with pytest.raises(SnsRefused, match="certificate"):
        read(make(gateway), hosts)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, SnsUnavailable),
        ({"lose": True}, SnsUnavailable),
        ({"html": True}, SnsRefused),
        ({"status": 302}, SnsUnavailable),
    ],
)
def test_a_certificate_that_cannot_be_had(gateway, hosts, fault, error):
    gateway.faults.add("certificate", **fault)
    with pytest.raises(error):
        read(make(gateway), hosts)
    read(make(gateway), hosts)


def test_names_of_topics():
    assert bkash_sns.is_topic_arn(sns.TOPIC)
    for wrong in ("", None, "arn:aws:sqs:ap-southeast-1:123456789012:x", sns.TOPIC + " ", "x"):
        assert not bkash_sns.is_topic_arn(wrong)
