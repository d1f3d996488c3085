from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_billing.tests.common import PortalMixin

from .common import WalletCase


@tagged("post_install", "-at_install")
class TestWalletSwitch(PortalMixin, WalletCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim = cls.create_portal_user("portal_karim", cls.customer)
        cls.rahim = cls.create_portal_user("portal_rahim")
        cls.foreign = cls.create_token(cls.rahim.partner_id, "018****2222")

    def switch(self, token, on):
        page = html.fromstring(self.get("/my/payment_method").content)
        csrf = page.xpath("//input[@name='csrf_token']/@value")[0]
        response = self.url_open(
            f"/my/payment_method/{token.id}/pays_bills", data={"csrf_token": csrf, "on": on}
        )
        self.env.invalidate_all()
        return response

    def test_the_customer_switches_it_on_and_off(self):
        self.log_in("portal_karim")
        page = self.get("/my/payment_method").text
        self.assertIn("We take each new bill from this wallet by itself", page)
        self.switch(self.token, "1")
        self.assertTrue(self.token.isp_pays_bills)
        self.assertTrue(self.token.isp_pays_bills_since)
        self.switch(self.token, "0")
        self.assertFalse(self.token.isp_pays_bills)

    def test_one_wallet_pays(self):
        second = self.create_token(self.customer, "019****3333")
        self.log_in("portal_karim")
        self.switch(self.token, "1")
        self.switch(second, "1")
        self.assertEqual((self.token | second).mapped("isp_pays_bills"), [False, True])

    def test_nobody_switches_the_wallet_of_somebody_else(self):
        self.log_in("portal_karim")
        for token in (self.foreign, self.env["payment.token"].browse(self.foreign.id + 1000)):
            response = self.switch(token, "1")
            self.assertTrue(response.url.endswith("/my/payment_method"))
        self.assertFalse(self.foreign.isp_pays_bills)
        self.assertNotIn("018****2222", self.get("/my/payment_method").text)

    @mute_logger("odoo.http")
    def test_a_visitor_and_a_forged_form_change_nothing(self):
        self.url_open(f"/my/payment_method/{self.token.id}/pays_bills", data={"on": "1"})
        self.log_in("portal_karim")
        self.url_open(f"/my/payment_method/{self.token.id}/pays_bills", data={"on": "1"})
        self.env.invalidate_all()
        self.assertFalse(self.token.isp_pays_bills)

    def test_a_clerk_switches_it_for_the_customer(self):
        clerk = self.create_user("clerk")
        customer = self.customer.with_user(clerk)
        self.assertEqual(customer.isp_wallet, "017****1111")
        customer.isp_pays_by_wallet = True
        self.assertTrue(self.token.isp_pays_bills)
        self.assertIn("pays new bills", self.customer.message_ids[0].body)
        customer.isp_pays_by_wallet = False
        self.assertFalse(self.token.isp_pays_bills)

    def test_staff_who_may_not_bill_do_not_switch_it(self):
        support = self.create_user("support")
        with self.assertRaises(AccessError):
            self.customer.with_user(support).isp_pays_by_wallet = True

    def test_a_customer_without_a_wallet(self):
        other = self.env["res.partner"].create({"name": "Salma"})
        self.assertFalse(other.isp_wallet)
        with self.assertRaisesRegex(UserError, "has not saved a wallet yet"):
            other.isp_pays_by_wallet = True

    def test_who_may_see_what_was_done(self):
        self.env["isp.wallet.charge"].with_user(self.create_user("accountant")).search([])
        for user in (self.karim, self.create_user("support")):
            with self.assertRaises(AccessError):
                self.env["isp.wallet.charge"].with_user(user).search([])
