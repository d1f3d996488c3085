from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestBillingRun(IspBillingCase):
    def test_a_month_in_advance(self):
        subscription = self.create_subscription()
        run = self.bill("2027-03-10")
        self.assertBilled(subscription, [("2027-03-01", "2027-04-01", 1000.0)])
        move = subscription.charge_ids.move_id
        self.assertEqual(move.state, "posted")
        self.assertEqual(move.partner_id, self.customer)
        self.assertEqual(str(move.invoice_date), "2027-03-10")
        self.assertEqual((run.invoice_count, run.amount_total), (1, 1000.0))
        self.assertEqual(str(subscription.next_bill_date), "2027-04-01")

    def test_when_a_bill_is_due(self):
        thirty_days = self.env.ref("account.account_payment_term_30days")
        for own, partners, due in (
            (self.immediate, thirty_days, "2027-03-01"),
            (False, thirty_days, "2027-03-31"),
            (False, False, "2027-03-01"),
        ):
            with self.subTest(own=own, partners=partners):
                self.customer.property_payment_term_id = partners
                subscription = self.create_subscription(payment_term_id=own and own.id)
                self.bill("2027-03-01")
                self.assertEqual(str(subscription.charge_ids.move_id.invoice_date_due), due)

    def test_a_second_run_posts_nothing(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        again = self.bill("2027-03-10")
        self.assertEqual(again.invoice_count, 0)
        self.assertEqual(again.state, "done")
        self.assertEqual(len(subscription.charge_ids), 1)

    def test_missed_months_are_caught_up_on_one_invoice(self):
        subscription = self.create_subscription(date_start="2027-01-01")
        run = self.bill("2027-03-10")
        self.assertBilled(
            subscription,
            [
                ("2027-01-01", "2027-02-01", 1000.0),
                ("2027-02-01", "2027-03-01", 1000.0),
                ("2027-03-01", "2027-04-01", 1000.0),
            ],
        )
        self.assertEqual(run.invoice_count, 1)

    def test_a_part_of_a_month_costs_its_days(self):
        subscription = self.create_subscription(date_start="2027-03-18")
        self.bill("2027-03-20")
        self.assertBilled(subscription, [("2027-03-18", "2027-04-01", 451.61)])
        self.assertEqual(subscription.charge_ids.move_id.amount_total, 451.61)
        self.assertEqual(subscription.charge_ids.rule, "leading_stub")

    def test_the_31st_does_not_drift(self):
        self.plan_home.anchor_day = 31
        subscription = self.create_subscription(date_start="2027-01-31")
        self.bill("2027-05-01")
        self.assertEqual(
            [str(charge.date_from) for charge in subscription.charge_ids.sorted("date_from")],
            ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"],
        )

    def test_arrears_are_billed_when_the_month_has_ended(self):
        self.plan_home.billing_mode = "arrears"
        subscription = self.create_subscription()
        self.bill("2027-03-31")
        self.assertBilled(subscription, [])
        self.assertEqual(str(subscription.next_bill_date), "2027-04-01")
        self.bill("2027-04-01")
        self.assertBilled(subscription, [("2027-03-01", "2027-04-01", 1000.0)])

    def test_a_terminated_service_is_billed_to_its_last_day(self):
        self.plan_home.billing_mode = "arrears"
        subscription = self.create_subscription()
        subscription._terminate("Moved away")
        self.bill("2027-03-10")
        self.assertBilled(subscription, [("2027-03-01", "2027-03-10", 290.32)])
        self.assertFalse(subscription.next_bill_date)
        self.bill("2027-06-01")
        self.assertEqual(len(subscription.charge_ids), 1)

    def test_what_the_old_system_billed_is_not_billed_again(self):
        subscription = self.create_subscription(
            date_start="2025-06-01", opening_billed_through="2027-03-01"
        )
        self.bill("2027-03-10")
        self.assertBilled(subscription, [("2027-03-01", "2027-04-01", 1000.0)])

    def test_an_own_billing_day_replaces_the_plans(self):
        subscription = self.create_subscription(anchor_day=15)
        self.bill("2027-03-20")
        self.assertBilled(
            subscription,
            [("2027-03-01", "2027-03-15", 500.0), ("2027-03-15", "2027-04-15", 1000.0)],
        )

    def test_a_line_joined_in_mid_period_pays_its_own_days(self):
        subscription = self.create_subscription()
        subscription.line_ids.create(
            {
                "subscription_id": subscription.id,
                "product_id": self.plan_office.product_id.id,
                "name": "Add-on",
                "price_unit": 310.0,
                "date_from": "2027-03-22",
            }
        )
        self.bill("2027-03-10")
        self.assertBilled(subscription, [("2027-03-01", "2027-04-01", 1000.0)])
        self.bill("2027-03-22")
        self.assertBilled(
            subscription,
            [("2027-03-01", "2027-04-01", 1000.0), ("2027-03-22", "2027-04-01", 100.0)],
        )

    def test_quantity_and_discount_reach_the_invoice(self):
        subscription = self.create_subscription()
        subscription.line_ids.write({"quantity": 3, "discount": 10})
        self.bill("2027-03-10")
        self.assertBilled(subscription, [("2027-03-01", "2027-04-01", 2700.0)])
        self.assertEqual(subscription.charge_ids.move_id.amount_total, 2700.0)

    def test_drafts_and_other_plans_stay_out(self):
        draft = self.create_subscription(active=False)
        office = self.create_subscription(plan_id=self.plan_office.id)
        home = self.create_subscription()
        self.bill("2027-03-10", plan_ids=self.plan_home.ids)
        self.assertFalse((draft | office).charge_ids)
        self.assertTrue(home.charge_ids)

    def test_one_bad_subscription_does_not_stop_the_rest(self):
        good = self.create_subscription()
        bad = self.create_subscription()
        also_good = self.create_subscription()
        closed = "This customer's account is closed"
        prepare = type(bad)._prepare_invoice_vals

        def refuse_bad(subscription, invoice_date, charges):
            if subscription == bad:
                raise UserError(closed)
            return prepare(subscription, invoice_date, charges)

        with patch.object(type(bad), "_prepare_invoice_vals", refuse_bad):
            run = self.bill("2027-03-10")
        self.assertEqual(run.invoice_count, 2)
        self.assertTrue(good.charge_ids and also_good.charge_ids)
        self.assertFalse(bad.charge_ids, "the charge went with the invoice that failed")
        self.assertEqual(run.exception_ids.subscription_id, bad)
        self.assertEqual(run.exception_ids.reason, closed)
        with trap_jobs() as jobs:
            run.action_retry_exceptions()
            jobs.assert_jobs_count(1, only=run._job_bill_batch)
            jobs.perform_enqueued_jobs()
        self.assertTrue(bad.charge_ids)
        self.assertEqual((run.state, run.exception_count), ("done", 0))

    @mute_logger("odoo.sql_db")
    def test_an_exception_is_told_in_words_not_in_sql(self):
        subscription = self.create_subscription()
        self.env["isp.charge"].create(
            {
                "subscription_id": subscription.id,
                "line_id": subscription.line_ids.id,
                "date_from": "2027-03-10",
                "date_to": "2027-03-20",
            }
        )
        # As if another worker had charged these days unseen.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE isp_subscription SET billed_through = NULL, next_bill_date = '2027-03-01'"
            " WHERE id = %s",
            [subscription.id],
        )
        self.env.invalidate_all()
        run = self.bill("2027-03-10")
        self.assertEqual(
            run.exception_ids.reason,
            "These days have been billed already. Nothing was billed twice.",
        )

    def test_a_programming_error_is_not_listed_as_a_customers_fault(self):
        subscription = self.create_subscription()
        with (
            patch.object(
                type(subscription), "_prepare_invoice_vals", side_effect=AttributeError("oops")
            ),
            self.assertRaises(AttributeError),
        ):
            self.bill("2027-03-10")

    def test_the_preview_says_what_the_run_then_does_and_writes_nothing(self):
        subscriptions = self.create_subscription() | self.create_subscription(
            plan_id=self.plan_office.id
        )
        run = self.env["isp.billing.run"].create({"target_date": "2027-03-10"})
        run.action_preview()
        self.assertEqual((run.due_count, run.due_amount), (2, 3500.0))
        self.assertFalse(subscriptions.charge_ids)
        run._run_to_end()
        self.assertEqual((run.invoice_count, run.amount_total), (2, 3500.0))

    def test_the_button_works_in_batches_in_the_background(self):
        for _number in range(5):
            self.create_subscription()
        run = self.env["isp.billing.run"].create({"target_date": "2027-03-10"})
        with (
            patch("odoo.addons.isp_billing.models.isp_billing_run_work.BATCH_SIZE", 2),
            trap_jobs() as jobs,
        ):
            run.action_run()
            self.assertEqual((run.state, run.due_count, run.progress), ("running", 5, 0.0))
            jobs.assert_jobs_count(1, only=run._job_bill_batch)
        taken, remaining = run._bill_batch(2)
        self.assertEqual((taken, remaining, run.progress), (2, 3, 40.0))
        with trap_jobs() as jobs:
            run._job_bill_batch()
        self.assertEqual((run.state, run.progress), ("done", 100.0))
        self.assertEqual(run.invoice_count, 5)

    def test_a_started_run_is_not_deleted(self):
        self.create_subscription()
        run = self.bill("2027-03-10")
        with self.assertRaisesRegex(UserError, "stays on record"):
            run.unlink()

    def test_a_batch_stays_within_its_queries(self):
        for _number in range(20):
            self.create_subscription()
        run = self.env["isp.billing.run"].create({"target_date": "2027-03-10"})
        run._start()
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(20 * 8):
            run._bill_batch()
        self.assertEqual(run.invoice_count, 20)
