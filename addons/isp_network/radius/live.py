"""What a change of the entitlement means for a session that is online. Plain Python.

``told`` and ``wanted`` are answers of SQL function ``radius.told``: the attributes RADIUS answers
with, ``service`` (full, throttled, walled or reject) and ``until`` (seconds since 1970 or None).
"""

RATES = ("Mikrotik-Rate-Limit", "WISPr-Bandwidth-Max-Up", "WISPr-Bandwidth-Max-Down")
# Heard at the next login, which is soon enough. Session-Timeout also counts down by itself.
_CAN_WAIT = {"Session-Timeout", "Idle-Timeout", "Acct-Interim-Interval", "Reply-Message"}
_NOT_ATTRIBUTES = {"service", "until"}
# An earlier end is enforced; the end is computed from dates, so this is no rounding.
_EARLIER_S = 60


def decide(told, wanted):
    """Return ``coa``, ``disconnect`` or None when the session may go on as it is.

    RouterOS changes a speed on a session that is up, but neither its address, pool or lists
    ("RADIUS" in MikroTik's manual, seen 2026): for those the subscriber has to log in again.

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
        return None
    # No attribute says "no limit any more".
    return "coa" if _rates(wanted).keys() >= _rates(told).keys() else "disconnect"


def describe(told, wanted):
    """Return what changes, in the words of RADIUS: ``full → walled`` or ``10M/20M → 5M/10M``."""
    if told["service"] != wanted["service"] and not (_is_open(told) and _is_open(wanted)):
        return f"{told['service']} → {wanted['service']}"
    names = sorted(
        name
        for name in (told.keys() | wanted.keys()) - _NOT_ATTRIBUTES - _CAN_WAIT
        if told.get(name) != wanted.get(name)
    )
    return ", ".join(
        ("" if name in RATES else f"{name}: ")
        + f"{told.get(name) or '–'} → {wanted.get(name) or '–'}"
        for name in names
    )


def changes(wanted):
    """Return the attributes a CoA carries, from the answer for that very router."""
    return _rates(wanted)


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
    return told["until"] is None or wanted["until"] < told["until"] - _EARLIER_S
