from odoo import api, fields, models

# The choice, and the name that routers are told.
_NAMES = {"ip_pool_id": "framed_pool", "ipv6_pool_id": "ipv6_pool"}
_OF_NAMES = {name: choice for choice, name in _NAMES.items()}
_DOMAIN = "[('purpose', '=', 'dynamic'), ('radius_name', '!=', False)]"


class IspPlan(models.Model):
    """The pools that a plan's customers get their addresses from.

    Routers and RADIUS know a pool by its name only, so the name is what a plan passes on. It comes
    from the pool that is chosen. A name that no pool has, such as one from before pools were kept
    here, stays as it is and is passed on as well.
    """

    _inherit = "isp.plan"

    ip_pool_id = fields.Many2one(
        "isp.ip.pool",
        "IPv4 pool",
        check_company=True,
        domain=_DOMAIN,
        ondelete="restrict",
        index="btree_not_null",
        tracking=True,
        help="The router gives out addresses from its pool of that name. Pools of several routers "
        "may share one name: choose any of them.",
    )
    ipv6_pool_id = fields.Many2one(
        "isp.ipv6.pool",
        "IPv6 pool",
        check_company=True,
        domain=_DOMAIN,
        ondelete="restrict",
        index="btree_not_null",
        tracking=True,
        help="The router gives out prefixes from its pool of that name.",
    )
    framed_pool = fields.Char(
        "IPv4 pool on the router",
        compute="_compute_framed_pool",
        store=True,
        readonly=False,
        help="Name that RADIUS and routers are told. It comes from the pool, if one is chosen.",
    )
    ipv6_pool = fields.Char(
        "IPv6 pool on the router",
        compute="_compute_ipv6_pool",
        store=True,
        readonly=False,
        help="Name that RADIUS and routers are told. It comes from the pool, if one is chosen.",
    )
    pool_note = fields.Char("Note on pools", compute="_compute_pool_note")

    # === COMPUTE METHODS === #

    @api.depends("ip_pool_id.radius_name")
    def _compute_framed_pool(self):
        for plan in self:
            plan.framed_pool = plan.ip_pool_id.radius_name

    @api.depends("ipv6_pool_id.radius_name")
    def _compute_ipv6_pool(self):
        for plan in self:
            plan.ipv6_pool = plan.ipv6_pool_id.radius_name

    @api.depends(*_NAMES, *_OF_NAMES)
    def _compute_pool_note(self):
        for plan in self:
            notes = [plan._get_pool_note(choice, name) for choice, name in _NAMES.items()]
            plan.pool_note = " ".join(filter(None, notes))

    def _get_pool_note(self, choice, name):
        if not self[name]:
            return None
        if not self[choice]:
            return self.env._(
                "No pool here has the name “%s” on the router. Routers are told it all the same; "
                "choose the pool, or add it under Network → Addresses.",
                self[name],
            )
        pools = self[choice].search(
            [("radius_name", "=", self[name]), ("company_id", "=", self.company_id.id)]
        )
        routers = pools.nas_id
        if len(routers) < len(pools):
            # One that every router may use.
            return None
        return self.env._(
            "The pool “%(pool)s” is on %(routers)s. Customers who connect at another router get no "
            "address unless it has a pool of that name.",
            pool=self[name],
            routers=", ".join(routers.mapped("name")),
        )

    # === CONSTRAINT METHODS === #

    @api.constrains(*_NAMES)
    def _check_pools(self):
        for plan in self:
            for choice in _NAMES:
                # sudo: who prices plans need not see pools.
                plan[choice].sudo()._check_given_out(plan)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._choose_pools(vals, vals.get("company_id") or self.env.company.id)
        return super().create(vals_list)

    def write(self, vals):
        if not self or not vals.keys() & (_NAMES.keys() | _OF_NAMES.keys()):
            return super().write(vals)
        # Plans of one company, as a name means another pool in another.
        for company, plans in self.grouped("company_id").items():
            own_vals = dict(vals)
            self._choose_pools(own_vals, vals.get("company_id") or company.id)
            super(IspPlan, plans).write(own_vals)
        return True

    # === BUSINESS METHODS === #

    @api.model
    def _link_pools(self, company):
        """Choose the pools whose names plans of a company carry as a text."""
        for choice, name in _NAMES.items():
            plans = self.with_context(active_test=False).search(
                [("company_id", "=", company.id), (choice, "=", False), (name, "!=", False)]
            )
            for text, named in plans.grouped(name).items():
                if pool := self._find_pool(choice, text, company.id):
                    named.write({choice: pool.id})

    # === HELPERS === #

    @api.model
    def _choose_pools(self, vals, company_id):
        """Keep choice and name in ``vals`` together: a name chooses the pool that has it."""
        for choice, name in _NAMES.items():
            if vals.get(choice):
                vals.pop(name, None)
            elif name in vals:
                text = vals[name] = (vals[name] or "").strip() or False
                vals[choice] = text and self._find_pool(choice, text, company_id).id

    @api.model
    def _find_pool(self, choice, text, company_id):
        """The pool a name stands for; one that every router may use goes before others."""
        # sudo: who prices plans need not see pools.
        pools = self.env[self._fields[choice].comodel_name].sudo()
        return pools.search(
            [
                ("company_id", "=", company_id),
                ("purpose", "=", "dynamic"),
                ("radius_name", "=", text),
            ],
            order="nas_id, id",
        ).sorted(lambda pool: bool(pool.nas_id))[:1]
