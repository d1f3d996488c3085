"""From a row of a provider's file to checked values, by a mapping of its columns."""

import re
from dataclasses import dataclass, field

from . import values as read
from .phone import parse_phone
from .problems import FileProblem, Problem

MAX_LENGTH = 255
MAX_NOTE_LENGTH = 10_000
MAX_PASSWORD_LENGTH = 128
EVERYTHING_ELSE = "*"

STATE_WORDS = {
    "draft": ("draft", "new", "pending", "prospect", "lead", "খসড়া", "নতুন"),
    "active": (
        "active", "running", "enabled", "enable", "on", "online", "live", "connected", "open",
        "yes", "true", "1", "সক্রিয়", "চালু", "একটিভ",
    ),
    "suspended": (
        "suspended", "suspend", "paused", "disabled", "disable", "blocked", "hold", "on hold",
        "inactive", "expired", "স্থগিত", "নিষ্ক্রিয়",
    ),
    "terminated": (
        "terminated", "closed", "left", "cancelled", "canceled", "churned", "disconnected",
        "deleted", "বন্ধ", "বাতিল", "বিচ্ছিন্ন",
    ),
}  # fmt: skip
_STATES = {word: state for state, words in STATE_WORDS.items() for word in words}
_LANGUAGES = {
    "en": ("en", "eng", "english", "ইংরেজি"),
    "bn": ("bn", "ben", "bangla", "bengali", "বাংলা"),
    "hi": ("hi", "hin", "hindi", "हिन्दी", "हिंदी"),
}
_LANGUAGE_WORDS = {word: code for code, words in _LANGUAGES.items() for word in words}


@dataclass(frozen=True)
class Rule:
    """How one value of a subscriber is found: in a column, or fixed, then through a value map."""

    target: str
    source: str = ""
    fixed: str = ""
    value_map: dict = field(default_factory=dict)


@dataclass
class ParsedRow:
    """The checked values of one row.

    ``values`` holds what the row says; an empty cell says nothing. Without ``has_service`` the row
    is a contact without subscription. ``is_customer_repeated`` is set by ``identity``.
    """

    number: int
    cells: list
    values: dict
    problems: list
    has_service: bool = False
    is_customer_repeated: bool = False


def parse_value_map(text):
    """``{"yes": "terminated"}`` of the lines ``Yes=terminated``.

    A line ``=x`` is for empty cells, ``*=x`` for every value without a line of its own, and
    ``x=`` makes a value empty.

    :raises Problem: for a line without an equals sign
    """
    result = {}
    for line in (text or "").splitlines():
        if not line.strip():
            continue
        old, sign, new = line.partition("=")
        if not sign:
            raise Problem("value_map", value=line.strip())
        result[old.strip().casefold()] = new.strip()
    return result


class RowParser:
    """Reads the rows of one file.

    :param columns: headings of the file
    :param rules: :class:`Rule` of each value
    :param country_code: country of phone numbers without country code
    :param username_pattern: what a username may look like
    :param has_default_plan: whether a row that names no plan has a service all the same
    :raises FileProblem: when a rule names a column that the file does not have
    """

    def __init__(self, columns, rules, country_code, username_pattern, has_default_plan=False):
        positions = {name.casefold(): position for position, name in enumerate(columns)}
        self._width = len(columns)
        self._has_default_plan = has_default_plan
        self._rules = []
        self._readers = dict(
            _READERS,
            phone=lambda text: parse_phone(text, country_code),
            username=lambda text: _username(text, username_pattern),
        )
        for rule in rules:
            position = positions.get(rule.source.strip().casefold()) if rule.source else None
            if rule.source and position is None:
                raise FileProblem("column_missing", name=rule.source)
            self._rules.append((rule, position))
        if not any(rule.target == "customer_name" for rule in rules):
            raise FileProblem("name_not_mapped")

    def parse(self, row):
        """The :class:`ParsedRow` of a :class:`subscriber_file.Row`; it never raises."""
        parsed = ParsedRow(row.number, row.values, {}, [], has_service=self._has_default_plan)
        if len(row.values) > self._width:
            parsed.problems.append(Problem("too_many_cells", count=len(row.values)))
        for rule, position in self._rules:
            self._read(rule, row.values[position] if position is not None else rule.fixed, parsed)
        if not parsed.values.get("customer_name"):
            parsed.problems.append(Problem("name_missing"))
        _check_together(parsed)
        return parsed

    def _read(self, rule, cell, parsed):
        text = cell
        if rule.value_map:
            text = rule.value_map.get(
                cell.casefold(), rule.value_map.get(EVERYTHING_ELSE, cell) if cell else ""
            )
        if text:
            try:
                parsed.values[rule.target] = self._readers[rule.target](text)
            except Problem as problem:
                parsed.problems.append(problem)
        if rule.target == "plan" and cell:
            # A value map that makes nothing of the plan wins over the default plan.
            parsed.has_service = bool(text)


def _check_together(parsed):
    start, end = parsed.values.get("date_start"), parsed.values.get("date_end")
    if start and end and end < start:
        parsed.problems.append(Problem("end_before_start", start=start, end=end))


def _short(text):
    if len(text) > MAX_LENGTH:
        raise Problem("too_long", value=text[:30], limit=MAX_LENGTH)
    return re.sub(r"\s+", " ", text)


def _note(text):
    if len(text) > MAX_NOTE_LENGTH:
        raise Problem("too_long", value=text[:30], limit=MAX_NOTE_LENGTH)
    return text


def _username(text, pattern):
    username = text.lower()
    if not re.fullmatch(pattern, username):
        raise Problem("username", value=text[:70])
    return username


def _password(text):
    # Never named in the problem: reasons are shown and stored.
    if len(text) > MAX_PASSWORD_LENGTH or "•" in text:
        raise Problem("password", limit=MAX_PASSWORD_LENGTH)
    return text


def _state(text):
    state = _STATES.get(text.casefold())
    if not state:
        raise Problem("state", value=text[:70])
    return state


def _language(text):
    word = text.casefold()
    code = _LANGUAGE_WORDS.get(word) or _LANGUAGE_WORDS.get(re.split(r"[_-]", word)[0])
    if not code:
        raise Problem("language", value=text[:70])
    return code


_READERS = {
    "customer_name": _short,
    "customer_ref": _short,
    "external_ref": _short,
    "email": read.parse_email,
    "street": _short,
    "street2": _short,
    "city": _short,
    "zip": lambda text: _short(read.ascii_digits(text)),
    "lang": _language,
    "plan": _short,
    "price": read.parse_price,
    "state": _state,
    "date_start": read.parse_date,
    "date_end": read.parse_date,
    "opening_billed_through": read.parse_date,
    "anchor_day": read.parse_billing_day,
    "password": _password,
    "ipv4_address": read.parse_ipv4,
    "mac_addresses": read.parse_macs,
    "note": _note,
}
