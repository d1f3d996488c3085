"""Texts that are registered at the operators of India (DLT), and whether a message is one of them.

A registered text has its variables marked: ``{#var#}``, or since 2025 by their kind, such as
``{#numeric#}`` or ``{#url#}``.
"""

import re

_MARK = re.compile(r"\{#([a-z]+)#\}", re.IGNORECASE)
# What a variable may hold; addresses are longer than words.
_VARIABLE, _ADDRESS = r"(.{1,30}?)", r"(\S{1,200}?)"
MIN_FIXED = 0.3  # of a registered text


def marks(registered):
    """Return the kinds of the variables of a registered text, in their order."""
    return [kind.lower() for kind in _MARK.findall(registered or "")]


def fixed_share(registered):
    """Return which part of the characters of a registered text is the same in each message."""
    fixed = len("".join(_MARK.sub("", registered or "").split()))
    total = fixed + 10 * len(marks(registered))
    return fixed / total if total else 0.0


def match(registered, text):
    """Return what stands for the variables of a registered text, None when the text is another."""
    pattern, position = "", 0
    for mark in _MARK.finditer(registered or ""):
        pattern += re.escape(registered[position : mark.start()])
        pattern += _ADDRESS if mark[1].lower() == "url" else _VARIABLE
        position = mark.end()
    pattern += re.escape((registered or "")[position:])
    found = re.fullmatch(pattern, text or "", re.DOTALL)
    return found.groups() if found and registered else None
