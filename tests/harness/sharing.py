"""Several pytest processes share one run: each takes the next file that no other has taken.

scripts/test makes a folder, starts the processes with its path in ``ISP_TEST_SHARING`` and reads there
what became of each test. In the folder are:

- ``taken-*``: a file of tests that a process has taken
- ``template``: the name of the template database, once there is one
- ``events-*``: what happened, a JSON array a line, one file for each process:
  ``["found", test, alone]`` when a test was collected, ``["ran", test, seconds]`` when it ended,
  ``["failed", test, details]`` when it, or the import of its file, failed or was skipped

Tests marked ``alone`` measure time, so that nothing may run beside them: they are left to the
process that is started with ``ISP_TEST_ALONE`` when all others have ended.
"""

import json
import os
import time
from collections import defaultdict
from pathlib import Path

import pytest

# Begun first, the longest first, so that no long file is left at the end.
LONG = [
    "test_bulk_equality.py",
    "test_billing_faults.py",
    "test_network_faults.py",
    "test_browser_pay.py",
    "test_routeros.py",
    "test_reports.py",
    "test_privacy_restore.py",
    "test_backup_restore.py",
    "test_radius_logins.py",
    "test_accounting.py",
    "test_coa.py",
    "test_uninstall.py",
    "test_radius_outage.py",
    "test_gateway_crowd.py",
    "test_telco.py",
]
TEMPLATE_TIMEOUT_S = 1800
TEMPLATE_FIXTURE = "suite_template"


class Folder:
    """The folder of a run, for both sides."""

    def __init__(self, path):
        self.path = Path(path)

    def take(self, name):
        """Take a file of tests; tell whether no other process had."""
        try:
            os.close(os.open(self.path / f"taken-{name}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def set_template(self, name):
        """Tell the processes that the template database is there."""
        unfinished = self.path / "template.new"
        unfinished.write_text(name)
        unfinished.rename(self.path / "template")

    def template(self):
        """Name of the template database, ``None`` as long as it is being built."""
        path = self.path / "template"
        return path.read_text() if path.exists() else None

    def wait_for_template(self):
        """Return the name of the template database, at the latest when it is built."""
        deadline = time.monotonic() + TEMPLATE_TIMEOUT_S
        while not (name := self.template()):
            assert time.monotonic() < deadline, "the template database is not built"
            time.sleep(0.2)
        return name

    def events(self):
        """Path for the events of a process that is about to start."""
        return self.path / f"events-{len(list(self.path.glob('events-*')))}"


class Worker:
    """The part of a process: a plugin of pytest.

    :param folder: the :class:`Folder`
    :param events: path of its events
    :param alone: it runs the tests that run alone, instead of all others
    """

    def __init__(self, folder, events, alone=False):
        self.folder = folder
        self.alone = alone
        self._events = events.open("a", buffering=1)
        self._seconds = {}

    def _tell(self, *event):
        self._events.write(json.dumps(event) + "\n")

    def pytest_collectreport(self, report):
        """Tell that a file cannot be imported."""
        if report.failed:
            self._tell("failed", report.nodeid, report.longreprtext)

    def pytest_runtest_logreport(self, report):
        """Tell what became of a test."""
        seconds = self._seconds.get(report.nodeid, 0.0) + report.duration
        self._seconds[report.nodeid] = seconds
        if report.failed:
            self._tell("failed", report.nodeid, report.longreprtext)
        elif report.skipped:
            reason = report.longrepr
            self._tell("failed", report.nodeid, str(reason[2] if type(reason) is tuple else reason))
        if report.when == "teardown":
            self._tell("ran", report.nodeid, seconds)

    def pytest_unconfigure(self):
        """Close what was opened."""
        self._events.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """Run the files that this process gets, in place of pytest's own loop."""
        for item in session.items:
            self._tell("found", item.nodeid, _is_alone(item))
        if session.config.option.collectonly:
            return None
        files = defaultdict(list)
        for item in session.items:
            if _is_alone(item) == self.alone:
                files[item.path].append(item)
        while path := self._next(files):
            group = files.pop(path)
            # Any test of another file ends what belongs to this one, and nothing of the session.
            elsewhere = next((item for item in session.items if item.path != path), None)
            for item, following in zip(group, [*group[1:], elsewhere], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
                if session.shouldstop:
                    raise session.Interrupted(session.shouldstop)
        return True

    def _next(self, files):
        """Take the next file of ``files``; ``None`` when no one is left."""
        for path in sorted(files, key=lambda path: self._rank(path, files[path])):
            if self.folder.take(f"{path.parent.name}-{path.name}-{self.alone:d}"):
                return path
            del files[path]
        return None

    def _rank(self, path, items):
        waits = self.folder.template() is None and any(
            TEMPLATE_FIXTURE in item.fixturenames for item in items
        )
        long = LONG.index(path.name) if path.name in LONG else len(LONG)
        return waits, long, path


def _is_alone(item):
    return item.get_closest_marker("alone") is not None


def from_environment():
    """The folder of the run that this process belongs to, ``None`` when pytest was called by hand."""
    path = os.environ.get("ISP_TEST_SHARING")
    return Folder(path) if path else None


def worker_from_environment():
    """The plugin that scripts/test asks for, ``None`` when pytest was called by hand."""
    folder = from_environment()
    return folder and Worker(
        folder, Path(os.environ["ISP_TEST_EVENTS"]), bool(os.environ.get("ISP_TEST_ALONE"))
    )
