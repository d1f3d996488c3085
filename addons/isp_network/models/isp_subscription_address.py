import ipaddress
import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..addresses.problem import AddressProblem
from ..addresses.ranges import parse_ipv4_ranges, parse_ipv6_network
from .isp_address_reasons import explained

_logger = logging.getLogger(__name__)

_FAMILY = {"ipv4_address": "ipv4", "delegated_prefix": "ipv6"}


class IspSubscription(models.Model):
    """Static addresses: taken from pools, held once, given back at the end."""

    _inherit = "isp.subscription"

    address_forced = fields.Boolean(
        "Address outside the pools",
        copy=False,
        tracking=True,
        groups="isp_base.group_isp_network",
        help="Accept a static address that no static pool holds.",
    )
    address_assignment_ids = fields.One2many(
        "isp.ip.assignment", "subscription_id", "Static addresses"
    )
    address_conflict = fields.Boolean(
        "Static address is not secured",
        compute="_compute_address_conflict",
        search="_search_address_conflict",
        help="Another subscription has the address as well. Give this one another.",
    )

    # === COMPUTE METHODS === #

    @api.depends("ipv4_address", "delegated_prefix", "state", "address_assignment_ids.date_to")
    def _compute_address_conflict(self):
        for subscription in self:
            held = subscription.address_assignment_ids.filtered(lambda a: not a.date_to)
            wanted = subscription._get_wanted_addresses()
            subscription.address_conflict = set(wanted.items()) != {
                (one.family, one.address) for one in held
            }

    def _search_address_conflict(self, operator, value):
        if operator != "in":
            return NotImplemented
        query = SQL(
            """
            (SELECT s.id FROM isp_subscription s
               CROSS JOIN LATERAL (VALUES ('ipv4', s.ipv4_address), ('ipv6', s.delegated_prefix))
                    AS wanted (family, address)
              WHERE s.state <> 'terminated' AND wanted.address <> '' AND NOT EXISTS (
                    SELECT FROM isp_ip_assignment a WHERE a.subscription_id = s.id
                       AND a.date_to IS NULL AND a.family = wanted.family
                       AND a.address = wanted.address))
            """
        )
        return [("id", "in" if True in value else "not in", query)]

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        subscriptions = super().create(vals_list)
        subscriptions.filtered(lambda s: s.ipv4_address or s.delegated_prefix)._sync_addresses()
        return subscriptions

    def write(self, vals):
        res = super().write(vals)
        if {*_FAMILY, "company_id", "address_forced"} & set(vals):
            self._sync_addresses()
        return res

    @api.model
    def _normalise_vals(self, vals):
        res = super()._normalise_vals(vals)
        with explained(self.env):
            if vals.get("ipv4_address"):
                vals["ipv4_address"] = self._normalise_ipv4(vals["ipv4_address"])
            if vals.get("delegated_prefix"):
                vals["delegated_prefix"] = str(parse_ipv6_network(vals["delegated_prefix"]))
        return res

    @api.model
    def _normalise_ipv4(self, text):
        try:
            return str(ipaddress.IPv4Address(text.strip().removesuffix("/32")))
        except ValueError:
            raise ValidationError(
                self.env._("“%s” is not an IPv4 address. Write it like 103.10.0.5.", text)
            ) from None

    def _terminate(self, reason, date_end=None):
        todo = super()._terminate(reason, date_end=date_end)
        todo.filtered(lambda s: s.ipv4_address or s.delegated_prefix).write(
            {"ipv4_address": False, "delegated_prefix": False}
        )
        return todo

    # === ACTION METHODS === #

    def action_next_free_ipv4(self):
        """Give the subscription the lowest free static address."""
        self._assign_next("isp.ip.pool", "ipv4_address")

    def action_next_free_ipv6(self):
        """Give the subscription the lowest free static prefix."""
        self._assign_next("isp.ipv6.pool", "delegated_prefix")

    def action_choose_address(self):
        """Choose the pool, or an address of its own."""
        self._check_may_assign()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_network.isp_ip_assign_action")
        context = {"active_model": self._name, "active_ids": self.ids, "default_keep": False}
        return {**action, "context": context}

    # === BUSINESS METHODS === #

    def _assign_next(self, model, field, pool=None):
        """Give each subscription an address of its own from a static pool.

        :param pool: left out, the first pool of the company that has enough free addresses
        :raises UserError: when no pool has enough, or a subscription has ended
        """
        self._check_may_assign()
        if ended := self.filtered(lambda s: s.state == "terminated"):
            raise UserError(
                self.env._(
                    "%(names)s: the subscription has ended and gets no address.",
                    names=", ".join(ended.mapped("display_name")),
                )
            )
        for company, subscriptions in self.grouped("company_id").items():
            source = pool or self._choose_pool(model, company, len(subscriptions))
            addresses = source._take_free(len(subscriptions))
            for subscription, address in zip(subscriptions, addresses, strict=True):
                # sudo: network staff hands out addresses and may change nothing else.
                subscription_sudo = subscription.sudo()
                subscription_sudo.with_context(isp_domain_id=source.domain_id.id).write(
                    {field: address}
                )

    def _check_may_assign(self):
        self.check_access("read")
        if not self.env.user.has_groups("isp_base.group_isp_clerk,isp_base.group_isp_network"):
            raise AccessError(self.env._("Clerks and network staff give static addresses."))

    @api.model
    def _choose_pool(self, model, company, number):
        # sudo: clerks may not read every pool's figures; the pool chosen is their company's.
        pools = (
            self.env[model]
            .sudo()
            .search([("company_id", "=", company.id), ("purpose", "=", "static")])
        )
        if not pools:
            raise UserError(
                self.env._(
                    "There is no pool of static addresses yet. Network staff adds one under "
                    "Network → Addresses."
                )
            )
        return next((pool for pool in pools if pool.free_count >= number), pools[0])

    def _get_wanted_addresses(self):
        """``{family: address}`` that the subscription should hold."""
        self.ensure_one()
        if self.state == "terminated":
            return {}
        return {family: self[name] for name, family in _FAMILY.items() if self[name]}

    def _sync_addresses(self):
        """Let the assignments follow the fields.

        :raises ValidationError: when an address is held by another, or lies in no static pool
        """
        # sudo: nobody may write assignments but the methods of this addon.
        subscriptions = self.sudo()
        held = subscriptions.env["isp.ip.assignment"].search(
            [("subscription_id", "in", subscriptions.ids), ("date_to", "=", False)]
        )
        current = {(one.subscription_id.id, one.family): one for one in held}
        outdated, missing = held.browse(), []
        for subscription in subscriptions:
            wanted = subscription._get_wanted_addresses()
            for family in _FAMILY.values():
                one = current.get((subscription.id, family), held.browse())
                address = wanted.get(family)
                if one and (one.address != address or one.company_id != subscription.company_id):
                    outdated |= one
                    one = held.browse()
                if address and not one:
                    missing.append((subscription, family, address))
        outdated._release()
        subscriptions._add_assignments(missing)

    def _add_assignments(self, missing):
        """Create the assignments of ``[(subscription, family, address), …]``."""
        assignments = self.env["isp.ip.assignment"]
        # One at a time: two of one import may ask for the same address, and the second is told.
        for subscription, family, address in missing:
            vals = subscription._prepare_assignment_vals(family, address)
            subscription._refuse_held(vals)
            assignments.create(vals)
        assignments.flush_model()

    def _prepare_assignment_vals(self, family, address, strict=True):
        """Values of the assignment; the pool decides the routing domain.

        :param strict: insist that a static pool holds the address, when there are such pools
        :raises ValidationError: when none does
        """
        self.ensure_one()
        pool = self._find_pool(family, address)
        forced = self.address_forced or not strict
        if not pool and not forced and self._has_static_pools(family):
            raise ValidationError(
                self.env._(
                    "%(address)s is not an address that may be given to subscriptions: no static "
                    "pool of %(company)s holds it, or the pool keeps it back. Take the next free "
                    "one, or let network staff tick “Address outside the pools”.",
                    address=address,
                    company=self.company_id.name,
                )
            )
        domain = pool.domain_id or self.env["isp.routing.domain"]._get_default(self.company_id)
        return {
            "subscription_id": self.id,
            "company_id": self.company_id.id,
            "domain_id": domain.id,
            "family": family,
            "address": address,
            "pool_id": pool.id if family == "ipv4" else False,
            "ipv6_pool_id": pool.id if family == "ipv6" else False,
            "date_from": fields.Datetime.now(),
        }

    def _has_static_pools(self, family):
        model = "isp.ip.pool" if family == "ipv4" else "isp.ipv6.pool"
        domain = [("company_id", "=", self.company_id.id), ("purpose", "=", "static")]
        return bool(self.env[model].search_count(domain, limit=1))

    def _find_pool(self, family, address):
        """The static pool of the company that holds ``address`` and does not keep it back."""
        if family == "ipv4":
            statement = """
                SELECT p.id FROM isp_ip_pool p JOIN isp_ip_range r ON r.pool_id = p.id
                 WHERE %s::inet BETWEEN r.first_address::inet AND r.last_address::inet
                   AND p.company_id = %s AND p.purpose = 'static' AND p.active
                 ORDER BY p.domain_id = %s DESC, p.id
            """
            self.env["isp.ip.range"].flush_model()
        else:
            statement = """
                SELECT p.id FROM isp_ipv6_pool p WHERE p.prefix::inet >>= %s::inet
                   AND p.company_id = %s AND p.purpose = 'static' AND p.active
                 ORDER BY p.domain_id = %s DESC, p.id
            """
        model = self.env["isp.ip.pool" if family == "ipv4" else "isp.ipv6.pool"]
        model.flush_model()
        preferred = self.env.context.get("isp_domain_id") or 0
        rows = self.env.execute_query(SQL(statement, address, self.company_id.id, preferred))
        pools = model.browse(id_ for (id_,) in rows)
        if family == "ipv4":
            number = int(ipaddress.IPv4Address(address))
            pools = pools.filtered(
                lambda pool: not any(a <= number <= b for a, b in pool._get_reserved())
            )
        return pools[:1]

    def _refuse_held(self, vals):
        """Say who has the address; the constraint would only say that somebody has.

        A customer who comes back within the quarantine gets the own address back.
        """
        now = vals["date_from"]
        assignments = self.env["isp.ip.assignment"]
        assignments.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM isp_ip_assignment
                 WHERE domain_id = %s AND address::inet && %s::inet
                   AND (blocked_until IS NULL OR blocked_until > %s)
                """,
                vals["domain_id"],
                vals["address"],
                now,
            )
        )
        others = assignments.browse(id_ for (id_,) in rows)
        own = others.filtered(lambda a: a.date_to and a.partner_id == self.partner_id)
        own._end_quarantine()
        own.flush_recordset()
        for one in others - own:
            if one.date_to:
                raise ValidationError(
                    self.env._(
                        "%(address)s was given back by %(subscription)s and is in quarantine until "
                        "%(day)s. Take another one, or let network staff end the quarantine.",
                        address=vals["address"],
                        subscription=one.subscription_id.name,
                        day=one.blocked_until.date(),
                    )
                )
            raise ValidationError(
                self.env._(
                    "%(address)s belongs to %(subscription)s. Take the next free one.",
                    address=vals["address"],
                    subscription=one.subscription_id.name,
                )
            )

    @api.model
    def _adopt_addresses(self):
        """Hold the addresses of subscriptions that are older than the assignments.

        :return: the subscriptions whose address somebody else has
        """
        # sudo: runs at installation, for all companies.
        candidates = self.sudo().search([("address_conflict", "=", True)], order="id")
        conflicts = candidates.browse()
        for subscription in candidates:
            for family, address in subscription._get_wanted_addresses().items():
                if not subscription._adopt_address(family, address):
                    conflicts |= subscription
        if conflicts:
            _logger.warning(
                "Static addresses of %s subscriptions belong to others as well. Filter "
                "subscriptions by “Static address is not secured” and give them others: %s",
                len(conflicts),
                ", ".join(conflicts[:50].mapped("name")),
            )
        return conflicts

    def _adopt_address(self, family, address):
        held = self.address_assignment_ids.filtered(
            lambda a: not a.date_to and a.family == family and a.address == address
        )
        if held:
            return True
        try:
            plain = (
                str(parse_ipv6_network(address))
                if family == "ipv6"
                else str(ipaddress.IPv4Address(parse_ipv4_ranges(address)[0][0]))
            )
            if plain != address:
                return False
            with self.env.cr.savepoint():
                vals = self._prepare_assignment_vals(family, address, strict=False)
                self._refuse_held(vals)
                self.env["isp.ip.assignment"].create(vals)
                self.env["isp.ip.assignment"].flush_model()
        except (AddressProblem, IndexError, ValidationError):
            return False
        return True
