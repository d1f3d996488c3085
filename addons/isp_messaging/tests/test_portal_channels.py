from odoo.tests import HttpCase, tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_billing.tests.common import PortalMixin

from .common import MessagingCase


@tagged("post_install", "-at_install")
class TestPortalChannels(PortalMixin, MessagingCase, HttpCase):
    @proves("P-57")
    def test_customers_choose_on_the_page_of_their_services(self):
        self.create_portal_user("karim", self.customer)
        self.log_in("karim")
        page = self.get("/my/services").text
        self.assertIn("How we remind you", page)
        self.assertNotIn("WhatsApp", page)
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        form = {"isp_channel_1": "email", "isp_channel_2": "email", "isp_channel_3": "sms"}
        refused = self.url_open("/my/services/channels", data=form)
        self.assertEqual(refused.status_code, 400)
        self.assertFalse(self.customer.isp_channel_1)
        form |= {"csrf_token": token, "phone": "+8801711999999"}
        self.url_open("/my/services/channels", data=form)
        self.env.invalidate_all()
        self.assertEqual(
            [self.customer[f"isp_channel_{n}"] for n in (1, 2, 3)], ["email", "sms", False]
        )
        self.assertEqual(self.customer.phone, "+8801711000001")
