from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..usage import caps

WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]


class IspPlan(models.Model):
    """What a plan says about volume and about speeds by the hour. 1 GB is 10^9 octets."""

    _inherit = "isp.plan"

    cap_gb = fields.Float(
        "Data volume (GB)",
        digits=(16, 3),
        tracking=True,
        help="Volume of one window. 0 for no cap. 1 GB is 1,000,000,000 bytes.",
    )
    cap_period = fields.Selection(
        [("day", "Day"), ("week", "Week"), ("cycle", "Billing period")],
        "Volume per",
        required=True,
        default="cycle",
        tracking=True,
    )
    cap_weekday = fields.Selection(WEEKDAYS, "Week begins on", required=True, default="0")
    cap_counts = fields.Selection(
        [("total", "Download and upload"), ("download", "Download only")],
        "What counts",
        required=True,
        default="total",
    )
    cap_action = fields.Selection(
        [
            ("throttle", "Slow down"),
            ("block", "Stop"),
            ("overage", "Go on and charge"),
        ],
        "When it is used up",
        required=True,
        default="throttle",
        tracking=True,
        help="Slow down: the speeds below hold until the next window. Stop: nothing but the page "
        "of the provider is reached. Go on and charge: every gigabyte begun is billed.",
    )
    cap_download_kbps = fields.Integer(
        "Download when used up (kbit/s)", required=True, default=1024
    )
    cap_upload_kbps = fields.Integer("Upload when used up (kbit/s)", required=True, default=1024)
    cap_overage_price = fields.Float("Price per extra GB", digits="Product Price")
    cap_overage_product_id = fields.Many2one(
        "product.product",
        "Product of extra volume",
        check_company=True,
        ondelete="restrict",
        help="Left empty, taxes and account are those of the plan.",
    )
    cap_carry_over = fields.Boolean(
        "Unused volume is kept", help="What is left is added to the next window."
    )
    cap_carry_limit_gb = fields.Float(
        "At most (GB)",
        digits=(16, 3),
        help="The most that is taken into the next window. 0 for the volume of one window.",
    )
    cap_notices = fields.Boolean(
        "Tell the customer at 80 and 100 %", default=True, help="By e-mail, once in each window."
    )
    hours_ids = fields.One2many("isp.plan.hours", "plan_id", "Speeds by the hour", copy=True)
    topup_ids = fields.One2many("isp.plan.topup", "plan_id", "Top-ups", copy=True)

    _cap_valid = models.Constraint(
        "CHECK (cap_gb >= 0 AND cap_carry_limit_gb >= 0 AND cap_overage_price >= 0"
        " AND cap_download_kbps > 0 AND cap_upload_kbps > 0)",
        "Volumes and prices cannot be negative, and speeds must be positive.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("cap_gb", "cap_action", "cap_overage_price")
    def _check_cap(self):
        for plan in self:
            if plan.cap_gb and plan.cap_action == "overage" and not plan.cap_overage_price:
                raise ValidationError(
                    self.env._(
                        "“%(plan)s” charges for extra volume: enter the price per GB.",
                        plan=plan.name,
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if any(name.startswith("cap_") for name in vals):
            self.env["isp.usage.window"]._follow_plans(self)
        return res

    # === BUSINESS METHODS === #

    def _get_cap_rule(self):
        """The engine's rule, ``None`` without a cap."""
        self.ensure_one()
        if not self.cap_gb:
            return None
        included = round(self.cap_gb * caps.GB)
        return caps.Rule(
            included,
            self.cap_action,
            self.cap_carry_over,
            round(self.cap_carry_limit_gb * caps.GB) or included,
        )

    def _get_hours(self):
        """The engine's rules of speeds by the hour, the first one first."""
        self.ensure_one()
        return [row._get_hours() for row in self.hours_ids]

    def _get_rates(self):
        """The engine's speeds of the plan."""
        self.ensure_one()
        return caps.Rates(
            self.download_kbps,
            self.upload_kbps,
            self.burst_download_kbps,
            self.burst_upload_kbps,
            self.burst_threshold_download_kbps,
            self.burst_threshold_upload_kbps,
        )
