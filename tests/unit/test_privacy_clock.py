"""engine/clock.py of isp_privacy: when a rights request is due, and what is left of the time."""

import importlib.util
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[2] / "addons/isp_privacy/engine/clock.py"


def load_source():
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location("isp_privacy_clock", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


clock = load_source()

TERMS = clock.Terms(answer_days=30, answer_months=1, extension_months=2)

days = st.dates(date(2001, 1, 1), date(2199, 12, 31))
spans = st.tuples(days, st.integers(0, 60)).map(lambda s: (s[0], s[0] + timedelta(days=s[1])))
all_terms = st.builds(
    clock.Terms,
    answer_days=st.integers(1, 120),
    answer_months=st.integers(1, 6),
    extension_months=st.integers(1, 6),
)


def on(text):
    return date.fromisoformat(text)


# === THE VECTORS OF THE SPECIFICATION === #


@pytest.mark.parametrize(
    ("received", "days_30", "month", "due", "extended"),
    [
        ("2026-01-31", "2026-03-02", "2026-02-28", "2026-02-28", "2026-04-30"),
        ("2024-01-31", "2024-03-01", "2024-02-29", "2024-02-29", "2024-04-30"),
        ("2026-02-28", "2026-03-30", "2026-03-28", "2026-03-28", "2026-05-28"),
        ("2026-12-31", "2027-01-30", "2027-01-31", "2027-01-30", "2027-03-31"),
        ("2024-02-29", "2024-03-30", "2024-03-29", "2024-03-29", "2024-05-29"),
    ],
)
def test_due_is_the_earlier_promise(received, days_30, month, due, extended):
    start = on(received)
    assert start + timedelta(days=30) == on(days_30)
    assert clock.add_months(start, 1) == on(month)
    assert clock.due_date(start, TERMS) == on(due)
    assert clock.due_date(start, TERMS, extended=True) == on(extended)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 7 * 12, "2031-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-05-31", 0, "2026-05-31"),
    ],
)
def test_a_month_ends_where_the_calendar_ends_it(start, months, expected):
    assert clock.add_months(on(start), months) == on(expected)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        # Dhaka is UTC+6 now and was UTC+7 in the summer of 2009.
        ("2026-01-30 18:00", "Asia/Dhaka", "2026-01-31"),
        ("2026-01-30 17:59", "Asia/Dhaka", "2026-01-30"),
        ("2009-07-01 17:30", "Asia/Dhaka", "2009-07-02"),
        ("2010-07-01 17:30", "Asia/Dhaka", "2010-07-01"),
        ("2026-01-30 18:29", "Asia/Kolkata", "2026-01-30"),
        ("2026-01-30 18:30", "Asia/Kolkata", "2026-01-31"),
        ("2026-01-30 23:59", "UTC", "2026-01-30"),
    ],
)
def test_the_day_of_receipt_is_the_companys(moment, zone, expected):
    naive = datetime.fromisoformat(moment)
    aware = naive.replace(tzinfo=timezone.utc)
    assert clock.local_day(naive, zone) == clock.local_day(aware, zone) == on(expected)


# === PAUSES === #


def test_the_clock_stands_still_while_proof_is_awaited():
    pauses = [(on("2026-03-03"), on("2026-03-13"))]
    paused = clock.paused_days(pauses, on("2026-03-20"))
    assert paused == 10
    assert clock.due_date(on("2026-03-01"), TERMS, paused) == on("2026-04-10")


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([], 0),
        ([("2026-03-03", "2026-03-03")], 0),
        ([("2026-03-03", None)], 17),
        ([("2026-03-03", "2026-03-05"), ("2026-03-10", "2026-03-13")], 5),
        ([("2026-03-03", "2026-03-10"), ("2026-03-05", "2026-03-12")], 9),
        ([("2026-03-05", "2026-03-06"), ("2026-03-03", "2026-03-10")], 7),
    ],
)
def test_each_paused_day_counts_once(pauses, expected):
    intervals = [(on(start), on(end) if end else None) for start, end in pauses]
    assert clock.paused_days(intervals, on("2026-03-20")) == expected


def test_proof_is_awaited_to_the_end_of_the_last_day():
    asked = on("2026-03-03")
    assert not clock.is_unanswered(asked, 14, on("2026-03-17"))
    assert clock.is_unanswered(asked, 14, on("2026-03-18"))


# === EXTENSION === #


@pytest.mark.parametrize(
    ("today", "paused", "allowed"),
    [
        ("2026-01-31", 0, True),
        ("2026-02-27", 0, True),
        ("2026-02-28", 0, False),
        ("2026-03-01", 0, False),
        ("2026-03-01", 5, True),
        ("2026-03-05", 5, False),
    ],
)
def test_an_extension_comes_before_the_due_date(today, paused, allowed):
    assert clock.may_extend(on("2026-01-31"), TERMS, on(today), paused) is allowed


# === WARNINGS === #


@pytest.mark.parametrize(
    ("today", "percent", "level"),
    [
        ("2026-03-01", 0, 0),
        ("2026-03-15", 46, 0),
        ("2026-03-16", 50, 50),
        ("2026-03-24", 76, 50),
        ("2026-03-25", 80, 80),
        ("2026-03-30", 96, 80),
        ("2026-03-31", 100, 100),
        ("2026-04-01", 103, 100),
    ],
)
def test_warnings_of_a_thirty_day_clock(today, percent, level):
    used = clock.percent_used(on("2026-03-01"), TERMS, on(today))
    assert (used, clock.warning_level(used)) == (percent, level)


def test_on_the_due_date_an_answer_is_in_time():
    due = on("2026-03-31")
    assert not clock.is_overdue(due, due)
    assert clock.is_overdue(due, on("2026-04-01"))


# === PROPERTIES === #


@given(days, all_terms)
def test_no_promise_is_broken_by_an_answer_on_the_due_date(received, terms):
    due = clock.due_date(received, terms)
    assert due > received
    assert (due - received).days <= terms.answer_days
    assert due <= clock.add_months(received, terms.answer_months)


@given(days, all_terms, st.integers(0, 400))
def test_a_pause_moves_the_due_date_by_its_days(received, terms, paused):
    for extended in (False, True):
        due = clock.due_date(received, terms, extended=extended)
        moved = clock.due_date(received, terms, paused, extended)
        assert (moved - due).days == paused


@given(days, all_terms)
def test_an_extension_never_shortens(received, terms):
    assert clock.due_date(received, terms, extended=True) >= clock.due_date(received, terms)


@given(days, st.integers(0, 1200))
def test_months_keep_the_day_or_clamp(day, months):
    later = clock.add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    following = later + timedelta(days=1)
    assert later.day == day.day or (later.day < day.day and following.day == 1)


@given(days, days, st.integers(0, 60))
def test_a_later_receipt_is_never_due_earlier(one, other, paused):
    first, second = sorted((one, other))
    assert clock.due_date(first, TERMS, paused) <= clock.due_date(second, TERMS, paused)


@given(days, all_terms, st.integers(0, 90), st.booleans(), st.integers(0, 400))
def test_all_of_the_time_is_gone_exactly_on_the_due_date(received, terms, paused, extended, later):
    due = clock.due_date(received, terms, paused, extended)
    today = received + timedelta(days=later)
    used = clock.percent_used(received, terms, today, paused, extended)
    assert (used >= 100) == (today >= due)
    tomorrow = today + timedelta(days=1)
    assert clock.percent_used(received, terms, tomorrow, paused, extended) >= used


@given(st.lists(spans, max_size=6))
def test_paused_days_are_a_set(pauses):
    expected = {
        start + timedelta(days=offset)
        for start, end in pauses
        for offset in range((end - start).days)
    }
    assert clock.paused_days(pauses, date(2199, 12, 31)) == len(expected)
