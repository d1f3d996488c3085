"""engine/request_states.py of isp_privacy: every move of every kind of request."""

import importlib.util
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "addons/isp_privacy/engine/request_states.py"


def load_source():
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location("isp_privacy_request_states", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


states = load_source()

STATES = [key for key, _label in states.STATES]
TYPES = [key for key, _label in states.TYPES]
ENDS = ("done", "rejected", "withdrawn", "duplicate")

# Written down once more, by hand: what the specification allows.
ASIDE = "rejected withdrawn duplicate on_hold"
USUAL = {
    "received": f"identity_pending verified {ASIDE}",
    "identity_pending": f"verified {ASIDE}",
    "verified": f"in_review {ASIDE}",
    "in_review": f"approved {ASIDE}",
    "approved": "executing withdrawn on_hold",
    "executing": "done failed on_hold",
    "failed": "executing on_hold",
}
EXPECTED = {
    "usual": USUAL,
    "erasure": {
        **USUAL,
        "approved": "recovery withdrawn on_hold",
        "recovery": "executing withdrawn on_hold",
    },
    "direct": {
        "received": f"executing {ASIDE}",
        "executing": "done failed on_hold",
        "failed": "executing on_hold",
    },
    "unknown": {"received": ASIDE},
}


def kind_of(request_type):
    if not request_type:
        return "unknown"
    if request_type in ("opt_out", "consent_withdrawal", "objection_marketing"):
        return "direct"
    return "erasure" if request_type == "erasure" else "usual"


@pytest.mark.parametrize("request_type", [None, *TYPES])
def test_every_move_of_every_state(request_type):
    expected = EXPECTED[kind_of(request_type)]
    for state in set(STATES) - {"on_hold"}:
        allowed = set(expected.get(state, "").split())
        assert states.next_states(request_type, state) == allowed, state


@pytest.mark.parametrize("request_type", [None, *TYPES])
def test_the_end_is_final(request_type):
    assert set(ENDS) == states.TERMINAL
    for state in ENDS:
        assert not states.next_states(request_type, state)
        assert not states.next_states(request_type, state, held_from="in_review")


@pytest.mark.parametrize("request_type", [None, *TYPES])
def test_from_a_hold_it_goes_on_where_it_was(request_type):
    expected = EXPECTED[kind_of(request_type)]
    for held_from, allowed in expected.items():
        assert "on_hold" in allowed
        back = {held_from} | ({"withdrawn"} & set(allowed.split()))
        assert states.next_states(request_type, "on_hold", held_from) == back
    assert states.next_states(request_type, "on_hold", None) == frozenset()
    assert states.next_states(request_type, "on_hold", "done") == frozenset()


@pytest.mark.parametrize("request_type", TYPES)
def test_every_kind_can_be_carried_out(request_type):
    """Some way leads from receipt to done, and each state on the table has one out."""
    seen, todo = set(), ["received"]
    while todo:
        state = todo.pop()
        seen.add(state)
        todo += states.next_states(request_type, state, "received") - seen
    assert "done" in seen
    assert ("recovery" in seen) == (request_type == "erasure")


def test_only_an_approved_erasure_waits_to_be_called_off():
    for request_type in TYPES:
        before = {
            state for state in STATES if "recovery" in states.next_states(request_type, state)
        }
        assert before == ({"approved"} if request_type == "erasure" else set())
