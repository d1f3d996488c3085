"""The steps that explain a charge really lead to its amount, for every charge of any history."""

from collections import Counter
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.discounts import Discount
from engine.explanation import Facts, Off, billed_next_to, explain
from engine.history import Deposit, Fee, LineChange, Options, Pause, Term
from engine.schedule import bill
from harness.bills import day, plan, service

from .test_schedule_properties import FAR, days, histories

D = Decimal
CENT = D("0.01")


def cents(value):
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def nine(value):
    return value.quantize(D("0.000000001"), rounding=ROUND_HALF_UP)


# What each step claims, worked out anew from its own values.
CLAIMS = {
    "quantity": lambda v: v["quantity"] * v["price"] == v["total"],
    "percent": lambda v: v["base"] - v["base"] * v["percent"] / 100 == v["rate"],
    "amount_off": lambda v: v["base"] - v["value"] == v["rate"] >= 0,
    "discounts": lambda v: v["base"] - v["value"] == v["rate"],
    "limited": lambda v: v["base"] - v["value"] == v["rate"],
    "days": lambda v: nine(D(v["days"]) / v["of_days"]) == v["fraction"],
    "kept_days": lambda v: nine(D(v["days"]) / v["of_days"]) == v["fraction"],
    "days_back": lambda v: nine(D(v["days"]) / v["of_days"]) == v["fraction"],
    "gross_share": lambda v: v["rate"] * v["fraction"] == v["exact"],
    "share": lambda v: v["rate"] * v["fraction"] == v["exact"] and cents(v["exact"]) == v["amount"],
    "rounding": lambda v: cents(v["exact"]) == v["amount"],
    "missing": lambda v: v["total"] - v["billed"] == v["amount"],
    "left": lambda v: v["billed"] - v["back"] == v["left"],
    "taken_back_whole": lambda v: v["kept"] - v["left"] == v["amount"],
    "taken_off": lambda v: v["kept"] - v["left"] == v["amount"],
    "early_rest": lambda v: v["fee"] + v["rest"] * v["percent"] / 100 == v["exact"],
}


def facts_of(charge, before, history):
    """What would be stored of an engine's charge, and what is known of those before it."""
    values = {}
    if charge.rule == "repair":
        old = next(one for one in before if one.ref == charge.repairs)
        repairs = [one for one in before if one.kind == "repair" and one.repairs == old.ref]
        values["repaired"] = facts_of(old, [one for one in before if one.ref < old.ref], history)
        values["before"] = tuple(repairs)
    elif charge.rule == "remainder":
        values["before"] = billed_next_to(charge, before)
    elif charge.kind == "early_termination":
        rest = (charge.precise - history.term.fee) * 100 / history.term.percent
        values["term"] = {
            "fee": history.term.fee,
            "percent": history.term.percent,
            "rest": rest,
        }
    endless = -charge.rate.normalize().as_tuple().exponent > 9
    return Facts(
        kind=charge.kind,
        rule=charge.rule,
        date_from=charge.date_from,
        date_to=charge.date_to,
        amount=charge.amount,
        fraction=charge.fraction,
        price=cents(charge.rate) + 1 if endless else charge.rate,
        rate=charge.rate,
        exact=charge.exact,
        days=charge.days,
        of_days=charge.of_days,
        thirty_days=history.options.thirty_days,
        **values,
    )


def bill_all(history, targets):
    """Every charge of these runs, with its number."""
    billed = []
    for target in targets:
        for charge in bill(history, max(target, history.start), billed).charges:
            billed.append(replace(charge, ref=len(billed)))
    return billed


def check(charge, before, history):
    """The steps of ``charge``, each of which is true and the last of which is its amount."""
    facts = facts_of(charge, before, history)
    steps = explain(facts)
    assert steps[-1].amount == charge.amount, steps
    for step in steps:
        claim = CLAIMS.get(step.code)
        assert claim is None or claim(step.values), step
    return [step.code for step in steps]


@settings(max_examples=60, deadline=None)
@given(histories(), st.lists(days, min_size=1, max_size=4))
def test_the_steps_lead_to_the_amount(history, targets):
    billed = bill_all(history, [*targets, FAR])
    for number, charge in enumerate(billed):
        assert "differs" not in check(charge, billed[:number], history)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(days, min_size=1, max_size=3))
def test_corrections_are_explained_too(data, targets):
    """A history that was rewritten: repairs, and remainders of what was billed before."""
    first = data.draw(histories(start=day("01-01")))
    final = replace(
        data.draw(histories(start=day("01-01"))), mode=first.mode, options=first.options
    )
    billed = bill_all(first, targets)
    for charge in bill(final, FAR, billed).charges:
        before = list(billed)
        billed.append(replace(charge, ref=len(billed)))
        history = final if charge.kind == "early_termination" else first
        assert "differs" not in check(billed[-1], before, history)


# === EACH RULE === #


def story(*states, **options):
    """Codes of the steps of every charge, when the history was known as ``states`` say."""
    billed, codes = [], []
    for history, target in states:
        for charge in bill(history, day(target), billed).charges:
            numbered = replace(charge, ref=len(billed))
            codes.append((numbered.rule, numbered.kind, check(numbered, billed, history)))
            billed.append(numbered)
    return codes


def rules(codes, rule):
    return [steps for found, _kind, steps in codes if found == rule]


def test_a_whole_period():
    assert story((service(), "01-01")) == [("full", "recurring", ["price", "full"])]


def test_a_first_part():
    late = service(plan("500"), start="01-18")
    assert rules(story((late, "01-18")), "leading_stub") == [["price", "days", "share"]]


def test_a_part_that_ends_with_the_service():
    ended = service(end=day("01-11"))
    assert rules(story((ended, "01-11")), "trailing_stub") == [["price", "days", "share"]]


def test_no_proration_and_free_first_part():
    whole = service(start="01-18", options=Options(whole_parts=True))
    assert rules(story((whole, "01-18")), "whole_stub") == [["price", "whole_stub"]]
    free = service(start="01-18", options=Options(free_first_stub=True))
    assert rules(story((free, "01-18")), "free_stub") == [["price", "free_stub"]]


def test_a_forced_date_stretches_the_period():
    forced = service(start="2025-01-10", billed_through=day("01-11"), next_bill=day("02-01"))
    assert rules(story((forced, "02-01")), "stretched") == [["price", "days", "share"]]


def test_a_correction_says_what_stays():
    codes = story((service(), "01-01"), (service(end=day("01-11")), "01-11"))
    assert rules(codes, "repair") == [["repaired", "kept_days", "share", "taken_off"]]


def test_a_second_correction_of_the_same_charge():
    first = service(end=day("01-21"))
    second = service(end=day("01-11"))
    codes = story((service(), "01-01"), (first, "01-21"), (second, "01-21"))
    assert rules(codes, "repair")[1] == ["repaired", "left", "kept_days", "share", "taken_off"]


def test_a_correction_of_everything():
    codes = story((service(), "01-01"), (service(end=day("01-01")), "01-02"))
    assert rules(codes, "repair") == [["repaired", "taken_back_whole"]]


def test_a_correction_by_the_days_taken_back():
    """Rounded on their own, as other billing systems do."""
    options = Options(repair="removed")
    price = plan("100.01")
    codes = story(
        (service(price, options=options, start="02-01"), "02-01"),
        (service(price, options=options, start="02-01", end=day("02-15")), "02-15"),
    )
    assert rules(codes, "repair") == [["repaired", "days_back", "share"]]


def test_days_that_were_missing():
    ended = service(plan("500"), end=day("01-15"))
    going_on = service(plan("500"))
    codes = story((ended, "01-15"), (going_on, "01-20"))
    expected = ["price", "remainder", "days", "share", "missing"]
    assert expected in rules(codes, "remainder")


def test_a_suspension_in_thirty_day_months():
    pause = Pause(day("01-06"), day("01-16"))
    codes = story((service(pauses=(pause,), options=Options(thirty_days=True)), "01-31"))
    assert all(steps == ["price", "days", "share"] for _rule, _kind, steps in codes[:2])


def test_once():
    history = service(
        fees=(Fee("visit", day("01-01"), D(250)), Fee("cable", day("01-01"), D(99), "setup")),
        deposits=(Deposit("box", day("01-01"), D(500)),),
        trial_days=7,
        end=day("03-01"),
        term=Term(day("06-01"), D(100), D(50)),
    )
    by_kind = {kind: steps for _rule, kind, steps in story((history, "03-02"))}
    assert by_kind["one_off"] == ["one_off"]
    assert by_kind["setup"] == ["setup"]
    assert by_kind["trial"] == ["trial"]
    assert by_kind["deposit"] == ["deposit"]
    assert by_kind["deposit_refund"] == ["deposit_refund"]
    assert by_kind["early_termination"] == ["early_termination", "early_fee", "early_rest"]


def test_a_fee_that_was_corrected():
    dear = service(fees=(Fee("visit", day("01-01"), D(250)),))
    cheap = service(fees=(Fee("visit", day("01-01"), D(200)),))
    codes = story((dear, "01-01"), (cheap, "01-02"))
    assert ("repair", "repair", ["repaired", "taken_back_whole"]) in codes


# === PRICES AND DISCOUNTS === #


def priced(**values):
    values = {"price": D(1000), "rate": D(900), "amount": D(900), **values}
    base = {"kind": "recurring", "rule": "full"}
    base |= {"date_from": day("01-01"), "date_to": day("02-01")}
    return explain(Facts(**base, **values))


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"discount": D(10)}, ["price", "percent", "full"]),
        ({"offs": (Off("NEW10", percent=D(10)),)}, ["price", "percent", "full"]),
        # Named and on the line: it is the same discount, told once.
        ({"discount": D(10), "offs": (Off("N", percent=D(10)),)}, ["price", "percent", "full"]),
        ({"offs": (Off("A", amount=D(100)),)}, ["price", "amount_off", "full"]),
        (
            {"quantity": D(3), "rate": D(2650), "amount": D(2650)}
            | {"offs": (Off("A", amount=D(50)), Off("B", percent=D(10)))},
            ["price", "quantity", "percent", "amount_off", "full"],
        ),
        # What was given is not what the discount says, for it had a limit.
        ({"offs": (Off("A", percent=D(50)),)}, ["price", "discounts", "full"]),
        ({"rate": D("900.005"), "amount": D("900.01")}, ["price", "discounts", "full", "rounding"]),
        ({"rate": None, "amount": D(1000)}, ["price", "full"]),
        ({"amount": D(899)}, ["price", "discounts", "full", "differs"]),
    ],
)
def test_discounts(values, codes):
    steps = priced(**values)
    assert [step.code for step in steps] == codes
    assert steps[-1].amount == values.get("amount", D(900))
    for step in steps:
        assert CLAIMS.get(step.code, bool)(step.values), step


def test_a_limited_discount_is_taken_off_the_part():
    history = service(
        plan("500", discounts=(Discount("d", percent=D(50), max_total=D(30)),)), start="01-18"
    )
    (charge,) = bill(history, day("01-18")).charges
    facts = replace(facts_of(charge, [], history), price=D(500), offs=(Off("d", percent=D(50)),))
    steps = explain(facts)
    assert [step.code for step in steps][:4] == ["price", "days", "gross_share", "limited"]
    assert steps[-1].amount == charge.amount


# === WHAT WAS STORED LESS === #


def test_the_whole_period_is_found_when_it_was_not_stored():
    facts = Facts(
        kind="recurring",
        rule="leading_stub",
        date_from=day("01-18"),
        date_to=day("02-01"),
        amount=D("225.81"),
        fraction=D("0.451612903"),
        price=D(500),
        candidates=(28, 31),
    )
    steps = explain(facts)
    assert [step.code for step in steps] == ["price", "days", "share"]
    assert steps[1].values["of_days"] == 31
    steps = explain(replace(facts, candidates=(30,)))
    assert [step.code for step in steps] == ["price", "fraction", "share"]


def test_an_amount_nobody_can_work_out_is_not_explained_away():
    facts = Facts("repair", "repair", day("01-01"), day("02-01"), D(-5))
    assert [step.code for step in explain(facts)] == ["taken_back"]
    lost = Facts("early_termination", "once", day("01-01"), day("01-01"), D(5), term={})
    assert [step.code for step in explain(lost)] == ["early_termination", "on_record"]


def test_most_corrections_are_worked_out_from_their_days():
    """The fallbacks, which only state totals, are the exception."""
    found = Counter()
    for number in range(2, 29):
        change = LineChange(day(f"01-{number:02}"), price=D("777.77"))
        known = service(plan("333.33", changes=(change,)))
        for _rule, _kind, steps in story((service(plan("333.33")), "01-01"), (known, "01-31")):
            found.update(steps)
    assert found["kept_days"] == 27
    assert not found["stays"] + found["total_of_days"] + found["differs"]
