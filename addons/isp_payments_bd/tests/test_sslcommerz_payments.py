from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import file_path

from ..gateways.common import Misconfigured, Unknown
from ..gateways.sslcommerz import LIVE_URL, SANDBOX_URL, SslcommerzClient
from .sslcommerz_common import STORE_PASSWD, SslcommerzCommon


@tagged("post_install", "-at_install")
class TestSslcommerzStart(SslcommerzCommon):
    def test_the_payer_is_sent_to_the_pay_page(self):
        bill = self.bill()
        tx = self.start(bill)
        values = tx._get_specific_rendering_values({})
        self.assertEqual(values["api_url"], "https://pay.example/checkout")
        self.assertEqual(dict(values["params"])["lang"], "bn")
        form = self.env["ir.qweb"]._render(self.provider.redirect_form_view_id.id, values)
        self.assertIn('action="https://pay.example/checkout"', str(form))
        self.assertIn('name="lang"', str(form))
        self.assertNotIn(STORE_PASSWD, str(form))
        self.assertEqual(self.gateway.orders[tx.gateway_payment_id], tx.gateway_order_id)

    def test_what_the_gateway_is_told(self):
        self.customer.write({"email": "rahima@example.com", "city": "Khulna", "zip": "9000"})
        tx = self.start()
        _method, sent = self.gateway.questions[0]
        self.assertEqual(sent["tran_id"], tx.gateway_order_id)
        self.assertEqual((sent["total_amount"], sent["currency"]), ("500.00", "BDT"))
        self.assertEqual((sent["cus_name"], sent["cus_city"]), ("Rahima Khatun", "Khulna"))
        self.assertEqual(sent["cus_email"], "rahima@example.com")
        self.assertEqual(sent["cus_phone"], "+8809612000000")
        self.assertEqual(sent["ipn_url"], f"{self.base_url()}/payment/sslcommerz/ipn")
        self.assertEqual(sent["product_name"], tx.reference)

    def test_a_gateway_that_does_not_start(self):
        self.gateway.down = True
        tx = self.start()
        self.assertEqual(tx.state, "error")
        self.assertIn("Nothing was taken", tx.state_message)
        self.assertFalse(tx.gateway_next_ask_at)

    def test_an_amount_the_gateway_does_not_take(self):
        tx = self.start(self.bill(5))
        self.assertEqual(tx.state, "error")
        self.assertIn("10.00 to 500000.00", tx.gateway_note)
        self.assertNotIn("SSLCommerz takes", tx.state_message)
        self.assertFalse(self.gateway.questions)


@tagged("post_install", "-at_install")
class TestSslcommerzRefunds(SslcommerzCommon):
    def setUp(self):
        super().setUp()
        self.paid_bill = self.bill()
        self.tx = self.start(self.paid_bill)
        self.come("ipn", self.tx, self.gateway.choose(self.tx))

    def refund(self, amount):
        self.tx.action_refund(amount)
        refund = self.tx.child_transaction_ids.sorted("id")[-1]
        refund.sudo()._bd_mark_sent()._bd_send()  # as the job does
        return refund

    def finish(self, refund, status):
        self.gateway.refunds[refund.provider_reference]["status"] = status
        refund._bd_settle("job")

    def test_a_part_is_given_back(self):
        refund = self.refund(200)
        self.assertEqual((refund.state, refund.amount), ("pending", -200))
        self.assertFalse(self.payments(refund))
        sent = self.gateway.questions[-1][1]
        self.assertEqual(sent["bank_tran_id"], self.tx.provider_reference)
        self.assertEqual(sent["refund_trans_id"], refund.gateway_order_id)
        self.assertEqual(sent["refund_amount"], "200.00")
        self.finish(refund, "processing")
        self.assertEqual(refund.state, "pending")
        self.finish(refund, "refunded")
        self.assertEqual(refund.state, "done")
        self.assertEqual(self.payments(refund).amount, 200)
        self.assertEqual(self.payments(refund).payment_type, "outbound")

    def test_all_of_it_in_two_parts_and_no_more(self):
        for amount in (200, 300):
            self.finish(self.refund(amount), "refunded")
        self.tx.action_refund(1)
        over = self.tx.child_transaction_ids.sorted("id")[-1]
        self.assertEqual(over.state, "error")
        self.assertEqual(len(self.gateway.refunds), 2)

    def test_a_refund_the_bank_does_not_make(self):
        refund = self.refund(200)
        self.finish(refund, "cancelled")
        self.assertEqual(refund.state, "error")
        self.assertFalse(self.payments(refund))

    def test_a_refund_whose_answer_is_lost(self):
        """Never sent again; staff look it up and type in its reference."""
        self.gateway.lose_answer = True
        refund = self.refund(200)
        for _time in range(3):
            refund._bd_settle("job")
        self.assertEqual(refund.state, "pending")
        self.assertEqual(len(self.gateway.refunds), 1)
        self.assertEqual(refund.activity_ids.summary, "Look up a refund at SSLCommerz")
        self.assertIn(refund.gateway_order_id, refund.gateway_note)
        ((reference, made),) = self.gateway.refunds.items()
        made["status"] = "refunded"
        self.type_in(refund, f" {reference} ")
        self.assertEqual(refund.state, "done")
        self.assertFalse(refund.activity_ids)
        with self.assertRaises(UserError) as raised:
            self.type_in(refund, reference)
        self.assertIn("not waiting", str(raised.exception))

    def type_in(self, refund, reference):
        action = refund.action_sslcommerz_reference()
        wizard = self.env[action["res_model"]].with_context(**action["context"])
        wizard.create({"reference": reference}).action_confirm()

    def test_a_reference_of_another_refund_is_not_taken(self):
        good = self.refund(100)
        other_bill = self.start()
        self.come("ipn", other_bill, self.gateway.choose(other_bill))
        self.gateway.lose_answer = True
        lost = self.refund(200)
        with self.assertRaises(UserError) as raised:
            self.type_in(lost, good.provider_reference)
        self.assertIn("another refund's", str(raised.exception))
        stranger = {"refund_ref_id": "REFX", "bank_tran_id": other_bill.provider_reference}
        self.gateway.refunds["REFX"] = {**stranger, "status": "refunded"}
        with self.assertRaises(UserError) as raised:
            self.type_in(lost, "REFX")
        self.assertIn("about another refund", str(raised.exception))
        self.assertFalse(lost.provider_reference)


@tagged("post_install", "-at_install")
class TestSslcommerzProvider(SslcommerzCommon):
    def test_the_mode_decides_the_address(self):
        self.assertEqual(self.provider._bd_client()._base_url, SANDBOX_URL)
        self.provider.sslcommerz_test_url = "http://127.0.0.1:9"
        self.assertEqual(self.provider._bd_client()._base_url, "http://127.0.0.1:9")
        self.provider.state = "enabled"
        self.assertEqual(self.provider._bd_client()._base_url, LIVE_URL)

    def test_the_connection_test_says_what_is_wrong(self):
        self.provider.action_test_connection()
        self.assertEqual(self.provider.bd_connection_state, "ok")
        for error in (Misconfigured("Repair the password."), Unknown("Cannot be reached.")):
            with patch.object(SslcommerzClient, "test_connection", side_effect=error):
                self.provider.action_test_connection()
            self.assertEqual(self.provider.bd_connection_state, "error")
            self.assertEqual(self.provider.bd_connection_text, str(error))

    def test_without_credentials_it_cannot_be_switched_on(self):
        self.provider.state = "disabled"
        self.provider.sslcommerz_store_passwd = False
        with self.assertRaises(ValidationError) as raised:
            self.provider.state = "test"
        self.assertIn("Store password", str(raised.exception))
        self.provider.action_test_connection()
        self.assertIn("Enter the store ID", self.provider.bd_connection_text)

    def test_only_the_system_sees_the_credentials(self):
        accountant = self.env["res.users"].create(
            {
                "name": "Accountant",
                "login": "sslcommerz-accountant",
                "group_ids": [(6, 0, [self.env.ref("account.group_account_manager").id])],
                "company_ids": [(6, 0, self.company.ids)],
                "company_id": self.company.id,
            }
        )
        provider = self.provider.with_user(accountant)
        for name in ("sslcommerz_store_passwd", "sslcommerz_store_id"):
            with self.assertRaises(AccessError):
                provider.read([name])
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT to_jsonb(p)::text FROM payment_provider p WHERE id = %s", [self.provider.id]
        )
        self.assertNotIn(STORE_PASSWD, self.env.cr.fetchone()[0])

    def test_only_taka(self):
        self.assertEqual(self.provider._get_supported_currencies().mapped("name"), ["BDT"])

    def test_a_copy_of_the_database_forgets_the_store(self):
        self.env.flush_all()
        sql = Path(file_path("isp_payments_bd/data/neutralize.sql")).read_text(encoding="utf-8")
        self.env.cr.execute(sql)
        self.env.invalidate_all()
        self.assertFalse(self.provider.sslcommerz_store_id)
        self.assertFalse(self.provider.sslcommerz_store_passwd)
