import ipaddress

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..addresses.ranges import count, free_starts, merge, parse_ipv4_ranges
from .isp_address_reasons import explained

PURPOSES = [
    ("dynamic", "Given out by the router"),
    ("static", "Static addresses of subscriptions"),
    ("cgnat", "Public addresses shared by translation"),
    ("walled", "Walled garden"),
]


class IspIpPool(models.Model):
    """IPv4 addresses for one purpose.

    The database refuses two pools of a routing domain that share an address. Static addresses are
    handed out from here; dynamic ones by the router, which knows the pool by its ``radius_name``.
    """

    _name = "isp.ip.pool"
    _description = "IPv4 pool"
    _inherit = ["isp.pool.mixin"]

    _assignment_field = "pool_id"
    _plan_field = "ip_pool_id"

    purpose = fields.Selection(PURPOSES, required=True, default="dynamic", tracking=True)
    radius_name = fields.Char(
        help="Name of the /ip pool on the router. Plans send it as Framed-Pool."
    )
    range_ids = fields.One2many("isp.ip.range", "pool_id", "Ranges")
    gateway = fields.Char(help="Address of the router itself; nobody else gets it.")
    excluded = fields.Text(
        "Not handed out",
        help="Addresses and ranges that are kept back, such as the first and last address of a "
        "network, parted by commas or lines.",
    )
    total_count = fields.Float("Addresses", digits=(16, 0), compute="_compute_usage")
    held_count = fields.Integer(
        "In quarantine",
        compute="_compute_usage",
        help="Given back lately, and kept free for some days.",
    )
    free_count = fields.Float("Free", digits=(16, 0), compute="_compute_usage")

    _radius_name_uniq = models.UniqueIndex(
        "(domain_id, COALESCE(nas_id, 0), radius_name) WHERE active IS TRUE AND radius_name <> ''",
        "Another pool of this router has the same name on the router.",
    )

    # === COMPUTE METHODS === #

    @api.depends("range_ids.first_address", "range_ids.last_address", "excluded", "gateway")
    def _compute_usage(self):
        used = self._count_assigned()
        online = self._count_online()
        for pool in self:
            held = used.get((pool._origin.id, True), 0)
            busy = used.get((pool._origin.id, False), 0)
            if pool.purpose in ("dynamic", "walled"):
                busy = online.get(pool._origin.id, 0)
            ranges = pool._get_ranges()
            total = count(ranges)
            reserved = total - count(_without(ranges, pool._get_reserved()))
            pool.total_count = total
            pool.used_count = busy
            pool.held_count = held
            pool.free_count = max(0, total - reserved - busy - held)
            pool.used_percent = 100.0 * busy / (total - reserved) if total > reserved else 0.0

    def _count_assigned(self):
        """``{(pool id, in quarantine): addresses}``."""
        self.env["isp.ip.assignment"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT pool_id, date_to IS NOT NULL, count(*) FROM isp_ip_assignment
                 WHERE pool_id = ANY(%s) AND (blocked_until IS NULL OR blocked_until > %s)
                 GROUP BY 1, 2
                """,
                self._origin.ids,
                fields.Datetime.now(),
            )
        )
        return {(pool_id, held): number for pool_id, held, number in rows}

    def _count_online(self):
        """``{pool id: open sessions with an address of the pool}``, at the pool's router only."""
        self.env["isp.ip.range"].flush_model()
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT r.pool_id, count(*) FROM isp_ip_range r
                      JOIN isp_ip_pool p ON p.id = r.pool_id
                      JOIN radius.radacct a ON a.acctstoptime IS NULL
                       AND a.framedipaddress BETWEEN r.first_address::inet AND r.last_address::inet
                       AND (p.nas_id IS NULL OR a.nas_id = p.nas_id)
                     WHERE r.pool_id = ANY(%s) AND p.purpose IN ('dynamic', 'walled')
                     GROUP BY 1
                    """,
                    self._origin.ids,
                )
            )
        )

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self.range_ids._refuse_translated()
        if used := self.filtered(lambda pool: pool.used_count or pool.held_count):
            raise UserError(
                self.env._(
                    "Addresses of %(pools)s are in use or in quarantine. Archive the pool instead.",
                    pools=", ".join(used.mapped("name")),
                )
            )

    @api.model
    def _normalise_vals(self, vals):
        with explained(self.env):
            if vals.get("excluded"):
                parse_ipv4_ranges(vals["excluded"])
            if vals.get("gateway"):
                vals["gateway"] = vals["gateway"].strip()
                parse_ipv4_ranges(vals["gateway"])
        return super()._normalise_vals(vals)

    # === BUSINESS METHODS === #

    def _iter_free(self):
        taken = merge([*self._get_reserved(), *self._get_taken()])
        for first, last in self._get_ranges():
            for start in free_starts(first, last, 1, taken):
                yield str(ipaddress.IPv4Address(start))

    def _get_ranges(self):
        return merge(
            pair
            for one in self.range_ids
            for pair in parse_ipv4_ranges(f"{one.first_address}-{one.last_address}")
            if one.first_address
        )

    def _get_reserved(self):
        """Ranges of numbers that nobody gets."""
        return merge(parse_ipv4_ranges(f"{self.excluded or ''} {self.gateway or ''}"))

    def _get_taken(self):
        """Ranges of numbers in use or in quarantine in the pool's routing domain."""
        self.env["isp.ip.assignment"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT address::inet - '0.0.0.0'::inet FROM isp_ip_assignment
                 WHERE domain_id = %s AND family = 'ipv4'
                   AND (blocked_until IS NULL OR blocked_until > %s)
                """,
                self.domain_id.id,
                fields.Datetime.now(),
            )
        )
        return [(number, number) for (number,) in rows]

    def _bind_assignments(self):
        """Let the assignments of the routing domains know which pool their address is in."""
        if not self:
            return
        self.env["isp.ip.assignment"].flush_model()
        self.env["isp.ip.range"].flush_model()
        self.env.execute_query(
            SQL(
                """
                UPDATE isp_ip_assignment a SET pool_id = found.pool_id
                  FROM (SELECT x.id, (SELECT r.pool_id FROM isp_ip_range r
                                       WHERE r.domain_id = x.domain_id
                                         AND x.address::inet BETWEEN r.first_address::inet
                                             AND r.last_address::inet LIMIT 1) AS pool_id
                          FROM isp_ip_assignment x
                         WHERE x.family = 'ipv4' AND x.domain_id = ANY(%s)) found
                 WHERE a.id = found.id AND a.pool_id IS DISTINCT FROM found.pool_id
                 RETURNING a.id
                """,
                self.domain_id.ids,
            )
        )
        self.env["isp.ip.assignment"].invalidate_model(["pool_id"])


def _without(ranges, taken):
    """The parts of ``ranges`` outside ``taken``."""
    left = []
    for first, last in ranges:
        for begin, end in taken:
            if end < first or begin > last:
                continue
            if begin > first:
                left.append((first, begin - 1))
            first = end + 1
        if first <= last:
            left.append((first, last))
    return left
