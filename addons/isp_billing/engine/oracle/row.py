"""Reads one row of a file of billing cases into plain values.

What cannot be read with certainty raises :class:`NotUnderstood`: the row is skipped and named, never
guessed. ``docs/billing-engine.md`` describes the format.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from ..periods import Cycle
from ..problems import Problem
from ..zone import local_day

PERIODS = {
    "daily": ("day", 1),
    "weekly": ("week", 1),
    "biweekly": ("week", 2),
    "thirty_days": ("day", 30),
    "thirty_one_days": ("day", 31),
    "sixty_days": ("day", 60),
    "ninety_days": ("day", 90),
    "monthly": ("month", 1),
    "monthlylastday": ("month", 1),
    "bimestrial": ("month", 2),
    "quarterly": ("quarter", 1),
    "triannual": ("month", 4),
    "biannual": ("half_year", 1),
    "semiannual": ("half_year", 1),
    "semesterly": ("half_year", 1),
    "half_yearly": ("half_year", 1),
    "annual": ("year", 1),
    "yearly": ("year", 1),
    "biennial": ("year", 2),
}
UNITS = {"day": "daily", "week": "weekly", "month": "monthly", "quarter": "quarterly"}
UNITS |= {"year": "yearly"}
MODES = {
    "advance": ("advance",),
    "arrears": ("arrears",),
    "prepaid": ("prepaid",),
    "any": ("advance", "arrears"),
    "advance+arrears": ("advance", "arrears"),
}
INPUTS = {
    "new_price",
    "price_changes",
    "new_bcd",
    "trial_days",
    "fixed_proration_days",
    "billed_through",
    "recurring_next_date",
    "max_end_inclusive",
    "removed_addon",
    "rewritten_base_price",
    "setup_fee",
    "credit",
    "check",
    "note",
}
NUMBER = r"(\d+(?:\.\d+)?)"


class NotUnderstood(Exception):
    """The row says something that this reader does not know; the text says what."""


@dataclass(frozen=True)
class Anchor:
    """When periods begin: a billing day, the start's own day (``None``) or the calendar."""

    day: int | None = None
    is_calendar: bool = False
    run_on: date | None = None
    is_change: bool = False


@dataclass
class Row:
    """The values of one row; texts that are empty are ``None``."""

    cells: dict
    inputs: dict = field(default_factory=dict)
    lines: list | None = None
    expected: dict = field(default_factory=dict)

    def __post_init__(self):
        self.inputs = self._json("inputs_json", dict) or {}
        self.lines = self._json("expected_lines_json", list)
        self.expected = self._json("expected_json", dict) or {}

    def __getattr__(self, name):
        value = (self.cells.get(name) or "").strip()
        return value or None

    def _json(self, name, kind):
        text = (self.cells.get(name) or "").strip()
        if not text:
            return None
        try:
            value = json.loads(text, parse_float=Decimal)
        except ValueError:
            raise NotUnderstood(f"{name} is not JSON") from None
        if not isinstance(value, kind):
            raise NotUnderstood(f"{name} is not a {kind.__name__}")
        return value

    @property
    def is_scenario(self) -> bool:
        """Whether the inputs are several subscriptions."""
        members = {name: value for name, value in self.inputs.items() if name not in INPUTS}
        return bool(members) and all(isinstance(value, dict) for value in members.values())

    def check_inputs(self):
        """Refuse inputs that nobody here reads."""
        if unknown := sorted(set(self.inputs) - INPUTS):
            raise NotUnderstood(f"unknown input {', '.join(unknown)}")

    def day(self, text):
        """The operator's date of a date or a moment."""
        return self.when(text)[1]

    def when(self, text):
        """``(moment or date, the operator's date)`` of a text."""
        text = str(text).strip()
        try:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                return date.fromisoformat(text), date.fromisoformat(text)
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
            return moment, local_day(moment, self.tz or "UTC")
        except Problem as problem:
            raise NotUnderstood(str(problem)) from None
        except ValueError:
            raise NotUnderstood(f"{text!r} is no date") from None

    def optional_day(self, text):
        """The date of a text, ``None`` for none."""
        return self.day(text) if text else None

    @property
    def runs(self):
        """``[(text, moment or date, day)]`` of the billing runs."""
        texts = [text.strip() for text in (self.run_dates or "").split("|") if text.strip()]
        return [(text, *self.when(text)) for text in texts]

    @property
    def modes(self):
        """The engine's modes that the row asks for."""
        if (self.mode or "").lower() not in MODES:
            raise NotUnderstood(f"unknown mode {self.mode!r}")
        return MODES[self.mode.lower()]

    @property
    def is_last_day(self):
        """OCA's "monthly, last day"."""
        return "monthlylastday" in (self.period or "").lower()

    def read_cycle(self, **values) -> Cycle:
        """The cycle of the period, with the given billing day and alignment."""
        return read_period(self.period, **values)

    def read_anchor(self) -> Anchor:
        """When periods begin."""
        text = (self.anchor or "").strip().lower()
        if match := re.fullmatch(r"bcd (\d+)", text):
            return Anchor(self._billing_day(match[1]))
        if match := re.fullmatch(r"anniversary (\d+)", text):
            return Anchor(self._billing_day(match[1]))
        if match := re.fullmatch(r"run on (\S+)", text):
            return Anchor(run_on=self.day(match[1]))
        if text in ("calendar", "calendar month"):
            return Anchor(is_calendar=True)
        if text == "bcd change":
            return Anchor(is_change=True)
        own_day = ("anniversary", "start date", "bcd = start day", "none", "forced next date", "")
        if text not in own_day:
            raise NotUnderstood(f"unknown anchor {self.anchor!r}")
        if text == "forced next date" and "recurring_next_date" not in self.inputs:
            raise NotUnderstood("no recurring_next_date for a forced next date")
        return Anchor()

    @staticmethod
    def _billing_day(text):
        if not 1 <= int(text) <= 31:
            raise NotUnderstood(f"billing day {text} is not in a month")
        return int(text)

    def number(self, value, what):
        """``value`` as a decimal; ``None`` stays."""
        if value in (None, ""):
            return None
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise NotUnderstood(f"{what} {value!r} is no number") from None

    def whole_number(self, name):
        """An input that counts something, 0 without it."""
        value = self.inputs.get(name)
        if value is None:
            return 0
        if not str(value).isdecimal():
            raise NotUnderstood(f"{name} {value!r} is no whole number")
        return int(value)

    # === WHAT ONLY THE NOTE SAYS === #

    def noted(self, pattern):
        """Groups of a pattern that the row's note contains, ``()`` without it."""
        match = re.search(pattern, self.note or "", re.IGNORECASE)
        return match.groups() if match else ()

    @property
    def noted_trial_days(self):
        """``30-day trial`` in the note."""
        return int((self.noted(r"\b(\d+)-day trial") or (0,))[0])

    @property
    def setup_fee(self):
        """A fee on the first bill, from the inputs or ``one-off 10`` in the note."""
        value = self.inputs.get("setup_fee") or (self.noted(rf"one-off {NUMBER}") or (None,))[0]
        return self.number(value, "setup fee")

    @property
    def opening_credit(self):
        """Credit of the account, from the inputs or ``117.71 credit`` in the note."""
        value = self.inputs.get("credit") or (self.noted(rf"{NUMBER} credit\b") or (0,))[0]
        return self.number(value, "credit")

    @property
    def noted_billing_days(self):
        """``billing day 1→15`` in the note as two numbers."""
        return [int(day) for day in self.noted(r"billing day (\d+)\s*(?:→|->|to)\s*(\d+)")]

    @property
    def noted_addons(self):
        """Prices in ``add-ons … (27/30 of 5 and 20)``."""
        found = self.noted(rf"add-ons? .*?\(\d+/\d+ of ({NUMBER}(?:(?:, | and ){NUMBER})*)\)")
        return [Decimal(price) for price in re.findall(NUMBER, found[0])] if found else []


def read_period(text, **values) -> Cycle:
    """The cycle that a period's name means: MONTHLY, THIRTY_DAYS, yearly, 2 monthly, 10 days, …"""
    name = re.sub(r"[\s-]+", "_", (text or "").strip().lower())
    count = 1
    if name not in PERIODS:
        match = re.fullmatch(r"(?:every_)?(\d+)_?[x*]?_?([a-z_]+?)", name)
        if not match:
            match = re.fullmatch(r"([a-z_]+?)_?[x*/_]_?(\d+)", name)
            match = match and (match[0], match[2], match[1])
        if not match:
            raise NotUnderstood(f"unknown period {text!r}")
        count, name = int(match[1]), match[2]
        name = UNITS.get(name.removesuffix("s"), name)
    if name not in PERIODS or count < 1:
        raise NotUnderstood(f"unknown period {text!r}")
    unit, units = PERIODS[name]
    return Cycle(unit, units * count, **values)


def day_before(moment):
    """One tick of the scheduler earlier: an hour, or a day where only dates are known."""
    is_moment = isinstance(moment, datetime)
    return moment - (timedelta(hours=1) if is_moment else timedelta(days=1))
