"""Single values of a file: from what people type to dates, numbers and addresses.

Every function takes text and raises :class:`Problem` for what it cannot read. Digits of any script
are read: ``০১৭`` is ``017``.
"""

import ipaddress
import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from .problems import Problem

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff]")
_EMAIL = re.compile(r"[^@\s,;:<>()\"]+@[^@\s,;:<>()\"]+\.[^@\s.,;:<>()\"\d]{2,}")
_CURRENCY = re.compile(r"(?i)(৳|₹|\$|€|/-$|\b(taka|tk|bdt|inr|rs|usd|eur)\b\.?|টাকা|रु)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EXCEL_EPOCH = date(1899, 12, 30)
_EXCEL_DAYS = range(20000, 80000)  # 1954 to 2119
_YEARS = range(1950, 2120)
MAX_AMOUNT = Decimal("1e9")


def ascii_digits(text):
    """``text`` with the decimal digits of every script as 0-9."""
    if text.isascii():
        return text
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)


def clean_text(text):
    """``text`` without control characters, invisible signs and outer blanks."""
    return _CONTROL.sub("", text).replace("\xa0", " ").strip()


def parse_date(text):
    """A date written as 2026-01-15, 15/01/2026 (day first), 15 Jan 2026 or Excel's day number."""
    plain = re.split(r"[T ]\d{1,2}:\d\d", ascii_digits(text).strip())[0].strip(" ,")
    if re.fullmatch(r"\d{5}(\.0+)?", plain) and int(float(plain)) in _EXCEL_DAYS:
        return _EXCEL_EPOCH + timedelta(days=int(float(plain)))
    parts = re.split(r"[-/.\s,]+", plain)
    try:
        if len(parts) != 3:
            raise ValueError
        if len(parts[0]) == 4:
            year, month, day = parts
        else:
            day, month, year = parts
        if not year.isdecimal() or len(year) not in (2, 4):
            raise ValueError
        result = date(int(year) + (2000 if len(year) == 2 else 0), _month(month), int(day))
    except ValueError:
        raise Problem("date", value=text) from None
    if result.year not in _YEARS:
        raise Problem("date", value=text)
    return result


def _month(text):
    if text.isalpha() and text[:3].casefold() in _MONTHS:
        return _MONTHS.index(text[:3].casefold()) + 1
    return int(text)


def parse_decimal(text):
    """A number such as 1,250.50, 1.250,50, 1,00,000 or ৳ ১,২৫০."""
    plain = _CURRENCY.sub("", ascii_digits(text))
    plain = re.sub(r"[\s_'’\u066c]", "", plain).replace("\u2212", "-").replace("\u066b", ".")
    if not re.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*", plain):
        raise Problem("number", value=text)
    try:
        result = Decimal(_with_decimal_point(plain))
    except InvalidOperation:
        raise Problem("number", value=text) from None
    return result


def _with_decimal_point(plain):
    """Decide which sign parts thousands and which one decimals."""
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and point >= 0:
        thousands, decimals = (",", ".") if point > comma else (".", ",")
        if plain.count(decimals) > 1:
            raise InvalidOperation
        return plain.replace(thousands, "").replace(decimals, ".")
    if comma >= 0:
        # One comma before other than three digits is a decimal sign: 12,5 but 1,250.
        if plain.count(",") == 1 and len(plain) - comma - 1 != 3:
            return plain.replace(",", ".")
        if not re.fullmatch(r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}", plain):
            raise InvalidOperation
        return plain.replace(",", "")
    if plain.count(".") > 1:
        if not re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+", plain):
            raise InvalidOperation
        return plain.replace(".", "")
    return plain


def parse_price(text):
    """A price: a number that is neither negative nor absurdly large."""
    price = parse_decimal(text)
    if price < 0:
        raise Problem("price_negative", value=text)
    if price >= MAX_AMOUNT:
        raise Problem("price_large", value=text)
    return price


def parse_billing_day(text):
    """A day of the month, 1 to 31."""
    plain = re.sub(r"(?i)(st|nd|rd|th)$", "", ascii_digits(text).strip())
    if not plain.isdecimal() or not 1 <= int(plain) <= 31:
        raise Problem("billing_day", value=text)
    return int(plain)


def parse_email(text):
    """One e-mail address, in lower case."""
    address = text.strip()
    if len(address) > 254 or ".." in address or not _EMAIL.fullmatch(address):
        raise Problem("email", value=text)
    return address.lower()


def parse_ipv4(text):
    """An IPv4 address that one subscriber may have."""
    try:
        address = ipaddress.IPv4Address(ascii_digits(text).strip().removesuffix("/32"))
    except ValueError:
        raise Problem("ipv4", value=text) from None
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        raise Problem("ipv4", value=text)
    return str(address)


def parse_macs(text):
    """One or more MAC addresses in any usual notation, in RADIUS' own: ``AA-BB-…|…``."""
    addresses = []
    for word in re.split(r"[\s,;|]+", text.strip()):
        digits = re.sub(r"[^0-9a-fA-F]", "", word).upper()
        if len(digits) != 12 or not re.fullmatch(r"[0-9a-fA-F:.-]+", word):
            raise Problem("mac", value=word)
        addresses.append("-".join(digits[i : i + 2] for i in range(0, 12, 2)))
    return "|".join(addresses)
