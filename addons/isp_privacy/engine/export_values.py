"""Values of an export package, as JSON and CSV take them."""

import json
import re

REMOVED = "[removed]"
# Links in mails open a document for whoever holds them.
_LINK_TOKEN = re.compile(
    r"(?i)((?:[?&;]|%3f|%26)(?:[a-z_]*token|hash)(?:=|%3d))[^&#%\"'\s<>\\]+", re.ASCII
)


def csv_cell(value):
    """Return the cell of a value that :func:`json.dumps` would take."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return decimal_text(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False)


def decimal_text(value):
    """Return a number with a decimal point and never an exponent."""
    text = repr(value)
    return text if "e" not in text else f"{value:f}"


def without_tokens(text):
    """Return a text whose links open nothing any more."""
    return _LINK_TOKEN.sub(lambda match: match[1] + REMOVED, text)


def secrets_pattern(secrets):
    """Return a pattern that finds these texts as whole words, None without any."""
    if not secrets:
        return None
    words = "|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)")
