"""Cells that a spreadsheet program shows and does not calculate. For every export of the suite."""

import csv
import re
import unicodedata

# What a spreadsheet would calculate, or what moves a text into another cell.
_FORMULA = frozenset("=+-@\t\r\n|")
# Skipped by spreadsheets before they look at the first letter.
_INVISIBLE = " \u00a0\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_NUMBER = re.compile(r"[+-]?\d[\d.,]*([eE][+-]?\d+)?", re.ASCII)


def guard(text):
    """``text`` with a leading apostrophe when a spreadsheet could take it for a formula.

    Plain numbers, phone numbers among them, stay as they are.
    """
    first = text[:1]
    if first.isascii() and first.isalnum():
        return text
    # A full-width sign is read like the plain one.
    first = unicodedata.normalize("NFKC", text.lstrip(_INVISIBLE)[:1])[:1]
    if first and first in _FORMULA and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def writer(file, **options):
    """A function that writes one row of texts, guarded, to a text file.

    :param options: as :func:`csv.writer` takes them
    """
    write = csv.writer(file, **options).writerow
    return lambda values: write([guard(str(value)) for value in values])
