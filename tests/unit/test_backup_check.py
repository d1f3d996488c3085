"""How deploy/backup judges what pgBackRest and restic answer, and which backups of files it takes."""

import importlib.util
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "deploy/backup"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=timezone.utc)
LIMITS = {"max_age": timedelta(hours=26), "max_kept": timedelta(days=46)}


def load(name):
    spec = importlib.util.spec_from_file_location(f"backup_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load("check")
snapshots = load("snapshots")


def backup(days_ago, kind="full", **more):
    stop = (NOW - timedelta(days=days_ago)).timestamp()
    return {"label": f"{days_ago}{kind}", "type": kind, "timestamp": {"stop": stop}, **more}


def info(*backups, cipher="aes-256-cbc"):
    status = {"code": 0, "message": "ok"}
    return {"status": status, "cipher": cipher, "backup": list(backups)}


@pytest.mark.proves("P-16")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (info(backup(8), backup(1, "diff")), None),
        (info(backup(45), backup(1)), None),
        (
            info(backup(3), backup(1.2, "diff")),
            "The newest backup of the database is of 2026-11-27",
        ),
        (info(backup(9), backup(1, "diff")), "The newest full backup"),
        (info(backup(47), backup(1)), "is still kept"),
        (info(backup(1, error=True)), "damaged pages"),
        (info(backup(1), cipher="none"), "not encrypted"),
        ({"status": {"code": 2, "message": "no valid backups"}}, "no valid backups"),
    ],
)
def test_backups_of_the_database(answer, words):
    problems = list(check.judge_database(answer, NOW, **LIMITS))
    if words:
        assert len(problems) == 1
        assert words in problems[0]
    else:
        assert problems == []


@pytest.mark.proves("P-16")
@pytest.mark.parametrize(
    ("times", "words"),
    [
        (["2026-11-28T11:40:00.123456789+06:00", "2026-11-28T11:00:00.1Z"], None),
        (["2026-11-27T09:59:59.999999999Z"], "newest backup of files"),
        # In Dhaka it is six hours later: this one is of half past four in the morning in UTC.
        (["2026-11-27T15:30:00.123456789+06:00"], "newest backup of files"),
        (["2026-10-01T00:00:00.5Z", "2026-11-28T11:00:00.5Z"], "is still kept"),
        ([], "no backup of files"),
    ],
)
def test_backups_of_files(times, words):
    problems = list(check.judge_files([{"time": time} for time in times], NOW, **LIMITS))
    assert [words in problem for problem in problems] == ([True] if words else [])


@pytest.mark.proves("P-16")
@pytest.mark.parametrize(
    ("text", "is_damaged"),
    [
        ("stanza: isp\nstatus: ok\n  backup: 1F, status: valid\n", False),
        ("stanza: isp\nstatus: error\n  backup: 1F, status: invalid\n", True),
        ("", True),
    ],
)
def test_what_is_not_said_to_be_right_is_damaged(text, is_damaged):
    assert bool(list(check.judge_verify(text))) == is_damaged


def test_the_backups_of_files_around_an_instant():
    times = {
        "first": "2026-11-28T05:40:00.123456789+06:00",
        "second": "2026-11-28T00:40:00.5Z",
        "third": "2026-11-28T01:40:00Z",
        "fourth": "2026-11-28T02:40:00.999999999Z",
    }
    listed = [{"id": name, "time": time} for name, time in times.items()]
    for instant, expected in (
        ("2026-11-28 01:00:00.5+00", ["second", "third"]),
        ("2026-11-28 07:00:00+06", ["second", "third"]),
        ("2026-11-28 06:30:00+05:30", ["second", "third"]),
        ("2026-11-28 01:40:00+00", ["third", "fourth"]),
        ("2026-11-27 00:00:00+00", ["first"]),
        ("2026-11-29 00:00:00+00", ["fourth"]),
    ):
        assert (
            snapshots.around(json.loads(json.dumps(listed)), snapshots._read(instant)) == expected
        )
