"""Refunds: sent once, never blindly again, booked when the gateway has made them."""

from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import mute_logger, tagged

from ..gateways.common import FAILED, PAID, PENDING, Misconfigured, Refund, Refused, Unknown
from .common import GatewayCase

SETTLE = "odoo.addons.isp_payments_bd.models.payment_transaction_settle"


@tagged("post_install", "-at_install")
class TestRefund(GatewayCase):
    def setUp(self):
        super().setUp()
        self.bill = self.create_bill(500)
        self.tx = self.pay(self.create_tx(500, self.bill))

    def test_full_refund_from_odoos_button(self):
        payment = self.tx.payment_id.with_user(self.accountant)
        self.gateway.refunds = [Refund(PAID, "R1", Decimal("500.00"))]
        action = payment.action_refund_wizard()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.accountant)
            .with_context(active_id=payment.id)
            .create({})
        )
        self.assertEqual(wizard.amount_to_refund, 500)
        wizard.action_refund()
        child = self.tx.child_transaction_ids
        self.assertEqual((child.state, self.gateway.asked("refund")), ("pending", []))
        self.run_after_commit()
        self.assertEqual((child.state, child.provider_reference), ("done", "R1"))
        self.assertEqual(
            self.gateway.asked("refund"), [("refund", child.gateway_order_id, Decimal("500.00"))]
        )
        self.assertEqual(child.payment_id.payment_type, "outbound")
        self.assertEqual(child.payment_id.amount, 500)
        self.assertFalse(payment.amount_available_for_refund)

    def test_partial_refunds_up_to_what_was_paid(self):
        self.assertEqual(self.refund(self.tx, 200).state, "done")
        self.assertEqual(self.refund(self.tx, 300).state, "done")
        over = self.refund(self.tx, 0.01)
        self.assertEqual(over.state, "error")
        self.assertIn("more than", over.state_message)
        self.assertEqual(len(self.gateway.asked("refund")), 2)

    def test_a_refund_under_way_counts(self):
        first = self.refund(self.tx, 400, Unknown("no answer"))
        self.assertEqual(first.state, "pending")
        self.assertEqual(self.refund(self.tx, 400).state, "error")
        self.assertEqual(self.refund(self.tx, 100).state, "done")

    def test_two_refunds_at_once_conflict_in_the_database(self):
        """Else the second would not see the first, and both together be more than was paid."""

        def version():
            self.env.flush_all()
            query = "SELECT ctid FROM payment_transaction WHERE id = %s"
            self.env.cr.execute(query, [self.tx.id])
            return self.env.cr.fetchone()

        child = self.tx._create_child_transaction(100, is_refund=True)
        before = version()
        child._bd_check_refund()
        self.assertNotEqual(version(), before)

    def test_an_unknown_refund_is_never_sent_again(self):
        child = self.refund(self.tx, 500, Unknown("no answer"))
        self.assertEqual((child.state, child.gateway_status), ("pending", "unknown"))
        for answer, state in (
            (Unknown("no answer"), "pending"),
            (Refund(PENDING, None, None), "pending"),
            (Misconfigured("wrong key"), "pending"),
            (Refund(PAID, "R1", Decimal("500.00")), "done"),
        ):
            self.gateway.refunds = [answer]
            self.make_due(child)
            self.run_job()
            self.assertEqual(child.state, state)
        self.assertEqual(len(self.gateway.asked("refund")), 1)
        self.assertTrue(child.payment_id)

    def test_a_refund_takes_days(self):
        child = self.refund(self.tx, 500, Refund(PENDING, "R1", Decimal("500.00")))
        self.assertEqual((child.state, child.provider_reference), ("pending", "R1"))
        self.gateway.refunds = [Refund(FAILED, "R1", None, "The account is closed.")]
        self.make_due(child)
        self.run_job()
        self.assertEqual((child.state, child.state_message), ("error", "The account is closed."))
        self.assertFalse(child.gateway_next_ask_at)
        self.assertFalse(child.payment_id)

    def test_a_refused_refund_is_over(self):
        for error in (Refused("Too old"), Misconfigured("IP not registered")):
            child = self.refund(self.tx, 100, error)
            self.assertEqual((child.state, child.state_message), ("error", str(error)))

    def test_the_gateway_refunds_another_amount(self):
        with mute_logger(SETTLE):
            child = self.refund(self.tx, 100, Refund(PAID, "R1", Decimal("99.00")))
        self.assertEqual((child.state, child.gateway_status), ("pending", "mismatch"))
        self.assertTrue(child.activity_ids)

    def test_one_refund_of_the_gateway_is_one_refund_of_ours(self):
        self.refund(self.tx, 100, Refund(PAID, "R1", Decimal("100.00")))
        with mute_logger(SETTLE):
            second = self.refund(self.tx, 100, Refund(PAID, "R1", Decimal("100.00")))
        self.assertEqual(second.state, "pending")

    def test_what_died_before_sending_is_sent_by_the_job(self):
        self.gateway.refunds = [Refund(PAID, "R1", Decimal("500.00"))]
        self.tx.action_refund(amount_to_refund=500)
        self.env.cr.postcommit.clear()  # killed right after the commit
        child = self.tx.child_transaction_ids
        self.make_due(child)
        self.run_job()
        self.assertEqual((child.state, len(self.gateway.asked("refund"))), ("done", 1))

    def test_what_died_while_sending_is_only_asked_about(self):
        self.gateway.refunds = [Refund(PAID, "R1", Decimal("500.00"))]
        self.tx.action_refund(amount_to_refund=500)
        self.env.cr.postcommit.clear()
        child = self.tx.child_transaction_ids
        child._bd_mark_sent()  # killed before the answer was committed
        self.make_due(child)
        self.run_job()
        self.assertEqual(child.state, "done")
        self.assertEqual(self.gateway.asked("refund"), [])
        self.assertEqual(len(self.gateway.asked("ask_refund")), 1)

    def test_a_refund_is_marked_once(self):
        self.gateway.refunds = [Refund(PAID, "R1", Decimal("500.00"))]
        self.tx.action_refund(amount_to_refund=500)
        child = self.tx.child_transaction_ids
        self.assertTrue(child._bd_mark_sent())
        self.assertFalse(child._bd_mark_sent())

    def test_give_up_and_refund_anew(self):
        child = self.refund(self.tx, 500, Unknown("no answer"))
        child.with_user(self.accountant).action_bd_give_up_refund()
        self.assertEqual(child.state, "error")
        self.assertEqual(self.refund(self.tx, 500).state, "done")
        with self.assertRaises(UserError):
            child.with_user(self.accountant).action_bd_give_up_refund()

    def test_a_test_payment_is_not_refunded_with_real_money(self):
        self.provider.state = "enabled"
        child = self.refund(self.tx, 500)
        self.assertEqual((child.state, self.gateway.asked("refund")), ("error", []))

    def test_ask_now(self):
        child = self.refund(self.tx, 500, Unknown("no answer"))
        self.gateway.refunds = [Refund(PAID, "R1", Decimal("500.00"))]
        child.with_user(self.accountant).action_bd_ask()
        self.assertEqual(child.state, "done")


@tagged("post_install", "-at_install")
class TestSavedWallet(GatewayCase):
    def charge(self):
        token = self.env["payment.token"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "partner_id": self.customer.id,
                "provider_ref": "A1",
                "payment_details": "017****0001",
            }
        )
        tx = self.create_tx(
            500, self.create_bill(500), started=False, operation="offline", token_id=token.id
        )
        self.gateway.answers = [self.verified(tx, payment_id=f"P{tx.gateway_order_id}")]
        tx._charge_with_token()
        return tx

    def test_money_moves_only_after_the_payment_is_committed(self):
        tx = self.charge()
        self.assertEqual((tx.state, self.gateway.calls), ("pending", []))
        self.run_after_commit()
        self.assertEqual([call[0] for call in self.gateway.calls], ["charge"])
        self.assertTrue(tx.gateway_payment_id)

    def test_the_job_settles_what_was_charged(self):
        tx = self.charge()
        self.run_after_commit()
        tx._bd_settle("charge", hint={"execute": True})
        self.assertEqual(tx.state, "done")
        self.assertEqual(
            self.gateway.asked("ask"), [("ask", tx.gateway_order_id, {"execute": True})]
        )

    def test_a_charge_that_cannot_start_takes_nothing(self):
        self.gateway.start_error = Refused("The agreement is cancelled.")
        tx = self.charge()
        self.run_after_commit()
        self.assertEqual(tx.state, "error")
        self.assertEqual(self.gateway.asked("ask"), [])

    def test_a_wallet_is_saved_with_its_first_payment(self):
        tx = self.create_tx(500, tokenize=True)
        self.settle(tx, self.verified(tx, token="A7", payer="017****0001"))
        token = tx.token_id
        self.assertEqual((token.provider_ref, token.payment_details), ("A7", "017****0001"))
        self.settle(tx, self.verified(tx, token="A7"), again=True)
        self.assertEqual(self.env["payment.token"].search_count([("provider_ref", "=", "A7")]), 1)
