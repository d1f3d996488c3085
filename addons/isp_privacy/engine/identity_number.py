"""Numbers of identity documents: how they are written, and how long they may be.

National identity numbers of Bangladesh have 10 digits on a smart card, 13 or 17 on a laminated one;
the 17 are the year of birth and the 13. Aadhaar numbers of India have 12.
"""

import re
import unicodedata

NID_LENGTHS = {"BD": (10, 13, 17), "IN": (12,)}
_LONG, _YEAR_DIGITS = 17, 4
# What could be the number of a document in a sentence: no date, no house.
_LIKE_A_NUMBER = re.compile(r"\d(?:[ .-]?\d){6,}")
_DATE = re.compile(r"\d{4}[.-]\d\d?[.-]\d\d?|\d\d?[.-]\d\d?[.-]\d{4}")
_HIDDEN = "•" * 8
# Elsewhere, and where a passport or a registration is made of letters too.
OTHER_LENGTHS = {"nid": range(6, 25), "passport": range(6, 16), "business": range(4, 41)}


def clean(kind, text):
    """Return a number as it is stored: Latin digits and capitals; a registration keeps its marks."""
    text = "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char
        for char in unicodedata.normalize("NFKC", text or "")
    ).upper()
    return " ".join(text.split()) if kind == "business" else re.sub(r"[\s\-_./]", "", text)


def problem(kind, number, country_code=None):
    """Return what is wrong with a number that :func:`clean` returned, None when nothing is.

    :return: ``("digits", None)`` where a letter is, or ``("length", lengths)``
    """
    bare = re.sub(r"\W", "", number)
    lengths = NID_LENGTHS.get(country_code) if kind == "nid" else None
    if kind == "nid" and not (number.isascii() and number.isdigit()):
        return "digits", None
    if kind == "passport" and not (number.isascii() and number.isalnum()):
        return "letters", None
    if len(bare) not in (lengths or OTHER_LENGTHS[kind]):
        return "length", lengths or OTHER_LENGTHS[kind]
    return None


def same_number(number):
    """Return what is equal for two ways to write one number: without the year of birth."""
    digits = clean("nid", number)
    if len(digits) == _LONG and digits.isdigit():
        return digits[_YEAR_DIGITS:]
    return digits


def hide(text, number=None):
    """Return a sentence without the numbers of documents that somebody wrote into it.

    :param number: the number that must not be there, however short it is
    """
    if number:
        # As it is stored, and as people write it, with blanks and dashes between.
        spread = r"[\s\-_./]*".join(map(re.escape, re.sub(r"[\s\-_./]", "", number)))
        text = re.sub(spread, _HIDDEN, text, flags=re.IGNORECASE)
    return _LIKE_A_NUMBER.sub(
        lambda found: found[0] if _DATE.fullmatch(found[0]) else _HIDDEN, text
    )
