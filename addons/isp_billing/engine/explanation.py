"""Why a charge is as high as it is: the steps from the price to the amount, as plain data.

The steps are derived from what is stored with the charge and nothing else, and each is only shown
when it leads to the stored amount: a step that cannot be reproduced is replaced by an honest
statement of the difference. Engines know no language; ``models/isp_charge_explain.py`` puts the steps
into words.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .history import Charge
from .parts import days_between, rounded
from .periods import fraction_of
from .repair import open_pieces

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
MAX_DECIMALS = 9
ONCE_CODES = ("one_off", "setup", "deposit", "usage")
DAY_RULES = ("leading_stub", "trailing_stub", "line_stub", "stretched")


@dataclass(frozen=True)
class Off:
    """A discount that lowered the price: percent first, then an amount of one whole period."""

    label: str
    percent: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(frozen=True)
class Billed:
    """An earlier charge or repair of the same days."""

    date_from: date
    date_to: date
    amount: Decimal


@dataclass(frozen=True)
class Facts:
    """What is stored with a charge.

    :param price: of one piece for a whole period, ``quantity`` of them
    :param discount: percent off the line
    :param rate: price of the whole period, discounts off; ``None`` of charges that do not tell
    :param exact: the unrounded amount; ``None`` of charges that do not tell
    :param of_days: days that the rate is for; of charges that do not tell, those of ``candidates``
        that give the fraction
    :param candidates: lengths in days of the periods that the charge may be a part of
    :param before: remainder: what the same days cost so far; repair: repairs of the same charge
    :param repaired: repair: the charge that it takes back
    :param term: trial: ``until``; early termination: its parts ``fee``, ``percent``, ``rest``
    """

    kind: str
    rule: str
    date_from: date
    date_to: date
    amount: Decimal
    fraction: Decimal = ONE
    price: Decimal = ZERO
    quantity: Decimal = ONE
    discount: Decimal = ZERO
    rate: Decimal | None = None
    exact: Decimal | None = None
    days: int | None = None
    of_days: int | None = None
    thirty_days: bool = False
    offs: tuple[Off, ...] = ()
    candidates: tuple[int, ...] = ()
    before: tuple[Billed, ...] = ()
    repaired: "Facts | None" = None
    term: dict = field(default_factory=dict)
    decimals: int = 2


@dataclass(frozen=True)
class Step:
    """One step: what is said, with which values, and what it comes to.

    :param amount: the result where it is money; the last step's is the amount of the charge
    """

    code: str
    values: dict
    amount: Decimal | None = None


def explain(facts: Facts) -> list[Step]:
    """The steps from the price to the amount of a charge; the last one ends at the amount."""
    if facts.rule == "repair" or facts.kind == "repair":
        steps = _repair(facts)
    elif facts.rule == "once" or facts.date_from == facts.date_to:
        steps = _once(facts)
    elif facts.rule == "remainder":
        steps = _remainder(facts)
    else:
        steps = _part(facts)
    if not steps or steps[-1].amount != facts.amount:
        computed = steps[-1].amount if steps else None
        code = "on_record" if computed is None else "differs"
        steps.append(Step(code, {"amount": facts.amount, "computed": computed}, facts.amount))
    return steps


def billed_next_to(charge: Charge, billed: list[Charge]) -> tuple[Billed, ...]:
    """What is left of earlier charges of the same price that reach ``charge`` without a gap.

    :param billed: charges and repairs of the same line before ``charge``, oldest first
    """
    same = [
        Billed(piece.spans[0][0], piece.spans[-1][1], piece.amount)
        for piece in open_pieces(billed)
        if (piece.charge.line, piece.charge.rate, piece.charge.per)
        == (charge.line, charge.rate, charge.per)
    ]
    first, last, joined = charge.date_from, charge.date_to, []
    for one in sorted(same, key=lambda one: one.date_to, reverse=True):
        if one.date_to == first:
            joined.append(one)
            first = one.date_from
    for one in sorted(same, key=lambda one: one.date_from):
        if one.date_from == last:
            joined.append(one)
            last = one.date_to
    return tuple(joined)


# === THE PRICE === #


def _price(facts: Facts) -> tuple[list[Step], Decimal]:
    """Steps to the price of a whole period with discounts off, and this price."""
    steps = [Step("price", {"price": facts.price}, facts.price)]
    gross = facts.price * facts.quantity
    if facts.quantity != 1:
        values = {"quantity": facts.quantity, "price": facts.price, "total": gross}
        steps.append(Step("quantity", values, gross))
    line_off = (Off("", percent=facts.discount),) if facts.discount else ()
    rate = facts.rate
    if rate is None:
        more, rate = _discounts(gross, (*line_off, *facts.offs))
        return steps + more, rate
    # The discount of the line may be among the named ones, and a limit may have left one nothing.
    for offs in ((*line_off, *facts.offs), facts.offs, line_off):
        more, reached = _discounts(gross, offs)
        if reached == rate:
            return steps + more, rate
    more, base = _discounts(gross, line_off)
    steps += more
    if _is_endless(rate):
        return steps, base
    values = {"base": base, "value": base - rate, "rate": rate, "labels": _labels(facts)}
    return [*steps, Step("discounts" if base > rate else "rate", values, rate)], rate


def _discounts(base, offs):
    steps = []
    if base <= 0:
        return steps, base
    for off in sorted(offs, key=lambda off: off.amount > 0):
        if off.percent:
            rate = base * (HUNDRED - off.percent) / HUNDRED
            values = {"base": base, "percent": off.percent, "rate": rate, "label": off.label}
            steps.append(Step("percent", values, rate))
            base = rate
        if off.amount:
            value = min(off.amount, base)
            values = {"base": base, "value": value, "rate": base - value, "label": off.label}
            steps.append(Step("amount_off", values, base - value))
            base -= value
    return steps, base


def _labels(facts):
    return tuple(off.label for off in facts.offs if off.label)


def _is_endless(value):
    """Whether ``value`` is a quotient whose digits do not end."""
    return -value.normalize().as_tuple().exponent > MAX_DECIMALS


# === A PERIOD OR A PART OF IT === #


def _part(facts: Facts) -> list[Step]:
    span = {"date_from": facts.date_from, "date_to": facts.date_to}
    steps, rate = _price(facts)
    if facts.rule == "free_stub":
        return [*steps, Step("free_stub", span, ZERO)]
    if facts.fraction == ONE and facts.rule not in DAY_RULES:
        code = "full" if facts.rule == "full" else "whole_stub"
        whole = Step(code, span, rate)
        if _has_limit(facts):
            return [*steps, whole, *_limited(facts, rate)]
        return [*steps, *_rounding(whole, facts)]
    steps.append(_days(facts, span))
    if _has_limit(facts):
        exact = rate * facts.fraction
        values = {"rate": rate, "fraction": facts.fraction, "exact": exact}
        steps.append(Step("gross_share", values, exact))
        return [*steps, *_limited(facts, exact)]
    return [*steps, _share(rate, facts.fraction, facts.decimals)]


def _rounding(step, facts):
    """``step``, and the rounding of its amount where there is one."""
    amount = rounded(step.amount, facts.decimals)
    if amount == step.amount:
        return [step]
    return [step, Step("rounding", {"exact": step.amount, "amount": amount}, amount)]


def _days(facts, span):
    """How many days of how many, as far as the fraction confirms it."""
    days, of_days = _measure(facts)
    values = {**span, "fraction": facts.fraction, "rule": facts.rule}
    if not of_days:
        return Step("fraction", values)
    values |= {"days": days, "of_days": of_days, "thirty_days": facts.thirty_days}
    return Step("days", values)


def _measure(facts):
    """``(days, of_days)`` whose quotient is the fraction, or ``(None, None)``."""
    counted = {days_between(facts.date_from, facts.date_to, facts.thirty_days)}
    if facts.days is not None:
        counted = {facts.days}
    lengths = (facts.of_days,) if facts.of_days else facts.candidates
    for of_days in filter(None, lengths):
        for days in counted:
            if fraction_of(days, of_days) == facts.fraction:
                return days, of_days
    return None, None


def _share(rate, fraction, decimals, code="share"):
    exact = rate * fraction
    amount = rounded(exact, decimals)
    values = {"rate": rate, "fraction": fraction, "exact": exact, "amount": amount}
    return Step(code, values, amount)


def _has_limit(facts):
    """Whether a discount with a limit was taken off the amount instead of the price."""
    return facts.rate is not None and _is_endless(facts.rate)


def _limited(facts, exact):
    """The rest that a discount with a limit had left, off the unrounded amount."""
    net = facts.amount if facts.exact is None else facts.exact
    values = {"base": exact, "value": exact - net, "rate": net, "labels": _labels(facts)}
    return _rounding(Step("limited", values, net), facts)


# === WHAT WAS MISSING OR TOO MUCH === #


def _remainder(facts: Facts) -> list[Step]:
    """Missing days: what all of them cost, less what was billed."""
    steps, rate = _price(facts)
    span = {"date_from": facts.date_from, "date_to": facts.date_to}
    if not facts.before:
        return [*steps, _days(facts, span), _share(rate, facts.fraction, facts.decimals)]
    steps.append(Step("remainder", span))
    for before in _neighbours(facts):
        whole, total = _together(facts, before)
        if more := _total_of(facts, whole, rate, total):
            return [*steps, *more, _missing(facts, total)]
    whole, total = _together(facts, facts.before)
    return [*steps, Step("total_of_days", whole, total), _missing(facts, total)]


def _neighbours(facts):
    """Which of the earlier charges may be parts of the same period, the likeliest first."""
    left = [one for one in facts.before if one.date_to == facts.date_from]
    right = [one for one in facts.before if one.date_from == facts.date_to]
    return [some for some in (left, right, left + right, list(facts.before)) if some]


def _together(facts, before):
    """``(days of the charge and of those before, what they cost)``."""
    span = {
        "date_from": min(facts.date_from, *(one.date_from for one in before)),
        "date_to": max(facts.date_to, *(one.date_to for one in before)),
    }
    return span, facts.amount + sum((one.amount for one in before), ZERO)


def _missing(facts, total):
    values = {"total": total, "billed": total - facts.amount, "amount": facts.amount}
    return Step("missing", values, facts.amount)


def _total_of(facts, span, rate, total):
    """Steps to what the days of ``span`` cost, ``[]`` when they do not lead to ``total``."""
    days = days_between(span["date_from"], span["date_to"], facts.thirty_days)
    for of_days in filter(None, (facts.of_days, *facts.candidates)):
        fraction = fraction_of(days, of_days)
        share = _share(rate, fraction, facts.decimals)
        if share.amount == total:
            values = {"fraction": fraction, "days": days, "of_days": of_days, "rule": "all"}
            return [Step("days", {**span, **values, "thirty_days": facts.thirty_days}), share]
    return []


def _repair(facts: Facts) -> list[Step]:
    """What was billed before, what of it stays, and the difference."""
    span = {"date_from": facts.date_from, "date_to": facts.date_to}
    old = facts.repaired
    if old is None:
        return [Step("taken_back", span, facts.amount)]
    steps = [Step("repaired", {**span, "billed": old.amount}, old.amount)]
    left = old.amount
    if facts.before:
        back = -sum((one.amount for one in facts.before), ZERO)
        left -= back
        steps.append(Step("left", {"billed": old.amount, "back": back, "left": left}, left))
    if facts.amount == -left:
        values = {"kept": ZERO, "left": left, "amount": facts.amount}
        return [*steps, Step("taken_back_whole", values, facts.amount)]
    more = _kept(facts, old, left) or _taken_off(facts, old)
    if not more:
        more = [Step("stays", {}, left + facts.amount)]
    if more[-1].amount == facts.amount:
        return steps + more
    values = {"kept": left + facts.amount, "left": left, "amount": facts.amount}
    return [*steps, *more, Step("taken_off", values, facts.amount)]


def _kept(facts, old, left):
    """Steps to the cost of the days that stay, ``[]`` when they do not lead to what stays."""
    taken = [(facts.date_from, facts.date_to)]
    taken += [(one.date_from, one.date_to) for one in facts.before]
    days = days_between(old.date_from, old.date_to, old.thirty_days)
    days -= sum(days_between(*span, old.thirty_days) for span in taken)
    if days <= 0:
        return []
    rate = _price(old)[1]
    for of_days in filter(None, (old.of_days, *old.candidates)):
        fraction = fraction_of(days, of_days)
        share = _share(rate, fraction, facts.decimals)
        if share.amount == left + facts.amount:
            values = {"days": days, "of_days": of_days, "fraction": fraction}
            return [Step("kept_days", {**values, "thirty_days": old.thirty_days}), share]
    return []


def _taken_off(facts, old):
    """Steps to the cost of the days taken back, ``[]`` when they do not lead to the amount."""
    days = days_between(facts.date_from, facts.date_to, old.thirty_days)
    by_price = (_price(old)[1], old.of_days)
    by_charge = (old.amount, days_between(old.date_from, old.date_to, old.thirty_days))
    for price, of_days in (by_price, by_charge):
        if not of_days:
            continue
        fraction = fraction_of(days, of_days)
        share = _share(-price, fraction, facts.decimals)
        if share.amount == facts.amount:
            values = {"days": days, "of_days": of_days, "fraction": fraction}
            return [Step("days_back", {**values, "thirty_days": old.thirty_days}), share]
    return []


# === ONCE === #


def _once(facts: Facts) -> list[Step]:
    span = {"date_from": facts.date_from, "date_to": facts.date_to}
    if facts.kind == "early_termination":
        return _early(facts, span)
    if facts.kind == "trial":
        until = facts.term.get("until")
        span["date_to"] = until or facts.date_to
        return [Step("trial", {**span, "until": until}, ZERO)]
    if facts.kind == "deposit_refund":
        return [Step("deposit_refund", span, facts.amount)]
    code = facts.kind if facts.kind in ONCE_CODES else "one_off"
    price, rate = _price(facts)
    if len(price) == 1:
        return _rounding(Step(code, span, rate), facts)
    *price, last = price
    return [Step(code, span), *price, *_rounding(last, facts)]


def _early(facts, span):
    steps = [Step("early_termination", {**span, "until": facts.term.get("until")})]
    fee = facts.term.get("fee") or ZERO
    percent, rest = facts.term.get("percent") or ZERO, facts.term.get("rest")
    if rest is None and percent:
        return steps
    exact = fee
    if fee:
        steps.append(Step("early_fee", {}, fee))
    if percent:
        exact = fee + rest * percent / HUNDRED
        values = {"fee": fee, "percent": percent, "rest": rest, "exact": exact}
        amount = rounded(exact, facts.decimals)
        steps.append(Step("early_rest", {**values, "amount": amount}, amount))
    return steps
