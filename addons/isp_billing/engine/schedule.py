"""The billing engine's entry point: :func:`bill`.

It takes one subscription's history as plain data (:mod:`history`), what was billed of it before and a
target date, and returns the charges that bring the bills up to this date. There is no clock, no ORM
and no currency in it; the same arguments always give the same answer. ``docs/billing-engine.md`` has
examples.

Rules and where they come from:

* periods, stubs, fractions and rounding: Kill Bill, see :mod:`periods`, :mod:`cycles` and
  :mod:`parts`; options that follow Lago or OCA contract are named in :class:`history.Options`;
* corrections: Kill Bill, see :mod:`repair`;
* taxes rounded apart from net amounts: Lago.

A run never needs to know about earlier runs beyond what they billed. Running twice, in any order of
dates or after any pause gives the same charges in sum: what is billed and still wanted stays, also
when ``target`` lies before the day on which it was billed.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from .fees import reconcile_fees, wanted_fees
from .history import ZERO, Charge, Subscription, check
from .parts import ONE, Cutter, rounded
from .periods import first_boundary
from .problems import Problem
from .repair import Begun, open_pieces, reconcile

_SEARCHED_PERIODS = 3


@dataclass(frozen=True)
class Bill:
    """What one run finds.

    :param charges: repairs, then new charges; empty when nothing is to be billed
    :param first_billing_date: first day of a whole period
    :param next_bill_date: first day after the target on which a run finds something, ``None`` for
        never; without a target the first day on which one does
    :param billed_through: first day that no charge covers, this bill included
    :param credit: the account's credit after this bill
    """

    charges: tuple[Charge, ...]
    first_billing_date: date
    next_bill_date: date | None
    billed_through: date
    credit: Decimal = ZERO

    @property
    def subtotal(self) -> Decimal:
        """Sum of the net amounts."""
        return sum((charge.amount for charge in self.charges), ZERO)

    @property
    def tax(self) -> Decimal:
        """Sum of the taxes."""
        return sum((charge.tax for charge in self.charges), ZERO)

    @property
    def total(self) -> Decimal:
        """Sum of net amounts and taxes; negative when it leaves a credit."""
        return self.subtotal + self.tax


def bill(
    subscription: Subscription,
    target: date | None,
    billed: tuple[Charge, ...] | list[Charge] = (),
    *,
    credit: Decimal = ZERO,
    tax_percent: Decimal = ZERO,
) -> Bill:
    """Charges that are due on ``target`` and not billed yet, and corrections of those that were.

    :param subscription: the history as known now, future events included
    :param target: day up to which is billed, in the operator's time zone (:func:`zone.local_day`);
        ``None`` bills nothing and only tells the dates
    :param billed: every charge and repair of earlier bills of this subscription, oldest first, as
        this function returned them; ``ref`` may be filled with an id
    :param credit: the account's credit; a bill above zero uses it up by a ``credit_used`` charge
    :param tax_percent: tax on every charge, rounded by itself; leave 0 where the ledger adds taxes
    :raises Problem: ``target_before_start``, or what :func:`history.check` finds; nothing is billed
    """
    check(subscription)
    if target is not None and target < subscription.start:
        raise Problem("target_before_start", target=target, start=subscription.start)
    billed = list(billed)
    pieces = open_pieces(billed)
    due, later = _recurring(subscription, target, pieces)
    charges = []
    if target is not None:
        charges = reconcile(due, pieces, subscription.options, subscription.decimals)
    fees, fees_later = _fees(subscription, target, billed)
    charges = _taxed([*fees, *charges], subscription, tax_percent)
    charges, credit = _with_credit(charges, credit, target)
    covered = [piece.spans[-1][1] for piece in open_pieces([*billed, *charges])]
    return Bill(
        charges=tuple(charges),
        first_billing_date=first_boundary(subscription.billing_start, subscription.cycle),
        next_bill_date=min(filter(None, (later, fees_later)), default=None),
        billed_through=max([subscription.billed_through or subscription.billing_start, *covered]),
        credit=credit,
    )


def period_on(subscription: Subscription, day: date) -> tuple[date, date]:
    """``(date_from, date_to)`` of the billing period that contains ``day``.

    A day before the billing begins lies in the first period. The first period begins with the
    service, also when it is a part only.

    :raises Problem: what :func:`history.check` finds
    """
    check(subscription)
    found = None
    for whole, _items in (cutter := Cutter(replace(subscription, end=None), day)):
        found = cutter.calendar(whole.date_from), cutter.calendar(whole.date_to)
        if day < found[1]:
            break
    return found or (subscription.billing_start, subscription.billing_start)


def _recurring(subscription, target, pieces):
    """Charges to compare with what is billed, and the day on which the next one is due."""
    cutter = Cutter(subscription, target)
    begun = Begun(pieces, subscription.mode)
    billed_until = max((piece.spans[-1][1] for piece in pieces), default=date.min)
    last_event = _last_event(subscription)
    due, later, empty_periods = [], None, 0
    for whole, items in cutter:
        for day, charge in items:
            if (target is not None and day <= target) or charge in begun:
                due.append(charge)
            else:
                later = min(later, day) if later else day
        begin = cutter.calendar(whole.date_from)
        if begin >= billed_until and (target is None or begin > target):
            empty_periods += begin > last_event
            if later or empty_periods > _SEARCHED_PERIODS:
                break
    return due, later


def _last_event(subscription):
    """A day after which every period is like the one before."""
    days = [
        subscription.billing_start,
        subscription.billed_through,
        subscription.next_bill,
        *(change.day for change in subscription.cycle_changes),
        *(day for pause in subscription.pauses for day in (pause.date_from, pause.date_to)),
        *(day for line in subscription.lines for day in (line.joined, line.left)),
        *(change.day for line in subscription.lines for change in line.changes),
    ]
    return max(filter(None, days))


def _fees(subscription, target, billed):
    """New charges of the kind that is charged once, and the day on which the next one is due."""
    due, later, not_due = [], None, set()
    is_billed = {(charge.line, charge.kind) for charge in billed}
    for day, charge in wanted_fees(subscription):
        if subscription.billed_through and day < subscription.billed_through:
            continue
        if target is not None and day <= target:
            due.append(charge)
            continue
        not_due.add((charge.line, charge.kind))
        if (charge.line, charge.kind) not in is_billed:
            later = min(later, day) if later else day
    return ([] if target is None else reconcile_fees(due, billed, not_due)), later


def _taxed(charges, subscription, tax_percent):
    if not tax_percent:
        return charges
    return [
        replace(charge, tax=rounded(charge.precise * tax_percent / 100, subscription.decimals))
        for charge in charges
    ]


def _with_credit(charges, credit, target):
    """Use up credit, or leave one: ``(charges, credit)``."""
    total = sum((charge.amount + charge.tax for charge in charges), ZERO)
    if total <= 0:
        return charges, credit - total
    used = min(total, credit)
    if used <= 0:
        return charges, credit
    line = Charge("credit", "credit_used", target, target, ONE, "once", -used, exact=-used)
    return [*charges, line], credit - used
