"""The billing engine's entry point, one story a test. Dates and amounts are worked out by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.discounts import Coupon, Discount, redeem
from engine.history import (
    CycleChange,
    Deposit,
    Fee,
    Line,
    LineChange,
    Options,
    Pause,
    Payment,
    Term,
)
from engine.periods import Cycle, due_periods, fraction_of
from engine.prices import price_changes
from engine.problems import Problem
from engine.schedule import bill
from harness.bills import MONTHLY, Books, day, plan, service, told

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


def test_a_clock_set_back_takes_nothing_back_from_a_period_billed_in_two_parts():
    books = Books()
    books.bill(service(cycle=replace(MONTHLY, anchor_day=11)), "01-01")
    arrears = service(mode="arrears")
    assert books.bill(arrears, "02-01") == [("recurring", "01-11", "02-01", "210.00")]
    assert books.bill(arrears, "01-15") == []


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
