from odoo.tests import tagged

from .sslcommerz_common import STORE_ID, SslcommerzCommon, message

# The gateway says it of a payment that is made, in an answer server to server.
LIES = {
    "less money": {"amount": "1.00", "currency_amount": "1.00"},
    "another currency": {"currency_type": "USD"},
    "another store": {"store_id": "otherstore"},
    "no amount": {"amount": "", "currency_amount": ""},
    "no transfer": {"bank_tran_id": ""},
    "no currency": {"currency_type": "", "currency": ""},
}


@tagged("post_install", "-at_install")
class TestSslcommerzAttacks(SslcommerzCommon):
    def post(self, channel, fields):
        return self.url_open(
            f"/payment/sslcommerz/{channel}",
            data=fields,
            method="POST",
            timeout=60,
            allow_redirects=False,
        )

    def assertRefused(self, fields, tx, bill):
        """403 for the notification, the status page for the browser, nothing asked or booked."""
        before = len(self.gateway.questions)
        with self.assertNoSecretLogged() as logs:
            self.assertEqual(self.post("ipn", fields).status_code, 403)
            response = self.post("return", fields)
        self.assertEqual(response.status_code, 303)
        self.assertTrue(response.headers["Location"].endswith("/payment/status"))
        self.assertTrue(any("SSLCommerz notification refused" in line for line in logs.output))
        self.assertEqual(len(self.gateway.questions), before)
        tx.invalidate_recordset()
        self.assertEqual(tx.state, "draft")
        self.assertNothingPaid(tx, bill)

    def test_forged_messages(self):
        bill = self.bill()
        tx = self.start(bill)
        fields = {
            "status": "VALID",
            "tran_id": tx.gateway_order_id,
            "amount": "500.00",
            "currency": "BDT",
            "store_id": STORE_ID,
            "val_id": "VAL999",
        }
        genuine = message(fields)
        tampered = {name: {**genuine, name: f"{genuine[name]}1"} for name in fields}
        removed = {
            f"without {name}": {k: v for k, v in genuine.items() if k != name} for name in fields
        }
        attacks = {
            "not signed": fields,
            "another password": message(fields, password="guess"),
            "one key signed": message(fields, keys=["status"]),
            "order id not signed": message(fields, keys=sorted({*fields} - {"tran_id"})),
            "no validation id": message({k: v for k, v in fields.items() if k != "val_id"}),
            "another store": message({**fields, "store_id": "otherstore"}),
            "nothing": {},
            **{f"tampered {name}": posted for name, posted in tampered.items()},
            **removed,
        }
        for name, posted in attacks.items():
            with self.subTest(name):
                self.assertRefused(posted, tx, bill)
        with self.subTest("a field twice"):
            self.assertRefused([*genuine.items(), ("amount", "1.00")], tx, bill)

    def test_a_message_of_another_order(self):
        """A genuine validation id of one order, signed for another of the same price."""
        paid, bill = self.start(), self.bill()
        tx = self.start(bill)
        other = self.gateway.choose(paid)
        for channel in ("ipn", "return"):
            hint = message(
                {
                    "status": "VALID",
                    "tran_id": tx.gateway_order_id,
                    "amount": "500.00",
                    "currency": "BDT",
                    "store_id": STORE_ID,
                    "val_id": other["val_id"],
                }
            )
            self.come(channel, tx, hint)
            self.assertNothingPaid(tx, bill)
            self.assertEqual(tx.state, "draft")

    def test_a_lying_answer_is_never_booked_also_not_a_second_time(self):
        for name, lie in LIES.items():
            with self.subTest(name):
                bill = self.bill()
                tx = self.start(bill)
                posted = self.gateway.choose(tx)
                self.gateway.attempts[tx.gateway_order_id][0].update(lie)
                for channel in ("ipn", "ipn", "return", "job", "ipn"):
                    self.come(channel, tx, posted)
                self.assertNothingPaid(tx, bill)
                self.assertTrue(tx.activity_ids)

    def test_one_transfer_pays_one_payment(self):
        first, bill = self.start(), self.bill()
        self.come("ipn", first, self.gateway.choose(first, bank_tran_id="BANKSAME"))
        tx = self.start(bill)
        self.come("ipn", tx, self.gateway.choose(tx, bank_tran_id="BANKSAME"))
        self.assertNothingPaid(tx, bill)
        self.assertIn("BANKSAME", tx.gateway_note)

    def test_a_forged_cancel_does_not_close_a_payment(self):
        bill = self.bill()
        tx = self.start(bill)
        posted = self.gateway.choose(tx)
        self.post("return", {"status": "CANCELLED", "tran_id": tx.gateway_order_id})
        forged = message({**self.gateway.attempts[tx.gateway_order_id][0], "status": "CANCELLED"})
        self.come("return", tx, forged)
        self.assertPaidOnce(tx, bill)
        self.come("ipn", tx, posted)
        self.assertPaidOnce(tx, bill)

    def test_a_payment_that_is_not_of_odoo(self):
        """Another shop with the same store: signed, answered with 200, and written down once."""
        fields = {
            "status": "VALID",
            "tran_id": "SHOP-7",
            "amount": "10.00",
            "currency": "BDT",
            "store_id": STORE_ID,
            "val_id": "VAL7",
        }
        for _time in range(2):
            self.assertEqual(self.post("ipn", message(fields)).status_code, 200)
        event = self.env["isp.gateway.event"].search([("provider_id", "=", self.provider.id)])
        self.assertEqual(len(event), 1)
        self.assertIn("SHOP-7", event.summary)
        self.assertEqual(self.gateway.questions, [])

    def test_two_companies_do_not_meet(self):
        other = self.other_company()
        self.prepare_provider(other, store_id="otherstore", password="other-password")
        bill = self.bill()
        tx = self.start(bill)
        posted = self.gateway.choose(tx)
        fields = {name: posted[name] for name in posted if not name.startswith("verify_")}
        self.assertRefused(
            message({**fields, "store_id": "otherstore"}, password="other-password"), tx, bill
        )
        self.assertRefused(message(fields, password="other-password"), tx, bill)
        self.come("ipn", tx, posted)
        self.assertPaidOnce(tx, bill)

    def test_a_browser_that_comes_by_address(self):
        response = self.url_open("/payment/sslcommerz/return", allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertEqual(self.url_open("/payment/sslcommerz/ipn").status_code, 405)

    def test_the_customer_keeps_the_session(self):
        """The post comes from another site, without the cookie; it must not set another one."""
        tx = self.start()
        self.opener.cookies.clear()
        response = self.come("return", tx, self.gateway.choose(tx))
        self.assertNotIn("session_id", response.cookies)
