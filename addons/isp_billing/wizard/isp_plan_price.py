from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

BATCH_SIZE = 500


class IspPlanPrice(models.TransientModel):
    """Asks for a plan's new price and for whom it holds."""

    _name = "isp.plan.price"
    _description = "Change the price of a plan"

    plan_id = fields.Many2one("isp.plan", required=True, readonly=True)
    old_price = fields.Float(related="plan_id.price", string="Present price")
    price = fields.Float("New price", required=True, digits="Product Price")
    policy = fields.Selection(
        [
            ("grandfathered", "New customers only; the others keep their price"),
            ("cycle_end", "Everybody, from their next bill"),
        ],
        "For",
        required=True,
        default="cycle_end",
    )
    only_list_price = fields.Boolean(
        "Leave own prices alone",
        default=True,
        help="Who pays another price than the plan's has agreed on it, and keeps it.",
    )
    subscription_count = fields.Integer("Subscriptions", compute="_compute_subscription_count")

    @api.depends("plan_id", "policy", "only_list_price")
    def _compute_subscription_count(self):
        for wizard in self:
            wizard.subscription_count = self.env["isp.subscription.line"].search_count(
                wizard._get_line_domain()
            )

    def action_confirm(self):
        """Change the price; subscriptions follow in the background."""
        self.ensure_one()
        if self.price < 0:
            raise UserError(self.env._("A price cannot be negative."))
        lines = self.env["isp.subscription.line"]
        if self.policy == "cycle_end":
            lines = lines.search(self._get_line_domain())
        self.plan_id.price = self.price
        self.plan_id.message_post(
            body=self.env._(
                "New price %(price)s for %(count)s subscriptions and all new ones",
                price=self.plan_id.currency_id.format(self.price),
                count=len(lines),
            )
        )
        for ids in split_every(BATCH_SIZE, lines.ids):
            lines.browse(ids).with_delay(
                description=self.env._("New price of %s", self.plan_id.name)
            )._job_follow_price(self.price)

    def _get_line_domain(self):
        self.ensure_one()
        domain = [
            ("line_type", "=", "plan"),
            ("plan_id", "=", self.plan_id.id),
            ("date_to", "=", False),
            ("subscription_id.state", "in", ("draft", "active", "suspended")),
        ]
        if self.policy == "grandfathered":
            domain.append(("subscription_id.state", "=", "draft"))
        if self.only_list_price:
            domain.append(("price_unit", "=", self.plan_id.price))
        return domain


class IspSubscriptionLine(models.Model):
    _inherit = "isp.subscription.line"

    def _job_follow_price(self, price):
        """Take the plan's new price from the next bill on, and write it down."""
        for line in self.exists().filtered(lambda line: line.price_unit != price):
            old = line.price_unit
            line.price_unit = price
            line.subscription_id._log_event(
                "price",
                self.env._("New price of the plan"),
                from_value=f"{old:g}",
                to_value=f"{price:g}",
                effective_date=line._get_unbilled_from() or False,
            )
