from urllib.parse import unquote

from lxml import html

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, JsonRpcException, tagged
from odoo.tools import mute_logger

from .common import IspBillingCase, PortalMixin


@tagged("post_install", "-at_install")
class TestPortal(PortalMixin, IspBillingCase, HttpCase):
    """Karim pays for March on time and forgets April's bill, which is due on the 1st."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim = cls.create_portal_user("portal_karim", cls.customer)
        cls.rahim = cls.create_portal_user("portal_rahim")
        cls.service = cls.create_subscription()
        cls.other_service = cls.create_subscription(partner_id=cls.rahim.partner_id.id)
        cls.other_service.plan_id.description = "Unlimited, BDIX at full speed"

    def read_page(self, url):
        """The page as ``{name attribute: text}``, with the whole text under ``""``."""
        response = self.get(url)
        self.assertEqual(response.status_code, 200)
        tree = html.fromstring(response.content)
        parts = {
            node.get("name"): " ".join(node.text_content().split())
            for node in tree.xpath("//main//*[@name]")
        }
        parts[""] = " ".join(tree.text_content().split())
        return parts

    def page_of(self, service):
        return f"/my/services/{service.id}"

    def bill_service(self, day):
        return self.service._bill(fields.Date.to_date(day), fields.Date.to_date(day))

    def suspend_for_overdue_bill(self):
        """Bill March, let it stay unpaid and run the job ten days later."""
        invoice = self.bill_service("2027-03-01")
        self.service._dun(self.company)
        self.assertEqual((self.service.state, self.service.access), ("suspended", "walled"))
        self.env.flush_all()
        return invoice

    # === RECHARGING === #

    def create_prepaid(self):
        plan = self.create_recharged_plan()
        service = self.create_subscription(plan_id=plan.id, partner_id=self.customer.id)
        self.pay(service._bill(service.date_start, service.date_start))
        return service

    def post_recharge(self, service):
        page = self.get(self.page_of(service))
        token = html.fromstring(page.content).xpath(
            "//form[@name='recharge']//input[@name='csrf_token']/@value"
        )
        return self.url_open(
            f"{self.page_of(service)}/recharge", data={"csrf_token": token and token[0]}
        )

    def test_a_prepaid_customer_recharges_and_is_led_to_the_payment(self):
        service = self.create_prepaid()
        self.log_in("portal_karim")
        response = self.post_recharge(service)
        self.assertTrue(response.url.endswith(f"{self.page_of(service)}/pay"))
        self.assertEqual(
            service.charge_ids.sorted("id").mapped(lambda c: str(c.date_to)),
            ["2027-03-20", "2027-03-30"],
        )
        self.assertNotIn("recharge", self.read_page(self.page_of(service)), "first it is paid")
        with mute_logger("odoo.http"):
            self.post_recharge(service)
        self.assertEqual(len(service.recharge_ids), 2, "the unpaid bill is offered again")

    def test_nobody_recharges_for_somebody_else(self):
        service = self.create_prepaid()
        self.log_in("portal_rahim")
        page = html.fromstring(self.get("/my").content)
        token = page.xpath("//input[@name='csrf_token']/@value")
        with mute_logger("odoo.http"):
            self.url_open(
                f"{self.page_of(service)}/recharge", data={"csrf_token": token and token[0]}
            )
        self.assertEqual(len(service.recharge_ids), 1)

    # === WHO SEES WHAT === #

    def test_a_customer_sees_the_own_service(self):
        self.log_in("portal_karim")
        response = self.get(self.page_of(self.service))
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.url.endswith(self.page_of(self.service)))

    def test_a_contact_of_the_customer_sees_the_service_too(self):
        wife = self.env["res.partner"].create(
            {"name": "Salma", "email": "salma@example.com", "parent_id": self.customer.id}
        )
        self.create_portal_user("portal_salma", wife)
        self.log_in("portal_salma")
        page = self.read_page(self.page_of(self.service))
        self.assertEqual(page["username"], self.service.username)

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_the_service_of_somebody_else_is_not_found(self):
        self.log_in("portal_karim")
        missing = self.other_service.id + 1000
        for suffix in ("", "/pay"):
            for service_id in (self.other_service.id, missing):
                with self.subTest(suffix=suffix, service=service_id):
                    response = self.get(f"/my/services/{service_id}{suffix}")
                    self.assertTrue(response.url.endswith("/my"), response.url)
                    self.assertNotIn(self.other_service.username, response.text)

    def test_a_visitor_is_sent_to_the_login_and_back(self):
        for page in (self.page_of(self.service), "/my/services"):
            with self.subTest(page=page):
                response = self.get(page)
                self.assertIn(f"/web/login?redirect={page}", unquote(response.url))
                self.assertNotIn(self.service.username, response.text)

    def test_a_link_with_the_token_opens_the_page_without_login(self):
        page = self.read_page(self.service.get_portal_url())
        self.assertEqual(page["username"], self.service.username)

    def test_a_wrong_token_opens_nothing(self):
        token = self.service._portal_ensure_token()
        for wrong in ("", "x", token[:-1], self.other_service._portal_ensure_token()):
            with self.subTest(token=wrong):
                response = self.get(f"{self.page_of(self.service)}?access_token={wrong}")
                self.assertIn("/web/login", response.url)

    def test_portal_users_have_no_right_on_the_records_themselves(self):
        service = self.service
        for records in (service, service.entitlement_ids, service.event_ids, service.line_ids):
            with self.subTest(model=records._name), self.assertRaises(AccessError):
                records.with_user(self.karim).check_access("read")

    def test_staff_may_open_the_customer_page(self):
        self.create_user("support").password = "support-support"
        self.authenticate("isp_support", "support-support")
        page = self.read_page(self.page_of(self.service))
        self.assertEqual(page["username"], self.service.username)

    # === WHAT THE PAGES SHOW === #

    def test_the_home_page_counts_the_services(self):
        self.create_subscription()
        self.log_in("portal_karim")
        self.assertIn("/my/services", self.get("/my").text)
        counters = self.make_jsonrpc_request("/my/counters", {"counters": ["isp_service_count"]})
        self.assertEqual(counters["isp_service_count"], 2)

    def test_the_list_holds_only_the_own_services(self):
        self.log_in("portal_karim")
        links = html.fromstring(self.get("/my/services").content).xpath("//a[@name='service_card']")
        self.assertEqual([link.get("href") for link in links], [self.page_of(self.service)])

    def test_a_customer_without_service_is_told_so(self):
        self.create_portal_user("portal_salma")
        self.log_in("portal_salma")
        page = self.read_page("/my/services")
        self.assertIn("You have no internet service with us yet.", page["no_service"])
        counters = self.make_jsonrpc_request("/my/counters", {"counters": ["isp_service_count"]})
        self.assertEqual(counters["isp_service_count"], 0)

    def test_an_active_service_that_is_paid(self):
        self.pay(self.bill_service("2027-03-01"))
        self.log_in("portal_karim")
        page = self.read_page(self.page_of(self.service))
        self.assertEqual(page["service_state"], "Active")
        self.assertEqual(page["speed"], "20 Mbit/s down / 10 Mbit/s up")
        self.assertEqual(page["access"], "Full speed")
        self.assertEqual(page["paid_until"], "31 March 2027")
        self.assertEqual(page["amount_due"], "0.00 ৳")
        self.assertEqual(page["bill_state"], "Paid")
        self.assertNotIn("pay_now", page)
        self.assertNotIn("suspended", page)

    def test_a_suspended_service_says_what_is_owed_and_how_to_be_reconnected(self):
        invoice = self.suspend_for_overdue_bill()
        self.log_in("portal_karim")
        page = self.read_page(self.page_of(self.service))
        self.assertEqual(page["service_state"], "Suspended")
        self.assertEqual(page["access"], "Payment page only – pay to be reconnected")
        self.assertEqual(page["paid_until"], "Nothing paid yet")
        self.assertEqual(page["amount_due"], "1,000.00 ৳")
        self.assertEqual(page["amount_overdue"], "1,000.00 ৳")
        self.assertIn(invoice.name, page["bill"])
        self.assertEqual(page["bill_state"], "Overdue")
        self.assertEqual(page["pay_now"], "Pay now")
        self.assertIn("Suspended", page["history"])
        self.assertIn("Service started", page["history"])

    def test_a_service_suspended_by_the_staff_does_not_promise_reconnection(self):
        self.service._suspend("abuse", "Spam from this line, call Mr Hossain first")
        self.log_in("portal_karim")
        page = self.read_page(self.page_of(self.service))
        self.assertEqual(page["access"], "Payment page only – please contact us")
        self.assertIn("Please contact us", page["suspended"])
        self.assertNotIn("Hossain", page[""])

    def test_the_page_never_holds_the_password(self):
        self.service.password = "tiger-lily-77"
        self.log_in("portal_karim")
        source = self.get(self.page_of(self.service)).text
        self.assertIn(self.service.username, source)
        self.assertNotIn("tiger-lily-77", source)
        self.assertNotIn(self.service.password_enc, source)
        self.assertNotIn(self.service.password_last4, source)

    def test_the_page_speaks_bangla(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.env["ir.module.module"]._load_module_terms(["isp_billing"], ["bn_IN"])
        self.suspend_for_overdue_bill()
        self.log_in("portal_karim")
        self.opener.cookies["frontend_lang"] = "bn_IN"
        page = self.read_page(self.page_of(self.service))
        self.assertEqual(page["service_state"], "স্থগিত")
        self.assertEqual(page["pay_now"], "এখনই পরিশোধ করুন")
        self.assertEqual(page["access"], "শুধু পেমেন্ট পেজ – আবার চালু করতে বিল পরিশোধ করুন")

    # === PAYING === #

    def demo_provider(self):
        provider = self.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", self.company.id)], limit=1
        )
        if not provider or provider.module_state != "installed":
            self.fail(
                "The demo payment provider is missing: run this test by scripts/test, or install "
                "payment_demo in the database."
            )
        provider.write({"state": "test", "is_published": True})
        provider.payment_method_ids.active = True
        return provider

    def start_payment(self, service, amount, **params):
        provider = self.demo_provider()
        return self.make_jsonrpc_request(
            f"/my/services/{service.id}/transaction",
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[0].id,
                "token_id": None,
                "amount": amount,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": self.page_of(service),
                "is_validation": False,
                **params,
            },
        )

    def assertPaymentRefused(self, amount, **params):
        with self.assertRaisesRegex(JsonRpcException, "ValidationError"):
            self.start_payment(self.service, amount, **params)
        invoices = self.service.charge_ids.move_id
        self.assertFalse(invoices.transaction_ids)

    def simulate(self, reference, state="done"):
        self.make_jsonrpc_request(
            "/payment/demo/simulate_payment",
            {"reference": reference, "payment_details": "1234", "simulated_state": state},
        )

    def test_the_customer_pays_and_is_reconnected(self):
        invoice = self.suspend_for_overdue_bill()
        provider = self.demo_provider()
        self.log_in("portal_karim")
        page = self.read_page(f"{self.page_of(self.service)}/pay")
        self.assertEqual(page["pay_total"], "1,000.00 ৳")
        self.assertIn(provider.payment_method_ids[0].name, page[""])

        values = self.start_payment(self.service, 1000.0)
        transaction = self.env["payment.transaction"].search(
            [("reference", "=", values["reference"])]
        )
        self.assertEqual(transaction.invoice_ids, invoice)
        self.assertEqual((transaction.amount, transaction.state), (1000.0, "draft"))
        self.assertEqual(transaction.partner_id, self.customer)

        self.simulate(transaction.reference)
        self.assertEqual(transaction.state, "done")
        self.assertEqual(self.service.state, "suspended", "The money is not in the books yet")

        answer = self.make_jsonrpc_request("/payment/status/poll", {})
        self.assertEqual(answer["landing_route"], self.page_of(self.service))
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertEqual((self.service.state, self.service.access), ("active", "full"))
        page = self.read_page(self.page_of(self.service))
        self.assertEqual(page["service_state"], "Active")
        self.assertEqual(page["access"], "Full speed")
        self.assertEqual(page["amount_due"], "0.00 ৳")
        self.assertIn("Reconnected", page["history"])

    def test_the_payment_and_the_entitlement_are_one_transaction(self):
        """Whatever commits the payment commits full speed with it; nothing is left to a job."""
        invoice = self.suspend_for_overdue_bill()
        self.log_in("portal_karim")
        values = self.start_payment(self.service, 1000.0)
        self.simulate(values["reference"])
        transaction = self.env["payment.transaction"].search(
            [("reference", "=", values["reference"])]
        )
        jobs = self.env["queue.job"].search_count([])
        transaction._post_process()
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT move.payment_state, sub.state, ent.access
              FROM account_move move, isp_subscription sub
              JOIN isp_entitlement ent ON ent.subscription_id = sub.id
             WHERE move.id = %s AND sub.id = %s
            """,
            [invoice.id, self.service.id],
        )
        self.assertEqual(self.env.cr.fetchall(), [("paid", "active", "full")])
        self.assertEqual(self.env["queue.job"].search_count([]), jobs)

    def test_one_payment_settles_all_open_bills(self):
        first = self.suspend_for_overdue_bill()
        second = self.bill_service("2027-04-01")
        self.log_in("portal_karim")
        values = self.start_payment(self.service, 2000.0)
        self.simulate(values["reference"])
        self.make_jsonrpc_request("/payment/status/poll", {})
        self.assertEqual((first | second).mapped("payment_state"), ["paid", "paid"])
        self.assertEqual(self.service.state, "active")

    def test_a_payment_that_fails_reconnects_nobody(self):
        invoice = self.suspend_for_overdue_bill()
        self.log_in("portal_karim")
        for state in ("cancel", "error"):
            with self.subTest(state=state):
                values = self.start_payment(self.service, 1000.0)
                self.simulate(values["reference"], state)
                self.make_jsonrpc_request("/payment/status/poll", {})
                self.assertEqual(invoice.payment_state, "not_paid")
                self.assertEqual(self.service.state, "suspended")

    def test_a_pending_payment_is_not_asked_for_again(self):
        self.suspend_for_overdue_bill()
        self.log_in("portal_karim")
        values = self.start_payment(self.service, 1000.0)
        self.simulate(values["reference"], "pending")
        page = self.read_page(self.page_of(self.service))
        self.assertIn("pending_payment", page)
        self.assertNotIn("pay_now", page)
        self.assertEqual(page["service_state"], "Suspended")

    @mute_logger("odoo.http")
    def test_the_browser_cannot_choose_the_amount(self):
        self.suspend_for_overdue_bill()
        self.log_in("portal_karim")
        for amount in (1.0, 0.0, -1000.0, 1000.01, None):
            with self.subTest(amount=amount):
                self.assertPaymentRefused(amount)

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_model")
    def test_nobody_starts_a_payment_of_somebody_else(self):
        self.suspend_for_overdue_bill()
        self.log_in("portal_rahim")
        self.assertPaymentRefused(1000.0)
        self.authenticate(None, None)
        self.assertPaymentRefused(1000.0, access_token="x")

    def test_whoever_holds_the_token_may_pay(self):
        invoice = self.suspend_for_overdue_bill()
        token = self.service._portal_ensure_token()
        page = self.read_page(f"{self.page_of(self.service)}/pay?access_token={token}")
        self.assertEqual(page["pay_total"], "1,000.00 ৳")
        values = self.start_payment(self.service, 1000.0, access_token=token)
        self.simulate(values["reference"])
        self.make_jsonrpc_request("/payment/status/poll", {})
        self.assertEqual(invoice.payment_state, "paid")
        self.assertEqual(self.service.state, "active")

    def test_the_bill_and_its_pdf_are_one_click_away(self):
        invoice = self.suspend_for_overdue_bill()
        self.log_in("portal_karim")
        tree = html.fromstring(self.get(self.page_of(self.service)).content)
        bill = self.get(tree.xpath("//a[@name='bill']")[0].get("href"))
        self.assertEqual(bill.status_code, 200)
        self.assertIn(invoice.name, bill.text)
        link = tree.xpath("//a[@name='bill_pdf']")[0].get("href")
        self.assertIn("report_type=pdf", link)
