from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..const import BILLING_MODES, CYCLE_UNITS, PAUSE_POLICIES, PRORATIONS, SERVICE_TYPES
from ..engine.periods import MONTHS_PER_UNIT, Cycle

_BILLING_RULE = {
    *("billing_mode", "cycle_unit", "cycle_count", "anchor", "anchor_day", "proration"),
    "validity_from",
}


class IspPlan(models.Model):
    """What a provider sells: a product with speeds, limits and a billing rule.

    The price, the taxes and the income account are those of the product behind the plan, so price
    lists, taxes and reports stay Odoo's own.
    """

    _name = "isp.plan"
    _description = "Internet plan"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"
    _check_company_auto = True

    _privacy_free = "What is sold, the same for all customers."

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(help="Short name for imports and reports, unique in the company.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    description = fields.Text(translate=True, help="Shown to the customer in the portal.")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )

    # === FIELDS - PRICE === #
    product_id = fields.Many2one(
        "product.product",
        required=True,
        ondelete="restrict",
        check_company=True,
        index=True,
        copy=False,
        domain="[('type', '=', 'service')]",
        help="Carries price, taxes and income account. Left empty, it is created with the plan.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    price = fields.Float(
        compute="_compute_price",
        inverse="_inverse_price",
        store=True,
        tracking=True,
        digits="Product Price",
        help="Price of one whole period, before taxes unless a tax is included in it.",
    )
    tax_ids = fields.Many2many(related="product_id.taxes_id", readonly=False, string="Taxes")
    categ_id = fields.Many2one(
        related="product_id.categ_id", readonly=False, store=True, string="Plan family"
    )

    # === FIELDS - BILLING RULE === #
    billing_mode = fields.Selection(
        BILLING_MODES,
        string="Billing mode",
        required=True,
        default="advance",
        tracking=True,
        help="In advance: a period is billed when it begins. In arrears: when it has ended. "
        "Prepaid: billed in advance, and the line stays open only until the day paid for.",
    )
    cycle_unit = fields.Selection(
        CYCLE_UNITS, required=True, default="month", tracking=True, string="Unit of the period"
    )
    cycle_count = fields.Integer("Periods", required=True, default=1, tracking=True)
    anchor = fields.Selection(
        [
            ("calendar", "On a fixed day"),
            ("anniversary", "On the day the service began"),
            ("aligned", "On the day of the customer's other services"),
        ],
        string="Period begins",
        required=True,
        default="calendar",
        help="When a cycle of months begins. Cycles of days and weeks begin with the service.",
    )
    anchor_day = fields.Integer(
        "Billing day",
        default=1,
        help="Day of the month, 1 to 31. In shorter months the last day is taken.",
    )
    proration = fields.Selection(
        PRORATIONS, required=True, default="exact", help="What a part of a period costs."
    )

    validity_from = fields.Selection(
        [("activation", "With the activation"), ("payment", "With the payment")],
        "Prepaid time begins",
        required=True,
        default="activation",
        help="With the activation: each period follows the one before. With the payment: time is "
        "bought by recharging; a gap costs nothing.",
    )
    suspend_billing = fields.Selection(
        PAUSE_POLICIES,
        "While suspended",
        required=True,
        default="keep",
        tracking=True,
        help="What a suspension means for the bills.",
    )
    trial_days = fields.Integer("Trial (days)", help="Days from the start that cost nothing.")
    setup_fee = fields.Float("Set-up fee", digits="Product Price")
    setup_product_id = fields.Many2one(
        "product.product",
        "Product of the set-up fee",
        check_company=True,
        ondelete="restrict",
        help="Left empty, taxes and account are those of the plan.",
    )
    early_fee = fields.Monetary(
        "Early termination fee",
        help="Due when the service ends before the minimum term. Kept as agreed for customers who "
        "have the plan already.",
    )
    early_percent = fields.Float(
        "Share of the rest (%)",
        digits="Discount",
        help="Share of what the rest of the term would have cost.",
    )

    # === FIELDS - SERVICE === #
    service_type = fields.Selection(
        SERVICE_TYPES, required=True, default="pppoe", string="Service type"
    )
    download_kbps = fields.Integer("Download (kbit/s)", required=True, default=10240, tracking=True)
    upload_kbps = fields.Integer("Upload (kbit/s)", required=True, default=10240, tracking=True)
    burst_download_kbps = fields.Integer("Burst download (kbit/s)")
    burst_upload_kbps = fields.Integer("Burst upload (kbit/s)")
    burst_threshold_download_kbps = fields.Integer("Burst threshold download (kbit/s)")
    burst_threshold_upload_kbps = fields.Integer("Burst threshold upload (kbit/s)")
    burst_time_s = fields.Integer("Burst time (s)")
    priority = fields.Integer(
        default=8, help="Queue priority on the router, 1 (first) to 8 (last)."
    )
    framed_pool = fields.Char("IPv4 pool", help="Name of the address pool on the router.")
    ipv6_pool = fields.Char("IPv6 pool", help="Name of the prefix pool on the router.")
    address_list = fields.Char(
        "Address list", help="Firewall address list that the customer joins while online."
    )
    simultaneous_use = fields.Integer(
        "Simultaneous sessions", default=1, help="Sessions one login may hold at a time."
    )
    session_timeout_s = fields.Integer(
        "Session timeout (s)", help="The router ends a session after this time. 0 for never."
    )
    idle_timeout_s = fields.Integer(
        "Idle timeout (s)", help="The router ends a session that is idle so long. 0 for never."
    )
    interim_interval_s = fields.Integer(
        "Accounting interval (s)", default=300, help="How often routers report usage."
    )
    throttle_download_kbps = fields.Integer(
        "Throttled download (kbit/s)",
        required=True,
        default=512,
        help="What is left to a customer whom a dunning policy throttles.",
    )
    throttle_upload_kbps = fields.Integer("Throttled upload (kbit/s)", required=True, default=512)
    dunning_policy_id = fields.Many2one(
        "isp.dunning.policy",
        "Dunning policy",
        check_company=True,
        ondelete="restrict",
        help="Left empty, the policy of the company is followed.",
    )
    suspend_mode = fields.Selection(
        [("walled", "Payment page only"), ("reject", "No connection")],
        "When suspended",
        required=True,
        default="walled",
        help="Payment page only: the login succeeds, but reaches nothing except the page where "
        "the bill can be paid. No connection: the login is refused.",
    )
    contract_months = fields.Integer(
        "Minimum term (months)", help="How long a new customer commits to stay. 0 for no term."
    )

    # === FIELDS - USE === #
    subscription_ids = fields.One2many("isp.subscription", "plan_id", "Subscriptions")
    subscription_count = fields.Integer(
        "Running subscriptions", compute="_compute_subscription_count"
    )
    speed = fields.Char(compute="_compute_speed", help="Download and upload in words.")

    _code_uniq = models.UniqueIndex(
        "(company_id, code) WHERE code IS NOT NULL", "Another plan of the company has this code."
    )
    _cycle_count_positive = models.Constraint(
        "CHECK (cycle_count > 0)", "A billing cycle counts at least one period."
    )
    _anchor_day_valid = models.Constraint(
        "CHECK (anchor_day BETWEEN 1 AND 31)", "The billing day lies between 1 and 31."
    )
    _speed_positive = models.Constraint(
        "CHECK (download_kbps > 0 AND upload_kbps > 0"
        " AND throttle_download_kbps > 0 AND throttle_upload_kbps > 0)",
        "Speeds must be positive.",
    )
    _limits_not_negative = models.Constraint(
        "CHECK (burst_download_kbps >= 0 AND burst_upload_kbps >= 0"
        " AND burst_threshold_download_kbps >= 0 AND burst_threshold_upload_kbps >= 0"
        " AND burst_time_s >= 0 AND simultaneous_use >= 0 AND session_timeout_s >= 0"
        " AND idle_timeout_s >= 0 AND interim_interval_s >= 0 AND contract_months >= 0"
        " AND trial_days >= 0 AND setup_fee >= 0 AND early_fee >= 0"
        " AND early_percent BETWEEN 0 AND 100)",
        "Limits and times of a plan cannot be negative.",
    )
    _priority_valid = models.Constraint(
        "CHECK (priority BETWEEN 1 AND 8)", "The queue priority lies between 1 and 8."
    )

    # === COMPUTE METHODS === #

    @api.depends("product_id.lst_price")
    def _compute_price(self):
        for plan in self:
            plan.price = plan.product_id.lst_price

    def _inverse_price(self):
        for plan in self:
            plan.product_id.lst_price = plan.price

    @api.depends("subscription_ids.state")
    def _compute_subscription_count(self):
        counts = dict(
            self.env["isp.subscription"]._read_group(
                [("plan_id", "in", self.ids), ("state", "in", ("active", "suspended"))],
                ["plan_id"],
                ["__count"],
            )
        )
        for plan in self:
            plan.subscription_count = counts.get(plan._origin, 0)

    @api.depends("download_kbps", "upload_kbps")
    def _compute_speed(self):
        for plan in self:
            plan.speed = self.env._(
                "%(down)s down / %(up)s up",
                down=self._format_speed(plan.download_kbps),
                up=self._format_speed(plan.upload_kbps),
            )

    @api.model
    def _format_speed(self, kbps):
        """``kbps`` in the unit people say it in: 512 kbit/s, 20 Mbit/s, 1 Gbit/s.

        Both 1,000 and 1,024 are in use for the next unit; a speed that divides by neither keeps one
        decimal.
        """
        for factor, unit in ((1_000_000, "Gbit/s"), (1_000, "Mbit/s")):
            if kbps >= factor:
                binary = factor // 1_000 * 1_024 if factor == 1_000 else 1_048_576
                value = kbps / binary if kbps % binary == 0 else kbps / factor
                return f"{value:.10g} {unit}" if value == int(value) else f"{value:.1f} {unit}"
        return f"{kbps} kbit/s"

    # === CONSTRAINT METHODS === #

    @api.constrains("billing_mode", "anchor", "cycle_unit")
    def _check_prepaid_cycle(self):
        for plan in self:
            if (
                plan.billing_mode == "prepaid"
                and plan.anchor != "anniversary"
                and (plan.cycle_unit in MONTHS_PER_UNIT)
            ):
                raise ValidationError(
                    self.env._(
                        "Prepaid plan “%(plan)s”: a prepaid period begins with the service. "
                        "Choose “On the day the service began”.",
                        plan=plan.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not vals.get("product_id"):
                product_vals = self._prepare_product_vals(vals)
                vals["product_id"] = self.env["product.product"].create(product_vals).id
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_another_rule(vals)
        res = super().write(vals)
        if "name" in vals:
            for plan in self:
                plan.product_id.name = plan.name
        return res

    def _refuse_another_rule(self, vals):
        """Bills of the past would be worked out anew by another rule."""
        for name in _BILLING_RULE & vals.keys():
            changed = self.filtered(lambda plan, name=name: plan[name] != vals[name])
            # sudo: a bill that the user may not see counts as well.
            if changed and self.env["isp.charge"].sudo().search_count(
                [("plan_id", "in", changed.ids)], limit=1
            ):
                raise UserError(
                    self.env._(
                        "“%(plan)s” has been billed, so “%(field)s” cannot change any more. Copy "
                        "the plan, change the copy, and move subscriptions to it.",
                        plan=changed[0].name,
                        field=self._fields[name]._description_string(self.env),
                    )
                )

    def copy_data(self, default=None):
        return [
            dict(vals, name=self.env._("%s (copy)", plan.name), code=False, price=plan.price)
            for plan, vals in zip(self, super().copy_data(default), strict=True)
        ]

    # === ACTION METHODS === #

    def action_view_subscriptions(self):
        """Open the subscriptions of the plan."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_billing.isp_subscription_action"
        )
        action.update(domain=[("plan_id", "=", self.id)], context={"default_plan_id": self.id})
        return action

    # === BUSINESS METHODS === #

    @api.model
    def _prepare_product_vals(self, vals):
        """Values of the product behind a new plan.

        Hook: extend to set an income account or a category of your own.
        """
        return {
            "name": vals.get("name"),
            "default_code": vals.get("code"),
            "type": "service",
            "lst_price": vals.get("price", 0.0),
            "purchase_ok": False,
            "company_id": vals.get("company_id", self.env.company.id),
        }

    def _is_recharged(self):
        """Whether time is bought by recharging and begins with the payment."""
        self.ensure_one()
        return (self.billing_mode, self.validity_from) == ("prepaid", "payment")

    def _get_cycle(self, anchor_day=None):
        """The engine's :class:`Cycle`; ``anchor_day`` replaces the plan's own billing day."""
        self.ensure_one()
        anchor = None
        if self.anchor == "calendar":
            anchor = anchor_day or self.anchor_day
        elif self.anchor == "aligned":
            anchor = anchor_day or None
        return Cycle(self.cycle_unit, self.cycle_count, anchor)
