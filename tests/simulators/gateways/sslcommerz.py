"""SSLCommerz v4 on loopback: one store with its sessions, payments and refunds.

It refuses what the gateway refuses: a wrong password, missing, empty or too long fields, amounts
out of range, a ``tran_id`` used before. Notifications and browser returns are signed with its own
code, not with ours.

    with Sslcommerz() as gateway:
        key = ...                                  # the shop opens a session
        url, fields = gateway.pay(key)             # as the customer on the pay page, who is then
                                                   # sent to ``url`` by POST with ``fields``
        gateway.pay(key, "pay_risk"); gateway.pay(key, "fail"); gateway.pay(key, "cancel")
        gateway.finish_refund(ref, "refunded")     # or "cancelled"
        gateway.close_sessions()                   # those whose time is over become EXPIRED

Calls for faults: ``session``, ``pay_page``, ``choose``, ``validate``, ``query_session``,
``query_order``, ``refund``, ``refund_status``, and ``notify`` (the IPN). The browser's return
takes ``change``, ``tamper`` and ``forge`` of ``choose``.

What the vendor does not document is marked [guess].
"""

import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode

from .base import GatewaySimulator, main, refuse, route
from .faults import overwrite
from .pages import CHOICES, closed_page, pay_page, posting_page
from .sslcommerz_refunds import Refunds

STORE_ID, STORE_PASSWD = "simulatedstore", "simulatedstore@ssl"
LEAST, MOST = Decimal("10"), Decimal("500000")
FEE = Decimal("0.025")
SESSION_LIFE_S = 24 * 3600  # [guess]
VAL_ID_LIFE_S = 30 * 24 * 3600  # [guess]

# Field: longest allowed text. Required ones must not be empty.
REQUIRED = {
    "store_id": 30,
    "store_passwd": 30,
    "total_amount": 13,
    "currency": 3,
    "tran_id": 30,
    "success_url": 255,
    "fail_url": 255,
    "cancel_url": 255,
    "product_category": 50,
    "product_name": 255,
    "product_profile": 100,
    "cus_name": 50,
    "cus_email": 50,
    "cus_add1": 50,
    "cus_city": 50,
    "cus_postcode": 30,
    "cus_country": 50,
    "cus_phone": 20,
    "shipping_method": 50,
    "emi_option": 1,
}
OPTIONAL = {
    "ipn_url": 255,
    "multi_card_name": 30,
    "num_of_item": 2,
    **{f"value_{letter}": 255 for letter in "abcd"},
}
PROFILES = {
    *("general", "physical-goods", "non-physical-goods"),
    *("airline-tickets", "travel-vertical", "telecom-vertical"),
}
CARDS = {
    "visa": ("VISA-Dutch Bangla", "432149XXXXXX0667", "STANDARD CHARTERED & CO", "VISA"),
    "bkash": ("BKASH-BKash", "01770000000", "BKash Mobile Banking", "MOBILEBANKING"),
}
PAGE_CHOICES = {
    "pay": CHOICES["pay"],
    "pay_risk": "Pay with a card that looks stolen",
    "fail": CHOICES["fail"],
    "fail_stay": "Fail and try again here",
    "cancel": CHOICES["cancel"],
    "close": CHOICES["close"],
    "pay_close": CHOICES["pay_close"],
}
_MONEY = re.compile(r"\d{1,8}(\.\d{1,2})?")


@dataclass
class Attempt:
    """One attempt to pay in a session: what the gateway posts and answers about it."""

    status: str
    fields: dict
    paid_at: float = 0.0
    validated_on: str = ""


@dataclass
class PayPage:
    """One session."""

    key: str
    order: dict
    opened_at: float
    attempts: list = field(default_factory=list)
    end: str = ""  # CANCELLED, EXPIRED or UNATTEMPTED without a successful attempt


class Sslcommerz(Refunds, GatewaySimulator):
    """The gateway with one store."""

    name = "sslcommerz"
    actions = ("pay", "finish_refund", "close_sessions", "notify_again", "configure")

    def __init__(self, port=0, host="127.0.0.1", store_id=STORE_ID, store_passwd=STORE_PASSWD):
        super().__init__(port, host)
        self.store_id, self.store_passwd = store_id, store_passwd
        self.active = True
        self.refunds_allowed = True  # the shop's address is registered
        self.sessions = {}
        self.refunds = {}

    def configure(self, **switches):
        """Set ``active`` or ``refunds_allowed``."""
        for name in switches:
            if name not in ("active", "refunds_allowed"):
                raise ValueError(name)
        vars(self).update(switches)

    def snapshot(self):
        return {
            "sessions": {
                key: {
                    "tran_id": one.order["tran_id"],
                    "end": one.end,
                    "attempts": [attempt.fields for attempt in one.attempts],
                }
                for key, one in self.sessions.items()
            },
            "refunds": self.refunds,
        }

    # === SESSIONS === #

    @route("POST", "/gwprocess/v4/api.php", call="session")
    def open_session(self, request):
        order = request.form()
        problem = self._problem_of(order)
        if problem:
            return {"status": "FAILED", "failedreason": problem, "sessionkey": ""}
        key = secrets.token_hex(16).upper()
        self.sessions[key] = PayPage(key, order, self.clock())
        return {
            "status": "SUCCESS",
            "failedreason": "",
            "sessionkey": key,
            "GatewayPageURL": f"{self.url}/EasyCheckOut/{key}",
            "storeBanner": "",
            "desc": [],
        }

    def _problem_of(self, order):
        if (order.get("store_id"), order.get("store_passwd")) != (self.store_id, self.store_passwd):
            return "Store Credential Error Or Store is De-active"
        if not self.active:
            return "Store Credential Error Or Store is De-active"
        for name, limit in {**REQUIRED, **OPTIONAL}.items():
            value = order.get(name, "")
            if name in REQUIRED and not value.strip():
                return f"Invalid Information! '{name}' is missing or empty"
            if len(value) > limit:
                return f"Invalid Information! '{name}' is too long"
        return self._problem_of_order(order)

    def _problem_of_order(self, order):
        if not _MONEY.fullmatch(order["total_amount"]):
            return "Invalid Information! 'total_amount' is not an amount"
        if order["currency"] == "BDT" and not LEAST <= Decimal(order["total_amount"]) <= MOST:
            return "Invalid Information! 'total_amount' is out of range"
        if order["product_profile"] not in PROFILES:
            return "Invalid Information! 'product_profile' is not known"
        if order["shipping_method"] != "NO" and not order.get("num_of_item"):
            return "Invalid Information! 'num_of_item' is missing or empty"
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", order["cus_email"]):
            return "Invalid Information! 'cus_email' is invalid"
        for name in ("success_url", "fail_url", "cancel_url", "ipn_url"):
            if order.get(name) and not re.match(r"https?://[^/\s]+", order[name]):
                return f"Invalid Information! '{name}' is invalid"
        if any(one.order["tran_id"] == order["tran_id"] for one in self.sessions.values()):
            return "Invalid Information! 'tran_id' was used before"
        return ""

    # === THE CUSTOMER === #

    @route("GET", "/EasyCheckOut/<key>")
    def pay_page(self, _request, key):
        return self._page(self._session(key))

    @route("POST", "/EasyCheckOut/<key>")
    def choose(self, request, key):
        session = self._session(key)
        form = request.form()
        choice = form.get("choice", "")
        if choice not in PAGE_CHOICES:
            refuse(400, "What would you like to do?")
        if choice == "close":
            return closed_page("SSLCommerz")
        url, fields = self.pay(key, choice, form.get("card", "visa"), request.fault)
        if choice == "pay_close":
            return closed_page("SSLCommerz")
        if choice == "fail_stay":
            return self._page(session, "The payment failed. Try again.")
        return posting_page("SSLCommerz", url, fields)

    def _session(self, key):
        session = self.sessions.get(key) or refuse(404, "This payment does not exist.")
        if session.end or self._is_over(session):
            refuse(410, "This payment is over.")
        return session

    def _page(self, session, error=""):
        order = session.order
        return pay_page(
            "SSLCommerz",
            f"/EasyCheckOut/{session.key}",
            {"Amount": f"{order['total_amount']} {order['currency']}", "Order": order["tran_id"]},
            (("card", "Card or wallet", "visa"),),
            PAGE_CHOICES,
            error,
        )

    def pay(self, key, choice="pay", card="visa", fault=None):
        """Choose on the pay page; the notification leaves, and ``(url, fields)`` of the return.

        A session may be paid twice, in two tabs of a browser.
        """
        with self.lock:
            session = self.sessions[key]
            attempt = self._attempt(session, choice.removesuffix("_close"), card)
            self.notify(session, attempt)
            target = {"VALID": "success_url", "CANCELLED": "cancel_url"}.get(
                attempt.status, "fail_url"
            )
            return session.order[target], self._signed(attempt.fields, fault)

    def _attempt(self, session, choice, card):
        if choice == "cancel":
            session.end = "CANCELLED"
            attempt = Attempt("CANCELLED", self._fields(session, "CANCELLED", card))
        elif choice.startswith("fail"):
            attempt = Attempt("FAILED", self._fields(session, "FAILED", card))
            attempt.fields["error"] = "Insufficient balance"
        else:
            attempt = Attempt("VALID", self._fields(session, "VALID", card), self.clock())
            attempt.fields["val_id"] = time.strftime("%y%m%d%H%M%S") + secrets.token_hex(8)
            if choice == "pay_risk":
                attempt.fields.update(risk_level="1", risk_title="Risky")
        session.attempts.append(attempt)
        return attempt

    def _fields(self, session, status, card):
        order = session.order
        amount = Decimal(order["total_amount"]).quantize(Decimal("0.01"))
        kind, number, issuer, brand = CARDS.get(card, CARDS["visa"])
        return {
            "status": status,
            "tran_date": self._now(),
            "tran_id": order["tran_id"],
            "amount": str(amount),
            "store_amount": str((amount * (1 - FEE)).quantize(Decimal("0.01"))),
            "currency": "BDT",
            "bank_tran_id": "" if status == "CANCELLED" else self._bank_id(),
            "card_type": kind,
            "card_no": number,
            "card_issuer": issuer,
            "card_brand": brand,
            "card_issuer_country": "Bangladesh",
            "card_issuer_country_code": "BD",
            "currency_type": order["currency"],
            "currency_amount": str(amount),
            "currency_rate": "1.0000",
            "base_fair": "0.00",
            "risk_level": "0",
            "risk_title": "Safe",
            "error": "",
            "store_id": self.store_id,
            **{name: order.get(name, "") for name in ("value_a", "value_b", "value_c", "value_d")},
        }

    def _now(self):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.clock() + 6 * 3600))

    def _bank_id(self):
        return time.strftime("%y%m%d%H%M%S") + secrets.token_hex(6).upper()

    # === NOTIFICATIONS === #

    def notify(self, session, attempt):
        """Send the IPN of one attempt."""
        if session.order.get("ipn_url"):
            self.notifier.send(session.order["ipn_url"], self._make_ipn, attempt.fields)

    def notify_again(self, key, number=-1):
        """Send the IPN of an attempt once more."""
        session = self.sessions[key]
        self.notify(session, session.attempts[number])

    def _make_ipn(self, fields, fault):
        body = urlencode(self._signed(fields, fault))
        return body, {"Content-Type": "application/x-www-form-urlencoded"}

    def _signed(self, fields, fault):
        if fault:
            fields = overwrite(fields, fault.change)
        password = "somebody else's" if fault and fault.forge else self.store_passwd
        names = sorted(fields)
        signed = {**fields, "verify_key": ",".join(names)}
        for name, algorithm in (("verify_sign", "md5"), ("verify_sign_sha2", "sha256")):
            parts = {**fields, "store_passwd": _hash(algorithm, password)}
            text = "&".join(f"{part}={parts[part]}" for part in sorted(parts))
            signed[name] = _hash(algorithm, text)
        return overwrite(signed, fault.tamper) if fault else signed

    # === QUESTIONS === #

    @route("GET", "/validator/api/validationserverAPI.php", call="validate")
    def validate(self, request):
        self._connect(request.query)
        if not request.query.get("val_id"):
            return {"APIConnect": "INVALID_REQUEST"}
        for session in self.sessions.values():
            for attempt in session.attempts:
                known = attempt.fields.get("val_id") == request.query["val_id"]
                if known and self.clock() - attempt.paid_at <= VAL_ID_LIFE_S:
                    return self._validated(attempt)
        return {"APIConnect": "DONE", "status": "INVALID_TRANSACTION"}

    def _validated(self, attempt):
        answer = self._told(attempt)
        if not attempt.validated_on:
            attempt.validated_on = self._now()
        return {**answer, "validated_on": attempt.validated_on, "gw_version": ""}

    def _told(self, attempt):
        """What a question about an attempt is answered: VALID at first, later VALIDATED."""
        status = "VALIDATED" if attempt.validated_on else attempt.status
        return {**attempt.fields, "status": status, "APIConnect": "DONE"}

    @route("GET", "/validator/api/merchantTransIDvalidationAPI.php", call="query")
    def query(self, request):
        self._connect(request.query)
        return getattr(self, f"_{request.call}")(request.query)

    def _run(self, request, handler, arguments):
        if request.call == "query":  # one address for four questions
            kinds = {
                "bank_tran_id": "refund",
                "refund_ref_id": "refund_status",
                "sessionkey": "query_session",
            }
            found = [kind for name, kind in kinds.items() if name in request.query]
            request.call = found[0] if found else "query_order"
        return super()._run(request, handler, arguments)

    def _connect(self, query):
        given = (query.get("store_id"), query.get("store_passwd"))
        if given != (self.store_id, self.store_passwd):
            refuse(200, {"APIConnect": "FAILED"})
        if not self.active:
            refuse(200, {"APIConnect": "INACTIVE"})

    def _query_session(self, query):
        session = self.sessions.get(query["sessionkey"])
        if not session:
            return {"APIConnect": "DONE"}
        paid = [attempt for attempt in session.attempts if attempt.status == "VALID"]
        if paid:
            return {**self._told(paid[-1]), "sessionkey": session.key}
        last = session.attempts[-1].fields if session.attempts else self._open_fields(session)
        status = session.end or ("FAILED" if session.attempts else "PENDING")
        if self._is_over(session):
            status = session.end = session.end or "EXPIRED"
        return {**last, "status": status, "sessionkey": session.key, "APIConnect": "DONE"}

    def _open_fields(self, session):
        order = session.order
        return {
            "tran_id": order["tran_id"],
            "amount": order["total_amount"],
            "currency_type": order["currency"],
            "currency_amount": order["total_amount"],
        }

    def _query_order(self, query):
        if not query.get("tran_id"):
            return {"APIConnect": "INVALID_REQUEST"}
        told = [
            self._told(attempt)
            for session in self.sessions.values()
            for attempt in session.attempts
            if session.order["tran_id"] == query["tran_id"]
        ]
        return {"APIConnect": "DONE", "no_of_trans_found": len(told), "element": told}

    def _is_over(self, session):
        return self.clock() - session.opened_at > SESSION_LIFE_S

    def close_sessions(self):
        """Tell the shop of the sessions whose time is over without a payment."""
        with self.lock:
            for session in self.sessions.values():
                paid = any(attempt.status == "VALID" for attempt in session.attempts)
                if self._is_over(session) and not session.end and not paid:
                    session.end = "EXPIRED"
                    fields = self._fields(session, "EXPIRED", "visa")
                    self.notify(session, Attempt("EXPIRED", fields))


def _hash(algorithm, text):
    return hashlib.new(algorithm, text.encode()).hexdigest()


if __name__ == "__main__":
    main(Sslcommerz)
