"""What a bill depends on, as plain data: one subscription's history and what was billed of it.

Everything is a frozen dataclass of ``date``, ``Decimal``, ``str`` and ``int``. Days are half-open:
``date_to``, ``left`` and ``end`` are the first day that no longer counts. Prices are for one whole
period. Keys (``Line.key``, ``Fee.key``, …) are the caller's, any text, and unique in a subscription.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from .discounts import Discount
from .periods import Cycle
from .problems import Problem

ZERO = Decimal(0)
MODES = ("advance", "arrears", "prepaid")
WHEN = ("now", "cycle_end")
PAUSE_POLICIES = ("keep", "credit", "extend")
END_POLICIES = ("credit", "no_credit")
FEE_KINDS = ("one_off", "setup", "usage")
TRIAL, EARLY_TERMINATION = "trial", "early_termination"


@dataclass(frozen=True)
class Options:
    """What a plan or company chooses; the defaults are Kill Bill's rule.

    :param thirty_days: every month counts 30 days
    :param whole_parts: no proration; a period of which a day is used costs the whole price, at the
        price of its first day, and a pause gives nothing back
    :param free_first_stub: the part before the first billing date is free
    :param last_day_counts: the day of termination is served and billed (Lago)
    :param short_service: what a service begun and ended between two billing dates is measured
        against: ``back_from_end``, one period back from its end (Kill Bill), or ``whole_period``,
        the period it lies in (Lago, OCA)
    :param repair: ``scratch`` leaves the books exactly as if the final history had been billed from
        the start; ``removed`` rounds the days taken back on their own, as Kill Bill and Lago do,
        which can differ by half a cent for each repair
    :param bill_on_last_day: in arrears a period is due on its last day instead of the day after
        (OCA's "monthly, last day")
    """

    thirty_days: bool = False
    whole_parts: bool = False
    free_first_stub: bool = False
    last_day_counts: bool = False
    short_service: str = "back_from_end"
    repair: str = "scratch"
    bill_on_last_day: bool = False

    @classmethod
    def of_proration(cls, proration: str, **others) -> "Options":
        """The options behind a plan's ``proration``: exact, thirty_days, none, …"""
        flags = {
            "exact": {},
            "thirty_days": {"thirty_days": True},
            "none": {"whole_parts": True},
            "last_day_counts": {"last_day_counts": True},
            "free_first_stub": {"free_first_stub": True},
        }
        if proration not in flags:
            raise Problem("proration_unknown", proration=proration)
        return cls(**(flags[proration] | others))


@dataclass(frozen=True)
class LineChange:
    """A new price or quantity of a line (or both) from ``day`` on.

    ``cycle_end`` waits for the end of the period that contains ``day``. Two changes of the same
    thing on one day: the higher ``sequence`` wins, whatever their order in the list.
    """

    day: date
    price: Decimal | None = None
    quantity: Decimal | None = None
    when: str = "now"
    sequence: int = 0


@dataclass(frozen=True)
class Line:
    """One priced part: the plan, an add-on, a static address."""

    key: str
    price: Decimal
    quantity: Decimal = Decimal(1)
    joined: date | None = None
    left: date | None = None
    changes: tuple[LineChange, ...] = ()
    discounts: tuple[Discount, ...] = ()


@dataclass(frozen=True)
class CycleChange:
    """Another cycle or billing day.

    By default the period that is running ends as planned, and a stub leads to the new billing day
    (Kill Bill's change of the billing day). With a change of plan it takes effect ``now``.

    :param stub_due_now: in advance, the stub is due on ``day`` already, as Kill Bill bills it,
        instead of when it begins
    """

    day: date
    cycle: Cycle
    when: str = "cycle_end"
    stub_due_now: bool = False


@dataclass(frozen=True)
class Pause:
    """Days without service, ``date_to`` ``None`` while it lasts.

    ``keep`` goes on charging, ``credit`` charges nothing for these whole days, ``extend`` lets the
    running period end later by as many days and moves every later billing date with it.
    """

    date_from: date
    date_to: date | None = None
    policy: str = "credit"


@dataclass(frozen=True)
class Fee:
    """Something charged once, on ``day``."""

    key: str
    day: date
    amount: Decimal
    kind: str = "one_off"


@dataclass(frozen=True)
class Deposit:
    """Taken on ``day``, given back on ``refund_day`` or else when the service ends."""

    key: str
    day: date
    amount: Decimal
    refund_day: date | None = None


@dataclass(frozen=True)
class Term:
    """Who leaves before ``until`` pays ``fee`` and ``percent`` of what the rest would have cost."""

    until: date
    fee: Decimal = ZERO
    percent: Decimal = ZERO


@dataclass(frozen=True)
class Payment:
    """A prepaid customer's payment for ``periods`` periods.

    The time bought begins when the time bought before ends, and not before ``day``.
    """

    day: date
    periods: int = 1


@dataclass(frozen=True)
class Charge:
    """One line of the bill and the reason for it.

    :param line: key of the line, fee or deposit
    :param kind: ``recurring``, ``repair``, ``trial``, ``one_off``, ``setup``, ``deposit``,
        ``deposit_refund``, ``early_termination`` or ``credit_used``
    :param date_to: first day not covered; equal to ``date_from`` for what covers no days
    :param fraction: share of a whole period, nine decimals; of repairs: of the charge repaired
    :param rule: ``full``, ``leading_stub``, ``trailing_stub``, ``line_stub`` (a part in between),
        ``whole_stub``, ``free_stub``, ``stretched``, ``remainder``, ``once`` or ``repair``
    :param amount: net, rounded to the currency
    :param rate: price of the whole period, discounts off
    :param per: the cycle that ``rate`` is for, such as ``1 month``; charges of one line with the
        same rate per the same cycle continue each other
    :param exact: net before rounding, for the tax
    :param tax: rounded on its own from ``exact``
    :param ref: the caller's id of a stored charge; ``None`` on new ones
    :param repairs: on a repair, the ``ref`` of the charge it takes back
    :param days: days that are paid for, 30 in a 30-day month
    :param of_days: days of the period that costs the whole price
    :param discounts: keys of the discounts that are off
    """

    line: str
    kind: str
    date_from: date
    date_to: date
    fraction: Decimal
    rule: str
    amount: Decimal
    rate: Decimal = ZERO
    per: str = ""
    exact: Decimal | None = None
    tax: Decimal = ZERO
    ref: object = None
    repairs: object = None
    days: int | None = None
    of_days: int | None = None
    discounts: tuple[str, ...] = ()

    @property
    def precise(self) -> Decimal:
        """The unrounded amount; of a stored charge without one, the amount."""
        return self.amount if self.exact is None else self.exact


@dataclass(frozen=True)
class Subscription:
    """One subscription as it is known today, past corrections included.

    :param start: first day of the service
    :param end: first day without service (with ``last_day_counts``: its last day)
    :param end_policy: ``credit`` gives unused days back; ``no_credit`` keeps the whole price of the
        period that was billed in advance
    :param trial_days: days that cost nothing, from the start; billing begins after them
    :param billed_through: first day that bills of another system do not cover
    :param next_bill: a forced date of the next bill; the period until then is stretched or
        shortened (OCA's forced next date)
    :param payments: prepaid mode: what was paid; ``None`` bills each period when it begins
    :param validity_from: prepaid mode: ``activation`` or ``payment``, when the first period begins
    :param decimals: decimals of the currency
    """

    start: date
    cycle: Cycle
    lines: tuple[Line, ...]
    mode: str = "advance"
    options: Options = field(default_factory=Options)
    cycle_changes: tuple[CycleChange, ...] = ()
    pauses: tuple[Pause, ...] = ()
    end: date | None = None
    end_policy: str = "credit"
    term: Term | None = None
    trial_days: int = 0
    fees: tuple[Fee, ...] = ()
    deposits: tuple[Deposit, ...] = ()
    billed_through: date | None = None
    next_bill: date | None = None
    payments: tuple[Payment, ...] | None = None
    validity_from: str = "payment"
    decimals: int = 2

    @property
    def billing_start(self) -> date:
        """First day that costs something."""
        return self.start + timedelta(days=self.trial_days)

    @property
    def service_end(self) -> date | None:
        """First day without service, ``None`` while it runs."""
        if self.end is not None and self.options.last_day_counts:
            return self.end + timedelta(days=1)
        return self.end


def check(subscription: Subscription) -> None:
    """Refuse a history that cannot be.

    :raises Problem: ``end_before_start``, ``period_reversed``, ``pauses_overlap``,
        ``key_repeated``, ``choice_unknown`` or ``count_negative``
    """
    if subscription.end is not None and subscription.end < subscription.start:
        raise Problem("end_before_start", start=subscription.start, end=subscription.end)
    _check_choices(subscription)
    for thing, first, last in (
        *(("line", line.joined, line.left) for line in subscription.lines),
        *(("pause", pause.date_from, pause.date_to) for pause in subscription.pauses),
    ):
        if first and last and last < first:
            raise Problem("period_reversed", what=thing, date_from=first, date_to=last)
    pauses = sorted(subscription.pauses, key=lambda pause: pause.date_from)
    for before, after in zip(pauses, pauses[1:], strict=False):
        if before.date_to is None or before.date_to > after.date_from:
            raise Problem("pauses_overlap", date_from=after.date_from)
    named = (*subscription.lines, *subscription.fees, *subscription.deposits)
    keys = [thing.key for thing in named]
    for key in (*keys, TRIAL, EARLY_TERMINATION):
        if keys.count(key) > (key not in (TRIAL, EARLY_TERMINATION)):
            raise Problem("key_repeated", key=key)
    if subscription.trial_days < 0:
        raise Problem("count_negative", what="trial_days", count=subscription.trial_days)


def _check_choices(subscription):
    options = subscription.options
    for what, value, allowed in (
        ("mode", subscription.mode, MODES),
        ("end_policy", subscription.end_policy, END_POLICIES),
        ("validity_from", subscription.validity_from, ("activation", "payment")),
        ("short_service", options.short_service, ("back_from_end", "whole_period")),
        ("repair", options.repair, ("scratch", "removed")),
        *(("policy", pause.policy, PAUSE_POLICIES) for pause in subscription.pauses),
        *(("kind", fee.kind, FEE_KINDS) for fee in subscription.fees),
        *(("when", change.when, WHEN) for change in subscription.cycle_changes),
        *(("when", change.when, WHEN) for line in subscription.lines for change in line.changes),
    ):
        if value not in allowed:
            raise Problem("choice_unknown", what=what, value=value)
