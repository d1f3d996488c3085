"""One way into the ledger: the weak points of Odoo's base, each closed."""

from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import mute_logger, tagged

from ..gateways.common import CANCELED, FAILED, HELD, PENDING, Refused, Unknown, Verified
from .common import GatewayCase

SETTLE = "odoo.addons.isp_payments_bd.models.payment_transaction_settle"


@tagged("post_install", "-at_install")
class TestSettle(GatewayCase):
    def test_a_verified_payment_settles_the_bill_at_once(self):
        bill = self.create_bill(500)
        tx = self.create_tx(500, bill)
        self.pay(tx)
        self.assertEqual(tx.state, "done")
        self.assertEqual(tx.provider_reference, f"T{tx.gateway_order_id}")
        self.assertTrue(tx.payment_id)
        self.assertIn(bill.payment_state, ("paid", "in_payment"))
        self.assertFalse(bill.amount_residual)
        self.assertFalse(tx.gateway_next_ask_at)

    def test_the_order_id_is_new_short_and_plain(self):
        orders = [self.create_tx(started=False).gateway_order_id for _number in range(5)]
        self.assertEqual(len(set(orders)), 5)
        for order in orders:
            self.assertRegex(order, r"^[A-Z0-9]{5,20}$")

    def test_the_order_id_of_a_caller_is_not_taken(self):
        self.assertNotEqual(self.create_tx(gateway_order_id="MINE").gateway_order_id, "MINE")

    def test_a_mismatch_never_pays_however_often_it_comes(self):
        """Weak point: in stock Odoo the same wrong amount, sent twice, confirms the payment."""
        wrong = {
            "amount": {"amount": Decimal("10.00")},
            "one poisha less": {"amount": Decimal("499.99")},
            "more": {"amount": Decimal("500.01")},
            "no amount": {"amount": None},
            "currency": {"currency": "USD"},
            "no currency": {"currency": None},
            "merchant": {"merchant": "M2"},
            "order": {"order_id": "OTHER"},
            "payment": {"payment_id": "OTHER"},
            "no ids": {"order_id": None, "payment_id": None},
            "no reference": {"reference": None},
        }
        for name, values in wrong.items():
            with self.subTest(name), mute_logger(SETTLE):
                tx = self.create_tx(500, self.create_bill(500))
                for _time in range(3):
                    outcome = self.settle(tx, self.verified(tx, **values))
                    self.assertEqual(outcome, "mismatch")
                    self.assertEqual(tx.state, "error")
                    self.assertFalse(tx.payment_id)
                self.assertTrue(tx.gateway_note)
                self.assertEqual(len(tx.activity_ids), 1)
                self.assertNotIn("OTHER", tx.state_message)

    def test_after_a_mismatch_the_right_answer_still_pays(self):
        tx = self.create_tx(500, self.create_bill(500))
        with mute_logger(SETTLE):
            self.settle(tx, self.verified(tx, amount=Decimal("10.00")))
        self.pay(tx)
        self.assertEqual(tx.state, "done")

    def test_a_transfer_pays_only_one_payment(self):
        """Weak point: Odoo does not look whether the gateway's reference was used."""
        first = self.pay(self.create_tx(500))
        second = self.create_tx(500)
        with mute_logger(SETTLE):
            outcome = self.settle(second, self.verified(second, reference=first.provider_reference))
        self.assertEqual((outcome, second.state), ("mismatch", "error"))
        self.assertIn(first.reference, second.gateway_note)

    def test_the_database_too_refuses_a_transfer_used_twice(self):
        first = self.pay(self.create_tx(500))
        second = self.create_tx(500)
        with (
            self.assertRaisesRegex(Exception, "gateway_reference_uniq"),
            mute_logger("odoo.sql_db"),
        ):
            with self.cr.savepoint():
                second.write({"provider_reference": first.provider_reference, "state": "done"})
                second.flush_recordset()

    def test_two_companies_may_have_the_same_reference(self):
        other_company = self.env["res.company"].create(
            {"name": "Other", "currency_id": self.bdt.id}
        )
        other = self.create_provider(other_company, False)
        first = self.pay(self.create_tx(500))
        second = self.create_tx(500, provider=other)
        with mute_logger(SETTLE, "odoo.sql_db"):  # that company has no books
            self.settle(second, self.verified(second, reference=first.provider_reference))
        self.assertEqual(second.state, "done")

    def test_raw_data_of_a_callback_is_refused(self):
        tx = self.create_tx(500)
        for data in ({}, {"status": "paid", "amount": 500}, {"verified": {"status": "paid"}}):
            with self.subTest(data), self.assertRaises(ValidationError):
                tx._process("none", {"reference": tx.reference, **data})
        self.assertEqual(tx.state, "draft")

    def test_a_repeated_claim_asks_nobody_and_books_nothing(self):
        tx = self.create_tx(500, self.create_bill(500))
        self.settle(tx, self.verified(tx), hint={"status": "success"})
        payment = tx.payment_id
        for _time in range(3):
            self.assertEqual(tx._bd_settle("return", hint={"status": "success"}), "paid")
        self.assertEqual(len(self.gateway.asked("ask")), 1)
        self.assertEqual(tx.payment_id, payment)
        self.assertEqual(tx.gateway_event_ids.mapped("repeats"), [4])

    def test_another_claim_about_a_paid_payment_is_checked_again(self):
        """Weak point: a done transaction reaches the updates and gets another reference."""
        tx = self.create_tx(500)
        self.settle(tx, self.verified(tx), hint={"a": 1})
        self.assertEqual(self.settle(tx, self.verified(tx), hint={"b": 2}), "paid")
        self.assertEqual(len(self.gateway.asked("ask")), 2)
        reference = tx.provider_reference
        with mute_logger(SETTLE):
            outcome = self.settle(tx, self.verified(tx, amount=Decimal("1.00")), hint={"c": 3})
        self.assertEqual((outcome, tx.state), ("mismatch", "done"))
        self.assertEqual(tx.gateway_status, "paid")
        self.assertEqual(tx.provider_reference, reference)
        self.assertTrue(tx.activity_ids)

    def test_verified_success_wins_over_cancel_and_error(self):
        """Weak point: after a cancel, stock Odoo refuses a later success."""
        for status, state in ((CANCELED, "cancel"), (FAILED, "error")):
            with self.subTest(status):
                tx = self.create_tx(500, self.create_bill(500))
                self.settle(tx, self.verified(tx, status))
                self.assertEqual(tx.state, state)
                self.pay(tx)
                self.assertEqual(tx.state, "done")
                self.assertTrue(tx.payment_id)

    def test_a_paid_payment_stays_paid_whatever_is_said_later(self):
        for status in (CANCELED, FAILED, PENDING):
            with self.subTest(status), mute_logger(SETTLE, "odoo.addons.payment.models"):
                tx = self.pay(self.create_tx(500))
                self.settle(tx, self.verified(tx, status), again=True)
                self.assertEqual((tx.state, tx.gateway_status), ("done", "paid"))

    def test_the_row_is_taken_before_the_gateway_is_asked(self):
        """Weak point: return and notification race."""
        tx = self.create_tx(500)
        taken = []

        def locks(records, *, allow_referencing=False, limit=None):
            taken.append(len(self.gateway.asked("ask")))
            return records.browse() if busy else records

        self.patch(self.registry["payment.transaction"], "try_lock_for_update", locks)
        busy = True
        self.assertEqual(self.settle(tx, self.verified(tx)), "busy")
        self.assertEqual(self.gateway.asked("ask"), [])
        self.assertEqual(tx.state, "draft")
        self.assertTrue(tx.gateway_event_ids.is_open)
        busy = False
        self.assertEqual(self.settle(tx, self.verified(tx)), "paid")
        self.assertEqual(taken[:2], [0, 0])

    def test_a_poll_of_the_status_page_does_not_wait_for_the_gateway(self):
        tx = self.create_tx(500, self.create_bill(500))
        with self.patched("try_lock_for_update", lambda records, **kw: records.browse()):
            tx._post_process()
        self.assertFalse(tx.is_post_processed)
        tx._post_process()
        self.assertTrue(tx.is_post_processed)

    def test_an_id_that_cannot_be_ours_finds_nothing(self):
        tx = self.create_tx(500)
        find = tx._bd_find
        self.assertEqual(find(tx.provider_code, order_id=tx.gateway_order_id), tx)
        for order_id in (None, "", "nobody", f"{tx.gateway_order_id}\0", "%00"):
            with self.subTest(order_id):
                self.assertFalse(find(tx.provider_code, order_id=order_id))

    def test_a_gateway_that_forgot_an_old_payment_changes_nothing(self):
        tx = self.pay(self.create_tx(500))
        self.assertEqual(self.settle(tx, Refused("not found"), again=True), "ignored")
        self.assertEqual((tx.state, tx.gateway_status), ("done", "paid"))
        self.assertFalse(tx.activity_ids)

    def test_the_books_may_fail_but_not_the_payment(self):
        tx = self.create_tx(500, self.create_bill(500))

        def broken(self):
            self.is_post_processed = True
            raise KeyError("a bug in some addon")

        with self.patched("_create_payment", broken), self.assertLogs(SETTLE, "ERROR"):
            self.settle(tx, self.verified(tx))
        self.assertEqual((tx.state, tx.is_post_processed), ("done", False))
        tx._post_process()
        self.assertTrue(tx.payment_id)

    def patched(self, name, function):
        return patch.object(self.registry["payment.transaction"], name, function)

    def test_a_second_transfer_for_one_order_is_a_credit(self):
        bill = self.create_bill(500)
        tx = self.pay(self.create_tx(500, bill))
        again = self.verified(tx, reference="SECOND")
        self.assertEqual(self.settle(tx, again, hint={"val_id": 2}), "extra")
        extra = tx._bd_extras()
        self.assertEqual(
            (extra.state, extra.amount, extra.provider_reference), ("done", 500, "SECOND")
        )
        self.assertTrue(extra.payment_id)
        self.assertTrue(extra.gateway_paid_twice)
        self.assertEqual(extra.activity_ids.summary, "A bill was paid twice")
        self.assertEqual(self.credit(), -500)
        # The gateway says so again: nothing more.
        self.assertEqual(self.settle(tx, again, again=True), "extra")
        self.assertEqual(tx._bd_extras(), extra)

    def test_transfers_named_in_one_answer_are_all_booked(self):
        tx = self.create_tx(500, self.create_bill(500))
        main = self.verified(tx)
        other = replace(main, reference="SECOND")
        self.assertEqual(self.settle(tx, replace(main, also=(other,))), "paid")
        self.assertEqual(tx._bd_extras().provider_reference, "SECOND")
        self.assertEqual(self.events(tx), [("return", "paid"), ("return", "extra")])

    def test_a_risky_second_transfer_is_a_credit_that_staff_are_warned_of(self):
        tx = self.pay(self.create_tx(500, self.create_bill(500)))
        risky = self.verified(tx, HELD, reference="SECOND", reason="Stolen card")
        self.assertEqual(self.settle(tx, risky, again=True), "extra")
        activities = tx._bd_extras().activity_ids
        self.assertEqual(
            set(activities.mapped("summary")),
            {"A bill was paid twice", "A risky payment for a bill that is paid already"},
        )
        self.assertIn("Stolen card", "".join(activities.mapped("note")))

    def test_a_second_transfer_of_another_amount_is_for_staff(self):
        tx = self.pay(self.create_tx(500))
        wrong = self.verified(tx, reference="SECOND", amount=Decimal("1.00"))
        with mute_logger(SETTLE):
            self.assertEqual(self.settle(tx, wrong, again=True), "mismatch")
        self.assertFalse(tx._bd_extras())
        self.assertTrue(tx.activity_ids)

    def credit(self):
        lines = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.customer.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ]
        )
        return sum(lines.mapped("amount_residual"))

    def test_an_unsigned_word_of_the_gateway_is_unknown(self):
        tx = self.create_tx(500)
        odd = Verified("somethingnew", tx.gateway_order_id, *[None] * 5)
        self.assertEqual(self.settle(tx, odd), "unknown")
        self.assertEqual(tx.state, "pending")

    def test_nothing_of_the_reason_for_staff_reaches_the_payer(self):
        tx = self.create_tx(500)
        self.settle(tx, self.verified(tx, FAILED, reason="risk engine 77"))
        self.assertNotIn("77", tx.state_message)
        self.assertIn("77", tx.gateway_note)
        self.settle(tx, Unknown("read timed out at host 10.1.1.1"))
        self.assertNotIn("10.1.1.1", tx.state_message)
