"""Money and wallets on the wire."""

from decimal import Decimal

import pytest

from gateways.common import mask_wallet, money, money_text


@pytest.mark.parametrize(("text", "amount"), [("500.00", "500.00"), ("500", "500"), ("0.5", "0.5")])
def test_money(text, amount):
    assert money(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    ["", " 5", "5 ", "1e3", "1,000", "NaN", "Infinity", "-5", "+5", "5.", ".5", "5.001", "٥", "0x5"]
    + [None, 500, 500.0, b"500", "1" * 13],
)
def test_what_is_no_money(text):
    with pytest.raises(ValueError):
        money(text)


def test_money_text():
    assert money_text(Decimal("500")) == "500.00"
    for wrong in ("-1", "0.005", "NaN"):
        with pytest.raises((ValueError, ArithmeticError)):
            money_text(Decimal(wrong))


def test_a_wallet_is_never_shown_in_full():
    assert mask_wallet("01770000000") == "017****0000"
    for short in ("", None, "0177", "017700"):
        assert "77" not in mask_wallet(short)
