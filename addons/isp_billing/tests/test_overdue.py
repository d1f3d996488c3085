from odoo.tests import tagged

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestOverdue(IspBillingCase):
    """Suspension three days after the due date at ten o'clock in Dhaka (04:00 UTC)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription()

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_billing.isp_subscription_cron_suspend").method_direct_trigger()

    def suspend(self):
        self.bill("2027-03-01")
        with self.at("2027-03-05 04:00:00"):
            self.run_cron()
        self.assertEqual(self.subscription.state, "suspended")

    def test_suspended_after_the_days_and_at_the_hour(self):
        self.bill("2027-03-01")
        for moment, state in (
            ("2027-03-04 12:00:00", "active"),  # third day after the due date
            ("2027-03-05 03:59:00", "active"),  # 09:59 in Dhaka
            ("2027-03-05 04:00:00", "suspended"),
        ):
            with self.subTest(moment=moment), self.at(moment):
                self.run_cron()
                self.assertEqual(self.subscription.state, state)
        self.assertEqual(self.subscription.suspend_reason, "overdue")
        self.assertEqual(self.subscription.entitlement_id.access, "walled")
        self.assertIn("1,000.00", self.last_event(self.subscription).reason)
        self.assertIn("unpaid 4 days after", self.last_event(self.subscription).reason)

    def test_companies_may_switch_it_off(self):
        self.bill("2027-03-01")
        self.company.isp_dunning_policy_id = False
        with self.at("2027-03-20 12:00:00"):
            self.run_cron()
        self.assertEqual(self.subscription.state, "active")

    def test_paid_customers_are_left_alone(self):
        self.bill("2027-03-01")
        self.pay(self.subscription.charge_ids.move_id)
        with self.at("2027-03-20 12:00:00"):
            self.run_cron()
        self.assertEqual(self.subscription.state, "active")

    def test_only_the_unpaid_service_of_a_customer_is_suspended(self):
        paid = self.create_subscription(plan_id=self.plan_office.id)
        self.bill("2027-03-01")
        self.pay(paid.charge_ids.move_id)
        with self.at("2027-03-20 12:00:00"):
            self.run_cron()
        self.assertEqual((self.subscription.state, paid.state), ("suspended", "active"))

    def test_the_payment_gives_the_service_back(self):
        self.suspend()
        self.pay(self.subscription.charge_ids.move_id)
        self.assertEqual(self.subscription.state, "active")
        self.assertFalse(self.subscription.suspend_reason)
        self.assertEqual(self.subscription.entitlement_id.access, "full")
        self.assertEqual(self.last_event(self.subscription).reason, "Everything due is paid")

    def test_invoice_and_payment_lead_to_the_subscription(self):
        self.bill("2027-03-01")
        payment = self.pay(self.subscription.charge_ids.move_id)
        for record in (self.subscription.charge_ids.move_id, payment):
            self.assertEqual(record.isp_subscription_count, 1)
            action = record.action_view_isp_subscriptions()
            self.assertEqual(action["res_id"], self.subscription.id)
        self.assertEqual(self.subscription.payment_count, 1)
        self.assertEqual(self.subscription.action_view_payments()["domain"][0][2], payment.ids)

    def test_a_part_of_the_debt_does_not(self):
        self.suspend()
        self.pay(self.subscription.charge_ids.move_id, amount=400.0)
        self.assertEqual(self.subscription.state, "suspended")
        self.pay(self.subscription.charge_ids.move_id)
        self.assertEqual(self.subscription.state, "active")

    def test_every_bill_that_is_due_must_be_paid(self):
        self.suspend()
        with self.at("2027-04-02 06:00:00"):
            self.bill("2027-04-01")
            march, april = self.subscription.charge_ids.sorted("date_from").move_id.sorted(
                "invoice_date"
            )
            self.pay(march)
            self.assertEqual(self.subscription.state, "suspended")
            self.pay(april)
            self.assertEqual(self.subscription.state, "active")

    def test_a_credit_note_gives_the_service_back_too(self):
        self.suspend()
        move = self.subscription.charge_ids.move_id
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"journal_id": move.journal_id.id, "reason": "Goodwill"})
        )
        wizard.refund_moves()
        wizard.new_move_ids.action_post()
        self.assertEqual(move.payment_state, "reversed")
        self.assertEqual(self.subscription.state, "active")

    def test_other_suspensions_do_not_end_with_a_payment(self):
        self.bill("2027-03-01")
        self.subscription._suspend("abuse", "Spam complaint")
        self.pay(self.subscription.charge_ids.move_id)
        self.assertEqual(self.subscription.state, "suspended")

    def test_a_bounced_payment_suspends_again(self):
        self.suspend()
        payment = self.pay(self.subscription.charge_ids.move_id)
        self.assertEqual(self.subscription.state, "active")
        payment.action_draft()
        payment.action_cancel()
        with self.at("2027-03-21 06:00:00"):
            self.run_cron()
        self.assertEqual(self.subscription.state, "suspended")

    def test_paid_until_follows_the_ledger(self):
        self.assertEqual(str(self.subscription.paid_until), "2027-03-01")
        self.bill("2027-04-01")
        self.assertEqual(str(self.subscription.paid_until), "2027-03-01")
        self.assertEqual(self.subscription.amount_due, 2000.0)
        self.pay(self.subscription.charge_ids.move_id)
        self.subscription.invalidate_recordset()
        self.assertEqual(str(self.subscription.paid_until), "2027-05-01")
        self.assertEqual(self.subscription.amount_due, 0.0)
