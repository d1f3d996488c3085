"""Explain this invoice: every rule and kind, recomputed from what is printed."""

from odoo import fields
from odoo.tests import tagged

from ..models.isp_charge_words import FORMULAS, LABELS
from .explain_common import ExplainCase

EVERY_RULE = {
    "full",
    "leading_stub",
    "trailing_stub",
    "line_stub",
    "whole_stub",
    "free_stub",
    "stretched",
    "remainder",
    "once",
    "repair",
}


@tagged("post_install", "-at_install")
class TestExplain(ExplainCase):
    """Karim's plan costs 1,000.00 a month, billed on the 1st."""

    # === PERIODS AND PARTS === #

    def test_a_whole_period(self):
        subscription = self.create_subscription()
        self.bill_on(subscription, "2027-03-10")
        explained = self.explain(subscription.charge_ids)
        self.assertEqual(explained["kind"], "Whole period")
        self.assertEqual(
            [(step["label"], step["amount"]) for step in explained["steps"]],
            [
                ("Home 20: 1,000.00 per month", ""),
                ("The whole period, 1 Mar 2027 to 31 Mar 2027", "1,000.00\xa0৳"),
            ],
        )
        self.assertFalse(explained["because"])

    def test_the_part_before_the_first_billing_day(self):
        subscription = self.create_subscription(date_start="2027-03-18")
        self.bill_on(subscription, "2027-03-18")
        explained = self.explain(subscription.charge_ids)
        self.assertEqual(explained["kind"], "Part before the first billing day")
        self.assertEqual(
            [(step["label"], step["formula"]) for step in explained["steps"]],
            [
                ("Home 20: 1,000.00 per month", ""),
                ("14 of 31 days: 18 Mar 2027 to 31 Mar 2027", "14 ÷ 31 = 0.451612903"),
                (
                    "What these days cost",
                    "1,000.00 × 0.451612903 = 451.612903, rounded to 451.61",
                ),
            ],
        )
        self.assertEqual(explained["because"], ["18 Mar 2027: Service started, by OdooBot"])

    def test_the_part_until_the_end_of_the_service(self):
        subscription = self.create_subscription()
        with self.at("2027-03-02 06:00:00"):
            subscription._terminate("Moved to Sylhet", fields.Date.to_date("2027-03-11"))
        self.bill_on(subscription, "2027-03-12")
        explained = self.explain(subscription.charge_ids)
        self.assertEqual(explained["charge"].rule, "trailing_stub")
        self.assertEqual(explained["kind"], "Part of a period, until the end of the service")
        self.assertIn("10 ÷ 31 = 0.322580645", self.formulas(subscription.charge_ids))
        ended = "11 Mar 2027: Service ended, by OdooBot (Moved to Sylhet)"
        self.assertIn(ended, explained["because"])

    def test_an_addon_that_joined_and_left_in_mid_period(self):
        product = self.env["product.product"].create(
            {"name": "Static IP", "type": "service", "lst_price": 310.0, "taxes_id": False}
        )
        subscription = self.create_subscription()
        self.env["isp.subscription.line"].create(
            {
                "subscription_id": subscription.id,
                "product_id": product.id,
                "line_type": "addon",
                "quantity": 2,
                "date_from": "2027-03-05",
                "date_to": "2027-03-12",
            }
        )
        self.bill_on(subscription, "2027-04-01")
        addon = self.charges_of(subscription, rule="line_stub")
        self.assertEqual(addon.amount, 140.0)
        self.assertEqual(self.codes(addon), ["price", "quantity", "days", "share"])
        self.assertEqual(self.formulas(addon)[0], "2 × 310.00 = 620.00")
        self.assertEqual(self.explain(addon)["kind"], "Part of a period")

    def test_a_part_at_the_whole_price_and_a_free_part(self):
        for proration, rule, amount in (("none", "whole_stub", 1000), ("free_first_stub", 0, 0)):
            plan = self.create_plan(f"Plan {proration}", 1000.0, proration=proration)
            subscription = self.create_subscription(plan_id=plan.id, date_start="2027-03-18")
            self.bill_on(subscription, "2027-03-18")
            charge = subscription.charge_ids
            self.assertEqual(charge.rule, rule or "free_stub")
            self.assertEqual(charge.amount, amount)
            self.assertEqual(self.codes(charge), ["price", charge.rule])

    def test_months_of_thirty_days_say_so(self):
        plan = self.create_plan("Thirty", 1000.0, proration="thirty_days")
        subscription = self.create_subscription(plan_id=plan.id, date_start="2027-03-18")
        self.bill_on(subscription, "2027-03-18")
        label = self.labels(subscription.charge_ids)[1]
        self.assertEqual(
            label,
            "13 of 30 days, every month counted as 30 days: 18 Mar 2027 to 31 Mar 2027",
        )

    def test_a_stretched_period(self):
        subscription = self.create_subscription()
        charge = self.create_charge(
            subscription,
            rule="stretched",
            date_to="2027-04-15",
            fraction=1.451612903,
            amount=1451.61,
            basis={"rate": "1000", "exact": "1451.612903", "days": 45, "of_days": 31},
        )
        self.assertEqual(self.codes(charge), ["price", "days", "share"])
        self.assertIn("longer or shorter period, 45 days instead of 31", self.labels(charge)[1])

    def create_charge(self, subscription, **vals):
        return self.env["isp.charge"].create(
            {
                "subscription_id": subscription.id,
                "line_id": subscription.line_ids[0].id,
                "date_from": "2027-03-01",
                "date_to": "2027-04-01",
                "price_unit": 1000.0,
                "amount": 1000.0,
                "per": "1 month",
                **vals,
            }
        )

    # === CORRECTIONS === #

    def test_a_correction_is_the_difference_of_two_totals(self):
        subscription = self.change_plan()
        repair = self.charges_of(subscription, rule="repair")
        first = self.charges_of(subscription)[0]
        self.assertEqual(
            self.labels(repair)[0],
            "Takes back 15 Mar 2027 to 31 Mar 2027 of what bill "
            f"{first.move_id.name} charged for 1 Mar 2027 to 31 Mar 2027",
        )
        self.assertEqual(
            self.formulas(repair),
            [
                "14 ÷ 31 = 0.451612903",
                "1,000.00 × 0.451612903 = 451.612903, rounded to 451.61",
                "451.61 − 1,000.00 = −548.39",
            ],
        )

    def test_the_events_are_those_that_cut_the_period(self):
        subscription = self.change_plan()
        with self.at("2027-03-15 07:00:00"):
            subscription._log_event("password", "New connection password")
        expected = "15 Mar 2027: Plan changed from Home 20 to Office 50"
        for charge in self.charges_of(subscription)[1:]:
            self.assertEqual(self.explain(charge)["because"], [f"{expected}, by OdooBot"])
            self.assertEqual(self.explain(charge, for_customer=True)["because"], [expected])
        self.assertFalse(self.explain(self.charges_of(subscription)[0])["because"])

    def test_a_charge_that_is_taken_back_whole_tells_why(self):
        subscription = self.create_subscription(date_start="2027-03-10")
        self.bill_on(subscription, "2027-03-10")
        with self.at("2027-03-10 07:00:00"):
            subscription._change_plan(self.plan_office, fields.Date.to_date("2027-03-10"))
        self.bill_on(subscription, "2027-03-10")
        repair = self.charges_of(subscription, rule="repair")
        self.assertEqual(self.codes(repair), ["repaired", "taken_back_whole"])
        self.assertEqual(
            self.explain(repair, for_customer=True)["because"],
            ["10 Mar 2027: Plan changed from Home 20 to Office 50"],
        )

    def test_a_second_correction_begins_with_what_the_first_one_left(self):
        subscription = self.create_subscription()
        self.bill_on(subscription, "2027-03-10")
        with self.at("2027-03-20 06:00:00"):
            subscription._terminate("Moved", fields.Date.to_date("2027-03-20"))
        self.bill_on(subscription, "2027-03-20")
        subscription.date_end = "2027-03-15"
        self.bill_on(subscription, "2027-03-20")
        first, second = self.charges_of(subscription, rule="repair")
        self.assertEqual(self.codes(first), ["repaired", "kept_days", "share", "taken_off"])
        self.assertEqual(
            self.codes(second), ["repaired", "left", "kept_days", "share", "taken_off"]
        )
        subscription.date_end = "2027-03-01"
        self.bill_on(subscription, "2027-03-20")
        last = self.charges_of(subscription, rule="repair")[-1]
        self.assertEqual(self.codes(last)[-1], "taken_back_whole")

    def test_days_that_had_not_been_billed(self):
        subscription = self.create_subscription()
        with self.at("2027-03-02 06:00:00"):
            subscription._terminate("Moved", fields.Date.to_date("2027-03-15"))
        self.bill_on(subscription, "2027-03-15")
        subscription.date_end = "2027-03-25"
        self.bill_on(subscription, "2027-03-25")
        remainder = self.charges_of(subscription, rule="remainder")
        self.assertEqual(self.codes(remainder), ["price", "remainder", "days", "share", "missing"])
        self.assertEqual(
            self.formulas(remainder)[-1], "774.19 − 451.61 = 322.58", "the difference of totals"
        )

    def test_another_billing_day(self):
        subscription = self.create_subscription()
        self.bill_on(subscription, "2027-03-10")
        with self.at("2027-03-20 06:00:00"):
            subscription._change_billing_day(15, fields.Date.to_date("2027-03-20"))
        self.bill_on(subscription, "2027-04-01")
        stub = self.charges_of(subscription)[-1]
        self.assertEqual(self.codes(stub), ["price", "days", "share"])
        self.assertEqual(self.labels(stub)[1], "14 of 31 days: 1 Apr 2027 to 14 Apr 2027")

    # === DISCOUNTS === #

    def test_a_coupon_is_named_with_what_it_takes_off(self):
        subscription = self.create_subscription()
        self.env["isp.subscription.discount"].create(
            {
                "subscription_id": subscription.id,
                "name": "coupon NEW10",
                "percent": 10,
                "date_from": "2027-03-01",
            }
        )
        self.bill_on(subscription, "2027-03-10")
        charge = subscription.charge_ids
        self.assertEqual(charge.amount, 900.0)
        self.assertEqual(self.labels(charge)[1], "10 % discount (coupon NEW10)")
        self.assertEqual(
            self.explain(charge)["because"],
            ["1 Mar 2027: Discount “coupon NEW10” from 2027-03-01, by OdooBot"],
        )
        self.assertFalse(
            self.explain(charge, for_customer=True)["because"],
            "the discount is one of the steps; the words of the staff stay with them",
        )

    def test_a_discount_of_the_line_and_one_with_a_limit(self):
        subscription = self.create_subscription(date_start="2027-03-18")
        subscription.line_ids.discount = 12.5
        self.env["isp.subscription.discount"].create(
            {
                "subscription_id": subscription.id,
                "name": "Eid offer",
                "percent": 50,
                "max_total": 100,
                "date_from": "2027-03-01",
            }
        )
        self.bill_on(subscription, "2027-04-01")
        first, second = self.charges_of(subscription)
        self.assertAlmostEqual(first.amount, 875 * 14 / 31 - 100, 2)
        self.assertIn("Discount, as far as its limit allows: Eid offer", self.labels(first))
        self.assertEqual(second.amount, 875.0)
        self.assertEqual(self.formulas(second)[0], "1,000.00 − 1,000.00 × 12.5 ÷ 100 = 875.00")

    # === ONCE === #

    def test_fees_deposits_and_trials(self):
        plan = self.create_plan("Trial", 1000.0, trial_days=9, setup_fee=750.0)
        subscription = self.create_subscription(plan_id=plan.id)
        for kind, name, amount in (("one_off", "Visit", 300.0), ("deposit", "Router", 1500.0)):
            self.env["isp.subscription.fee"].create(
                {
                    "subscription_id": subscription.id,
                    "kind": kind,
                    "name": name,
                    "amount": amount,
                    "product_id": plan.product_id.id,
                    "date": "2027-03-10",
                }
            )
        self.bill_on(subscription, "2027-03-10")
        told = {c.charge_type: self.explain(c)["steps"][0] for c in subscription.charge_ids}
        self.assertEqual(
            {kind: step["label"] for kind, step in told.items() if kind != "recurring"},
            {
                "trial": "Free trial, 1 Mar 2027 to 9 Mar 2027: nothing is charged",
                "setup": "Set-up of Trial, charged once on 1 Mar 2027",
                "one_off": "Visit, charged once on 10 Mar 2027",
                "deposit": "Router, taken on 10 Mar 2027 and given back when the service ends",
            },
        )
        with self.at("2027-03-20 06:00:00"):
            subscription._terminate("Moved", fields.Date.to_date("2027-03-20"))
        self.bill_on(subscription, "2027-03-20")
        refund = self.charges_of(subscription, charge_type="deposit_refund")
        self.assertEqual(self.labels(refund), ["Router, given back on 20 Mar 2027"])
        self.assertEqual(refund.amount, -1500.0)

    def test_leaving_before_the_term_is_over(self):
        plan = self.create_plan(
            "Term", 1000.0, contract_months=3, early_fee=99.99, early_percent=33.33
        )
        subscription = self.create_subscription(plan_id=plan.id)
        self.bill_on(subscription, "2027-03-10")
        with self.at("2027-03-20 06:00:00"):
            subscription._terminate("Moved", fields.Date.to_date("2027-03-20"))
        self.bill_on(subscription, "2027-03-20")
        early = self.charges_of(subscription, charge_type="early_termination")
        self.assertEqual(self.codes(early), ["early_termination", "early_fee", "early_rest"])
        self.assertIn("before the agreed term was over on 31 May 2027", self.labels(early)[0])
        self.assertRegex(
            self.formulas(early)[0],
            r"^99\.99 \+ 2,387\.096774 × 33\.33 ÷ 100 = [\d.]+, rounded to [\d.]+$",
        )

    def test_usage_and_what_was_released(self):
        subscription = self.create_subscription()
        usage = self.create_charge(
            subscription,
            charge_type="usage",
            rule="once",
            quantity=12.5,
            price_unit=2.25,
            amount=28.13,
            per=False,
        )
        self.assertEqual(self.codes(usage)[:2], ["usage", "price"])
        self.assertIn("12.5 × 2.25 = 28.125", self.formulas(usage))
        moves = self.bill_on(subscription, "2027-03-10")
        charge = moves.isp_charge_ids
        moves.button_draft()
        moves.button_cancel()
        charge.action_release()
        self.assertEqual(self.explain(charge)["notes"][0][:22], "The bill was cancelled")

    # === STORED LESS, OR WRONG === #

    def test_charges_of_former_versions_are_explained_from_their_dates(self):
        subscription = self.create_subscription(date_start="2027-03-18")
        self.bill_on(subscription, "2027-04-01")
        charges = self.charges_of(subscription)
        charges.basis = False
        charges.per = False
        stub, whole = charges
        self.assertEqual(self.codes(stub), ["price", "days", "share"])
        self.assertEqual(self.labels(stub)[0], "Home 20: 1,000.00 per month")
        self.assertEqual(self.codes(whole), ["price", "full"])

    def test_a_wrong_amount_is_not_explained_away(self):
        charge = self.create_charge(self.create_subscription(), amount=777.0)
        self.assertEqual(self.codes(charge), ["price", "full", "differs"])
        self.assertIn("from the steps above it would be 1,000.00", self.labels(charge)[-1])

    def test_events_of_other_subscriptions_are_not_told(self):
        """Ids in stored data prove nothing."""
        other = self.create_subscription()
        charge = self.create_charge(
            self.create_subscription(),
            basis={"rate": "1000", "exact": "1000", "events": other.event_ids.ids},
        )
        self.assertFalse(self.explain(charge)["because"])

    def test_every_rule_has_words(self):
        rules = dict(self.env["isp.charge"]._fields["rule"]._description_selection(self.env))
        self.assertEqual(set(rules), EVERY_RULE)
        for code in FORMULAS:
            self.assertTrue(code in LABELS or code.startswith("early"), code)
