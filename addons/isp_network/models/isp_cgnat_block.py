import ipaddress

from odoo import fields, models

from ..addresses import cgnat


class IspCgnatBlock(models.Model):
    """A private network, the public one of the same size it becomes, and the ports of each address.

    At no moment do two blocks of a routing domain share a public address and port, or a private
    address: the database refuses it.
    """

    _name = "isp.cgnat.block"
    _description = "Port block"
    _order = "pool_id, id"
    _rec_name = "private_network"

    _privacy_free = (
        "Which addresses a router translates into which; who had them is in the sessions."
    )

    pool_id = fields.Many2one(
        "isp.cgnat.pool", "Translation", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        related="pool_id.company_id", store=True, index=True, precompute=True
    )
    domain_id = fields.Many2one(related="pool_id.domain_id", store=True, precompute=True)
    nas_id = fields.Many2one(related="pool_id.nas_id", store=True, precompute=True)
    private_network = fields.Char("Private", required=True, readonly=True)
    public_network = fields.Char("Public", required=True, readonly=True)
    port_first = fields.Integer("First port", required=True, readonly=True, aggregator=None)
    port_last = fields.Integer("Last port", required=True, readonly=True, aggregator=None)
    valid_from = fields.Datetime("In force from", required=True, readonly=True)
    valid_to = fields.Datetime("In force until", readonly=True)

    _public_once = models.Constraint(
        "EXCLUDE USING gist (domain_id WITH =, (public_network::inet) inet_ops WITH &&,"
        " int4range(port_first, port_last, '[]') WITH &&,"
        " tsrange(valid_from, valid_to) WITH &&)",
        "Another translation in force uses some of these public addresses and ports. End it first.",
    )
    # The same private address may live at two routers; what is translated is told apart by them.
    _private_once = models.Constraint(
        "EXCLUDE USING gist (domain_id WITH =, COALESCE(nas_id, 0) WITH =,"
        " (private_network::inet) inet_ops WITH &&, tsrange(valid_from, valid_to) WITH &&)",
        "Another translation in force holds some of these private addresses. End it first.",
    )

    def _get_block(self):
        """The block as :mod:`addresses.cgnat` reckons with it."""
        self.ensure_one()
        return cgnat.Block(
            ipaddress.IPv4Network(self.private_network),
            ipaddress.IPv4Network(self.public_network),
            self.port_first,
            self.port_last,
        )
