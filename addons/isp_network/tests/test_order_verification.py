from odoo.tests import tagged

from .order_common import NetworkOrderCase


@tagged("post_install", "-at_install")
class TestOrdersVerified(NetworkOrderCase):
    """Whether sessions do what their routers promised."""

    def test_a_disconnect_is_verified_by_the_stop(self):
        order = self.order_suspension()
        self.run_job()
        self.follow_up()
        self.assertEqual(order.state, "acked", "nothing heard yet")
        self.log_out()
        self.follow_up()
        self.assertEqual(order.state, "verified")

    def test_a_speed_is_verified_by_the_next_interim(self):
        order = self.order_speed()
        self.run_job()
        self.hear("2027-03-10 05:59:00")
        self.follow_up()
        self.assertEqual(order.state, "acked", "that was before")
        self.hear("2027-03-10 06:05:00")
        self.follow_up()
        self.assertEqual(order.state, "verified")

    def test_a_router_that_confirms_and_does_nothing_is_found_out(self):
        order = self.order_suspension()
        self.run_job()
        self.hear("2027-03-10 06:00:05")
        self.follow_up()
        self.assertEqual(order.state, "acked", "it may have been on its way")
        self.hear("2027-03-10 06:05:00")
        self.follow_up()
        self.assertEqual(order.state, "sent")
        self.assertIn("goes on", order.message)
        with self.at("2027-03-10 06:06:00"):
            self.follow_up()
            self.assertEqual(len(self.run_job()), 1, "it is told again")

    def test_a_failed_order_is_settled_by_the_end_of_the_session(self):
        order = self.order_speed()
        self.routers.refuse("Unsupported-Attribute")
        self.run_job()
        self.log_out()
        self.follow_up()
        self.assertEqual(order.state, "gone")
        self.assertFalse(self.subscription.failed_order_count)

    def test_an_order_whose_job_was_lost_is_queued_again(self):
        self.order_speed()
        self.env.cr.execute("UPDATE isp_network_order SET create_date = '2027-03-10 06:00:00'")
        with self.at("2027-03-10 06:00:30"):
            self.follow_up()
            self.trap.assert_jobs_count(0)
        self.env.cr.execute("UPDATE isp_network_order SET create_date = '2027-03-10 05:00:00'")
        self.env.invalidate_all()
        self.follow_up()
        self.trap.assert_jobs_count(1, only=self.nas._job_send_orders)
