"""The moment a request asks about, as it stands in a letter."""

from datetime import UTC, datetime

import pytz

from .problem import AddressProblem


def parse_moment(text, zone):
    """``2026-11-03 21:14:05`` in time zone ``zone`` as naive UTC; an offset in the text wins.

    :raises AddressProblem: when it is no date and time, or when the clock was set forward or back
        at that moment, so that it did not exist or came twice
    """
    word = text.strip().replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise AddressProblem("moment", text.strip()) from None
    # Without a time of day the answer could be another person.
    if ":" not in word:
        raise AddressProblem("moment", text.strip())
    if moment.tzinfo is None:
        try:
            moment = pytz.timezone(zone).localize(moment, is_dst=None)
        except pytz.UnknownTimeZoneError:
            raise AddressProblem("zone", zone) from None
        except pytz.InvalidTimeError:
            raise AddressProblem("moment_twice", text.strip()) from None
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
