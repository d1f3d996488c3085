import ipaddress

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..addresses.ranges import free_starts, merge, parse_ipv6_network
from .isp_address_reasons import explained


class IspIpv6Pool(models.Model):
    """An IPv6 network from which subscriptions get prefixes of one length."""

    _name = "isp.ipv6.pool"
    _description = "IPv6 pool"
    _inherit = ["mail.thread"]
    _order = "name, id"
    _check_company_auto = True

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
    )
    nas_id = fields.Many2one(
        "isp.nas", "Router", check_company=True, help="Left empty, every router may use the pool."
    )
    purpose = fields.Selection(
        [("dynamic", "Given out by the router"), ("static", "Static prefixes of subscriptions")],
        required=True,
        default="static",
        tracking=True,
    )
    radius_name = fields.Char(
        "Name on the router",
        tracking=True,
        help="Name of the /ipv6 pool on the router. Plans send it to the router.",
    )
    prefix = fields.Char(required=True, tracking=True, help="Written like 2001:db8:100::/40.")
    delegated_length = fields.Integer(
        "Length of a customer's prefix",
        required=True,
        default=56,
        tracking=True,
        help="56 gives a household 256 networks.",
    )
    note = fields.Text("Notes")
    total_count = fields.Float("Prefixes", digits=(32, 0), compute="_compute_usage")
    used_count = fields.Integer("In use", compute="_compute_usage")
    free_count = fields.Float("Free", digits=(32, 0), compute="_compute_usage")
    used_percent = fields.Float("Used", compute="_compute_usage")
    handed_out_at = fields.Datetime(readonly=True, copy=False)

    _overlap = models.Constraint(
        "EXCLUDE USING gist (domain_id WITH =, (prefix::inet) inet_ops WITH &&)",
        "A pool of this routing domain holds this prefix, or part of it, already.",
    )
    _delegated_length_valid = models.Constraint(
        "CHECK (delegated_length BETWEEN masklen(prefix::inet) AND 64)",
        "The length of a customer's prefix lies between that of the pool and 64.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_domain_id(self):
        for pool in self:
            if pool.domain_id.company_id != pool.company_id and pool.company_id:
                pool.domain_id = self.env["isp.routing.domain"]._get_default(pool.company_id)

    @api.depends("prefix", "delegated_length")
    def _compute_usage(self):
        used = dict(
            self.env["isp.ip.assignment"]._read_group(
                [("ipv6_pool_id", "in", self._origin.ids), ("date_to", "=", False)],
                ["ipv6_pool_id"],
                ["__count"],
            )
        )
        for pool in self:
            network = pool._get_network()
            total = 2 ** max(0, pool.delegated_length - network.prefixlen) if network else 0
            pool.total_count = total
            pool.used_count = used.get(pool._origin, 0)
            pool.free_count = max(0, total - pool.used_count)
            pool.used_percent = 100.0 * pool.used_count / total if total else 0.0

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._normalise_vals(vals)
        for vals in vals_list:
            self._refuse_overlap(vals)
        pools = super().create(vals_list)
        pools._bind_assignments()
        return pools

    def write(self, vals):
        self._normalise_vals(vals)
        if "prefix" in vals:
            for pool in self:
                pool._refuse_overlap({"domain_id": pool.domain_id.id, **vals})
        res = super().write(vals)
        if {"prefix", "domain_id"} & set(vals):
            self._bind_assignments()
        return res

    def copy_data(self, default=None):
        raise UserError(
            self.env._("A pool cannot be duplicated: each prefix belongs to one pool only.")
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if used := self.filtered("used_count"):
            raise UserError(
                self.env._(
                    "Prefixes of %(pools)s are in use. Archive the pool instead.",
                    pools=", ".join(used.mapped("name")),
                )
            )

    @api.model
    def _normalise_vals(self, vals):
        if "prefix" in vals:
            with explained(self.env):
                vals["prefix"] = str(parse_ipv6_network(vals["prefix"] or ""))

    def _refuse_overlap(self, vals):
        """Say which pool has the prefix; the constraint would only say that one has."""
        company = self.env["res.company"].browse(vals.get("company_id") or self.env.company.id)
        domain_id = vals.get("domain_id") or self.env["isp.routing.domain"]._get_default(company).id
        self.flush_model()
        found = self.env.execute_query(
            SQL(
                "SELECT name, prefix FROM isp_ipv6_pool"
                " WHERE domain_id = %s AND NOT id = ANY(%s) AND prefix::inet && %s::inet LIMIT 1",
                domain_id,
                self.ids,
                vals["prefix"],
            )
        )
        if found:
            [[name, prefix]] = found
            raise ValidationError(
                self.env._(
                    "The prefix %(new)s overlaps with %(old)s of the pool “%(pool)s”.",
                    new=vals["prefix"],
                    old=prefix,
                    pool=name,
                )
            )

    # === ACTION METHODS === #

    def action_view_assignments(self):
        """Open the prefixes of the pool that were handed out."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_network.isp_ip_assignment_action"
        )
        action.update(domain=[("ipv6_pool_id", "=", self.id)], context={"search_default_active": 1})
        return action

    # === BUSINESS METHODS === #

    def _take_free(self, number):
        """The next ``number`` free prefixes as text, lowest first.

        :raises UserError: when there are fewer
        """
        self.ensure_one()
        # See isp.ip.pool: of two that hand out at once, one is repeated.
        # sudo: clerks hand out prefixes and may not change pools.
        self.sudo().handed_out_at = fields.Datetime.now()
        self.flush_recordset()
        network = self._get_network()
        found = []
        size = 2 ** (128 - self.delegated_length)
        for start in free_starts(int(network[0]), int(network[-1]), size, merge(self._get_taken())):
            if len(found) == number:
                break
            found.append(str(ipaddress.IPv6Network((start, self.delegated_length))))
        if len(found) < number:
            raise UserError(
                self.env._(
                    "The pool “%(pool)s” has %(free)s free prefixes, and %(number)s are needed.",
                    pool=self.name,
                    free=len(found),
                    number=number,
                )
            )
        return found

    def _get_network(self):
        return ipaddress.IPv6Network(self.prefix) if self.prefix else None

    def _get_taken(self):
        self.env["isp.ip.assignment"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT address FROM isp_ip_assignment
                 WHERE domain_id = %s AND family = 'ipv6' AND address::inet && %s::inet
                   AND (blocked_until IS NULL OR blocked_until > %s)
                """,
                self.domain_id.id,
                self.prefix,
                fields.Datetime.now(),
            )
        )
        networks = [ipaddress.IPv6Network(address) for (address,) in rows]
        return [(int(network[0]), int(network[-1])) for network in networks]

    def _bind_assignments(self):
        """Let the assignments of the routing domains know which pool their prefix is in."""
        self.env["isp.ip.assignment"].flush_model()
        self.flush_model()
        self.env.execute_query(
            SQL(
                """
                UPDATE isp_ip_assignment a SET ipv6_pool_id = found.pool_id
                  FROM (SELECT x.id, (SELECT p.id FROM isp_ipv6_pool p
                                       WHERE p.domain_id = x.domain_id
                                         AND p.prefix::inet >>= x.address::inet) AS pool_id
                          FROM isp_ip_assignment x
                         WHERE x.family = 'ipv6' AND x.domain_id = ANY(%s)) found
                 WHERE a.id = found.id AND a.ipv6_pool_id IS DISTINCT FROM found.pool_id
                 RETURNING a.id
                """,
                self.domain_id.ids,
            )
        )
        self.env["isp.ip.assignment"].invalidate_model(["ipv6_pool_id"])
