"""The quick way and the engine agree, and what the database refuses."""

from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_history import HistoryCase, day


@tagged("post_install", "-at_install")
class TestHistoryProofs(HistoryCase):
    def test_the_quick_way_and_the_engine_agree(self):
        """A subscription without changes gets the same charges either way."""
        for mode in ("advance", "arrears"):
            for proration in ("exact", "none", "free_first_stub"):
                plan = self.create_plan(
                    f"{mode} {proration}",
                    99.99,
                    billing_mode=mode,
                    proration=proration,
                    anchor_day=31,
                )
                for start in ("2027-01-31", "2027-02-14", "2026-12-01"):
                    with self.subTest(mode=mode, proration=proration, start=start):
                        subscription = self.create_subscription(plan_id=plan.id, date_start=start)
                        quick = subscription._get_due_charges(day("05-31"))
                        slow = subscription._get_history_charges(day("05-31"))
                        keys = ("date_from", "date_to", "fraction", "rule", "amount", "per")
                        self.assertEqual(
                            [[vals[key] for key in keys] for vals in quick],
                            [[vals[key] for key in keys] for vals in slow],
                        )
                        self.assertEqual(
                            subscription._get_next_bill_date(),
                            subscription._get_next_change_date(),
                        )

    def test_the_engine_finds_nothing_to_correct_in_ordinary_bills(self):
        subscription = self.create_subscription(date_start="2027-01-17", anchor_day=5)
        self.bill("2027-05-10")
        subscription._note_change(day("01-17"))
        self.assertEqual(self.new(subscription, "05-10"), [])
        self.assertFalse(subscription.has_changes)

    def test_days_taken_back_can_be_billed_again_but_not_twice(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        charge = subscription.charge_ids
        vals = {
            "subscription_id": subscription.id,
            "line_id": charge.line_id.id,
            "date_from": "2027-03-11",
            "date_to": "2027-03-21",
        }
        create = self.env["isp.charge"].create
        repair = create(
            {**vals, "charge_type": "repair", "rule": "repair", "repairs_id": charge.id}
        )
        create(vals)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            create({**vals, "date_to": "2027-03-12"})
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            repair.charge_type = "released"
            self.env.flush_all()

    def test_a_released_month_in_the_middle_is_billed_again(self):
        subscription = self.create_subscription(date_start="2027-01-01")
        for target in ("01-01", "02-01", "03-01"):
            self.bill(f"2027-{target}")
        february = subscription.charge_ids.filtered(lambda c: c.date_from == day("02-01"))
        february.move_id.button_draft()
        february.move_id.button_cancel()
        february.action_release()
        self.assertEqual(self.new(subscription, "03-10"), [("recurring", "02-01", "03-01", 310.0)])

    def test_a_month_billed_ahead_and_taken_back_by_an_earlier_bill_is_billed_again(self):
        """The clock of a run may be behind: its correction reaches further than its new charges."""
        subscription = self.create_subscription(date_start="2027-01-01")
        for target in ("01-01", "02-01", "03-01", "04-01"):
            self.bill(f"2027-{target}")
        with self.at("2027-03-20 06:00:00"):
            self.change(
                subscription,
                "line",
                line_id=subscription.line_ids.id,
                price_unit=620.0,
                when="date",
                date="2027-03-16",
            )
            self.bill("2027-03-20")
        for target in ("04-01", "05-01", "06-01"):
            self.bill(f"2027-{target}")
        months = {
            first: sum(
                charge.amount
                for charge in subscription.charge_ids
                if charge.date_from == day(first)
            )
            for first in ("04-01", "05-01", "06-01")
        }
        self.assertEqual(months, dict.fromkeys(months, 620.0))

    def test_the_preview_of_a_change_writes_nothing(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        wizard = self.env["isp.subscription.change"].create(
            {"subscription_id": subscription.id, "plan_id": self.plan_fast.id}
        )
        wizard.action_preview()
        self.assertIn("Fast 40", wizard.preview)
        self.assertIn("Correction of Home 20", wizard.preview)
        self.assertEqual(subscription.plan_id, self.plan_home)
        self.assertEqual(len(subscription.charge_ids), 1)

    def test_a_new_plan_price_reaches_who_pays_it(self):
        listed = self.create_subscription()
        own = self.create_subscription()
        own.line_ids.price_unit = 200.0
        self.bill("2027-03-10")
        wizard = self.env["isp.plan.price"].create({"plan_id": self.plan_home.id, "price": 400.0})
        self.assertEqual(wizard.subscription_count, 1)
        wizard.with_context(queue_job__no_delay=True).action_confirm()
        self.bill("2027-04-01")
        self.assertEqual(listed.charge_ids.sorted("id").mapped("amount"), [310.0, 400.0])
        self.assertEqual(own.charge_ids.sorted("id").mapped("amount"), [200.0, 200.0])
        self.env["isp.plan.price"].create(
            {"plan_id": self.plan_home.id, "price": 500.0, "policy": "grandfathered"}
        ).with_context(queue_job__no_delay=True).action_confirm()
        self.assertEqual(listed.line_ids.price_unit, 400.0)
        self.assertEqual(self.create_subscription().line_ids.price_unit, 500.0)
