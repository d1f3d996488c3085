"""Lays out the whole periods of a subscription, in service time.

A period is whole when it is as long as the cycle says. The first one may be a stub, a change of the
cycle ends one early or is followed by a stub, and a forced date of the next bill stretches one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from .history import Subscription
from .periods import Cycle, back_from, first_boundary
from .service_time import ServiceTime


@dataclass(frozen=True)
class Whole:
    """One period: the days it covers and the days that its full price is for.

    :param base_from: with ``base_to``: the period that costs the whole price
    :param is_stub: begun between two billing dates, so ``base_from`` lies before ``date_from``
    :param due: forced day of its bill, in calendar time
    """

    number: int
    date_from: date
    date_to: date
    base_from: date
    base_to: date
    cycle: Cycle
    is_stub: bool = False
    is_stretched: bool = False
    due: date | None = None

    @property
    def is_full(self) -> bool:
        """Whether the days covered are the days that the full price is for."""
        return (self.date_from, self.date_to) == (self.base_from, self.base_to)


def wholes(subscription: Subscription, time: ServiceTime) -> Iterator[Whole]:
    """The periods of a subscription, endless unless it is prepaid by payments."""
    if subscription.mode == "prepaid" and subscription.payments is not None:
        parts = _paid(subscription, time)
    else:
        parts = _aligned(subscription, time)
    for number, values in enumerate(parts):
        yield Whole(number, *values)


def _aligned(subscription, time):
    position = time.to_service(subscription.billing_start)
    changes = sorted(
        ((time.to_service(change.day), change) for change in subscription.cycle_changes),
        key=lambda item: item[0],
    )
    cycle = subscription.cycle
    if subscription.next_bill:
        cycle = _cycle_on(position, changes, cycle)
        forced, cycle = _forced(subscription, time, cycle, position)
        if forced[0] < forced[1]:
            yield forced
        position = max(forced[0], forced[1])
    due = None
    while True:
        cycle = _cycle_on(position, changes, cycle)
        changes = [item for item in changes if item[0] > position]
        for date_from, date_to, base_from, is_stub in _run(position, cycle):
            position, base_to = date_from, date_to
            during = [item for item in changes if item[0] < date_to]
            if during and during[0][0] <= date_from:
                break
            position = min((day for day, change in during if change.when == "now"), default=date_to)
            own_due = due if is_stub else None
            yield date_from, position, base_from, base_to, cycle, is_stub, False, own_due
            due = _stub_due(subscription, during)
            if during:
                break


def _cycle_on(day, changes, cycle):
    for changed, change in changes:
        if changed <= day:
            cycle = change.cycle
    return cycle


def _stub_due(subscription, changes):
    """Forced day of the bill of a stub that these changes make."""
    days = [change.day for _day, change in changes if change.stub_due_now]
    return days[0] if days and subscription.mode != "arrears" else None


def _run(start, cycle):
    """Endless ``(date_from, date_to, base_from, is_stub)`` of one cycle from ``start`` on."""
    boundary = first_boundary(start, cycle)
    if start < boundary:
        yield start, boundary, back_from(boundary, cycle), True
    step = 1
    date_from = boundary
    while True:
        date_to = cycle.shift(boundary, step, start)
        yield date_from, date_to, date_from, False
        date_from = date_to
        step += 1


def _forced(subscription, time, cycle, begin):
    """The period that a forced date of the next bill makes, and the cycle after it."""
    day = time.to_service(subscription.next_bill)
    if subscription.billed_through:
        begin = max(begin, time.to_service(subscription.billed_through))
    if subscription.mode == "arrears":
        on_last_day = subscription.options.bill_on_last_day
        date_to = date.fromordinal(day.toordinal() + on_last_day)
        anchor = date_to
    else:
        date_to = cycle.shift(day, 1, day)
        anchor = day
    base_from = cycle.shift(date_to, -1, anchor)
    whole = (begin, date_to, base_from, date_to, cycle, False, True, subscription.next_bill)
    if cycle.months:
        cycle = replace(cycle, anchor_day=cycle.billing_day(anchor))
    return whole, cycle


def _paid(subscription, time):
    """Periods bought by a prepaid customer: each one begins where the one before ends."""
    begin = time.to_service(subscription.billing_start)
    valid_until = begin if subscription.validity_from == "activation" else None
    changes = [(change.day, change) for change in subscription.cycle_changes]
    changes.sort(key=lambda item: item[0])
    chain, step = None, 0
    for payment in sorted(subscription.payments, key=lambda payment: payment.day):
        cycle = _cycle_on(payment.day, changes, subscription.cycle)
        cycle = replace(cycle, anchor_day=None, align="month")
        earliest = max(begin, time.to_service(payment.day))
        for _period in range(payment.periods):
            date_from = max(valid_until, earliest) if step else valid_until or earliest
            if (date_from, cycle) != (valid_until, chain and chain[1]):
                chain, step = (date_from, cycle), 0
            step += 1
            valid_until = cycle.shift(chain[0], step, chain[0])
            days = (date_from, valid_until)
            yield *days, *days, cycle, False, False, payment.day
