"""Amazon SNS as bKash uses it: a topic with subscribers, messages signed by a certificate."""

import base64
import functools
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from .faults import overwrite

# Which fields are signed, in this order (Amazon SNS, "Verifying the signatures").
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
SIGNED["UnsubscribeConfirmation"] = SIGNED["SubscriptionConfirmation"]
HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
TOPIC = "arn:aws:sns:ap-southeast-1:123456789012:bkash-merchant"


@dataclass
class Subscriber:
    """One URL; messages reach it once it has confirmed."""

    url: str
    token: str
    confirmed: bool = False


class Topic:
    """A topic of SNS; ``version`` is the SignatureVersion of what it sends."""

    def __init__(self, notifier, clock, base_url, arn=TOPIC):
        self.notifier, self.clock, self.base_url, self.arn = notifier, clock, base_url, arn
        self.version = "1"
        self.subject = None
        self.subscribers = []

    @property
    def certificate_url(self):
        return f"{self.base_url()}/sns/SimpleNotificationService-1.pem"

    def certificate(self):
        """Return the PEM file that ``SigningCertURL`` leads to."""
        return signer("trusted").pem

    def subscribe(self, url):
        """Subscribe a URL: it is asked to confirm."""
        subscriber = Subscriber(url, secrets.token_hex(16))
        self.subscribers.append(subscriber)
        self._post(
            url,
            {
                "Type": "SubscriptionConfirmation",
                "Token": subscriber.token,
                "Message": f"You have chosen to subscribe to the topic {self.arn}.",
                "SubscribeURL": f"{self.base_url()}/sns/confirm?Token={subscriber.token}",
            },
        )
        return subscriber

    def confirm(self, token):
        """Tell whether a token was that of a subscriber, who is confirmed now."""
        found = [one for one in self.subscribers if one.token == token]
        for subscriber in found:
            subscriber.confirmed = True
        return bool(found)

    def publish(self, payload, to=None):
        """Send a notification to who confirmed, or to one URL whatever it confirmed."""
        urls = [to] if to else [one.url for one in self.subscribers if one.confirmed]
        for url in urls:
            self._post(url, {"Type": "Notification", "Payload": payload})

    def _post(self, url, message):
        self.notifier.send(url, self.make, message)

    def make(self, message, fault):
        """Build and sign a message: ``fault.change`` is inside, ``fault.tamper`` comes after."""
        fields = {
            "MessageId": str(uuid.uuid4()),
            "TopicArn": self.arn,
            "Timestamp": _timestamp(self.clock()),
            **message,
        }
        payload = fields.pop("Payload", None)
        if payload is not None:
            fields["Message"] = json.dumps(overwrite(payload, fault.change))
            if self.subject:
                fields["Subject"] = self.subject
        fields["SignatureVersion"] = self.version
        fields["SigningCertURL"] = self.certificate_url
        fields["Signature"] = sign(fields, signer("forged" if fault.forge else "trusted"))
        fields = overwrite(fields, fault.tamper)
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": str(fields.get("Type")),
            "x-amz-sns-topic-arn": self.arn,
        }
        return json.dumps(fields), headers


@dataclass
class Signer:
    """A key and its certificate, issued by a CA of its own."""

    key: rsa.RSAPrivateKey
    pem: bytes


@functools.cache
def signer(name, days=365):
    """Make a key and certificate; the same name gives the same one."""
    ca_key = rsa.generate_private_key(65537, 2048)
    key = rsa.generate_private_key(65537, 2048)
    certificate = _certificate(f"{name} sns", key, f"{name} CA", ca_key, days)
    return Signer(key, certificate.public_bytes(serialization.Encoding.PEM))


def sign(fields, by):
    """Return the Signature of a message."""
    text = "".join(f"{k}\n{fields[k]}\n" for k in SIGNED[fields["Type"]] if k in fields)
    algorithm = HASHES[fields["SignatureVersion"]]()
    return base64.b64encode(by.key.sign(text.encode(), padding.PKCS1v15(), algorithm)).decode()


def _certificate(subject, key, issuer, issuer_key, days):
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=abs(days) + 1))
        .not_valid_after(now + timedelta(days=days))
        .sign(issuer_key, hashes.SHA256())
    )


def _timestamp(seconds):
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
