from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestLockedPeriods(IspBillingCase):
    """Bills whose date lies in a closed period."""

    def test_bills_are_dated_on_the_next_open_day(self):
        for field_name in (
            "sale_lock_date",
            "fiscalyear_lock_date",
            "tax_lock_date",
            "hard_lock_date",
        ):
            with self.subTest(field_name), self.env.cr.savepoint() as savepoint:
                self.company[field_name] = "2027-03-05"
                subscription = self.create_subscription()
                run = self.bill("2027-03-01")
                self.assertFalse(run.exception_ids)
                move = subscription.charge_ids.move_id
                self.assertEqual(
                    (str(move.invoice_date), str(move.date), str(move.invoice_date_due)),
                    ("2027-03-06",) * 3,
                )
                self.assertBilled(subscription, [("2027-03-01", "2027-04-01", 1000.0)])
                savepoint.rollback()

    def test_the_latest_of_several_locks_counts(self):
        self.company.write({"sale_lock_date": "2027-03-05", "fiscalyear_lock_date": "2027-03-02"})
        self.assertEqual(str(self.company._get_isp_bill_date(self.day("2027-03-01"))), "2027-03-06")
        self.assertEqual(str(self.company._get_isp_bill_date(self.day("2027-03-04"))), "2027-03-06")
        self.assertEqual(str(self.company._get_isp_bill_date(self.day("2027-03-06"))), "2027-03-06")

    def day(self, text):
        return self.env["isp.billing.run"]._fields["target_date"].to_date(text)

    def test_bills_are_held_back_and_billed_once_the_period_is_open(self):
        self.company.write({"isp_locked_period": "hold", "sale_lock_date": "2027-03-05"})
        subscriptions = self.create_subscription() | self.create_subscription()
        run = self.bill("2027-03-01")
        self.assertEqual((run.state, run.invoice_count, run.exception_count), ("done", 0, 2))
        self.assertFalse(subscriptions.charge_ids, "nothing half done")
        (reason,) = set(run.exception_ids.mapped("reason"))
        self.assertIn("03/05/2027", reason)
        self.assertIn("Choose a later invoice date", reason)
        run.invoice_date = "2027-03-06"
        run.action_retry_exceptions()
        run._run_to_end()
        self.assertEqual((run.invoice_count, run.exception_count), (2, 0))

    def test_billing_by_hand_tells_why_it_is_held(self):
        self.company.write({"isp_locked_period": "hold", "sale_lock_date": "2027-03-20"})
        subscription = self.create_subscription()
        with self.assertRaisesRegex(UserError, "held back"):
            subscription.action_bill_now()
        self.assertFalse(subscription.charge_ids)

    def test_the_preview_says_so_beforehand(self):
        self.company.write({"isp_locked_period": "hold", "sale_lock_date": "2027-03-20"})
        self.create_subscription()
        run = self.env["isp.billing.run"].create(
            {"target_date": "2027-03-10", "invoice_date": "2027-03-10"}
        )
        run.action_preview()
        self.assertEqual(run.preview_blocked_count, 1)
        self.assertIn("held back", run.preview_ids.reason)

    def test_purchase_locks_do_not_matter(self):
        self.company.write({"isp_locked_period": "hold", "purchase_lock_date": "2027-03-20"})
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.assertTrue(subscription.charge_ids)
