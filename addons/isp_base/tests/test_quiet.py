from unittest.mock import patch

import requests

from odoo.modules import module
from odoo.tests import TransactionCase, tagged
from odoo.tools import config, mute_logger

from odoo.addons.isp_base.models.ir_config_parameter import BLOCKED_SCHEME


class QuietCase(TransactionCase):
    def setUp(self):
        super().setUp()
        self.requested = []

        def record(session, request, **kwargs):
            session.get_adapter(url=request.url)  # refuses unknown schemes, as the real one does
            self.requested.append(request.url)
            raise requests.exceptions.ConnectionError("recorded, not sent")

        self.startPatcher(patch.object(requests.Session, "send", record))
        # Odoo refuses some calls in tests only; here they must meet our own refusal.
        self.startPatcher(patch.object(module, "current_test", None))


@tagged("post_install", "-at_install")
class TestPublisherReport(QuietCase):
    def run_report(self):
        return self.env["publisher_warranty.contract"].update_notification(cron_mode=None)

    def test_nothing_is_sent_to_odoo(self):
        for url in ("http://services.odoo.com/publisher-warranty/", "", None):
            with self.subTest(url=url), patch.object(config, "get", lambda *_args, u=url: u):
                self.run_report()
                self.env["publisher_warranty.contract"]._get_sys_logs()
        self.assertEqual(self.requested, [])

    def test_an_operators_own_address_still_works(self):
        url = "http://reports.example.net/odoo"
        with patch.object(config, "get", lambda *_args: url), self.assertRaises(Exception):  # noqa: B017
            self.run_report()
        self.assertEqual(self.requested, [url])

    def test_its_cron_is_off(self):
        self.assertFalse(self.env.ref("mail.ir_cron_module_update_notification").active)


@tagged("post_install", "-at_install")
class TestPaidServices(QuietCase):
    def params(self):
        return self.env["ir.config_parameter"].sudo()

    def test_default_addresses_are_replaced_whatever_addon_asks(self):
        for key, default in (
            ("iap.endpoint", "https://iap.odoo.com"),
            ("sms.endpoint", "https://sms.api.odoo.com"),
            ("some.future.endpoint", "https://new-service.api.odoo.com"),
        ):
            self.params().search([("key", "=", key)]).unlink()
            with self.subTest(key=key):
                answer = self.params().get_param(key, default)
                self.assertTrue(answer.startswith(f"{BLOCKED_SCHEME}://"))
                with self.assertRaises(requests.exceptions.InvalidSchema):
                    requests.post(answer + "/iap/1/call", timeout=1)
        self.assertEqual(self.requested, [])

    def test_a_stored_address_is_used(self):
        self.params().set_param("sms.endpoint", "https://sms.gateway.example.net")
        answer = self.params().get_param("sms.endpoint", "https://sms.api.odoo.com")
        self.assertEqual(answer, "https://sms.gateway.example.net")

    def test_other_defaults_are_untouched(self):
        for default in (False, None, 12, "", "text", "https://notodoo.com", "https://odoo.com.bd"):
            self.assertEqual(self.params().get_param("no.such.key", default), default)

    @mute_logger(
        "odoo.addons.iap.tools.iap_tools", "odoo.addons.sms.tools.sms_api", "odoo.tools.translate"
    )
    def test_the_real_services_are_not_reached(self):
        """Odoo's own addons, where they are installed: a bare call and a queued SMS."""
        if "iap.account" in self.env:
            from odoo.addons.iap.tools import iap_tools

            endpoint = iap_tools.iap_get_endpoint(self.env)
            with self.assertRaises(Exception):  # noqa: B017
                iap_tools.iap_jsonrpc(endpoint + "/iap/1/balance", params={})
        if "sms.sms" in self.env:
            sms = self.env["sms.sms"].create({"number": "+8801711111111", "body": "Hello"})
            sms.send(unlink_failed=False, unlink_sent=False)
            self.assertEqual(sms.state, "error")
        self.assertEqual(self.requested, [])

    def test_the_recorder_sees_what_is_sent(self):
        with self.assertRaises(requests.exceptions.ConnectionError):
            requests.post("https://iap.odoo.com/iap/1/balance", timeout=1)
        self.assertEqual(self.requested, ["https://iap.odoo.com/iap/1/balance"])
