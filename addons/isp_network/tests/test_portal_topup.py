import re

from lxml import html

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_billing.tests.common import PortalMixin

from .test_topup_order import TopupCase
from .usage_common import GB


@tagged("post_install", "-at_install")
class TestPortalTopup(PortalMixin, TopupCase, HttpCase):
    """Karim buys volume on his phone; Rahim cannot buy it for him."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim = cls.create_portal_user("portal_karim", cls.customer)
        cls.rahim = cls.create_portal_user("portal_rahim")
        provider = cls.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", cls.company.id)], limit=1
        )
        provider.write({"state": "test", "is_published": True})
        provider.payment_method_ids.active = True
        cls.provider = provider
        cls.url = f"/my/services/{cls.service.id}/topup"

    def read_page(self, response):
        """The page as ``{name attribute: text}``, the first of each name."""
        self.assertEqual(response.status_code, 200)
        parts = {}
        for node in html.fromstring(response.content).xpath("//main//*[@name]"):
            parts.setdefault(node.get("name"), " ".join(node.text_content().split()))
        return parts

    def buy(self, offer_id, url=None):
        # As the browser has it, on any page.
        token = re.search(r'csrf_token: "([^"]+)"', self.get("/my/services").text)[1]
        data = {"offer_id": offer_id, "csrf_token": token}
        self.env.flush_all()
        return self.url_open(url or self.url, data=data, timeout=60)

    def test_what_is_left_what_it_costs_and_until_when_it_counts(self):
        self.use(self.service, "2027-03-10 05:00:00", 88 * GB)
        self.log_in("portal_karim")
        response = self.get(self.url)
        page = self.read_page(response)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertIn("12.0 GB", page["volume_left"])
        self.assertEqual(page["topup_price"], "172.50 ৳")
        self.assertIn("22.50 ৳", page["topup_tax"])
        self.assertIn("31 March 2027", page["topup_until"])
        names = html.fromstring(response.content).xpath(
            "//form[@name='topup_offer']/span[1]/text()"
        )
        self.assertEqual(names, ["20 GB", "50 GB"], "gifts are not for sale")

    def test_a_window_that_has_not_begun_is_shown_too(self):
        self.log_in("portal_karim")
        self.assertFalse(self.service.usage_window_ids)
        page = self.read_page(self.get(self.url))
        self.assertIn("100.0 GB", page["volume_left"])
        self.assertFalse(self.service.usage_window_ids, "looking writes nothing")

    def test_bought_paid_and_given(self):
        self.use_up()
        self.log_in("portal_karim")
        response = self.buy(self.small.id)
        self.assertTrue(response.url.endswith("/topup/pay"), response.url)
        page = self.read_page(response)
        self.assertEqual(page["pay_total"], "172.50 ৳")
        order = self.service.topup_ids
        bill = order.move_id
        self.assertIn(bill.name, page["topup_bill"])
        self.assertEqual(self.row(self.service)["access"], "walled")

        answer = self.make_jsonrpc_request(
            f"/invoice/transaction/{bill.id}",
            {
                "access_token": bill.access_token,
                "provider_id": self.provider.id,
                "payment_method_id": self.provider.payment_method_ids[0].id,
                "token_id": None,
                "amount": bill.amount_total,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": self.url,
                "is_validation": False,
            },
        )
        self.make_jsonrpc_request(
            "/payment/demo/simulate_payment",
            {
                "reference": answer["reference"],
                "payment_details": "1234",
                "simulated_state": "done",
            },
        )
        self.assertEqual(order.state, "ordered", "the money is not in the books yet")
        pending = self.read_page(self.get(self.url))
        self.assertIn("topup_pending", pending)
        self.assertNotIn("topup_offer", pending)
        poll = self.make_jsonrpc_request("/payment/status/poll", {})
        self.assertEqual(poll["landing_route"], self.url)
        self.assertEqual((bill.payment_state, order.state), ("paid", "active"))
        self.assertEqual(self.row(self.service)["access"], "full")
        page = self.read_page(self.get(self.url))
        self.assertIn("20 GB has been added", page["topup_given"])
        self.assertIn("20.0 GB", page["volume_left"])
        self.assertNotIn("topup_order", page)

    def test_an_order_waits_on_the_page(self):
        self.log_in("portal_karim")
        self.buy(self.small.id)
        page = self.read_page(self.get(self.url))
        self.assertIn("20 GB", page["topup_order"])
        self.assertIn("Pay by 31 March 2027", page["topup_order"])
        self.assertNotIn("20 GB", page["topup_offers"], "it is above already")
        service = self.read_page(self.get(f"/my/services/{self.service.id}"))
        self.assertEqual(service["amount_due"], "0.00 ৳", "an order is not owed")
        self.assertNotIn("pay_now", service)
        self.buy(self.small.id)
        self.assertEqual(len(self.service.topup_ids), 1)
        self.buy(self.large.id)
        self.assertEqual(
            self.service.topup_ids.sorted("id").mapped("state"), ["cancelled", "ordered"]
        )

    def test_bad_input_is_answered_in_words(self):
        other = self.env["isp.plan.topup"].create(
            {"plan_id": self.plan_office.id, "name": "99 GB", "volume_gb": 99, "price": 1}
        )
        self.log_in("portal_karim")
        for offer_id in ("", "x", "-1", "²", "9" * 5000, str(other.id), str(self.gift.id)):
            with self.subTest(offer_id=offer_id):
                page = self.read_page(self.buy(offer_id))
                self.assertEqual(page["topup_error"], "Please choose one of the volumes below.")
        self.assertFalse(self.service.topup_ids)

    def test_a_fault_while_billing_leaves_nothing_behind(self):
        def broken(*_args, **_kwargs):
            error = "The books of March are closed."
            raise UserError(error)

        self.patch(type(self.env["isp.subscription.fee"]), "_bill_alone", broken)
        self.log_in("portal_karim")
        page = self.read_page(self.buy(self.small.id))
        self.assertEqual(page["topup_error"], "The books of March are closed.")
        self.assertFalse(self.service.topup_ids)
        self.assertFalse(self.service.fee_ids)

    def test_whoever_may_not_buy_is_told_why(self):
        self.service._bill(*[fields.Date.to_date("2027-04-01")] * 2)
        self.service._suspend("overdue", "Unpaid")
        self.log_in("portal_karim")
        page = self.read_page(self.get(self.url))
        self.assertIn("Please pay it first.", page["topup_problem"])
        self.assertNotIn("topup_offer", page)
        self.assertIn("pay it first", self.read_page(self.buy(self.small.id))["topup_error"])
        self.assertTrue(self.get(f"{self.url}/pay").url.endswith("/topup"), "nothing is ordered")

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.http")
    def test_nobody_buys_for_somebody_else(self):
        self.service._order_topup(self.small)
        self.log_in("portal_rahim")
        for url in (self.url, f"{self.url}/pay"):
            self.assertTrue(self.get(url).url.endswith("/my"), url)
        self.assertTrue(self.buy(self.large.id).url.endswith("/my"))
        self.assertEqual(self.service.topup_ids.offer_id, self.small)
        self.authenticate(None, None)
        self.assertIn("/web/login", self.get(f"{self.url}?access_token=wrong").url)

    def test_a_form_of_another_site_buys_nothing(self):
        self.log_in("portal_karim")
        self.get(self.url)
        with mute_logger("odoo.http"):
            response = self.url_open(self.url, data={"offer_id": self.small.id}, timeout=60)
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.service.topup_ids)

    def test_whoever_holds_the_token_may_buy(self):
        token = self.service._portal_ensure_token()
        self.env.flush_all()
        response = self.buy(self.small.id, f"{self.url}?access_token={token}")
        self.assertTrue(response.url.endswith(f"/topup/pay?access_token={token}"), response.url)
        page = self.read_page(response)
        self.assertEqual(page["pay_total"], "172.50 ৳")

    def test_without_online_payment_the_bill_says_how(self):
        self.env["ir.config_parameter"].set_param("account_payment.enable_portal_payment", "False")
        self.log_in("portal_karim")
        self.assertIn("topup_offline", self.read_page(self.buy(self.small.id)))

    def test_the_usage_page_leads_there(self):
        self.use_up()
        self.log_in("portal_karim")
        page = html.fromstring(self.get(f"/my/services/{self.service.id}/usage").content)
        self.assertEqual(page.xpath("//a[@name='topup']/@href"), [self.url])
        service = self.read_page(self.get(f"/my/services/{self.service.id}"))
        self.assertEqual(service["access"], "Stopped – data volume used up")
        self.assertIn("your internet is stopped", service["volume_used_up"])
        self.assertEqual(service["topup"], "Buy data volume")
