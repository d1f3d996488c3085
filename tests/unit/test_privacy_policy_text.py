"""engine/policy_text.py and engine/promo.py of isp_privacy."""

import importlib.util
import sys
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "addons/isp_privacy/engine"


def load_source(name):
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location(f"isp_privacy_{name}", ENGINE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


policy_text = load_source("policy_text")
promo = load_source("promo")


def test_placeholders_are_filled():
    text = "We at {company} answer in {days} days, {days}!"
    assert policy_text.placeholders(text) == ["company", "days"]
    filled = policy_text.fill(text, {"company": "Padma", "days": 30, "other": ""})
    assert filled == "We at Padma answer in 30 days, 30!"
    assert policy_text.fill("No braces, {{twice}}", {}) == "No braces, {twice}"


@pytest.mark.parametrize("text", ["{nobody}", "{}", "{days.real}", "{days[0]}", "{ days", "} days"])
def test_what_cannot_be_filled_is_refused(text):
    with pytest.raises(policy_text.UnknownPlaceholder):
        policy_text.fill(text, {"days": 30})


def test_an_empty_value_is_refused():
    with pytest.raises(policy_text.UnknownPlaceholder, match="{phone}"):
        policy_text.fill("Call {phone}", {"phone": False})


def test_markup_becomes_html_and_all_else_is_escaped():
    text = "# Rights & duties\nOne\nTwo\n\n- <b>a</b>\n- b\nThree\n# Next\n# Last"
    assert policy_text.to_html(text).split("\n") == [
        '<h2 class="h4 mt-4">Rights &amp; duties</h2>',
        "<p>One<br/>Two</p>",
        "<ul><li>&lt;b&gt;a&lt;/b&gt;</li><li>b</li></ul>",
        "<p>Three</p>",
        '<h2 class="h4 mt-4">Next</h2>',
        '<h2 class="h4 mt-4">Last</h2>',
    ]
    assert policy_text.to_html("") == ""


def test_lines_are_compared():
    old, new = "one\n\ntwo\nthree", "one\n2\nthree\nfour\n"
    assert policy_text.compare(old, new) == [
        ("=", "one"),
        ("-", "two"),
        ("+", "2"),
        ("=", "three"),
        ("+", "four"),
    ]
    assert policy_text.compare("", "a") == [("+", "a")]
    assert {mark for mark, _line in policy_text.compare(old, old)} == {"="}


@pytest.mark.parametrize(
    "text, found",
    [
        ("Special <b>offer</b> for you", ["special offer"]),
        ("Now 20% off, and 20 % OFF", ["20% off", "20 % off"]),
        ("LIMITED-TIME", ["limited-time"]),
        ("আজই অফারটি নিন", ["অফার"]),
        ('<a href="/discount">Your bill</a>', []),
        ("Your bill of 500 is due. We offer our apologies for the fault.", []),
        ("The port is off. Promote, discounted", []),
        (None, []),
    ],
)
def test_advertising_is_found(text, found):
    assert promo.find_promo_words(text) == found
