"""Client of Nagad's online payment gateway, API version v-0.2.0. No Odoo here.

There is no public manual: calls, fields and status words are those that public clients agree on
(``readme/NAGAD.md`` lists what is not certain). Flow: :meth:`NagadClient.initialise` and
:meth:`~NagadClient.complete` give the page to send the customer to; what became of it only
:meth:`~NagadClient.verify` tells. The customer's return is not signed and proves nothing.
"""

import functools
import ipaddress
import json
import logging
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import requests
import urllib3

from . import nagad_crypto
from .common import (
    CANCELED,
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

_logger = logging.getLogger(__name__)

LIVE_URL = "https://api.mynagad.com/api/dfs/"
SANDBOX_URL = "http://sandbox.mynagad.com:10080/remote-payment-gateway-1.0/api/dfs/"
DHAKA = ZoneInfo("Asia/Dhaka")
BDT = "050"  # ISO 4217, numeric
ORDER_ID = re.compile(r"[A-Za-z0-9]{5,20}", re.ASCII)
TIMEOUT_S = 30
MAX_ANSWER_BYTES = 64 * 1024

_CONNECT_TIMEOUT_S = 10
# The customer has not agreed yet. All words that are not in these sets, such as PinGiven or
# UnKnownFailed, mean that money may be moving: ask again.
_NOT_YET = {"Initiated", "OrderInitiated", "Ready", "InProgress", "OtpSent", "OtpVerified"}
_FAILED = {"Failed", "InvalidRequest"}
_CANCELED = {"Cancelled", "Aborted", "Refunded"}
_PART_RETURNED = {"PartialCancelled", "PartialRefunded"}
_REFUND_DONE = {"Success", "Cancelled", "Refunded", *_PART_RETURNED}
# Words in the refusal of a new payment that only a setting can repair.
_SETTINGS = (
    (r"signature", "The merchant's private key does not fit the public key that Nagad has"),
    (r"encrypt|decrypt", "The key entered as Nagad's public key is not Nagad's"),
    (r"call ?back|domain", "Nagad does not accept the address of your site"),
    (r"merchant", "The merchant ID is not accepted"),
    (r"\bip\b|whitelist", "Nagad does not accept this server's IP address"),
    (r"verify provided data", "Check the merchant ID, both keys and the clock of this server"),
)
_NOT_ALLOWED = (
    "Nagad does not let this server in. Check the merchant ID, and ask Nagad to allow this"
    " server's IP address and the address of your site."
)


@dataclass(frozen=True)
class Started:
    """A payment that Nagad knows and nobody has been asked to pay yet."""

    payment_id: str  # paymentReferenceId
    challenge: str  # must be given back by complete()


class NagadClient:
    """One merchant at Nagad.

    Every call raises Misconfigured (a setting must be repaired) or Unknown (no usable answer within
    ``timeout`` seconds); those that ask for something to be done also Refused (Nagad said no).

    :param base_url: LIVE_URL, SANDBOX_URL or a simulator's
    :param private_key: the merchant's, PEM or bare base64
    :param nagad_key: Nagad's public key, PEM or bare base64
    :param server_ip: public IPv4 address of this server, sent where a customer's is not known
    :param account_number: the merchant's wallet number; some contracts want it
    """

    def __init__(
        self,
        base_url,
        merchant_id,
        private_key,
        nagad_key,
        *,
        server_ip="",
        account_number="",
        timeout=TIMEOUT_S,
    ):
        if not re.fullmatch(r"[0-9]{1,20}", merchant_id or "", re.ASCII):
            raise Misconfigured("The merchant ID must be the number that Nagad gave you.")
        self._base_url = base_url.rstrip("/") + "/"
        self.merchant_id = merchant_id
        self._account_number = account_number
        self._server_ip = server_ip
        self._timeout = timeout
        self._private_key = private_key
        self._nagad_key = nagad_key

    @functools.cached_property
    def _envelope(self):
        """Made when first needed: asking about a payment needs no keys, and reading them is slow."""
        return nagad_crypto.Envelope(
            nagad_crypto.load_private_key(self._private_key),
            nagad_crypto.load_public_key(self._nagad_key),
        )

    # --- paying ---

    def initialise(self, order_id, now, *, customer_ip="", client_type="PC_WEB"):
        """Make the payment known to Nagad; nothing moves.

        :param order_id: 5 to 20 letters and digits, never used before, not even for a failure
        :param now: aware datetime
        :return: :class:`Started`
        """
        if not ORDER_ID.fullmatch(order_id):
            raise ValueError(f"not an order id for Nagad: {order_id!r}")
        moment = _dhaka(now).strftime("%Y%m%d%H%M%S")
        sealed, signature = self._seal(
            {
                "merchantId": self.merchant_id,
                "datetime": moment,
                "orderId": order_id,
                "challenge": secrets.token_hex(20),
            }
        )
        body = {"dateTime": moment, "sensitiveData": sealed, "signature": signature}
        if self._account_number:
            body["accountNumber"] = self._account_number
        answer = self._call(
            "POST",
            f"check-out/initialize/{self.merchant_id}/{order_id}",
            body=body,
            customer_ip=customer_ip,
            client_type=client_type,
        )
        try:
            values = self._open(answer)
        except Unknown as error:
            if error.code == nagad_crypto.NOT_FOR_US:
                raise Misconfigured(
                    "Nagad encrypts for another key than the merchant's private key entered here:"
                    " hand Nagad the public key that is shown in the settings.",
                    error.code,
                ) from None
            raise
        return Started(_text(values, "paymentReferenceId"), _text(values, "challenge"))

    def complete(
        self, started, order_id, amount, callback_url, *, customer_ip="", client_type="PC_WEB"
    ):
        """Set the amount (Decimal, BDT) and return the address of the page the customer pays at.

        :param callback_url: where Nagad sends the customer back to
        """
        sealed, signature = self._seal(
            {
                "merchantId": self.merchant_id,
                "orderId": order_id,
                "currencyCode": BDT,
                "amount": money_text(amount),
                "challenge": started.challenge,
            }
        )
        answer = self._call(
            "POST",
            f"check-out/complete/{quote(started.payment_id, safe='')}",
            body={
                "sensitiveData": sealed,
                "signature": signature,
                "merchantCallbackURL": callback_url,
                # Neither encrypted nor signed: nothing in it could be trusted later.
                "additionalMerchantInfo": {},
            },
            customer_ip=customer_ip,
            client_type=client_type,
        )
        if answer.get("status") != "Success":
            raise Refused(_words(answer, "Nagad did not accept the payment"), _code(answer))
        return self._page(_text(answer, "callBackUrl"))

    def verify(self, payment_id, refunds=()):
        """Ask what became of a payment; return :class:`~.common.Verified`.

        :param refunds: references of the refunds that we made ourselves; a payment of which
            nothing else was given back is still a paid one
        """
        answer = self._ask(payment_id)
        word = str(answer.get("status") or "")
        status, reason = _read_status(word, answer, refunds)
        verified = Verified(
            status=status,
            order_id=answer.get("orderId"),
            payment_id=answer.get("paymentRefId"),
            reference=answer.get("issuerPaymentRefNo"),
            merchant=answer.get("merchantId"),
            amount=_amount(answer, "amount"),
            # The answer names no currency; Nagad knows no other than the one set by complete().
            currency="BDT",
            reason=reason,
            # A wallet that was typed in says nothing while the customer has not agreed.
            payer="" if word in _NOT_YET else _masked(answer.get("clientMobileNo")),
        )
        wanted = (verified.order_id, verified.payment_id, verified.merchant, verified.amount)
        if status == PAID and not (all(wanted) and verified.reference):
            raise Unknown("Nagad says paid and leaves out what for: ask again.")
        return verified

    # --- refunds ---

    def refund(self, payment_id, order_id, *, paid, amount, reference, reason="", known=()):
        """Give back ``amount`` of the ``paid`` BDT; return :class:`~.common.Refund`.

        Not idempotent as far as is known: after Unknown call :meth:`ask_refund`, never this again.
        Since that shows only the latest refund of a payment, there must be one at a time.

        :param reference: our own id of this refund, unique
        :param known: references of earlier refunds of this payment; one that Nagad shows and that
            is not among them stops the refund
        """
        try:
            payment = self._ask(payment_id)
        except Unknown as error:
            raise Refused(
                f"{error} Before a refund Nagad is asked about the payment; nothing was sent."
                " Try again later."
            ) from None
        last = payment.get("cancelIssuerRefNo")
        if last and last not in known:
            raise Refused(
                f"Nagad shows the refund {last} of this payment, which was not made here. Nothing"
                " was sent: look at the payment in Nagad's merchant portal first."
            )
        values = {
            "merchantId": self.merchant_id,
            "originalRequestDate": _day(payment.get("issuerPaymentDateTime")),
            "originalAmount": money_text(paid),
            "cancelAmount": money_text(amount),
            "referenceNo": reference,
            "referenceMessage": "",
        }
        values["referenceMessage"] = _shortened(
            reason or "Refund", self._envelope.max_bytes - len(nagad_crypto.compact(values))
        )
        sealed, signature = self._seal(values)
        answer = self._call(
            "POST",
            "purchase/cancel",
            params={"paymentRefId": payment_id, "orderId": order_id},
            body={"sensitiveDataCancelRequest": sealed, "signature": signature},
        )
        return self._read_refund(self._open(answer), amount)

    def _read_refund(self, values, amount):
        given_back = _amount(values, "cancelAmount")
        status = str(values.get("status") or "")
        if status in _REFUND_DONE:
            if given_back not in (None, amount):
                raise Unknown(f"Nagad says that {given_back} BDT were returned, not {amount}.")
            return Refund(PAID, values.get("cancelTrxId"), amount)
        if status in _FAILED:
            return Refund(FAILED, None, amount, _words(values, "Nagad refused the refund"))
        return Refund(PENDING, None, amount, f"Nagad says “{status:.40}”")

    def ask_refund(self, payment_id, known=()):
        """Ask whether a refund whose outcome is unknown was made; see :meth:`refund`."""
        last = self._ask(payment_id).get("cancelIssuerRefNo")
        if isinstance(last, str) and last and last not in known:
            return Refund(PAID, last, None, "Found when Nagad was asked; it names no amount.")
        return Refund(PENDING, None, None, "Nagad shows no refund of this payment yet.")

    # --- the wire ---

    def _ask(self, payment_id):
        """Return the answer of verify; a refusal to answer says nothing of the payment."""
        try:
            return self._call("GET", f"verify/payment/{quote(payment_id, safe='')}")
        except Refused as error:
            raise Unknown(str(error), error.code) from None

    def _seal(self, values):
        try:
            return self._envelope.seal(values)
        except ValueError as error:
            raise Misconfigured(
                f"The message to Nagad is too long ({error}): check the length of the merchant ID."
            ) from None

    def _open(self, answer):
        return self._envelope.open(answer.get("sensitiveData"), answer.get("signature"))

    def _call(self, method, path, *, body=None, params=None, customer_ip="", client_type="PC_WEB"):
        """Send one request and return the dict answered."""
        headers = {
            "X-KM-Api-Version": "v-0.2.0",
            "X-KM-IP-V4": ipv4(customer_ip, self._server_ip),
            "X-KM-Client-Type": client_type,
            "X-KM-MC-Id": self.merchant_id,
            "Accept": "application/json",
        }
        started = time.monotonic()
        try:
            status, text = self._exchange(
                method, self._base_url + path, headers=headers, json=body, params=params
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # Not the error's own text: it can hold an address with ids in it.
            _logger.info("Nagad %s: %s", path.split("/", 1)[0], type(error).__name__)
            raise Unknown(
                "Nagad does not answer." if _is_timeout(error) else "Nagad cannot be reached.",
                "timeout" if _is_timeout(error) else "connection",
            ) from None
        _logger.info(
            "Nagad %s: HTTP %s in %.1f s", path.split("/", 1)[0], status, time.monotonic() - started
        )
        try:
            return _read_answer(status, text)
        except Refused as error:
            raise (_with_settings(error) if path.startswith("check-out/") else error) from None

    def _exchange(self, method, url, **kwargs):
        """Return ``(HTTP status, text)``; the body must be there in time and of a sane size."""
        deadline = time.monotonic() + self._timeout
        with requests.request(
            method,
            url,
            timeout=(min(_CONNECT_TIMEOUT_S, self._timeout), self._timeout),
            allow_redirects=False,
            stream=True,
            **kwargs,
        ) as response:
            try:
                body = read_body(response, deadline, MAX_ANSWER_BYTES)
            except ValueError:
                body = b""
            return response.status_code, body.decode("utf-8", "replace")

    def _page(self, url):
        """Return the address of Nagad's page, if it is one a browser may be sent to."""
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        wanted = {"https", urlsplit(self._base_url).scheme}
        if parts.scheme not in wanted or not parts.hostname:
            raise Unknown("Nagad gave no usable address of its payment page.")
        return url


def ipv4(address, fallback):
    """Return the customer's public IPv4 address, else the server's: Nagad's header takes no other.

    Subscribers of an ISP often come from private addresses, which mean nothing to Nagad.

    :raise Misconfigured: neither is one
    """
    for candidate, must_be_public in ((address, True), (fallback, False)):
        try:
            parsed = ipaddress.ip_address(candidate or "")
        except ValueError:
            continue
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        if parsed.version == 4 and (parsed.is_global or not must_be_public):
            return str(parsed)
    raise Misconfigured("Enter the public IPv4 address of this server in the Nagad settings.")


def _dhaka(moment):
    if moment.tzinfo is None:
        raise ValueError("the time must be aware of its zone")
    return moment.astimezone(DHAKA)


def _is_timeout(error):
    kinds = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
    return isinstance(error, kinds)


def _read_answer(status, text):
    """Return the dict in an answer, or raise what the answer means."""
    try:
        answer = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        if status in (401, 403, 404):
            raise Misconfigured(_NOT_ALLOWED, str(status))
        support = re.search(r"support ID is:?\s*(?:<[^>]*>)*\s*([0-9]{5,30})", text)
        if support or "The requested URL was rejected" in text:
            number = f" Its support ID is {support[1]}." if support else ""
            raise Unknown(f"Nagad's firewall turned the request away.{number}", "firewall")
        raise Unknown("Nagad sent no readable answer.", str(status))
    if status >= 500 or status in (408, 429):
        raise Unknown(_words(answer, "Nagad has a problem of its own"), _code(answer))
    if status != 200 or "reason" in answer:
        raise Refused(_words(answer, "Nagad refused"), _code(answer))
    return answer


def _with_settings(refused):
    """Return what the refusal of a new payment means: Misconfigured if a setting is to blame."""
    for pattern, meaning in _SETTINGS:
        if re.search(pattern, str(refused), re.IGNORECASE):
            return Misconfigured(f"{meaning}. {refused}", refused.code)
    return refused


def _read_status(word, answer, refunds):
    """Return ``(status, reason)`` of an answer of verify whose status is ``word``."""
    paid = bool(answer.get("issuerPaymentRefNo"))
    if word == "Success":
        if answer.get("statusCode") == "000":
            return PAID, ""
        return PENDING, f"Nagad says Success with code {str(answer.get('statusCode')):.20}"
    if word == "Fraud":
        return (HELD if paid else FAILED), "Nagad suspects fraud"
    if word in _CANCELED | _PART_RETURNED and paid:
        if answer.get("cancelIssuerRefNo") in refunds:
            return PAID, ""
        if word in _PART_RETURNED:
            return HELD, "Paid, and a part was given back at Nagad"
        return CANCELED, "Paid and given back at Nagad"
    if word in _CANCELED:
        return CANCELED, f"Nagad says {word}"
    if word in _FAILED:
        return FAILED, f"Nagad says {word}"
    return PENDING, f"Nagad says “{word:.40}”"


def _day(text):
    """Return ``20260601`` of ``2026-06-01 12:01:10.0``, which is in Dhaka's time already."""
    match = re.match(r"(20[0-9]{2})-([01][0-9])-([0-3][0-9]) ", text or "", re.ASCII)
    if not match:
        raise Refused("Nagad does not say when the payment was made: nothing was sent.")
    return "".join(match.groups())


def _text(values, name):
    """Return a text that must be there."""
    value = values.get(name)
    if not isinstance(value, str) or not value or len(value) > 2000:
        raise Unknown(f"Nagad's answer has no {name}.")
    return value


def _amount(values, name):
    text = values.get(name)
    if text in (None, ""):
        return None
    try:
        return money(text)
    except ValueError:
        raise Unknown("Nagad's answer has an amount that cannot be read.") from None


def _masked(number):
    """Nagad masks the wallet itself; do it where it did not."""
    number = number if isinstance(number, str) else ""
    return number[:20] if "*" in number else mask_wallet(number)


def _code(answer):
    return str(answer.get("reason") or answer.get("statusCode") or "")[:40]


def _words(answer, start):
    """Return a sentence with what Nagad says; ``devMessage`` is not for a clerk."""
    message = " ".join(str(answer.get("message") or "").split())[:200].rstrip(".")
    return f"{start}: {message}." if message else f"{start}."


def _shortened(text, max_bytes):
    """Return ``text`` in at most ``max_bytes`` of JSON."""
    while text and len(json.dumps(text, ensure_ascii=False).encode()) - 2 > max_bytes:
        text = text[:-1]
    return text
