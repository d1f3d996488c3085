"""Two pytest processes share the files of a run: nothing is run twice and nothing is forgotten."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.sharing import Folder

TESTS = Path(__file__).resolve().parents[1]
CONFTEST = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
import pytest
from harness import sharing

def pytest_configure(config):
    config.addinivalue_line("markers", "alone: runs alone")
    config.pluginmanager.register(sharing.worker_from_environment())

@pytest.fixture(scope="session")
def suite_template():
    return sharing.from_environment().wait_for_template()

@pytest.fixture(scope="module")
def of_the_file(request):
    open({{log!r}}, "a").write("begin " + request.module.__name__ + chr(10))
    yield
    open({{log!r}}, "a").write("end " + request.module.__name__ + chr(10))
"""
FILE = """
import time
def test_one(of_the_file): time.sleep(0.3)
def test_two(of_the_file): pass
"""


@pytest.fixture
def project(tmp_path):
    """A folder of tests, as ``project.write(name=code)`` fills it, run by ``project.run``."""
    return Project(tmp_path)


class Project:
    def __init__(self, path):
        self.tests = path / "tests"
        self.tests.mkdir()
        self.log = path / "fixtures"
        (self.tests / "conftest.py").write_text(CONFTEST.replace("{log!r}", repr(str(self.log))))
        (path / "run").mkdir()
        self.folder = Folder(path / "run")

    def write(self, **files):
        for name, code in files.items():
            (self.tests / f"test_{name}.py").write_text(code)

    def start(self, **env):
        events = self.folder.events()
        events.touch()
        sharing = {"ISP_TEST_SHARING": str(self.folder.path), "ISP_TEST_EVENTS": str(events)}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            + ["--continue-on-collection-errors", self.tests],
            cwd=self.tests,
            env={key: os.environ[key] for key in os.environ if not key.startswith("ISP_TEST")}
            | sharing
            | env,
            stdout=subprocess.DEVNULL,
        )

    def run(self, count=2):
        processes = [self.start() for _number in range(count)]
        return [process.wait(60) for process in processes]

    def events(self, kind):
        """The tests of which something was told, with what was told, in the order of its telling."""
        lines = [
            json.loads(line)
            for path in sorted(self.folder.path.glob("events-*"))
            for line in path.read_text().splitlines()
        ]
        return [(event[1].split("/")[-1], event[2]) for event in lines if event[0] == kind]

    def ran(self):
        return Counter(test for test, _seconds in self.events("ran"))


def test_each_test_runs_once_in_one_of_the_processes(project):
    project.write(a=FILE, b=FILE, c=FILE, d=FILE)
    project.folder.set_template("template")
    assert project.run() == [0, 0]
    expected = {f"test_{file}.py::test_{test}" for file in "abcd" for test in ("one", "two")}
    assert project.ran() == dict.fromkeys(expected, 1)
    assert {test for test, _alone in project.events("found")} == expected
    assert all(path.stat().st_size for path in project.folder.path.glob("events-*"))
    # What belongs to a file is made once and ends with it.
    lines = project.log.read_text().splitlines()
    assert Counter(lines) == {f"{what} test_{x}": 1 for what in ("begin", "end") for x in "abcd"}


def test_the_fixtures_of_a_file_end_before_the_next_file_begins(project):
    project.write(a=FILE, b=FILE)
    assert project.run(1) == [0]
    assert project.log.read_text().split() == ["begin", "test_a", "end", "test_a"] + [
        *("begin", "test_b", "end", "test_b")
    ]


def test_files_without_a_database_come_while_it_is_built(project):
    project.write(a="def test_one(suite_template): assert suite_template == 'x'", b=FILE)
    process = project.start()
    deadline = time.monotonic() + 60
    while "test_b.py::test_two" not in project.ran() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "test_a.py::test_one" not in project.ran()
    assert process.poll() is None, "it waits for the template"
    project.folder.set_template("x")
    assert process.wait(60) == 0
    assert [test for test, _seconds in project.events("ran")][-1] == "test_a.py::test_one"


def test_what_must_run_alone_is_left_to_the_last_process(project):
    code = "import pytest\n@pytest.mark.alone\ndef test_alone(): pass\ndef test_other(): pass"
    project.write(a=code)
    assert project.run() == [0, 0]
    assert project.ran() == {"test_a.py::test_other": 1}
    assert dict(project.events("found")) == {
        "test_a.py::test_alone": True,
        "test_a.py::test_other": False,
    }
    assert project.start(ISP_TEST_ALONE="1").wait(60) == 0
    assert project.ran() == {"test_a.py::test_other": 1, "test_a.py::test_alone": 1}


def test_failures_are_told_with_their_reason(project):
    project.write(
        a="import pytest\n"
        "def test_wrong(): assert 1 == 2\n"
        "@pytest.mark.skip(reason='no time')\ndef test_skipped(): pass\n",
        b="import missing_module",
    )
    assert project.run(1) == [1]
    failed = dict(project.events("failed"))
    assert "missing_module" in failed["test_b.py"]
    assert "assert 1 == 2" in failed["test_a.py::test_wrong"]
    assert failed["test_a.py::test_skipped"] == "Skipped: no time"


def test_a_process_that_dies_has_told_what_it_found(project):
    project.write(a="import os\ndef test_one(): pass\ndef test_dies(): os._exit(0)")
    assert project.run(1) == [0]
    found = {test for test, _alone in project.events("found")}
    assert found - set(project.ran()) == {"test_a.py::test_dies"}
