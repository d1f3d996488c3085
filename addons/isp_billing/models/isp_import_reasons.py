"""The problems of the import engine, in words."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

REASONS = {
    # the file
    "file_empty": lambda **p: _lt("The file is empty.", **p),
    "file_type": lambda **p: _lt(
        "This is no table of text. Save the list as CSV (UTF-8) or as an Excel workbook (.xlsx).",
        **p,
    ),
    "file_xls": lambda **p: _lt(
        "This is an old Excel file (.xls) or one with a password. Save it as .xlsx or CSV without "
        "password.",
        **p,
    ),
    "file_large": lambda **p: _lt("The workbook is too large. Save the list as CSV.", **p),
    "xlsx_broken": lambda **p: _lt(
        "The Excel workbook is damaged. Open it in your spreadsheet program and save it again.",
        **p,
    ),
    "csv_broken": lambda **p: _lt(
        "Line %(line)s cannot be read: a quotation mark is not closed or not doubled.", **p
    ),
    "heading_empty": lambda **p: _lt("Column %(column)s has no heading.", **p),
    "heading_twice": lambda **p: _lt(
        "Columns %(first)s and %(second)s have the same heading “%(name)s”. Rename one.", **p
    ),
    "column_missing": lambda **p: _lt("The file has no column “%(name)s”.", **p),
    "name_not_mapped": lambda **p: _lt("Choose the column that holds the customer's name.", **p),
    "value_map": lambda **p: _lt(
        "“%(value)s” is no translation of a value. Write one per line, such as Yes=terminated.",
        **p,
    ),
    # one row
    "too_many_cells": lambda **p: _lt(
        "The row has %(count)s values, more than there are headings.", **p
    ),
    "name_missing": lambda **p: _lt("The customer's name is missing.", **p),
    "no_identity": lambda **p: _lt(
        "Nothing identifies this row when the file is imported again: it has no external id, "
        "username or phone.",
        **p,
    ),
    "duplicate": lambda **p: _lt(
        "Line %(line)s of the file has the same %(what)s “%(value)s”.", **p
    ),
    "too_long": lambda **p: _lt("“%(value)s…” is longer than %(limit)s characters.", **p),
    "phone": lambda **p: _lt("“%(value)s” is no valid phone number.", **p),
    "email": lambda **p: _lt("“%(value)s” is no valid e-mail address.", **p),
    "date": lambda **p: _lt("“%(value)s” is no date. Write it like 2026-01-31 or 31/01/2026.", **p),
    "end_before_start": lambda **p: _lt(
        "The service ends on %(end)s, before it starts on %(start)s.", **p
    ),
    "number": lambda **p: _lt("“%(value)s” is no number.", **p),
    "price_negative": lambda **p: _lt("The price “%(value)s” is negative.", **p),
    "price_large": lambda **p: _lt("The price “%(value)s” is too large.", **p),
    "billing_day": lambda **p: _lt("“%(value)s” is no day of the month, 1 to 31.", **p),
    "ipv4": lambda **p: _lt("“%(value)s” is no IPv4 address that a customer can have.", **p),
    "mac": lambda **p: _lt(
        "“%(value)s” is not a MAC address. Write it like AA:BB:CC:DD:EE:FF.", **p
    ),
    "username": lambda **p: _lt(
        "The username “%(value)s” cannot be used on the network. Take 3 to 64 letters, digits and "
        "the signs . _ @ / - beginning and ending with a letter or digit.",
        **p,
    ),
    "password": lambda **p: _lt(
        "The password has more than %(limit)s characters or is masked.", **p
    ),
    "state": lambda **p: _lt(
        "The state “%(value)s” is unknown. Translate it to draft, active, suspended or terminated.",
        **p,
    ),
    "language": lambda **p: _lt("The language “%(value)s” is unknown.", **p),
}


def explain(env, problem):
    """``problem`` as a sentence in the user's language."""
    return env._(REASONS[problem.code](**problem.params))
