"""Data caps and speeds by the hour: pure functions, no ORM and no clock.

Volumes are octets, a GB is 10^9 of them. Days are days of the provider's calendar; windows are
half-open like billing periods: ``[date_from, date_to)``.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

GB = 10**9
PERIODS = ("day", "week", "cycle")
ACTIONS = ("throttle", "block", "overage")
NOTICES = (80, 100)
_WEEK = 7
_DAY_MINUTES = 24 * 60


# === WINDOWS === #


def window_on(day: date, period: str, cycle_days: tuple[date, date], first_weekday: int = 0):
    """``(date_from, date_to)`` of the window that ``day`` lies in.

    :param period: a key of :data:`PERIODS`
    :param cycle_days: the billing period that ``day`` lies in
    :param first_weekday: on which a week begins, 0 for Monday
    :raises ValueError: for another period
    """
    if period == "day":
        return day, day + timedelta(days=1)
    if period == "week":
        begin = day - timedelta(days=(day.weekday() - first_weekday) % _WEEK)
        return begin, begin + timedelta(days=_WEEK)
    if period == "cycle":
        return cycle_days
    raise ValueError(f"Unknown period {period!r}")


def cycle_window(day: date, start: date, cycle, first: date):
    """``(date_from, date_to)`` of the billing period that ``day`` lies in.

    The boundaries are those of the bills: each is taken from the stored billing day, so the 31st
    gives 31 January, 28 February, 31 March. The days before ``first`` belong to the period that
    reaches back before the service began.

    :param start: first day of the service
    :param cycle: the :class:`Cycle` of the billing engine
    :param first: its first boundary on or after the start
    """
    if cycle.days:
        step = (day - first).days // cycle.days
    else:
        months = (day.year - first.year) * 12 + day.month - first.month
        step = months // cycle.months
    # In the month of a boundary the day may lie on either side of it.
    while cycle.shift(first, step, start) > day:
        step -= 1
    while cycle.shift(first, step + 1, start) <= day:
        step += 1
    return cycle.shift(first, step, start), cycle.shift(first, step + 1, start)


# === VOLUME === #


@dataclass(frozen=True)
class Rule:
    """What a plan says about volume.

    :param included: octets of one window
    :param carry_limit: the most that is taken over into the next window
    """

    included: int
    action: str = "throttle"
    carry_over: bool = False
    carry_limit: int = 0

    def __post_init__(self):
        if self.action not in ACTIONS:
            raise ValueError(f"Unknown action {self.action!r}")


@dataclass(frozen=True)
class Account:
    """The volume of one window: what there is, and what was used of it."""

    included: int
    carried: int = 0
    topped_up: int = 0
    used: int = 0

    @property
    def allowed(self) -> int:
        """All that may be used."""
        return self.included + self.carried + self.topped_up

    @property
    def left(self) -> int:
        """What may still be used, never below zero."""
        return max(self.allowed - self.used, 0)

    @property
    def over(self) -> int:
        """What was used beyond, never below zero."""
        return max(self.used - self.allowed, 0)

    @property
    def percent(self) -> int:
        """Whole percent that are used, rounded down: 100 means that nothing is left."""
        return self.used * 100 // self.allowed if self.allowed else 100


def reached(rule: Rule, account: Account) -> str:
    """What happens now: a key of :data:`ACTIONS`, or an empty text while volume is left."""
    return rule.action if account.used >= account.allowed else ""


def carried_over(rule: Rule, account: Account) -> int:
    """Volume that the next window begins with."""
    return min(account.left, rule.carry_limit) if rule.carry_over else 0


def due_notices(account: Account, sent=()) -> list[int]:
    """Percents to tell the customer of now, highest first, each of them once a window.

    Whoever jumps over 80 % hears of 100 % only.
    """
    reached_now = [percent for percent in NOTICES if account.percent >= percent]
    return [max(reached_now)] if reached_now and max(reached_now) not in sent else []


def can_undo_top_up(account: Account, volume: int) -> bool:
    """Whether a top-up may be taken back: nothing of it has been used."""
    return volume <= account.topped_up and account.used <= account.allowed - volume


def started_gigabytes(octets: int) -> int:
    """Each gigabyte that was begun, as overage is sold."""
    return -(-octets // GB)


# === HOURS === #


@dataclass(frozen=True)
class Rates:
    """Speeds in kbit/s; 0 for no burst."""

    download: int
    upload: int
    burst_download: int = 0
    burst_upload: int = 0
    threshold_download: int = 0
    threshold_upload: int = 0

    def scaled(self, percent: int) -> "Rates":
        """All of them multiplied; a speed never falls to 0, which would mean unlimited."""
        return Rates(
            *(
                max(value * percent // 100, 1) if value else 0
                for value in (
                    self.download,
                    self.upload,
                    self.burst_download,
                    self.burst_upload,
                    self.threshold_download,
                    self.threshold_upload,
                )
            )
        )


@dataclass(frozen=True)
class Hours:
    """Another speed at some hours.

    :param weekdays: on which it begins, 0 for Monday
    :param begin: minute of the day
    :param end: minute of the day; at or before ``begin`` it lies on the next day
    :param percent: of the plan's speeds, or 0 when ``rates`` says them
    """

    weekdays: frozenset
    begin: int
    end: int
    percent: int = 0
    rates: Rates | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether it holds at ``moment``, in local time."""
        minute = moment.hour * 60 + moment.minute
        today, yesterday = moment.weekday(), (moment.weekday() - 1) % _WEEK
        if self.begin < self.end:
            return today in self.weekdays and self.begin <= minute < self.end
        return (today in self.weekdays and minute >= self.begin) or (
            yesterday in self.weekdays and minute < self.end
        )

    def apply(self, rates: Rates) -> Rates:
        """The speeds that hold instead of ``rates``."""
        return self.rates if self.rates else rates.scaled(self.percent)


def speed_at(moment: datetime, rules: list[Hours], rates: Rates) -> Rates:
    """The speeds at ``moment``: those of the first rule that holds, else the plan's."""
    for rule in rules:
        if rule.covers(moment):
            return rule.apply(rates)
    return rates


def next_change(moment: datetime, rules: list[Hours]) -> datetime | None:
    """When another rule begins to hold after ``moment``; ``None`` for never."""
    now = _index_at(moment, rules)
    minutes = sorted({minute % _DAY_MINUTES for rule in rules for minute in (rule.begin, rule.end)})
    for day in range(_WEEK + 1):
        for minute in [0, *minutes]:
            boundary = datetime.combine(moment.date(), time.min) + timedelta(
                days=day, minutes=minute
            )
            if boundary > moment and _index_at(boundary, rules) != now:
                return boundary
    return None


def _index_at(moment, rules):
    for index, rule in enumerate(rules):
        if rule.covers(moment):
            return index
    return None
