"""Cuts whole periods into the parts that each line is charged for.

A part ends where the line is joined or left, its price, quantity or discount changes, the service is
paused, or ends. Its share is its days divided by the days of the whole period.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from .cycles import Whole, wholes
from .discounts import discounted
from .history import ZERO, Charge, Line, Subscription
from .periods import back_from, fraction_of
from .service_time import ServiceTime
from .spans import Span, join, subtract

ONE = Decimal(1)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """``value`` rounded half up."""
    return value.quantize(ONE.scaleb(-decimals), rounding=ROUND_HALF_UP)


def days_between(date_from: date, date_to: date, thirty_days: bool = False) -> int:
    """Days of ``[date_from, date_to)``; with ``thirty_days`` every month counts 30.

    Within one month the days are counted as they are, so the parts of a period sum to the whole.
    """
    if thirty_days:
        months = (date_to.year - date_from.year) * 12 + date_to.month - date_from.month
        return 30 * months + date_to.day - date_from.day
    return (date_to - date_from).days


class Cutter:
    """Yields the charges of a subscription as if nothing had been billed before, oldest first.

    A part is due when it begins; in arrears, when it has ended. Each comes as ``(due day, charge)``.
    Discounts count periods and money, so one cutter is for one pass from the beginning.
    """

    def __init__(self, subscription: Subscription, today: date | None):
        self._subscription = subscription
        self._time = ServiceTime(subscription.pauses, today)
        self._end = subscription.service_end and self._time.to_service(subscription.service_end)
        self._paused = [
            (self._time.to_service(pause.date_from), self._open_end(pause, today))
            for pause in subscription.pauses
            if pause.policy == "credit"
        ]
        self._first_numbers = {}
        self._given = {}

    def _open_end(self, pause, today):
        if pause.date_to:
            return self._time.to_service(pause.date_to)
        return date.max

    def __iter__(self):
        for whole in wholes(self._subscription, self._time):
            if self._end and whole.date_from >= self._end:
                return
            yield (
                whole,
                [item for line in self._subscription.lines for item in self._line(line, whole)],
            )

    def calendar(self, day: date) -> date:
        """Calendar day of a day in service time."""
        return self._time.to_calendar(day)

    def _line(self, line, whole):
        """``[(due day, charge)]`` of one line in one period."""
        days = self._days(line, whole)
        if not days:
            return []
        if self._subscription.options.whole_parts:
            span = (days[0][0], days[-1][1])
            return [self._charge(line, whole, span, self._rate(line, whole, span[0]))]
        cut = [
            (part, self._rate(line, whole, part[0]))
            for date_from, date_to in days
            for part in self._split(line, date_from, date_to)
        ]
        merged = []
        for span, rate in cut:
            if merged and merged[-1][1] == rate and merged[-1][0][1] == span[0]:
                merged[-1] = ((merged[-1][0][0], span[1]), rate)
            else:
                merged.append((span, rate))
        return [self._charge(line, whole, span, rate) for span, rate in merged]

    def _days(self, line, whole) -> list[Span]:
        """Days of ``whole`` on which ``line`` costs something."""
        date_from, date_to = whole.date_from, whole.date_to
        to_service = self._time.to_service
        if line.joined:
            date_from = max(date_from, to_service(line.joined))
        if self._subscription.billed_through:
            date_from = max(date_from, to_service(self._subscription.billed_through))
        if line.left:
            date_to = min(date_to, to_service(line.left))
        if self._end and not self._keeps_rest():
            date_to = min(date_to, self._end)
        if date_from >= date_to:
            return []
        return join(subtract([(date_from, date_to)], self._paused))

    def _keeps_rest(self):
        return self._subscription.end_policy == "no_credit" and self._subscription.mode != "arrears"

    def _split(self, line: Line, date_from, date_to) -> list[Span]:
        days = {change.day for change in line.changes if change.when == "now"}
        for discount in line.discounts:
            days |= {discount.date_from, discount.date_to}
        if not days:
            return [(date_from, date_to)]
        inner = {self._time.to_service(day) for day in days if day}
        edges = sorted({date_from, date_to} | {day for day in inner if date_from < day < date_to})
        return list(zip(edges, edges[1:], strict=False))

    def _rate(self, line, whole, day):
        """``(price of a whole period, discounts off, the discounts with a limit)`` on ``day``."""
        price, quantity = line.price, line.quantity
        for change in sorted(line.changes, key=lambda change: (change.day, change.sequence)):
            changed = self._time.to_service(change.day)
            if changed <= day if change.when == "now" else changed < whole.date_from:
                price = change.price if change.price is not None else price
                quantity = change.quantity if change.quantity is not None else quantity
        given = tuple(
            discount
            for discount in line.discounts
            if discount.covers(
                self._time.to_calendar(day), self._cycle_number(line, discount, whole)
            )
        )
        return price * quantity, given

    def _cycle_number(self, line, discount, whole):
        begin = discount.date_from or line.joined or self._subscription.billing_start
        first = whole.number if whole.date_to > self._time.to_service(begin) else None
        first = self._first_numbers.setdefault((line.key, discount.key), first)
        if first is None:
            del self._first_numbers[line.key, discount.key]
            return 0
        return whole.number - first + 1

    def _charge(self, line, whole, span, rate):
        price, discounts = rate
        (days, of_days), fraction, rule = self._share(whole, span)
        exact, rate = self._discounted(line, price, discounts, fraction)
        decimals = self._subscription.decimals
        date_from = self._time.to_calendar(span[0])
        date_to = self._time.to_calendar(span[1])
        if span[1] == self._end:
            date_to = min(date_to, self._subscription.service_end)
        charge = Charge(
            line=line.key,
            kind="recurring",
            date_from=date_from,
            date_to=date_to,
            fraction=fraction,
            rule=rule,
            amount=rounded(exact, decimals),
            rate=rate,
            per=f"{whole.cycle.count} {whole.cycle.unit}",
            exact=exact,
            days=days,
            of_days=of_days,
            discounts=tuple(discount.key for discount in discounts),
        )
        return self._due(whole, charge), charge

    def _discounted(self, line, price, discounts, fraction):
        """The unrounded amount of a part, and the price of a whole period that it comes from.

        What a limited discount has left is the most that it gives.
        """
        unlimited = [discount for discount in discounts if discount.max_total is None]
        rate = discounted(price, unlimited)
        amount = rate * fraction
        for discount in discounts:
            if discount.max_total is not None and fraction:
                used = self._given.get((line.key, discount.key), ZERO)
                value = (rate - discounted(rate, [discount])) * fraction
                value = min(value, max(discount.max_total - used, ZERO))
                self._given[line.key, discount.key] = used + value
                amount -= value
                rate = amount / fraction
        return amount, rate

    def _share(self, whole: Whole, span: Span):
        """``((days, days of the whole), fraction, rule)`` of a part."""
        options = self._subscription.options
        thirty_days = options.thirty_days and bool(whole.cycle.months)
        base_from, base_to = whole.base_from, whole.base_to
        counted = days_between(*span), days_between(base_from, base_to)
        if whole.is_full and span == (whole.date_from, whole.date_to):
            return counted, ONE, "full"
        if options.whole_parts:
            return counted, ONE, "stretched" if whole.is_stretched else "whole_stub"
        if whole.is_stub and whole.number == 0 and options.free_first_stub:
            return counted, ZERO, "free_stub"
        is_short = self._is_short(whole)
        if is_short:
            base_from, base_to = back_from(self._end, whole.cycle), self._end
        if thirty_days and (is_short or whole.is_stub or whole.is_stretched):
            base = 30 * whole.cycle.months
        else:
            # Between clamped billing days 30-day months may count 27 to 33 days.
            base = days_between(base_from, base_to, thirty_days)
        days = days_between(*span, thirty_days)
        return (days, base), fraction_of(days, base), self._stub_rule(whole, span)

    def _is_short(self, whole):
        """Whether the service begins and ends between two billing dates."""
        return (
            self._subscription.options.short_service == "back_from_end"
            and whole.is_stub
            and whole.number == 0
            and bool(self._end)
            and self._end < whole.date_to
        )

    def _stub_rule(self, whole, span):
        if whole.is_stretched:
            return "stretched"
        through = self._subscription.billed_through
        begins_late = whole.is_stub or (through and span[0] == self._time.to_service(through))
        if begins_late and span[1] == whole.base_to:
            return "leading_stub"
        ends_early = self._end and self._end < whole.date_to
        if ends_early and span == (whole.date_from, self._end):
            return "trailing_stub"
        return "line_stub"

    def _due(self, whole, charge):
        if whole.due:
            return whole.due
        subscription = self._subscription
        if subscription.mode != "arrears":
            return charge.date_from
        options = subscription.options
        is_last = options.last_day_counts and charge.date_to == subscription.service_end
        return charge.date_to - timedelta(days=int(options.bill_on_last_day or is_last))


def rest_of_term(subscription: Subscription, until: date) -> Decimal:
    """What the service would have cost from its end to ``until``, unrounded."""
    end = subscription.service_end
    options = replace(subscription.options, last_day_counts=False)
    going_on = replace(
        subscription,
        end=until,
        billed_through=max(end, subscription.billed_through or end),
        options=options,
        end_policy="credit",
        payments=None,
    )
    return sum(
        (charge.precise for _whole, items in Cutter(going_on, None) for _due, charge in items), ZERO
    )
