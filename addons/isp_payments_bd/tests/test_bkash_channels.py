from itertools import permutations

from odoo.tests import tagged

from .bkash_common import BkashCommon

CHANNELS = ("return", "notification", "job")
# What the customer does, and what state the payment has once they came back.
OUTCOMES = {
    "paid": ({}, "done"),
    "wallet is empty": ({"wallet": "01722222222"}, "error"),
    "failed": ({"choice": "fail"}, "error"),
    "canceled": ({"choice": "cancel"}, "cancel"),
    "canceled, then paid": ({"choice": "cancel"}, "done"),
}


def ways(state):
    """Every order in which news can come, some of it not at all; when money moves also twice."""
    for count in (1, 2, 3) if state == "done" else (3,):
        yield from permutations(CHANNELS, count)
    for order in permutations(CHANNELS) if state == "done" else ():
        yield order * 2
        yield tuple(channel for channel in order for _time in range(2))


@tagged("post_install", "-at_install")
class TestBkashChannels(BkashCommon):
    def test_outcome_channel_order_and_repetition(self):
        self.provider._bd_client().check_login()  # else each case logs in, and two an hour may
        bill = self.bill()
        for name, (customer, state) in OUTCOMES.items():
            for way in ways(state):
                with self.subTest(outcome=name, way="-".join(way)), self.undone():
                    self._check(bill, name, customer, state, way)
                self.gateway.transactions.clear()  # the same amount may be paid again at once

    def _check(self, bill, name, customer, state, way):
        tx = self.start(bill)
        back = [self.gateway.customer(tx.gateway_payment_id, **customer)]
        if name == "canceled, then paid":
            back.append(self.gateway.customer(tx.gateway_payment_id))
        messages = []
        for channel in way:
            self._come(channel, tx, back, messages)
        if "return" not in way:
            # Only our execute moves money, and only the return makes us execute.
            self.assertEqual(tx.state, "draft")
        else:
            self.assertEqual(tx.state, state, tx.gateway_note)
        if tx.state == "done":
            self.assertPaidOnce(tx, bill)
        else:
            self.assertNothingPaid(tx, bill)
            self.assertFalse(self.gateway.payments[tx.gateway_payment_id].transaction)

    def _come(self, channel, tx, back, messages):
        if channel == "return":
            for url in back:
                self.assertEqual(self.come_back(url).status_code, 303)
        elif channel == "notification":
            if not messages:
                # A message that comes too early claims what is not true yet.
                early = {"trxID": "AAAA000000", "merchantInvoiceNumber": tx.gateway_order_id}
                messages.append(self.message(self.payload_of(tx) or early))
            self.assertEqual(self.notify(None, body=messages[0]).status_code, 200)
        else:
            tx._bd_settle("job")

    def test_the_answer_to_execute_is_lost(self):
        """The money moved, nobody told us: the next one who asks finds it."""
        for channel in ("return", "notification", "job"):
            for fault in ({"lose": True}, {"html": True}, {"change": {"trxID": None}}):
                with self.subTest(channel=channel, fault=fault):
                    bill = self.bill()
                    tx = self.start(bill)
                    url = self.gateway.customer(tx.gateway_payment_id)
                    self.gateway.faults.add("execute", **fault)
                    self.gateway.faults.add("query", status=503)
                    self.come_back(url)
                    self.assertEqual((tx.state, tx.gateway_status), ("pending", "unknown"))
                    self.assertNothingPaid(tx, bill)
                    self.assertTrue(tx.gateway_next_ask_at)
                    self._come(channel, tx, [url], [])
                    self.assertPaidOnce(tx, bill)
                    executed = [
                        one
                        for one in self.gateway.received("execute")
                        if one.json()["paymentID"] == tx.gateway_payment_id
                    ]
                    self.assertEqual(len(executed), 1, "never told twice")

    def test_an_execute_that_may_still_happen_is_not_called_canceled(self):
        bill = self.bill()
        tx = self.start(bill)
        url = self.gateway.customer(tx.gateway_payment_id)
        self.gateway.faults.add("execute", drop=True)
        self.come_back(url)
        self.assertEqual(tx.state, "pending")
        self.come_back(url.replace("status=success", "status=cancel"))
        self.assertEqual(tx.state, "pending")
        self.come_back(url)
        self.assertEqual(len(self.gateway.received("execute")), 1)
        self.assertNothingPaid(tx, bill)

    def test_the_gateway_is_down_when_the_customer_comes_back(self):
        bill = self.bill()
        tx = self.start(bill)
        url = self.gateway.customer(tx.gateway_payment_id)
        self.gateway.refuse_connections(True)
        self.come_back(url)
        self.assertEqual((tx.state, tx.gateway_status), ("pending", "unknown"))
        self.gateway.refuse_connections(False)
        tx._bd_settle("job")
        self.assertNothingPaid(tx, bill)
        self.assertIn(tx.state, ("draft", "pending"))

    def test_a_customer_who_never_confirms_is_asked_about_for_a_day(self):
        tx = self.start()
        tx._bd_settle("job")
        self.assertEqual(tx.state, "draft")
        tx.gateway_expires_at = "2020-01-01"
        tx._bd_settle("job")
        self.assertEqual((tx.state, tx.gateway_status), ("cancel", "expired"))

    def test_the_customer_is_told_what_to_do_about_a_refusal(self):
        self.pay(self.start(self.bill(123.0)))
        for customer, amount, words in (
            ({"wallet": "01722222222"}, 124.0, "add money"),
            ({}, 123.0, "two minutes"),
        ):
            with self.subTest(words):
                tx = self.start(self.bill(amount))
                self.come_back(self.gateway.customer(tx.gateway_payment_id, **customer))
                self.assertEqual(tx.state, "error")
                self.assertIn(words, tx.state_message)
                self.assertIn("Nothing was taken", tx.state_message)
                self.assertNotIn(tx.bkash_code, tx.state_message)
                self.assertIn(tx.bkash_code, tx.gateway_note)

    def test_a_hundred_same_returns_and_notifications(self):
        bill = self.bill()
        tx = self.start(bill)
        url = self.gateway.customer(tx.gateway_payment_id)
        self.come_back(url)
        message = self.message(self.payload_of(tx))
        for _time in range(50):
            self.come_back(url)
            self.notify(None, body=message)
        self.assertPaidOnce(tx, bill)
        self.assertEqual(len(self.gateway.received("execute")), 1)
        self.assertLessEqual(len(self.gateway.received("query")), 1)

    def test_one_bill_paid_in_two_tabs_is_a_visible_credit(self):
        bill = self.bill()
        tabs = [self.start(bill), self.start(bill)]
        urls = [
            self.gateway.customer(tabs[0].gateway_payment_id),
            self.gateway.customer(tabs[1].gateway_payment_id),
        ]
        self.come_back(urls[0])
        self.gateway.clock.advance(121)
        self.come_back(urls[1])
        self.assertEqual([tx.state for tx in tabs], ["done", "done"])
        self.assertEqual(bill.amount_residual, 0)
        self.assertEqual(len(self.payments(tabs[0] | tabs[1])), 2)
        self.assertTrue(tabs[1].gateway_paid_twice)
        self.assertTrue(tabs[1].activity_ids)

    def test_no_secret_in_logs_chatter_or_forms(self):
        with self.assertNoSecretLogged():
            bill = self.bill()
            tx = self.create_tx(bill)
            html = str(tx._get_processing_values()["redirect_form_html"])
            self.pay(tx)
            self.notify(self.payload_of(tx))
        written = " ".join(
            [
                html,
                *tx.message_ids.mapped("body"),
                *bill.message_ids.mapped("body"),
                *tx.gateway_event_ids.mapped(lambda event: event.summary or ""),
                tx.gateway_note,
            ]
        )
        for secret in (*self.gateway.credentials.values(), *self.gateway.tokens, "01711111111"):
            self.assertNotIn(secret, written)
        self.assertEqual(tx.gateway_payer, "017****1111")
