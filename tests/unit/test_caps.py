"""Caps and hours: windows at the ends of months, volume that never goes negative, speeds by hour."""

import importlib.util
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.periods import Cycle, first_boundary, whole_periods

_FILE = Path(__file__).parents[2] / "addons/isp_network/usage/caps.py"
_SPEC = importlib.util.spec_from_file_location("caps", _FILE)
caps = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(caps)

GB = caps.GB
NIGHT = caps.Hours(frozenset(range(7)), 0, 6 * 60, percent=200)
PLAN = caps.Rates(20_000, 10_000, 40_000, 20_000)

days = st.dates(date(2024, 1, 1), date(2034, 12, 31))
cycles = st.one_of(
    st.builds(
        Cycle,
        st.sampled_from(["month", "quarter", "half_year", "year"]),
        st.integers(1, 3),
        st.one_of(st.none(), st.integers(1, 31)),
    ),
    st.builds(Cycle, st.sampled_from(["day", "week"]), st.integers(1, 40)),
)


def day(text):
    return date.fromisoformat(text)


def cycle_days(on, start, cycle):
    return caps.cycle_window(on, start, cycle, first_boundary(start, cycle))


# === WINDOWS === #


@pytest.mark.parametrize(
    ("start", "anchor", "on", "expected"),
    [
        ("2027-01-31", 31, "2027-02-27", ("2027-01-31", "2027-02-28")),
        ("2027-01-31", 31, "2027-02-28", ("2027-02-28", "2027-03-31")),
        ("2027-01-31", 31, "2027-03-30", ("2027-02-28", "2027-03-31")),
        ("2027-01-31", 31, "2027-03-31", ("2027-03-31", "2027-04-30")),
        ("2027-01-31", 31, "2028-02-29", ("2028-02-29", "2028-03-31")),
        ("2027-01-29", 29, "2027-02-28", ("2027-02-28", "2027-03-29")),
        ("2027-01-30", None, "2027-02-28", ("2027-02-28", "2027-03-30")),
        ("2027-01-30", None, "2027-03-29", ("2027-02-28", "2027-03-30")),
        ("2027-01-15", 1, "2027-01-20", ("2027-01-01", "2027-02-01")),
    ],
)
def test_a_cycle_at_the_end_of_the_month(start, anchor, on, expected):
    found = cycle_days(day(on), day(start), Cycle("month", 1, anchor))
    assert tuple(map(str, found)) == expected


@given(days, cycles, st.integers(0, 2500))
def test_the_window_is_the_billing_period(start, cycle, later):
    on = start + timedelta(days=later)
    begin, end = cycle_days(on, start, cycle)
    assert begin <= on < end
    for period in whole_periods(start, cycle):
        if period[1] > on:
            assert period == (begin, end)
            break


@given(days, cycles, st.integers(0, 800), st.sampled_from(caps.PERIODS), st.integers(0, 6))
def test_windows_leave_no_gap_and_do_not_overlap(start, cycle, later, period, weekday):
    on = start + timedelta(days=later)

    def window(moment):
        return caps.window_on(moment, period, cycle_days(moment, start, cycle), weekday)

    begin, end = window(on)
    assert begin <= on < end
    assert window(begin) == window(end - timedelta(days=1)) == (begin, end)
    assert window(end)[0] == end
    if period == "week":
        assert begin.weekday() == weekday and (end - begin).days == 7


def test_an_unknown_period_is_refused():
    with pytest.raises(ValueError):
        caps.window_on(day("2027-01-01"), "moon", (None, None))


# === VOLUME === #


@pytest.mark.parametrize("action", caps.ACTIONS)
def test_the_action_comes_with_the_last_byte(action):
    rule = caps.Rule(100 * GB, action)
    assert caps.reached(rule, caps.Account(rule.included, used=100 * GB - 1)) == ""
    assert caps.reached(rule, caps.Account(rule.included, used=100 * GB)) == action
    assert caps.reached(rule, caps.Account(rule.included, topped_up=1, used=100 * GB)) == ""


def test_unused_volume_is_carried_over_by_choice_and_within_its_limit():
    account = caps.Account(100 * GB, used=30 * GB)
    assert caps.carried_over(caps.Rule(100 * GB), account) == 0
    assert caps.carried_over(
        caps.Rule(100 * GB, carry_over=True, carry_limit=50 * GB), account
    ) == (50 * GB)
    assert caps.carried_over(
        caps.Rule(100 * GB, carry_over=True, carry_limit=90 * GB), account
    ) == (70 * GB)


octets = st.integers(0, 10**15)
accounts = st.builds(caps.Account, octets, octets, octets, octets)


@given(accounts, octets, st.booleans())
def test_volume_adds_up(account, limit, carry_over):
    assert account.left + account.used == account.allowed + account.over
    assert min(account.left, account.over) == 0
    carried = caps.carried_over(
        caps.Rule(account.included, carry_over=carry_over, carry_limit=limit), account
    )
    assert 0 <= carried <= min(account.left, limit)
    assert bool(caps.reached(caps.Rule(account.included), account)) == (account.left == 0)


@given(accounts, octets)
def test_a_top_up_is_taken_back_only_while_nothing_of_it_is_used(account, volume):
    if caps.can_undo_top_up(account, volume):
        after = caps.Account(
            account.included, account.carried, account.topped_up - volume, account.used
        )
        assert after.over == 0


@given(octets, st.integers(1, 10**12))
def test_each_notice_once_and_the_higher_one_alone(used, included):
    account = caps.Account(included, used=used)
    due = caps.due_notices(account)
    assert due in ([], [80], [100])
    assert (due == [100]) == (used >= included)
    assert due == [] or caps.due_notices(account, due) == []


@pytest.mark.parametrize(("over", "sold"), [(0, 0), (1, 1), (GB, 1), (GB + 1, 2)])
def test_overage_counts_gigabytes_begun(over, sold):
    assert caps.started_gigabytes(over) == sold


# === HOURS === #


def moment(text):
    return datetime.fromisoformat(text)


WEEKEND = caps.Hours(frozenset({4, 5}), 22 * 60, 6 * 60, rates=caps.Rates(50_000, 50_000))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2027-03-03 00:00", 40_000),  # Wednesday night
        ("2027-03-03 05:59", 40_000),
        ("2027-03-03 06:00", 20_000),
        ("2027-03-05 21:59", 20_000),  # Friday evening
        ("2027-03-05 22:00", 50_000),
        ("2027-03-06 05:59", 50_000),  # it began on Friday
        ("2027-03-06 06:00", 20_000),
        ("2027-03-07 05:00", 50_000),  # it began on Saturday
        ("2027-03-08 05:00", 40_000),  # Sunday has no such evening
    ],
)
def test_speeds_by_hour_the_first_rule_wins(when, expected):
    assert caps.speed_at(moment(when), [WEEKEND, NIGHT], PLAN).download == expected


def test_a_share_of_the_speed_takes_the_burst_with_it():
    assert NIGHT.apply(PLAN) == caps.Rates(40_000, 20_000, 80_000, 40_000)
    assert caps.Rates(10, 10).scaled(1) == caps.Rates(1, 1), "0 would mean unlimited"


def test_the_next_change_of_speed():
    assert caps.next_change(moment("2027-03-03 12:00"), [WEEKEND, NIGHT]) == moment(
        "2027-03-04 00:00"
    )
    assert caps.next_change(moment("2027-03-05 12:00"), [WEEKEND, NIGHT]) == moment(
        "2027-03-05 22:00"
    )
    assert caps.next_change(moment("2027-03-05 12:00"), []) is None
    always = caps.Hours(frozenset(range(7)), 0, 0, percent=50)
    assert caps.next_change(moment("2027-03-05 12:00"), [always]) is None


hours = st.builds(
    caps.Hours,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1439),
    percent=st.integers(1, 400),
)
moments = st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31)).map(
    lambda found: found.replace(second=0, microsecond=0)
)


@given(moments, st.lists(hours, max_size=3))
def test_nothing_changes_before_the_next_change(when, rules):
    def rule_at(now):
        return next((index for index, rule in enumerate(rules) if rule.covers(now)), None)

    change = caps.next_change(when, rules)
    until = change or when + timedelta(days=8)
    step = when
    while step < until:
        assert rule_at(step) == rule_at(when)
        step += timedelta(minutes=7)
    if change:
        assert rule_at(change) != rule_at(change - timedelta(minutes=1))
