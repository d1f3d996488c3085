"""Billing periods: which days a bill covers and which share of the price they cost.

Pure functions over ``date`` and ``Decimal``: no ORM, no clock, no currency. The rule is the one
Kill Bill's test-suite asserts:

* a month-type cycle has a stored billing day 1-31; each boundary is clamped to the last day of its
  month and always recomputed from the stored day, so the 31st gives 31, 28, 31, 30, 31;
* a part of a period costs its days divided by the days of the whole period it is a part of; for the
  part before the first billing date that is the period back from this date as it is, so a service
  begun on 14 February with billing day 31 pays 14/31 until 28 February;
* fractions have nine decimals, rounded half up; amounts are rounded half up to the currency.

Periods are half-open, ``[date_from, date_to)``: the first day is billed, the last is not.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

FRACTION_STEP = Decimal("0.000000001")
MONTHS_PER_UNIT = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
DAYS_PER_UNIT = {"day": 1, "week": 7}
ALIGNMENTS = ("month", "start", "calendar")


@dataclass(frozen=True)
class Cycle:
    """How often a subscription is billed.

    ``unit`` is a key of :data:`MONTHS_PER_UNIT` or :data:`DAYS_PER_UNIT`, ``count`` how many of
    them make one period. ``anchor_day`` (1-31) is the billing day of month-type units and ``None``
    for "the day the service started"; units of days ignore it.

    ``align`` says which billing day is the first of periods longer than a month:

    * ``month``: the first one on or after the start;
    * ``start``: the one of the start's month, or one whole period later when that has passed
      (Kill Bill: a quarter begun on 24 February with billing day 10 is next billed on 10 May);
    * ``calendar``: the beginning of a calendar quarter, half-year or year, the first of a month
      (unless ``anchor_day`` is set), and Monday for weeks (Lago).
    """

    unit: str
    count: int = 1
    anchor_day: int | None = None
    align: str = "month"

    def __post_init__(self):
        if self.unit not in MONTHS_PER_UNIT and self.unit not in DAYS_PER_UNIT:
            raise ValueError(f"Unknown cycle unit {self.unit!r}")
        if self.count < 1:
            raise ValueError(f"A cycle needs a positive count, not {self.count}")
        if self.anchor_day is not None and not 1 <= self.anchor_day <= 31:
            raise ValueError(f"A billing day is between 1 and 31, not {self.anchor_day}")
        if self.align not in ALIGNMENTS:
            raise ValueError(f"Unknown alignment {self.align!r}")

    @property
    def months(self) -> int:
        """Months of one period, 0 for cycles counted in days."""
        return MONTHS_PER_UNIT.get(self.unit, 0) * self.count

    @property
    def days(self) -> int:
        """Days of one period, 0 for cycles counted in months."""
        return DAYS_PER_UNIT.get(self.unit, 0) * self.count

    def shift(self, boundary: date, steps: int, start: date) -> date:
        """The boundary ``steps`` periods away from ``boundary`` for a service begun on ``start``."""
        if self.days:
            return boundary + timedelta(days=self.days * steps)
        return month_day(boundary, self.months * steps, self.billing_day(start))

    def billing_day(self, start: date) -> int:
        """Day of the month on which periods of months begin, 1-31, not yet clamped."""
        return self.anchor_day or (1 if self.align == "calendar" else start.day)


@dataclass(frozen=True)
class Period:
    """One billed stretch ``[date_from, date_to)`` and its share of the full price.

    ``rule`` says why the share is what it is: ``full``, ``leading_stub``, ``trailing_stub``,
    ``whole_stub`` (a stub charged in full) or ``free_stub``.
    """

    date_from: date
    date_to: date
    fraction: Decimal
    rule: str


def month_day(day: date, months: int, anchor_day: int) -> date:
    """``anchor_day`` of the month ``months`` after the month of ``day``, clamped to its last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(anchor_day, calendar.monthrange(year, month + 1)[1]))


def first_boundary(start: date, cycle: Cycle) -> date:
    """First billing date: the first aligned date on or after ``start``."""
    if cycle.days:
        if cycle.align == "calendar" and cycle.unit == "week":
            return start + timedelta(days=-start.weekday() % 7)
        return start
    day = cycle.billing_day(start)
    if cycle.align == "calendar":
        into_period = (start.month - 1) % min(cycle.months, 12)
        boundary, step = month_day(start, -into_period, day), cycle.months
    else:
        boundary = month_day(start, 0, day)
        step = cycle.months if cycle.align == "start" else 1
    return boundary if boundary >= start else month_day(boundary, step, day)


def back_from(boundary: date, cycle: Cycle) -> date:
    """One period before ``boundary``, counted from this date and not from the stored billing day."""
    if cycle.days:
        return boundary - timedelta(days=cycle.days)
    return month_day(boundary, -cycle.months, boundary.day)


def whole_periods(start: date, cycle: Cycle) -> Iterator[tuple[date, date]]:
    """Endless sequence of the whole periods ``(date_from, date_to)`` a service lives in.

    The first one contains ``start``: for a service begun between two billing dates it reaches back
    to the billing date before.
    """
    first = first_boundary(start, cycle)
    step = 0 if first == start else -1
    while True:
        yield cycle.shift(first, step, start), cycle.shift(first, step + 1, start)
        step += 1


def fraction_of(days: int, whole: int) -> Decimal:
    """``days / whole`` with nine decimals, rounded half up."""
    return (Decimal(days) / Decimal(whole)).quantize(FRACTION_STEP, rounding=ROUND_HALF_UP)


def due_periods(
    start: date,
    cycle: Cycle,
    target: date,
    *,
    end: date | None = None,
    billed_through: date | None = None,
    arrears: bool = False,
    proration: str = "exact",
) -> list[Period]:
    """Periods that are due on ``target`` and not billed yet, oldest first.

    :param start: first day of the service
    :param end: first day without service, ``None`` while it runs
    :param billed_through: first day that no earlier bill covers, ``None`` when nothing is billed
    :param arrears: bill a period once it has ended instead of once it has begun
    :param proration: ``exact`` (by days), ``none`` (a part costs the whole price) or
        ``free_first_stub`` (the part before the first billing date costs nothing)
    :raises ValueError: when ``end`` lies before ``start`` or the proration is unknown
    """
    if end is not None and end < start:
        raise ValueError(f"The service ends on {end}, before it starts on {start}")
    begin = max(start, billed_through or start)
    due = []
    for whole_from, whole_to in whole_periods(start, cycle):
        date_from = max(whole_from, begin)
        date_to = whole_to if end is None else min(whole_to, end)
        if (end is not None and whole_from >= end) or (
            date_to > target if arrears else whole_from > target or date_from > target
        ):
            return due
        if date_from < date_to:
            due.append(
                _period(date_from, date_to, whole_from, whole_to, start, end, cycle, proration)
            )
    return due


def _period(date_from, date_to, whole_from, whole_to, start, end, cycle, proration) -> Period:
    """The period with the share that ``proration`` gives it."""
    if (date_from, date_to) == (whole_from, whole_to):
        return Period(date_from, date_to, Decimal(1), "full")
    leading = date_from > whole_from
    if proration == "none":
        return Period(date_from, date_to, Decimal(1), "whole_stub")
    if proration == "free_first_stub" and whole_from < start:
        return Period(date_from, date_to, Decimal(0), "free_stub")
    if proration not in ("exact", "free_first_stub"):
        raise ValueError(f"Unknown proration {proration!r}")
    if whole_from < start and end is not None and end < whole_to:
        # Begun and ended between two billing dates: measured against one period back from the end.
        whole_from, whole_to = back_from(end, cycle), end
    elif whole_from < start:
        whole_from = back_from(whole_to, cycle)
    fraction = fraction_of((date_to - date_from).days, (whole_to - whole_from).days)
    return Period(date_from, date_to, fraction, "leading_stub" if leading else "trailing_stub")


def amount(price: Decimal, quantity: Decimal, fraction: Decimal, decimals: int) -> Decimal:
    """Price of ``fraction`` of one period, rounded half up to ``decimals`` places."""
    return (price * quantity * fraction).quantize(
        Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP
    )
