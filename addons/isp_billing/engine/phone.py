"""Phone numbers as people write them, in any script's digits."""

import phonenumbers

from .problems import Problem
from .values import ascii_digits


def parse_phone(text, country_code):
    """``text`` as an E.164 number such as ``+8801711000000``.

    :param country_code: two letters; the country of numbers written without country code
    :raises Problem: when it is no valid number
    """
    digits = ascii_digits(text)
    try:
        number = phonenumbers.parse(digits, country_code or None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        # "8801711000000": the country code without its sign, as spreadsheets leave it behind.
        number = _parse_without_plus(digits)
    if number is None:
        raise Problem("phone", value=text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parse_without_plus(digits):
    try:
        number = phonenumbers.parse(f"+{digits.lstrip('+0 ')}", None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def format_phone(e164):
    """An E.164 number in the international notation that Odoo gives to contacts."""
    return phonenumbers.format_number(
        phonenumbers.parse(e164, None), phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
