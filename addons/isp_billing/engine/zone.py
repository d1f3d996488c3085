"""Days belong to the operator's time zone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .problems import Problem


def local_day(moment: datetime, zone: str) -> date:
    """The date that the operator's calendar shows at ``moment``.

    :param moment: an aware datetime; a naive one names no moment
    :param zone: IANA name such as ``Asia/Dhaka``
    :raises Problem: for a naive moment or an unknown zone
    """
    if moment.tzinfo is None:
        raise Problem("moment_without_zone", moment=moment.isoformat())
    try:
        return moment.astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        raise Problem("zone_unknown", zone=zone) from None
