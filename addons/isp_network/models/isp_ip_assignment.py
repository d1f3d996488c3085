from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError


class IspIpAssignment(models.Model):
    """A static address or prefix of a subscription, from the day it got it to its quarantine's end.

    The rows follow ``isp.subscription.ipv4_address`` and ``delegated_prefix``; nobody writes them
    by hand. In a routing domain no address is held twice at a time: the database refuses it.
    """

    _name = "isp.ip.assignment"
    _description = "Static address"
    _order = "date_from desc, id desc"
    _rec_name = "address"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "licence",
        "retention": "network",
        "erasure": "delete",
    }
    _privacy_fields = {"address": {}}
    _privacy_facts = "date_from date_to"
    _privacy_retention = {"anchor": "date_to", "begin": "date_from"}

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    domain_id = fields.Many2one(
        "isp.routing.domain", "Routing domain", required=True, readonly=True, ondelete="restrict"
    )
    family = fields.Selection([("ipv4", "IPv4"), ("ipv6", "IPv6")], required=True, readonly=True)
    address = fields.Char(required=True, readonly=True, index=True)
    pool_id = fields.Many2one("isp.ip.pool", "IPv4 pool", readonly=True, index=True)
    ipv6_pool_id = fields.Many2one("isp.ipv6.pool", "IPv6 pool", readonly=True, index=True)
    date_from = fields.Datetime("From", required=True, readonly=True)
    date_to = fields.Datetime("Until", readonly=True, help="Empty while the subscription has it.")
    blocked_until = fields.Datetime(
        "Quarantine until",
        readonly=True,
        help="Nobody else gets the address before: what strangers still send to it, and questions "
        "of authorities about it, would reach the wrong person.",
    )
    state = fields.Selection(
        [("active", "In use"), ("quarantine", "In quarantine"), ("released", "Given back")],
        compute="_compute_state",
        search="_search_state",
    )

    _held_once = models.Constraint(
        "EXCLUDE USING gist (domain_id WITH =, (address::inet) inet_ops WITH &&,"
        " tsrange(date_from, blocked_until) WITH &&)",
        "Another subscription has this address, or it is in quarantine. Choose another one.",
    )
    _live_uniq = models.UniqueIndex(
        "(subscription_id, family) WHERE date_to IS NULL",
        "A subscription has one static address of a kind.",
    )

    @api.depends("date_to", "blocked_until")
    def _compute_state(self):
        now = fields.Datetime.now()
        for one in self:
            if not one.date_to:
                one.state = "active"
            else:
                one.state = "quarantine" if one.blocked_until > now else "released"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        now = fields.Datetime.now()
        domains = {
            "active": fields.Domain("date_to", "=", False),
            "quarantine": fields.Domain("blocked_until", ">", now),
            "released": fields.Domain("blocked_until", "<=", now),
        }
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    def action_end_quarantine(self):
        """Let others have the address now."""
        if not self.env.user.has_group("isp_base.group_isp_network"):
            raise AccessError(self.env._("Network staff ends a quarantine."))
        # sudo: nobody may write assignments but the methods of this addon.
        self.sudo()._end_quarantine()

    def _end_quarantine(self):
        for one in self.filtered(lambda a: a.state == "quarantine"):
            one.blocked_until = max(one.date_to, fields.Datetime.now())

    def _release(self):
        """Take the addresses back; they stay in quarantine for the company's days."""
        now = fields.Datetime.now()
        for company, held in self.filtered(lambda a: not a.date_to).grouped("company_id").items():
            for one in held:
                end = max(now, one.date_from)
                days = timedelta(days=company.isp_address_quarantine_days)
                one.write({"date_to": end, "blocked_until": end + days})
        self.flush_model()

    @api.model
    def _adopt_existing(self):
        """Take on the static addresses that subscriptions had before there were pools.

        Runs at each installation and upgrade. An address that two subscriptions have goes to the
        older one; the others are logged, and keep it on paper until somebody changes it.
        """
        self.env["isp.subscription"]._adopt_addresses()
