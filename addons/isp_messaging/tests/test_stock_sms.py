from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sms.tools.sms_api import SmsApi

from ..gateways.common import Refused, Unknown
from .common import MessagingCase


@tagged("post_install", "-at_install")
class TestStockSms(MessagingCase):
    """Odoo's own text messages, by the composer and by its queue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ganga = cls.env["res.company"].create({"name": "Ganga Net"})

    def setUp(self):
        super().setUp()
        self.asked = []

        def contact(api, endpoint, params, timeout=15):
            numbers = [n for message in params["messages"] for n in message["numbers"]]
            self.asked += [number["number"] for number in numbers]
            return [{"uuid": n["uuid"], "state": "success", "credit": 1} for n in numbers]

        iap = patch.object(SmsApi, "_contact_iap", contact)
        iap.start()
        self.addCleanup(iap.stop)

    def create_sms(self, number="+8801711000001", body="Hello", company=None, **vals):
        company = company or self.company
        return self.env["sms.sms"].create(
            {"number": number, "body": body, "record_company_id": company.id, **vals}
        )

    def test_sent_by_the_gateway_and_not_by_odoos_service(self):
        sms = self.create_sms(partner_id=self.customer.id)
        sms.send(unlink_sent=False)
        self.assertEqual(sms.state, "process")
        message = self.outbox.search([("event_key", "=", f"sms:{sms.uuid}")])
        self.assertEqual((message.partner_id, message.body), (self.customer, "Hello"))
        self.send()
        self.assertEqual((sms.state, [o.text for o in self.client.orders]), ("pending", ["Hello"]))
        self.assertEqual(self.asked, [])

    def test_the_queue_with_messages_of_two_companies(self):
        own, foreign = self.create_sms(), self.create_sms("+8801711000002", company=self.ganga)
        with self.enter_registry_test_mode():
            self.env.ref("sms.ir_cron_sms_scheduler_action").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual((own.state, foreign.state), ("process", "pending"))
        self.assertEqual(self.asked, ["+8801711000002"])

    def test_the_composer(self):
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "comment",
                "res_model": "res.partner",
                "res_id": self.customer.id,
                "body": "Your router is ready",
                "number_field_name": "phone",
            }
        )
        composer._action_send_sms()
        self.send()
        self.assertEqual([o.text for o in self.client.orders], ["Your router is ready"])
        notification = self.env["mail.notification"].search(
            [("res_partner_id", "=", self.customer.id), ("notification_type", "=", "sms")]
        )
        self.assertEqual(notification.notification_status, "pending")
        self.assertEqual(self.asked, [])

    def test_what_failed_can_be_sent_again_and_what_nobody_knows_cannot(self):
        sms = self.create_sms()
        self.client.answers = [Refused("The number is blocked.")]
        sms.send(unlink_sent=False)
        self.send()
        self.assertEqual((sms.state, sms.failure_type), ("error", "sms_server"))
        self.client.answers = [Unknown("No answer")]
        sms.resend_failed()
        self.send()
        self.assertEqual((sms.state, len(self.client.orders)), ("error", 2))
        sms.resend_failed()
        self.send()
        self.assertEqual((sms.state, len(self.client.orders)), ("error", 2))

    def test_what_sells_something_is_advertising(self):
        self.patch(type(self.outbox), "_find_suppression", lambda message: None)
        sms = self.create_sms(body="Buy now")
        sms.send(unlink_sent=False)
        self.assertEqual(sms.state, "error")
        message = self.outbox.search([("event_key", "=", f"sms:{sms.uuid}")])
        self.assertEqual(message.message_class, "promotional")
        self.assertIn("Bangla", message.reason)

    def test_a_registered_text_is_found_for_india(self):
        template = self.create_template(
            "Dear {{ customer }}, we come tomorrow. Padma",
            dlt_template_id="1107",
            dlt_text="Dear {#var#}, we come tomorrow. Padma",
            gateway_template_id="tpl-visit",
        )
        sms = self.create_sms("+919826268423", "Dear Asha, we come tomorrow. Padma")
        sms.send(unlink_sent=False)
        self.send()
        (order,) = self.client.orders
        self.assertEqual((order.template_id, order.values), ("tpl-visit", ("Asha",)))
        message = self.outbox.search([("event_key", "=", f"sms:{sms.uuid}")])
        self.assertEqual(message.template_id, template)
