"""Nagad: outcome × channel × order × repetition gives one payment, the right state and ledger."""

from itertools import product

import requests

from odoo.tests import mute_logger, tagged

from .nagad_common import NagadCommon

CHANNELS = ("return", "job")
# What the customer did, what Nagad says then, and what the payment is in the end.
OUTCOMES = {
    "paid": (["Success"], {}, "done"),
    "failed": (["Failed"], {}, "error"),
    "canceled": (["Aborted"], {}, "cancel"),
    "canceled at Nagad": (["Cancelled"], {}, "cancel"),
    "closed": (["InProgress"], {}, "draft"),
    "typed in a wallet": (["OtpSent"], {"clientMobileNo": "017****5678"}, "draft"),
    "typed in the PIN": (["PinGiven"], {"clientMobileNo": "017****5678"}, "pending"),
    "fraud": (["Fraud"], {"issuerPaymentRefNo": "MONEY0"}, "pending"),
    "failed, then paid": (["Failed", "Success"], {}, "done"),
    "canceled, then paid": (["Aborted", "Success"], {}, "done"),
}


def ways(most):
    """Every order in which news can come, some of it not at all, and up to ``most`` times."""
    for count in range(1, most + 1):
        yield from product(CHANNELS, repeat=count)


@tagged("post_install", "-at_install")
class TestNagadChannels(NagadCommon):
    # One method an outcome: the database gets slow when one transaction does everything.

    def test_paid(self):
        self._check_every_way("paid")

    def test_failed(self):
        self._check_every_way("failed")

    def test_canceled(self):
        self._check_every_way("canceled")

    def test_canceled_at_nagad(self):
        self._check_every_way("canceled at Nagad")

    def test_closed(self):
        self._check_every_way("closed")

    def test_typed_in_a_wallet(self):
        self._check_every_way("typed in a wallet")

    def test_typed_in_the_pin(self):
        self._check_every_way("typed in the PIN")

    def test_fraud(self):
        self._check_every_way("fraud")

    def test_failed_then_paid(self):
        self._check_every_way("failed, then paid")

    def test_canceled_then_paid(self):
        self._check_every_way("canceled, then paid")

    def _check_every_way(self, name):
        statuses, changes, state = OUTCOMES[name]
        bill = self.bill()
        for way in ways(most=3 if name == "paid" else 2):
            with self.subTest(way="-".join(way)), self.undone():
                self._check(bill, statuses, changes, state, way)

    def _check(self, bill, statuses, changes, state, way):
        tx = self.start(bill)
        came = [self.nagad.choose(tx, status, **changes) for status in statuses]
        for channel in way:
            # The last return comes first, the older one late.
            for url in reversed(came):
                response = self.come(channel, tx, url)
                if channel == "return":
                    self.assertEqual(response.status_code, 303)
                    self.assertTrue(response.headers["Location"].endswith("/payment/status"))
        self.assertEqual(tx.state, state)
        if state == "done":
            self.assertPaidOnce(tx, bill)
            self.assertEqual(tx.gateway_payer, "017****5678")
        else:
            self.assertNothingPaid(tx, bill)
            self.assertEqual(bool(tx.activity_ids), "Fraud" in statuses)

    def test_news_in_the_order_it_happened(self):
        """An attempt fails, and the same page pays afterwards."""
        for first, second in product(CHANNELS, repeat=2):
            for status in ("Failed", "Aborted"):
                with self.subTest(first=first, second=second, status=status):
                    bill = self.bill()
                    tx = self.start(bill)
                    self.come(first, tx, self.nagad.choose(tx, status))
                    self.assertNothingPaid(tx, bill)
                    self.come(second, tx, self.nagad.choose(tx))
                    self.assertPaidOnce(tx, bill)

    def test_a_hundred_same_returns_ask_once(self):
        bill = self.bill()
        tx = self.start(bill)
        url = self.nagad.choose(tx)
        for _time in range(100):
            self.come("return", tx, url)
        self.assertPaidOnce(tx, bill)
        self.assertEqual(len(self.nagad.asked("verify")), 1)
        self.assertEqual(tx.gateway_event_ids.repeats, 100)

    @mute_logger("odoo.addons.isp_payments_bd.gateways.nagad")
    def test_nagad_gives_no_answer_when_the_news_comes(self):
        silences = {
            "time-out": {"errors": {"verify": requests.Timeout()}},
            "line": {"errors": {"verify": requests.ConnectionError()}},
            "down": {"texts": {"verify": (503, '{"message": "busy"}')}},
            "web page": {"texts": {"verify": (200, "<html>Please wait</html>")}},
            "firewall": {"texts": {"verify": (200, "The requested URL was rejected")}},
            "not let in": {"texts": {"verify": (403, "Forbidden")}},
            "refusal": {"texts": {"verify": (400, '{"reason": "x", "message": "no"}')}},
        }
        for (name, silence), channel in product(silences.items(), CHANNELS):
            with self.subTest(silence=name, channel=channel):
                bill = self.bill()
                tx = self.start(bill)
                url = self.nagad.choose(tx)
                for attribute, value in silence.items():
                    setattr(self.nagad, attribute, value)
                self.come(channel, tx, url)
                self.assertEqual((tx.state, tx.gateway_status), ("pending", "unknown"))
                self.assertNothingPaid(tx, bill)
                self.assertTrue(tx.gateway_next_ask_at)
                self.nagad.errors, self.nagad.texts = {}, {}
                self.come("job", tx, None)
                self.assertPaidOnce(tx, bill)

    def test_the_customer_closed_the_browser(self):
        """Nobody comes back: the job finds the payment by its own clock."""
        bill = self.bill()
        tx = self.start(bill)
        self.nagad.choose(tx)
        tx.gateway_next_ask_at = "2020-01-01 00:00:00"
        with self.enter_registry_test_mode():
            cron = "isp_payments_bd.payment_transaction_cron_reconcile"
            self.env.ref(cron).method_direct_trigger()
        self.env.invalidate_all()
        self.assertPaidOnce(tx, bill)
        self.assertFalse(tx.gateway_next_ask_at)

    def test_a_page_left_open_is_canceled_when_its_time_is_over(self):
        tx = self.start()
        self.nagad.choose(tx, "OtpSent", clientMobileNo="017****5678")
        self.come("job", tx, None)
        self.assertEqual(tx.state, "draft")
        tx.gateway_expires_at = "2020-01-01 00:00:00"
        self.come("job", tx, None)
        self.assertEqual((tx.state, tx.gateway_status), ("cancel", "expired"))

    def test_held_until_staff_accept(self):
        bill = self.bill()
        tx = self.start(bill)
        url = self.nagad.choose(tx, status="Success")
        self.nagad.payments[tx.gateway_payment_id]["status"] = "Fraud"
        self.come("return", tx, url)
        self.assertNothingPaid(tx, bill)
        self.assertEqual(tx.gateway_note, "Nagad suspects fraud")
        tx.action_bd_accept()
        self.assertPaidOnce(tx, bill)

    def test_two_payments_of_one_bill_are_both_kept(self):
        """Two tabs: the second payment is the customer's credit."""
        bill = self.bill()
        first, second = self.start(bill), self.start(bill)
        urls = [self.nagad.choose(tx) for tx in (first, second)]
        self.come("return", first, urls[0])
        self.come("return", second, urls[1])
        self.assertPaidOnce(first, bill)
        self.assertEqual(second.state, "done")
        self.assertTrue(second.gateway_paid_twice)
        credit = self.payments(second).move_id.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        self.assertEqual(credit.amount_residual, -500)
