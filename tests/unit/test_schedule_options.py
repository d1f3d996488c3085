"""Options of the billing engine, its money and time, and what it refuses."""

from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from engine.history import (
    Charge,
    Fee,
    LineChange,
    Options,
    Pause,
)
from engine.periods import Cycle, fraction_of
from engine.problems import Problem
from engine.schedule import bill
from engine.zone import local_day
from harness.bills import Books, day, plan, service, told

# === OPTIONS === #


def test_thirty_day_months():
    short = service(start="01-16", options=Options.of_proration("thirty_days"))
    assert told(bill(short, day("01-16")).charges) == [("recurring", "01-16", "02-01", "155.00")]


def test_thirty_day_parts_of_a_short_month_sum_to_the_whole():
    change = LineChange(day("02-10"), price=Decimal("620"))
    cycle = Cycle("month", 1, 29)
    line = plan(changes=(change,))
    divided = service(line, start="01-29", cycle=cycle, options=Options(thirty_days=True))
    charges = bill(divided, day("02-10")).charges
    assert [charge.fraction for charge in charges] == [fraction_of(11, 29), fraction_of(18, 29)]


def test_no_proration_and_a_free_first_stub():
    for proration, amount, rule in (
        ("none", "310.00", "whole_stub"),
        ("free_first_stub", "0.00", "free_stub"),
    ):
        options = Options.of_proration(proration)
        (charge,) = bill(service(start="01-16", options=options), day("01-16")).charges
        assert (str(charge.amount), charge.rule) == (amount, rule)


def test_without_proration_a_change_waits_for_the_next_period():
    line = plan(changes=(LineChange(day("01-11"), price=Decimal("620")),))
    options = Options.of_proration("none")
    charges = bill(service(line, options=options, end=day("02-03")), day("02-01")).charges
    assert told(charges) == [
        ("recurring", "01-01", "02-01", "310.00"),
        ("recurring", "02-01", "02-03", "620.00"),
    ]


def test_repairs_rounded_on_their_own_or_so_that_the_sum_is_exact():
    # A half cent either way: 2.01 for two days, one of them taken back.
    two_days = service(plan("2.01"), cycle=Cycle("day", 2))
    for policy, amount in (("removed", "-1.01"), ("scratch", "-1.00")):
        options = Options(repair=policy)
        billed = bill(replace(two_days, options=options), day("01-01")).charges
        ended = replace(two_days, options=options, end=day("01-02"))
        result = bill(ended, day("01-02"), billed)
        assert str(result.subtotal) == amount
        assert bill(ended, day("01-02"), [*billed, *result.charges]).charges == ()


def test_another_way_to_count_the_days_corrects_the_amount_up_or_down():
    for before, after, amount in (
        ("exact", "thirty_days", "7.38"),
        ("thirty_days", "exact", "-7.38"),
    ):
        books = Books()
        books.bill(service(start="02-11", options=Options.of_proration(before)), "02-11")
        final = service(start="02-11", options=Options.of_proration(after))
        # 18 of 28 days of February (199.29), or 20 of 30 (206.67).
        corrected = books.bill(final, "02-12")
        assert str(sum(Decimal(charge[3]) for charge in corrected)) == amount
        assert books.bill(final, "02-12") == []


# === MONEY AND TIME === #


def test_tax_is_rounded_apart_from_the_net_amount():
    ended = service(plan("20000"), cycle=Cycle("month"), decimals=0)
    billed = bill(ended, day("01-01"), tax_percent=Decimal(25)).charges
    options = Options(last_day_counts=True, repair="removed")
    ended = replace(ended, end=day("01-01"), options=options)
    result = bill(ended, day("01-01"), billed, tax_percent=Decimal(25))
    # 30/31 of 20000 is 19354.838…, a quarter of it 4838.709…
    assert (result.subtotal, result.tax, result.total) == (-19355, -4839, -24194)


def test_a_surplus_is_credit_and_the_next_bill_uses_it():
    books = Books()
    books.bill(service(), "01-01")
    cheaper = service(plan("31"))
    result = bill(cheaper, day("01-02"), books.billed)
    assert (result.total, result.credit) == (Decimal("-279.00"), Decimal("279.00"))
    assert told(bill(service(), day("01-01"), credit=result.credit).charges)[-1] == (
        *("credit_used", "01-01", "01-01"),
        "-279.00",
    )


def test_the_day_is_the_operators():
    moment = datetime(2023, 2, 28, 18, 30, tzinfo=timezone.utc)
    assert local_day(moment, "Asia/Kolkata") == date(2023, 3, 1)
    assert local_day(moment, "America/Bogota") == date(2023, 2, 28)
    with pytest.raises(Problem, match="moment_without_zone"):
        local_day(moment.replace(tzinfo=None), "Asia/Kolkata")
    with pytest.raises(Problem, match="zone_unknown"):
        local_day(moment, "Asia/Atlantis")


def test_dates_without_a_run():
    result = bill(service(start="01-16"), None)
    assert result.charges == ()
    assert (result.first_billing_date, result.next_bill_date) == (day("02-01"), day("01-16"))
    assert bill(service(start="01-16", mode="arrears"), None).next_bill_date == day("02-01")


@pytest.mark.parametrize(
    ("values", "target", "code"),
    [
        ({}, "2025-12-31", "target_before_start"),
        ({"end": day("2025-12-31")}, "01-01", "end_before_start"),
        ({"mode": "whenever"}, "01-01", "choice_unknown"),
        ({"pauses": (Pause(day("01-05"), day("01-03")),)}, "01-01", "period_reversed"),
        ({"pauses": (Pause(day("01-05")), Pause(day("01-09")))}, "01-01", "pauses_overlap"),
        ({"fees": (Fee("plan", day("01-05"), Decimal(1)),)}, "01-01", "key_repeated"),
        ({"fees": (Fee("trial", day("01-05"), Decimal(1)),)}, "01-01", "key_repeated"),
        ({"trial_days": -1}, "01-01", "count_negative"),
    ],
)
def test_impossible_histories_are_refused(values, target, code):
    with pytest.raises(Problem) as caught:
        bill(service(**values), day(target))
    assert caught.value.code == code


def test_stored_charges_need_no_link_between_repair_and_charge():
    span = (day("01-01"), day("02-01"))
    whole = Charge(
        "plan", "recurring", *span, Decimal(1), "full", Decimal(310), Decimal(310), "1 month"
    )
    repair = replace(whole, kind="repair", date_from=day("01-11"), amount=Decimal(-210))
    ended = service(end=day("01-11"))
    assert bill(ended, day("01-20"), [whole, repair]).charges == ()


def test_the_example_of_the_guide_says_what_it_does():
    guide = Path(__file__).parents[2] / "docs/billing-engine.md"
    example = guide.read_text(encoding="utf-8").split("```python\n")[2].split("```")[0]
    names = {"bill": bill}
    exec(example.replace("\nbill(", "\nsecond = bill("), names)
    assert told(names["first"]) == [("recurring", "01-01", "02-01", "310.00")]
    assert [charge[3] for charge in told(names["second"])] == ["-210.00", "420.00"]
