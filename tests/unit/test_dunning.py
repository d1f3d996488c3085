"""engine/dunning.py: days of steps, and which of the due steps are taken."""

import importlib.util
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[2] / "addons/isp_billing/engine/dunning.py"


def load_source():
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location("isp_dunning", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


dunning = load_source()

MONDAY = date(2027, 3, 1)
ACTIONS = ["remind", "late_fee", "throttle", "suspend", "terminate"]

days_of_year = st.dates(date(2027, 1, 1), date(2027, 12, 31))
calendars = st.builds(
    dunning.Calendar,
    weekdays=st.frozensets(st.integers(0, 6), max_size=3),
    holidays=st.frozensets(days_of_year, max_size=20),
    earlier=st.booleans(),
    reminders_rest=st.booleans(),
)


@st.composite
def due_steps(draw):
    """Steps of one policy for one bill that were reached by today."""
    today = draw(days_of_year)
    due = today - timedelta(days=draw(st.integers(0, 100)))
    steps = []
    for number in range(draw(st.integers(0, 6))):
        action = draw(st.sampled_from(ACTIONS))
        first = -5 if action == "remind" else 1
        last = (today - due).days
        if last < first:
            continue
        is_open = draw(st.booleans())
        steps.append(
            dunning.DueStep(
                step_id=number,
                action=action,
                days=draw(st.integers(first, last)),
                due=due,
                is_open=is_open,
                is_done=not is_open and draw(st.booleans()),
                gap=draw(st.one_of(st.none(), st.integers(1, 30))),
            )
        )
    rung = draw(st.integers(0, 2))
    suspended_on = today - timedelta(days=draw(st.integers(0, 40))) if rung == 2 else None
    return steps, today, dunning.Standing(rung, suspended_on)


@pytest.mark.parametrize(
    ("weekdays", "earlier", "days", "expected"),
    [
        (set(), False, 4, date(2027, 3, 5)),
        ({4, 5}, False, 4, date(2027, 3, 7)),
        ({4, 5}, True, 4, date(2027, 3, 4)),
        # Not on the due date itself, nor before: the next working day then.
        ({1, 2}, True, 2, date(2027, 3, 4)),
    ],
)
def test_hard_steps_keep_off_rest_days(weekdays, earlier, days, expected):
    calendar = dunning.Calendar(weekdays=frozenset(weekdays), earlier=earlier)
    assert dunning.scheduled_day("suspend", days, MONDAY, calendar) == expected


@given(
    st.sampled_from(["throttle", "suspend", "terminate"]),
    st.integers(1, 90),
    days_of_year,
    calendars,
)
def test_nobody_is_touched_on_a_rest_day_or_before_the_bill_is_overdue(action, days, due, calendar):
    day = dunning.scheduled_day(action, days, due, calendar)
    assert not calendar.is_rest(day)
    assert day > due


@given(st.sampled_from(ACTIONS), st.integers(1, 90), days_of_year, calendars)
def test_the_latest_due_date_is_the_latest(action, days, today, calendar):
    latest = dunning.latest_due(action, days, today, calendar)
    assert dunning.scheduled_day(action, days, latest, calendar) <= today
    for later in range(1, 70):
        due = latest + timedelta(days=later)
        assert dunning.scheduled_day(action, days, due, calendar) > today


@given(due_steps())
def test_at_most_one_rung_and_one_reminder_at_a_time(case):
    steps, today, standing = case
    taken, outdated = dunning.choose(steps, today, standing)
    rungs = [step for step in taken if step.action in dunning.RUNGS]
    assert len(rungs) <= 1
    assert len([step for step in taken if step.action == "remind"]) <= 1
    assert not set(taken) & set(outdated)
    assert all(step.is_open for step in taken + outdated)
    assert all(dunning.RUNGS[step.action] > standing.rung for step in rungs)
    if rungs and rungs[0].action == "terminate" and rungs[0].gap is not None:
        assert standing.rung == 2


@given(due_steps())
def test_every_late_fee_is_charged(case):
    steps, today, standing = case
    taken, _outdated = dunning.choose(steps, today, standing)
    assert {step for step in steps if step.action == "late_fee" and step.is_open} == {
        step for step in taken if step.action == "late_fee"
    }


@given(due_steps(), st.randoms())
def test_the_order_of_the_steps_does_not_matter(case, random):
    steps, today, standing = case
    shuffled = steps.copy()
    random.shuffle(shuffled)
    assert dunning.choose(steps, today, standing) == dunning.choose(shuffled, today, standing)


@given(st.lists(st.tuples(days_of_year, st.integers(0, 60)), max_size=6), days_of_year)
def test_a_day_on_which_the_clock_stood_still_counts_once(periods, due):
    periods = [(begin, begin + timedelta(days=length)) for begin, length in periods]
    still = {
        begin + timedelta(days=offset)
        for begin, end in periods
        for offset in range((end - begin).days)
    }
    expected = len([day for day in still if day >= due])
    assert dunning.stopped_days(periods, due).days == expected
