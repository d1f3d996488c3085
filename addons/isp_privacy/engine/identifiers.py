"""What a person is recognised by, and how it is found in whatever was written down.

An identifier is a kind and a value, such as a phone number. It is searched in the forms in which
programs and people write it: with blanks and dashes, with Bengali digits, escaped for HTML, JSON or
an address of the web. Words that many people share are not searched: a short first name alone, a
street without a number.

This file knows no database.
"""

import html
import json
import re
from typing import NamedTuple
from urllib.parse import quote

import phonenumbers

MIN_NUMBER = 6
MIN_PHONE = 7
MIN_NAME = 8
MIN_LOGIN = 5
MIN_ADDRESS = 10
# Letters by which a long text is sorted out, and from how many characters it is one.
MIN_MARK = 3
LONG_TEXT = 1000

_DIGITS, _HEX = b"0123456789", b"0123456789abcdef"
_BENGALI_DIGITS = "০১২৩৪৫৬৭৮৯"
_TO_LATIN = str.maketrans(_BENGALI_DIGITS, "0123456789")
_FIRST_OF_BENGALI = _BENGALI_DIGITS.encode()[:2]
# A regular expression without regard to case takes them for the plain letter.
_TAKEN_FOR = {"\N{KELVIN SIGN}".encode(): b"k", "\N{LATIN SMALL LETTER LONG S}".encode(): b"s"}
_BLANK = r"(?:\s|%20|\+|&nbsp;|\\u00a0)+"
_SEPARATOR = r"(?:[\s.()/:-]|%20|&nbsp;)*"
_MAC = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}(?![0-9a-f])", re.I)

# Behind an escape, such as that of the end of a line in JSON, a word begins as well.
_ESCAPED = r"|(?<=\\[nrtb])|(?<=\\u[0-9a-f]{4})|(?<=%[0-9a-f]{2})"
_BORDERS = {
    "name": (r"(?:(?<!\w)" + _ESCAPED + ")", r"(?!\w)"),
    "address": (r"(?:(?<!\w)" + _ESCAPED + ")", r"(?!\w)"),
    "email": (r"(?:(?<![\w.+-])" + _ESCAPED + ")", r"(?![\w-]|\.\w)"),
    "login": (r"(?:(?<![\w.-])" + _ESCAPED + ")", r"(?![\w-])"),
    "phone": (r"(?<!\d)(?:(?:\+|00|%2B)?\d{1,3}" + _SEPARATOR + ")?0?", r"(?!\d)"),
    "number": (r"(?:(?<!\w)" + _ESCAPED + ")", r"(?!\w)"),
    "mac": (r"(?<![0-9a-f])", r"(?![0-9a-f])"),
}


class Identifier(NamedTuple):
    """Something by which a person is recognised."""

    kind: str
    value: str


# === FROM VALUES TO IDENTIFIERS === #


def read(kind, value, region=None):
    """Return the identifiers in a value, none if it says too little to be searched.

    :param kind: ``name``, ``contact``, ``address``, ``number``, ``login`` or ``mac``
    :param region: country code, in which phone numbers without one are read
    """
    text = " ".join(str(value or "").split())
    if not text:
        return []
    return _READERS[kind](text, region)


def _read_name(text, _region):
    words = text.split()
    if len(text) < MIN_NAME and len(words) < 2:
        return []
    return [Identifier("name", text.casefold())]


def _read_contact(text, region):
    if "@" in text:
        found = re.findall(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+", text)
        return [Identifier("email", address.lower()) for address in found]
    digits = re.sub(r"\D", "", text.translate(_TO_LATIN))
    if len(digits) < MIN_PHONE or re.search(r"[^\d\s()+./,;-]", text.translate(_TO_LATIN)):
        return []
    return [Identifier("phone", national_digits(text, region))]


def _read_address(text, _region):
    if len(text) < MIN_ADDRESS or not re.search(r"\d", text):
        return []
    return [Identifier("address", text.casefold())]


def _read_number(text, _region):
    kept = "".join(char for char in text.translate(_TO_LATIN) if char.isalnum()).upper()
    if len(kept) < MIN_NUMBER or sum(char.isdigit() for char in kept) < MIN_NUMBER - 2:
        return []
    return [Identifier("number", kept)]


def _read_login(text, region):
    if "@" in text:
        return _read_contact(text, region)
    if len(text) < MIN_LOGIN or (text.isalpha() and len(text) < MIN_NAME):
        return []
    return [Identifier("login", text.lower())]


def _read_macs(text, _region):
    return [
        Identifier("mac", re.sub("[^0-9a-f]", "", found.lower())) for found in _MAC.findall(text)
    ]


_READERS = {
    "name": _read_name,
    "contact": _read_contact,
    "address": _read_address,
    "number": _read_number,
    "login": _read_login,
    "mac": _read_macs,
}


def national_digits(text, region=None):
    """Return a phone number as it is dialled inside its country, without the leading 0."""
    text = text.translate(_TO_LATIN)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", text).lstrip("0")
    return str(number.national_number)


# === FROM IDENTIFIERS TO PATTERNS === #


class Patterns:
    """Regular expressions that find a set of identifiers.

    ``loose`` goes to PostgreSQL, which sorts out nearly all rows; ``strict`` has the last word: it
    knows where a word or a number ends, so that ``karim@x.example`` is not found in
    ``abdul.karim@x.example``.
    """

    def __init__(self, identifiers):
        loose = {_loose(identifier) for identifier in identifiers}
        strict = {
            _BORDERS[identifier.kind][0] + _loose(identifier) + _BORDERS[identifier.kind][1]
            for identifier in identifiers
        }
        # Longest first, so that a whole address goes, not the part of it that another one is.
        self.loose = "|".join(sorted(loose, key=len, reverse=True))
        self.strict = (
            re.compile("|".join(sorted(strict, key=len, reverse=True)), re.I) if strict else None
        )
        self._marks = [_marks(identifier) for identifier in identifiers]

    def __bool__(self):
        return self.strict is not None

    def found_in(self, text):
        """Tell if one of the identifiers stands in a text."""
        if len(text) > LONG_TEXT and not self._may_be_in(text):
            return False
        return bool(self.strict and self.strict.search(text))

    def _may_be_in(self, text):
        """Sort out quickly most of the long texts, such as files, in which none stands."""
        content = text.encode("utf-8", "ignore").lower()
        for letter, plain in _TAKEN_FOR.items():
            content = content.replace(letter, plain)
        reduced = {None: content}
        for alphabet, marks in self._marks:
            if alphabet not in reduced:
                reduced[alphabet] = _only(alphabet, content)
            if any(mark in reduced[alphabet] for mark in marks):
                return True
        return False

    def redact(self, text, replacement):
        """Return the text with ``replacement`` in place of each identifier."""
        return self.strict.sub(lambda _match: replacement, text) if self.strict else text


def _marks(identifier):
    """Return ``(alphabet, marks)``: one of the marks is in each text in which the identifier stands.

    The marks are in what is left of the text once all characters are dropped that are not of the
    alphabet; without one, nothing is dropped.
    """
    kind, value = identifier
    if kind == "mac":
        return _HEX, [value.encode()]
    if kind in ("phone", "number"):
        return _DIGITS, [max(re.findall(r"\d+", value), key=len, default="").encode()]
    plain = max(re.findall(r"[a-z0-9]+", value.lower()), key=len, default="")
    if len(plain) >= MIN_MARK:
        return None, [plain.encode()]
    letters = {value[0].lower(), value[0].upper()}
    return None, [form.encode().lower() for letter in letters for form in _forms(letter)]


def _only(alphabet, content):
    """Return the characters of an alphabet in a text, Bengali digits as those of the alphabet."""
    if _FIRST_OF_BENGALI in content:
        for number, digit in enumerate(_BENGALI_DIGITS):
            content = content.replace(digit.encode(), b"%d" % number)
    # "%20" is a blank, and not a digit.
    return content.replace(b"%20", b"").translate(None, bytes(set(range(256)) - set(alphabet)))


def _loose(identifier):
    kind, value = identifier
    if kind in ("phone", "number", "mac"):
        return _digits(value)
    return _BLANK.join("".join(map(_char, word)) for word in value.split())


def _digits(value):
    """A number, whatever stands between its digits, and whichever digits they are."""
    return _SEPARATOR.join(
        f"[{char}{_BENGALI_DIGITS[int(char)]}]" if char.isdecimal() else re.escape(char)
        for char in value
    )


def _char(char):
    """A pattern of a character in each form in which it may have been escaped."""
    forms = _forms(char)
    if len(forms) == 1:
        return re.escape(char)
    return f"(?:{'|'.join(map(re.escape, forms))})"


def _forms(char):
    forms = [char, html.escape(char), quote(char, safe=""), json.dumps(char)[1:-1]]
    if not char.isascii():
        forms += [f"&#{ord(char)};", f"&#x{ord(char):x};"]
    return list(dict.fromkeys(forms))
