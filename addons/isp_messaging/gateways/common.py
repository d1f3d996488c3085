"""What the gateways have in common: what is handed over, what can go wrong, one careful call."""

import json
import re
import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import requests
import urllib3

CONNECT_S = 5
ANSWER_S = 20  # for the whole answer, not only until its first byte
_ANSWER_BYTES = 200_000
_LONG_NUMBER = re.compile(r"\d[\d ()-]{3,}\d")


class GatewayError(Exception):
    """A call did not give what was asked for.

    The text is for a clerk and holds neither a secret nor a number; ``code`` is the gateway's own.
    """

    def __init__(self, message, code=""):
        super().__init__(message)
        self.code = str(code)


class Refused(GatewayError):
    """The gateway answered no: nothing was sent, and asking again would not help."""


class TryLater(GatewayError):
    """Nothing was sent, and it may be tried again: not reached, too many messages a second."""


class Misconfigured(TryLater):
    """Account, sender or address are not accepted; says which setting to repair."""


class Unknown(GatewayError):
    """Nobody knows if it was sent: time-out, 5xx, HTML, an answer that cannot be read."""


@dataclass(frozen=True)
class Order:
    """One message for one number.

    ``key`` has at most 20 characters and is the same for each attempt. ``template_id`` and
    ``values`` are for gateways that fill in a text of their own.
    """

    key: str
    number: str
    text: str
    template_id: str = ""
    values: tuple = ()

    @property
    def digits(self):
        """The number without its sign, as gateways want it."""
        return self.number.lstrip("+")


@dataclass(frozen=True)
class Accepted:
    """The gateway has the message; ``was_known``: it had it from an earlier attempt."""

    reference: str = ""
    was_known: bool = False


@dataclass(frozen=True)
class Report:
    """What a gateway says became of a message that it took."""

    reference: str
    number: str
    is_delivered: bool
    reason: str = ""


def scrub(text):
    """Return words of a gateway without numbers, short enough for a screen."""
    return _LONG_NUMBER.sub("…", " ".join(str(text or "").split()))[:200]


def to_amount(value):
    """Return a balance, None when the gateway's answer holds none."""
    try:
        return Decimal(str(value).replace(",", "").strip())
    except InvalidOperation:
        return None


def call(name, url, *, headers=None, document=None, form=None, answer_s=ANSWER_S):
    """POST and return ``(status, body)``, the body as read from JSON.

    The errors are worded anew: those of ``requests`` carry the address, and so perhaps a secret.

    :param name: what the gateway is called in messages
    :raise TryLater: the connection was never made, so nothing was sent
    :raise Unknown: what became of it cannot be told
    """
    deadline = time.monotonic() + answer_s
    try:
        with requests.post(
            url,
            headers=headers,
            json=document,
            data=form,
            timeout=(CONNECT_S, answer_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            status, body = response.status_code, _read(response, deadline)
    except requests.exceptions.RequestException as error:
        if _was_never_sent(error):
            raise TryLater(f"{name} cannot be reached; nothing was sent.") from None
        raise Unknown(f"{name} did not answer in time; nobody knows if it was sent.") from None
    except (urllib3.exceptions.HTTPError, TimeoutError, ValueError):
        raise Unknown(f"{name} did not finish its answer.") from None
    if status == 429:
        raise TryLater(f"{name} gets too many messages at once.", status)
    if status >= 500 or 300 <= status < 400:
        raise Unknown(f"{name} answered with an error (HTTP {status}).", status)
    try:
        return status, json.loads(body)
    except ValueError:
        raise Unknown(f"{name} gave an answer that cannot be read.", status) from None


def _was_never_sent(error):
    """Whether the connection itself failed: no name, no answer at the port, no valid certificate."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _read(response, deadline):
    """Read the body; the time-out of ``requests`` begins anew with every byte, this one does not."""
    body = bytearray()
    while piece := response.raw.read1(8192, decode_content=True):
        body += piece
        if len(body) > _ANSWER_BYTES:
            raise ValueError("the answer is too long to be one")
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)
