from itertools import islice

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class IspPoolMixin(models.AbstractModel):
    """What pools of IPv4 addresses and of IPv6 prefixes have in common.

    A model says by the field ``purpose`` what its addresses are for, of which ``dynamic`` is known
    here, by :meth:`_iter_free` what is free, and in ``used_count`` how much is in use.
    """

    _name = "isp.pool.mixin"
    _description = "Pool of addresses"
    _inherit = ["mail.thread"]
    _order = "name, id"
    _check_company_auto = True

    # Field of isp.ip.assignment and of isp.plan that names a pool of the model.
    _assignment_field = None
    _plan_field = None

    _privacy_free = (
        "Addresses that the operator gives out; who has one is in sessions and assignments."
    )

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    domain_id = fields.Many2one(
        "isp.routing.domain",
        "Routing domain",
        required=True,
        index=True,
        check_company=True,
        ondelete="restrict",
        compute="_compute_domain_id",
        store=True,
        readonly=False,
        precompute=True,
        help="Addresses are unique in it. Leave it unless the same private addresses are used at "
        "several places that do not reach each other.",
    )
    nas_id = fields.Many2one(
        "isp.nas", "Router", check_company=True, help="Left empty, every router may use the pool."
    )
    radius_name = fields.Char("Name on the router", tracking=True)
    note = fields.Text("Notes")
    used_count = fields.Integer("In use", compute="_compute_usage")
    used_percent = fields.Float("Used", compute="_compute_usage")
    handed_out_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="Written with each address handed out, so that two at once collide and one repeats.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_domain_id(self):
        for pool in self:
            if pool.domain_id.company_id != pool.company_id and pool.company_id:
                pool.domain_id = self.env["isp.routing.domain"]._get_default(pool.company_id)

    def _compute_usage(self):
        raise NotImplementedError

    # === CONSTRAINT METHODS === #

    @api.constrains("radius_name", "purpose")
    def _check_plans(self):
        # sudo: who looks after pools need not see plans.
        plans = self.env["isp.plan"].sudo().with_context(active_test=False)
        for plan in plans.search([(self._plan_field, "in", self.ids)]):
            plan[self._plan_field]._check_given_out(plan)

    def _check_given_out(self, plan):
        """Refuse a pool that a router cannot be told to use."""
        for pool in self:
            if pool.purpose != "dynamic" or not pool.radius_name:
                raise ValidationError(
                    self.env._(
                        "The plan “%(plan)s” takes addresses from the pool “%(pool)s”, so the pool "
                        "has to be given out by the router and needs its name on the router.",
                        plan=plan.name,
                        pool=pool.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._normalise_vals(vals)
        pools = super().create(vals_list)
        pools._link_plans()
        return pools

    def write(self, vals):
        self._normalise_vals(vals)
        res = super().write(vals)
        if {"radius_name", "purpose", "active"} & vals.keys():
            self._link_plans()
        return res

    def copy_data(self, default=None):
        raise UserError(
            self.env._("A pool cannot be duplicated: each address belongs to one pool only.")
        )

    @api.model
    def _normalise_vals(self, vals):
        """Bring ``vals`` into one spelling, in place."""
        if vals.get("radius_name"):
            vals["radius_name"] = vals["radius_name"].strip()

    def _link_plans(self):
        for company in self.company_id:
            # sudo: as above.
            self.env["isp.plan"].sudo()._link_pools(company)

    # === ACTION METHODS === #

    def action_view_assignments(self):
        """Open what was handed out of the pool."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_network.isp_ip_assignment_action"
        )
        action.update(
            domain=[(self._assignment_field, "=", self.id)], context={"search_default_active": 1}
        )
        return action

    # === BUSINESS METHODS === #

    def _take_free(self, number):
        """The next ``number`` free addresses or prefixes as text, lowest first.

        :raises UserError: when there are fewer
        """
        self.ensure_one()
        # A transaction that hands out from the same pool at this moment collides here and is
        # repeated by Odoo, instead of finding the same address free.
        # sudo: clerks hand out addresses and may not change pools.
        self.sudo().handed_out_at = fields.Datetime.now()
        self.flush_recordset()
        found = list(islice(self._iter_free(), number))
        if len(found) < number:
            raise UserError(
                self.env._(
                    "The pool “%(pool)s” has %(free)s free, and %(number)s are needed. Make it "
                    "larger, or choose another pool.",
                    pool=self.name,
                    free=len(found),
                    number=number,
                )
            )
        return found

    def _iter_free(self):
        """What is free, as text, lowest first."""
        raise NotImplementedError
