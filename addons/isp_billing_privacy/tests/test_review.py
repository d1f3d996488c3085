from lxml import html

from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_billing.tests.common import IspBillingCase


@tagged("post_install", "-at_install")
class TestReview(IspBillingCase, HttpCase):
    """P-12: whom a machine has suspended can have it looked at by a person."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        new_test_user(
            cls.env,
            "review_karim",
            "base.group_portal",
            password="review_karim-password",
            partner_id=cls.customer.id,
        )
        cls.service = cls.create_subscription()

    def tree(self, url):
        response = self.url_open(url, timeout=60)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.content)

    @proves("P-12")
    def test_the_page_of_a_suspended_service_leads_to_a_person(self):
        self.authenticate("review_karim", "review_karim-password")
        page = f"/my/services/{self.service.id}"
        self.assertFalse(self.tree(page).xpath("//*[@name='review']"), "it works")
        self.service._suspend("overdue", "A bill is unpaid")
        [link] = self.tree(page).xpath("//*[@name='review']//a/@href")
        [form] = self.tree(link).xpath("//form[@name='new_request']")
        values = dict(form.form_values())
        self.assertEqual(values["request_type"], "automated_review")
        self.url_open(form.get("action"), data={**values, "words": "I have paid"}, timeout=60)
        request = self.env["privacy.request"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual((request.request_type, request.words), ("automated_review", "I have paid"))
        self.assertTrue(request.date_due)
