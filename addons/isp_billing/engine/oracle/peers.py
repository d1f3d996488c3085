"""What each system's rules mean for the engine: a row becomes a subscription's history."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from ..history import CycleChange, Fee, Line, LineChange, Options, Payment, Subscription
from .row import NotUnderstood, Row

PLAN = "plan"
KILL_BILL, LAGO, OCA = "KB", "LAGO", "OCA"
NEGATIVE_KINDS = ("repair", "credit_note", "credit_note_incl_tax")
_DAY = timedelta(days=1)


def family(row: Row) -> str:
    """Whose rule the row follows."""
    name = (row.rule or "").split("-")[0].upper()
    if name not in (KILL_BILL, LAGO, OCA):
        raise NotUnderstood(f"unknown rule {row.rule!r}")
    return name


def options(row: Row) -> Options:
    """The options under which the row's rule is the engine's."""
    peer = family(row)
    fixed_days = row.whole_number("fixed_proration_days")
    if fixed_days not in (0, 30):
        raise NotUnderstood(f"months of {fixed_days} days")
    if peer == KILL_BILL:
        return Options(thirty_days=fixed_days == 30, repair="removed")
    if peer == LAGO:
        return Options(
            thirty_days=fixed_days == 30,
            repair="removed",
            short_service="whole_period",
            # A change of plan belongs to the new plan from its day on; only leaving counts it.
            last_day_counts="new_price" not in row.inputs,
        )
    return Options(
        whole_parts=row.rule.upper() != "OCA-PRORATA",
        short_service="whole_period",
        bill_on_last_day=row.is_last_day,
    )


class Reader:
    """Reads the history that a row describes."""

    def __init__(self, row: Row, mode: str):
        row.check_inputs()
        self.row = row
        self.mode = mode
        self.peer = family(row)
        self.anchor = row.read_anchor()
        if not row.start:
            raise NotUnderstood("no start")
        self.start = row.day(row.start)
        self.change = row.optional_day(row.change_or_end)
        self.trial_days = row.whole_number("trial_days") or row.noted_trial_days
        kinds = {line.get("kind") for line in row.lines or []}
        self.takes_back = not kinds.isdisjoint(NEGATIVE_KINDS)
        if "credit_used" in kinds and not row.opening_credit:
            raise NotUnderstood("the credit is not stated")
        if self.mode == "prepaid" and self.anchor.day:
            raise NotUnderstood("a billing day for prepaid validity")

    @property
    def end(self) -> date | None:
        """The row's end in the engine's terms, ``None`` when the service goes on."""
        goes_on = {"new_price", "new_bcd"} & set(self.row.inputs)
        end = None if goes_on else self.change
        if end and self.peer == OCA:
            end += _DAY
        if limit := self.row.inputs.get("max_end_inclusive"):
            limit = self.row.day(limit) + _DAY
            end = min(end or limit, limit)
        if end and self.peer == OCA:
            # A contract over before it starts has no next date; it is no error there.
            end = max(end, self.start)
        return end

    def history(self, known_on: date | None = None) -> Subscription:
        """The history as it was known on a day, all of it without one."""
        row = self.row
        is_changed = self.change is not None and (known_on is None or known_on >= self.change)
        price = row.number(row.price, "price")
        if price is None:
            if any("amount" in line for line in row.lines or []) or row.expected_total:
                raise NotUnderstood("no price")
            price = Decimal(0)
        subscription = Subscription(
            start=self.start,
            cycle=self._cycle(),
            lines=(Line(PLAN, price, changes=self._price_changes(is_changed)),),
            mode=self.mode,
            options=self._options(),
            cycle_changes=self._cycle_changes(is_changed),
            end=self._known_end(is_changed),
            trial_days=self.trial_days,
            fees=self._fees(),
            decimals=0 if self.peer == LAGO else 2,
            next_bill=self._forced(),
            billed_through=self._billed_through(),
        )
        if self.mode == "prepaid":
            paid = tuple(Payment(day) for _text, _moment, day in row.runs)
            if not paid:
                raise NotUnderstood("prepaid without dates of payment")
            subscription = replace(subscription, payments=paid)
        if row.rule.upper() == "OCA-PRORATA" and not subscription.next_bill:
            subscription = self._one_period(subscription)
        return subscription

    def before_change(self) -> Subscription:
        """The history as it had been billed before anybody knew of the change."""
        change = self.change or self.start
        subscription = self.history(known_on=change - _DAY)
        if billed_through := self.row.inputs.get("billed_through"):
            subscription = replace(subscription, end=self.row.day(billed_through))
        return subscription

    def _options(self):
        chosen = options(self.row)
        if self.peer == LAGO and self.trial_days and self.change:
            # Who leaves until the day on which the trial ends pays nothing.
            is_paid = self.change > self.start + timedelta(days=self.trial_days)
            chosen = replace(chosen, last_day_counts=chosen.last_day_counts and is_paid)
        return chosen

    def _known_end(self, is_changed):
        return self.end if self.change is None or is_changed else None

    def _cycle(self, day=None):
        anchor = self.anchor
        day = day or anchor.day
        if self.peer == OCA and (self.row.is_last_day or anchor.is_calendar):
            return self.row.read_cycle(anchor_day=1, align="start")
        if anchor.is_calendar and self.peer == LAGO:
            return self.row.read_cycle(align="calendar")
        if anchor.is_calendar:
            day = 1
        if anchor.is_change and not day:
            day = self._changed_days()[0]
        return self.row.read_cycle(anchor_day=day, align="start")

    def _changed_days(self):
        """Billing day before and after a change."""
        noted = self.row.noted_billing_days
        new = self.row.whole_number("new_bcd") or (noted[1] if noted else 0)
        if not 1 <= new <= 31:
            raise NotUnderstood("the new billing day is not stated")
        old = self.anchor.day or (noted[0] if noted else None)
        # Without its day the change came before the first bill of the row.
        return (new if self.change is None else old), new

    def _cycle_changes(self, is_changed):
        if not self.anchor.is_change and "new_bcd" not in self.row.inputs:
            return ()
        _old, new = self._changed_days()
        if self.change is None:
            return (CycleChange(self.start, self._cycle(new), "now"),)
        if not is_changed:
            return ()
        when = "now" if "new_price" in self.row.inputs else "cycle_end"
        return (CycleChange(self.change, self._cycle(new), when, stub_due_now=True),)

    def _price_changes(self, is_changed):
        row = self.row
        changes = []
        for day, price in (row.inputs.get("price_changes") or {}).items():
            changes.append(LineChange(row.day(day), price=row.number(price, "price")))
        if "new_price" in row.inputs:
            if self.change is None:
                raise NotUnderstood("a new price without its day")
            if is_changed:
                price = row.number(row.inputs["new_price"], "new price")
                changes.append(LineChange(self.change, price=price))
        return tuple(changes)

    def _fees(self):
        kinds = {line.get("kind") for line in self.row.lines or []}
        fee = self.row.setup_fee
        if fee is None and kinds & {"setup", "one_off", "fixed"}:
            raise NotUnderstood("the fee is not stated")
        return (Fee("setup", self.start, fee, "setup"),) if fee is not None else ()

    def _forced(self):
        if day := self.row.inputs.get("recurring_next_date"):
            return self.row.day(day)
        return self.anchor.run_on

    def _billed_through(self):
        if self.takes_back:
            # Not days to leave out, but the days to take back from: see before_change.
            return None
        value = self.row.optional_day(self.row.inputs.get("billed_through"))
        first = (self.row.lines or [{}])[0].get("from")
        if value and self.peer == OCA and str(value) != first:
            # OCA's "last date invoiced" is the last day covered.
            value += _DAY
        return value

    def _one_period(self, subscription):
        """OCA's proration looks at one period: from the start to the end, by its last month."""
        if self.end is None:
            raise NotUnderstood("no end of the period")
        last = self.end - _DAY
        first_of_month = last.replace(day=1)
        return replace(subscription, mode="advance", next_bill=first_of_month)
