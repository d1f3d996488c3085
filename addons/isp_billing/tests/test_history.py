"""Billing by the history: what happens to a subscription between two bills."""

from datetime import date
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..engine import schedule
from .common import IspBillingCase


def day(text):
    return date.fromisoformat(f"2027-{text}")


class HistoryCase(IspBillingCase):
    """Plans that differ in price only, billed on the 1st."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan_fast = cls.create_plan("Fast 40", 1550.0)
        cls.plan_home.price = 310.0
        cls.plan_fast.price = 620.0
        cls.static_ip = cls.env["product.product"].create(
            {"name": "Static IP", "type": "service", "lst_price": 93.0, "taxes_id": False}
        )

    def amounts(self, subscription):
        """``[(kind, from, to, amount), …]`` of all charges in the order they were made."""
        return [
            (charge.charge_type, str(charge.date_from)[5:], str(charge.date_to)[5:], charge.amount)
            for charge in subscription.charge_ids.sorted("id")
        ]

    def new(self, subscription, target):
        """What a run of ``target`` adds, as :meth:`amounts`."""
        before = len(subscription.charge_ids)
        run = self.bill(f"2027-{target}")
        self.assertFalse(run.exception_ids.mapped("reason"))
        return self.amounts(subscription)[before:]

    def assertAsIfKnown(self, subscription, target):
        """The books hold what billing the final history from the beginning would have given."""
        wanted = schedule.bill(subscription._get_history(), day(target)).charges
        self.assertEqual(
            sum(Decimal(str(charge.amount)) for charge in subscription.charge_ids),
            sum(charge.amount for charge in wanted),
        )

    def stop(self, subscription, last, **vals):
        self.env["isp.subscription.stop"].create(
            {
                "operation": "terminate",
                "subscription_ids": subscription.ids,
                "date_end": f"2027-{last}",
                **vals,
            }
        ).action_confirm()

    def change(self, subscription, operation, **vals):
        wizard = self.env["isp.subscription.change"].create(
            {"subscription_id": subscription.id, "operation": operation, **vals}
        )
        wizard.action_confirm()
        return wizard


@tagged("post_install", "-at_install")
class TestHistory(HistoryCase):
    # === PLAN === #

    def test_an_upgrade_in_mid_period_gives_back_and_charges_days(self):
        subscription = self.create_subscription()
        self.assertEqual(self.new(subscription, "03-10"), [("recurring", "03-01", "04-01", 310.0)])
        self.change(subscription, "plan", plan_id=self.plan_fast.id, when="date", date="2027-03-11")
        self.assertFalse(subscription.charge_ids.filtered("repairs_id"), "not before its day")
        with self.at("2027-03-11 06:00:00"):
            self.env["isp.subscription"]._cron_change_plans()
            self.assertEqual(subscription.plan_id, self.plan_fast)
            self.assertEqual(
                self.new(subscription, "03-11"),
                [
                    ("repair", "03-11", "04-01", -210.0),
                    ("recurring", "03-11", "04-01", 420.0),
                ],
            )
        self.assertAsIfKnown(subscription, "03-11")
        self.assertEqual(subscription.charge_ids.move_id.mapped("amount_total"), [310.0, 210.0])
        self.assertEqual(self.new(subscription, "04-01"), [("recurring", "04-01", "05-01", 620.0)])
        self.assertFalse(subscription.has_changes, "an ordinary subscription again")
        plans = subscription.charge_ids.sorted("id").plan_id
        self.assertEqual(plans, self.plan_home + self.plan_fast)
        repair = subscription.charge_ids.filtered("repairs_id")
        self.assertEqual(repair.plan_id, self.plan_home, "the plan that is taken back")

    def test_a_downgrade_leaves_a_credit_note_that_the_next_bill_uses(self):
        subscription = self.create_subscription(plan_id=self.plan_fast.id)
        self.bill("2027-03-10")
        self.change(subscription, "plan", plan_id=self.plan_home.id)
        self.assertEqual(subscription.plan_id, self.plan_home)
        self.bill("2027-03-10")
        refund = subscription.charge_ids.filtered("repairs_id").move_id
        self.assertEqual(refund.move_type, "out_refund")
        self.assertAlmostEqual(refund.amount_total, (620.0 - 310.0) * 22 / 31, 2)
        self.assertAsIfKnown(subscription, "03-10")

    def test_a_change_at_the_end_of_the_period_corrects_nothing(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.change(subscription, "plan", plan_id=self.plan_fast.id, when="cycle_end")
        self.assertEqual(str(subscription.plan_change_date), "2027-04-01")
        self.assertEqual(subscription.plan_id, self.plan_home, "the line keeps its speed")
        with self.at("2027-04-01 06:00:00"):
            self.assertEqual(
                self.new(subscription, "04-01"), [("recurring", "04-01", "05-01", 620.0)]
            )
            self.assertEqual(subscription.plan_id, self.plan_fast)
            self.assertFalse(subscription.next_plan_id)

    def test_a_planned_change_can_be_withdrawn(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.change(subscription, "plan", plan_id=self.plan_fast.id, when="cycle_end")
        subscription.action_cancel_plan_change()
        with self.at("2027-04-01 06:00:00"):
            self.assertEqual(
                self.new(subscription, "04-01"), [("recurring", "04-01", "05-01", 310.0)]
            )

    def test_a_yearly_plan_begins_on_the_day_of_the_change(self):
        yearly = self.create_plan("Yearly", 3650.0, cycle_unit="year")
        subscription = self.create_subscription()
        self.create_addon(subscription)
        self.bill("2027-03-10")
        self.change(subscription, "plan", plan_id=yearly.id, when="date", date="2027-03-01")
        self.bill("2027-03-10")
        self.assertAsIfKnown(subscription, "03-10")
        addon = subscription.line_ids.filtered(lambda line: line.line_type == "addon")
        self.assertEqual(addon.price_unit, 12 * 93.0, "add-ons cost the same a month")
        self.assertEqual(str(subscription.billed_through), "2028-03-01")

    def test_plans_of_different_rules_are_refused_with_the_reason(self):
        arrears = self.create_plan("Arrears", 310.0, billing_mode="arrears")
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        with self.assertRaisesRegex(UserError, "different rules"):
            self.change(subscription, "plan", plan_id=arrears.id)

    def test_the_rule_of_a_billed_plan_is_frozen(self):
        self.plan_home.cycle_unit = "quarter"
        self.plan_home.cycle_unit = "month"
        self.create_subscription()
        self.bill("2027-03-10")
        with self.assertRaisesRegex(UserError, "Copy the plan"):
            self.plan_home.cycle_unit = "quarter"
        self.plan_home.price = 400.0

    # === LINES === #

    def create_addon(self, subscription, **vals):
        return self.env["isp.subscription.line"].create(
            {"subscription_id": subscription.id, "product_id": self.static_ip.id, **vals}
        )

    def test_an_addon_joins_and_leaves_in_mid_period(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.change(
            subscription, "addon", product_id=self.static_ip.id, price_unit=93.0, when="now"
        )
        self.assertEqual(self.new(subscription, "03-10"), [("recurring", "03-10", "04-01", 66.0)])
        addon = subscription.line_ids.filtered(lambda line: line.product_id == self.static_ip)
        with self.at("2027-03-21 06:00:00"):
            self.change(subscription, "end_line", line_id=addon.id)
            self.assertEqual(self.new(subscription, "03-21"), [("repair", "03-21", "04-01", -33.0)])
        self.assertEqual(subscription.recurring_amount, 310.0)

    def test_an_addon_without_a_day_begins_with_the_next_bill(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.create_addon(subscription)
        self.assertEqual(self.new(subscription, "03-31"), [])
        self.assertEqual(
            self.new(subscription, "04-01"),
            [("recurring", "04-01", "05-01", 310.0), ("recurring", "04-01", "05-01", 93.0)],
        )

    def test_a_price_edited_on_the_line_holds_from_the_next_bill(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        subscription.line_ids.price_unit = 465.0
        self.assertEqual(self.new(subscription, "03-31"), [], "what is billed stays")
        self.assertEqual(self.new(subscription, "04-01"), [("recurring", "04-01", "05-01", 465.0)])
        # A later correction of something else still knows the old price of March.
        subscription._note_change(day("03-01"))
        self.assertEqual(self.new(subscription, "04-01"), [])

    def test_a_price_of_the_past_is_corrected(self):
        subscription = self.create_subscription(date_start="2027-01-01")
        self.bill("2027-03-10")
        self.change(
            subscription,
            "line",
            line_id=subscription.line_ids.id,
            price_unit=155.0,
            quantity=1.0,
            when="date",
            date="2027-02-01",
        )
        self.assertEqual(
            self.new(subscription, "03-10"),
            [
                ("repair", "02-01", "03-01", -310.0),
                ("repair", "03-01", "04-01", -310.0),
                ("recurring", "02-01", "03-01", 155.0),
                ("recurring", "03-01", "04-01", 155.0),
            ],
        )
        self.assertAsIfKnown(subscription, "03-10")

    def test_only_accountants_correct_the_past(self):
        subscription = self.create_subscription()
        clerk = self.create_user("clerk")
        wizard = (
            self.env["isp.subscription.change"]
            .with_user(clerk)
            .create(
                {
                    "subscription_id": subscription.id,
                    "operation": "line",
                    "line_id": subscription.line_ids.id,
                    "when": "date",
                    "date": "2027-03-05",
                }
            )
        )
        with self.assertRaisesRegex(UserError, "Only accountants"):
            wizard.action_confirm()

    def test_a_clerk_changes_plan_and_price(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        clerk = self.create_user("clerk")
        wizard = Form(
            self.env["isp.subscription.change"]
            .with_user(clerk)
            .with_context(default_subscription_id=subscription.id)
        )
        wizard.plan_id = self.plan_fast
        wizard.save().action_confirm()
        self.assertEqual(subscription.plan_id, self.plan_fast)
        form = Form(
            self.env["isp.subscription.change"]
            .with_user(clerk)
            .with_context(default_subscription_id=subscription.id)
        )
        form.operation = "line"
        form.line_id = subscription.line_ids.filtered(lambda line: not line.date_to)
        form.price_unit = 600.0
        form.save().action_confirm()
        self.assertEqual(subscription.recurring_amount, 600.0)

    def test_quantity(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.change(
            subscription, "line", line_id=subscription.line_ids.id, quantity=2.0, price_unit=310.0
        )
        charges = self.new(subscription, "03-10")
        self.assertEqual(charges[0][:3], ("repair", "03-10", "04-01"))
        self.assertAsIfKnown(subscription, "03-10")
        self.assertEqual(self.new(subscription, "04-01"), [("recurring", "04-01", "05-01", 620.0)])

    # === BILLING DAY === #

    def test_a_new_billing_day_follows_the_running_period(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        with self.assertRaisesRegex(UserError, "Use “Change”"):
            subscription.anchor_day = 10
        self.change(subscription, "billing_day", anchor_day=10)
        self.assertEqual(self.new(subscription, "03-31"), [])
        self.assertEqual(
            self.new(subscription, "04-10"),
            [
                ("recurring", "04-01", "04-10", 90.0),
                ("recurring", "04-10", "05-10", 310.0),
            ],
        )

    # === PAUSES === #

    def suspend(self, subscription, first, last, policy):
        with self.at(f"2027-{first} 06:00:00"):
            subscription._suspend("request", "On holiday", policy=policy)
        with self.at(f"2027-{last} 06:00:00"):
            subscription._resume("Back")

    def test_a_suspension_keeps_charging_unless_told_otherwise(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.suspend(subscription, "03-11", "03-21", None)
        self.assertFalse(subscription.has_changes)
        self.assertEqual(self.new(subscription, "04-01"), [("recurring", "04-01", "05-01", 310.0)])
        self.assertEqual(subscription.pause_ids.policy, "keep")

    def test_a_suspension_credits_whole_days(self):
        self.plan_home.suspend_billing = "credit"
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.suspend(subscription, "03-11", "03-21", None)
        self.assertEqual(
            self.new(subscription, "04-01"),
            [("repair", "03-11", "03-21", -100.0), ("recurring", "04-01", "05-01", 310.0)],
        )
        self.assertAsIfKnown(subscription, "04-01")

    def test_a_suspension_credited_before_it_ends_is_charged_again_on_return(self):
        self.plan_home.suspend_billing = "credit"
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        with self.at("2027-03-11 06:00:00"):
            subscription._suspend("request", "On holiday")
            self.assertFalse(subscription.next_bill_date, "it waits for the return")
            subscription._note_change(day("03-11"))
            self.assertEqual(
                self.new(subscription, "03-11"), [("repair", "03-11", "04-01", -210.0)]
            )
        with self.at("2027-03-21 06:00:00"):
            subscription._resume("Back")
            self.assertEqual(
                self.new(subscription, "03-21"), [("recurring", "03-21", "04-01", 110.0)]
            )
        self.assertAsIfKnown(subscription, "03-21")

    def test_a_suspension_extends_the_period(self):
        self.plan_home.suspend_billing = "extend"
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.suspend(subscription, "03-11", "03-21", None)
        self.assertEqual(str(subscription.next_bill_date), "2027-04-11")
        self.assertEqual(self.new(subscription, "04-10"), [])
        self.assertEqual(self.new(subscription, "04-11"), [("recurring", "04-11", "05-11", 310.0)])

    def test_a_service_paused_with_extension_is_not_billed_meanwhile(self):
        self.plan_home.suspend_billing = "extend"
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        with self.at("2027-03-11 06:00:00"):
            subscription._suspend("request", "On holiday")
        self.assertFalse(subscription.next_bill_date)
        self.assertEqual(self.new(subscription, "04-30"), [])

    def test_suspended_and_resumed_on_one_day_leaves_no_pause(self):
        self.plan_home.suspend_billing = "credit"
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.suspend(subscription, "03-11", "03-11", None)
        self.assertFalse(subscription.pause_ids)
        self.assertEqual(self.new(subscription, "03-12"), [])

    # === THE END === #

    def test_ending_gives_unused_days_back(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.stop(subscription, "03-11")
        self.assertEqual(self.new(subscription, "03-11"), [("repair", "03-11", "04-01", -210.0)])
        self.assertFalse(subscription.next_bill_date)

    def test_ending_without_credit_keeps_the_period(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.stop(subscription, "03-11", end_policy="no_credit")
        self.assertEqual(self.new(subscription, "03-31"), [])
        self.assertFalse(subscription.next_bill_date)

    def test_leaving_before_the_term_costs_the_agreed_fee(self):
        self.plan_home.write({"contract_months": 12, "early_fee": 500.0, "early_percent": 10.0})
        subscription = self.create_subscription()
        self.plan_home.early_fee = 900.0
        self.bill("2027-03-10")
        self.stop(subscription, "04-01")
        charges = self.new(subscription, "04-01")
        # 500 as agreed when the service began, and 10 % of eleven months.
        self.assertEqual(charges, [("early_termination", "04-01", "04-01", 841.0)])
        self.assertIn("Early termination", subscription.charge_ids.invoice_line_id[-1].name)

    def test_the_fee_can_be_waived(self):
        self.plan_home.write({"contract_months": 12, "early_fee": 500.0})
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.stop(subscription, "04-01", waive_early_fee=True)
        self.assertEqual(self.new(subscription, "04-01"), [])
