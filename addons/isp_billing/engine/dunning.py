"""When the steps of a dunning policy are due, and which of them are taken.

Plain dates and no clock: the caller says what day it is, what is unpaid and what was done already.
"""

from dataclasses import dataclass
from datetime import date, timedelta

# How far a step takes the service away. A subscription stands on one of these rungs.
RUNGS = {"throttle": 1, "suspend": 2, "terminate": 3}

# Longer rows of rest days than this are taken for a mistake, and the step keeps its day.
LONGEST_REST = 60

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Days on which nobody's service is touched.

    ``weekdays`` counts Monday as 0; ``earlier`` takes the working day before a rest day instead of
    the one after it.
    """

    weekdays: frozenset = frozenset()
    holidays: frozenset = frozenset()
    earlier: bool = False
    reminders_rest: bool = False

    def is_rest(self, day):
        """Whether ``day`` is a weekend day or a holiday."""
        return day.weekday() in self.weekdays or day in self.holidays

    def rests(self, action, day):
        """Whether a step of this kind waits on ``day``."""
        return self.is_rest(day) and (
            action in RUNGS or (action == "remind" and self.reminders_rest)
        )

    def nearest(self, day, step):
        """The first working day from ``day`` on, going back where ``step`` is negative."""
        for distance in range(LONGEST_REST):
            candidate = day + timedelta(days=distance * step)
            if not self.is_rest(candidate):
                return candidate
        return day


def scheduled_day(action, days, due, calendar):
    """The day of a step ``days`` after the due date.

    >>> friday = Calendar(weekdays=frozenset({4}))
    >>> scheduled_day("suspend", 4, date(2027, 3, 1), friday)
    datetime.date(2027, 3, 6)
    """
    day = due + timedelta(days=days)
    if not calendar.rests(action, day):
        return day
    if calendar.earlier:
        before = calendar.nearest(day, -1)
        # Nobody loses the service before the bill is overdue.
        if before > due or action not in RUNGS:
            return before
    return calendar.nearest(day, 1)


def latest_due(action, days, today, calendar):
    """The latest due date of which a step ``days`` after it has its day not after ``today``."""
    latest = today - timedelta(days=days)
    if calendar.earlier:
        latest += timedelta(days=LONGEST_REST)
    for _day in range(3 * LONGEST_REST):
        if scheduled_day(action, days, latest, calendar) <= today:
            break
        latest -= ONE_DAY
    return latest


def stopped_days(periods, due):
    """How long the clock stood still after ``due``: days of the half-open ``periods``, once each.

    >>> stopped_days([(date(2027, 3, 1), date(2027, 3, 5))], date(2027, 3, 3)).days
    2
    """
    total, reached = timedelta(0), due
    for begin, end in sorted(periods):
        begin = max(begin, reached)
        if end > begin:
            total += end - begin
            reached = end
    return total


@dataclass(frozen=True)
class DueStep:
    """A step whose day has come for one unpaid bill.

    ``is_open`` is false for what was done already or waits for its hour; ``is_done`` overtakes the
    reminders before it, also where it is held back; ``gap`` is how many days a termination keeps from the suspension, ``None`` where the policy suspends nobody.
    """

    step_id: int
    action: str
    days: int
    hour: int = 0
    sequence: int = 0
    due: date | None = None
    is_open: bool = True
    is_done: bool = False
    gap: int | None = None

    @property
    def order(self):
        """Place among the steps of a policy."""
        return (self.days, self.hour, self.sequence, self.step_id)


@dataclass(frozen=True)
class Standing:
    """What the customer still has: the rung, and the day of the suspension."""

    rung: int = 0
    suspended_on: date | None = None


def choose(steps, today, standing):
    """Which of the due steps of one subscription are taken today, and which are out of date.

    The highest rung is taken and the lower ones are passed over; a service is never ended that was
    not suspended before, and not sooner after it than the policy says. Only the latest reminder is
    sent, and none that something harder has overtaken. Late fees do not depend on anything else.

    :return: ``(taken, outdated)``, lists of :class:`DueStep`
    """
    taken = [step for step in steps if step.action == "late_fee" and step.is_open]
    outdated = []
    hard = [step for step in steps if step.is_open and _is_reachable(step, today, standing)]
    if hard:
        highest = max(hard, key=lambda step: (RUNGS[step.action], step.order))
        taken.append(highest)
        outdated += [step for step in hard if step is not highest]
    overtaken_by = [
        step.order
        for step in steps
        if step.action != "late_fee" and (step.is_done or (step in taken and step.is_open))
    ]
    reminders = sorted(
        (step for step in steps if step.action == "remind" and step.is_open),
        key=lambda step: step.order,
    )
    for reminder in reminders:
        is_late = reminder.days < 0 and today > reminder.due
        later_days = [order[0] for order in overtaken_by]
        if (
            reminder is reminders[-1]
            and not is_late
            and max(later_days, default=-999) <= (reminder.days)
        ):
            taken.append(reminder)
        else:
            outdated.append(reminder)
    return sorted(taken, key=lambda step: step.order), sorted(outdated, key=lambda s: s.order)


def _is_reachable(step, today, standing):
    """Whether the service can still be taken down to the rung of ``step`` today."""
    if RUNGS.get(step.action, 0) <= standing.rung:
        return False
    if step.action != "terminate" or step.gap is None:
        return True
    return standing.suspended_on is not None and (
        standing.suspended_on + timedelta(days=step.gap) <= today
    )
