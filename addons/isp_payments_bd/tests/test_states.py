"""What each answer of the gateway makes of a payment, and what the payer sees."""

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import mute_logger, tagged

from ..gateways.common import (
    CANCELED,
    EXPIRED,
    FAILED,
    HELD,
    PAID,
    PENDING,
    Misconfigured,
    Refund,
    Refused,
    Unknown,
)
from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestStates(GatewayCase):
    def test_answers_and_states(self):
        unknown, refused = Unknown("no answer"), Refused("no such payment", "2002")
        for answer, outcome, state in (
            ({"status": PAID}, "paid", "done"),
            ({"status": PENDING}, "pending", "draft"),
            ({"status": PENDING, "payer": "017****0001"}, "pending", "pending"),
            ({"status": HELD, "reference": "T1"}, "held", "pending"),
            ({"status": FAILED}, "failed", "error"),
            ({"status": CANCELED}, "canceled", "cancel"),
            ({"status": EXPIRED}, "expired", "cancel"),
            (unknown, "unknown", "pending"),
            (refused, "failed", "error"),
            (Misconfigured("The app key is wrong."), "unknown", "pending"),
        ):
            with self.subTest(answer):
                tx = self.create_tx(500)
                verified = answer if isinstance(answer, Exception) else self.verified(tx, **answer)
                self.assertEqual(self.settle(tx, verified), outcome)
                self.assertEqual((tx.state, tx.gateway_status), (state, outcome))
                self.assertEqual(self.events(tx), [("return", outcome)])
                self.assertEqual(bool(tx.payment_id), state == "done")
                self.assertEqual(bool(tx.gateway_next_ask_at), state != "done")

    def test_who_has_not_paid_may_try_another_way(self):
        """Odoo takes the Pay button of a bill away while a payment is pending, not a draft."""
        tx = self.create_tx(500)
        self.settle(tx, self.verified(tx, PENDING))
        self.assertEqual(tx.state, "draft")
        self.settle(tx, Unknown("no answer"))
        self.assertEqual(tx.state, "pending")

    def test_unknown_is_never_failed(self):
        tx = self.create_tx(500)
        for _time in range(5):
            self.settle(tx, Unknown("no answer"))
        tx.gateway_expires_at = "2020-01-01"
        self.settle(tx, Unknown("no answer"))
        self.assertEqual(tx.state, "pending")
        self.assertTrue(tx.gateway_next_ask_at)
        self.pay(tx)

    def test_not_paid_until_the_end_is_canceled(self):
        tx = self.create_tx(500)
        tx.gateway_expires_at = "2020-01-01"
        self.assertEqual(self.settle(tx, self.verified(tx, PENDING)), "expired")
        self.assertEqual(tx.state, "cancel")
        self.assertFalse(tx.gateway_next_ask_at)

    def test_under_way_at_the_end_is_not_canceled(self):
        tx = self.create_tx(500)
        tx.gateway_expires_at = "2020-01-01"
        self.settle(tx, self.verified(tx, PENDING, payer="017****0001"))
        self.assertEqual(tx.state, "pending")
        self.assertTrue(tx.gateway_next_ask_at)

    def test_a_failed_attempt_gets_one_last_look(self):
        """The payer may try once more on the gateway's own page."""
        tx = self.create_tx(500)
        self.settle(tx, self.verified(tx, FAILED))
        self.assertEqual(tx.gateway_next_ask_at, tx.gateway_expires_at)
        tx.gateway_expires_at = "2020-01-01"
        self.settle(tx, self.verified(tx, FAILED), channel="job")
        self.assertFalse(tx.gateway_next_ask_at)

    def test_wrong_credentials_show_on_the_provider(self):
        tx = self.create_tx(500)
        self.settle(tx, Misconfigured("The app key is wrong."))
        self.assertEqual(self.provider.bd_connection_state, "error")
        self.assertEqual(self.provider.bd_connection_text, "The app key is wrong.")

    # === START === #

    def test_start(self):
        tx = self.create_tx(500, started=False)
        values = tx._get_specific_rendering_values({})
        self.assertEqual(values["api_url"], "https://gateway.example/pay")
        self.assertTrue(tx.gateway_payment_id)
        self.assertGreater(tx.gateway_expires_at, fields.Datetime.now())
        self.assertGreater(tx.gateway_next_ask_at, fields.Datetime.now())

    def test_a_start_that_fails_is_a_clean_error(self):
        for error in (Refused("under 10"), Unknown("timeout"), Misconfigured("wrong key")):
            with self.subTest(error):
                self.gateway.start_error = error
                tx = self.create_tx(500)
                self.assertEqual(tx.state, "error")
                self.assertIn("Nothing was taken", tx.state_message)
                self.assertNotIn(str(error), tx.state_message)
                self.assertEqual(tx.gateway_note, str(error))
                self.assertFalse(tx.gateway_next_ask_at)

    # === TEST AND LIVE === #

    def test_a_payment_is_asked_about_only_in_its_own_mode(self):
        tx = self.create_tx(500)
        self.assertFalse(tx.is_live)
        self.provider.state = "enabled"
        self.assertEqual(self.settle(tx, self.verified(tx)), "ignored")
        self.assertEqual(tx.state, "pending")
        self.assertEqual(self.gateway.asked("ask"), [])
        self.provider.state = "test"
        self.pay(tx)

    def test_a_disabled_provider_still_finishes_what_it_began(self):
        tx = self.create_tx(500)
        self.provider.state = "disabled"
        modes = []
        ask = self.gateway.ask

        def noting(tx, hint=None):
            modes.append(tx.provider_id._bd_live())
            return ask(tx, hint)

        self.gateway.ask = noting
        self.pay(tx)
        tx.is_live = True
        self.settle(tx, self.verified(tx), again=True)
        self.assertEqual(modes, [False, True])

    # === HELD === #

    def hold(self):
        bill = self.create_bill(500)
        tx = self.create_tx(500, bill)
        self.settle(tx, self.verified(tx, HELD, reference="T1", reason="Risk level 1"))
        return bill, tx

    def test_a_held_payment_waits_for_staff(self):
        bill, tx = self.hold()
        self.assertEqual((tx.state, tx.gateway_note), ("pending", "Risk level 1"))
        self.assertEqual(bill.amount_residual, 500)
        self.assertEqual(len(tx.activity_ids), 1)
        self.settle(tx, self.verified(tx, HELD, reference="T1"), again=True)
        self.assertEqual(len(tx.activity_ids), 1)
        self.settle(tx, Unknown("no answer"))
        self.assertEqual(tx.gateway_status, "held")

    def test_staff_accept(self):
        bill, tx = self.hold()
        tx.with_user(self.accountant).action_bd_accept()
        self.assertEqual((tx.state, bill.amount_residual), ("done", 0))
        self.assertEqual(tx.gateway_accepted_by_id, self.accountant)

    def test_accepted_while_the_gateway_is_away_is_booked_later(self):
        bill, tx = self.hold()
        self.gateway.answers = [Unknown("no answer")]
        tx.with_user(self.accountant).action_bd_accept()
        self.assertEqual(tx.state, "pending")
        self.gateway.answers = [self.verified(tx, HELD, reference="T1")]
        self.make_due(tx)
        self.run_job()
        self.assertEqual((tx.state, bill.amount_residual), ("done", 0))

    def test_staff_refuse_and_the_money_goes_back_outside_the_books(self):
        bill, tx = self.hold()
        self.gateway.refunds = [Refund(PAID, "R1", None)]
        tx.with_user(self.accountant).action_bd_refuse()
        self.run_after_commit()
        child = tx.child_transaction_ids
        self.assertEqual((tx.state, child.state), ("cancel", "done"))
        self.assertFalse(child.payment_id)
        self.assertEqual(bill.amount_residual, 500)
        # Refused is refused: no later answer books it.
        self.settle(tx, self.verified(tx, reference="T1"), again=True)
        self.assertEqual(tx.state, "cancel")

    def test_refused_but_the_gateway_does_not_give_it_back(self):
        _bill, tx = self.hold()
        self.gateway.refunds = [Refused("Too old")]
        tx.with_user(self.accountant).action_bd_refuse()
        self.run_after_commit()
        child = tx.child_transaction_ids
        self.assertEqual((tx.state, child.state), ("cancel", "error"))
        self.assertTrue(child.activity_ids)

    def test_refused_where_odoo_cannot_refund(self):
        _bill, tx = self.hold()
        self.method.support_refund = "none"
        tx.with_user(self.accountant).action_bd_refuse()
        self.assertEqual((tx.state, len(tx.activity_ids)), ("cancel", 1))
        self.assertFalse(tx.child_transaction_ids)

    @mute_logger("odoo.addons.isp_payments_bd.models.payment_transaction_settle")
    def test_risky_and_wrong_is_wrong(self):
        tx = self.create_tx(500)
        self.assertEqual(self.settle(tx, self.verified(tx, HELD, reference=None)), "mismatch")

    def test_a_decision_is_made_once(self):
        _bill, tx = self.hold()
        tx.with_user(self.accountant).action_bd_accept()
        for action in ("action_bd_accept", "action_bd_refuse"):
            with self.subTest(action), self.assertRaises(UserError):
                getattr(tx.with_user(self.accountant), action)()
