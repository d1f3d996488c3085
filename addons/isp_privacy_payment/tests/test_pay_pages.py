from urllib.parse import urlencode, urlsplit

from lxml import html

from odoo.tests import HttpCase, tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_privacy.tests.consent_common import ConsentCase
from odoo.addons.payment import utils as payment_utils


@tagged("post_install", "-at_install")
class TestPayPages(ConsentCase, HttpCase):
    """P-60: on a page of payment no script of others runs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.create_user("privacy_karim", "base.group_portal", partner_id=cls.karim.id)
        # Providers of the suite send the customer to the gateway's own page.
        cls.provider = cls.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", cls.env.ref("base.main_company").id)],
            limit=1,
        )
        cls.provider.write({"state": "test", "is_published": True})

    def pay_url(self):
        currency = self.env.ref("base.main_company").currency_id
        env = self.env(user=self.env.ref("base.public_user"))
        values = {"amount": 500.0, "currency_id": currency.id, "partner_id": self.karim.id}
        token = payment_utils.generate_access_token(
            self.karim.id, values["amount"], currency.id, env=env
        )
        return "/payment/pay?" + urlencode({**values, "access_token": token})

    def get_pages(self):
        self.authenticate("privacy_karim", "privacy_karim-password")
        for url in (self.pay_url(), "/my/payment_method", "/my", "/payment/status"):
            response = self.url_open(url, timeout=60)
            self.assertEqual(response.status_code, 200, url)
            yield url, response

    @proves("P-60")
    def test_the_browser_is_told_to_run_scripts_of_our_server_only(self):
        for url, response in self.get_pages():
            policy = dict(
                part.strip().split(" ", 1)
                for part in response.headers["Content-Security-Policy"].split(";")
            )
            with self.subTest(url=url):
                self.assertEqual(
                    set(policy["script-src"].split()),
                    {"'self'", "'unsafe-inline'", "'unsafe-eval'"},
                )
                self.assertEqual(policy["frame-ancestors"], "'self'")
                self.assertEqual(policy["object-src"], "'none'")

    @proves("P-60")
    def test_no_page_loads_a_script_of_others(self):
        for url, response in self.get_pages():
            tree = html.fromstring(response.content)
            sources = tree.xpath("//script/@src | //iframe/@src | //link[@rel='preload']/@href")
            self.assertTrue(tree.xpath("//script/@src"), url)
            with self.subTest(url=url):
                self.assertEqual([one for one in sources if urlsplit(one).netloc], [])

    @proves("P-53")
    def test_no_token_of_a_payment_is_told_to_other_sites(self):
        for url, response in self.get_pages():
            with self.subTest(url=url):
                self.assertEqual(
                    response.headers["Referrer-Policy"], "strict-origin-when-cross-origin"
                )
