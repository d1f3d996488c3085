"""What is on a router against what should be there. Pure: rows in, differences out."""

from dataclasses import dataclass

from .connection import parse_row
from .menus import split_marker


@dataclass(slots=True)
class Row:
    """A row of a router. ``marker`` is ``None`` when it is not ours; ``note`` is the operator's."""

    id: str
    values: dict
    marker: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not as it should be.

    ``kind`` is ``missing``, ``extra`` (ours, but not wanted any more), ``changed``, or ``clash``: a
    row that is not ours has the name or address ours would need.
    ``changes`` are ``(property, found, wanted)``; ``label`` is the key of the row in words.
    """

    path: str
    kind: str
    marker: str
    label: str
    row_id: str = ""
    changes: tuple = ()
    note: str = ""


@dataclass(slots=True)
class MenuDiff:
    """Differences of one menu, and what planning needs to know about its rows.

    ``own`` counts our rows, ``ours`` are those that are not as they should be by marker,
    ``foreign`` are the rows that are not ours, as far as they were read.
    """

    differences: list
    own: int
    ours: dict
    foreign: list


def compare(menu, raw_rows, wanted, judged=None, expected=None):
    """Differences between rows as they came over the wire and ``{marker: values}``.

    Rows that show exactly the words expected are done with one look-up; only the others are taken
    apart. This is what makes a list of 20,000 rows cheap when nothing has changed.

    :param judged: markers that may be found superfluous, ``None`` for all
    :param expected: :func:`expect` of ``wanted``, where it is known already
    :return: :class:`MenuDiff`
    """
    expected = expect(menu, wanted) if expected is None else expected
    empty = frozenset(f"={name}=".encode() for name in menu.proplist())
    matched = {}
    rows = []
    for words in raw_rows:
        if len(words) > 1 and words[1].startswith(b"=.id="):
            marker = expected.get(frozenset(words[2:]) - empty)
            if marker is not None and marker not in matched:
                matched[marker] = words[1]
                continue
        rows.append(make_row(menu, words))
    found = diff_rows(menu, wanted, rows, judged, matched)
    found.own += len(matched)
    return found


def expect(menu, wanted):
    """``{words: marker}`` of rows that are as they should be, see :func:`expected_words`."""
    return {expected_words(menu, marker, values): marker for marker, values in wanted.items()}


def expected_words(menu, marker, values):
    """The words of a row that is as it should be, as RouterOS prints it, without empty ones."""
    # The inner loop of a look at 20,000 rows: what can be known of the menu is known before.
    words = [
        prefix + value.encode()
        for name, prefix, default, printed in menu.printing
        if (value := printed(values.get(name)) if printed else values.get(name) or default)
    ]
    words.append(f"={menu.marker}={marker}".encode())
    return frozenset(words)


def make_row(menu, words):
    """A :class:`Row` of the words of a reply."""
    values = parse_row(words)
    row_id = values.pop(".id", "")
    if menu.marker == "comment":
        marker, note = split_marker(values.pop("comment", ""))
        return Row(row_id, values, marker, note)
    return Row(row_id, values, split_marker(values.get(menu.marker, ""))[0])


def diff_rows(menu, wanted, rows, judged=None, matched=()):
    """Differences between :class:`Row` objects and ``{marker: values}``.

    :param matched: markers whose rows are known to be right
    :return: :class:`MenuDiff`
    """
    ours, foreign = {}, {}
    for row in rows:
        if row.marker is None:
            foreign.setdefault(menu.key_of(row.values), row)
        else:
            ours.setdefault(row.marker, []).append(row)
    differences = []
    for marker, values in wanted.items():
        candidates = ours.get(marker, [])
        if marker in matched:
            differences += [_extra(menu, row) for row in candidates]
            continue
        key = menu.key_of(values)
        candidates = sorted(candidates, key=lambda row, key=key: menu.key_of(row.values) != key)
        differences += [_extra(menu, row) for row in candidates[1:]]
        found = _compare_one(menu, marker, values, candidates[:1], foreign.get(key))
        differences += found
    differences += [
        _extra(menu, row)
        for marker, extra in ours.items()
        if marker not in wanted and (judged is None or marker in judged)
        for row in extra
    ]
    own = sum(row.marker is not None for row in rows)
    return MenuDiff(differences, own, ours, list(foreign.values()))


def _compare_one(menu, marker, values, candidates, rival):
    """Differences of one wanted row; ``rival`` is a row of others that has its key."""
    if not candidates:
        row = rival or Row("", {})
        changes = _changes(menu, row.values, values)
        kind = "clash" if rival else "missing"
        label = _label(menu, values)
        return [Difference(menu.path, kind, marker, label, row.id, changes, row.note)]
    [row] = candidates
    changes = _changes(menu, row.values, values)
    label = _label(menu, row.values)
    found = []
    if rival and any(name in menu.key for name, _found, _wanted in changes):
        # The rest is set all the same: a service that is switched off must not go on.
        found.append(
            Difference(menu.path, "clash", marker, _label(menu, values), rival.id, (), rival.note)
        )
        changes = tuple(change for change in changes if change[0] not in menu.key)
    if changes:
        found.append(Difference(menu.path, "changed", marker, label, row.id, changes, row.note))
    return found


def _changes(menu, found, wanted):
    changes = []
    for one in menu.properties:
        old = found.get(one.name) or one.default
        new = wanted.get(one.name) or one.default
        if old != new and one.normal(old) != one.normal(new):
            changes.append((one.name, found.get(one.name, ""), new))
    return tuple(changes)


def _extra(menu, row):
    label = _label(menu, row.values)
    return Difference(menu.path, "extra", row.marker, label, row.id, (), row.note)


def _label(menu, values):
    return " ".join(values.get(name) or "" for name in menu.key)
