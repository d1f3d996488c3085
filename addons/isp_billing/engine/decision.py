"""What an import does with one row."""

from dataclasses import dataclass, field

NEW, CHANGED, UNCHANGED, REJECTED = "new", "changed", "unchanged", "rejected"


@dataclass
class Decision:
    """The outcome of comparing one row with the system; making it writes nothing.

    ``partner`` and ``subscription`` are the records found, empty ones where they are to be made.
    ``plan`` is a plan, or the name of one to be made. ``changes`` names what differs.
    """

    row: object
    kind: str = REJECTED
    reasons: list = field(default_factory=list)
    customer: tuple | None = None
    partner: object = None
    partner_vals: dict = field(default_factory=dict)
    subscription: object = None
    subscription_vals: dict = field(default_factory=dict)
    plan: object = None
    price: float | None = None
    state: str | None = None
    changes: list = field(default_factory=list)

    def reject(self, *reasons):
        """Reject the row, for reasons in words."""
        self.kind = REJECTED
        self.reasons += reasons
        return self
