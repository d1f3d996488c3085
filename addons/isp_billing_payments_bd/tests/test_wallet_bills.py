from unittest.mock import patch

import psycopg2

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import WalletCase


@tagged("post_install", "-at_install")
class TestWalletBills(WalletCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The job commits; here everything is rolled back after each test.
        commit = patch.object(cls.registry["ir.cron"], "_commit_progress", lambda *_a, **_k: 99)
        cls.startClassPatcher(commit)

    def test_a_new_bill_is_paid_once(self):
        self.token._isp_set_pays_bills(True)
        bill = self.bill_service()
        charge = self.run_job()
        self.assertEqual((charge.move_id, charge.occasion), (bill, "posted"))
        self.assertEqual((charge.wallet, charge.transaction_state), ("017****1111", "done"))
        self.assertEqual(bill.amount_residual, 0.0)
        self.assertEqual(charge.transaction_id.payment_id.amount, 1000.0)
        self.assertFalse(self.run_job())
        self.assertFalse(self.mails())

    def test_nothing_is_taken_before_it_is_switched_on(self):
        bill = self.bill_service()
        self.assertFalse(self.run_job())
        self.token._isp_set_pays_bills(True)
        self.token.isp_pays_bills_since = "2100-01-01"
        self.assertFalse(self.run_job(), "Bills made before are left alone")
        self.assertEqual(bill.amount_residual, 1000.0)

    def test_nothing_is_taken_after_it_is_switched_off_or_the_wallet_removed(self):
        for end in (lambda t: t._isp_set_pays_bills(False), lambda t: t.action_archive()):
            token = self.create_token(self.customer)
            token._isp_set_pays_bills(True)
            end(token)
            self.assertFalse(token.isp_pays_bills)
        self.bill_service()
        self.assertFalse(self.run_job())

    def test_a_charge_that_fails_is_told_and_tried_once_more_on_the_due_date(self):
        self.token.demo_simulated_state = "error"
        self.token._isp_set_pays_bills(True)
        bill = self.bill_service()
        self.assertEqual(self.run_job().transaction_state, "error")
        link = self.run_job()
        self.assertEqual(link.occasion, "link")
        self.assertIn("could not take", self.mails().body_html)
        self.assertFalse(self.run_job(), "The due date is later")
        with self.at("2027-03-24 06:00:00"):
            self.assertFalse(self.run_job())
        self.token.demo_simulated_state = "done"
        with self.at("2027-03-25 06:00:00"):
            self.assertEqual(self.run_job().occasion, "due")
            self.assertEqual(bill.amount_residual, 0.0)
            self.assertFalse(self.run_job())

    def test_two_tries_and_no_more(self):
        self.token.demo_simulated_state = "error"
        self.token._isp_set_pays_bills(True)
        bill = self.bill_service()
        rows = self.run_job() + self.run_job()
        for day in ("2027-03-25", "2027-03-26", "2027-04-20"):
            with self.at(f"{day} 06:00:00"):
                rows += self.run_job()
        self.assertEqual(rows.mapped("occasion"), ["posted", "link", "due"])
        self.assertEqual(len(bill.transaction_ids), 2)
        self.assertEqual(len(self.mails()), 1)

    def test_an_unknown_outcome_stays_pending_and_is_not_repeated(self):
        self.token.demo_simulated_state = "pending"
        self.token._isp_set_pays_bills(True)
        bill = self.bill_service()
        charge = self.run_job()
        self.assertEqual(charge.transaction_state, "pending")
        for day in ("2027-03-11", "2027-03-25", "2027-05-01"):
            with self.at(f"{day} 06:00:00"):
                self.assertFalse(self.run_job())
        self.assertEqual(len(bill.transaction_ids), 1)
        self.assertFalse(self.mails())

    def test_a_crash_after_the_attempt_was_written_down_does_not_charge_again(self):
        self.token._isp_set_pays_bills(True)
        bill = self.bill_service()
        Transaction = self.registry["payment.transaction"]
        with patch.object(Transaction, "_charge_with_token", lambda _tx: None):
            charge = self.run_job()
        self.assertEqual((charge.occasion, charge.transaction_state), ("posted", "draft"))
        self.assertEqual(self.run_job().occasion, "link", "The customer decides")
        with self.at("2027-03-25 06:00:00"):
            self.assertFalse(self.run_job())
        self.assertEqual(len(bill.transaction_ids), 1)

    def test_the_database_lets_nothing_be_done_twice(self):
        self.token._isp_set_pays_bills(True)
        charge = self.bill_service() and self.run_job()
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                charge.copy()
                self.env.flush_all()

    def test_a_bill_that_is_paid_otherwise_is_left_alone(self):
        self.token._isp_set_pays_bills(True)
        self.pay(self.bill_service())
        self.assertFalse(self.run_job())

    def test_only_what_is_left_of_the_bill_is_taken(self):
        self.token._isp_set_pays_bills(True)
        bill = self.bill_service()
        self.pay(bill, 300.0)
        self.assertEqual(self.run_job().transaction_id.amount, 700.0)
        self.assertEqual(bill.amount_residual, 0.0)

    def test_what_was_ordered_online_and_other_invoices_are_not_taken(self):
        self.token._isp_set_pays_bills(True)
        bill = self.bill_service()
        bill.isp_is_order = True
        other = bill.copy({"isp_is_order": False, "invoice_date": "2027-03-10"})
        other.action_post()
        self.assertFalse(self.run_job())

    def test_others_pay_their_own_bills(self):
        self.token._isp_set_pays_bills(True)
        rahim = self.env["res.partner"].create({"name": "Rahim"})
        bill = self.bill_service(service=self.create_subscription(partner_id=rahim.id))
        self.assertFalse(self.run_job())
        self.assertEqual(bill.amount_residual, 1000.0)

    def test_a_bill_that_breaks_does_not_hold_up_the_others(self):
        self.token._isp_set_pays_bills(True)
        first = self.bill_service()
        second = self.bill_service("2027-04-01")
        Charge = self.registry["isp.wallet.charge"]
        pay_one = Charge._pay_one

        def broken(model, move):
            if move == first:
                raise ValueError("broken")
            return pay_one(model, move)

        logger = "odoo.addons.isp_billing_payments_bd.models.isp_wallet_charge"
        rollback = patch.object(self.env.cr, "rollback", lambda: None)
        with patch.object(Charge, "_pay_one", broken), rollback, self.assertLogs(logger, "ERROR"):
            self.run_job()
        self.assertEqual((first | second).mapped("amount_residual"), [1000.0, 0.0])
