from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .order_common import NetworkOrderCase


@tagged("post_install", "-at_install")
class TestOrdersOfTime(NetworkOrderCase):
    """Prepaid time that is bought while the customer is online reaches the session."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan_home.write({"session_timeout_s": 0})
        cls.log_out_all()

    @classmethod
    def log_out_all(cls):
        cls.env.cr.execute("DELETE FROM radius.radacct")

    def setUp(self):
        super().setUp()
        self.env.cr.execute("SELECT now() AT TIME ZONE 'UTC'")
        # PostgreSQL's clock is real, whatever Python is told.
        [self.now] = self.env.cr.fetchone()
        self.paid_until(hours=1)
        self.env.cr.flush()
        self.forget_changes()
        self.uid = self.log_in(self.subscription, since="now() - interval '30 min'")

    def paid_until(self, **delta):
        """As billing writes it."""
        entitlement = self.subscription.entitlement_id
        entitlement.valid_until = fields.Datetime.to_string(self.now + timedelta(**delta))

    def forget_changes(self):
        """What happened so far was long ago."""
        self.next_transaction()
        self.env.cr.execute("DELETE FROM radius.change")
        self.env.cr.execute("DELETE FROM isp_network_order")
        self.env.invalidate_all()

    def extend(self, **delta):
        return self.orders_of(lambda: self.paid_until(**delta))

    def sent_timeout(self):
        [(kind, attributes)] = self.run_job()
        self.assertEqual(kind, "coa")
        return attributes

    def test_the_session_is_given_its_new_time_from_its_beginning(self):
        order = self.extend(hours=3)
        self.assertRecordValues(order, [{"kind": "extend", "state": "pending"}])
        self.assertRegex(order.reason, r"^until .+ → .+ UTC$")
        attributes = self.sent_timeout()
        # Half an hour online and three to go.
        self.assertAlmostEqual(attributes.pop("Session-Timeout"), 3.5 * 3600, delta=60)
        self.assertEqual(attributes, self.IDENTITY, "and nothing else")
        self.assertEqual(order.state, "acked")
        self.hear("2027-03-10 06:05:00")
        self.follow_up()
        self.assertEqual(order.state, "verified")

    def test_the_plan_still_ends_sessions(self):
        self.plan_home.session_timeout_s = 7200
        # The plan derives the entitlement again.
        self.env.flush_all()
        self.paid_until(hours=1)
        self.env.cr.flush()
        self.forget_changes()
        self.extend(hours=3)
        self.assertEqual(self.sent_timeout()["Session-Timeout"], 7200)

    def test_a_router_that_does_not_take_it_is_left_alone(self):
        self.nas.write({"routeros_user": "isp", "routeros_password": "api-password"})
        order = self.extend(hours=3)
        self.routers.refuse("Unsupported-Attribute")
        self.run_job()
        self.assertEqual(order.state, "gone")
        self.assertIn("the customer logs in again", order.message)
        self.assertFalse(self.subscription.failed_order_count)
        self.trap.assert_jobs_count(0)

    def test_silence_is_tried_again_and_then_left(self):
        self.nas.write({"routeros_user": "isp", "routeros_password": "api-password"})
        order = self.extend(hours=3)
        self.routers.fall_silent()
        moment = fields.Datetime.now()
        for _attempt in range(8):
            moment += timedelta(hours=1)
            with self.at(fields.Datetime.to_string(moment)):
                self.run_job()
            self.assertFalse(order.api_due)
        self.assertEqual(order.state, "gone")
        self.assertFalse(self.subscription.failed_order_count)

    def test_a_speed_goes_on_without_the_time_a_router_refuses(self):
        def change():
            self.plan_home.upload_kbps = 20480
            self.env.flush_all()
            self.paid_until(hours=3)

        order = self.orders_of(change)
        self.assertEqual(order.kind, "coa")
        self.routers.refuse("Unsupported-Attribute")
        [(_kind, attributes)] = self.run_job()
        self.assertIn("Session-Timeout", attributes)
        self.assertIn("Mikrotik-Rate-Limit", attributes)
        self.assertEqual(order.state, "sent")
        self.routers.answer = lambda request: self.routers.__class__().answer(request)
        [(_kind, attributes)] = self.run_job()
        self.assertNotIn("Session-Timeout", attributes)
        self.assertIn("Mikrotik-Rate-Limit", attributes)
        self.assertEqual(order.state, "acked")

    def test_a_service_that_ends_earlier_still_ends_the_session(self):
        self.assertEqual(self.extend(minutes=-40).kind, "disconnect")

    def test_a_session_that_goes_on_after_its_service_is_ended_once(self):
        self.paid_until(minutes=-10)
        self.env.cr.flush()
        self.forget_changes()
        # Not heard since.
        self.env.cr.execute("UPDATE radius.radacct SET acctupdatetime = now() - interval '12 min'")
        self.follow_up()
        self.assertFalse(self.Order.search([]))
        self.env.cr.execute("UPDATE radius.radacct SET acctupdatetime = now()")
        self.follow_up()
        order = self.Order.search([])
        self.assertRecordValues(order, [{"kind": "disconnect", "reason": "The service is over"}])
        self.env.cr.execute("UPDATE isp_network_order SET create_date = now() AT TIME ZONE 'UTC'")
        self.follow_up()
        self.assertEqual(self.Order.search([]), order)
        self.assertEqual(self.run_job(), [("disconnect", self.IDENTITY)])

    def test_a_walled_session_after_the_end_is_left_alone(self):
        self.paid_until(minutes=-40)
        self.env.cr.flush()
        self.forget_changes()
        self.env.cr.execute("UPDATE radius.radacct SET acctupdatetime = now()")
        self.follow_up()
        self.assertFalse(self.Order.search([]))
