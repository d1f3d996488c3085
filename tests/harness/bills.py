"""Short words for stories about bills: services, their histories and what was charged."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from engine.history import Line, Subscription
from engine.periods import Cycle
from engine.schedule import bill

MONTHLY = Cycle("month", 1, 1, "start")


def day(text):
    """A date; without a year, of 2026."""
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def plan(price="310", **values):
    """The line of the plan, 10 a day in months of 31 days."""
    return Line("plan", Decimal(price), **values)


def service(*lines, start="01-01", cycle=MONTHLY, **values):
    """A subscription, by default monthly from 1 January on."""
    return Subscription(start=day(start), cycle=cycle, lines=lines or (plan(),), **values)


def told(charges):
    """Charges in short: kind, from, to, amount."""
    return [
        (charge.kind, f"{charge.date_from:%m-%d}", f"{charge.date_to:%m-%d}", str(charge.amount))
        for charge in charges
    ]


class Books:
    """Bills one subscription after another state of its history and keeps what was billed."""

    def __init__(self):
        self.billed = []

    def bill(self, subscription, target, **values):
        result = bill(subscription, day(target), self.billed, **values)
        self.billed += [
            replace(charge, ref=len(self.billed) + number)
            for number, charge in enumerate(result.charges)
        ]
        return told(result.charges)
