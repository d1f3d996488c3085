"""Reads back what was written for spreadsheet programs, see safe_csv.py of isp_base."""

import re

_GUARDED = re.compile(
    "'[ \u00a0\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060\ufeff]*[=+\\-@\t\r\n|＝＋－＠｜]"
)


def unguard(text):
    """``text`` as it was before an apostrophe was put before it."""
    return text[1:] if _GUARDED.match(text) else text
