"""The audit chain without Odoo: sealing, and every way in which a chain can be broken."""

import importlib.util
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[2] / "addons/isp_privacy/engine/chain.py"
SPEC = importlib.util.spec_from_file_location("privacy_chain", SOURCE)
chain = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(chain)

texts = st.text(max_size=8)
rows_of_any_kind = st.lists(
    st.dictionaries(
        texts, st.one_of(texts, st.none(), st.integers(), st.dictionaries(texts, texts))
    )
)


def sealed(rows):
    """Return ``[(link, row)]`` as it would be stored."""
    last, result = chain.START, []
    for row in rows:
        last = chain.seal(last, row)
        result.append((last, row))
    return result


def some_rows(number=6):
    return [{"id": 100 + n, "action": "write", "subject": f"করিম {n}"} for n in range(number)]


def broken(stored, head=None, **options):
    """Return where the walk over ``stored`` breaks; its end is checked like the rest."""
    last, found = chain.walk(stored, **options)
    return found or (chain.check_end(last, head) if head else None)


def test_the_hash_is_what_its_definition_says():
    # sha256sum of 64 zeros followed by {"action":"read","seq":1}
    link = chain.seal(chain.START, {"action": "read"})
    assert link == (1, "dca3ad66e10e89c5813a4ef67313c3d621b300315e72bb187195f7b2c0185926")


def test_a_chain_as_sealed_holds():
    stored = sealed(some_rows())
    assert chain.walk(stored) == (stored[-1][0], None)
    assert chain.check_end(stored[-1][0], stored[-1][0]) is None


def test_an_empty_chain_holds():
    assert broken([], head=chain.START) is None


@given(rows_of_any_kind)
def test_whatever_is_sealed_holds(rows):
    stored = sealed(rows)
    assert broken(stored, head=stored[-1][0] if stored else chain.START) is None


@given(rows_of_any_kind.filter(len), st.randoms(use_true_random=False))
def test_the_first_edited_row_is_named(rows, choice):
    stored = sealed(rows)
    number = choice.randrange(len(rows))
    link, row = stored[number]
    stored[number] = (link, {**row, "edited": "yes"} if "edited" not in row else {})
    assert broken(stored) == (number + 1, chain.EDITED)


@given(rows_of_any_kind.filter(len), st.randoms(use_true_random=False))
def test_the_first_missing_row_is_named_the_last_one_too(rows, choice):
    stored = sealed(rows)
    head = stored[-1][0]
    first = choice.randrange(len(rows))
    del stored[first : first + choice.randint(1, len(rows))]
    assert broken(stored, head) == (first + 1, chain.MISSING)


def test_rows_that_changed_places_are_found():
    stored = sealed(some_rows())
    (second, row_2), (third, row_3) = stored[1:3]
    assert broken([stored[0], (second, row_3), (third, row_2)]) == (2, chain.EDITED)
    assert broken([stored[0], stored[2], stored[1]]) == (2, chain.MISSING)


def test_an_edited_row_whose_hash_was_made_anew_breaks_the_next_one():
    rows = some_rows()
    stored = sealed(rows)
    forged = {**rows[2], "action": "read"}
    stored[2] = (chain.seal(stored[1][0], forged), forged)
    assert broken(stored) == (4, chain.EDITED)


def test_a_chain_made_anew_is_found_by_a_noted_hash():
    rows = some_rows()
    head, noted = sealed(rows)[-1][0], sealed(rows)[3][0]
    rows[1] = {**rows[1], "action": "read"}
    forged = sealed(rows)
    assert broken(forged) is None, "nothing inside the chain can show this"
    assert broken(forged, head) == (6, chain.REWRITTEN)
    assert broken(forged, anchors={noted.seq: noted.hash}) == (4, chain.REWRITTEN)


def test_a_row_behind_the_noted_head_is_found():
    stored = sealed(some_rows())
    assert broken(stored, head=stored[3][0]) == (5, chain.UNKNOWN)


def test_a_walk_in_parts_is_the_walk_in_one():
    stored = sealed(some_rows(10))
    last, found = chain.walk(stored[:4])
    assert (last, found) == (stored[3][0], None)
    assert chain.walk(stored[4:], after=last) == (stored[-1][0], None)
    assert chain.walk(stored[5:], after=last) == (last, (5, chain.MISSING))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "1"}, {"a": 1}),
        ({"a": None}, {}),
        ({"a": "bc"}, {"ab": "c"}),
        ({"a": 'x","b":"y'}, {"a": "x", "b": "y"}),
        ({"a": "é"}, {"a": "e\u0301"}),
    ],
)
def test_different_rows_have_different_hashes(one, other):
    assert chain.seal(chain.START, one) != chain.seal(chain.START, other)


@given(st.dictionaries(texts, texts), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(row, choice):
    items = list(row.items())
    choice.shuffle(items)
    assert chain.canonical(dict(items)) == chain.canonical(row)
    assert json.loads(chain.canonical(row)) == row


def test_a_long_walk_needs_no_memory():
    def rows():
        last = chain.START
        for number in range(20_000):
            row = {"id": number, "subject": f"P{number}" * 5}
            last = chain.seal(last, row)
            yield last, row

    tracemalloc.start()
    last, found = chain.walk(rows())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (last.seq, found) == (20_000, None)
    assert peak < 200_000
