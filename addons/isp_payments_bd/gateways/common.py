"""What the gateways have in common: errors, verified answers, money as text. No Odoo here."""

import re
import time
from dataclasses import dataclass
from decimal import Decimal

PAID, PENDING, FAILED, CANCELED, EXPIRED, HELD = (
    *("paid", "pending", "failed", "canceled", "expired", "held"),
)

_MONEY = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)


class GatewayError(Exception):
    """A call did not give what was asked for.

    The text is for a clerk and holds no secret; ``code`` is the gateway's own code or "".
    """

    def __init__(self, message, code=""):
        super().__init__(message)
        self.code = code


class Refused(GatewayError):
    """The gateway answered no: nothing moved, and this call is final."""


class Unknown(GatewayError):
    """Nobody knows what happened: time-out, 5xx, HTML, unreadable or unsigned answer. Ask later."""


class Misconfigured(GatewayError):
    """Credentials, keys, merchant or address are not accepted; says which setting to repair."""


@dataclass(frozen=True)
class Verified:
    """What the gateway says about one payment when it is asked server to server."""

    status: str  # PAID, PENDING, FAILED, CANCELED, EXPIRED or HELD (paid but risky, for staff)
    order_id: str | None  # our order id as the gateway has it
    payment_id: str | None  # the gateway's id of the attempt
    reference: str | None  # the gateway's id of the money
    merchant: str | None  # merchant or store id, if the answer names it
    amount: Decimal | None
    currency: str | None
    reason: str = ""  # in words, for staff
    fee: Decimal | None = None
    payer: str = ""  # masked wallet or card
    method: str = ""
    token: str | None = None  # agreement to keep
    # Further successful payments with the same order id, if the gateway lists them: each is the
    # customer's money and becomes a payment of its own.
    also: tuple["Verified", ...] = ()


@dataclass(frozen=True)
class Refund:
    """What the gateway says about one refund: PAID, PENDING or FAILED."""

    status: str
    reference: str | None
    amount: Decimal | None
    reason: str = ""


def read_body(response, deadline, max_bytes):
    """Return the body of a streamed answer of ``requests``, decoded from its transfer.

    The time-out of ``requests`` begins anew with every byte; here the whole body counts.

    :param float deadline: of ``time.monotonic()``
    :raise TimeoutError: the body trickles
    :raise ValueError: it is longer than ``max_bytes``
    :raise urllib3.exceptions.HTTPError: the connection broke, or no byte came in time
    """
    body = bytearray()
    # read1 gives what is there; read waits until it has as much as it was asked for.
    while piece := response.raw.read1(8192, decode_content=True):
        body += piece
        if len(body) > max_bytes:
            raise ValueError("the answer is too long to be one")
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)


def money(text):
    """Return a Decimal from a gateway's text; ValueError unless digits with at most 2 decimals."""
    if not isinstance(text, str) or not _MONEY.fullmatch(text):
        raise ValueError(f"not an amount: {text!r:.40}")
    return Decimal(text)


def money_text(amount):
    """Return ``"500.00"``; ValueError if the amount is negative or has more than 2 decimals."""
    rounded = amount.quantize(Decimal("0.01"))
    if rounded != amount or amount < 0:
        raise ValueError(f"not an amount of money: {amount}")
    return str(rounded)


def mask_wallet(number):
    """Return ``017****0000`` for a wallet number; nothing of one too short to hide."""
    digits = re.sub(r"\D", "", number or "")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else ""
