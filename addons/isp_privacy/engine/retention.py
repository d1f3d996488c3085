"""How long a record is kept: never shorter than the law asks, never longer than was promised.

Days are days of the company's calendar. Of a number of days and a number of months the one counts
that binds more: the later end for what the law asks, the earlier one for what was promised. Both
ends are days on which the record is still there; it goes on the day after.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from .clock import add_months

# Further back no record lies. Every length of a year and a month occurs within four years.
_SPAN_DAYS = 100 * 366
_CYCLE = [date(2023, 1, 1) + timedelta(days=number) for number in range(4 * 365 + 1)]


@dataclass(frozen=True)
class Limits:
    """What a policy profile says about one kind of data; zero where it says nothing."""

    min_days: int = 0
    min_months: int = 0
    max_days: int = 0
    max_months: int = 0
    # Last month of the fiscal year, where time is counted from its end; then months after it.
    fiscal_month: int = 0
    shift_months: int = 0


def anchor_of(day: date, limits: Limits) -> date:
    """Return the day from which the time of a record of ``day`` is counted."""
    if not limits.fiscal_month:
        return day
    year = day.year + (day.month > limits.fiscal_month)
    end = add_months(date(year, 1, 31), limits.fiscal_month - 1)
    return add_months(end, limits.shift_months)


def kept_until(day: date, limits: Limits) -> date:
    """Return the last day on which the law asks for a record of ``day``."""
    anchor = anchor_of(day, limits)
    by_days = anchor + timedelta(days=limits.min_days)
    return max(by_days, add_months(anchor, limits.min_months))


def last_day(day: date, limits: Limits) -> date:
    """Return the last day on which a record of ``day`` may still be there."""
    anchor = anchor_of(day, limits)
    ends = []
    if limits.max_days:
        ends.append(anchor + timedelta(days=limits.max_days))
    if limits.max_months:
        ends.append(add_months(anchor, limits.max_months))
    return min(ends, default=date.max)


def newest_due(today: date, limits: Limits) -> date:
    """Return the newest day whose records must be gone today, with all that are older."""
    return _newest(lambda day: last_day(day, limits), today)


def newest_free(today: date, limits: Limits) -> date:
    """Return the newest day whose records no law asks for today, nor any that are older."""
    return _newest(lambda day: kept_until(day, limits), today)


def _newest(end_of, today):
    """Return the newest day whose end lies before ``today``; later days never end earlier."""
    low, high = today.toordinal() - _SPAN_DAYS, today.toordinal()
    while low + 1 < high:
        middle = (low + high) // 2
        if end_of(date.fromordinal(middle)) < today:
            low = middle
        else:
            high = middle
    return date.fromordinal(low)


def is_contradiction(limits: Limits) -> bool:
    """Tell if there are days on which the law asks for longer than what is promised."""
    return any(kept_until(day, limits) > last_day(day, limits) for day in _CYCLE)


def longest_days(limits: Limits) -> int:
    """Return how many days a record is there at most."""
    return max((last_day(day, limits) - anchor_of(day, limits)).days for day in _CYCLE)
