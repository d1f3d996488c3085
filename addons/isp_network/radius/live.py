"""What a change of the entitlement means for a session that is online. Plain Python.

``told`` and ``wanted`` are answers of SQL function ``radius.told``: the attributes RADIUS answers
with, ``service`` (full, throttled, walled or reject) and ``until`` (seconds since 1970 or None).
"""

from datetime import UTC, datetime

RATES = ("Mikrotik-Rate-Limit", "WISPr-Bandwidth-Max-Up", "WISPr-Bandwidth-Max-Down")
TIMEOUT = "Session-Timeout"
# Heard at the next login, which is soon enough. Session-Timeout also counts down by itself; what
# matters of it is until when the service lasts.
_CAN_WAIT = {TIMEOUT, "Idle-Timeout", "Acct-Interim-Interval", "Reply-Message"}
_NOT_ATTRIBUTES = {"service", "until"}
# Another end is told; the end is computed from dates, so this is no rounding.
_MOVED_S = 60


def decide(told, wanted):
    """Return ``coa``, ``extend``, ``disconnect`` or None when the session may go on as it is.

    ``extend`` is a CoA that gives more time and nothing else.

    RouterOS changes a speed on a session that is up, and its time-outs, but neither its address,
    pool or lists ("RADIUS" in MikroTik's manual, seen 2026): for those the subscriber has to log in
    again.

    :param told: None when nobody knows what the session was told
    """
    if told is None:
        return "coa" if _is_open(wanted) and _rates(wanted) else "disconnect"
    if told["service"] == wanted["service"] == "reject":
        return None
    if _is_open(told) != _is_open(wanted) or wanted["service"] == "reject":
        return "disconnect"
    if _fixed(told) != _fixed(wanted) or _ends_earlier(told, wanted):
        return "disconnect"
    if _rates(told) == _rates(wanted):
        return "extend" if ends_later(told, wanted) else None
    # No attribute says "no limit any more".
    return "coa" if _rates(wanted).keys() >= _rates(told).keys() else "disconnect"


def describe(told, wanted):
    """Return what changes, in the words of RADIUS: ``full → walled`` or ``10M/20M → 5M/10M``.

    A longer time is told as ``until 2027-03-10 18:00 → 2027-04-10 18:00 UTC``.
    """
    if told["service"] != wanted["service"] and not (_is_open(told) and _is_open(wanted)):
        return f"{told['service']} → {wanted['service']}"
    names = sorted(
        name
        for name in (told.keys() | wanted.keys()) - _NOT_ATTRIBUTES - _CAN_WAIT
        if told.get(name) != wanted.get(name)
    )
    words = [
        ("" if name in RATES else f"{name}: ")
        + f"{told.get(name) or '–'} → {wanted.get(name) or '–'}"
        for name in names
    ]
    if ends_later(told, wanted):
        words.append(f"until {_moment(told['until'])} → {_moment(wanted['until'])} UTC")
    return ", ".join(words)


def changes(wanted):
    """Return the rates a CoA carries, from the answer for that very router."""
    return _rates(wanted)


def ends_later(told, wanted):
    """Whether the router would end the session before its time."""
    return bool(
        told
        and told["until"] is not None
        and wanted["until"] is not None
        and TIMEOUT in wanted
        and wanted["until"] > told["until"] + _MOVED_S
    )


def new_timeout(wanted, online_s, limit_s=None):
    """The Session-Timeout that lets a session last as long as its service, in seconds, or None.

    A CoA replaces the value the session was given (RFC 5176, 3.6), and that counts from the
    session's beginning (RFC 2865, 5.27). What RADIUS answers counts from now.

    :param online_s: how long the session has been online
    :param limit_s: the longest a session may last by its plan, however long it is paid
    """
    if TIMEOUT not in wanted:
        return None
    total = int(online_s) + int(wanted[TIMEOUT])
    return min(total, limit_s) if limit_s else total


def _moment(seconds):
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _is_open(answer):
    return answer["service"] in ("full", "throttled")


def _rates(answer):
    return {name: answer[name] for name in RATES if name in answer}


def _fixed(answer):
    skipped = {*RATES, *_CAN_WAIT, *_NOT_ATTRIBUTES}
    return {name: value for name, value in answer.items() if name not in skipped}


def _ends_earlier(told, wanted):
    if not _is_open(wanted) or wanted["until"] is None:
        return False
    return told["until"] is None or wanted["until"] < told["until"] - _MOVED_S
