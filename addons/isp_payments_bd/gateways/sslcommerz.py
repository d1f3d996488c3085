"""SSLCommerz, API v4: sessions, validation, queries and refunds, asked server to server.

The store's password travels in the query string of every question. It therefore must not reach
an exception or a log: errors of ``requests`` and ``urllib3`` carry the address and are worded
anew here, and urllib3's debug lines are masked.
"""

import json
import logging
import re
import time
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import requests
import urllib3

from .common import (
    CANCELED,
    EXPIRED,
    FAILED,
    HELD,
    PAID,
    PENDING,
    Misconfigured,
    Refund,
    Refused,
    Unknown,
    Verified,
    mask_wallet,
    money,
    money_text,
    read_body,
)
from .sslcommerz_session import CURRENCY, session_fields
from .sslcommerz_sign import signed_fields

LIVE_URL = "https://securepay.sslcommerz.com"
SANDBOX_URL = "https://sandbox.sslcommerz.com"
ANSWER_S = 30  # for the whole answer, not only until its first byte
_ANSWER_BYTES = 2_000_000

_SESSION = "/gwprocess/v4/api.php"
_VALIDATION = "/validator/api/validationserverAPI.php"
_QUERY = "/validator/api/merchantTransIDvalidationAPI.php"

_STATUS = {
    "VALID": PAID,
    "VALIDATED": PAID,
    "PENDING": PENDING,
    "PROCESSING": PENDING,
    "FAILED": FAILED,
    "CANCELLED": CANCELED,
    "UNATTEMPTED": CANCELED,
    "EXPIRED": EXPIRED,
}
_REFUND_STATUS = {"refunded": PAID, "processing": PENDING, "cancelled": FAILED}
_SECRET = re.compile(r"(store_passwd=)[^&\s\"']*", re.IGNORECASE)


class _WithoutPassword(logging.Filter):
    """Masks the store's password in the addresses that urllib3 writes to its log."""

    def filter(self, record):
        text = record.getMessage()
        if "store_passwd" in text:
            record.msg, record.args = _SECRET.sub(r"\1***", text), ()
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_WithoutPassword())


@dataclass(frozen=True)
class Session:
    """An open pay page: its key, to ask about it later, and its address, for the customer."""

    key: str
    url: str


class SslcommerzClient:
    """One store at SSLCommerz.

    :param base_url: scheme and host of the gateway, :data:`LIVE_URL` or :data:`SANDBOX_URL`
    :param answer_s: seconds one answer may take before its outcome counts as unknown
    """

    def __init__(self, store_id, store_passwd, base_url, answer_s=ANSWER_S):
        if not store_id or not store_passwd:
            raise Misconfigured("Enter the store ID and the store password of SSLCommerz.")
        self.store_id = store_id
        self._store_passwd = store_passwd
        self._base_url = base_url.rstrip("/")
        self._answer_s = answer_s

    def __repr__(self):
        return f"<SslcommerzClient {self.store_id}>"

    # === PAYING === #

    def open_session(self, order):
        """Open a pay page for ``order`` (a ``sslcommerz_session.Order``) and return a Session.

        :raises Refused: the gateway does not open one; nothing can be paid
        """
        answer = self._call("POST", _SESSION, session_fields(order))
        reason = _text(answer, "failedreason")
        if answer.get("status") != "SUCCESS":
            if answer.get("status") != "FAILED":
                raise Unknown("SSLCommerz gave an answer that does not say yes or no.")
            if re.search(r"store|credential", reason, re.IGNORECASE):
                raise Misconfigured(f"{_WRONG_STORE} It says: {reason}", "FAILED")
            raise Refused(f"SSLCommerz does not open a payment: {reason or 'no reason given'}")
        key, url = _text(answer, "sessionkey"), _text(answer, "GatewayPageURL")
        if not key or not self._may_send_customer_to(url):
            raise Unknown("SSLCommerz did not say where the customer can pay.")
        return Session(key, url)

    def signed_fields(self, fields):
        """Return the signed fields of a notification or return; ``Forged`` if it is not ours."""
        return signed_fields(fields, self.store_id, self._store_passwd)

    # === ASKING === #

    def ask(self, order_id, session_key=None, val_id=None, reference=None):
        """Return what became of the order, in as few questions as are safe.

        A bad end is believed only when no attempt at all was paid, because a customer may fail
        once and then pay on the same page.

        :param val_id: a hint from a notification: of another order, or unknown to the gateway, it
            counts for nothing
        :param reference: the payment that is booked already; then every attempt is looked at, and
            other paid ones are in ``also``
        """
        if val_id and not reference:
            verified = self._validate_hint(order_id, val_id)
            if verified:
                return verified
        page = self._session_answer(session_key) if session_key and not reference else None
        if page and _text(page, "tran_id") != order_id:
            raise Unknown("SSLCommerz answered about another order.")
        if page and _STATUS.get(_text(page, "status")) == PENDING:
            return self._verified(page)
        attempts = self.query_order(order_id)
        paid = [attempt for attempt in attempts if attempt.status in (PAID, HELD)]
        if paid:
            first = next((one for one in paid if one.reference == reference), paid[0])
            return replace(first, also=tuple(one for one in paid if one is not first))
        verified = next((attempt for attempt in attempts if attempt.status == PENDING), None)
        if not verified and page:
            verified = self._proved(page)
        # Not one attempt is on record: the customer has not paid yet, but still may.
        return verified or (attempts[0] if attempts else _nothing_yet(order_id))

    def _validate_hint(self, order_id, val_id):
        try:
            verified = self.validate(val_id)
        except Refused:
            return None
        if verified.order_id != order_id or verified.status not in (PAID, HELD):
            return None
        return verified

    def validate(self, val_id):
        """Return what the gateway says about one validation id, which need not be ours.

        :raises Refused: the gateway does not know this id
        """
        answer = self._question(_VALIDATION, {"val_id": val_id})
        if answer.get("status") == "INVALID_TRANSACTION":
            raise Refused("SSLCommerz does not know this validation id.", "INVALID_TRANSACTION")
        return self._verified(answer)

    def query_session(self, session_key):
        """Return what became of one pay page; None if the gateway does not know it any more."""
        answer = self._session_answer(session_key)
        return self._proved(answer) if answer else None

    def _session_answer(self, session_key):
        answer = self._question(_QUERY, {"sessionkey": session_key})
        return answer if answer.get("status") else None

    def query_order(self, order_id):
        """Return every attempt for an order: paid ones, then held ones, each from the first on;
        then the others, the newest first.

        Two of them are paid when a customer paid twice on one page; the first one is the payment.
        """
        answer = self._question(_QUERY, {"tran_id": order_id})
        elements = answer.get("element") or []
        if isinstance(elements, dict):
            elements = list(elements.values())
        if not isinstance(elements, list) or not all(isinstance(e, dict) for e in elements):
            raise Unknown("SSLCommerz gave a list of attempts that cannot be read.")
        if not elements and _text(answer, "no_of_trans_found") not in ("0", ""):
            raise Unknown("SSLCommerz found payments but did not list them.")
        if any(_text(element, "tran_id") != order_id for element in elements):
            raise Unknown("SSLCommerz answered about another order.")
        oldest_first = sorted(elements, key=lambda element: _text(element, "tran_date"))
        attempts = [self._proved(element) for element in oldest_first]
        paid = [attempt for attempt in attempts if attempt.status == PAID]
        held = [attempt for attempt in attempts if attempt.status == HELD]
        others = [attempt for attempt in attempts[::-1] if attempt.status not in (PAID, HELD)]
        return paid + held + others

    def _proved(self, answer):
        """A query that says "paid" is asked again at the validation service, which is the proof."""
        verified = self._verified(answer)
        if verified.status not in (PAID, HELD):
            return verified
        val_id = _text(answer, "val_id")
        if not val_id:
            return replace(verified, status=HELD, reason="paid, but without a validation id")
        try:
            proof = self.validate(val_id)
        except Refused:
            raise Unknown("SSLCommerz says paid, but does not confirm it.") from None
        if proof.order_id != verified.order_id:
            raise Unknown("SSLCommerz confirms the payment for another order.")
        return proof

    # === REFUNDS === #

    def refund(self, bank_tran_id, refund_id, amount, remarks):
        """Ask for money to go back; it is on its way, not yet back, when this returns.

        :param refund_id: ours, never used before, up to 30 characters
        :raises Unknown: it may have been asked for or not; it must not be asked for again
        """
        answer = self._question(
            _QUERY,
            {
                "bank_tran_id": bank_tran_id,
                "refund_trans_id": refund_id,
                "refund_amount": money_text(amount),
                "refund_remarks": remarks[:255] or "Refund",
                "refe_id": refund_id,
            },
        )
        reason = _text(answer, "errorReason")
        reference = _text(answer, "refund_ref_id") or None
        status = _text(answer, "status").lower()
        if status == "failed":
            raise Refused(
                f"SSLCommerz refuses the refund: {reason or 'no reason given'} (refunds also need"
                " the address of this server to be registered at SSLCommerz)",
                "failed",
            )
        if status not in ("success", "processing"):
            raise Unknown("SSLCommerz did not say whether it refunds.")
        return Refund(PENDING, reference, amount, reason)

    def refund_status(self, refund_reference, bank_tran_id):
        """Return how far a refund of one payment is; its amount is not told.

        :raise Unknown: also if the refund is of another payment
        """
        answer = self._question(_QUERY, {"refund_ref_id": refund_reference})
        wanted = {"refund_ref_id": refund_reference, "bank_tran_id": bank_tran_id}
        if any(_text(answer, name) not in ("", value) for name, value in wanted.items()):
            raise Unknown("SSLCommerz answered about another refund.")
        status = _REFUND_STATUS.get(_text(answer, "status").lower())
        if not status:
            raise Unknown("SSLCommerz did not say how far the refund is.")
        return Refund(status, refund_reference, None, _text(answer, "errorReason"))

    def test_connection(self):
        """Ask a harmless question; Misconfigured or Unknown if it is not answered."""
        self._question(_QUERY, {"tran_id": "CONNECTIONTEST"})

    # === ANSWERS === #

    def _verified(self, answer):
        status = _STATUS.get(_text(answer, "status"))
        if not status:
            raise Unknown("SSLCommerz gave a payment status that is not known.")
        try:
            received = _money(answer, "amount")
            asked = _money(answer, "currency_amount")
            kept = _money(answer, "store_amount")
        except ValueError:
            raise Unknown("SSLCommerz gave an amount that cannot be read.") from None
        currency = _text(answer, "currency_type") or _text(answer, "currency") or None
        verified = Verified(
            status=status,
            order_id=_text(answer, "tran_id") or None,
            payment_id=_text(answer, "sessionkey") or None,
            reference=_text(answer, "bank_tran_id") or None,
            merchant=_text(answer, "store_id") or None,
            amount=received if received is not None else asked,
            currency=currency,
            reason=_text(answer, "error") or _text(answer, "failedreason"),
            fee=received - kept if None not in (received, kept) and kept <= received else None,
            payer=mask_payer(_text(answer, "card_no")),
            method=_text(answer, "card_type"),
        )
        doubts = _doubts(answer, received, asked) if status == PAID else []
        return replace(verified, status=HELD, reason="; ".join(doubts)) if doubts else verified

    # === HTTP === #

    def _question(self, path, params):
        answer = self._call("GET", path, {**params, "v": "1", "format": "json"})
        connected = _text(answer, "APIConnect")
        if connected == "FAILED":
            raise Misconfigured(_WRONG_STORE, connected)
        if connected == "INACTIVE":
            raise Misconfigured(
                "The store is switched off at SSLCommerz. Ask SSLCommerz to activate it.", connected
            )
        if connected != "DONE":
            raise Unknown("SSLCommerz did not answer the question.", connected)
        return answer

    def _call(self, method, path, fields):
        fields = {**fields, "store_id": self.store_id, "store_passwd": self._store_passwd}
        where = {"params": fields} if method == "GET" else {"data": fields}
        deadline = time.monotonic() + self._answer_s
        try:
            with requests.request(
                method,
                self._base_url + path,
                timeout=self._answer_s,
                allow_redirects=False,  # the password goes to nobody else
                stream=True,
                **where,
            ) as response:
                return self._read(response, deadline)
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            problem = "SSLCommerz did not answer in time."
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            problem = "SSLCommerz cannot be reached."
        # Raised out here: what was caught knows the address, and with it the password.
        raise Unknown(problem)

    def _read(self, response, deadline):
        if response.status_code in (401, 403):
            raise Misconfigured(
                "SSLCommerz does not let this server in. Ask SSLCommerz to register its address.",
                str(response.status_code),
            )
        if response.status_code != 200:
            raise Unknown(
                f"SSLCommerz is out of order (HTTP {response.status_code}).",
                str(response.status_code),
            )
        try:
            body = read_body(response, deadline, _ANSWER_BYTES)
        except (TimeoutError, ValueError):
            raise Unknown("SSLCommerz did not finish its answer.") from None
        try:
            # Numbers stay as they were written: 500.10 must not become 500.1.
            answer = json.loads(body, parse_float=str, parse_int=str)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unknown("SSLCommerz gave an answer that cannot be read.")
        return answer

    def _may_send_customer_to(self, url):
        scheme, host = urlsplit(url)[:2]
        own = urlsplit(self._base_url)
        return bool(host) and (scheme == "https" or (scheme, host) == own[:2])


_WRONG_STORE = (
    "SSLCommerz does not accept the store ID and the store password. The password is the API"
    " password of the store, not the one of the merchant panel; test and live stores differ."
)


def mask_payer(text):
    """Return a card or wallet number with what nobody needs to see left out."""
    text = text.strip()
    digits = re.sub(r"\D", "", text)
    if "X" in text.upper() or "*" in text:
        return text[:30]
    return f"{digits[:6]}******{digits[-4:]}" if len(digits) >= 13 else mask_wallet(digits)


def _nothing_yet(order_id):
    return Verified(PENDING, order_id, None, None, None, None, None, "no attempt to pay yet")


def _doubts(answer, received, asked):
    """Why a payment that was made must be looked at by a person before it counts."""
    doubts = []
    risk = _text(answer, "risk_level")
    if not risk:
        doubts.append("SSLCommerz gave no risk level")
    elif risk != "0":
        doubts.append(f"SSLCommerz finds the payment risky ({_text(answer, 'risk_title') or risk})")
    if _text(answer, "currency") not in ("", CURRENCY):
        doubts.append(f"paid out in {_text(answer, 'currency')}")
    if None not in (received, asked) and received != asked:
        doubts.append(f"asked for {asked}, received {received}")
    return doubts


def _text(answer, name):
    value = answer.get(name)
    return value.strip() if isinstance(value, str) else ""


def _money(answer, name):
    text = _text(answer, name)
    return money(text) if text else None
