"""The billing engine against cases that other systems' own tests assert, and the command for them."""

import copy
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from engine.oracle import play
from engine.oracle.compare import FAILED, PASSED, SKIPPED, judge
from engine.oracle.report import COLUMNS, Unreadable, read_cases, report

REPO = Path(__file__).parents[2]
SAMPLE = REPO / "tests/data/billing_cases_sample.csv"
SHARED = REPO.parent / "shared/oracle/billing_cases.csv"
CASES = read_cases(SHARED if SHARED.exists() else SAMPLE)
OWN = {row["note"]: row for row in read_cases(SAMPLE)}
ALL = [*CASES, *OWN.values()]
NAMES = [row["case_id"] for row in ALL]


def own(story, **changes):
    """A case of the sample, with other cells; inputs and expectations as objects."""
    (row,) = (row for key, row in OWN.items() if key.startswith(story))
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in changes.items()
    }
    return row | texts


@pytest.mark.parametrize("row", ALL, ids=NAMES)
def test_case(row):
    assert judge(row) == (PASSED, [])


def _with_line(row, number, **values):
    lines = json.loads(row["expected_lines_json"])
    lines[number].update(values)
    return row | {"expected_lines_json": json.dumps(lines)}


def wrong_rows(row):
    """The row with one of its expectations made wrong, one after the other."""
    yield from _wrong_lines(row)
    for name in ("expected_subtotal", "expected_tax", "expected_total"):
        if row.get(name):
            yield name, row | {name: str(Decimal(row[name]) + Decimal("0.01"))}
    if row["expected_next_bill"]:
        yield "next bill", row | {"expected_next_bill": "2001-01-01"}
    expected = json.loads(row["expected_json"] or "{}")
    for name, value in expected.items():
        if name in WRONG:
            wrong = copy.deepcopy(expected) | WRONG[name](value, expected)
            yield name, row | {"expected_json": json.dumps(wrong)}


WRONG = {
    "sum_of_fractions": lambda value, _all: {"sum_of_fractions": str(Decimal(value) + 1)},
    "invoices_total": lambda value, _all: {"invoices_total": value + 1},
    "invoice_totals": lambda value, _all: {"invoice_totals": [*value, "1.00"]},
    "billed_through_inclusive": lambda _value, _all: {"billed_through_inclusive": "2001-01-01"},
    "none_at": lambda _value, expected: {"none_at": expected["exactly_one_over"]},
    "exactly_one_over": lambda _value, expected: {"exactly_one_over": expected["none_at"]},
}


def _wrong_lines(row):
    lines = json.loads(row["expected_lines_json"] or "[]")
    for number, line in enumerate(lines):
        for name in ("amount", "frac", "invoice_total"):
            if name in line:
                wrong = str(Decimal(line[name]) + Decimal("0.01"))
                yield f"line {number} {name}", _with_line(row, number, **{name: wrong})
        for name in ("from", "to"):
            if line.get(name):
                yield f"line {number} {name}", _with_line(row, number, **{name: "2001-01-01"})
    if lines and "run" not in lines[0]:
        yield "a line more", row | {"expected_lines_json": json.dumps([*lines, lines[0]])}


@pytest.mark.parametrize("row", ALL, ids=NAMES)
def test_every_expectation_of_a_case_can_fail(row):
    for what, wrong in wrong_rows(row):
        result, reasons = judge(wrong)
        assert result == FAILED, what
        assert "expected" in reasons[0] and "got" in reasons[0]


def test_cases_fail_when_the_engine_bills_nothing(monkeypatch):
    def bill_nothing(subscription, target, billed=(), **values):
        return play_bill(subscription, None)

    play_bill = play.bill
    monkeypatch.setattr(play, "bill", bill_nothing)
    for row in ALL:
        if json.loads(row["expected_lines_json"] or "[]"):
            assert judge(row)[0] == FAILED, row["case_id"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (own("ten days", period="fortnightly"), "unknown period"),
        (own("ten days", period="0 days"), "unknown period"),
        (own("ten days", mode="sometimes"), "unknown mode"),
        (own("ten days", anchor="full moon"), "unknown anchor"),
        (own("ten days", rule="ZUORA-ADV"), "unknown rule"),
        (own("ten days", start=""), "no start"),
        (own("ten days", start="tomorrow"), "no date"),
        (own("ten days", price=""), "no price"),
        (own("ten days", price="cheap"), "no number"),
        (own("ten days", inputs_json={"usage": 3}), "unknown input usage"),
        (own("ten days", inputs_json="{"), "not JSON"),
        (own("ten days", inputs_json=[1]), "not a dict"),
        (own("ten days", inputs_json={"fixed_proration_days": 28}), "months of 28 days"),
        (own("ten days", inputs_json={"trial_days": "ten"}), "no whole number"),
        (own("ten days", expected_json={"mood": "good"}), "unknown expectation mood"),
        (own("ten days", expected_json={"expect": "joy"}), "unknown expectation 'joy'"),
        (own("ten days", expected_lines_json=[{"kind": "usage"}]), "unknown kind"),
        (own("ten days", expected_lines_json=[{"kind": "recurring", "who": 1}]), "unknown part"),
        (own("ten days", expected_lines_json="", expected_total=""), "expects nothing"),
        (own("ten days", tz="Mars/Olympus", start="2026-01-07T00:00Z"), "zone_unknown"),
        (own("January is billed", inputs_json={}, anchor="BCD change"), "not stated"),
        (own("a fee on the first", inputs_json={}), "fee is not stated"),
        (own("60.00 credit", inputs_json={}, note=""), "credit is not stated"),
        (own("a second run", inputs_json={"check": "the mood"}), "unknown check"),
        (own("a second run", inputs_json={"check": "lines of the third run"}), "no third run"),
        (own("a forced date", inputs_json={}), "no recurring_next_date"),
        (own("two subscriptions", inputs_json={"s1": {"2026-01-01": "a lot"}}), "a lot"),
        (own("two subscriptions", inputs_json={"s1": {"colour": "red"}}), "unknown inputs of s1"),
        (own("one invoice on each", expected_json={"none_at": ["2030-01-01"]}), "not among"),
    ],
)
def test_what_is_not_understood_is_skipped_and_says_why(row, reason):
    result, reasons = judge(row)
    assert result == SKIPPED
    assert reason in reasons[0]


def test_a_row_may_differ_where_the_file_allows_it():
    told = []
    wrong = own("ten days", expected_total="1.00", match="may_differ")
    assert report([wrong], told.append)
    assert told[-1] == "0 passed, 0 failed, 1 skipped"


# === THE COMMAND === #


def command(*arguments):
    return subprocess.run(
        [sys.executable, REPO / "scripts/oracle", *arguments], capture_output=True, text=True
    )


def test_the_command_reports_each_failing_case_and_ends_with_the_sum(tmp_path):
    path = tmp_path / "cases.csv"
    text = SAMPLE.read_text(encoding="utf-8")
    path.write_text(text.replace(",340.00,", ",341.00,").replace("10 days", "9 suns"), "utf-8")
    done = command(path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[1].startswith("FAILED  SAMPLE-01: expected total 341.00, got 340.00")
    assert lines[2].startswith("skipped SAMPLE-15: unknown period '9 suns'")
    assert any(line.split() == ["Sample", "n_days", "0", "0", "1"] for line in lines)
    assert lines[-1] == f"{len(OWN) - 2} passed, 1 failed, 1 skipped"


def test_the_command_is_content_with_the_sample():
    done = command(SAMPLE)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"{len(OWN)} passed, 0 failed, 0 skipped"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be opened"),
        (b"", "has no column case_id"),
        (b"case_id,peer\nA,B\n", "has no column rule"),
        (b"\xff\xfe\x00\x01", "not a CSV file in UTF-8"),
        ((",".join(COLUMNS) + "\n").encode(), "has no cases"),
        ((",".join(COLUMNS) + "\nA,B\n").encode(), "more or fewer cells"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "cases.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unreadable, match=sentence):
        read_cases(path)
    done = command(path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
