"""Phone numbers: read once, at input, and from then on E.164."""

import unicodedata

import phonenumbers


def to_e164(text, country_code=None):
    """Return a number such as ``+8801711000000``, None of what is no valid one.

    :param country_code: two letters; the country of numbers that are written without one
    """
    digits = "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text or ""
    )
    bare = "+" + "".join(char for char in digits if char.isdigit()).lstrip("0")
    # The second reading: the country's code without its sign, as spreadsheets leave it behind.
    for candidate, country in ((digits, country_code), (bare, None)):
        try:
            number = phonenumbers.parse(candidate, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def country_of(e164):
    """Return the two letters of a number's country, None when it has none."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164 or "", None))
    except phonenumbers.NumberParseException:
        return None
