"""The statutory clock of a rights request: when it is due, and how much of the time is gone.

Days are days of the company's calendar. The day of receipt does not count, a month ends where the
calendar ends it (31 January and one month is 28 or 29 February), and the earliest of the promises
binds.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

WARN_PERCENTS = (50, 80, 100)


@dataclass(frozen=True)
class Terms:
    """What the policy promises; all of it comes from the policy profile."""

    answer_days: int
    answer_months: int
    extension_months: int


def local_day(moment: datetime, zone: str) -> date:
    """Return the day that the company's calendar shows at ``moment``.

    :param moment: aware, or naive and then UTC, as Odoo stores it
    :param zone: IANA name such as ``Asia/Dhaka``
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(ZoneInfo(zone)).date()


def add_months(day: date, months: int) -> date:
    """Return the same day ``months`` later, or the last day of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def paused_days(pauses, today: date) -> int:
    """Count the days of ``pauses``, each day once.

    :param pauses: pairs of the day on which proof was asked for and the day on which it came,
        ``None`` while it has not
    :param today: end of a pause that is still open
    """
    days = 0
    counted_until = date.min
    for start, end in sorted((start, end or today) for start, end in pauses):
        days += max((end - max(start, counted_until)).days, 0)
        counted_until = max(counted_until, end)
    return days


def due_date(received: date, terms: Terms, paused: int = 0, extended: bool = False) -> date:
    """Return the last day on which an answer keeps every promise.

    :param paused: days for which the clock stood still
    :param extended: the answer was put off, once, by the months that the law allows
    """
    if extended:
        due = add_months(received, terms.answer_months + terms.extension_months)
    else:
        by_days = received + timedelta(days=terms.answer_days)
        due = min(by_days, add_months(received, terms.answer_months))
    return due + timedelta(days=paused)


def may_extend(received: date, terms: Terms, today: date, paused: int = 0) -> bool:
    """Tell if there is still time to say that the answer takes longer: before the due date."""
    return today < due_date(received, terms, paused)


def percent_used(
    received: date, terms: Terms, today: date, paused: int = 0, extended: bool = False
) -> int:
    """Return how much of the time is gone: 100 on the due date, more when it is overdue.

    Days for which the clock stood still are neither time given nor time gone.
    """
    given = (due_date(received, terms, extended=extended) - received).days
    gone = (today - received).days - paused
    return max(gone, 0) * 100 // given


def warning_level(percent: int) -> int:
    """Return the highest warning that ``percent`` has reached, 0 for none."""
    return max((level for level in WARN_PERCENTS if level <= percent), default=0)


def is_overdue(due: date, today: date) -> bool:
    """Tell if the due date has passed; on the day itself an answer is in time."""
    return today > due


def is_unanswered(asked: date, timeout_days: int, today: date) -> bool:
    """Tell if the days in which proof of identity was awaited are over."""
    return today > asked + timedelta(days=timeout_days)


def alarm_moment(start: date, days: int, grace_hours: int, zone: str) -> datetime:
    """Return the moment (naive UTC) from which a deadline of so many days has been missed.

    :param start: the day from which is counted; it does not count itself, the last day does, to its
        end on the calendar of ``zone``
    :param grace_hours: so much later it is called missed
    """
    midnight = datetime.combine(start + timedelta(days=days + 1), time.min, ZoneInfo(zone))
    return midnight.astimezone(timezone.utc).replace(tzinfo=None) + timedelta(hours=grace_hours)
