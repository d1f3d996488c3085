"""Texts of a policy: placeholders, a little markup, and what differs between two versions.

A line that begins with ``# `` is a heading, lines with ``- `` are a list, an empty line ends a
paragraph. Plain text can be read, compared line by line, and hashed as it is shown.
"""

import difflib
import hashlib
import string
from html import escape


class UnknownPlaceholder(ValueError):
    """A text names a value that there is not."""


def placeholders(text) -> list:
    """Return the names in braces, each once.

    :raises ValueError: when the braces do not match
    """
    names = [name for _text, name, _spec, _conversion in string.Formatter().parse(text)]
    return [name for name in dict.fromkeys(names) if name is not None]


def fill(text, values) -> str:
    """Return the text with ``{name}`` replaced.

    :raises UnknownPlaceholder: for a name that is not among ``values``, or has no value
    """
    try:
        unknown = [name for name in placeholders(text) if _is_missing(values.get(name))]
    except ValueError as error:
        raise UnknownPlaceholder(str(error)) from None
    if unknown:
        raise UnknownPlaceholder(", ".join(f"{{{name}}}" for name in unknown))
    # Only plain names: a format specification could reach into the values.
    return "".join(
        literal + ("" if name is None else str(values[name]))
        for literal, name, _spec, _conversion in string.Formatter().parse(text)
    )


def _is_missing(value):
    return value is None or value is False or value == ""  # 0 is a value


def digest(text) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def to_html(text) -> str:
    """Return the text as HTML; everything in it is escaped."""
    return "\n".join(_block_html(block) for block in _blocks(text))


def _blocks(text):
    """Yield ``(kind, lines)``."""
    kind, lines = None, []
    for line in [*text.splitlines(), ""]:
        stripped = line.strip()
        new = _kind_of(stripped)
        if lines and (new != kind or new == "heading"):
            yield kind, lines
            lines = []
        kind = new
        if stripped:
            lines.append(stripped.removeprefix("# ").removeprefix("- "))


def _kind_of(line):
    if not line:
        return None
    if line.startswith("# "):
        return "heading"
    return "list" if line.startswith("- ") else "paragraph"


def _block_html(block):
    kind, lines = block
    lines = [escape(line) for line in lines]
    if kind == "heading":
        return f'<h2 class="h4 mt-4">{lines[0]}</h2>'
    if kind == "list":
        return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
    return f"<p>{'<br/>'.join(lines)}</p>"


def compare(old, new) -> list:
    """Return ``(mark, line)`` for each line: ``=`` same, ``-`` gone, ``+`` new."""
    old_lines, new_lines = _lines(old), _lines(new)
    found = []
    matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            found += [("=", line) for line in new_lines[new_from:new_to]]
        else:
            found += [("-", line) for line in old_lines[old_from:old_to]]
            found += [("+", line) for line in new_lines[new_from:new_to]]
    return found


def _lines(text):
    return [line.strip() for line in (text or "").splitlines() if line.strip()]
