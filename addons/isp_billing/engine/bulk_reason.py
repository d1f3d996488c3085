"""Why invoices are not copied, as codes; ``models/isp_bulk_reasons.py`` puts them into words."""

from typing import NamedTuple


class Reason(NamedTuple):
    """A code and its parameters, as sorted pairs, so that equal reasons can be counted."""

    code: str
    params: tuple = ()


def reason(code, **params):
    """The :class:`Reason` with this code."""
    return Reason(code, tuple(sorted(params.items())))


def to_json(counts):
    """Counted reasons, as they are stored."""
    return [
        {"code": one.code, "params": dict(one.params), "count": count}
        for one, count in counts.items()
    ]


def from_json(stored):
    """Pairs ``(reason, count)`` of what :func:`to_json` made."""
    return [(reason(one["code"], **one["params"]), one["count"]) for one in stored or ()]
