from passlib.hash import nthash

from odoo import api, fields, models

from odoo.addons.isp_base import crypto

from ..const import SUBSCRIPTION_STATES, SUSPEND_REASONS


class IspEntitlement(models.Model):
    """What the network shall give a subscription now.

    One row per subscription, derived from it and stored, so that triggers can hand each change to
    RADIUS within the same transaction. Billing writes it, the network reads it, and nothing else
    passes between the two.
    """

    _name = "isp.entitlement"
    _description = "Network entitlement"
    _rec_name = "username"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "service",
        "retention": "account",
        # With the row goes its copy in RADIUS, in the same transaction.
        "erasure": "delete",
    }
    _privacy_fields = {
        "username": {"category": "credential"},
        "nt_secret": "secret",
        "mac_addresses ipv4_address delegated_prefix": {},
    }
    _privacy_facts = "access reason valid_until download_kbps upload_kbps"
    _privacy_free = {"Names of pools and lists on routers.": "framed_pool ipv6_pool address_list"}

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True, precompute=True
    )
    username = fields.Char(compute="_compute_service", store=True, index=True)
    nt_secret = fields.Char(
        "Encrypted NT hash",
        compute="_compute_nt_secret",
        store=True,
        groups="base.group_system",
        copy=False,
        help="What RADIUS compares a login with; readable with the RADIUS key only.",
    )
    access = fields.Selection(
        [
            ("full", "Full speed"),
            ("throttled", "Throttled"),
            ("walled", "Payment page only"),
            ("none", "No access"),
        ],
        compute="_compute_service",
        store=True,
        index=True,
    )
    reason = fields.Selection(
        SUSPEND_REASONS + SUBSCRIPTION_STATES, compute="_compute_service", store=True
    )
    valid_until = fields.Datetime(
        "Valid until",
        compute="_compute_service",
        store=True,
        help="From this moment on only the payment page is reached.",
    )
    download_kbps = fields.Integer("Download (kbit/s)", compute="_compute_service", store=True)
    upload_kbps = fields.Integer("Upload (kbit/s)", compute="_compute_service", store=True)
    burst_download_kbps = fields.Integer(compute="_compute_service", store=True)
    burst_upload_kbps = fields.Integer(compute="_compute_service", store=True)
    burst_threshold_download_kbps = fields.Integer(compute="_compute_service", store=True)
    burst_threshold_upload_kbps = fields.Integer(compute="_compute_service", store=True)
    burst_time_s = fields.Integer(compute="_compute_service", store=True)
    priority = fields.Integer(compute="_compute_service", store=True)
    framed_pool = fields.Char("IPv4 pool", compute="_compute_service", store=True)
    ipv6_pool = fields.Char("IPv6 pool", compute="_compute_service", store=True)
    ipv4_address = fields.Char("Static IPv4", compute="_compute_service", store=True)
    delegated_prefix = fields.Char("Static IPv6 prefix", compute="_compute_service", store=True)
    address_list = fields.Char("Address list", compute="_compute_service", store=True)
    simultaneous_use = fields.Integer(compute="_compute_service", store=True)
    session_timeout_s = fields.Integer(compute="_compute_service", store=True)
    idle_timeout_s = fields.Integer(compute="_compute_service", store=True)
    interim_interval_s = fields.Integer(compute="_compute_service", store=True)
    mac_addresses = fields.Char("Locked to MAC", compute="_compute_service", store=True)

    _subscription_uniq = models.UniqueIndex("(subscription_id)", "One entitlement a subscription.")

    # Copied from the plan and the subscription under the same names.
    _PLAN_FIELDS = (
        "download_kbps",
        "upload_kbps",
        "burst_download_kbps",
        "burst_upload_kbps",
        "burst_threshold_download_kbps",
        "burst_threshold_upload_kbps",
        "burst_time_s",
        "priority",
        "framed_pool",
        "ipv6_pool",
        "address_list",
        "simultaneous_use",
        "session_timeout_s",
        "idle_timeout_s",
        "interim_interval_s",
    )
    _SUBSCRIPTION_FIELDS = ("username", "ipv4_address", "delegated_prefix", "mac_addresses")

    # === COMPUTE METHODS === #

    @api.depends(
        "subscription_id.state",
        "subscription_id.suspend_reason",
        "subscription_id.throttled_on",
        "subscription_id.throttle_reason",
        "subscription_id.plan_id",
        "subscription_id.plan_id.suspend_mode",
        "subscription_id.plan_id.throttle_download_kbps",
        "subscription_id.plan_id.throttle_upload_kbps",
        "subscription_id.plan_id.billing_mode",
        "subscription_id.settled_at",
        "subscription_id.billed_through",
        *(f"subscription_id.{name}" for name in _SUBSCRIPTION_FIELDS),
        *(f"subscription_id.plan_id.{name}" for name in _PLAN_FIELDS),
    )
    def _compute_service(self):
        for entitlement in self:
            entitlement.update(entitlement._prepare_service_vals())

    @api.depends("subscription_id.password_enc")
    def _compute_nt_secret(self):
        for entitlement in self:
            # sudo: deriving the hash needs the password, whoever caused the change.
            password = entitlement.subscription_id.sudo().password
            entitlement.nt_secret = (
                crypto.radius_encrypt(nthash.hash(password)) if password else False
            )

    # === BUSINESS METHODS === #

    def _prepare_service_vals(self):
        """Values of the row, derived from the subscription.

        Hook: extend to throttle by usage or to give speeds by the hour.
        """
        self.ensure_one()
        subscription = self.subscription_id
        plan = subscription.plan_id
        vals = {name: plan[name] for name in self._PLAN_FIELDS}
        vals.update({name: subscription[name] for name in self._SUBSCRIPTION_FIELDS})
        vals.update(
            access=self._get_access(subscription),
            reason=subscription.suspend_reason
            or subscription.throttle_reason
            or subscription.state,
            valid_until=self._get_valid_until(subscription),
        )
        if vals["access"] == "throttled":
            vals.update(self._prepare_throttle_vals(plan))
        return vals

    @api.model
    def _prepare_throttle_vals(self, plan):
        """Rates of a throttled service: the plan's reduced ones, never above its own, no burst."""
        vals = {name: 0 for name in self._PLAN_FIELDS if name.startswith("burst_")}
        for name in ("download_kbps", "upload_kbps"):
            vals[name] = min(plan[name], plan[f"throttle_{name}"])
        return vals

    @api.model
    def _get_access(self, subscription):
        if subscription.state == "active":
            return "throttled" if subscription.throttled_on else "full"
        if subscription.state == "suspended" and subscription.plan_id.suspend_mode == "walled":
            return "walled"
        return "none"

    def _follows_bills(self):
        """Whether bills decide how long the service lasts: :meth:`_get_valid_until` asks them."""
        self.ensure_one()
        return self.subscription_id.plan_id.billing_mode == "prepaid"

    @api.model
    def _get_valid_until(self, subscription):
        """End of the day before the first one that is not paid, for prepaid plans only."""
        if subscription.plan_id.billing_mode != "prepaid" or not subscription.paid_until:
            return False
        return subscription.company_id._get_isp_day_start(subscription.paid_until)
