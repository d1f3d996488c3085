"""What is charged once: trials (at nothing), fees, deposits and leaving before the term is over."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from .history import EARLY_TERMINATION, TRIAL, ZERO, Charge, Subscription
from .parts import ONE, rest_of_term, rounded

KINDS = (
    *("trial", "one_off", "setup", "deposit", "deposit_refund", "early_termination"),
    "usage",
)


def wanted_fees(subscription: Subscription) -> Iterator[tuple[date, Charge]]:
    """``(due day, charge)`` of everything that is charged once, whenever it is due."""
    end = subscription.service_end
    if subscription.trial_days:
        yield _once(subscription, TRIAL, "trial", subscription.start, ZERO)
    for fee in subscription.fees:
        yield _once(subscription, fee.key, fee.kind, fee.day, fee.amount)
    for deposit in subscription.deposits:
        yield _once(subscription, deposit.key, "deposit", deposit.day, deposit.amount)
        back = deposit.refund_day or end
        if back:
            day = max(back, deposit.day)
            yield _once(subscription, deposit.key, "deposit_refund", day, -deposit.amount)
    term = subscription.term
    if term and end and end < term.until:
        amount = term.fee
        if term.percent:
            amount += rest_of_term(subscription, term.until) * term.percent / 100
        yield _once(subscription, EARLY_TERMINATION, "early_termination", subscription.end, amount)


def _once(subscription, key, kind, day, amount):
    charge = Charge(
        line=key,
        kind=kind,
        date_from=day,
        date_to=day,
        fraction=ONE,
        rule="once",
        amount=rounded(amount, subscription.decimals),
        rate=amount,
        exact=amount,
    )
    return day, charge


def reconcile_fees(
    wanted: list[Charge], billed: list[Charge], not_due: set[tuple[str, str]]
) -> list[Charge]:
    """New charges and repairs for what is charged once.

    :param wanted: fees that are due
    :param billed: everything billed before
    :param not_due: ``(key, kind)`` of fees still to come; billed ones of them are left alone
    """
    net = {}
    for charge in billed:
        if charge.kind in KINDS:
            net.setdefault((charge.line, charge.kind), []).append(charge)
    taken_back = {}
    for charge in billed:
        if charge.kind == "repair" and charge.date_from == charge.date_to:
            taken_back.setdefault((charge.line, charge.amount > 0), []).append(charge)
    new, repairs = [], []
    for charge in wanted:
        old = net.pop((charge.line, charge.kind), [])
        open_amount = _open_amount(old, taken_back)
        if not old or (open_amount == 0 and charge.amount):
            new.append(charge)
        elif open_amount != charge.amount:
            repairs.append(_repair(old[-1], open_amount))
            new.append(charge)
    for key, old in net.items():
        if key not in not_due and (open_amount := _open_amount(old, taken_back)):
            repairs.append(_repair(old[-1], open_amount))
    return repairs + new


def _open_amount(charges, taken_back):
    if not charges:
        return ZERO
    amount = sum((charge.amount for charge in charges), ZERO)
    key = (charges[0].line, amount < 0)
    return amount + sum((repair.amount for repair in taken_back.get(key, ())), ZERO)


def _repair(charge, amount):
    return replace(
        charge,
        kind="repair",
        rule="repair",
        amount=-amount,
        exact=-amount,
        tax=ZERO,
        ref=None,
        repairs=charge.ref,
    )
