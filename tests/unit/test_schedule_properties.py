"""What holds for every history: nothing twice, nothing forgotten, the same books however they came."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.discounts import Discount
from engine.history import (
    CycleChange,
    Deposit,
    Fee,
    Line,
    LineChange,
    Options,
    Pause,
    Subscription,
    Term,
)
from engine.parts import days_between
from engine.periods import Cycle
from engine.repair import open_pieces
from engine.schedule import bill
from engine.spans import join

START = date(2026, 1, 1)
LAST_EVENT = START + timedelta(days=400)
FAR = LAST_EVENT + timedelta(days=1)

days = st.integers(0, 400).map(lambda number: START + timedelta(days=number))
prices = st.decimals(0, 5000, places=2).map(Decimal)
percents = st.sampled_from([Decimal(10), Decimal("33.33"), Decimal(50), Decimal(100)])
cycles = st.one_of(
    st.builds(
        Cycle,
        st.sampled_from(["month", "month", "quarter"]),
        st.integers(1, 2),
        st.one_of(st.none(), st.integers(1, 31)),
        st.sampled_from(["month", "start", "calendar"]),
    ),
    st.builds(Cycle, st.sampled_from(["day", "week"]), st.integers(5, 30)),
)
changes = st.builds(
    LineChange,
    days,
    st.one_of(st.none(), prices),
    st.one_of(st.none(), st.integers(1, 5).map(Decimal)),
    st.sampled_from(["now", "cycle_end"]),
)
discounts = st.builds(
    Discount,
    st.just("discount"),
    percent=percents,
    date_from=st.one_of(st.none(), days),
    first_cycles=st.one_of(st.none(), st.integers(1, 3)),
    max_total=st.one_of(st.none(), st.integers(1, 900).map(Decimal)),
)
options = st.builds(
    Options,
    thirty_days=st.booleans(),
    whole_parts=st.booleans(),
    free_first_stub=st.booleans(),
    last_day_counts=st.booleans(),
    short_service=st.sampled_from(["back_from_end", "whole_period"]),
    bill_on_last_day=st.booleans(),
)


@st.composite
def lines(draw, key):
    joined, left = sorted(draw(st.tuples(days, days)))
    numbered = [
        replace(change, sequence=number)
        for number, change in enumerate(draw(st.lists(changes, max_size=3)))
    ]
    return Line(
        key,
        draw(prices),
        joined=draw(st.sampled_from([None, joined])),
        left=draw(st.sampled_from([None, left])),
        changes=tuple(numbered),
        discounts=tuple(draw(st.lists(discounts, max_size=1))),
    )


@st.composite
def pauses(draw):
    edges = sorted(draw(st.lists(days, max_size=4, unique=True)))
    policies = st.sampled_from(["keep", "credit", "extend"])
    return tuple(
        Pause(begin, end, draw(policies))
        for begin, end in zip(edges[::2], edges[1::2], strict=False)
    )


@st.composite
def histories(draw, start=None):
    """A history whose last event is not after ``LAST_EVENT``."""
    start = start or draw(days.filter(lambda day: day < START + timedelta(days=200)))
    end = draw(st.one_of(st.none(), days.filter(lambda day: day >= start)))
    moves = st.builds(CycleChange, days, cycles, st.sampled_from(["now", "cycle_end"]))
    return Subscription(
        start=start,
        cycle=draw(cycles),
        lines=(draw(lines("plan")), draw(lines("addon"))),
        mode=draw(st.sampled_from(["advance", "arrears"])),
        options=draw(options),
        cycle_changes=tuple(draw(st.lists(moves, max_size=1))),
        pauses=draw(pauses()),
        end=end,
        end_policy=draw(st.sampled_from(["credit", "no_credit"])),
        term=draw(st.sampled_from([None, Term(LAST_EVENT, Decimal(100), Decimal(10))])),
        trial_days=draw(st.sampled_from([0, 0, 14])),
        fees=draw(st.sampled_from([(), (Fee("fee", start, Decimal("99.99"), "setup"),)])),
        deposits=draw(st.sampled_from([(), (Deposit("box", start, Decimal(50)),)])),
    )


def total(charges):
    return sum((charge.amount for charge in charges), Decimal(0))


def covered(charges):
    """Billed days of each line, repairs taken off."""
    spans = {}
    for piece in open_pieces(list(charges)):
        spans.setdefault(piece.charge.line, []).extend(piece.spans)
    return {line: join(found) for line, found in spans.items()}


def worth(charges):
    """What is left of each line's charges, whichever bills they came on."""
    sums = {}
    for charge in charges:
        sums[charge.line] = sums.get(charge.line, 0) + charge.amount
    return {line: amount for line, amount in sums.items() if amount}


def run(history, targets, billed=()):
    """Everything billed by one run for each target."""
    billed = list(billed)
    for target in targets:
        billed += bill(history, max(target, history.start), billed).charges
    return billed


many = settings(max_examples=100, deadline=None)


@many
@given(history=histories())
def test_no_day_is_billed_twice(history):
    charges = bill(history, FAR).charges
    for line in ("plan", "addon"):
        spans = sorted(
            (charge.date_from, charge.date_to)
            for charge in charges
            if charge.line == line and charge.kind == "recurring"
        )
        for before, after in zip(spans, spans[1:], strict=False):
            assert before[0] < before[1] <= after[0]


@many
@given(history=histories())
def test_no_day_is_forgotten(history):
    """Every day from the first to the last is billed, but those of pauses that give credit."""
    plain = replace(history, end=None, lines=(Line("plan", Decimal(100)),))
    charges = bill(plain, FAR).charges
    spans = [(charge.date_from, charge.date_to) for charge in charges if charge.kind == "recurring"]
    free = [
        (pause.date_from, pause.date_to) for pause in history.pauses if pause.policy == "credit"
    ]
    if not spans or plain.options.whole_parts:
        return
    gaps = zip(join(spans), join(spans)[1:], strict=False)
    found = [(before[1], after[0]) for before, after in gaps]
    assert all(any(begin <= gap[0] and gap[1] <= end for begin, end in free) for gap in found)
    assert history.billing_start <= spans[0][0]


@many
@given(history=histories(), marks=st.lists(days, max_size=4))
def test_the_parts_of_a_period_sum_to_the_whole(history, marks):
    """Changes of price divide periods; the shares of the parts add up to the undivided ones."""
    plain = replace(
        history,
        end=None,
        pauses=(),
        lines=(Line("plan", Decimal(100)),),
        options=replace(history.options, whole_parts=False),
    )
    at_price = tuple(
        LineChange(mark, price=Decimal(200 + number)) for number, mark in enumerate(marks)
    )
    divided = replace(plain, lines=(Line("plan", Decimal(100), changes=at_price),))
    whole = bill(plain, FAR).charges
    parts = bill(divided, FAR).charges
    for charge in whole:
        inside = [
            part.fraction
            for part in parts
            if part.kind == "recurring"
            and charge.date_from <= part.date_from
            and part.date_to <= charge.date_to
        ]
        is_whole = history.mode == "arrears" or charge.date_to <= LAST_EVENT
        if charge.kind == "recurring" and is_whole:
            assert abs(sum(inside) - charge.fraction) <= Decimal("5e-9")


@given(first=days, length=st.integers(0, 400), split=st.integers(0, 400))
def test_thirty_day_counts_add_up(first, length, split):
    middle = first + timedelta(days=min(split, length))
    last = first + timedelta(days=length)
    whole = days_between(first, last, thirty_days=True)
    parts = days_between(first, middle, thirty_days=True)
    assert parts + days_between(middle, last, thirty_days=True) == whole


@many
@given(history=histories(), targets=st.lists(days, max_size=6))
def test_reruns_and_jumps_of_the_clock_give_the_same_books(history, targets):
    at_once = run(history, [FAR])
    jumping = run(history, [*targets, FAR, *reversed(targets), FAR])
    key = repr
    assert sorted(jumping, key=key) == sorted(at_once, key=key)


@many
@given(data=st.data(), targets=st.lists(days, max_size=3))
def test_corrected_books_are_those_of_the_final_history(data, targets):
    """However often the history was rewritten, the sum is as if it had always been the last one."""
    billed = []
    for target in targets:
        history = data.draw(histories(start=START))
        billed = run(history, [target], billed)
    final = data.draw(histories(start=START))
    corrected = run(final, [FAR], billed)
    scratch = run(final, [FAR])
    assert total(corrected) == total(scratch)
    assert worth(corrected) == worth(scratch)


@many
@given(data=st.data(), target=days)
def test_a_repaired_history_needs_no_repair(data, target):
    policy = data.draw(st.sampled_from(["scratch", "removed"]))

    def draw():
        history = data.draw(histories(start=START))
        return replace(history, options=replace(history.options, repair=policy))

    billed = run(draw(), [target])
    final = draw()
    billed = run(final, [FAR], billed)
    assert bill(final, FAR, billed).charges == ()
    assert bill(final, max(target, START), billed).charges == ()


@many
@given(history=histories(), seed=st.integers())
def test_the_order_of_events_does_not_matter(history, seed):
    random = Random(seed)

    def shuffled(items):
        return tuple(random.sample(items, len(items)))

    other = replace(
        history,
        pauses=shuffled(history.pauses),
        fees=shuffled(history.fees),
        lines=tuple(
            replace(line, changes=shuffled(line.changes), discounts=shuffled(line.discounts))
            for line in history.lines
        ),
    )
    assert bill(other, FAR) == bill(history, FAR)


@many
@given(history=histories(), target=days)
def test_the_next_bill_date_is_the_next_day_with_a_bill(history, target):
    billed = run(history, [target])
    target = max(target, history.start)
    next_day = bill(history, target, billed).next_bill_date
    if next_day is None:
        assert bill(history, FAR + timedelta(days=400), billed).charges == ()
        return
    assert next_day > target
    assert bill(history, next_day - timedelta(days=1), billed).charges == ()
    assert bill(history, next_day, billed).charges
