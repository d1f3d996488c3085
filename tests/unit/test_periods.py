"""Billing periods: the cases other systems assert, and properties that hold for every case."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.periods import (
    Cycle,
    amount,
    due_periods,
    first_boundary,
    fraction_of,
)

MONTHLY = Cycle("month", 1, 1)


def day(text):
    return date.fromisoformat(text)


def spans(periods):
    return [(str(period.date_from), str(period.date_to)) for period in periods]


@pytest.mark.parametrize(
    ("start", "cycle", "expected"),
    [
        ("2026-01-01", MONTHLY, "2026-01-01"),
        ("2026-01-02", MONTHLY, "2026-02-01"),
        ("2026-02-10", Cycle("month", 1, 31), "2026-02-28"),
        ("2026-01-15", Cycle("month", 1, None), "2026-01-15"),
        ("2026-01-15", Cycle("week", 2, 1), "2026-01-15"),
        ("2026-12-02", Cycle("year", 1, 1), "2027-01-01"),
    ],
)
def test_first_billing_date(start, cycle, expected):
    assert first_boundary(day(start), cycle) == day(expected)


def test_the_31st_is_kept_through_shorter_months():
    periods = due_periods(day("2027-12-31"), Cycle("month", 1, 31), day("2028-05-01"))
    assert [str(period.date_from) for period in periods] == [
        *("2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30")
    ]
    assert all(period.fraction == 1 for period in periods)


def test_an_anniversary_on_the_31st_does_not_drift_either():
    periods = due_periods(day("2026-01-31"), Cycle("month"), day("2026-04-30"))
    assert [str(period.date_from) for period in periods] == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30")
    ]


def test_leading_and_trailing_stub():
    periods = due_periods(day("2026-01-15"), MONTHLY, day("2026-03-01"), end=day("2026-02-10"))
    assert [(period.rule, period.fraction) for period in periods] == [
        ("leading_stub", fraction_of(17, 31)),
        ("trailing_stub", fraction_of(9, 28)),
    ]


def test_begun_and_ended_between_two_billing_dates():
    (period,) = due_periods(day("2026-01-05"), MONTHLY, day("2026-03-01"), end=day("2026-01-10"))
    # One month back from 10 January is 10 December: 31 days.
    assert period.fraction == fraction_of(5, 31)


def test_advance_bills_what_has_begun_and_arrears_what_has_ended():
    start = day("2026-01-01")
    for target, advance, arrears in (
        ("2025-12-31", 0, 0),
        ("2026-01-01", 1, 0),
        ("2026-01-31", 1, 0),
        ("2026-02-01", 2, 1),
    ):
        assert len(due_periods(start, MONTHLY, day(target))) == advance, target
        assert len(due_periods(start, MONTHLY, day(target), arrears=True)) == arrears, target


def test_proration_policies():
    def first(proration):
        return due_periods(day("2026-01-15"), MONTHLY, day("2026-01-15"), proration=proration)[0]

    assert (first("exact").rule, first("exact").fraction) == ("leading_stub", fraction_of(17, 31))
    assert (first("none").rule, first("none").fraction) == ("whole_stub", 1)
    assert (first("free_first_stub").rule, first("free_first_stub").fraction) == ("free_stub", 0)


def test_a_part_left_over_by_another_system_is_not_free():
    (period,) = due_periods(
        *(day("2025-01-01"), MONTHLY, day("2026-01-20")),
        billed_through=day("2026-01-15"),
        proration="free_first_stub",
    )
    assert (period.rule, period.fraction) == ("leading_stub", fraction_of(17, 31))


def test_amounts_are_rounded_half_up_once():
    assert fraction_of(14, 31) == Decimal("0.451612903")
    assert amount(Decimal("249.95"), Decimal(1), fraction_of(14, 31), 2) == Decimal("112.88")
    assert amount(Decimal("0.125"), Decimal(1), Decimal(1), 2) == Decimal("0.13")


@pytest.mark.parametrize(
    "arguments",
    [("fortnight", 1, 1), ("month", 0, 1), ("month", 1, 0), ("month", 1, 32)],
)
def test_impossible_cycles_are_refused(arguments):
    with pytest.raises(ValueError):
        Cycle(*arguments)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="before it starts"):
        due_periods(day("2026-02-01"), MONTHLY, day("2026-03-01"), end=day("2026-01-01"))
    with pytest.raises(ValueError, match="Unknown proration"):
        due_periods(day("2026-01-15"), MONTHLY, day("2026-03-01"), proration="other")


cycles = st.one_of(
    st.builds(
        Cycle,
        st.sampled_from(["month", "quarter", "half_year", "year"]),
        st.integers(1, 3),
        st.one_of(st.none(), st.integers(1, 31)),
    ),
    st.builds(Cycle, st.sampled_from(["day", "week"]), st.integers(1, 40)),
)
starts = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(start=starts, cycle=cycles, length=st.integers(0, 900), arrears=st.booleans())
def test_no_gap_and_no_overlap(start, cycle, length, arrears):
    periods = due_periods(start, cycle, start + timedelta(days=length), arrears=arrears)
    edges = [start] if periods else []
    for period in periods:
        assert period.date_from == edges[-1]
        assert period.date_from < period.date_to
        assert 0 < period.fraction <= 1
        edges.append(period.date_to)
    # Only the first part may be shorter than a whole period while the service runs.
    assert all(period.fraction == 1 for period in periods[1:])


@given(
    start=starts,
    cycle=cycles,
    length=st.integers(1, 500),
    jumps=st.lists(st.integers(-60, 500), max_size=8),
    arrears=st.booleans(),
)
def test_any_jumps_of_the_clock_give_the_same_bills(start, cycle, length, jumps, arrears):
    end = start + timedelta(days=length)
    last = end + timedelta(days=1)
    at_once = due_periods(start, cycle, last, end=end, arrears=arrears)
    collected, billed_through = [], None
    for target in [*(start + timedelta(days=jump) for jump in jumps), last]:
        new = due_periods(
            start, cycle, target, end=end, billed_through=billed_through, arrears=arrears
        )
        collected += new
        billed_through = new[-1].date_to if new else billed_through
    assert collected == at_once
    assert spans(at_once)[0][0] == str(start)
    assert spans(at_once)[-1][1] == str(end)


@given(start=starts, cycle=cycles, days=st.integers(1, 27))
def test_two_parts_of_a_whole_period_cost_the_whole(start, cycle, days):
    (whole,) = due_periods(first_boundary(start, cycle), cycle, first_boundary(start, cycle))[:1]
    length = (whole.date_to - whole.date_from).days
    split = min(days, length - 1)
    parts = fraction_of(split, length) + fraction_of(length - split, length)
    assert abs(parts - 1) <= Decimal("0.000000001")
