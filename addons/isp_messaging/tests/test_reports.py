import json

from odoo.tests import HttpCase, tagged

from ..gateways.msg91 import Msg91
from .common import MessagingCase


@tagged("post_install", "-at_install")
class TestReports(MessagingCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.provider = "msg91"

    def setUp(self):
        super().setUp()
        # The fake sends; what the gateway tells is read by the real one.
        self.client.read_reports = Msg91.read_reports
        self.message = self.queue(channels_left="email")
        self.send()
        self.assertEqual((self.message.state, self.message.provider_ref), ("accepted", "ref1"))

    def report(self, desc="DELIVERED", number="8801711000001", reference="ref1", token=None):
        entry = {
            "requestId": reference,
            "report": [{"number": number, "status": "1", "desc": desc, "failedReason": ""}],
        }
        token = token or self.gateway.callback_token
        answer = self.url_open(f"/isp_messaging/report/{token}", data={"data": json.dumps([entry])})
        self.env.invalidate_all()
        return answer.status_code

    def test_delivered_and_never_back(self):
        self.assertEqual(self.report("SUBMITTED"), 200)
        self.assertEqual(self.message.state, "accepted")
        for words in ("DELIVERED", "DELIVERED", "FAILED"):
            self.assertEqual(self.report(words), 200)
            self.assertEqual(self.message.state, "delivered")

    def test_what_was_not_delivered_goes_by_the_next_channel(self):
        self.report("FAILED")
        self.assertEqual((self.message.state, self.message.channel), ("queued", "email"))

    def test_nobody_reports_without_the_address_or_of_another_number(self):
        self.assertEqual(self.report(token="0" * 40), 404)
        self.assertEqual(self.report(token="%27"), 404)
        self.report(number="8801711000002")
        self.report(reference="ref2")
        self.assertEqual(self.message.state, "accepted")
        url = f"/isp_messaging/report/{self.gateway.callback_token}"
        for body in ("", "[]", "{", '[{"report": 5}]', '{"requestId": "ref1"}'):
            self.assertEqual(self.url_open(url, data=body or " ").status_code, 200)
        self.assertEqual(self.url_open(url, data="x" * 70000).status_code, 413)
        self.env.invalidate_all()
        self.assertEqual(self.message.state, "accepted")

    def test_a_manager_is_shown_the_address(self):
        manager = self.create_user("manager")
        shown = self.gateway.with_user(manager).action_show_callback()["params"]["message"]
        self.assertTrue(shown.endswith(self.gateway.callback_token))
