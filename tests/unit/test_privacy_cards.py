"""engine/cards.py of isp_privacy: numbers of cards are masked, and nothing else is."""

import importlib.util
import random
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "addons/isp_privacy/engine/cards.py"


def load_source():
    """Load the file by path: the addon itself needs Odoo, this file must not."""
    spec = importlib.util.spec_from_file_location("isp_privacy_cards", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cards = load_source()


# Numbers that the schemes publish for tests.
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111111111111111", "411111******1111"),
        ("4111 1111 1111 1111", "4111 11** **** 1111"),
        ("4111-1111-1111-1111.", "4111-11**-****-1111."),
        ("4111\u00a01111\u00a01111\u00a01111", "4111\u00a011**\u00a0****\u00a01111"),
        ("5555555555554444", "555555******4444"),
        ("2223003122003222", "222300******3222"),
        ("3782 822463 10005", "3782 82**** *0005"),
        ("30569309025904", "305693****5904"),
        ("3530111333300000", "353011******0000"),
        ("6011111111111117", "601111******1117"),
        ("6200000000000005", "620000******0005"),
        ("my card 4111111111111111, cvv 123", "my card 411111******1111, cvv 123"),
        ("4111111111111111 5555555555554444", "411111******1111 555555******4444"),
        ("01711-111111 4111 1111 1111 1111", "01711-111111 4111 11** **** 1111"),
        ("2027-03-10 4111 1111 1111 1111 500", "2027-03-10 4111 11** **** 1111 500"),
        ("4111 1111 1111 1111 11", "4111 11** **** 1111 11"),
        ("৪১১১১১১১১১১১১১১১", "৪১১১১১******১১১১"),
    ],
)
def test_numbers_of_cards_are_masked(text, masked):
    assert cards.mask_cards(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit does not fit
        "41111111111111",  # no length of a card
        "4222222222222",  # once a Visa; here more likely an identity card
        "1234567890128",  # an identity card of 13 digits
        "19901234000001236",  # one of 17 digits
        "+8801711111111 8801711111111 01711111111",
        "INV/2027/4111111111111111",
        "INV4111111111111111",
        "BILL-4111111111111111A",
        "https://shop.example/pay/4111111111111111",
        "490154203237518",  # a phone's IMEI has a check digit of the same kind
        "8988011234567890125",  # and so has the number of a SIM card
        "41 11 11 11 11 11 11 11",
        "0.4111111111111111",
        "9999999999999995",  # nobody issues these
        "",
    ],
)
def test_other_numbers_stay(text):
    assert cards.mask_cards(text) == text


def test_in_html_only_words_are_masked():
    html = '<p data-x="4111111111111111">Pay <b>4111111111111111</b> now</p>'
    assert cards.mask_cards_in_html(html) == html.replace(
        "<b>4111111111111111", "<b>411111******1111"
    )


def test_masking_twice_changes_nothing():
    once = cards.mask_cards("4111 1111 1111 1111")
    assert cards.mask_cards(once) == once


def test_our_own_numbers_are_never_taken_for_cards():
    """Bills, payments and customers, as the sequences of the suite write them."""
    source = random.Random(4711)
    for _number in range(2000):
        digits = source.randrange(10**5)
        text = f"INV/2027/{digits:05} PBNK1/2027/{digits:05} C-{digits:07} 2027-03-{1 + digits % 28:02}"
        assert cards.mask_cards(text) == text
