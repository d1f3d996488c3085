from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from ..gateways.common import Refused, Unknown
from .common import MessagingCase


@tagged("post_install", "-at_install")
class TestReminders(MessagingCase):
    """One bill of BDT 1,000 due on 1 March; the reminder is due on 3 March."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_steps(cls.remind(2))

    def setUp(self):
        super().setUp()
        self.bill("2027-03-01")

    def remind_now(self):
        self.dun("2027-03-10 12")
        self.send()
        return self.outbox.search([("subscription_id", "=", self.subscription.id)])

    def test_a_step_asks_the_customer_unless_somebody_says_otherwise(self):
        self.assertEqual(self.policy.step_ids.channel, "preferred")

    @proves("P-57")
    def test_by_text_message_first(self):
        message = self.remind_now()
        self.assertEqual(message.state, "accepted")
        (order,) = self.client.orders
        self.assertEqual(order.number, "+8801711000001")
        self.assertIn("BDT 1,000.00", order.text)
        self.assertIn("Karim Uddin", order.text)
        self.assertEqual(self.outcomes(), [("remind", "done")])
        self.assertFalse(self.mails())

    @proves("P-57")
    def test_the_customers_order_is_respected(self):
        self.customer.write({"isp_channel_1": "email", "isp_channel_2": "sms"})
        message = self.remind_now()
        self.assertEqual((message.channel, message.state), ("email", "accepted"))
        self.assertEqual((self.client.orders, len(self.mails())), ([], 1))

    @proves("P-57")
    def test_one_message_of_one_event(self):
        self.remind_now()
        self.subscription.dunning_log_ids.sudo().unlink()  # as if it had not been noted
        self.remind_now()
        self.assertEqual(len(self.client.orders), 1)

    @proves("P-57")
    def test_a_channel_that_fails_is_followed_by_the_next(self):
        self.client.answers = [Refused("The number is blocked.")]
        message = self.remind_now()
        self.assertEqual((message.channel, message.state), ("email", "queued"))
        self.assertIn("The number is blocked", message.reason)
        self.send()
        self.assertEqual((len(message), message.state), (1, "accepted"))
        self.assertEqual((len(self.client.orders), len(self.mails())), (1, 1))

    @proves("P-57")
    def test_what_nobody_knows_is_not_sent_by_another_channel(self):
        self.client.answers = [Unknown("No answer")]
        message = self.remind_now()
        self.send()
        self.assertEqual(message.state, "unknown")
        self.assertFalse(self.mails())

    @proves("P-57")
    def test_without_a_number_by_mail_and_without_both_not_at_all(self):
        self.customer.phone = False
        self.assertEqual(self.remind_now().channel, "email")
        self.assertEqual(len(self.mails()), 1)

    def test_who_cannot_be_reached_is_listed(self):
        self.customer.write({"phone": "12", "email": False})
        self.assertFalse(self.remind_now())
        self.assertEqual(self.outcomes(), [("remind", "unreached")])
        self.assertIn("no phone number", self.events()[-1])

    def test_who_wants_text_messages_only_gets_no_mail(self):
        self.customer.isp_channel_1 = "sms"
        self.client.answers = [Refused("The number is blocked.")]
        message = self.remind_now()
        self.assertEqual(message.state, "failed")
        self.assertFalse(self.mails())

    def test_without_a_gateway_by_mail_as_ever(self):
        self.gateway.active = False
        self.assertFalse(self.remind_now())
        self.assertEqual(len(self.mails()), 1)
        self.assertEqual(self.outcomes(), [("remind", "done")])

    def test_whatsapp_is_not_offered(self):
        self.customer.write({"isp_channel_1": "whatsapp", "isp_channel_2": "sms"})
        self.assertEqual(self.customer._get_isp_channel_order(self.company), ["sms"])
        self.assertEqual(self.remind_now().channel, "sms")

    def test_the_messages_are_found_from_the_customer_and_the_subscription(self):
        message = self.remind_now()
        for record in (self.customer, self.subscription):
            self.assertEqual(record.isp_message_count, 1)
            action = record.action_view_isp_messages()
            self.assertEqual(self.outbox.search(action["domain"]), message)
