from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from .bkash_common import BkashCommon, Fault

CONTROLLER = "odoo.addons.isp_payments_bd.controllers.bkash"
SETTLE = "odoo.addons.isp_payments_bd.models.payment_transaction_settle"


@tagged("post_install", "-at_install")
class TestBkashAttacks(BkashCommon):
    def return_url(self, tx, payment_id, status="success", order_id=None):
        order_id = order_id or tx.gateway_order_id
        return f"http://x/payment/bkash/return/{order_id}?paymentID={payment_id}&status={status}"

    @mute_logger(CONTROLLER)
    def test_the_genuine_payment_of_a_cheap_bill_does_not_pay_an_expensive_one(self):
        cheap_bill, dear_bill = self.bill(10.0), self.bill(9000.0)
        cheap, dear = self.start(cheap_bill), self.start(dear_bill)
        self.gateway.customer(cheap.gateway_payment_id)
        with self.assertLogs(CONTROLLER, "WARNING"):
            response = self.come_back(self.return_url(dear, cheap.gateway_payment_id))
        self.assertEqual(response.status_code, 303)
        self.assertNothingPaid(dear, dear_bill)
        self.assertEqual(self.gateway.merchant_balance, 0)

    def test_returns_that_fit_no_payment_change_nothing(self):
        bill = self.bill()
        tx = self.start(bill)
        for url in (
            self.return_url(tx, tx.gateway_payment_id, order_id="AAAAAAAAAAAAAAAA"),
            self.return_url(tx, "TR0011NOTHERE"),
            self.return_url(tx, ""),
            "http://x/payment/bkash/return/" + tx.gateway_order_id,
        ):
            with self.assertLogs(CONTROLLER, "WARNING"):
                self.assertEqual(self.come_back(url).status_code, 303)
            self.assertEqual((tx.state, tx.gateway_asks), ("draft", 0))
        self.assertFalse(self.gateway.received("execute"))

    def test_success_that_the_browser_made_up(self):
        """Nothing is paid, and the customer may still confirm."""
        bill = self.bill()
        tx = self.start(bill)
        self.come_back(self.return_url(tx, tx.gateway_payment_id))
        self.assertNothingPaid(tx, bill)
        self.assertEqual(tx.state, "draft")
        self.pay(tx)
        self.assertPaidOnce(tx, bill)

    def test_a_cancel_that_somebody_forged_does_not_lose_the_payment(self):
        for status in ("cancel", "failure"):
            with self.subTest(status=status):
                bill = self.bill()
                tx = self.start(bill)
                self.come_back(self.return_url(tx, tx.gateway_payment_id, status))
                self.assertIn(tx.state, ("cancel", "error"))
                self.pay(tx)
                self.come_back(self.return_url(tx, tx.gateway_payment_id, status))
                self.assertPaidOnce(tx, bill)

    def test_an_unknown_status_only_asks(self):
        tx = self.start()
        self.gateway.customer(tx.gateway_payment_id)
        for status in ("", "SUCCESS", "paid", "success'--", "x" * 500):
            self.come_back(self.return_url(tx, tx.gateway_payment_id, status))
        self.assertEqual(tx.state, "draft")
        self.assertFalse(self.gateway.received("execute"))

    def test_answers_that_do_not_fit_never_pay_not_even_twice(self):
        for change in (
            {"amount": "1.00"},
            {"amount": "300000.00"},
            {"currency": "USD"},
            {"merchantInvoiceNumber": "OTHERORDER"},
            {"paymentID": "TR0011OTHER"},
        ):
            with self.subTest(change=change), mute_logger(SETTLE):
                bill = self.bill()
                tx = self.start(bill)
                url = self.gateway.customer(tx.gateway_payment_id)
                asked = {
                    "merchantInvoice" if name == "merchantInvoiceNumber" else name: value
                    for name, value in change.items()
                }
                self.gateway.faults.add("execute", change=change)
                self.gateway.faults.add("query", change=asked, times=None)
                self.come_back(url)
                for _time in range(2):
                    self.come_back(url)
                    self.notify(self.payload_of(tx))
                    tx._bd_settle("job")
                self.assertNothingPaid(tx, bill)
                self.assertEqual((tx.state, tx.gateway_status), ("error", "mismatch"))
                self.assertTrue(tx.activity_ids)
                self.gateway.faults.clear()

    @mute_logger(SETTLE)
    def test_one_transfer_does_not_pay_two_payments(self):
        paid = self.pay(self.start(self.bill(444.0)))
        bill = self.bill(445.0)
        tx = self.start(bill)
        url = self.gateway.customer(tx.gateway_payment_id)
        self.gateway.faults.add("execute", change={"trxID": paid.provider_reference})
        self.come_back(url)
        self.assertNothingPaid(tx, bill)
        self.assertIn(paid.reference, tx.gateway_note)

    def test_notifications_that_are_not_to_be_believed(self):
        tx = self.start()
        self.gateway.customer(tx.gateway_payment_id)
        payload = {"trxID": "AAAA000000", "merchantInvoiceNumber": tx.gateway_order_id}
        genuine = self.message(payload)
        certificate = "https://sns.evil.example/x.pem"
        now = self.gateway.clock()
        refused = {
            "forged": self.message(payload, forge=True),
            "changed": {**genuine, "Message": genuine["Message"].replace("AAAA", "BBBB")},
            "foreign topic": {**genuine, "TopicArn": genuine["TopicArn"] + "2"},
            "foreign certificate": {**genuine, "SigningCertURL": certificate},
            "unsigned": {**genuine, "Signature": ""},
            "nothing": {},
        }
        self.gateway.clock.offset_s = -timedelta(days=2).total_seconds()
        refused["old"] = self.message(payload)
        self.gateway.clock.offset_s = 0
        self.assertLess(now - self.gateway.clock(), 5)
        for name, body in refused.items():
            with self.subTest(name), self.assertLogs(CONTROLLER, "WARNING") as logs:
                self.assertEqual(self.notify(None, body=body).status_code, 403)
                self.assertNotIn(payload["trxID"], "".join(logs.output))
        with self.assertLogs(CONTROLLER, "WARNING"):
            self.assertEqual(self.notify(None, body="<html>").status_code, 403)
        self.assertEqual(tx.gateway_asks, 0)
        self.assertFalse(self.env["isp.gateway.event"].search([("transaction_id", "=", tx.id)]))
        self.assertEqual(self.notify(None, body=genuine).status_code, 200)
        self.assertEqual(tx.gateway_asks, 1)

    def test_without_a_topic_nothing_is_believed(self):
        self.provider.bkash_sns_topic = False
        with self.assertLogs(CONTROLLER, "WARNING") as logs:
            self.assertEqual(self.notify({"trxID": "AAAA000000"}).status_code, 403)
        self.assertIn(self.gateway.topic.arn, "".join(logs.output))

    def test_in_live_mode_no_simulator_is_believed(self):
        self.provider.state = "enabled"
        with self.assertLogs(CONTROLLER, "WARNING") as logs:
            self.assertEqual(self.notify({"trxID": "AAAA000000"}).status_code, 403)
        self.assertIn("not an address of Amazon SNS", "".join(logs.output))
        self.assertEqual(self.provider._bd_client().base_url, "https://tokenized.pay.bka.sh")

    def test_a_message_is_taken_once(self):
        tx = self.start()
        body = self.message({"trxID": "A" * 10, "merchantInvoiceNumber": tx.gateway_order_id})
        for _time in range(3):
            self.assertEqual(self.notify(None, body=body).status_code, 200)
        self.assertEqual(tx.gateway_asks, 1)

    def test_messages_for_nobody(self):
        nobody = self.env["payment.provider"].browse(2**31 - 1)
        self.assertEqual(self.notify({}, provider=nobody).status_code, 404)
        stock = self.env["payment.provider"].search([("code", "!=", "bkash")], limit=1)
        self.assertEqual(self.notify({}, provider=stock).status_code, 404)
        for payload in ({}, {"trxID": None}, {"trxID": "'; --"}, {"merchantInvoiceNumber": 5}):
            with mute_logger("odoo.addons.isp_payments_bd.models.isp_gateway_receipt"):
                self.assertEqual(self.notify(payload).status_code, 200)
        self.assertFalse(self.env["isp.gateway.receipt"].search([]))

    def test_a_body_without_end_is_not_read(self):
        self.assertEqual(self.notify(None, body="x" * 100_000).status_code, 413)

    def test_when_amazon_is_down_the_message_comes_again(self):
        self.gateway.faults.add("certificate", status=503)
        body = self.message({"trxID": "AAAA000000"})
        with self.assertLogs(CONTROLLER, "WARNING"):
            self.assertEqual(self.notify(None, body=body).status_code, 503)
        self.assertEqual(self.notify(None, body=body).status_code, 200)

    def test_the_subscription_is_confirmed_for_the_pinned_topic_only(self):
        message = {
            "Type": "SubscriptionConfirmation",
            "Token": "t0ken",
            "Message": "You have chosen to subscribe.",
            "SubscribeURL": f"{self.gateway.url}/sns/confirm?Token=t0ken",
        }

        body, _headers = self.gateway.topic.make(message, Fault())
        self.provider.bkash_sns_topic = self.gateway.topic.arn + "2"
        with self.assertLogs(CONTROLLER, "WARNING"):
            self.assertEqual(self.notify(None, body=body).status_code, 403)
        self.assertFalse(self.gateway.received("confirm"))
        self.provider.bkash_sns_topic = self.gateway.topic.arn
        self.gateway.topic.subscribe("http://127.0.0.1:9/nowhere")
        self.gateway.topic.subscribers[0].token = "t0ken"
        self.assertEqual(self.notify(None, body=body).status_code, 200)
        self.assertTrue(self.gateway.topic.subscribers[0].confirmed)

    def test_two_companies_do_not_hear_of_each_other(self):
        other = self.env["res.company"].create({"name": "Other ISP", "currency_id": self.bdt.id})
        theirs = self.provider.copy({"company_id": other.id})
        theirs.write({"state": "test", **self._credentials()})
        tx = self.start()
        url = self.gateway.customer(tx.gateway_payment_id)
        payload = {"trxID": "AAAA000000", "merchantInvoiceNumber": tx.gateway_order_id}
        self.assertEqual(self.notify(payload, provider=theirs).status_code, 200)
        self.assertEqual(tx.gateway_asks, 0)
        receipts = self.env["isp.gateway.receipt"].search([])
        self.assertEqual(receipts.mapped("company_id"), other)
        self.come_back(url)
        self.assertEqual(tx.state, "done")

    def _credentials(self):
        values = {f"bkash_{name}": value for name, value in self.gateway.credentials.items()}
        return {
            **values,
            "bkash_test_url": self.gateway.url,
            "bkash_sns_topic": self.gateway.topic.arn,
        }
