"""Writes tables that a spreadsheet program opens without running anything in them."""

import csv
import re

_FORMULA = re.compile(r"[\s\xa0\u200b\ufeff]*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*")


def guard(text):
    """``text`` with a leading apostrophe when a spreadsheet could take it for a formula.

    Plain numbers, phone numbers among them, stay as they are.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguard(text):
    """``text`` as it was before :func:`guard`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


def writer(file):
    """A function that writes one row of texts, guarded, to a text file."""
    write = csv.writer(file).writerow
    return lambda values: write([guard(str(value)) for value in values])
