"""Nagad: what a browser, a stranger or a wrong answer can try, each without effect."""

from odoo.tests import mute_logger, tagged

from .nagad_common import MERCHANT, NagadCommon, returning

_CONTROLLER = "odoo.addons.isp_payments_bd.controllers.nagad"
_SETTLE = "odoo.addons.isp_payments_bd.models.payment_transaction_settle"


@tagged("post_install", "-at_install")
class TestNagadAttacks(NagadCommon):
    def assertIgnored(self, tx, bill, url):
        """The return is answered cleanly, logged, and not even a reason to ask."""
        before = len(self.nagad.calls)
        with self.assertNoSecretLogged() as logs:
            response = self.come("return", tx, url)
        self.assertEqual(response.status_code, 303)
        self.assertTrue(response.headers["Location"].endswith("/payment/status"))
        self.assertIn("a return that fits no payment was ignored", "\n".join(logs.output))
        self.assertEqual(len(self.nagad.calls), before)
        self.assertNothingPaid(tx, bill)

    def test_a_forged_success_pays_nothing(self):
        bill = self.bill()
        tx = self.start(bill)
        payment = self.nagad.payments[tx.gateway_payment_id]
        for _time in range(3):
            self.come("return", tx, returning(payment, status="Success", issuer_payment_ref="X"))
            self.assertEqual(tx.state, "draft")
            self.assertNothingPaid(tx, bill)

    def test_a_forged_cancel_does_not_close_a_payment(self):
        bill = self.bill()
        tx = self.start(bill)
        payment = self.nagad.payments[tx.gateway_payment_id]
        for status in ("Aborted", "Cancelled", "Failed", "<script>", ""):
            self.come("return", tx, returning(payment, status=status))
            self.assertEqual(tx.state, "draft")
        self.come("return", tx, self.nagad.choose(tx))
        self.assertPaidOnce(tx, bill)

    def test_a_paid_cheap_payment_does_not_pay_a_dear_one(self):
        """The classic: the ids of the one with the address of the other."""
        cheap_bill, dear_bill = self.bill(10), self.bill(5000)
        cheap, dear = self.start(cheap_bill), self.start(dear_bill)
        self.nagad.choose(cheap)
        paid = self.nagad.payments[cheap.gateway_payment_id]
        open_one = self.nagad.payments[dear.gateway_payment_id]
        for url in (
            returning({**open_one, "paymentRefId": paid["paymentRefId"]}, status="Success"),
            returning({**paid, "callback": open_one["callback"]}),
            returning({**open_one, "orderId": paid["orderId"]}, status="Success"),
            returning({**paid, "orderId": open_one["orderId"]}),
        ):
            with self.subTest(url):
                self.assertIgnored(dear, dear_bill, url)
        self.assertNothingPaid(cheap, cheap_bill)

    def test_unknown_orders_and_odd_addresses(self):
        bill = self.bill()
        tx = self.start(bill)
        callback = self.nagad.payments[tx.gateway_payment_id]["callback"]
        for url in (
            callback.replace(tx.gateway_order_id, "AAAAAAAAAAAAAAAA"),
            callback.replace(tx.gateway_order_id, tx.reference.replace("/", "-")),
            callback.replace(tx.gateway_order_id, "%27%20OR%201=1"),
            f"{callback}?payment_ref_id=%00",
            callback.replace(tx.gateway_order_id, f"{tx.gateway_order_id}%00"),
            f"{callback}?order_id=&payment_ref_id={tx.gateway_payment_id}",
        ):
            with self.subTest(url):
                self.assertIgnored(tx, bill, url)

    def test_a_refund_is_not_paid_by_a_return(self):
        bill = self.bill()
        tx = self.start(bill)
        self.come("return", tx, self.nagad.choose(tx))
        tx.action_refund(amount_to_refund=100)
        refund = tx.child_transaction_ids
        callback = self.nagad.payments[tx.gateway_payment_id]["callback"]
        url = callback.replace(tx.gateway_order_id, refund.gateway_order_id)
        with self.assertLogs(_CONTROLLER, "WARNING"):
            self.come("return", refund, url)
        self.assertEqual(refund.state, "pending")

    @mute_logger(_SETTLE)
    def test_every_field_of_the_answer_is_checked_each_time(self):
        """Also the second time, when Odoo's own check would let it pass."""
        other = self.start()
        for name, value in {
            "amount": "1.00",
            "orderId": other.gateway_order_id,
            "paymentRefId": other.gateway_payment_id,
            "merchantId": "683000000000002",
        }.items():
            for channel in ("return", "job"):
                with self.subTest(field=name, channel=channel):
                    bill = self.bill()
                    tx = self.start(bill)
                    url = self.nagad.choose(tx)
                    self.nagad.changes = {"verify": {name: value}}
                    for _time in range(3):
                        self.come(channel, tx, url)
                        self.assertEqual((tx.state, tx.gateway_status), ("error", "mismatch"))
                        self.assertNothingPaid(tx, bill)
                    self.assertIn(value, tx.gateway_note)
                    self.assertEqual(len(tx.activity_ids), 1)
                    self.nagad.changes = {}
                    tx._bd_settle("staff", again=True)
                    self.assertPaidOnce(tx, bill)

    @mute_logger(_SETTLE)
    def test_one_transfer_pays_one_payment(self):
        bill, other_bill = self.bill(), self.bill()
        tx, other = self.start(bill), self.start(other_bill)
        self.come("return", tx, self.nagad.choose(tx))
        url = self.nagad.choose(other, issuerPaymentRefNo=tx.provider_reference)
        for _time in range(2):
            self.come("return", other, url)
            self.assertNothingPaid(other, other_bill)
        self.assertIn("has already paid", other.gateway_note)
        self.assertPaidOnce(tx, bill)

    def test_what_came_with_the_browser_never_reaches_the_books(self):
        bill = self.bill()
        tx = self.start(bill)
        self.nagad.choose(tx)
        payment = self.nagad.payments[tx.gateway_payment_id]
        self.come("return", tx, returning(payment, issuer_payment_ref="FORGED", merchant="1"))
        self.assertPaidOnce(tx, bill)
        self.assertEqual(tx.provider_reference, payment["issuerPaymentRefNo"])

    def test_companies_do_not_see_each_others_payments(self):
        other = self.other_company()
        provider = self.prepare_provider(other, "683000000000002")
        bill = self.bill()
        tx = self.start(bill)
        url = self.nagad.choose(tx, merchantId=provider.nagad_merchant_id)
        with mute_logger(_SETTLE):
            self.come("return", tx, url)
        self.assertNothingPaid(tx, bill)
        self.assertIn("merchant", tx.gateway_note)
        self.nagad.payments[tx.gateway_payment_id]["merchantId"] = MERCHANT
        self.come("job", tx, None)
        self.assertPaidOnce(tx, bill)

    def test_a_paid_payment_that_was_given_back_at_nagad_is_shown_to_staff(self):
        bill = self.bill()
        tx = self.start(bill)
        self.come("return", tx, self.nagad.choose(tx))
        self.nagad.payments[tx.gateway_payment_id].update(
            status="Cancelled", cancelIssuerRefNo="ELSEWHERE"
        )
        with mute_logger(_SETTLE):
            tx._bd_settle("staff", again=True)
        self.assertPaidOnce(tx, bill)
        self.assertIn("Paid and given back at Nagad", tx.gateway_note)
        self.assertTrue(tx.activity_ids)

    def test_no_secret_is_logged_on_the_way(self):
        with self.assertNoSecretLogged():
            bill = self.bill()
            tx = self.start(bill)
            self.come("return", tx, self.nagad.choose(tx))
        self.assertPaidOnce(tx, bill)
