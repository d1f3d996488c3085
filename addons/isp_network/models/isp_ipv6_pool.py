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
    _inherit = ["isp.pool.mixin"]

    _assignment_field = "ipv6_pool_id"
    _plan_field = "ipv6_pool_id"

    purpose = fields.Selection(
        [("dynamic", "Given out by the router"), ("static", "Static prefixes of subscriptions")],
        required=True,
        default="static",
        tracking=True,
    )
    radius_name = fields.Char(
        help="Name of the /ipv6 pool on the router. Plans send it to the router."
    )
    prefix = fields.Char(required=True, tracking=True, help="Written like 2001:db8:100::/40.")
    delegated_length = fields.Integer(
        "Length of a customer's prefix",
        required=True,
        default=56,
        tracking=True,
        help="56 gives a household 256 networks.",
    )
    total_count = fields.Float("Prefixes", digits=(32, 0), compute="_compute_usage")
    free_count = fields.Float("Free", digits=(32, 0), compute="_compute_usage")

    _overlap = models.Constraint(
        "EXCLUDE USING gist (domain_id WITH =, (prefix::inet) inet_ops WITH &&)",
        "A pool of this routing domain holds this prefix, or part of it, already.",
    )
    _delegated_length_valid = models.Constraint(
        "CHECK (delegated_length BETWEEN masklen(prefix::inet) AND 64)",
        "The length of a customer's prefix lies between that of the pool and 64.",
    )

    # === COMPUTE METHODS === #

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
        return super()._normalise_vals(vals)

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

    # === BUSINESS METHODS === #

    def _iter_free(self):
        network = self._get_network()
        size = 2 ** (128 - self.delegated_length)
        for start in free_starts(int(network[0]), int(network[-1]), size, merge(self._get_taken())):
            yield str(ipaddress.IPv6Network((start, self.delegated_length)))

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
