from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_privacy.tests.consent_common import ConsentCase


@tagged("post_install", "-at_install")
class TestGatewayContract(ConsentCase):
    def create_gateway(self, **vals):
        with self.env.cr.savepoint():
            return self.env["isp.message.gateway"].create(
                {
                    "name": "Our SMS",
                    "company_id": self.company.id,
                    "provider": "ssl_wireless",
                    "sender": "PADMANET",
                    "api_token": "token-for-tests",
                    **vals,
                }
            )

    @proves("P-20", "P-22")
    def test_a_gateway_needs_a_valid_contract(self):
        self.publish(self.create_policy())
        with self.assertRaisesRegex(ValidationError, "nobody has entered one.*smsplus"):
            self.create_gateway()
        today = self.company._get_privacy_today()
        processor = self.env["privacy.processor"].create(
            {
                "name": "SSL Wireless",
                "company_id": self.company.id,
                "country_id": self.company.country_id.id,
                "hosts": "smsplus.sslwireless.com",
                "contract_from": fields.Date.add(today, days=1),
            }
        )
        with self.assertRaisesRegex(ValidationError, "has not begun"):
            self.create_gateway()
        processor.contract_from = today
        gateway = self.create_gateway()
        self.assertTrue(gateway.active)
        processor.active = False
        with self.assertRaisesRegex(ValidationError, "contract"), self.env.cr.savepoint():
            gateway.provider = "msg91"

    def test_a_simulator_is_given_nothing_real(self):
        self.publish(self.create_policy())
        self.assertTrue(self.create_gateway(test_url="http://127.0.0.1:8201"))
