"""Placeholders of templates, such as ``{{ customer }}``."""

import re

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def names(text):
    """Return the names of the placeholders in a text, each once, in their order."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text or "")))


def fill(text, values):
    """Put values in; what has none stays as it is, see :func:`left_over`.

    A value is never looked at for placeholders itself: what a customer is called is no template.
    """
    return _PLACEHOLDER.sub(
        lambda match: str(values[match[1]]) if values.get(match[1]) else match[0], text or ""
    )


def left_over(text):
    """Whether braces of a placeholder are in a text that is to be sent."""
    return "{{" in (text or "") or "}}" in (text or "")
