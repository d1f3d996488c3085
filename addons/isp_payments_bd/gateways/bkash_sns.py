"""Checks bKash's notifications: messages of Amazon SNS.

Source: Amazon SNS, "Verifying the signatures of Amazon SNS messages". Anyone with an AWS account
can send correctly signed messages, so the topic is pinned. A message that passes every check is
still only a hint: ask bKash for the transaction.
"""

import base64
import binascii
import json
import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import requests
import urllib3
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .common import read_body

MAX_BYTES = 64 * 1024
FETCH_TIMEOUT_S = 5
CERTIFICATES_KEPT = 20
# SNS repeats a notification for up to an hour by default; clocks differ by minutes.
MAX_AGE = timedelta(hours=24)
MAX_AHEAD = timedelta(minutes=15)

NOTIFICATION, SUBSCRIPTION = "Notification", "SubscriptionConfirmation"
UNSUBSCRIBE = "UnsubscribeConfirmation"
_SUBSCRIPTION_FIELDS = (
    *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
)
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: _SUBSCRIPTION_FIELDS,
    UNSUBSCRIBE: _SUBSCRIPTION_FIELDS,
}
_OPTIONAL = {"Subject"}
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
_HOST = re.compile(r"sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?", re.ASCII)
_ARN = re.compile(r"arn:aws(-[a-z-]+)?:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)


class SnsRefused(Exception):
    """A message that is not to be believed; the text is for staff."""


class SnsUnavailable(Exception):
    """The certificate could not be fetched: answer 503, the message is sent again."""


@dataclass(frozen=True)
class Message:
    """A message that passed every check."""

    kind: str
    id: str
    topic: str
    payload: dict  # of a notification; its content is a claim
    subscribe_url: str


class AmazonHosts:
    """Which addresses of certificates and confirmations are Amazon's, and what they serve.

    :param simulator_url: an address that counts as Amazon's too. For tests: whoever sets it decides
        whose signatures are believed.
    """

    def __init__(self, simulator_url=None):
        self._simulator_url = simulator_url and simulator_url.rstrip("/") + "/"
        self._lock = threading.Lock()
        self._certificates = {}

    def check(self, url, what, suffix=""):
        """Refuse an address that is not Amazon's."""
        if self._simulator_url and isinstance(url, str) and url.startswith(self._simulator_url):
            return
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
            plain = parts.port is None and parts.username is None
        except ValueError:
            raise SnsRefused(f"{what} is not an address.") from None
        host = parts.netloc.lower()
        if parts.scheme != "https" or not plain or not _HOST.fullmatch(host):
            raise SnsRefused(f"{what} is not an address of Amazon SNS.")
        if suffix and not parts.path.endswith(suffix):
            raise SnsRefused(f"{what} does not lead to a {suffix} file.")

    def public_key(self, url, now):
        """Return the RSA key of the certificate at an address.

        :raise SnsRefused: not Amazon's address, or no certificate that is valid now
        :raise SnsUnavailable: the address does not answer
        """
        self.check(url, "SigningCertURL", ".pem")
        with self._lock:
            certificate = self._certificates.get(url)
        if certificate is None or certificate.not_valid_after_utc < now:
            certificate = _load(self._get(url))
            with self._lock:
                while len(self._certificates) >= CERTIFICATES_KEPT:
                    self._certificates.pop(next(iter(self._certificates)))
                self._certificates[url] = certificate
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise SnsRefused("The certificate is not valid now.")
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise SnsRefused("The certificate has no RSA key.")
        return key

    def confirm(self, url):
        """Call the SubscribeURL of a message that was checked."""
        self.check(url, "SubscribeURL")
        self._get(url)

    def _get(self, url):
        try:
            with requests.get(
                url, timeout=FETCH_TIMEOUT_S, allow_redirects=False, stream=True
            ) as response:
                status = response.status_code
                content = read_body(response, time.monotonic() + FETCH_TIMEOUT_S, MAX_BYTES)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            raise SnsUnavailable("Amazon SNS could not be reached.") from None
        except ValueError:
            raise SnsUnavailable("Amazon SNS gave an answer that is too long.") from None
        if status != 200:
            raise SnsUnavailable(f"Amazon SNS answered with HTTP {status}.")
        return content


def read(body, *, topic_arn, hosts, now):
    """Return the Message in the body of a request.

    :param bytes body: as received
    :param topic_arn: the only topic that is believed; without one nothing is
    :param AmazonHosts hosts: where certificates come from
    :param now: aware
    :raise SnsRefused: answer 403, nothing was believed
    :raise SnsUnavailable: answer 503
    """
    fields = _parse(body)
    kind = fields.get("Type")
    if kind not in _SIGNED:
        raise SnsRefused("The message has no type that is known.")
    for name in (*_SIGNED[kind], "Signature", "SignatureVersion", "SigningCertURL"):
        if not isinstance(fields.get(name), str) and not (name in _OPTIONAL and name not in fields):
            raise SnsRefused(f"The message lacks {name}.")
    _check_topic(fields["TopicArn"], topic_arn)
    _check_time(fields["Timestamp"], now)
    _check_signature(fields, hosts.public_key(fields["SigningCertURL"], now))
    return Message(
        kind=kind,
        id=fields["MessageId"],
        topic=fields["TopicArn"],
        payload=_parse(fields["Message"]) if kind == NOTIFICATION else {},
        subscribe_url=fields.get("SubscribeURL", ""),
    )


def is_topic_arn(text):
    """Return whether a text can be the ARN of a topic."""
    return bool(_ARN.fullmatch(text or ""))


def string_to_sign(fields):
    """Return the bytes that SNS signs: name and value of each field that is there, in order."""
    names = [name for name in _SIGNED[fields["Type"]] if name in fields]
    return "".join(f"{name}\n{fields[name]}\n" for name in names).encode()


def _parse(body):
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise SnsRefused("The message is not readable.")
    return fields


def _check_topic(topic, pinned):
    if not pinned:
        raise SnsRefused(
            f"No topic is set for bKash's notifications. This message came from {topic[:300]}: if "
            "bKash confirms that this is its topic, enter it in the settings of bKash."
        )
    if topic != pinned:
        raise SnsRefused(f"The message comes from another topic: {topic[:300]}")


def _check_time(text, now):
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise SnsRefused("The message's time is not readable.") from None
    if not now - MAX_AGE <= moment <= now + MAX_AHEAD:
        raise SnsRefused(f"The message is of {text}: too old, or from the future.")


def _check_signature(fields, key):
    algorithm = _HASHES.get(fields["SignatureVersion"])
    if algorithm is None:
        raise SnsRefused("The message is signed in a way that is not known.")
    try:
        signature = base64.b64decode(fields["Signature"], validate=True)
        key.verify(signature, string_to_sign(fields), padding.PKCS1v15(), algorithm())
    except (binascii.Error, ValueError, InvalidSignature):
        raise SnsRefused("The message's signature is wrong.") from None


def _load(pem):
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise SnsRefused("SigningCertURL does not lead to a certificate.") from None
