"""Plays a row: bills its history on its dates and keeps what each run made."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from ..history import CycleChange, Line, LineChange, Subscription
from ..schedule import Bill, bill
from .peers import LAGO, NEGATIVE_KINDS, PLAN, Reader, options
from .row import INPUTS, NotUnderstood, Row, day_before, read_period


@dataclass
class Played:
    """What the engine made of a row.

    :param bills: ``[(label of the run, bill)]`` of the runs that the row looks at
    :param charges: the charges that the row's lines are compared with
    :param before: the bill of the dates only, before any run
    """

    bills: list
    charges: list
    before: Bill

    @property
    def last(self) -> Bill:
        """The last run's bill, or the dates when the row has no run."""
        return self.bills[-1][1] if self.bills else self.before


def play(row: Row, mode: str) -> Played:
    """Bill what the row describes."""
    if row.is_scenario:
        return _play_scenario(row, mode)
    if {"rewritten_base_price", "removed_addon"} & set(row.inputs):
        return _play_rewritten(row, mode)
    return _Player(row, mode).play()


class _Account:
    """Bills one subscription again and again and remembers what it billed."""

    def __init__(self, row):
        self.billed = []
        self._tax_percent = row.number(row.tax_pct, "tax") or Decimal(0)
        self._credit = Decimal(0)

    def run(self, subscription, day, credit=Decimal(0)):
        """Bill until ``day``."""
        result = bill(subscription, day, self.billed, credit=credit, tax_percent=self._tax_percent)
        self.billed += result.charges
        return result


class _Player:
    """Plays a row with one subscription.

    Kill Bill's and OCA's rows know their whole history from the beginning, unless they take back
    something: then the history before the change had been billed before. Lago's scheduler has run
    every hour, and learns of a change on its day.
    """

    def __init__(self, row, mode):
        self.row = row
        self.reader = Reader(row, mode)
        self.mode = mode
        self.takes_back = self.reader.takes_back
        self.learns = self.takes_back or self.reader.peer == LAGO
        self._is_prepared = False

    def play(self):
        reader = self.reader
        before = bill(reader.history(), None)
        account = _Account(self.row)
        runs = self.row.runs
        window = None
        if not runs:
            runs, window = self._runs_without_dates()
        if self.reader.peer == LAGO and runs and not window:
            self._run_before(account, runs)
        bills = []
        for text, _moment, day in runs:
            if self.learns and day < reader.start:
                bills.append((text, before))
                continue
            self._run_before_change(account, day)
            history = reader.history(day if self.learns else None)
            bills.append((text, account.run(history, day, self.row.opening_credit)))
        return Played(bills, self._looked_at(bills, window), before)

    def _runs_without_dates(self):
        """Runs of a row that names none, up to its last line, and the first day of its lines."""
        reader = self.reader
        lines = [line for line in self.row.lines or [] if line.get("from")]
        window = min((self.row.day(line["from"]) for line in lines), default=None)
        days = set()
        if reader.change and self.learns:
            days, window = {reader.change}, None
        elif reader.change and reader.end:
            days = {reader.end}
        edge = "to" if self.mode == "arrears" else "from"
        last = [self.row.day(line[edge]) for line in lines if line["kind"] not in NEGATIVE_KINDS]
        if last and (not days or (self.learns and max(last) > max(days))):
            days.add(max(last))
        return [(str(day), day, day) for day in sorted(days)], window

    def _run_before(self, account, runs):
        """Lago's scheduler ran an hour before the first run that the row looks at, or a day."""
        day = self.row.day(day_before(runs[0][1]).isoformat())
        if day >= self.reader.start:
            account.run(self.reader.history(day), day)

    def _run_before_change(self, account, day):
        """What a row takes back had been billed before anybody knew of the change."""
        reader = self.reader
        change = reader.change or day
        if self.takes_back and not self._is_prepared and day >= change:
            self._is_prepared = True
            history = reader.before_change()
            until = max(history.billing_start, change - timedelta(days=1))
            account.run(history, max(until, history.end or until))

    def _looked_at(self, bills, window):
        check = str(self.row.inputs.get("check") or "")
        if check:
            words = ("first", "second", "third", "fourth", "last")
            found = re.fullmatch(rf"lines of the ({'|'.join(words)}) run", check)
            if not found:
                raise NotUnderstood(f"unknown check {check!r}")
            number = -1 if found[1] == "last" else words.index(found[1])
            if number >= len(bills):
                raise NotUnderstood(f"there is no {found[1]} run")
            return list(bills[number][1].charges)
        charges = [charge for _text, result in bills for charge in result.charges]
        if self.takes_back and len(charges) != len(self.row.lines):
            # A correction shows the invoice that corrects, not those before.
            charges = list(bills[-1][1].charges)
        if window:
            charges = [charge for charge in charges if charge.date_from >= window]
        return charges


def _play_rewritten(row: Row, mode: str) -> Played:
    """Billed with add-ons first; then the base price or an add-on turn out to be wrong."""
    reader = Reader(row, mode)
    runs = row.runs
    if len(runs) < 2:
        raise NotUnderstood("a rewritten history without dates of the runs before")
    right = reader.history()
    removed = row.number(row.inputs.get("removed_addon"), "add-on")
    addons = row.noted_addons or ([removed] if removed is not None else [])
    if removed is not None and removed not in addons:
        raise NotUnderstood("the removed add-on is not among those billed")
    joined = runs[min(1, len(runs) - 2)][2]
    lines = [Line(f"addon {number}", price, joined=joined) for number, price in enumerate(addons)]
    wrong = replace(right, lines=(*right.lines, *lines))
    kept = [line for line in lines if line.price != removed]
    price = row.number(row.inputs.get("rewritten_base_price"), "price")
    base = right.lines[0] if price is None else replace(right.lines[0], price=price)
    right = replace(right, lines=(base, *kept))
    account, bills = _Account(row), []
    for text, _moment, day in runs:
        history = right if day == runs[-1][2] else wrong
        bills.append((text, account.run(history, day)))
    return Played(bills, list(bills[-1][1].charges), bill(right, None))


def _play_scenario(row: Row, mode: str) -> Played:
    """Several subscriptions of one account; each event is known from its day on."""
    if not row.lines or any("run" not in line for line in row.lines):
        raise NotUnderstood("a scenario without the dates of its runs")
    if set(row.inputs) & (INPUTS - {"note"}):
        raise NotUnderstood("a scenario with further inputs")
    inputs = {name: values for name, values in row.inputs.items() if name != "note"}
    members = [_Member(row, mode, name, values) for name, values in inputs.items()]
    bills, charges = [], []
    for line in row.lines:
        day = row.day(line["run"])
        results = [member.run(day) for member in members if member.start <= day]
        made = [charge for result in results for charge in result.charges]
        charges += made
        bills.append((line["run"], replace(results[0], charges=tuple(made))))
    return Played(bills, charges, bills[0][1])


class _Member:
    """One subscription of a scenario: ``{"bcd": 5, "2011-01-05": 8, "cancel": "2011-04-29"}``."""

    def __init__(self, row, mode, name, values):
        self.account = _Account(row)
        self._row, self._mode, self._name = row, mode, name
        values = dict(values)
        self._day = values.pop("bcd", None)
        self._end = row.optional_day(values.pop("cancel", None))
        try:
            self._steps = sorted((date.fromisoformat(day), what) for day, what in values.items())
        except ValueError:
            raise NotUnderstood(f"unknown inputs of {name}") from None
        if not self._steps:
            raise NotUnderstood(f"{name} never starts")
        self.start = self._steps[0][0]

    def run(self, day):
        """Bill until ``day``, with the events until then."""
        first, *later = [self._step(what) for since, what in self._steps if since <= day]
        days = [since for since, _what in self._steps]
        changes = [
            LineChange(since, price=price)
            for since, (price, _cycle) in zip(days[1:], later, strict=False)
        ]
        cycles = [
            CycleChange(since, cycle, "now")
            for since, (_price, cycle) in zip(days[1:], later, strict=False)
            if cycle
        ]
        subscription = Subscription(
            start=self.start,
            cycle=first[1] or self._cycle((self._row.period or "").split("+")[0], self._day),
            lines=(Line(PLAN, first[0], changes=tuple(changes)),),
            mode=self._mode,
            options=options(self._row),
            cycle_changes=tuple(cycles),
            end=self._end if self._end and self._end <= day else None,
        )
        return self.account.run(subscription, day)

    def _step(self, what):
        """``(price, cycle or None)`` of ``12`` or ``annual 100, bcd 31``."""
        match = re.fullmatch(r"(?:([a-z_]+) )?(\d+(?:\.\d+)?)(?:, bcd (\d+))?", str(what).lower())
        if not match:
            raise NotUnderstood(f"{self._name}: {what!r}")
        period, price, day = match.groups()
        cycle = None
        if period or day:
            cycle = self._cycle(period or (self._row.period or "").split("+")[0], day or self._day)
        return Decimal(price), cycle

    @staticmethod
    def _cycle(period, day):
        return read_period(period, anchor_day=int(day) if day else None, align="start")
