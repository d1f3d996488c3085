from odoo.tests import tagged

from odoo.addons.isp_payments_bd.tests.bkash_common import BkashCommon


@tagged("post_install", "-at_install")
class TestReceipts(BkashCommon):
    """Money at the QR code, by the codes that customers of an internet provider know."""

    def setUp(self):
        super().setUp()
        self.env.user.sudo().group_ids |= self.env.ref("isp_base.group_isp_manager")
        self.plan = self.env["isp.plan"].create({"name": "Home", "price": 700.0})
        self.service = self.create_service(self.customer, "rahima7")

    def create_service(self, partner, username, **vals):
        return self.env["isp.subscription"].create(
            {
                "partner_id": partner.id,
                "plan_id": self.plan.id,
                "username": username,
                "date_start": "2026-01-01",
                **vals,
            }
        )

    def receive(self, code, amount="250"):
        claims = {
            "trxID": self.gateway.pay_directly(amount),
            "transactionReference": code,
            "transactionType": "10003126",
        }
        return self.env["isp.gateway.receipt"].sudo()._receive(self.provider, claims)

    def test_every_code_of_the_customer(self):
        for code in (
            "C-1001",
            "rahima7",
            " RAHIMA7 ",
            self.service.name,
            self.service.name.lower(),
        ):
            with self.subTest(code):
                receipt = self.receive(code)
                self.assertEqual((receipt.state, receipt.partner_id), ("done", self.customer))

    def test_the_money_settles_the_oldest_bills(self):
        old, new = self.bill(300.0), self.bill(400.0)
        old.line_ids.filtered("date_maturity").date_maturity = "2020-01-01"
        self.receive("rahima7", "500")
        self.assertEqual((old | new).mapped("amount_residual"), [0.0, 200.0])

    def test_a_code_of_two_customers_is_for_staff(self):
        self.env["res.partner"].create({"name": "Salma", "ref": "rahima7"})
        receipt = self.receive("rahima7")
        self.assertEqual(receipt.state, "review")
        self.assertIn("Several customers", receipt.note)
        self.assertFalse(receipt.payment_id)

    def test_the_login_of_somebody_who_left(self):
        self.service._activate()
        self.service._terminate("moved")
        self.assertEqual(self.receive("rahima7").partner_id, self.customer)

    def test_codes_that_match_nobody(self):
        other = self.env["res.company"].create({"name": "Jamuna Net"})
        for code in ("", " ", "rahima", "rahima%", "%", other.name):
            with self.subTest(code):
                self.assertEqual(self.receive(code).state, "review")
