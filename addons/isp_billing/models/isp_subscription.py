import re
import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.isp_base.encryption import encrypted_char

from ..const import (
    PASSWORD_ALPHABET,
    SUBSCRIPTION_STATES,
    SUSPEND_REASONS,
    USERNAME_PATTERN,
)
from ..engine.problems import Problem
from ..engine.values import parse_macs
from .isp_import_reasons import explain


class IspSubscription(models.Model):
    """One service of one customer at one place.

    The state is moved by the methods of ``isp_subscription_state`` only, bills are made by those of
    ``isp_subscription_billing``; what the network shall give is on the entitlement.
    """

    _name = "isp.subscription"
    _description = "Internet subscription"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "portal.mixin",
        "isp.encrypted.mixin",
    ]
    _order = "id desc"
    _check_company_auto = True
    _rec_names_search = ["name", "username", "external_ref", "partner_id"]

    _privacy_subject = ("partner_id", "service_address_id")
    _privacy_defaults = {"category": "account", "purpose": "service", "retention": "account"}
    _privacy_fields = {
        "partner_id service_address_id": "subject",
        "name": {
            "erasure": "keep",
            "reason": "Our own number of the service, on which its bills are found.",
        },
        "external_ref": {"erasure": "null"},
        "tag_ids": {"category": "preference", "erasure": "detach", "export": "tags"},
        "note": "free_text",
        "username": {"category": "credential", "erasure": "pseudonymise"},
        "password": "secret",
        "mac_addresses ipv4_address delegated_prefix": {"category": "network", "erasure": "null"},
        "user_id": "staff",
    }
    _privacy_facts = "plan_id state date_start date_end contract_end suspended_on recurring_amount"
    _privacy_account = {"closed": [("state", "=", "terminated")], "date": "date_end"}

    # === FIELDS - WHO AND WHERE === #
    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/", index=True)
    active = fields.Boolean(default=True)
    external_ref = fields.Char(
        "External reference",
        copy=False,
        index="btree_not_null",
        help="Identifier in the system the subscription was imported from.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner",
        "Customer",
        required=True,
        index=True,
        tracking=True,
        check_company=True,
        ondelete="restrict",
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id", store=True, index=True
    )
    service_address_id = fields.Many2one(
        "res.partner",
        string="Service address",
        check_company=True,
        tracking=True,
        help="Where the line ends, when it is not the customer's own address.",
    )
    user_id = fields.Many2one(
        "res.users", "Responsible", tracking=True, domain="[('share', '=', False)]"
    )
    tag_ids = fields.Many2many("res.partner.category", string="Tags")
    note = fields.Html("Internal note")

    # === FIELDS - SERVICE === #
    plan_id = fields.Many2one(
        "isp.plan",
        required=True,
        index=True,
        tracking=True,
        check_company=True,
        ondelete="restrict",
    )
    service_type = fields.Selection(related="plan_id.service_type")
    speed = fields.Char(related="plan_id.speed")
    billing_mode = fields.Selection(related="plan_id.billing_mode")
    validity_from = fields.Selection(related="plan_id.validity_from")
    state = fields.Selection(
        SUBSCRIPTION_STATES,
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
        group_expand=True,
    )
    suspend_reason = fields.Selection(
        SUSPEND_REASONS, readonly=True, copy=False, tracking=True, string="Suspended for"
    )
    suspended_on = fields.Datetime("Suspended on", readonly=True, copy=False)
    username = fields.Char(
        copy=False, tracking=True, help="Login of the connection. Left empty, it is generated."
    )
    password, password_enc, password_bidx, password_last4 = encrypted_char(
        "password", "Connection password", groups="isp_base.group_isp_clerk", indexed=False
    )
    mac_addresses = fields.Char(
        "Locked to MAC",
        copy=False,
        tracking=True,
        help="Only these devices may connect. Several addresses are separated by spaces.",
    )
    ipv4_address = fields.Char("Static IPv4", copy=False, tracking=True)
    delegated_prefix = fields.Char("Static IPv6 prefix", copy=False, tracking=True)
    entitlement_ids = fields.One2many("isp.entitlement", "subscription_id", "Entitlements")
    entitlement_id = fields.Many2one("isp.entitlement", compute="_compute_entitlement_id")
    access = fields.Selection(related="entitlement_ids.access", string="Network access")

    # === FIELDS - BILLING === #
    line_ids = fields.One2many("isp.subscription.line", "subscription_id", "Lines", copy=True)
    date_start = fields.Date(
        "Service since", copy=False, tracking=True, help="First day that is billed."
    )
    date_end = fields.Date(
        "Service until", copy=False, tracking=True, help="First day without service."
    )
    contract_end = fields.Date("Committed until", copy=False, tracking=True)
    anchor_day = fields.Integer(
        "Own billing day", help="Day of the month, 1 to 31. 0 for the billing day of the plan."
    )
    payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment terms",
        check_company=True,
        help="Left empty, the payment terms of the customer are used.",
    )
    recurring_amount = fields.Monetary(
        "Price per period",
        compute="_compute_recurring_amount",
        store=True,
        help="Price of one whole period.",
    )
    opening_billed_through = fields.Date(
        "Billed before",
        copy=False,
        help="First day that the system used before had not billed. Set by imports.",
    )
    billed_through = fields.Date(
        "Not billed from",
        compute="_compute_billed_through",
        store=True,
        help="First day that is not billed yet.",
    )
    next_bill_date = fields.Date(
        "Next bill",
        compute="_compute_next_bill_date",
        store=True,
        index=True,
        help="Day from which a billing run takes the next period.",
    )
    paid_until = fields.Date(
        "Not paid from",
        compute="_compute_paid_until",
        groups="isp_base.group_isp_support",
        help="First day that is not billed and paid.",
    )
    settled_at = fields.Datetime(
        "Payment last seen",
        readonly=True,
        copy=False,
        help="When a payment last touched the bills. Written with the payment, so that a "
        "suspension decided on older figures collides with it and is decided again.",
    )
    amount_due = fields.Monetary(
        compute="_compute_amount_due", string="Owed", groups="isp_base.group_isp_support"
    )
    amount_overdue = fields.Monetary(
        compute="_compute_amount_due", string="Overdue", groups="isp_base.group_isp_support"
    )
    charge_ids = fields.One2many("isp.charge", "subscription_id", "Charges")
    event_ids = fields.One2many("isp.subscription.event", "subscription_id", "Events")
    invoice_count = fields.Integer("Invoice count", compute="_compute_invoice_count")
    payment_count = fields.Integer("Payment count", compute="_compute_payment_count")

    _name_uniq = models.UniqueIndex(
        "(company_id, name) WHERE name <> '/'", "Another subscription has this number."
    )
    # One RADIUS server serves all companies of the database, so a login is unique in all of it.
    _username_uniq = models.UniqueIndex(
        "(lower(username)) WHERE username IS NOT NULL",
        "Another subscription uses this username. Choose a different one.",
    )
    _external_ref_uniq = models.UniqueIndex(
        "(company_id, external_ref) WHERE external_ref IS NOT NULL",
        "Another subscription of the company has this external reference.",
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_end IS NULL OR date_start IS NULL OR date_end >= date_start)",
        "The service cannot end before it begins.",
    )
    _anchor_day_valid = models.Constraint(
        "CHECK (anchor_day BETWEEN 0 AND 31)", "The billing day lies between 1 and 31."
    )
    _due_idx = models.Index("(company_id, next_bill_date, id) WHERE next_bill_date IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.depends("name", "username")
    def _compute_display_name(self):
        for subscription in self:
            parts = (subscription.name, subscription.username)
            subscription.display_name = " · ".join(part for part in parts if part)

    def _compute_access_url(self):
        res = super()._compute_access_url()
        for subscription in self:
            subscription.access_url = f"/my/services/{subscription.id}"
        return res

    @api.depends("entitlement_ids")
    def _compute_entitlement_id(self):
        for subscription in self:
            subscription.entitlement_id = subscription.entitlement_ids[:1]

    # What is billed through matters to lines that end only; _settle_changes looks after those, so
    # that a bill need not recompute this for everybody.
    @api.depends("line_ids.price_subtotal", "line_ids.active", "line_ids.date_to")
    def _compute_recurring_amount(self):
        for subscription in self:
            begin = subscription.billed_through or subscription.date_start
            lines = subscription.line_ids.filtered(
                lambda line, begin=begin: not line.date_to or (begin and line.date_to > begin)
            )
            subscription.recurring_amount = sum(lines.mapped("price_subtotal"))

    def _compute_invoice_count(self):
        # sudo: how many bills there are decides what may still be changed, also for those who see
        # no bill.
        charges_sudo = self.env["isp.charge"].sudo()
        counts = dict(
            charges_sudo._read_group(
                [("subscription_id", "in", self.ids), ("move_id", "!=", False)],
                ["subscription_id"],
                ["move_id:count_distinct"],
            )
        )
        for subscription in self:
            subscription.invoice_count = counts.get(subscription._origin, 0)

    def _compute_payment_count(self):
        for subscription in self:
            subscription.payment_count = len(subscription._get_payments())

    # === CONSTRAINT METHODS === #

    @api.constrains("username")
    def _check_username(self):
        for subscription in self.filtered("username"):
            if not re.fullmatch(USERNAME_PATTERN, subscription.username):
                raise ValidationError(
                    self.env._(
                        "The username “%(username)s” cannot be used on the network. Take 3 to 64 "
                        "small letters, digits and the signs . _ @ / - beginning and ending with "
                        "a letter or digit.",
                        username=subscription.username,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        unnumbered = {}
        # What a client puts into the context is written like what it puts into the values.
        defaults = {
            key.removeprefix("default_"): value
            for key, value in self.env.context.items()
            if key.startswith("default_")
        }
        for vals in vals_list:
            self._refuse_foreign_state(defaults | vals)
            self._normalise_vals(vals)
            if vals.get("name", "/") == "/":
                company_id = vals.get("company_id") or self.env.company.id
                unnumbered.setdefault(company_id, []).append(vals)
        for company_id, company_vals in unnumbered.items():
            names = self._take_numbers(company_id, len(company_vals))
            for vals, name in zip(company_vals, names, strict=True):
                vals["name"] = name
        subscriptions = super().create(vals_list)
        subscriptions._ensure_plan_lines()
        subscriptions._generate_credentials()
        # sudo: clerks create subscriptions, but only billing may write entitlements.
        self.env["isp.entitlement"].sudo().create(
            [{"subscription_id": subscription.id} for subscription in subscriptions]
        )
        subscriptions._log_event("create", self.env._("Subscription created"))
        return subscriptions

    def write(self, vals):
        self._refuse_foreign_state(vals)
        self._normalise_vals(vals)
        old_plans = {subscription: subscription.plan_id for subscription in self}
        res = super().write(vals)
        if "plan_id" in vals:
            changed = self.filtered(lambda s: old_plans[s] != s.plan_id)
            changed._replace_plan_lines(old_plans)
        return res

    def copy_data(self, default=None):
        # Lines that have ended are history.
        vals_list = super().copy_data(default)
        for subscription, vals in zip(self, vals_list, strict=True):
            if "line_ids" in vals and "line_ids" not in (default or {}):
                open_lines = subscription.line_ids.filtered(lambda line: not line.date_to)
                vals["line_ids"] = [
                    fields.Command.create(line_vals) for line_vals in open_lines.copy_data()
                ]
        return vals_list

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for subscription in self:
            if subscription.state != "draft" or subscription.charge_ids:
                raise UserError(
                    self.env._(
                        "Subscription %(name)s has been in service and stays on record. "
                        "Terminate it instead, then archive it.",
                        name=subscription.display_name,
                    )
                )

    def action_archive(self):
        if running := self.filtered(lambda s: s.state in ("active", "suspended")):
            raise UserError(
                self.env._(
                    "Terminate the subscription before archiving it: %(names)s",
                    names=", ".join(running.mapped("display_name")),
                )
            )
        return super().action_archive()

    # === BUSINESS METHODS - CREDENTIALS === #

    def _generate_credentials(self):
        """Give a username and a password to the subscriptions that lack them."""
        without_username = self.filtered(lambda s: not s.username)
        bases = {s: s.company_id._format_isp_username(s) for s in without_username}
        taken = self._get_taken_usernames(bases.values())
        for subscription, base in bases.items():
            username = subscription._choose_username(base, taken)
            subscription.username = username
            taken.add(username)
        # sudo: an import or an automated sale may run as a user who must not read passwords.
        without_password = self.sudo().filtered(lambda s: not s.password_enc)
        without_password._write_secrets(
            "password", {s: s._generate_password() for s in without_password}
        )

    def _choose_username(self, base, taken):
        """``base``, or the first of base2, base3 … that is free.

        :param taken: the names in the way among ``base`` itself
        :raises UserError: when not even a number makes the name free
        """
        self.ensure_one()
        if base not in taken:
            return base
        for suffix in range(2, 100):
            candidate = f"{base}{suffix}"
            if candidate not in taken and not self._get_taken_usernames([candidate]):
                return candidate
        raise UserError(
            self.env._(
                "The username pattern of %(company)s gives “%(username)s”, which is taken. "
                "Put {number} into the pattern (Configuration → Settings).",
                company=self.company_id.name,
                username=base,
            )
        )

    @api.model
    def _get_taken_usernames(self, usernames):
        """Those of ``usernames`` that a subscription has."""
        # sudo: usernames are unique in the database, also across companies the user cannot see.
        found_sudo = (
            self.sudo()
            .with_context(active_test=False)
            .search_fetch([("username", "in", list(usernames))], ["username"])
        )
        return set(found_sudo.mapped("username"))

    def _generate_password(self):
        """A random password of the company's length, easy to read out."""
        self.ensure_one()
        length = self.company_id.isp_password_length
        return "".join(secrets.choice(PASSWORD_ALPHABET) for _position in range(length))

    def action_reveal_password(self):
        """Show the password to a clerk, and write down that it was shown."""
        return self.action_reveal("password")

    def action_new_password(self):
        """Replace the password by a new random one; the old one stops working at once."""
        for subscription in self:
            subscription.password = subscription._generate_password()
        self._log_event("password", self.env._("New connection password"))

    # === BUSINESS METHODS - LINES === #

    def _ensure_plan_lines(self):
        """Add the plan's own line to the subscriptions that have none."""
        missing = self.filtered(
            lambda s: not s.line_ids.filtered(lambda line: line.line_type == "plan")
        )
        self.env["isp.subscription.line"].create(
            [subscription._prepare_plan_line_vals() for subscription in missing]
        )

    def _prepare_plan_line_vals(self):
        """Values of the line that carries the plan's price.

        Hook: extend to grant another price.
        """
        self.ensure_one()
        return {
            "subscription_id": self.id,
            "line_type": "plan",
            "plan_id": self.plan_id.id,
            "product_id": self.plan_id.product_id.id,
            "name": self.plan_id.name,
            "price_unit": self._get_plan_price(),
        }

    def _get_plan_price(self):
        """The plan's price for this customer, by the customer's price list where there is one."""
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        if pricelist := partner.property_product_pricelist:
            return pricelist._get_product_price(
                self.plan_id.product_id, 1.0, currency=self.company_id.currency_id
            )
        return self.plan_id.price

    # === HELPERS === #

    @api.model
    def _take_numbers(self, company_id, count):
        """``count`` numbers of the company's sequence, drawn in one query where it allows that."""
        sequences = self.env["ir.sequence"].with_company(company_id)
        sequence = sequences.search(
            [("code", "=", self._name), ("company_id", "in", [company_id, False])],
            order="company_id",
            limit=1,
        )
        if sequence.implementation != "standard" or sequence.use_date_range:
            return [sequences.next_by_code(self._name) or "/" for _position in range(count)]
        drawn = self.env.execute_query(
            SQL(
                "SELECT nextval(%s) FROM generate_series(1, %s)",
                f"ir_sequence_{sequence.id:03d}",
                count,
            )
        )
        return [sequence.get_next_char(number) for (number,) in drawn]

    @api.model
    def _normalise_vals(self, vals):
        """Usernames in lower case, MAC addresses as ``AA-BB-CC-DD-EE-FF|…``."""
        if vals.get("username"):
            vals["username"] = vals["username"].strip().lower()
        if vals.get("mac_addresses"):
            vals["mac_addresses"] = self._normalise_macs(vals["mac_addresses"])

    @api.model
    def _normalise_macs(self, text):
        """``text`` with one or more MAC addresses in any usual notation, in RADIUS' own.

        :raises UserError: for a word that is no MAC address
        """
        try:
            return parse_macs(text)
        except Problem as problem:
            raise UserError(explain(self.env, problem)) from None

    def _get_payments(self):
        """Payments that settled, at least in part, a bill of these subscriptions."""
        moves = self.charge_ids.move_id
        return moves.matched_payment_ids | moves.reconciled_payment_ids

    @api.model
    def _get_duplicate_domain(self, username=None, external_ref=None, company=None):
        """Domain of subscriptions that a row of an import may already describe."""
        domains = []
        if username:
            domains.append(Domain("username", "=", username.strip().lower()))
        if external_ref:
            domains.append(
                Domain("external_ref", "=", external_ref)
                & Domain("company_id", "=", (company or self.env.company).id)
            )
        return Domain.OR(domains)
