"""engine/identifiers.py of isp_privacy: what a person is recognised by, in whatever form it stands."""

import importlib.util
import json
import sys
from html import escape
from pathlib import Path
from urllib.parse import quote

import pytest

SOURCE = Path(__file__).parents[2] / "addons/isp_privacy/engine/identifiers.py"


def load_source():
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location("isp_privacy_identifiers", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


identifiers = load_source()

PHONE = ("contact", "+880 1711-111111")
EMAIL = ("contact", "Karim@Customer.example")
NAME = ("name", "Karim Uddin")
BANGLA = ("name", "করিম উদ্দিন")
FIRM = ("name", "Karim & Sons")
NID = ("number", "1990 1234 5678 90123")
LOGIN = ("login", "karim01")
MAC = ("mac", "AA:BB:CC:DD:EE:FF")
STREET = ("address", "House 12, Road 5")


def patterns_of(*values):
    return identifiers.Patterns(
        [found for kind, value in values for found in identifiers.read(kind, value, "BD")]
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (PHONE, "call 01711111111 now"),
        (PHONE, "+8801711-111 111"),
        (PHONE, "8801711111111"),
        (PHONE, "1711111111"),
        (PHONE, "(01711) 111111"),
        (PHONE, "০১৭১১১১১১১১"),
        (PHONE, "%2B8801711111111"),
        (EMAIL, '"Karim" <KARIM@customer.example>'),
        (EMAIL, "Write to karim@customer.example."),
        (EMAIL, quote("<karim@customer.example>", safe="")),
        (EMAIL, r'{"to": "\nkarim@customer.example"}'),
        (NAME, "Dear KARIM  UDDIN,"),
        (NAME, "\N{KELVIN SIGN}arim Uddin"),
        (NAME, "karim%20uddin"),
        (NAME, "?name=Karim+Uddin&x"),
        (NAME, "Karim&nbsp;Uddin"),
        (BANGLA, "প্রিয় করিম উদ্দিন,"),
        (BANGLA, json.dumps("করিম উদ্দিন")),
        (BANGLA, quote("করিম উদ্দিন")),
        (FIRM, escape("Karim & Sons")),
        (NID, "19901234567890123"),
        (NID, "1990-1234-5678-90123"),
        (LOGIN, "login=Karim01;"),
        (MAC, "aabbccddeeff"),
        (MAC, "aa-bb-cc-dd-ee-ff"),
        (STREET, "house 12,  road 5"),
    ],
)
@pytest.mark.parametrize("around", ["", " lorem % ২০ 20" * 1000])
def test_found_in_every_form(value, text, around):
    assert patterns_of(value).found_in(f"{around} {text} {around}")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (PHONE, "01711111112"),
        (PHONE, "017111111111"),
        (PHONE, "1711"),
        (EMAIL, "abdul.karim@customer.example"),
        (EMAIL, "karim@customer.example.com"),
        (EMAIL, "karim@customer.examples"),
        (NAME, "Karima Uddin"),
        (NAME, "Karim Uddina"),
        (NAME, "Karim"),
        (NID, "219901234567890123"),
        (LOGIN, "karim012"),
        (LOGIN, "karim01-2"),
        (MAC, "aabbccddeeff00"),
        (STREET, "House 12, Road 55"),
    ],
)
def test_not_found_in_what_is_somebody_elses(value, text):
    assert not patterns_of(value).found_in(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("name", "Karim"),
        ("name", " "),
        ("contact", "12345"),
        ("contact", "www.customer.example"),
        ("contact", "Technician"),
        ("address", "Road 5"),
        ("address", "Green Road, Farmgate"),
        ("number", "12-34"),
        ("login", "anna"),
        ("login", "karim"),
        ("mac", "none"),
    ],
)
def test_words_of_many_people_are_not_searched(kind, value):
    assert identifiers.read(kind, value, "BD") == []


def test_the_loose_form_finds_all_that_the_strict_one_does():
    """PostgreSQL gets the loose one, so what it does not find is never looked at."""
    import re

    for value in (PHONE, EMAIL, NAME, BANGLA, FIRM, NID, LOGIN, MAC, STREET):
        patterns = patterns_of(value)
        assert re.search(patterns.loose, value[1], re.I)
        assert not re.search(r"\(\?[<=!]", patterns.loose), "it has no look to the side"


def test_redacting_leaves_the_rest():
    text = "Karim Uddin (karim@customer.example, 01711111111) paid 500."
    assert patterns_of(PHONE, EMAIL, NAME).redact(text, "X") == "X (X, X) paid 500."


def test_a_long_text_without_a_mark_is_not_searched():
    """Files are searched many times as fast by what must stand in each form of an identifier."""

    def searched(value, text):
        patterns = patterns_of(value)
        seen = []
        patterns.strict = type("Spy", (), {"search": lambda _self, text: seen.append(text)})()
        patterns.found_in(text)
        return bool(seen)

    long = " lorem ipsum 12 %20 ২০" * 1000
    for value in (PHONE, EMAIL, NAME, BANGLA, FIRM, NID, LOGIN, MAC, STREET):
        assert not searched(value, long)
        assert searched(value, f"{long} {value[1]}")
    assert searched(PHONE, f"{long} 01711111112 ০১৭১১-১১%20১১১১ {long}")


def test_nobody_is_found_by_nothing():
    nobody = identifiers.Patterns([])
    assert not nobody
    assert not nobody.found_in("anything")
    assert nobody.redact("anything", "X") == "anything"


def test_a_replacement_is_taken_as_it_is():
    assert patterns_of(EMAIL).redact("karim@customer.example", r"\1\g<0>") == r"\1\g<0>"
