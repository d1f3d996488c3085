"""The query words of print: a stack machine over the properties of a row."""

import re

from .errors import Trap

_OPERATION = re.compile(r"(\d+)(\.?)|([!&|.])")


def compile_query(words):
    """Return a function row -> bool for query words without the leading ``?``.

    The stack begins as endless ``true``; a row is taken if no ``false`` is left at the end.
    Raises Trap for what is not a query word.
    """
    steps = [_compile_word(word) for word in words]

    def matches(row):
        stack = []
        for step in steps:
            step(row, stack)
        return all(stack)

    return matches


def _compile_word(word):
    if word.startswith("#"):
        return _compile_operations(word[1:])
    if word.startswith("-"):
        name = word[1:]
        return lambda row, stack: stack.append(row.get(name) is None)
    compare = "="
    if word[:1] in ("<", ">", "="):
        compare, word = word[0], word[1:]
        if "=" not in word:
            raise Trap("invalid query", category=5)
    name, has_value, value = word.partition("=")
    if not name:
        raise Trap("invalid query", category=5)
    if not has_value:
        return lambda row, stack: stack.append(row.get(name) is not None)
    if compare == "=":
        accepted = _spellings(value)
        return lambda row, stack: stack.append(row.get(name) in accepted)
    sign = 1 if compare == "<" else -1
    return lambda row, stack: stack.append(_order(row.get(name), value) == -sign)


def _spellings(value):
    """A flag is printed as true or false and may be asked for as yes or no."""
    return {"yes": ("yes", "true"), "no": ("no", "false")}.get(value, (value,))


def _order(left, right):
    """-1, 0 or 1 as ``left`` is before, at or after ``right``; None without a value."""
    if left is None:
        return None
    if left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
        left, right = int(left), int(right)
    return (left > right) - (left < right)


def _compile_operations(text):
    tokens, position = [], 0
    while position < len(text):
        found = _OPERATION.match(text, position)
        if not found:
            raise Trap("invalid query", category=5)
        position = found.end()
        number, _dot, sign = found.groups()
        tokens.append((None if number is None else int(number), sign, position == len(text)))

    def run(_row, stack):
        for index, sign, last in tokens:
            if index is not None:
                value = stack[-1 - index] if index < len(stack) else True
                # A number at the end of the word stands for the whole stack.
                if last and text[-1] != ".":
                    stack[:] = [value]
                else:
                    stack.append(value)
            elif sign == "!":
                stack.append(not _pop(stack))
            elif sign == ".":
                stack.append(stack[-1] if stack else True)
            else:
                one, other = _pop(stack), _pop(stack)
                stack.append((one and other) if sign == "&" else (one or other))

    return run


def _pop(stack):
    return stack.pop() if stack else True
