"""The router's clock: date formats by version, uptime, and 1970 after a start without NTP."""

import time
from datetime import datetime, timedelta, timezone

from .values import format_duration

NEW_DATES = (7, 10)


class Clock:
    """Time as the router has it. ``now`` follows the machine unless the clock stands at 1970."""

    def __init__(self, version):
        self.version = version
        self.offset = timedelta(0)
        self.booted = time.monotonic()

    def now(self):
        return datetime.now(timezone.utc).replace(tzinfo=None) + self.offset

    def reboot(self, clock_1970=False):
        """Uptime begins at 0; without a battery and NTP the date begins at 2 January 1970."""
        self.booted = time.monotonic()
        self.offset = timedelta(0)
        if clock_1970:
            self.offset = datetime(1970, 1, 2) - self.now()

    def uptime_text(self):
        return format_duration(time.monotonic() - self.booted)

    def age(self, row):
        """How long a session (a row with the moment of its start) has been up."""
        return format_duration(time.monotonic() - row.since)

    def date_text(self, moment=None):
        moment = moment or self.now()
        if self.version >= NEW_DATES:
            return moment.strftime("%Y-%m-%d")
        return moment.strftime("%b/%d/%Y").lower()

    def time_text(self, moment=None):
        return (moment or self.now()).strftime("%H:%M:%S")

    def text(self, moment=None):
        moment = moment or self.now()
        return f"{self.date_text(moment)} {self.time_text(moment)}"

    def build_time_text(self):
        return self.text(datetime(2024, 9, 20, 13, 0, 27))

    def never_text(self):
        """What is printed for a moment that has not come yet."""
        return self.text(datetime(1970, 1, 1))
