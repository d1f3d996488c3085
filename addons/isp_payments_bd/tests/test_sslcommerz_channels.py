from itertools import permutations

from odoo.tests import tagged

from .sslcommerz_common import SslcommerzCommon

CHANNELS = ("return", "ipn", "job")
# What the payer did, and what state the payment has in the end.
OUTCOMES = {
    "paid": (["VALID"], {}, "done"),
    "risky": (["VALID"], {"risk_level": "1", "risk_title": "Stolen"}, "pending"),
    "failed": (["FAILED"], {}, "error"),
    "canceled": (["CANCELLED"], {}, "cancel"),
    "unattempted": (["UNATTEMPTED"], {}, "cancel"),
    "expired": (["EXPIRED"], {}, "cancel"),
    "failed, then paid": (["FAILED", "VALID"], {}, "done"),
    "canceled, then paid": (["CANCELLED", "VALID"], {}, "done"),
}


# Every order in which news can come, some of it not at all, and all of it more than once.
SINGLE = [way for count in (1, 2) for way in permutations(CHANNELS, count)]
REPEATED = [order * 2 for order in permutations(CHANNELS)]
DOUBLED = [("return", "return", "ipn", "ipn", "job", "job"), ("ipn", "ipn", "ipn", "return")]


def ways(outcome):
    """All of them for a payment that succeeds; the longest ones otherwise, to end in time."""
    if outcome == "paid":
        return SINGLE + REPEATED + DOUBLED
    return DOUBLED if outcome.endswith("then paid") else REPEATED


@tagged("post_install", "-at_install")
class TestSslcommerzChannels(SslcommerzCommon):
    def test_outcome_channel_order_and_repetition(self):
        bill = self.bill()
        for name, (statuses, changes, state) in OUTCOMES.items():
            for way in ways(name):
                with self.subTest(outcome=name, way="-".join(way)), self.undone():
                    self._check(bill, statuses, changes, state, way)

    def _check(self, bill, statuses, changes, state, way):
        tx = self.start(bill)
        posted = [self.gateway.choose(tx, status, **changes) for status in statuses]
        for channel in way:
            # The last message comes first, the older one late.
            for one in reversed(posted):
                response = self.come(channel, tx, one)
                if channel == "ipn":
                    self.assertEqual(response.status_code, 200)
                elif channel == "return":
                    self.assertEqual(response.status_code, 303)
        self.assertEqual(tx.state, state)
        if state == "done":
            self.assertPaidOnce(tx, bill)
        else:
            self.assertNothingPaid(tx, bill)
            self.assertEqual(bool(tx.activity_ids), state == "pending")

    def test_news_in_the_order_it_happened(self):
        """A failed attempt is told, and the same page pays afterwards."""
        for first, second in (("ipn", "ipn"), ("return", "ipn"), ("ipn", "return"), ("job", "job")):
            for status in ("FAILED", "CANCELLED"):
                with self.subTest(first=first, second=second, status=status):
                    bill = self.bill()
                    tx = self.start(bill)
                    self.come(first, tx, self.gateway.choose(tx, status))
                    self.assertNothingPaid(tx, bill)
                    self.come(second, tx, self.gateway.choose(tx))
                    self.assertPaidOnce(tx, bill)

    def test_a_hundred_same_notifications(self):
        bill = self.bill()
        tx = self.start(bill)
        posted = self.gateway.choose(tx)
        for _time in range(100):
            self.assertEqual(self.come("ipn", tx, posted).status_code, 200)
        self.assertPaidOnce(tx, bill)
        self.assertEqual(len(tx.gateway_event_ids), 1)
        self.assertEqual(tx.gateway_event_ids.repeats, 100)

    def test_the_gateway_is_down_when_the_news_comes(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                bill = self.bill()
                tx = self.start(bill)
                posted = self.gateway.choose(tx)
                self.gateway.down = True
                self.come(channel, tx, posted)
                self.assertEqual(tx.state, "pending")
                self.assertNothingPaid(tx, bill)
                self.assertTrue(tx.gateway_next_ask_at)
                self.gateway.down = False
                self.come("job", tx, None)
                self.assertPaidOnce(tx, bill)

    def test_paid_twice_on_one_page(self):
        """The second payment is the customer's credit, whichever message is lost."""
        for order in ((0, 1), (1, 0), (1,), (0,)):
            with self.subTest(messages=order):
                bill = self.bill()
                tx = self.start(bill)
                posted = [self.gateway.choose(tx), self.gateway.choose(tx)]
                for number in order:
                    self.come("ipn", tx, posted[number])
                self.come("ipn", tx, {**posted[order[-1]]})
                tx._bd_settle("staff", again=True)
                extra = tx._bd_extras()
                self.assertEqual(len(extra), 1)
                self.assertTrue(extra.gateway_paid_twice)
                self.assertTrue(extra.activity_ids)
                self.assertPaidOnce(tx, bill)
                self.assertEqual(len(self.payments(extra)), 1)
                references = {tx.provider_reference, extra.provider_reference}
                self.assertEqual(references, {one["bank_tran_id"] for one in posted})
                credit = self.payments(extra).move_id.line_ids.filtered(
                    lambda line: line.account_id.account_type == "asset_receivable"
                )
                self.assertEqual(credit.amount_residual, -500)
                self.assertFalse(credit.reconciled)

    def test_held_until_staff_accept(self):
        bill = self.bill()
        tx = self.start(bill)
        posted = self.gateway.choose(tx, risk_level="1", risk_title="Stolen")
        self.come("ipn", tx, posted)
        self.assertNothingPaid(tx, bill)
        self.assertIn("Stolen", tx.gateway_note)
        self.assertEqual(tx.activity_ids.summary, "Accept or refuse a risky payment")
        tx.action_bd_accept()
        self.assertPaidOnce(tx, bill)
        self.come("return", tx, posted)
        self.assertPaidOnce(tx, bill)

    def test_held_until_staff_refuse(self):
        bill = self.bill()
        tx = self.start(bill)
        posted = self.gateway.choose(tx, risk_level="1", risk_title="Stolen")
        self.come("ipn", tx, posted)
        tx.action_bd_refuse()
        refund = tx.child_transaction_ids
        self.assertEqual((refund.operation, refund.amount), ("refund", -500))
        for channel in CHANNELS:
            self.come(channel, tx, posted)
        self.assertEqual(tx.state, "cancel")
        self.assertNothingPaid(tx, bill)
        refund.sudo()._bd_mark_sent()._bd_send()  # as the job does
        self.assertEqual(list(self.gateway.refunds.values())[0]["amount"], "500.00")

    def test_a_page_left_open(self):
        """Closed without paying: a draft until the page is over, then canceled by the job."""
        tx = self.start()
        self.come("job", tx, None)
        self.assertEqual(tx.state, "draft")
        self.gateway.ended[tx.gateway_order_id] = "EXPIRED"
        self.come("job", tx, None)
        self.assertEqual(tx.state, "cancel")
