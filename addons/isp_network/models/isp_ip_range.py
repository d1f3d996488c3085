from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..addresses.ranges import parse_ipv4_range
from .isp_address_reasons import explained

# The same text as in the index below, so that PostgreSQL finds it.
_SPAN = (
    "int8range(first_address::inet - '0.0.0.0'::inet, last_address::inet - '0.0.0.0'::inet, '[]')"
)


class IspIpRange(models.Model):
    """Adjoining IPv4 addresses of a pool. No two ranges of a routing domain share an address."""

    _name = "isp.ip.range"
    _description = "IPv4 range"
    _order = "domain_id, first_address, id"

    _privacy_free = (
        "Addresses that the operator gives out; who has one is in sessions and assignments."
    )

    pool_id = fields.Many2one("isp.ip.pool", required=True, index=True, ondelete="cascade")
    domain_id = fields.Many2one(
        related="pool_id.domain_id", store=True, index=True, precompute=True
    )
    company_id = fields.Many2one(related="pool_id.company_id", store=True, precompute=True)
    name = fields.Char(
        "Addresses",
        required=True,
        help="A network like 103.10.0.0/24, a range like 103.10.0.10-103.10.0.99, or one address.",
    )
    first_address = fields.Char("First", readonly=True, required=True)
    last_address = fields.Char("Last", readonly=True, required=True)
    size = fields.Float(digits=(16, 0), compute="_compute_size")

    _overlap = models.Constraint(
        f"EXCLUDE USING gist (domain_id WITH =, {_SPAN} WITH &&)",
        "A pool of this routing domain holds some of these addresses already. Look for them in "
        "Network → IPv4 pools, archived ones included.",
    )

    @api.depends("first_address", "last_address")
    def _compute_size(self):
        for one in self:
            first, last = parse_ipv4_range(f"{one.first_address}-{one.last_address}")
            one.size = int(last) - int(first) + 1

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._normalise_vals(vals)
        for vals in vals_list:
            if vals.get("pool_id"):
                self.env["isp.ip.pool"].browse(vals["pool_id"])._refuse_overlap(vals)
        ranges = super().create(vals_list)
        ranges.pool_id._bind_assignments()
        return ranges

    def write(self, vals):
        self._normalise_vals(vals)
        if {"first_address", "pool_id"} & set(vals):
            self._refuse_translated()
        if "first_address" in vals:
            for one in self:
                one.pool_id._refuse_overlap(vals, but=one)
        res = super().write(vals)
        self.pool_id._bind_assignments()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_translated(self):
        self._refuse_translated()

    def _refuse_translated(self):
        """A translation in force was laid out over these addresses."""
        translations = self.env["isp.cgnat.pool"].search(
            [
                ("state", "=", "active"),
                "|",
                ("private_pool_id", "in", self.pool_id.ids),
                ("public_pool_id", "in", self.pool_id.ids),
            ],
            limit=1,
        )
        if translations:
            raise ValidationError(
                self.env._(
                    "The translation “%s” is in force over these addresses. End it first, or add "
                    "a range for more addresses.",
                    translations.name,
                )
            )

    def unlink(self):
        pools = self.pool_id
        res = super().unlink()
        pools.exists()._bind_assignments()
        return res

    @api.model
    def _normalise_vals(self, vals):
        if "name" not in vals:
            # Derived from the name only, so that both always say the same.
            vals.pop("first_address", None)
            vals.pop("last_address", None)
            return
        with explained(self.env):
            first, last = parse_ipv4_range(vals["name"] or "")
        vals["name"] = vals["name"].strip()
        vals.update(first_address=str(first), last_address=str(last))


class IspIpPool(models.Model):
    _inherit = "isp.ip.pool"

    def _refuse_overlap(self, vals, but=None):
        """Say which pool has the addresses; the constraint would only say that one has."""
        self.ensure_one()
        self.env["isp.ip.range"].flush_model()
        found = self.env.execute_query(
            SQL(
                """
                SELECT pool.name, other.name FROM isp_ip_range other
                  JOIN isp_ip_pool pool ON pool.id = other.pool_id
                 WHERE other.domain_id = %s AND other.id <> %s
                   AND int8range(other.first_address::inet - '0.0.0.0'::inet,
                                 other.last_address::inet - '0.0.0.0'::inet, '[]')
                       && int8range(%s::inet - '0.0.0.0'::inet, %s::inet - '0.0.0.0'::inet, '[]')
                 ORDER BY other.id LIMIT 1
                """,
                self.domain_id.id,
                but.id if but else 0,
                vals["first_address"],
                vals["last_address"],
            )
        )
        if found:
            [[pool, addresses]] = found
            raise ValidationError(
                self.env._(
                    "The addresses %(new)s overlap with %(old)s of the pool “%(pool)s”. An "
                    "address belongs to one pool of a routing domain only.",
                    new=vals["name"],
                    old=addresses,
                    pool=pool,
                )
            )
