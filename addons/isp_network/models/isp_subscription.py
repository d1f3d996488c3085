from datetime import timedelta

from odoo import fields, models


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    online_session_count = fields.Integer(
        "Online sessions", compute="_compute_online_session_count"
    )
    rejected_login_count = fields.Integer(
        "Rejected logins", compute="_compute_rejected_login_count", help="In the last 24 hours."
    )

    # === COMPUTE METHODS === #

    def _compute_online_session_count(self):
        counts = self._count_by_subscription("isp.radius.session", [("state", "=", "online")])
        for subscription in self:
            subscription.online_session_count = counts.get(subscription._origin, 0)

    def _compute_rejected_login_count(self):
        since = fields.Datetime.now() - timedelta(hours=24)
        counts = self._count_by_subscription(
            "isp.radius.attempt", [("result", "=", "rejected"), ("date", ">=", since)]
        )
        for subscription in self:
            subscription.rejected_login_count = counts.get(subscription._origin, 0)

    def _count_by_subscription(self, model, domain):
        return dict(
            self.env[model]._read_group(
                [("subscription_id", "in", self._origin.ids), *domain],
                ["subscription_id"],
                ["__count"],
            )
        )

    # === ACTION METHODS === #

    def action_view_sessions(self):
        """Open the sessions of the subscription."""
        return self._open_radius_action("isp_network.isp_radius_session_action")

    def action_view_attempts(self):
        """Open the login attempts of the subscription."""
        return self._open_radius_action("isp_network.isp_radius_attempt_action")

    def _open_radius_action(self, xmlid):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        action.update(domain=[("subscription_id", "=", self.id)], context={})
        return action
