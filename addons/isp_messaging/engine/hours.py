"""At what hours advertising may be sent; the moment is always given, never asked of a clock."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

_DAYS = 15  # in so many days there is an hour that is open, or there is none at all


@dataclass(frozen=True)
class Break:
    """Closed on one day of the week, Monday being 0; hours such as 12.5 for half past twelve."""

    weekday: int
    start: float
    end: float


@dataclass(frozen=True)
class Window:
    """Open from ``start`` until just before ``end``, in the local time of ``zone``."""

    zone: str
    start: float
    end: float
    breaks: tuple = ()


def next_open(moment, window):
    """Return the first moment from ``moment`` on at which the window is open, None without one.

    :param moment: aware, or naive and then UTC
    :return: of the same kind
    """
    is_naive = moment.tzinfo is None
    aware = moment.replace(tzinfo=timezone.utc) if is_naive else moment
    found = _next_open(aware.astimezone(ZoneInfo(window.zone)), window)
    if found is None:
        return None
    found = found.astimezone(timezone.utc)
    return found.replace(tzinfo=None) if is_naive else found


def _next_open(local, window):
    for offset in range(_DAYS):
        day = local.date() + timedelta(days=offset)
        for start, end in _open_spans(day, window):
            if local < end and start < end:
                return max(local, start)
    return None


def _open_spans(day, window):
    """Return the spans of one day in which the window is open, in their order."""
    spans = [(window.start, window.end)]
    for closed in window.breaks:
        if closed.weekday == day.weekday():
            spans = [part for span in spans for part in _cut(span, closed)]
    return [(_at(day, start, window), _at(day, end, window)) for start, end in sorted(spans)]


def _cut(span, closed):
    start, end = span
    parts = ((start, min(end, closed.start)), (max(start, closed.end), end))
    return [part for part in parts if part[0] < part[1]]


def _at(day, hours, window):
    """Return an hour of a day; 24 is the midnight that ends it."""
    local = datetime.combine(day, time(), ZoneInfo(window.zone))
    return local + timedelta(minutes=round(hours * 60))
