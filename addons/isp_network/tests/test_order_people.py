from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .order_common import NetworkOrderCase


@tagged("post_install", "-at_install")
class TestOrdersForPeople(NetworkOrderCase):
    """Who may do what with orders, and sees them where."""

    def test_support_disconnects_sessions_and_engineers_send_again(self):
        support, engineer = self.create_user("support"), self.create_user("network")
        session = self.env["isp.radius.session"].search(
            [("subscription_id", "=", self.subscription.id)]
        )
        orders = self.orders_of(lambda: session.with_user(support).action_disconnect())
        self.assertRecordValues(
            orders, [{"kind": "disconnect", "forced": True, "state": "pending"}]
        )
        self.assertIn(support.name, orders.reason)
        again = self.orders_of(
            lambda: self.subscription.with_user(support).action_network_disconnect()
        )
        self.assertEqual([kind for kind, _attributes in self.run_job()], ["disconnect"])
        self.assertEqual((orders.state, again.state), ("gone", "acked"))
        again.state = "failed"
        with self.assertRaises(UserError):
            again.with_user(support).action_resend()
        with self.assertRaises(AccessError):
            again.with_user(engineer).write({"state": "verified"})
        with trap_jobs() as trap:
            again.with_user(engineer).action_resend()
            trap.assert_jobs_count(1, only=self.nas._job_send_orders)
        self.assertRecordValues(again, [{"state": "pending", "attempts": 0}])
        again.with_user(engineer).action_give_up()
        self.assertEqual(again.state, "gone")
        with self.assertRaises(UserError):
            again.with_user(engineer).action_resend()

    def test_a_closed_session_cannot_be_disconnected(self):
        session = self.env["isp.radius.session"].search(
            [("subscription_id", "=", self.subscription.id)]
        )
        self.log_out()
        session.invalidate_recordset()
        with self.assertRaises(UserError):
            session.action_disconnect()
        with self.assertRaises(UserError):
            self.subscription.action_network_disconnect()

    def test_customers_do_not_end_sessions(self):
        portal = self.env["res.users"].create(
            {
                "name": "Karim",
                "login": "karim@portal",
                "partner_id": self.customer.id,
                "group_ids": [fields.Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        with self.assertRaises(AccessError):
            self.subscription.with_user(portal).action_network_disconnect()

    def test_companies_do_not_see_each_others_orders(self):
        other = self.env["res.company"].create({"name": "Other provider"})
        order = self.order_speed()
        support = self.create_user("support")
        self.assertIn(order, self.Order.with_user(support).search([]))
        order.sudo().company_id = other
        self.assertNotIn(order, self.Order.with_user(support).search([]))

    def test_the_router_sends_everything_again(self):
        order = self.order_speed()
        self.routers.refuse("Unsupported-Attribute")
        self.run_job()
        self.nas.with_user(self.create_user("network")).action_resend_orders()
        self.assertEqual(order.state, "pending")
        self.assertEqual((self.nas.pending_order_count, self.nas.failed_order_count), (1, 0))
        action = self.nas.action_view_orders()
        self.assertIn(order, self.Order.search(action["domain"]))
        self.subscription.action_view_network_orders()

    def test_the_screens_can_be_built(self):
        for model in ("isp.network.order", "isp.nas", "isp.radius.session", "isp.subscription"):
            views = self.env[model].get_views([(False, "list"), (False, "form"), (False, "search")])
            self.assertEqual(set(views["views"]), {"list", "form", "search"})

    def test_old_orders_are_thrown_away(self):
        order = self.order_speed()
        order.sudo().state = "verified"
        self.env.flush_all()
        self.env.cr.execute("UPDATE isp_network_order SET create_date = '2026-11-01'")
        self.Order._gc_orders()
        self.assertFalse(order.exists())
