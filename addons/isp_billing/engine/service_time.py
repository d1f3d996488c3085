"""Service time: the calendar without the days of pauses that extend the running period.

Billing periods are laid out in service time and shown in calendar time, so a pause of ten days moves
the end of the running period, and every billing date after it, by ten days.
"""

from datetime import date, timedelta


class ServiceTime:
    """Converts between the two.

    :param pauses: pauses of a subscription; only those that extend count
    :param today: until when a pause without end has lasted so far
    """

    def __init__(self, pauses, today: date | None):
        self._pauses = []
        for pause in sorted(pauses, key=lambda pause: pause.date_from):
            if pause.policy == "extend":
                end = pause.date_to or max(pause.date_from, today or pause.date_from)
                self._pauses.append((pause.date_from, end))

    def to_service(self, day: date) -> date:
        """Service time of a calendar day; the days of a pause all have the time of its first day."""
        paused = sum((min(end, day) - start).days for start, end in self._pauses if start < day)
        return day - timedelta(days=paused)

    def to_calendar(self, day: date) -> date:
        """First calendar day with service that has this service time."""
        for start, end in self._pauses:
            if start <= day:
                day += end - start
        return day
