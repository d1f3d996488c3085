from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from ..gateways.common import Misconfigured, TryLater
from .common import MessagingCase


@tagged("post_install", "-at_install")
class TestGateway(MessagingCase):
    def test_the_connection_test_says_what_is_wrong(self):
        self.client.left = Misconfigured("SSL Wireless does not know this sender (SID).")
        shown = self.gateway.action_test_connection()["params"]
        self.assertEqual((shown["type"], shown["sticky"]), ("danger", True))
        self.assertIn("sender (SID)", shown["message"])
        self.assertEqual(self.gateway.connection_state, "error")
        self.client.left = 1500
        self.assertIn("1500", self.gateway.action_test_connection()["params"]["message"])
        self.assertEqual((self.gateway.connection_state, self.gateway.balance), ("ok", 1500.0))
        self.assertEqual(self.client.account, ("secret-token-0001", "PADMANET"))
        self.gateway.sender = "OTHER"
        self.assertEqual(self.gateway.connection_state, "untested")

    @proves("P-22")
    def test_little_money_is_told_once_until_there_is_more(self):
        manager = self.create_user("manager")
        self.gateway.write({"balance_threshold": 100, "responsible_id": manager.id})
        self.gateway.connection_state = "ok"
        self.client.left = 99
        for _hours in range(2):
            self.run_balances()
        (activity,) = self.gateway.activity_ids
        self.assertEqual(activity.user_id, manager)
        self.assertIn("99", activity.note)
        self.client.left = 100
        self.run_balances()
        self.assertFalse(self.gateway.activity_ids)

    def test_a_gateway_that_does_not_answer_stops_nobody_else(self):
        self.gateway.connection_state = "ok"
        self.client.left = TryLater("It cannot be reached.")
        self.run_balances()
        self.assertEqual(self.gateway.connection_text, "It cannot be reached.")

    def run_balances(self):
        with self.enter_registry_test_mode():
            cron = self.env.ref("isp_messaging.isp_message_gateway_cron_balance")
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def test_the_token_is_seen_by_nobody(self):
        clerk, manager = self.create_user("clerk"), self.create_user("manager")
        read = self.gateway.with_user(manager).read(["api_token"])[0]["api_token"]
        self.assertNotIn("secret", read)
        with self.assertRaises(AccessError):
            self.gateway.with_user(clerk).read(["api_token"])
        with self.assertRaises(AccessError):
            self.gateway.with_user(manager).read(["api_token_enc"])
        self.env.cr.execute("SELECT g::text FROM isp_message_gateway g")
        self.assertNotIn("secret-token", str(self.env.cr.fetchall()))

    def test_the_first_gateway_of_the_company_is_used(self):
        self.create_gateway(name="MSG91", provider="msg91", sequence=20)
        first = self.create_gateway(name="First", sequence=1)
        self.assertEqual(self.company._get_sms_gateway(), first)
        other = self.env["res.company"].create({"name": "Ganga Net"})
        self.assertFalse(other._get_sms_gateway())
        self.assertEqual(other._get_isp_channels(), {"email"})
        self.assertEqual(self.company._get_isp_channels(), {"email", "sms"})
