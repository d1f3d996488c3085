"""engine/retention.py of isp_privacy: the first and the last day of what the law and a policy say."""

import importlib
import sys
import types
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ENGINE = Path(__file__).parents[2] / "addons/isp_privacy/engine"


def load_engine():
    """Load the folder as a package of its own: the addon around it needs Odoo."""
    package = types.ModuleType("isp_privacy_engine")
    package.__path__ = [str(ENGINE)]
    sys.modules[package.__name__] = package
    return importlib.import_module("isp_privacy_engine.retention")


retention = load_engine()
Limits = retention.Limits

# Not near 2100, which has no leap day: numbers that fit four years may not fit there.
days = st.dates(date(2001, 1, 1), date(2070, 12, 31))
all_limits = st.builds(
    Limits,
    min_days=st.integers(0, 4000),
    min_months=st.integers(0, 120),
    max_days=st.integers(0, 4000),
    max_months=st.integers(1, 120),
    fiscal_month=st.integers(0, 12),
    shift_months=st.integers(0, 12),
)


@pytest.mark.proves("P-29", "P-30")
@pytest.mark.parametrize(
    ("day", "limits", "last"),
    [
        ("2023-02-28", Limits(max_days=365), "2024-02-28"),
        ("2023-03-01", Limits(max_days=365), "2024-02-29"),
        ("2023-03-01", Limits(max_months=12), "2024-03-01"),
        ("2023-03-01", Limits(max_days=365, max_months=12), "2024-02-29"),
        ("2024-02-29", Limits(max_days=365), "2025-02-28"),
        ("2024-02-29", Limits(max_months=12), "2025-02-28"),
        ("2024-02-29", Limits(max_months=84), "2031-02-28"),
        ("2024-02-29", Limits(max_days=2557), "2031-03-01"),
        ("2024-02-29", Limits(max_days=2557, max_months=84), "2031-02-28"),
        ("2024-02-29", Limits(max_months=48), "2028-02-29"),
        ("2026-01-31", Limits(max_months=1), "2026-02-28"),
        # Years of Bangladesh end in June, those of India in March with the return in December.
        ("2026-06-30", Limits(max_months=84, fiscal_month=6), "2033-06-30"),
        ("2026-07-01", Limits(max_months=84, fiscal_month=6), "2034-06-30"),
        ("2026-03-31", Limits(max_months=96, fiscal_month=3, shift_months=9), "2034-12-31"),
        ("2026-04-01", Limits(max_months=96, fiscal_month=3, shift_months=9), "2035-12-31"),
        ("2024-02-29", Limits(max_months=12, fiscal_month=2), "2025-02-28"),
        ("2024-12-31", Limits(max_months=12, fiscal_month=12), "2025-12-31"),
    ],
)
def test_the_last_day_on_which_a_record_may_be_there(day, limits, last):
    assert retention.last_day(date.fromisoformat(day), limits) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("day", "limits", "last"),
    [
        ("2024-02-29", Limits(min_days=180), "2024-08-27"),
        ("2024-02-29", Limits(min_months=12), "2025-02-28"),
        ("2023-03-01", Limits(min_days=365, min_months=12), "2024-03-01"),
        ("2026-05-05", Limits(min_days=1826, min_months=60, fiscal_month=6), "2031-06-30"),
        ("2026-05-05", Limits(), "2026-05-05"),
    ],
)
def test_the_last_day_on_which_the_law_asks_for_it(day, limits, last):
    assert retention.kept_until(date.fromisoformat(day), limits) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("today", "newest"),
    [
        (
            "2025-02-28",
            "2024-02-27",
        ),  # 28 and 29 February may stay on this day, and on no later one
        ("2025-03-01", "2024-02-29"),
        ("2025-03-02", "2024-03-01"),
    ],
)
def test_a_record_of_a_leap_day_goes_on_the_first_of_march(today, newest):
    limits = Limits(max_days=366, max_months=12)
    assert retention.newest_due(date.fromisoformat(today), limits) == date.fromisoformat(newest)


@given(today=days, limits=all_limits)
def test_the_newest_day_is_the_border_of_what_is_due(today, limits):
    newest = retention.newest_due(today, limits)
    assert retention.last_day(newest, limits) < today
    assert retention.last_day(newest + timedelta(days=1), limits) >= today


@given(today=days, limits=all_limits)
def test_the_newest_day_is_the_border_of_what_is_free(today, limits):
    newest = retention.newest_free(today, limits)
    assert retention.kept_until(newest, limits) < today
    assert retention.kept_until(newest + timedelta(days=1), limits) >= today


@given(today=days, limits=all_limits)
def test_nothing_is_due_that_the_law_asks_for_unless_the_limits_contradict(today, limits):
    if not retention.is_contradiction(limits):
        assert retention.newest_due(today, limits) <= retention.newest_free(today, limits)


@given(day=days, limits=all_limits)
def test_later_records_never_go_before_earlier_ones(day, limits):
    following = day + timedelta(days=1)
    assert retention.last_day(day, limits) <= retention.last_day(following, limits)
    assert retention.kept_until(day, limits) <= retention.kept_until(following, limits)


@pytest.mark.parametrize(
    ("limits", "contradiction"),
    [
        (Limits(min_days=730, max_days=365), True),
        (Limits(min_days=730, max_days=1095), False),
        (Limits(min_days=365, max_days=365), False),
        (Limits(min_months=12, max_days=365), True),  # 366 days, where there is a leap day
        (Limits(min_months=12, max_days=366), False),
        (Limits(min_days=366, max_months=12), True),
        (Limits(min_months=84, max_days=2557, max_months=84), False),
        (Limits(min_days=2557, max_months=84), True),
    ],
)
def test_limits_that_contradict_each_other(limits, contradiction):
    assert retention.is_contradiction(limits) == contradiction


def test_the_longest_time_counts_days():
    assert retention.longest_days(Limits(max_days=30)) == 30
    assert retention.longest_days(Limits(max_months=1)) == 31
    assert retention.longest_days(Limits(max_months=12)) == 366
