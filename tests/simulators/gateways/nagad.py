"""Nagad's online payment gateway, v-0.2.0, as public clients describe it.

    with Nagad() as nagad:
        nagad.add_merchant("683000000000001", public_key)   # base64, as the form at Nagad takes it
        client = NagadClient(nagad.api_url, ..., nagad_key=nagad.public_key)
        ...
        back = nagad.choose(payment_id, "pay")              # what a click on the page does

It refuses what is reported of the real one: missing headers, a time that is not padded or not
Dhaka's, a reused order id, a signature that is not SHA-256 over the encrypted bytes. Encryption and
signatures are done here by hand, not by the module of the suite. What is not known of the real one
(texts of refusals, the length of the time window) is chosen so that a client gains nothing by it;
above all a repeated refund pays twice, since no idempotency is documented.

Nagad sends no notification. A fault on the call ``return`` changes (``change``) or loses
(``lose``) what the browser brings back.
"""

import base64
import ipaddress
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .base import GatewaySimulator, main, redirect, refuse, route
from .faults import overwrite
from .pages import closed_page, pay_page

DHAKA = ZoneInfo("Asia/Dhaka")
WINDOW_S = 600
API = "/api/dfs"
CLIENT_TYPES = {"PC_WEB", "MOBILE_WEB", "MOBILE_APP"}
PIN = "1234"

# From a status to those that may follow.
FLOW = {
    "Initiated": {"Ready"},
    "Ready": {"InProgress", "Aborted"},
    "InProgress": {"OtpSent", "Success", "Failed", "Cancelled", "Aborted"},
    "OtpSent": {"Success", "Failed", "Cancelled", "Aborted"},
    "Success": {"PartialCancelled", "Cancelled"},
    "PartialCancelled": {"PartialCancelled", "Cancelled"},
}
_STATUS_CODES = {"Success": "000", "Failed": "001", "Cancelled": "002", "Aborted": "003"}
_INITIALISE_KEYS = {"merchantId", "datetime", "orderId", "challenge"}
_COMPLETE_KEYS = {"merchantId", "orderId", "currencyCode", "amount", "challenge"}
_CANCEL_KEYS = {
    *("merchantId", "originalRequestDate", "originalAmount", "cancelAmount", "referenceNo"),
    "referenceMessage",
}


@dataclass
class Merchant:
    """A shop that Nagad has a contract with."""

    id: str
    public_key: rsa.RSAPublicKey
    active: bool = True


@dataclass
class Payment:
    """One attempt to pay; ``given_back`` is in taka."""

    id: str
    merchant: Merchant
    order_id: str
    challenge: str
    ordered: datetime
    status: str = "Initiated"
    amount: str | None = None
    callback_url: str | None = None
    wallet: str = ""
    paid: datetime | None = None
    reference: str | None = None
    given_back: Decimal = Decimal(0)
    refunds: list = field(default_factory=list)

    def to(self, status):
        """Move on, or refuse."""
        if status not in FLOW.get(self.status, ()):
            _no("InvalidState", f"A payment that is {self.status} cannot become {status}")
        self.status = status


def new_key():
    """Return a key pair for Nagad itself."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Nagad(GatewaySimulator):
    """Payments of any number of merchants."""

    name = "nagad"
    actions = ("add_merchant", "set_status", "choose")

    def __init__(self, port=0, host="127.0.0.1", key=None):
        super().__init__(port, host)
        self.merchants = {}
        self.payments = {}
        self._challenges = set()
        self._key = key or new_key()
        self._forger = None
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_key = base64.b64encode(public).decode()

    @property
    def api_url(self):
        return f"{self.url}{API}/"

    def snapshot(self):
        return {
            "api_url": self.api_url,
            "public_key": self.public_key,
            "merchants": sorted(self.merchants),
            "payments": {
                one.id: {"order_id": one.order_id, "status": one.status, "amount": one.amount}
                for one in self.payments.values()
            },
        }

    # === WHAT NAGAD'S STAFF AND THE CUSTOMER DO === #

    def add_merchant(self, merchant_id, public_key):
        """Accept a shop and the public key it handed in, as base64."""
        key = serialization.load_der_public_key(base64.b64decode(public_key, validate=True))
        with self.lock:
            self.merchants[merchant_id] = Merchant(merchant_id, key)

    def set_status(self, payment_id, status):
        """Force a status, also one that no client has seen before."""
        with self.lock:
            self.payments[payment_id].status = status

    def choose(self, payment_id, choice, wallet="01712345678"):
        """Do what a click on the page does; return where the browser goes, or None: nowhere."""
        with self.lock:
            payment = self.payments[payment_id]
            if payment.status == "Ready":
                payment.to("InProgress")
            if choice == "close":
                return None
            if choice in ("pay", "pay_close"):
                payment.to("Success")
                payment.wallet = wallet
                payment.paid = self._now()
                payment.reference = secrets.token_hex(4).upper()
            else:
                payment.to({"fail": "Failed", "cancel": "Aborted"}[choice])
            return None if choice == "pay_close" else self._return_url(payment)

    # === API === #

    @route("POST", f"{API}/check-out/initialize/<merchant_id>/<order_id>", call="initialize")
    def initialize(self, request, merchant_id, order_id):
        self._check_headers(request)
        merchant = self._merchant(request, merchant_id)
        if not re.fullmatch(r"[A-Za-z0-9]{5,20}", order_id, re.ASCII):
            _no("InvalidOrderId", "Invalid order ID")
        body = request.json()
        values = self._open(merchant, body, "sensitiveData", _INITIALISE_KEYS)
        if values["merchantId"] != merchant_id or values["orderId"] != order_id:
            _no("InvalidApiRequest", "Please verify provided data")
        if body.get("dateTime") != values["datetime"]:
            _no("InvalidApiRequest", "Please verify provided data")
        self._check_time(values["datetime"])
        if not re.fullmatch(r"[!-~]{8,40}", values["challenge"]):
            _no("InvalidApiRequest", "Invalid challenge")
        if "accountNumber" in body and not re.fullmatch(r"01[0-9]{9}", body["accountNumber"]):
            _no("InvalidApiRequest", "Invalid account number")
        if any((one.merchant.id, one.order_id) == (merchant_id, order_id) for one in self._all()):
            _no("DuplicateOrderId", "Duplicate order ID")
        if values["challenge"] in self._challenges:
            _no("InvalidApiRequest", "Please verify provided data")
        self._challenges.add(values["challenge"])
        payment = self._new_payment(merchant, order_id)
        return self._sealed(
            request,
            merchant,
            {
                "paymentReferenceId": payment.id,
                "challenge": payment.challenge,
                "acceptDateTime": payment.ordered.strftime("%Y%m%d%H%M%S"),
            },
        )

    @route("POST", f"{API}/check-out/complete/<payment_id>", call="complete")
    def complete(self, request, payment_id):
        self._check_headers(request)
        payment = self._payment(payment_id)
        self._merchant(request, payment.merchant.id)
        body = request.json()
        values = self._open(payment.merchant, body, "sensitiveData", _COMPLETE_KEYS)
        mine = (payment.merchant.id, payment.order_id, payment.challenge)
        if (values["merchantId"], values["orderId"], values["challenge"]) != mine:
            _no("InvalidPurchaseInformation", "Please verify provided data")
        if values["currencyCode"] != "050":
            _no("InvalidCurrency", "Invalid currency")
        if not re.fullmatch(
            r"[1-9][0-9]*(\.[0-9]{1,2})?|0\.(0[1-9]|[1-9][0-9]?)", values["amount"]
        ):
            _no("InvalidPurchaseInformation", "Invalid amount")
        if urlsplit(str(body.get("merchantCallbackURL"))).scheme not in ("http", "https"):
            _no("InvalidPurchaseInformation", "Invalid callback URL")
        if not isinstance(body.get("additionalMerchantInfo", {}), dict):
            _no("InvalidPurchaseInformation", "Invalid additional merchant info")
        payment.to("Ready")
        payment.amount = values["amount"]
        payment.callback_url = body["merchantCallbackURL"]
        return {"callBackUrl": f"{self.url}/check-out/{payment.id}", "status": "Success"}

    @route("GET", f"{API}/verify/payment/<payment_id>", call="verify")
    def verify(self, request, payment_id):
        self._check_headers(request)
        payment = self._payment(payment_id)
        self._merchant(request, payment.merchant.id)
        last = payment.refunds[-1] if payment.refunds else {}
        wallet = payment.wallet
        return {
            "merchantId": payment.merchant.id,
            "orderId": payment.order_id,
            "paymentRefId": payment.id,
            "amount": payment.amount,
            "clientMobileNo": f"{wallet[:3]}****{wallet[-4:]}" if wallet else None,
            "merchantMobileNo": "01900000000",
            "orderDateTime": _spelt(payment.ordered),
            "issuerPaymentDateTime": _spelt(payment.paid),
            "issuerPaymentRefNo": payment.reference,
            "additionalMerchantInfo": None,
            "status": payment.status,
            "statusCode": _STATUS_CODES.get(payment.status, "999"),
            "cancelIssuerDateTime": last.get("at"),
            "cancelIssuerRefNo": last.get("id"),
        }

    @route("POST", f"{API}/purchase/cancel", call="cancel")
    def cancel(self, request):
        self._check_headers(request)
        payment = self._payment(request.query.get("paymentRefId", ""))
        merchant = self._merchant(request, payment.merchant.id)
        values = self._open(merchant, request.json(), "sensitiveDataCancelRequest", _CANCEL_KEYS)
        if request.query.get("orderId") != payment.order_id or values["merchantId"] != merchant.id:
            _no("InvalidPurchaseInformation", "Please verify provided data")
        if payment.status not in ("Success", "PartialCancelled"):
            _no("InvalidPurchaseInformation", f"The payment is {payment.status}")
        if values["originalRequestDate"] != payment.paid.strftime("%Y%m%d"):
            _no("InvalidPurchaseInformation", "Invalid original request date")
        if Decimal(values["originalAmount"]) != Decimal(payment.amount):
            _no("InvalidPurchaseInformation", "Invalid original amount")
        if not re.fullmatch(r"[0-9]+\.[0-9]{2}", values["cancelAmount"]):
            _no("InvalidPurchaseInformation", "Invalid cancel amount")
        given_back = payment.given_back + Decimal(values["cancelAmount"])
        if not Decimal(values["cancelAmount"]) or given_back > Decimal(payment.amount):
            _no("InvalidPurchaseInformation", "Cancel amount exceeds the paid amount")
        all_of_it = given_back == Decimal(payment.amount)
        payment.to("Cancelled" if all_of_it else "PartialCancelled")
        payment.given_back = given_back
        refund = {"id": secrets.token_hex(4).upper(), "at": _spelt(self._now()), **values}
        payment.refunds.append(refund)
        return self._sealed(
            request,
            merchant,
            {
                "status": payment.status,
                "originalAmount": values["originalAmount"],
                "cancelAmount": values["cancelAmount"],
                "referenceNo": values["referenceNo"],
                "cancelTrxId": refund["id"],
            },
        )

    # === PAY PAGE === #

    @route("GET", "/check-out/<payment_id>", call="page")
    def page(self, _request, payment_id):
        return self._page(self._payment(payment_id))

    @route("POST", "/check-out/<payment_id>", call="click")
    def click(self, request, payment_id):
        payment = self._payment(payment_id)
        form = request.form()
        choice = form.get("choice", "")
        if choice in ("pay", "pay_close", "fail"):
            if not re.fullmatch(r"01[3-9][0-9]{8}", form.get("wallet", ""), re.ASCII):
                return self._page(payment, "Enter the eleven digits of your Nagad number.")
            if form.get("pin") != PIN:
                return self._page(payment, "The PIN is wrong.")
        if choice not in ("pay", "pay_close", "fail", "cancel", "close"):
            return self._page(payment, "Choose one of the buttons.")
        url = self.choose(payment.id, choice, form.get("wallet", ""))
        return redirect(url) if url else closed_page("Nagad")

    def _page(self, payment, error=""):
        if payment.status == "Ready":
            payment.to("InProgress")
        if payment.status not in ("InProgress", "OtpSent"):
            return closed_page(f"Nagad: {payment.status}")
        return pay_page(
            "Nagad",
            f"/check-out/{payment.id}",
            {"Merchant": payment.merchant.id, "Order": payment.order_id, "BDT": payment.amount},
            inputs=[("wallet", "Nagad number", "01712345678"), ("pin", "PIN", PIN)],
            error=error,
        )

    def _return_url(self, payment):
        """Return the callback URL with Nagad's parameters, or None when the fault loses it."""
        status = payment.status
        fault = self.faults.take("return")
        if fault.lose:
            return None
        values = {
            "merchant": payment.merchant.id,
            "order_id": payment.order_id,
            "payment_ref_id": payment.id,
            "status": status,
            "status_code": "00_0000_000" if status == "Success" else "00_0000_999",
            "message": "Successful Transaction" if status == "Success" else status,
            "payment_dt": (payment.paid or self._now()).strftime("%Y%m%d%H%M%S"),
            "issuer_payment_ref": payment.reference or "",
        }
        parts = urlsplit(payment.callback_url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        query += overwrite(values, fault.change).items()
        return urlunsplit(parts._replace(query=urlencode(query)))

    # === CHECKS === #

    def _check_headers(self, request):
        headers = request.headers
        if headers.get("X-KM-Api-Version") != "v-0.2.0":
            _no("InvalidApiRequest", "Invalid API version")
        if headers.get("X-KM-Client-Type") not in CLIENT_TYPES:
            _no("InvalidApiRequest", "Invalid client type")
        try:
            ipaddress.IPv4Address(headers.get("X-KM-IP-V4", ""))
        except ValueError:
            _no("InvalidApiRequest", "Invalid IP address")
        if request.method == "POST" and headers.get_content_type() != "application/json":
            _no("InvalidApiRequest", "Invalid content type")

    def _merchant(self, request, merchant_id):
        merchant = self.merchants.get(merchant_id)
        if not merchant or request.headers.get("X-KM-MC-Id", merchant_id) != merchant_id:
            _no("InvalidMerchant", "Invalid merchant")
        if not merchant.active:
            _no("InactiveMerchant", "Inactive merchant")
        return merchant

    def _payment(self, payment_id):
        payment = self.payments.get(unquote(payment_id))
        return payment or _no("InvalidReferenceId", "Invalid payment reference ID")

    def _check_time(self, text):
        try:
            # strptime alone takes unpadded numbers too.
            moment = datetime.strptime(text, "%Y%m%d%H%M%S") if len(text) == 14 else None
        except ValueError:
            moment = None
        if not moment or abs(moment.replace(tzinfo=DHAKA) - self._now()) > timedelta(0, WINDOW_S):
            _no("InvalidApiRequest", "Please verify provided data")

    # === CRYPTOGRAPHY === #

    def _open(self, merchant, body, name, keys):
        """Decrypt a message of a merchant and check its signature over the very same bytes."""
        try:
            sealed = base64.b64decode(str(body.get(name)), validate=True)
            clear = self._key.decrypt(sealed, padding.PKCS1v15())
            values = json.loads(clear)
        except ValueError:
            _no("DecryptionError", "Sensitive data cannot be decrypted")
        try:
            signature = base64.b64decode(str(body.get("signature")), validate=True)
            merchant.public_key.verify(signature, clear, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            _no("SignatureVerificationFailed", "Signature verification failed")
        if not isinstance(values, dict) or set(values) != keys:
            _no("InvalidApiRequest", "Please verify provided data")
        if not all(isinstance(value, str) for value in values.values()):
            _no("InvalidApiRequest", "Please verify provided data")
        return values

    def _sealed(self, request, merchant, values):
        clear = json.dumps(values, separators=(",", ":")).encode()
        sealed = merchant.public_key.encrypt(clear, padding.PKCS1v15())
        signature = self._signer(request).sign(clear, padding.PKCS1v15(), hashes.SHA256())
        return {
            "sensitiveData": base64.b64encode(sealed).decode(),
            "signature": base64.b64encode(signature).decode(),
        }

    def _signer(self, request):
        if not request.fault.forge:
            return self._key
        if not self._forger:
            self._forger = new_key()
        return self._forger

    # === HELPERS === #

    def _all(self):
        return self.payments.values()

    def _now(self):
        return datetime.fromtimestamp(self.clock(), DHAKA)

    def _new_payment(self, merchant, order_id):
        now = self._now()
        clear = f"{now:%m%d%H%M%S}{merchant.id[-5:]}.{secrets.token_hex(8)}"
        payment_id = base64.b64encode(clear.encode()).decode()  # ends in =, as real ones do
        payment = Payment(payment_id, merchant, order_id, secrets.token_hex(20), now)
        self.payments[payment_id] = payment
        return payment


def _no(reason, message):
    refuse(400, {"reason": reason, "message": message, "devMessage": f"Caused by: {reason}"})


def _spelt(moment):
    return f"{moment:%Y-%m-%d %H:%M:%S}.0" if moment else None


if __name__ == "__main__":
    main(Nagad)
