from odoo import api, fields, models
from odoo.exceptions import UserError

from ..addresses import cgnat


class IspCgnatPool(models.Model):
    """Private addresses that share public ones, each with its own block of ports.

    The blocks follow from the two pools by arithmetic and are fixed when the translation is put in
    force, so that the address and port of a year ago still lead to one session. To change the
    translation, end it and put another in force.
    """

    _name = "isp.cgnat.pool"
    _description = "Address translation (CGNAT)"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _check_company_auto = True

    _privacy_free = "Address translation of a router; who had which block is found from sessions."

    name = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    private_pool_id = fields.Many2one(
        "isp.ip.pool",
        "Private addresses",
        required=True,
        check_company=True,
        ondelete="restrict",
        domain="[('purpose', '=', 'dynamic')]",
    )
    public_pool_id = fields.Many2one(
        "isp.ip.pool",
        "Public addresses",
        required=True,
        check_company=True,
        ondelete="restrict",
        domain="[('purpose', '=', 'cgnat')]",
    )
    domain_id = fields.Many2one(
        related="public_pool_id.domain_id", store=True, index=True, precompute=True
    )
    nas_id = fields.Many2one(
        "isp.nas",
        "Router",
        check_company=True,
        help="The router whose sessions have these private addresses. Needed where the same "
        "private addresses are used at several routers.",
    )
    ports_per_block = fields.Integer("Ports per customer", required=True, default=2016)
    port_first = fields.Integer(
        "First port", required=True, default=1024, help="Lower ones are not used."
    )
    sharing = fields.Integer("Customers per public address", compute="_compute_sharing")
    interface_list = fields.Char(
        "Outgoing interface list", required=True, default="WAN", help="As the router names it."
    )
    state = fields.Selection(
        [("draft", "Draft"), ("active", "In force"), ("ended", "Ended")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    valid_from = fields.Datetime(
        "In force from", copy=False, help="Left empty, from the moment of the button."
    )
    valid_to = fields.Datetime("In force until", readonly=True, copy=False)
    block_ids = fields.One2many("isp.cgnat.block", "pool_id", "Port blocks", readonly=True)
    router_commands = fields.Text("Commands for the router", compute="_compute_router_commands")

    _ports_valid = models.Constraint(
        "CHECK (ports_per_block BETWEEN 64 AND 64512 AND port_first BETWEEN 1024 AND 65472"
        " AND port_first + ports_per_block - 1 <= 65535)",
        "A customer has at least 64 ports, and ports lie between 1024 and 65535.",
    )

    # === COMPUTE METHODS === #

    @api.depends("ports_per_block", "port_first")
    def _compute_sharing(self):
        for pool in self:
            size = pool.ports_per_block
            pool.sharing = cgnat.sharing(size, pool.port_first) if size > 0 else 0

    @api.depends("block_ids", "interface_list")
    def _compute_router_commands(self):
        for pool in self:
            blocks = [(block.id, block._get_block()) for block in pool.block_ids.sorted("id")]
            pool.router_commands = (
                cgnat.routeros_commands(blocks, pool.interface_list) if blocks else False
            )

    # === CRUD METHODS === #

    def write(self, vals):
        fixed = {"private_pool_id", "public_pool_id", "ports_per_block", "port_first", "valid_from"}
        if (fixed | {"company_id", "nas_id"}) & set(vals) and self.filtered(
            lambda pool: pool.state != "draft"
        ):
            raise UserError(
                self.env._(
                    "A translation that was in force is evidence and is not changed. End it, and "
                    "put another in force."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.filtered(lambda pool: pool.state != "draft"):
            raise UserError(
                self.env._("A translation that was in force is evidence and cannot be deleted.")
            )

    # === ACTION METHODS === #

    def action_put_in_force(self):
        """Compute the blocks and let them count from ``valid_from``."""
        for pool in self.filtered(lambda pool: pool.state == "draft"):
            begin = pool.valid_from or fields.Datetime.now()
            blocks = pool._layout()
            # sudo: blocks are written by this method and the next one only.
            self.env["isp.cgnat.block"].sudo().create(
                [pool._prepare_block_vals(block, begin) for block in blocks]
            )
            pool.write({"valid_from": begin, "state": "active"})

    def action_end(self):
        """Let the translation count until now. What it was stays on record."""
        now = fields.Datetime.now()
        for pool in self.filtered(lambda pool: pool.state == "active"):
            end = max(now, pool.valid_from)
            pool.block_ids.sudo().write({"valid_to": end})
            # Before another translation is put in force, or the database sees two.
            pool.block_ids.flush_recordset()
            pool.write({"state": "ended", "valid_to": end})

    # === HELPERS === #

    def _layout(self):
        """The blocks of the pools as they are now.

        :raises UserError: when some private addresses would get no ports
        """
        self.ensure_one()
        private, public = self.private_pool_id, self.public_pool_id
        if private.purpose != "dynamic" or public.purpose != "cgnat":
            raise UserError(
                self.env._(
                    "Private addresses come from a pool given out by the router, public ones from "
                    "a pool shared by translation."
                )
            )
        blocks, left_over = cgnat.layout(
            private._get_ranges(), public._get_ranges(), self.ports_per_block, self.port_first
        )
        if not blocks:
            raise UserError(self.env._("One of the two pools has no addresses."))
        if left_over:
            raise UserError(
                self.env._(
                    "%(number)s private addresses would have no ports: %(sharing)s customers share "
                    "a public address. Add public addresses, or give each customer fewer ports.",
                    number=left_over,
                    sharing=self.sharing,
                )
            )
        return blocks

    def _prepare_block_vals(self, block, begin):
        return {
            "pool_id": self.id,
            "private_network": str(block.private),
            "public_network": str(block.public),
            "port_first": block.port_first,
            "port_last": block.port_last,
            "valid_from": begin,
        }
