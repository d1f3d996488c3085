import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from ..gateways.common import Accepted, Misconfigured, Refused, TryLater, Unknown
from .common import MessagingCase


@tagged("post_install", "-at_install")
class TestOutbox(MessagingCase):
    def test_a_message_goes_to_the_number_once(self):
        message = self.queue()
        self.assertEqual((message.state, message.recipient), ("queued", "+8801711000001"))
        self.send()
        self.send()
        (order,) = self.client.orders
        self.assertEqual((order.number, order.text), ("+8801711000001", "Hello"))
        self.assertLessEqual(len(order.key), 20)
        self.assertEqual((message.state, message.provider_ref), ("accepted", "ref1"))
        self.assertEqual((message.parts, message.cost, message.attempts), (1, 0.25, 1))

    @proves("P-22")
    def test_one_event_twice_is_one_message(self):
        first = self.queue()
        self.assertEqual(self.queue(body="Hello again"), first)
        self.send()
        self.assertEqual(len(self.client.orders), 1)
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.UniqueViolation):
            with self.env.cr.savepoint():
                first.sudo().copy({"event_key": first.event_key, "recipient": "+8801711000001"})
                self.env.flush_all()
        other_company = self.env["res.company"].create({"name": "Ganga Net"})
        self.assertNotEqual(self.outbox._queue(other_company, "event:1", body="Hello"), first)

    @proves("P-22")
    def test_after_a_time_out_it_is_unknown_and_never_sent_again_by_itself(self):
        self.client.answers = [Unknown("SSL Wireless did not answer in time.")]
        message = self.queue()
        self.send()
        self.assertEqual(message.state, "unknown")
        self.assertIn("did not answer", message.reason)
        self.send("2027-03-11 06:00:00")
        self.assertEqual((len(self.client.orders), message.state), (1, "unknown"))

    def test_a_clerk_asks_a_gateway_that_knows_our_number(self):
        clerk = self.create_user("clerk")
        self.client.answers = [Unknown("No answer"), Accepted(was_known=True)]
        message = self.queue()
        self.send()
        message.with_user(clerk).action_ask()
        self.send()
        first, second = self.client.orders
        self.assertEqual(first.key, second.key)
        self.assertEqual(message.state, "accepted")
        self.assertIn("already", message.reason)

    def test_a_gateway_that_would_send_it_twice_is_not_asked(self):
        clerk = self.create_user("clerk")
        self.client.deduplicates = False
        self.client.answers = [Unknown("No answer")]
        message = self.queue().with_user(clerk)
        self.send()
        for refused in (message.action_ask, message.action_resend, message.action_cancel):
            with self.assertRaises(UserError):
                refused()
        message.action_not_arrived()
        self.assertEqual(message.state, "failed")
        message.action_resend()
        self.send()
        self.assertEqual((message.state, len(self.client.orders)), ("accepted", 2))
        with self.assertRaises(UserError):
            message.action_arrived()

    def test_what_was_not_sent_is_tried_again_later_and_then_given_up(self):
        self.client.answers = [TryLater("It cannot be reached.")] * 6
        message = self.queue()
        self.send()
        self.assertEqual((message.state, message.reason), ("queued", "It cannot be reached."))
        self.send()
        self.assertEqual(len(self.client.orders), 1)
        for hour in range(7, 15):
            self.send(f"2027-03-10 {hour:02}:00:00")
        self.assertEqual((len(self.client.orders), message.state), (6, "failed"))

    def test_settings_that_the_gateway_does_not_accept_are_told_once(self):
        self.client.answers = [Misconfigured("The API token is not accepted.")] * 2
        messages = self.queue() | self.queue("event:2")
        self.send()
        self.assertEqual(messages.mapped("state"), ["queued", "queued"])
        self.assertEqual(self.gateway.connection_state, "error")
        self.assertEqual(self.gateway.connection_text, "The API token is not accepted.")
        self.assertEqual(len(self.gateway.activity_ids), 1)

    def test_refused_is_final(self):
        self.client.answers = [Refused("The number is blocked.")]
        message = self.queue()
        self.send()
        self.assertEqual((message.state, message.reason), ("failed", "The number is blocked."))

    def test_a_call_that_the_server_did_not_outlive_is_unknown(self):
        message = self.queue()
        message._move_to("sending", sent_at="2027-03-10 06:00:00")
        self.send("2027-03-10 06:09:00")
        self.assertEqual(message.state, "sending")
        self.send("2027-03-10 06:11:00")
        self.assertEqual((message.state, self.client.orders), ("unknown", []))

    def test_codes_go_first_and_leave_no_trace(self):
        self.queue("event:1")
        code = self.queue("otp:1", body="482913 is your code", message_class="otp")
        self.send()
        self.assertEqual([o.text for o in self.client.orders], ["482913 is your code", "Hello"])
        self.assertEqual((code.state, code.body), ("accepted", False))
        self.client.answers = [Refused("Blocked")]
        other = self.queue("otp:2", body="111111 is your code", message_class="otp")
        self.send()
        self.assertEqual((other.state, other.body, other.may_resend), ("failed", False, False))

    def test_number_and_text_are_not_in_the_table(self):
        message = self.queue(body="A sentence to be found")
        self.env.flush_all()
        self.env.cr.execute("SELECT m::text FROM isp_message m WHERE id = %s", [message.id])
        (row,) = self.env.cr.fetchone()
        self.assertNotIn("1711000001", row)
        self.assertNotIn("A sentence", row)
        self.assertEqual(self.outbox.search([("recipient", "=", "01711000001")]), message)

    def test_clerks_read_the_outbox_and_use_its_buttons(self):
        clerk, support = self.create_user("clerk"), self.create_user("support")
        message = self.queue()
        with self.assertRaises(AccessError):
            message.with_user(clerk).write({"state": "accepted"})
        with self.assertRaises(AccessError):
            message.with_user(support).action_cancel()
        with self.assertRaises(AccessError):
            message.with_user(support).action_reveal_body()
        shown = message.with_user(clerk).action_reveal_body()
        self.assertEqual(shown["params"]["message"], "Hello")
        message.with_user(clerk).action_cancel()
        self.assertEqual(message.state, "suppressed")
        self.send()
        self.assertEqual(self.client.orders, [])

    def test_a_number_that_is_none_is_refused(self):
        message = self.queue(address="12345")
        self.assertEqual(message.state, "failed")
        self.assertIn("phone number", message.reason)

    def test_without_a_gateway_nothing_goes(self):
        self.gateway.active = False
        message = self.queue()
        self.assertEqual(message.state, "failed")
        self.assertIn("no gateway", message.reason)
