from odoo import fields
from odoo.tests import tagged

from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestEvent(GatewayCase):
    def test_a_message_is_received_once(self):
        events = self.env["isp.gateway.event"]
        self.assertTrue(events._receive(self.provider, "m-1", "paid"))
        self.assertFalse(events._receive(self.provider, "m-1", "paid"))
        self.assertTrue(events._receive(self.provider, "m-2", "paid"))

    def test_the_message_id_is_one_gateways_own(self):
        other = self.create_provider(self.company, self.journal, name="Other")
        events = self.env["isp.gateway.event"]
        self.assertTrue(events._receive(self.provider, "m-1"))
        self.assertTrue(events._receive(other, "m-1"))

    def test_two_workers_receive_the_same_message(self):
        """The look before the write does not see the other worker's row."""
        events = self.env["isp.gateway.event"]
        events._receive(self.provider, "m-1")
        self.patch(self.registry["isp.gateway.event"], "search_count", lambda *args, **kw: 0)
        self.assertFalse(events._receive(self.provider, "m-1"))

    def test_the_digest_does_not_depend_on_the_order(self):
        digest = self.env["isp.gateway.event"]._digest
        self.assertEqual(digest({"a": 1, "b": 2}), digest({"b": 2, "a": 1}))
        self.assertNotEqual(digest({"a": 1}), digest({"a": 2}))
        self.assertFalse(digest(None))

    def test_old_noise_goes_and_the_rest_stays(self):
        tx = self.create_tx()
        events = self.env["isp.gateway.event"]
        noise = events._note(tx, "job", "pending", "")
        paid = events._note(tx, "job", "paid", "")
        (noise | paid).last_at = fields.Datetime.subtract(fields.Datetime.now(), days=91)
        fresh = events._note(tx, "job", "pending", "")
        events._gc_noise()
        self.assertFalse(noise.exists())
        self.assertTrue((paid | fresh).exists() == paid | fresh)
