"""The customer opens the explanation of a bill; nobody else does."""

from urllib.parse import unquote

from lxml import html

from odoo import fields
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import PortalMixin
from .explain_common import ExplainCase


@tagged("post_install", "-at_install")
class TestExplainPortal(PortalMixin, ExplainCase, HttpCase):
    """Karim's service ended on 11 March, for a reason that is none of his business."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.create_portal_user("portal_karim", cls.customer)
        cls.create_portal_user("portal_rahim")
        cls.service = cls.create_subscription()
        cls.service._terminate("Rude on the phone", fields.Date.to_date("2027-03-11"))
        day = fields.Date.to_date("2027-03-12")
        cls.bill_of_march = cls.service._bill(day, day)

    @property
    def page(self):
        return f"/my/invoices/{self.bill_of_march.id}/explain"

    def read_page(self, url):
        response = self.get(url)
        self.assertEqual(response.status_code, 200)
        self.assertIn("/explain", response.url)
        return html.fromstring(response.content)

    def text_of(self, tree, name):
        return [
            " ".join(node.text_content().split())
            for node in tree.xpath(f"//main//*[@name='{name}']")
        ]

    def assertNotExplained(self, response):
        self.assertNotIn("/explain", unquote(response.url).split("?")[0])
        self.assertNotIn("322.58", response.text)

    def test_the_customer_reads_why(self):
        self.log_in("portal_karim")
        tree = self.read_page(self.page)
        (charge,) = self.text_of(tree, "explained_charge")
        self.assertIn("10 of 31 days: 1 Mar 2027 to 10 Mar 2027", charge)
        self.assertIn("10 ÷ 31 = 0.322580645", charge)
        self.assertIn("1,000.00 × 0.322580645 = 322.580645, rounded to 322.58", charge)
        self.assertIn("11 Mar 2027: Service ended", charge)
        self.assertEqual(self.text_of(tree, "bill_total"), ["322.58 ৳"])
        self.assertIn("Total 322.58 ৳", self.text_of(tree, "totals")[0])
        whole = tree.text_content()
        self.assertNotIn("Rude on the phone", whole)
        self.assertNotIn("OdooBot", whole)

    def test_the_bill_and_the_lists_lead_to_it(self):
        self.log_in("portal_karim")
        bill = self.bill_of_march.get_portal_url()
        for url in (bill, "/my/invoices", f"/my/services/{self.service.id}"):
            with self.subTest(url=url):
                tree = html.fromstring(self.get(url).content)
                links = tree.xpath("//a[@name='explain_bill']/@href")
                self.assertEqual(len(links), 1)
                self.authenticate(None, None)
                self.read_page(links[0])
                self.log_in("portal_karim")

    def test_the_token_opens_it_without_login(self):
        token = self.bill_of_march._portal_ensure_token()
        self.read_page(f"{self.page}?access_token={token}")

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_a_wrong_token_opens_nothing(self):
        token = self.bill_of_march._portal_ensure_token()
        other = self.create_subscription()
        day = fields.Date.to_date("2027-03-12")
        foreign = other._bill(day, day)._portal_ensure_token()
        for wrong in ("", "x", token[:-1], foreign):
            with self.subTest(token=wrong):
                self.assertNotExplained(self.get(f"{self.page}?access_token={wrong}"))
        self.assertNotExplained(self.get(self.page))

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_a_stranger_sees_nothing(self):
        self.log_in("portal_rahim")
        self.assertNotExplained(self.get(self.page))
        self.assertNotExplained(self.get(f"/my/invoices/{self.bill_of_march.id + 1000}/explain"))

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_staff_of_another_company_see_nothing(self):
        company = self.env["res.company"].create({"name": "Jamuna Net"})
        new_test_user(
            self.env,
            "jamuna",
            groups="base.group_user,isp_base.group_isp_accountant",
            password="jamuna-password",
            company_id=company.id,
            company_ids=[fields.Command.set(company.ids)],
        )
        self.log_in("jamuna")
        self.assertNotExplained(self.get(self.page))

    def test_a_bill_without_charges_is_shown_as_it_is(self):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_line_ids": [
                    fields.Command.create({"name": "Cable", "price_unit": 50.0, "tax_ids": False})
                ],
            }
        )
        invoice.action_post()
        self.log_in("portal_karim")
        response = self.get(f"/my/invoices/{invoice.id}/explain")
        self.assertEqual(response.status_code, 200)
        self.assertNotIn("/explain", response.url)
        self.assertNotIn("explain_bill", response.text)

    def test_the_page_speaks_bangla(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.env["ir.module.module"]._load_module_terms(["isp_billing"], ["bn_IN"])
        self.log_in("portal_karim")
        self.opener.cookies["frontend_lang"] = "bn_IN"
        tree = self.read_page(self.page)
        (charge,) = self.text_of(tree, "explained_charge")
        self.assertIn("10 ÷ 31 = 0.322580645", charge)
        self.assertIn("31 দিনের মধ্যে 10 দিন", charge)
        self.assertIn("মার্চ", charge)
        self.assertNotIn("days", charge)
