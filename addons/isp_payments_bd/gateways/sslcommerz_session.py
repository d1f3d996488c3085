"""What SSLCommerz wants to know before it opens a pay page: every field, its limit, its fallback.

An empty or a too long field is refused by the gateway, and a customer without a postcode must be
able to pay all the same.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from .common import Misconfigured, Refused, money_text

LEAST_AMOUNT, MOST_AMOUNT = Decimal("10.00"), Decimal("500000.00")
ORDER_ID_LENGTH = 30
URL_LENGTH = 255
CURRENCY = "BDT"

_LIMITS = {
    "product_name": 255,
    "product_category": 50,
    "cus_name": 50,
    "cus_email": 50,
    "cus_add1": 50,
    "cus_city": 50,
    "cus_postcode": 30,
    "cus_country": 50,
    "cus_phone": 20,
}
_FALLBACKS = {
    "product_name": "Invoice",
    "product_category": "Service",
    "cus_name": "Customer",
    "cus_add1": "Dhaka",
    "cus_city": "Dhaka",
    "cus_postcode": "1000",
    "cus_country": "Bangladesh",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_ORDER_ID = re.compile(r"[\x21-\x7e]{1,30}")


@dataclass(frozen=True)
class Order:
    """One payment to be asked for. Everything about the customer may be empty."""

    order_id: str
    amount: Decimal
    currency: str
    success_url: str
    fail_url: str
    cancel_url: str
    ipn_url: str
    product_name: str = ""
    product_category: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""
    # The merchant's own, where the customer has none: the gateway sends its receipt there.
    merchant_email: str = ""
    merchant_phone: str = ""
    methods: str = ""  # multi_card_name: restricts what the pay page offers


def session_fields(order):
    """Return the form fields for ``order``, without the store's credentials.

    :raises Refused: the gateway does not take this amount or currency
    :raises Misconfigured: an address of ours or of the merchant cannot be used
    """
    fields = {
        "tran_id": _order_id(order.order_id),
        "total_amount": _amount(order),
        "currency": order.currency,
        "product_name": order.product_name,
        "product_category": order.product_category,
        "product_profile": "non-physical-goods",
        "cus_name": order.name,
        "cus_email": _email(order),
        "cus_add1": order.street,
        "cus_city": order.city,
        "cus_postcode": order.postcode,
        "cus_country": order.country,
        "cus_phone": _phone(order),
        "shipping_method": "NO",
        "num_of_item": "1",
        "emi_option": "0",
    }
    for name, limit in _LIMITS.items():
        fields[name] = _line(fields[name])[:limit].strip() or _FALLBACKS.get(name, "")
    for name in ("success_url", "fail_url", "cancel_url", "ipn_url"):
        fields[name] = _url(getattr(order, name))
    if order.methods:
        fields["multi_card_name"] = order.methods
    return fields


def _order_id(order_id):
    if not _ORDER_ID.fullmatch(order_id or ""):
        raise ValueError(f"not an order id for SSLCommerz: {order_id!r}")
    return order_id


def _amount(order):
    if order.currency != CURRENCY:
        raise Refused("SSLCommerz takes payments in Bangladeshi taka (BDT) only.")
    if not LEAST_AMOUNT <= order.amount <= MOST_AMOUNT:
        raise Refused(
            f"SSLCommerz takes payments from {LEAST_AMOUNT} to {MOST_AMOUNT} BDT only."
            " Pay another way, or in parts."
        )
    return money_text(order.amount)


def _line(text):
    """One line of printable text: names come with line ends and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())


def _email(order):
    for email in (order.email, order.merchant_email):
        email = _line(email)
        # Cutting an address would make it somebody else's.
        if len(email) <= _LIMITS["cus_email"] and _EMAIL.fullmatch(email):
            return email
    raise Misconfigured(
        "SSLCommerz needs an email address: enter one for the customer or for your company"
        " (up to 50 characters)."
    )


def _phone(order):
    for phone in (order.phone, order.merchant_phone):
        phone = re.sub(r"[^0-9+]", "", phone or "")
        if 6 <= len(phone) <= _LIMITS["cus_phone"]:
            return phone
    raise Misconfigured(
        "SSLCommerz needs a phone number: enter one for the customer or for your company."
    )


def _url(url):
    if len(url) > URL_LENGTH:
        raise Misconfigured(
            f"The address of this site is too long for SSLCommerz (over {URL_LENGTH} characters)."
        )
    return url
