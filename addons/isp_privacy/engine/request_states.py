"""States of a rights request and the moves between them: the one table of what is allowed."""

TYPES = [
    ("access", "Access to the data"),
    ("portability", "Data in a portable form"),
    ("rectification", "Correction"),
    ("erasure", "Erasure"),
    ("restriction_set", "Restriction"),
    ("restriction_lift", "End of a restriction"),
    ("objection_marketing", "Objection to marketing"),
    ("objection_interest", "Objection to a legitimate interest"),
    ("consent_withdrawal", "Withdrawal of consent"),
    ("opt_out", "Marketing opt-out"),
    ("automated_review", "Review of an automated decision"),
    ("nomination", "Nomination of another person"),
    ("complaint", "Complaint"),
]

STATES = [
    ("received", "Received"),
    ("identity_pending", "Waiting for identity"),
    ("verified", "Verified"),
    ("in_review", "In review"),
    ("approved", "Approved"),
    ("recovery", "Recovery window"),
    ("executing", "Executing"),
    ("done", "Done"),
    ("on_hold", "On hold"),
    ("failed", "Failed"),
    ("rejected", "Rejected"),
    ("withdrawn", "Withdrawn"),
    ("duplicate", "Duplicate"),
]

TERMINAL = frozenset({"done", "rejected", "withdrawn", "duplicate"})

# Control of the channel is proof enough, and nobody decides about them.
DIRECT_TYPES = frozenset({"consent_withdrawal", "opt_out", "objection_marketing"})

_ASIDE = frozenset({"rejected", "withdrawn", "duplicate", "on_hold"})
_REVIEWED = {
    "received": {"identity_pending", "verified"} | _ASIDE,
    "identity_pending": {"verified"} | _ASIDE,
    "verified": {"in_review"} | _ASIDE,
    "in_review": {"approved"} | _ASIDE,
    "approved": {"executing", "withdrawn", "on_hold"},
    "executing": {"done", "failed", "on_hold"},
    "failed": {"executing", "on_hold"},
}
# Time to think better of it lies between the decision and the deed.
_ERASURE = _REVIEWED | {
    "approved": {"recovery", "withdrawn", "on_hold"},
    "recovery": {"executing", "withdrawn", "on_hold"},
}
_DIRECT = {
    "received": {"executing"} | _ASIDE,
    "executing": _REVIEWED["executing"],
    "failed": _REVIEWED["failed"],
}
# As long as the kind is not known, nothing can be decided.
_UNKNOWN = {"received": _ASIDE}


def moves_of(request_type) -> dict:
    """Return ``{state: states it may move to}`` for a type, ``None`` for one not known yet.

    Going on from ``on_hold`` depends on where a request came from: see :func:`next_states`.
    """
    if not request_type:
        return _UNKNOWN
    if request_type in DIRECT_TYPES:
        return _DIRECT
    return _ERASURE if request_type == "erasure" else _REVIEWED


def next_states(request_type, state, held_from=None) -> frozenset:
    """Return the states to which a request may move now; none when it has ended.

    :param held_from: the state in which a request was put on hold: it goes on from there, or is
        withdrawn where that would have been possible
    """
    moves = moves_of(request_type)
    if state == "on_hold":
        back = {held_from} & set(moves)
        return frozenset(back | ({"withdrawn"} & set(moves.get(held_from, ()))))
    return frozenset(moves.get(state, ()))
