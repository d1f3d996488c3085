"""Reads the log of Odoo's test runner.

scripts/test puts the seconds since the start in front of each line, because the times that Odoo
logs are wrong while a test freezes the clock.
"""

import re
from dataclasses import dataclass, field

STAMP = re.compile(r"^\[ *(\d+\.\d+)\] ")
LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ (?P<level>[A-Z]+) \S+ (?P<logger>\S+): "
    r"(?P<text>.*)$"
)
TEST_MODULE = re.compile(r"^odoo\.addons\.(\w+)\.tests\.")
FAILURE = re.compile(r"^(FAIL|ERROR): (?P<subtest>Subtest )?(?P<title>.*)$")
TOTAL = re.compile(r"^(\d+) failed, (\d+) error\(s\) of (\d+) tests")
# The page was still loading something when its test had already passed.
BROWSER_CLOSED = "received after termination"


@dataclass
class Entry:
    """One log message with all its lines."""

    second: float
    level: str
    logger: str
    text: str


@dataclass
class Report:
    """What happened in a run.

    ``seconds`` holds the tests that ran with their duration. ``failures`` holds (test, title,
    traceback): a test with several failed subtests has several, under the same test name.
    """

    seconds: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)
    modules: set = field(default_factory=set)
    total: int | None = None


def entries(text):
    """Split a log into messages; lines without a header belong to the message above."""
    found = []
    second = 0.0
    for line in text.splitlines():
        if stamp := STAMP.match(line):
            second = float(stamp[1])
            line = line[stamp.end() :]
        if match := LINE.match(line):
            found.append(Entry(second, match["level"], match["logger"], match["text"].rstrip()))
        elif found:
            found[-1].text += "\n" + line
    return found


def errors(text):
    """Return the messages of level ERROR and CRITICAL."""
    return [entry.text for entry in entries(text) if entry.level in ("ERROR", "CRITICAL")]


def parse(text):
    """Return the :class:`Report` of a run of Odoo's tests."""
    report = Report()
    running, since = None, None
    for entry in entries(text):
        if running and (entry.text.startswith("Starting ") or entry.logger == "odoo.tests.stats"):
            report.seconds[running] = entry.second - since
            running = None
        module = TEST_MODULE.match(entry.logger)
        if module and entry.text.startswith("Starting ") and entry.text.endswith(" ..."):
            running = f"{module[1]}:{entry.text[len('Starting ') : -len(' ...')]}"
            since = entry.second
            report.seconds.setdefault(running, 0.0)
            report.modules.add(entry.logger)
        elif entry.logger == "odoo.tests.result" and (total := TOTAL.match(entry.text)):
            report.total = int(total[3])
        elif failure := _failure(entry, module, running):
            report.failures.append(failure)
    return report


def _failure(entry, module, running):
    addon = f"{module[1]}:" if module else ""
    if module and entry.text.startswith("skipped "):
        test = addon + entry.text.removeprefix("skipped ").split(" : ")[0]
        return test, test, entry.text
    if entry.level not in ("ERROR", "CRITICAL") or BROWSER_CLOSED in entry.text:
        return None
    head, _newline, details = entry.text.partition("\n")
    if match := FAILURE.match(head):
        title = addon + match["title"]
        return (running if match["subtest"] else title), title, details
    # An error in the log that no test expected is a failure, as in Odoo's own CI.
    return running or "odoo", f"{running or 'odoo'} logged an error as {entry.logger}", entry.text
