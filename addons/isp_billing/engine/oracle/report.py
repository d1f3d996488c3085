"""Judges every row of a file and prints what was found."""

import csv
from collections import Counter
from pathlib import Path

from .compare import FAILED, PASSED, SKIPPED, judge

COLUMNS = (
    *("case_id", "peer", "rule", "category", "mode", "period", "anchor", "price", "start"),
    *("change_or_end", "run_dates", "inputs_json", "expected_lines_json", "expected_json"),
    *("expected_total", "expected_next_bill"),
)


class Unreadable(Exception):
    """The file is no file of billing cases; the text says why."""


def read_cases(path: Path) -> list[dict]:
    """Rows of a file as dictionaries of texts.

    :raises Unreadable: in one sentence
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            rows = [] if missing else list(reader)
    except OSError as error:
        raise Unreadable(f"{path} cannot be opened: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{path} is not a CSV file in UTF-8: {error}.") from None
    if missing:
        raise Unreadable(f"{path} has no column {', '.join(missing)}.")
    if not rows:
        raise Unreadable(f"{path} has no cases.")
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise Unreadable(f"{path}: case {number} has more or fewer cells than the heading.")
    return rows


def judge_rows(rows: list[dict]):
    """``(row, result, reasons)`` of each row."""
    for row in rows:
        result, reasons = judge(row)
        match = (row.get("match") or "must_match").strip()
        if result == FAILED and match != "must_match":
            result, reasons = SKIPPED, [f"differs, which the file allows ({match}): {reasons[0]}"]
        yield row, result, reasons


def report(rows: list[dict], write=print) -> bool:
    """Print failing and skipped rows, a table and the sum; whether none failed."""
    counts, totals = {}, Counter()
    for row, result, reasons in judge_rows(rows):
        counts.setdefault((row["peer"], row["category"]), Counter())[result] += 1
        totals[result] += 1
        if result == FAILED:
            write(f"FAILED  {row['case_id']}: {' | '.join(reasons)}")
        elif result == SKIPPED:
            write(f"skipped {row['case_id']}: {' | '.join(reasons)}")
    write("")
    write(f"{'peer':<14}{'category':<26}{PASSED:>8}{FAILED:>8}{SKIPPED:>9}")
    for (peer, category), found in sorted(counts.items()):
        write(f"{peer:<14}{category:<26}{found[PASSED]:>8}{found[FAILED]:>8}{found[SKIPPED]:>9}")
    write("")
    write(f"{totals[PASSED]} passed, {totals[FAILED]} failed, {totals[SKIPPED]} skipped")
    return not totals[FAILED]
