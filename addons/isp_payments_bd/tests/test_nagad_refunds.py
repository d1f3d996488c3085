"""Refunds at Nagad: off until wanted, one at a time, and never sent twice."""

from decimal import Decimal

import requests

from odoo.tests import mute_logger, tagged

from .nagad_common import NagadCommon

_CLIENT = "odoo.addons.isp_payments_bd.gateways.nagad"


@tagged("post_install", "-at_install")
class TestNagadRefunds(NagadCommon):
    def setUp(self):
        super().setUp()
        self.paid_bill = self.bill()
        self.tx = self.start(self.paid_bill)
        self.come("return", self.tx, self.nagad.choose(self.tx))

    def refund(self, amount):
        """Press the button Refund, and send what waits, as it is done after the commit."""
        self.tx.action_refund(amount_to_refund=amount)
        refund = self.tx.child_transaction_ids.sorted("id")[-1]
        # sudo: after the commit it is the system that sends.
        refund.sudo()._bd_mark_sent()._bd_send()
        return refund

    def sent(self):
        return [call[3] for call in self.nagad.asked("cancel")]

    def test_in_parts_and_then_the_rest(self):
        part, rest = self.refund(200), self.refund(300)
        self.assertEqual((part + rest).mapped("state"), ["done", "done"])
        self.assertEqual([one["cancelAmount"] for one in self.sent()], ["200.00", "300.00"])
        self.assertEqual({one["originalAmount"] for one in self.sent()}, {"500.00"})
        self.assertEqual({one["originalRequestDate"] for one in self.sent()}, {"20261127"})
        self.assertEqual(self.sent()[0]["referenceNo"], part.gateway_order_id)
        self.assertEqual(self.sent()[0]["paymentRefId"], self.tx.gateway_payment_id)
        self.assertEqual(self.sent()[0]["orderId"], self.tx.gateway_order_id)
        self.assertNotEqual(part.provider_reference, rest.provider_reference)
        self.assertEqual(self.payments(part).payment_type, "outbound")
        # The payment itself is still one that was paid, and nobody is told otherwise.
        self.tx._bd_settle("staff", again=True)
        self.assertEqual((self.tx.state, self.tx.gateway_status), ("done", "paid"))
        self.assertFalse(self.tx.activity_ids)

    def test_more_than_was_paid_is_refused(self):
        self.refund(400)
        refund = self.refund(200)
        self.assertEqual(refund.state, "error")
        self.assertIn("more than", refund.state_message)
        self.assertEqual(len(self.sent()), 1)

    def test_switched_off(self):
        self.provider.nagad_refunds = False
        self.assertEqual(self.provider.support_refund, "none")
        refund = self.refund(100)
        self.assertEqual(refund.state, "error")
        self.assertIn("switched off", refund.gateway_note)
        self.assertFalse(self.sent())

    @mute_logger(_CLIENT)
    def test_a_lost_answer_is_asked_for_and_never_sent_again(self):
        for error in (requests.Timeout(), requests.ConnectionError()):
            with self.subTest(error=type(error).__name__):
                before = len(self.sent())
                self.nagad.errors = {"cancel": error}
                refund = self.refund(100)
                self.assertEqual((refund.state, refund.gateway_status), ("pending", "unknown"))
                self.nagad.errors = {"verify": requests.Timeout()}
                refund._bd_settle("job")
                self.assertEqual(refund.state, "pending")
                self.nagad.errors = {}
                for _time in range(2):
                    refund._bd_settle("job")
                    self.assertEqual(refund.state, "done")
                self.assertEqual(len(self.sent()), before + 1)
                made = self.nagad.payments[self.tx.gateway_payment_id]["cancelIssuerRefNo"]
                self.assertEqual(refund.provider_reference, made)
                self.assertEqual(len(self.payments(refund)), 1)

    @mute_logger(_CLIENT)
    def test_an_unsigned_answer_is_no_answer(self):
        self.nagad.changes = {"cancel": {"signature": "AAAA"}}
        refund = self.refund(100)
        self.assertEqual((refund.state, refund.gateway_status), ("pending", "unknown"))
        self.nagad.changes = {}
        refund._bd_settle("job")
        self.assertEqual(refund.state, "done")
        self.assertEqual(len(self.sent()), 1)

    @mute_logger(_CLIENT)
    def test_the_next_refund_waits_for_the_one_under_way(self):
        """Nagad shows only the latest: two at once could not be told apart."""
        self.nagad.errors = {"cancel": requests.Timeout()}
        first = self.refund(100)
        self.nagad.errors = {}
        second = self.refund(50)
        self.assertEqual((first.state, second.state), ("pending", "error"))
        self.assertIn("still under way", second.gateway_note)
        self.assertEqual(len(self.sent()), 1)
        first._bd_settle("job")
        third = self.refund(50)
        self.assertEqual((first.state, third.state), ("done", "done"))

    @mute_logger(_CLIENT)
    def test_nothing_is_sent_while_nagad_cannot_be_asked(self):
        self.nagad.errors = {"verify": requests.Timeout()}
        refund = self.refund(100)
        self.assertEqual((refund.state, refund.gateway_status), ("error", "failed"))
        self.assertIn("nothing was sent", refund.gateway_note)
        self.assertFalse(self.sent())
        self.nagad.errors = {}
        self.assertEqual(self.refund(100).state, "done")

    def test_a_refund_made_elsewhere_stops_the_next(self):
        self.nagad.payments[self.tx.gateway_payment_id]["cancelIssuerRefNo"] = "ELSEWHERE"
        refund = self.refund(100)
        self.assertEqual(refund.state, "error")
        self.assertIn("ELSEWHERE", refund.gateway_note)
        self.assertFalse(self.sent())

    def test_a_refusal_is_final_and_says_why(self):
        refusal = '{"reason": "X1", "message": "Refund period is over", "devMessage": "trace"}'
        self.nagad.texts = {"cancel": (400, refusal)}
        refund = self.refund(100)
        self.assertEqual(refund.state, "error")
        self.assertEqual(refund.gateway_note, "Nagad refused: Refund period is over.")
        self.assertFalse(refund.gateway_next_ask_at)
        self.assertFalse(self.payments(refund))

    def test_another_amount_than_ours_is_not_booked(self):
        client = self.provider._bd_client()
        with self.assertRaisesRegex(Exception, "90.00 BDT were returned, not 100"):
            client._read_refund({"status": "Cancelled", "cancelAmount": "90.00"}, Decimal(100))
