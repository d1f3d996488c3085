"""How long a text message is: its alphabet, its units and the parts that are paid for.

GSM-7 holds 160 units in one part and 153 in each of several; everything else goes as UCS-2, with 70
and 67. Characters of the extension table cost two units, those beyond the basic plane two UTF-16
units; neither may be split between two parts.
"""

from typing import NamedTuple

GSM7, UCS2 = "gsm7", "ucs2"

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")
# Units in a message of one part, and in each part of a longer one.
_ROOM = {GSM7: (160, 153), UCS2: (70, 67)}


class Size(NamedTuple):
    """What a text costs; an empty one has no parts."""

    encoding: str
    units: int
    parts: int


def measure(text):
    """Return the :class:`Size` of a text message."""
    if all(char in _BASIC or char in _EXTENSION for char in text):
        encoding, costs = GSM7, [2 if char in _EXTENSION else 1 for char in text]
    else:
        encoding, costs = UCS2, [2 if ord(char) > 0xFFFF else 1 for char in text]
    units = sum(costs)
    single, several = _ROOM[encoding]
    if units <= single:
        return Size(encoding, units, 1 if units else 0)
    return Size(encoding, units, _count_parts(costs, several))


def _count_parts(costs, room):
    """Fill part after part; what does not fit as a whole goes into the next one."""
    parts, used = 1, 0
    for cost in costs:
        if used + cost > room:
            parts, used = parts + 1, 0
        used += cost
    return parts
