from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL


class IspSubscription(models.Model):
    """What a subscription's sessions are told while they are online."""

    _inherit = "isp.subscription"

    network_order_ids = fields.One2many("isp.network.order", "subscription_id", readonly=True)
    failed_order_count = fields.Integer("Not applied", compute="_compute_network_orders")
    pending_order_count = fields.Integer("Waiting changes", compute="_compute_network_orders")
    order_problem = fields.Char(
        "Why it is not applied",
        compute="_compute_network_orders",
        help="What kept the router from applying the newest change.",
    )

    # === COMPUTE METHODS === #

    def _compute_network_orders(self):
        orders = self.env["isp.network.order"]
        domain = Domain("subscription_id", "in", self._origin.ids)
        domain &= orders._get_open_domain() | Domain("state", "=", "failed")
        by_subscription = orders.search(domain).grouped("subscription_id")
        for subscription in self:
            own = by_subscription.get(subscription._origin, orders)
            failed = own.filtered(lambda order: order.state == "failed")
            subscription.failed_order_count = len(failed)
            subscription.pending_order_count = len(own - failed)
            troubled = failed or own.filtered("message")
            subscription.order_problem = troubled[:1].message

    # === ACTIONS === #

    def action_view_network_orders(self):
        """Open what the sessions of the subscription were told."""
        return self._open_radius_action("isp_network.isp_network_order_action")

    def action_network_disconnect(self):
        """End the sessions that are online; the subscriber may log in again at once."""
        self.check_access("read")
        reason = self.env._("Asked for by %s", self.env.user.name)
        if not (orders := self._network_disconnect(reason)):
            raise UserError(self.env._("The subscription is not online."))
        return self.env["isp.radius.session"]._notify_disconnect(len(orders))

    # === BUSINESS METHODS === #

    def _network_refresh(self, reason):
        """Tell the sessions that are online what their service is now.

        Changes of the entitlement are noticed without this; it gives them a reason, and makes
        sure that a session hears of its service again although nothing has changed.

        :return: the orders
        """
        # sudo: who changes a service need not look after routers.
        orders = self.env["isp.network.order"].sudo()
        self.env["isp.entitlement"].flush_model()
        made = orders._collect_changes(reason)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.acctuniqueid, x.id FROM radius.radacct_open s
                CROSS JOIN (SELECT pg_current_xact_id()::text) x (id)
                WHERE s.subscription_id = ANY(%s) AND NOT EXISTS (
                    SELECT FROM isp_network_order o
                    WHERE o.session_uid = s.acctuniqueid AND o.xact = x.id)
                """,
                self.ids,
            )
        )
        made |= orders._create_for_sessions(
            {uid: {"kind": "coa", "reason": reason, "xact": xact} for uid, xact in rows}
        )
        return made.filtered(lambda order: order.subscription_id in self)

    def _network_disconnect(self, reason):
        """End the sessions that are online.

        :return: the orders
        """
        # sudo: who may end a session need not look after routers.
        return (
            self.env["isp.network.order"]
            .sudo()
            ._disconnect_sessions(SQL("s.subscription_id = ANY(%s)", self.ids), reason)
        )
