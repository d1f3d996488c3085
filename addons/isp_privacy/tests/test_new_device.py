import re

from odoo.tests import HttpCase, tagged

from odoo.addons.isp_base.tests.promises import proves

from .request_common import PrivacyRequestCase

PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
)
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"


@tagged("post_install", "-at_install")
class TestNewDevice(PrivacyRequestCase, HttpCase):
    """P-58: who signs in with a new device is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.create_user("privacy_karim", "base.group_portal", partner_id=cls.karim.id)

    def sign_in(self, agent, password="privacy_karim-password"):
        self.opener.cookies.pop("session_id", None)
        self.opener.headers["User-Agent"] = agent
        page = self.url_open("/web/login", timeout=60).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        response = self.url_open(
            "/web/login",
            data={"csrf_token": token, "login": self.user.login, "password": password},
            timeout=60,
        )
        self.url_open("/my", timeout=60)  # Odoo notes the device of the session
        return response

    def told(self):
        domain = [("subject", "=", "New device at your account")]
        return self.env["mail.mail"].search(domain).mapped("email_to")

    @proves("P-58")
    def test_a_new_device_is_told_once(self):
        address = self.user.email_formatted
        self.sign_in(PHONE)
        self.assertEqual(self.told(), [], "it is the first device of the account")
        self.sign_in(PHONE)
        self.assertEqual(self.told(), [])
        self.sign_in(LAPTOP)
        self.assertEqual(self.told(), [address])
        self.sign_in(LAPTOP)
        self.sign_in(PHONE)
        self.assertEqual(self.told(), [address], "both are known now")

    @proves("P-58")
    def test_the_mail_says_what_to_do(self):
        self.sign_in(PHONE)
        self.sign_in(LAPTOP)
        body = (
            self.env["mail.mail"].search([("subject", "=", "New device at your account")]).body_html
        )
        for words in ("change your password at once", "Firefox", "Linux"):
            self.assertIn(words, body)

    def test_a_wrong_password_tells_nobody(self):
        self.sign_in(PHONE)
        self.sign_in(LAPTOP, password="wrong")
        self.assertEqual(self.told(), [])
