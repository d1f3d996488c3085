"""The billing engine's entry point, one story a test. Dates and amounts are worked out by hand."""

from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from engine.discounts import Coupon, Discount, redeem
from engine.history import (
    Charge,
    CycleChange,
    Deposit,
    Fee,
    Line,
    LineChange,
    Options,
    Pause,
    Payment,
    Subscription,
    Term,
)
from engine.periods import Cycle, due_periods, fraction_of
from engine.prices import price_changes
from engine.problems import Problem
from engine.schedule import bill
from engine.zone import local_day

MONTHLY = Cycle("month", 1, 1, "start")


def day(text):
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def plan(price="310", **values):
    return Line("plan", Decimal(price), **values)


def service(*lines, start="01-01", cycle=MONTHLY, **values):
    return Subscription(start=day(start), cycle=cycle, lines=lines or (plan(),), **values)


def told(charges):
    """Charges in short: kind, from, to, amount."""
    return [
        (charge.kind, f"{charge.date_from:%m-%d}", f"{charge.date_to:%m-%d}", str(charge.amount))
        for charge in charges
    ]


class Books:
    """Bills one subscription after another state of its history and keeps what was billed."""

    def __init__(self):
        self.billed = []

    def bill(self, subscription, target, **values):
        result = bill(subscription, day(target), self.billed, **values)
        self.billed += [
            replace(charge, ref=len(self.billed) + number)
            for number, charge in enumerate(result.charges)
        ]
        return told(result.charges)


# === PLAN, PRICE, QUANTITY === #


def test_an_upgrade_now_credits_the_old_price_and_charges_the_new_one():
    books = Books()
    assert books.bill(service(), "01-01") == [("recurring", "01-01", "02-01", "310.00")]
    upgraded = service(plan(changes=(LineChange(day("01-11"), price=Decimal("620")),)))
    assert books.bill(upgraded, "01-11") == [
        ("repair", "01-11", "02-01", "-210.00"),
        ("recurring", "01-11", "02-01", "420.00"),
    ]
    assert books.bill(upgraded, "01-20") == []
    assert books.bill(upgraded, "02-01") == [("recurring", "02-01", "03-01", "620.00")]


def test_a_downgrade_at_cycle_end_waits_for_the_next_period():
    books = Books()
    books.bill(service(), "01-01")
    change = LineChange(day("01-11"), price=Decimal("155"), when="cycle_end")
    downgraded = service(plan(changes=(change,)))
    assert books.bill(downgraded, "01-11") == []
    assert books.bill(downgraded, "02-01") == [("recurring", "02-01", "03-01", "155.00")]


def test_a_change_known_in_advance_divides_the_period():
    change = LineChange(day("01-11"), price=Decimal("620"))
    planned = service(plan(changes=(change,)))
    books = Books()
    assert books.bill(planned, "01-01") == [("recurring", "01-01", "01-11", "100.00")]
    assert books.bill(planned, "01-11") == [("recurring", "01-11", "02-01", "420.00")]


def test_another_quantity_and_price_on_one_day():
    changes = (
        LineChange(day("01-11"), quantity=Decimal(2)),
        LineChange(day("01-11"), price=Decimal("62")),
    )
    for order in (changes, changes[::-1]):
        result = bill(service(plan(changes=order)), day("01-31"))
        assert told(result.charges)[1] == ("recurring", "01-11", "02-01", "84.00")


def test_the_later_of_two_changes_on_one_day_wins():
    changes = (
        LineChange(day("01-01"), price=Decimal(2), sequence=2),
        LineChange(day("01-01"), price=Decimal(1), sequence=1),
    )
    for order in (changes, changes[::-1]):
        assert told(bill(service(plan(changes=order)), day("01-01")).charges)[0][3] == "2.00"


def test_old_customers_keep_their_price():
    prices = {day("01-01"): Decimal(100), day("03-01"): Decimal(120), day("06-01"): Decimal(130)}
    joined = day("02-10")
    assert price_changes(prices, joined, "grandfathered") == ()
    kept = price_changes(prices, joined, "grandfathered", keep_until=day("04-15"))
    assert [(change.day, change.price, change.when) for change in kept] == [
        (day("04-15"), 120, "cycle_end"),
        (day("06-01"), 130, "cycle_end"),
    ]
    assert [change.when for change in price_changes(prices, joined, "now")] == ["now", "now"]
    with pytest.raises(Problem, match="price_missing"):
        price_changes({day("05-01"): Decimal(1)}, joined, "grandfathered", keep_until=joined)


# === BILLING DAY AND CYCLE === #


def test_a_new_billing_day_follows_the_period_that_is_running():
    moved = service(cycle_changes=(CycleChange(day("01-20"), replace(MONTHLY, anchor_day=15)),))
    # 14 days of the 31 from 15 January to 15 February.
    assert told(bill(moved, day("02-15")).charges) == [
        ("recurring", "01-01", "02-01", "310.00"),
        ("recurring", "02-01", "02-15", "140.00"),
        ("recurring", "02-15", "03-15", "310.00"),
    ]


def test_a_change_to_yearly_takes_effect_at_once():
    yearly = Cycle("year", 1, 11, "start")
    line = plan(changes=(LineChange(day("01-11"), price=Decimal("3650")),))
    changed = service(line, cycle_changes=(CycleChange(day("01-11"), yearly, "now"),))
    assert told(bill(changed, day("01-11")).charges) == [
        ("recurring", "01-01", "01-11", "100.00"),
        ("recurring", "01-11", "01-11", "3650.00"),
    ]


def test_monthly_and_yearly_at_one_price_are_not_the_same():
    books = Books()
    books.bill(service(cycle=Cycle("year", 1, 1)), "01-01")
    assert books.bill(service(), "01-15") == [
        ("repair", "01-01", "01-01", "-310.00"),
        ("recurring", "01-01", "02-01", "310.00"),
    ]


def test_a_forced_date_stretches_the_period():
    migrated = service(
        start="2025-01-10",
        billed_through=day("01-11"),
        next_bill=day("02-01"),
        cycle=Cycle("month", 1, 1),
    )
    # 21 days until 1 February and the month after it, by the 28 days of that month.
    assert told(bill(migrated, day("02-01")).charges) == [
        ("recurring", "01-11", "03-01", "542.50"),
    ]
    assert bill(migrated, None).next_bill_date == day("02-01")
    assert bill(migrated, day("01-31")).charges == ()


def test_the_day_of_a_forced_date_is_kept_through_february():
    forced = service(start="01-10", next_bill=day("01-31"), cycle=Cycle("month"))
    assert [charge[1:3] for charge in told(bill(forced, day("03-31")).charges)] == [
        ("01-10", "02-28"),
        ("02-28", "03-31"),
        ("03-31", "04-30"),
    ]


def test_the_first_stub_is_measured_back_from_the_first_billing_date():
    # Kill Bill's testSinglePlan_ChangeBCDTo31: 28 January to 28 February are 31 days.
    cycle = Cycle("month", 1, 31, "start")
    (charge,) = bill(service(start="02-14", cycle=cycle), day("02-14")).charges
    assert charge.fraction == fraction_of(14, 31)
    (period,) = due_periods(day("02-14"), cycle, day("02-14"))
    assert period.fraction == fraction_of(14, 31)


# === PAUSES === #


def test_keep_charging_through_a_suspension():
    paused = service(pauses=(Pause(day("01-10"), day("01-20"), "keep"),))
    assert told(bill(paused, day("01-31")).charges) == [("recurring", "01-01", "02-01", "310.00")]


def test_a_suspension_credits_its_whole_days():
    books = Books()
    books.bill(service(), "01-01")
    assert books.bill(service(pauses=(Pause(day("01-10")),)), "01-10") == [
        ("repair", "01-10", "02-01", "-220.00"),
    ]
    resumed = service(pauses=(Pause(day("01-10"), day("01-20")),))
    assert books.bill(resumed, "01-20") == [("recurring", "01-20", "02-01", "120.00")]
    assert books.bill(resumed, "01-25") == []
    never = service()
    assert books.bill(never, "01-26") == [("recurring", "01-10", "01-20", "100.00")]


def test_pause_and_extend_moves_the_end_of_what_is_paid():
    books = Books()
    assert books.bill(service(), "01-01") == [("recurring", "01-01", "02-01", "310.00")]
    assert books.bill(service(pauses=(Pause(day("01-10"), None, "extend"),)), "01-15") == []
    back = service(pauses=(Pause(day("01-10"), day("01-20"), "extend"),))
    assert bill(back, day("02-10"), books.billed).charges == ()
    assert bill(back, day("02-10"), books.billed).next_bill_date == day("02-11")
    assert books.bill(back, "02-11") == [("recurring", "02-11", "03-11", "310.00")]


def test_a_pause_on_a_billing_day_moves_the_billing_day():
    paused = service(pauses=(Pause(day("02-01"), day("02-11"), "extend"),))
    assert [charge[1:3] for charge in told(bill(paused, day("02-11")).charges)] == [
        ("01-01", "02-11"),
        ("02-11", "03-11"),
    ]


def test_only_what_is_left_of_a_charge_is_taken_back():
    books = Books()
    books.bill(service(), "01-01")
    paused = service(pauses=(Pause(day("01-11")),))
    assert books.bill(paused, "01-11") == [("repair", "01-11", "02-01", "-210.00")]
    assert books.bill(service(plan("155"), pauses=paused.pauses), "01-12") == [
        ("repair", "01-01", "01-11", "-100.00"),
        ("recurring", "01-01", "01-11", "50.00"),
    ]


def test_a_pause_without_end_bills_nothing_more():
    paused = service(pauses=(Pause(day("01-10"), None, "extend"),))
    assert told(bill(paused, day("06-01")).charges) == [("recurring", "01-01", "06-23", "310.00")]


# === THE END === #


def test_termination_with_and_without_credit():
    for policy, expected in (
        ("credit", [("repair", "01-11", "02-01", "-210.00")]),
        ("no_credit", []),
    ):
        books = Books()
        books.bill(service(), "01-01")
        ended = service(end=day("01-11"), end_policy=policy)
        assert books.bill(ended, "01-11") == expected
        assert bill(ended, day("03-01"), books.billed).next_bill_date is None


def test_the_last_day_counts():
    ended = service(end=day("01-10"), options=Options(last_day_counts=True), mode="arrears")
    assert told(bill(ended, day("01-10")).charges) == [("recurring", "01-01", "01-11", "100.00")]
    assert bill(ended, day("01-09")).charges == ()


def test_leaving_early_costs_a_fee():
    term = Term(until=day("04-01"), fee=Decimal(50), percent=Decimal(20))
    ended = service(end=day("02-01"), term=term)
    # 50, and a fifth of February and March.
    assert told(bill(ended, day("02-01")).charges) == [
        ("early_termination", "02-01", "02-01", "174.00"),
        ("recurring", "01-01", "02-01", "310.00"),
    ]
    stayed = service(end=day("04-01"), term=term)
    assert all(charge.kind == "recurring" for charge in bill(stayed, day("05-01")).charges)


def test_a_deposit_comes_back():
    held = service(deposits=(Deposit("router", day("01-01"), Decimal(500)),))
    books = Books()
    assert books.bill(held, "01-01")[0] == ("deposit", "01-01", "01-01", "500.00")
    assert books.bill(replace(held, end=day("02-01")), "02-01") == [
        ("deposit_refund", "02-01", "02-01", "-500.00"),
    ]


# === ADD-ONS, FEES, TRIALS, DISCOUNTS === #


def test_an_addon_joins_and_leaves_in_mid_period():
    addon = Line("tv", Decimal("62"), joined=day("01-16"), left=day("02-15"))
    charges = bill(service(plan(), addon), day("03-01")).charges
    assert told(charge for charge in charges if charge.line == "tv") == [
        ("recurring", "01-16", "02-01", "32.00"),
        ("recurring", "02-01", "02-15", "31.00"),
    ]


def test_fees_are_charged_once_and_corrected():
    fee = Fee("setup", day("01-01"), Decimal(1000), "setup")
    books = Books()
    assert books.bill(service(fees=(fee,)), "01-01")[0] == ("setup", "01-01", "01-01", "1000.00")
    assert books.bill(service(fees=(fee,)), "01-02") == []
    cheaper = service(fees=(replace(fee, amount=Decimal(800)),))
    assert books.bill(cheaper, "01-03") == [
        ("repair", "01-01", "01-01", "-1000.00"),
        ("setup", "01-01", "01-01", "800.00"),
    ]
    assert books.bill(cheaper, "01-04") == []
    assert books.bill(service(), "01-05") == [("repair", "01-01", "01-01", "-800.00")]
    assert books.bill(service(), "01-06") == []


def test_a_trial_costs_nothing_and_billing_begins_after_it():
    tried = service(trial_days=10)
    assert told(bill(tried, day("01-11")).charges) == [
        ("trial", "01-01", "01-01", "0.00"),
        ("recurring", "01-11", "02-01", "210.00"),
    ]


def test_discounts():
    half = Discount("half", percent=Decimal(50), first_cycles=2)
    charges = bill(service(plan(discounts=(half,)), start="01-11"), day("03-01")).charges
    assert [str(charge.amount) for charge in charges] == ["105.00", "155.00", "310.00"]
    ten_off = Discount("ten", amount=Decimal(10), date_from=day("02-01"), date_to=day("03-01"))
    charges = bill(service(plan(discounts=(ten_off,))), day("03-01")).charges
    assert [str(charge.amount) for charge in charges] == ["310.00", "300.00", "310.00"]
    both = (ten_off, Discount("half", percent=Decimal(50)))
    charges = bill(service(plan(discounts=both), start="02-01"), day("02-01")).charges
    assert [str(charge.amount) for charge in charges] == ["145.00"]
    huge = Discount("huge", amount=Decimal(999))
    assert bill(service(plan(discounts=(huge,))), day("01-01")).subtotal == 0
    limited = Discount("limited", percent=Decimal(50), max_total=Decimal(200))
    charges = bill(service(plan(discounts=(limited,))), day("03-01")).charges
    assert [str(charge.amount) for charge in charges] == ["155.00", "265.00", "310.00"]


def test_coupons_have_limits():
    coupon = Coupon(
        "EID", Discount("eid", percent=Decimal(25)), day("01-01"), day("02-01"), max_redemptions=2
    )
    assert redeem(coupon, day("01-31"), 1, 0).date_from == day("01-31")
    for arguments, code in (
        ((day("2025-12-31"), 0, 0), "coupon_not_yet"),
        ((day("02-01"), 0, 0), "coupon_expired"),
        ((day("01-05"), 2, 0), "coupon_used_up"),
        ((day("01-05"), 1, 1), "coupon_used_by_customer"),
    ):
        with pytest.raises(Problem) as caught:
            redeem(coupon, *arguments)
        assert caught.value.code == code


# === PREPAID === #


def test_prepaid_time_begins_when_the_time_before_ends():
    payments = (Payment(day("01-31")), Payment(day("02-10")), Payment(day("04-10"), 2))
    prepaid = service(start="01-31", mode="prepaid", cycle=Cycle("month"), payments=payments)
    result = bill(prepaid, day("04-10"))
    assert [charge[1:3] for charge in told(result.charges)] == [
        ("01-31", "02-28"),
        ("02-28", "03-31"),
        ("04-10", "05-10"),
        ("05-10", "06-10"),
    ]
    assert result.billed_through == day("06-10")
    assert told(bill(prepaid, day("02-09")).charges)[-1][1] == "01-31"


def test_prepaid_validity_from_activation_or_from_payment():
    for origin, begin in (("activation", "01-01"), ("payment", "01-05")):
        prepaid = service(
            mode="prepaid",
            cycle=Cycle("day", 30),
            payments=(Payment(day("01-05")),),
            validity_from=origin,
        )
        assert bill(prepaid, day("01-05")).charges[0].date_from == day(begin)
    waiting = service(mode="prepaid", cycle=Cycle("day", 30), payments=())
    assert bill(waiting, day("06-01")).charges == ()


# === OPTIONS === #


def test_thirty_day_months():
    short = service(start="01-16", options=Options.of_proration("thirty_days"))
    assert told(bill(short, day("01-16")).charges) == [("recurring", "01-16", "02-01", "155.00")]


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
    assert [charge[3] for charge in told(names["second"].charges)] == ["-210.00", "420.00"]
