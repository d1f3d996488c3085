from odoo import api, fields, models
from odoo.exceptions import UserError

# Passed in the context by the method below; a context that arrives by RPC cannot hold it.
_CAPPING = object()


class IspSubscription(models.Model):
    """The cap of a subscription, and what it does to the service."""

    _inherit = "isp.subscription"

    cap_state = fields.Selection(
        [("throttle", "Slowed down"), ("block", "Stopped")],
        "Data volume used up",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Until the next window begins or volume is topped up.",
    )
    usage_window_ids = fields.One2many("isp.usage.window", "subscription_id", "Data volumes")
    usage_window_id = fields.Many2one(
        "isp.usage.window", "Data volume", compute="_compute_usage_window"
    )
    cap_percent = fields.Integer("Volume used (%)", compute="_compute_usage_window")
    cap_left_gb = fields.Float("Volume left (GB)", compute="_compute_usage_window")
    topup_ids = fields.One2many("isp.subscription.topup", "subscription_id", "Top-ups")

    # === COMPUTE METHODS === #

    @api.depends("usage_window_ids.state", "usage_window_ids.percent", "usage_window_ids.left_gb")
    def _compute_usage_window(self):
        for subscription in self:
            windows = subscription.usage_window_ids
            window = windows.filtered(lambda w: w.state == "current")[:1]
            subscription.usage_window_id = window
            subscription.cap_percent = window.percent
            subscription.cap_left_gb = window.left_gb

    # === CRUD METHODS === #

    def write(self, vals):
        old_plans = {subscription: subscription.plan_id for subscription in self}
        res = super().write(vals)
        if "plan_id" in vals:
            self.filtered(lambda s: old_plans[s] != s.plan_id)._follow_cap()
        return res

    @api.model
    def _refuse_foreign_state(self, vals):
        if "cap_state" in vals and self.env.context.get("isp_capping") is not _CAPPING:
            raise UserError(
                self.env._("The speed follows the volume that was used, not an entry by hand.")
            )
        return super()._refuse_foreign_state(vals)

    # === ACTION METHODS === #

    def action_topup(self):
        """Sell extra volume."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Top up"),
            "res_model": "isp.subscription.topup",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_id": self.id},
        }

    def action_view_windows(self):
        """Open the data volumes of the subscription."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_network.isp_usage_window_action"
        )
        action.update(domain=[("subscription_id", "=", self.id)], context={})
        return action

    # === BUSINESS METHODS === #

    def _get_portal_access(self):
        if self.entitlement_id.reason == "cap":
            if self.access == "walled":
                return self.env._("Stopped – data volume used up")
            return self.env._("Reduced speed – data volume used up")
        return super()._get_portal_access()

    def _set_cap_state(self, state):
        """Slow down, stop or give back; the entitlement follows in the same transaction."""
        changed = self.filtered(lambda s: (s.cap_state or False) != state)
        # sudo: whoever tops up or edits a plan need not be allowed to edit subscriptions.
        changed.sudo().with_context(isp_capping=_CAPPING).write({"cap_state": state})
        return changed

    def _follow_cap(self):
        """Let the running window follow another plan, or another cap of the plan."""
        # sudo: windows are written by the network only, whoever changes the plan.
        windows = self.env["isp.usage.window"].sudo()
        gone = self.browse()
        for subscription in self.sudo():
            window = subscription.usage_window_id
            rule = subscription.plan_id._get_cap_rule()
            if window and rule and window.period == subscription.plan_id.cap_period:
                window.write({"plan_id": subscription.plan_id.id, "included_bytes": rule.included})
                continue
            gone |= subscription
            # What was used under the other cap is settled by it, up to and including today.
            tomorrow = fields.Date.add(subscription.company_id._get_isp_today(), days=1)
            if window:
                window.write({"state": "ended", "date_to": min(window.date_to, tomorrow)})
        gone._set_cap_state(False)
        windows._open_missing(self)
        windows._sum_up(self.ids)
        windows._act(self.ids)
