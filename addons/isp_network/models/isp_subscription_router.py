from odoo import api, fields, models


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    nas_id = fields.Many2one(
        "isp.nas",
        "Router",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        copy=False,
        tracking=True,
        help="Router that holds the login, queue or address of the service itself. Not needed where "
        "RADIUS decides: there the customer may connect anywhere.",
    )
    router_change_ids = fields.One2many("isp.nas.change", "subscription_id", readonly=True)
    router_waiting = fields.Boolean(
        "Waits for the router", compute="_compute_router_waiting", compute_sudo=True
    )

    router_limitation_ids = fields.One2many(
        "isp.nas.limitation",
        "subscription_id",
        "Not on the router",
        readonly=True,
        help="What the router cannot hold of this service, and what follows from it.",
    )
    router_limitations = fields.Text(
        "Router cannot hold", compute="_compute_router_limitations", compute_sudo=True
    )

    @api.depends("router_limitation_ids.code")
    def _compute_router_limitations(self):
        labels = dict(
            self.env["isp.nas.limitation"]._fields["code"]._description_selection(self.env)
        )
        for subscription in self:
            subscription.router_limitations = "\n".join(
                labels[one.code] for one in subscription.router_limitation_ids
            )

    def _compute_router_waiting(self):
        waiting = {
            subscription
            for [subscription] in self.env["isp.nas.change"]._read_group(
                [("subscription_id", "in", self.ids)], ["subscription_id"]
            )
        }
        for subscription in self:
            subscription.router_waiting = subscription._origin in waiting

    def write(self, vals):
        """The router that was left has to forget the service, the new one to learn it."""
        if "nas_id" not in vals:
            return super().write(vals)
        before = {subscription: subscription.nas_id for subscription in self}
        res = super().write(vals)
        moved = [
            subscription for subscription in self if before[subscription] != subscription.nas_id
        ]
        self.flush_recordset(["nas_id"])
        # sudo: clerks choose routers, what follows belongs to the mechanism.
        changes_sudo = self.env["isp.nas.change"].sudo()
        for routers in (before, {subscription: subscription.nas_id for subscription in moved}):
            changes_sudo._note({one: routers[one] for one in moved if routers[one]})
        return res
