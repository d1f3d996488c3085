"""What is charged once, discounts, and prepaid time."""

from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_history import HistoryCase


@tagged("post_install", "-at_install")
class TestOnce(HistoryCase):
    def test_setup_fee_trial_and_deposit(self):
        self.plan_home.write({"setup_fee": 1000.0, "trial_days": 5})
        subscription = self.create_subscription(active=False)
        self.env["isp.subscription.fee"].create(
            {
                "subscription_id": subscription.id,
                "kind": "deposit",
                "product_id": self.static_ip.id,
                "name": "Deposit for the router",
                "amount": 2000.0,
                "date": "2027-03-01",
            }
        )
        subscription._activate()
        charges = self.new(subscription, "03-10")
        self.assertEqual(
            sorted(charges),
            [
                ("deposit", "03-01", "03-01", 2000.0),
                ("recurring", "03-06", "04-01", 260.0),
                ("setup", "03-01", "03-01", 1000.0),
                ("trial", "03-01", "03-01", 0.0),
            ],
        )
        self.assertEqual(subscription.charge_ids.move_id.amount_total, 3260.0)
        self.assertEqual(self.new(subscription, "03-11"), [])
        self.stop(subscription, "04-01")
        self.assertEqual(
            self.new(subscription, "04-01"), [("deposit_refund", "04-01", "04-01", -2000.0)]
        )

    def test_a_fee_in_mid_period_is_billed_once_and_can_be_corrected(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        fee = self.env["isp.subscription.fee"].create(
            {
                "subscription_id": subscription.id,
                "product_id": self.static_ip.id,
                "name": "Visit",
                "amount": 300.0,
                "date": "2027-03-15",
            }
        )
        self.assertEqual(self.new(subscription, "03-14"), [])
        self.assertEqual(self.new(subscription, "03-15"), [("one_off", "03-15", "03-15", 300.0)])
        self.assertTrue(fee.is_billed)
        fee.amount = 250.0
        self.assertEqual(
            self.new(subscription, "03-16"),
            [("repair", "03-15", "03-15", -300.0), ("one_off", "03-15", "03-15", 250.0)],
        )
        with self.assertRaisesRegex(UserError, "stays on record"):
            fee.unlink()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            subscription.charge_ids.sorted("id")[-1].copy({"fee_id": fee.id})

    # === DISCOUNTS === #

    def create_coupon(self, **vals):
        return self.env["isp.coupon"].create(
            {"code": "EID27", "name": "Eid offer", "percent": 50.0, **vals}
        )

    def test_a_coupon_halves_the_first_periods(self):
        self.create_coupon(first_cycles=2)
        subscription = self.create_subscription()
        self.change(subscription, "coupon", coupon_code=" eid27 ")
        self.bill("2027-06-01")
        self.assertEqual(
            subscription.charge_ids.sorted("id").mapped("amount"), [155.0, 155.0, 310.0, 310.0]
        )
        charge = subscription.charge_ids.sorted("id")[0]
        self.assertEqual(charge.basis["discounts"][0]["label"], "Eid offer")
        self.assertEqual(charge.invoice_line_id.price_unit, 155.0)

    def test_limits_of_coupons(self):
        coupon = self.create_coupon(max_redemptions=1, date_to="2027-03-31")
        subscription = self.create_subscription()
        other = self.create_subscription(
            partner_id=self.env["res.partner"].create({"name": "B"}).id
        )
        with self.assertRaisesRegex(UserError, "no coupon"):
            self.change(subscription, "coupon", coupon_code="EID28")
        self.change(subscription, "coupon", coupon_code="EID27")
        with self.assertRaises(UserError):
            self.change(other, "coupon", coupon_code="EID27")
        coupon.max_redemptions = 0
        with self.assertRaises(UserError):
            self.change(subscription, "coupon", coupon_code="EID27")
        coupon.plan_ids = self.plan_office
        with self.assertRaisesRegex(UserError, "not for the plan"):
            self.change(other, "coupon", coupon_code="EID27")
        with self.at("2027-03-31 06:00:00"), self.assertRaises(UserError):
            coupon.plan_ids = False
            self.change(other, "coupon", coupon_code="EID27")
        self.assertEqual(coupon.redeemed_count, 1)

    # === PREPAID === #

    def create_recharged(self):
        return self.create_subscription(plan_id=self.create_recharged_plan().id)

    def test_time_bought_begins_when_the_time_before_ends(self):
        subscription = self.create_recharged()
        self.assertEqual(self.new(subscription, "03-01"), [("recurring", "03-01", "03-11", 100.0)])
        self.assertFalse(subscription.next_bill_date, "nothing more until it is bought")
        subscription.action_recharge()
        with self.at("2027-03-25 06:00:00"):
            subscription.action_recharge()
        self.assertBilled(
            subscription,
            [
                ("2027-03-01", "2027-03-11", 100.0),
                ("2027-03-11", "2027-03-21", 100.0),
                ("2027-03-25", "2027-04-04", 100.0),
            ],
        )

    def test_time_bought_begins_with_the_payment(self):
        subscription = self.create_recharged()
        self.bill("2027-03-01")
        bill = subscription.charge_ids.move_id
        self.assertIn("per 10 days", bill.invoice_line_ids.name)
        self.assertNotIn("2027", bill.invoice_line_ids.name, "nobody knows the days yet")
        with self.at("2027-03-05 06:00:00"):
            self.pay(bill)
            self.assertBilled(subscription, [("2027-03-05", "2027-03-15", 100.0)])
            self.assertEqual(str(subscription.paid_until), "2027-03-15")
            self.assertIn("begins with the payment", self.last_event(subscription).reason)
        # The bank's statement changes nothing: the time runs already.
        with self.at("2027-03-09 06:00:00"):
            bill._invoice_paid_hook()
            self.assertBilled(subscription, [("2027-03-05", "2027-03-15", 100.0)])
            self.assertEqual(self.new(subscription, "03-09"), [])
        # Bought before the time ends and paid after it.
        with self.at("2027-03-12 06:00:00"):
            subscription.action_recharge()
        with self.at("2027-03-20 06:00:00"):
            self.pay(subscription.charge_ids.move_id - bill)
            self.assertBilled(
                subscription,
                [("2027-03-05", "2027-03-15", 100.0), ("2027-03-20", "2027-03-30", 100.0)],
            )
            self.assertAsIfKnown(subscription, "03-20")
            self.assertEqual(self.new(subscription, "03-20"), [])

    def test_time_paid_for_in_advance_begins_when_it_was_to_begin(self):
        subscription = self.create_recharged()
        self.bill("2027-03-01")
        with self.at("2027-03-01 06:00:00"):
            self.pay(subscription.charge_ids.move_id)
            subscription.action_recharge()
        with self.at("2027-03-04 06:00:00"):
            self.pay(subscription.charge_ids.move_id)
            self.assertBilled(
                subscription,
                [("2027-03-01", "2027-03-11", 100.0), ("2027-03-11", "2027-03-21", 100.0)],
            )

    def test_a_price_that_changed_before_the_payment_leaves_the_days_alone(self):
        subscription = self.create_recharged()
        self.bill("2027-03-01")
        self.change(
            subscription,
            "line",
            line_id=subscription.line_ids.id,
            price_unit=90.0,
            when="date",
            date="2027-03-02",
        )
        with self.at("2027-03-05 06:00:00"):
            self.pay(subscription.charge_ids.move_id)
            self.assertEqual(str(subscription.charge_ids[:1].date_from), "2027-03-01")

    def test_aligned_with_the_customers_other_service(self):
        aligned = self.create_plan("Aligned", 310.0, anchor="aligned")
        self.create_subscription(anchor_day=15, date_start="2027-02-15")
        subscription = self.create_subscription(plan_id=aligned.id)
        self.assertEqual(subscription.anchor_day, 15)
        alone = self.create_subscription(
            plan_id=aligned.id,
            partner_id=self.env["res.partner"].create({"name": "Alone"}).id,
            date_start="2027-03-04",
        )
        self.bill("2027-03-10")
        self.assertEqual(str(alone.billed_through), "2027-04-04")
