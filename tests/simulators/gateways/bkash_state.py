"""What the simulated bKash remembers: payments, money, agreements, wallets."""

import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal

API = "/v1.2.0-beta/tokenized/checkout"
API_V2 = "/v2/tokenized-checkout/refund/payment"
TOKEN_LIFE_S = 3600
REFRESH_LIFE_S = 28 * 24 * 3600
LOGINS_AN_HOUR = 2
PAYMENT_LIFE_S = 24 * 3600
DUPLICATE_S = 120
REFUNDS_MAX = 10
PIN_TRIES = 3
OTP = "123456"
AMOUNT = re.compile(r"\d{1,9}(\.\d{1,2})?", re.ASCII)
DHAKA = timezone(timedelta(hours=6))

MESSAGES = {
    "2001": "Invalid App Key",
    "2002": "Invalid Payment ID",
    "2006": "Invalid Amount",
    "2007": "Invalid Currency",
    "2008": "Invalid Intent",
    "2014": "Wrong PIN",
    "2023": "Insufficient Balance",
    "2026": "Refund amount exceeds the original amount",
    "2029": "Duplicate for all transactions",
    "2031": "Invalid Merchant Invoice Number",
    "2033": "Transaction not found",
    "2034": "The transaction has already been reversed",
    "2048": "Invalid Payer Reference",
    "2049": "Invalid Merchant Callback URL",
    "2051": "Invalid Agreement ID",
    "2053": "The agreement has already been cancelled",
    "2056": "Invalid Payment State",
    "2060": "Payment prerequisite is missing",
    "2062": "The payment has already been completed",
    "2063": "Mode is not valid",
    "2065": "Mandatory field missing",
    "2116": "Agreement execution already been called before",
    "2117": "Payment execution already been called before",
}
KINDS = {"api": "10002294", "qr": "10003126", "ussd": "10002175"}


@dataclass
class Payment:
    """One paymentID; ``customer`` is new, confirmed (PIN given), failed or canceled."""

    id: str
    mode: str
    payer_reference: str
    callback: str
    created: float
    amount: Decimal = Decimal(0)
    invoice: str = ""
    agreement_id: str | None = None
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    customer: str = "new"
    wallet: str | None = None
    pin_tries: int = 0
    executed: bool = False
    transaction: "Transaction | None" = None


@dataclass
class Transaction:
    """Money that moved to the merchant."""

    id: str
    wallet: str
    amount: Decimal
    at: float
    kind: str
    reference: str = ""
    invoice: str = ""
    payment_id: str | None = None
    refunds: list = field(default_factory=list)  # of (trxID, amount, at)

    @property
    def refundable(self):
        return self.amount - sum(amount for _id, amount, _at in self.refunds)


@dataclass
class Agreement:
    """A wallet that a customer lets the merchant charge."""

    id: str
    wallet: str
    payer_reference: str
    active: bool = True


@dataclass
class Wallet:
    """A customer of bKash."""

    balance: Decimal
    pin: str = "12121"


class CustomerError(Exception):
    """What the page tells the customer."""


def ok(**fields):
    """Return an answer that is a success."""
    return {"statusCode": "0000", "statusMessage": "Successful", **fields}


def money(amount):
    """Return an amount as bKash writes it."""
    return f"{amount:.2f}"


def new_transaction_id():
    """Return a trxID."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _n in range(10))


def bkash_time(seconds):
    """Return such as ``2026-06-01T12:22:41:428 GMT+0600``: a colon before the milliseconds."""
    moment = datetime.fromtimestamp(seconds, DHAKA)
    return moment.strftime("%Y-%m-%dT%H:%M:%S:") + f"{moment.microsecond // 1000:03d} GMT+0600"
