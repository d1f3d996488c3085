"""The table of promises: what the privacy policy says, and which test proves it.

What is promised stands in tests/data/promises.csv. Which tests prove it is read from their own
markers, ``@proves("P-42")`` in the tests of addons and ``@pytest.mark.proves("P-42")`` in those
under tests/, so that the table cannot go stale. The tests are not run for it.
"""

import ast
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .settings import REPO

DATA = REPO / "tests/data/promises.csv"
PAGE = REPO / "docs/promises.md"
MARKER = "proves"
COMMAND = "scripts/promises"
# What the note in the data file says: what is missing, where it is set up, why it is not software.
STATES = {
    "": "Proved by test",
    "open": "Open",
    "operator": "Set up by the operator",
    "not software": "Not software",
}
IN_PART = "Proved in part"
_HEAD = f"""# Promises and their proof

Made by `{COMMAND}` from `tests/data/promises.csv` and from the markers of the tests. Do not edit:
change the markers or the data file, then run `{COMMAND}`.

The numbers and words are those of the two privacy policies that the suite carries out. A promise is
**proved by test** if a test fails once it is broken, **proved in part** if something of it is still
open, **set up by the operator** if the software does its part and a person has to do the rest, and
**not software** if no program can keep it. **Open** means that nothing proves it yet.
"""


@dataclass(frozen=True)
class Promise:
    """One promise, with what a person noted of its state."""

    number: str
    words: str
    state: str
    note: str


@dataclass(frozen=True, order=True)
class Proof:
    """A test that says it proves a promise."""

    number: str
    path: str
    name: str


class MarkerError(Exception):
    """A marker that cannot be read from the source."""


# === READING === #


def read_promises(path=DATA):
    """Return the promises of the data file, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Promise(**row) for row in csv.DictReader(file)]


def find_proofs(root=REPO):
    """Return what the markers of all tests say."""
    paths = [*root.glob("addons/*/tests/**/test_*.py"), *root.glob("tests/**/test_*.py")]
    return sorted(proof for path in paths for proof in _proofs_of(path, root))


def _proofs_of(path, root):
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    place = path.relative_to(root).as_posix()
    for name, node in _tests_of(tree):
        for decorator in node.decorator_list:
            for number in _numbers_of(decorator, place, name):
                yield Proof(number, place, name)


def _tests_of(tree, prefix=""):
    """Yield name and definition of each class and function that may carry a marker."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _tests_of(node, f"{node.name}.")


def _numbers_of(decorator, path, name):
    """Return the numbers of a marker, none where the decorator is another one."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if MARKER not in (getattr(called, "attr", None), getattr(called, "id", None)):
        return []
    numbers = [getattr(arg, "value", None) for arg in getattr(decorator, "args", ())]
    if not numbers or not all(isinstance(number, str) for number in numbers):
        raise MarkerError(f'{path}: {name}: write the numbers out, as @proves("P-42")')
    if not name.split(".")[-1].lower().startswith("test"):
        raise MarkerError(f"{path}: {name}: only tests prove something")
    return numbers


# === CHECKING === #


def find_problems(promises, proofs):
    """Return what is wrong with the table, as sentences."""
    proved = {proof.number for proof in proofs}
    counts = Counter(promise.number for promise in promises)
    problems = [f"{number}: it is there {n} times" for number, n in counts.items() if n > 1]
    problems += [
        f"{proof.path}: {proof.name} proves {proof.number}, which nobody promised"
        for proof in proofs
        if proof.number not in counts
    ]
    for promise in promises:
        number = promise.number
        if promise.state not in STATES:
            problems.append(f"{number}: there is no state “{promise.state}”")
        elif promise.state and not promise.note.strip():
            problems.append(f"{number}: {promise.state} without a word of why")
        elif not promise.state and number not in proved:
            problems.append(f"{number}: no test proves it, and no state says why")
    return problems


# === WRITING === #


def render(promises, proofs):
    """Return the page."""
    rows = [(promise, _proofs_for(promise, proofs)) for promise in promises]
    counts = Counter(_state_of(promise, own) for promise, own in rows)
    order = [STATES[""], IN_PART, *list(STATES.values())[1:]]
    lines = [_HEAD, "| State | Promises |", "|---|---|"]
    lines += [f"| {state} | {counts[state]} |" for state in order]
    lines += ["", "| No. | Promise | State | Proof, place or reason |", "|---|---|---|---|"]
    lines += [
        f"| {promise.number} | {promise.words} | {_state_of(promise, own)} | {_reasons(promise, own)} |"
        for promise, own in rows
    ]
    return "\n".join(lines) + "\n"


def _proofs_for(promise, proofs):
    return [proof for proof in proofs if proof.number == promise.number]


def _state_of(promise, proofs):
    return IN_PART if promise.state == "open" and proofs else STATES[promise.state]


def _reasons(promise, proofs):
    """Return what stands in the last column: the tests, then the note."""
    parts = [_link(proof) for proof in proofs]
    if promise.note:
        parts.append(f"Open: {promise.note}" if promise.state == "open" else promise.note)
    return "<br>".join(parts)


def _link(proof):
    place = Path(proof.path)
    addon = place.parts[1] if place.parts[0] == "addons" else "tests"
    return f"{addon}: [{proof.name}](../{proof.path})"
