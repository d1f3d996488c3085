from odoo import api, fields, models
from odoo.exceptions import UserError

_MODELS = {"ipv4": ("isp.ip.pool", "ipv4_address"), "ipv6": ("isp.ipv6.pool", "delegated_prefix")}


class IspIpAssign(models.TransientModel):
    """Gives many subscriptions a static address each."""

    _name = "isp.ip.assign"
    _description = "Assign static addresses"

    subscription_ids = fields.Many2many("isp.subscription", string="Subscriptions", required=True)
    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    family = fields.Selection([("ipv4", "IPv4"), ("ipv6", "IPv6")], required=True, default="ipv4")
    pool_id = fields.Many2one(
        "isp.ip.pool",
        "IPv4 pool",
        domain="[('company_id', '=', company_id), ('purpose', '=', 'static')]",
    )
    ipv6_pool_id = fields.Many2one(
        "isp.ipv6.pool",
        "IPv6 pool",
        domain="[('company_id', '=', company_id), ('purpose', '=', 'static')]",
    )
    keep = fields.Boolean(
        "Keep addresses they have",
        default=True,
        help="Otherwise they get new ones, and the old ones go into quarantine.",
    )
    address = fields.Char(
        "This address instead",
        groups="isp_base.group_isp_network",
        help="For one subscription: an address or prefix that may lie outside the static pools.",
    )
    summary = fields.Char(compute="_compute_summary")

    @api.model
    def default_get(self, fields_list):
        vals = super().default_get(fields_list)
        if self.env.context.get("active_model") == "isp.subscription":
            vals["subscription_ids"] = [fields.Command.set(self.env.context.get("active_ids", []))]
        return vals

    @api.depends("subscription_ids")
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard.subscription_ids.company_id[:1]

    @api.depends("subscription_ids", "family", "pool_id", "ipv6_pool_id", "keep")
    def _compute_summary(self):
        for wizard in self:
            todo, pool = wizard._get_todo(), wizard._get_pool()
            if not pool:
                wizard.summary = self.env._("%s subscriptions get an address.", len(todo))
            else:
                wizard.summary = self.env._(
                    "%(number)s subscriptions get an address; %(free)s are free.",
                    number=len(todo),
                    free=int(pool.free_count),
                )

    def action_assign(self):
        """Hand the addresses out, all of them or none."""
        self.ensure_one()
        if len(self.subscription_ids.company_id) > 1:
            raise UserError(self.env._("Choose subscriptions of one company."))
        todo = self._get_todo()
        if not todo:
            raise UserError(self.env._("All of them have an address already."))
        self._assign(todo)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Addresses assigned"),
            "res_model": "isp.ip.assignment",
            "view_mode": "list",
            "domain": [("subscription_id", "in", todo.ids), ("date_to", "=", False)],
        }

    def _assign(self, todo):
        model, field = _MODELS[self.family]
        if self.env.user.has_group("isp_base.group_isp_network") and self.address:
            if len(todo) > 1:
                raise UserError(self.env._("One address is for one subscription."))
            todo._check_may_assign()
            # sudo: network staff gives addresses and may change nothing else.
            todo.sudo().write({"address_forced": True, field: self.address})
            return
        pool = self._get_pool()
        if not pool:
            raise UserError(self.env._("Choose the pool to take the addresses from."))
        todo._assign_next(model, field, pool=pool)

    def _get_pool(self):
        return self.pool_id if self.family == "ipv4" else self.ipv6_pool_id

    def _get_todo(self):
        _model, field = _MODELS[self.family]
        todo = self.subscription_ids.filtered(lambda s: s.state != "terminated")
        return todo.filtered(lambda s: not s[field]) if self.keep else todo
