from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from ..routeros import connection, errors
from .fake_router import FakeRouter
from .order_common import NetworkOrderCase

ACTIVE = "/ppp/active"


@tagged("post_install", "-at_install")
class TestOrdersOverApi(NetworkOrderCase):
    """Routers that take no order by RADIUS, and have an API account."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nas.write({"routeros_user": "isp", "routeros_password": "api-password"})

    def setUp(self):
        super().setUp()
        self.router = FakeRouter(connection, errors)
        self.opened = 0
        self.away = False

        def open_router(_nas):
            self.opened += 1
            if self.away:
                raise errors.Unreachable("No route to host")
            return self.router

        patcher = patch.object(type(self.nas), "_open_router", open_router)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.go_online()

    def go_online(self, name="Karim", number="0x81000001", address="10.0.0.5"):
        return self.router.add(ACTIVE, name=name, session_id=number, address=address, uptime="1h")

    @property
    def online(self):
        return [row["session-id"] for row in self.router.rows(ACTIVE).values()]

    def api_jobs(self):
        return [
            job for job in self.trap.enqueued_jobs if job.method_name == "_job_send_orders_over_api"
        ]

    def run_api(self):
        with trap_jobs() as self.trap:
            result = self.nas._job_send_orders_over_api()
        self.env.flush_all()
        return result

    # === WHEN === #

    def test_silence_ends_the_session_over_the_api_in_its_own_channel(self):
        order = self.order_suspension()
        self.routers.fall_silent()
        self.run_job()
        [job] = self.api_jobs()
        self.assertEqual(job.channel, f"root.isp_routeros.nas_{self.nas.id}")
        self.assertRecordValues(order, [{"state": "sent", "api_due": True, "way": False}])
        # Another customer, and a later session of the same one, stay.
        self.go_online("rahim", "0x81000002", "10.0.0.6")
        self.go_online("karim", "0x81000003", "10.0.0.7")
        self.assertEqual(self.run_api(), "done")
        self.assertEqual(self.online, ["0x81000002", "0x81000003"])
        self.assertRecordValues(
            order, [{"state": "acked", "way": "api", "api_due": False, "error_cause": False}]
        )
        self.assertIn("ended over the RouterOS API", order.message)
        self.log_out()
        self.follow_up()
        self.assertRecordValues(order, [{"state": "verified", "way": "api"}])

    def test_what_radius_takes_is_not_asked_of_the_api(self):
        order = self.order_suspension()
        self.run_job()
        self.assertFalse(self.api_jobs())
        self.assertRecordValues(order, [{"state": "acked", "way": "coa"}])
        self.assertEqual(self.run_api(), "nothing to do")
        self.assertFalse(self.opened)

    def test_a_lasting_refusal_of_a_speed_ends_the_session(self):
        order = self.order_speed()
        self.routers.refuse("Unsupported-Service")
        self.run_job()
        self.assertEqual(len(self.api_jobs()), 1)
        self.assertEqual(self.subscription.failed_order_count, 0)
        self.run_api()
        self.assertFalse(self.online)
        # The speed came by a new login, so it is the end that accounting has to show.
        self.assertRecordValues(order, [{"state": "acked", "kind": "disconnect", "way": "api"}])
        self.assertFalse(order.sent_values)

    def test_a_passing_refusal_is_no_reason(self):
        self.order_suspension()
        self.routers.refuse("Resources-Unavailable")
        self.run_job()
        self.assertFalse(self.api_jobs())

    def test_a_speed_is_asked_twice_before_the_session_is_ended(self):
        self.order_speed()
        self.routers.fall_silent()
        self.run_job()
        self.assertFalse(self.api_jobs())
        with self.at("2027-03-10 06:00:06"):
            self.run_job()
        self.assertEqual(len(self.api_jobs()), 1)

    def test_a_router_that_fell_silent_lately_is_asked_over_the_api_at_once(self):
        self.order_suspension()
        self.routers.fall_silent()
        self.run_job()
        self.run_api()
        uid = self.log_in(self.subscription, number=2)
        self.go_online("karim", "0x81000002")
        self.orders_of(lambda: self.subscription._network_disconnect("Asked for"))
        order = self.Order.search([("session_uid", "=", uid)])
        self.assertEqual(self.run_job(), [], "RADIUS is left alone")
        self.assertEqual(len(self.api_jobs()), 1)
        self.run_api()
        self.assertEqual(order.way, "api")
        self.assertFalse(self.online)

    # === WITHOUT AN API === #

    def test_without_an_account_it_stays_as_it_was(self):
        for vals in ({"routeros_password": False}, {"nas_type": "other"}):
            self.nas.write({"routeros_password": "api-password", "nas_type": "mikrotik"})
            self.nas.write(vals)
            with self.subTest(vals):
                order = self.orders_of(lambda: self.subscription._network_disconnect("Asked for"))
                self.routers.refuse("Administratively-Prohibited")
                with self.at("2027-03-10 07:00:00"):
                    self.run_job()
                self.assertEqual(order.state, "failed")
                self.assertFalse(self.api_jobs())

    # === WHEN THE API FAILS AS WELL === #

    def test_a_router_that_is_away_is_said_for_both_ways_and_left_alone(self):
        order = self.order_suspension()
        self.routers.fall_silent()
        self.run_job()
        self.away = True
        self.assertIn("No route", self.run_api())
        self.assertRecordValues(order, [{"state": "sent", "way": False, "api_due": False}])
        self.assertIn("The router does not answer.", order.message)
        self.assertIn("Core cannot be reached", order.message)
        with self.at("2027-03-10 06:00:30"):
            self.run_job()
            self.assertFalse(self.api_jobs(), "the API has its pause too")
        self.away = False
        with self.at("2027-03-10 06:02:00"):
            self.run_job()
            self.assertEqual(len(self.api_jobs()), 1)
            self.run_api()
        self.assertRecordValues(order, [{"state": "acked", "way": "api"}])

    def test_missing_rights_are_said(self):
        order = self.order_suspension()
        self.routers.refuse("Administratively-Prohibited")
        self.run_job()

        def refuse(words):
            if words[0] == f"{ACTIVE}/remove":
                raise errors.classify("not enough permissions (9)")

        self.router.before = refuse
        self.assertIn("not enough permissions", self.run_api())
        self.assertIn("Administratively-Prohibited", order.message)
        self.assertIn("has too few rights", order.message)
        self.assertEqual(self.online, ["0x81000001"])
        self.assertIn(order.state, ("sent", "failed"))

    def test_a_session_that_the_router_does_not_have_is_done(self):
        order = self.order_suspension()
        self.routers.fall_silent()
        self.run_job()
        self.router.menus.clear()
        self.run_api()
        self.assertEqual((order.state, order.way), ("acked", "api"))
        self.assertIn("no such session", order.message)
        # Accounting has the last word.
        self.hear("2027-03-10 06:05:00")
        self.follow_up()
        self.assertEqual(order.state, "sent")

    def test_an_order_that_was_taken_back_ends_nothing(self):
        order = self.order_suspension()
        self.routers.fall_silent()
        self.run_job()
        self.log_out()
        self.run_api()
        self.assertEqual(order.state, "gone")
        self.assertEqual(self.online, ["0x81000001"])
        self.assertFalse(self.opened)

    def test_resend_begins_with_radius_again(self):
        order = self.order_suspension()
        self.routers.fall_silent()
        self.run_job()
        order.with_user(self.create_user("network")).action_resend()
        self.assertFalse(order.api_due)
        self.assertEqual(self.run_api(), "nothing to do")
