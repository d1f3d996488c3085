"""Texts that spreadsheet programs would calculate are only shown."""

import csv
import io

import pytest
import safe_csv
from hypothesis import given
from hypothesis import strategies as st

from engine.safe_csv import unguard


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "|x"),
        *("\t=1", "\r=1", "\rx", "\n=1", "  =1", " =1+1", "+1+1", "--5", "+", "-"),
        *("\u00a0=1", "\u200b=1+1", "\ufeff@x", "\u2060=1", "\u00ad=1"),
        *("＝1+1", "＋1-1", "－1+2", "＠x", "｜x"),
        *('=HYPERLINK("http://x")', "-১২", "+8801711 000000+1"),
    ],
)
def test_a_formula_is_only_text(text):
    assert safe_csv.guard(text) == f"'{text}"
    assert unguard(f"'{text}") == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "Karim", "plain", "-5", "-12.5", "-1,234.50", "+8801711000001", "-0.5", "1e5"),
        *("-1e5", "a=1", "১২৩", "#1", "'=1", " Karim", "http://x", "{=1}"),
    ],
)
def test_other_texts_stay(text):
    assert safe_csv.guard(text) == text


@given(st.text(max_size=12))
def test_no_cell_begins_like_a_formula(text):
    cell = safe_csv.guard(text)
    assert cell[:1] not in {"=", "@", "\t", "\r", "\n", "|"}
    assert unguard(cell) == unguard(text)


@given(st.text(max_size=12).filter(lambda text: not text.startswith("'")))
def test_the_apostrophe_is_taken_away_again(text):
    assert unguard(safe_csv.guard(text)) == text


def test_rows_survive_csv():
    texts = ['a "quoted" word', "two\r\nlines", "a,b", "খ", 5, "=1"]
    stream = io.StringIO(newline="")
    safe_csv.writer(stream, lineterminator="\r\n")(texts)
    stream.seek(0)
    assert next(csv.reader(stream)) == [*texts[:4], "5", "'=1"]
