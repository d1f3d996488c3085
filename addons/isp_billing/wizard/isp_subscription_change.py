from odoo import api, fields, models
from odoo.exceptions import UserError


class IspSubscriptionChange(models.TransientModel):
    """Asks what changes on a running subscription, from when, and shows what it costs."""

    _name = "isp.subscription.change"
    _description = "Change a subscription"

    subscription_id = fields.Many2one("isp.subscription", required=True, readonly=True)
    company_id = fields.Many2one(related="subscription_id.company_id")
    currency_id = fields.Many2one(related="subscription_id.currency_id")
    operation = fields.Selection(
        [
            ("plan", "Plan"),
            ("line", "Price or quantity"),
            ("addon", "New add-on"),
            ("end_line", "End an add-on"),
            ("billing_day", "Billing day"),
            ("coupon", "Coupon"),
        ],
        "What changes",
        required=True,
        default="plan",
    )
    plan_id = fields.Many2one(
        "isp.plan",
        "New plan",
        domain="[('company_id', '=', company_id)]",
    )
    line_id = fields.Many2one(
        "isp.subscription.line",
        domain="[('subscription_id', '=', subscription_id)]",
    )
    product_id = fields.Many2one("product.product", "Added product")
    quantity = fields.Float(default=1.0, digits="Product Unit")
    price_unit = fields.Float("Unit price", digits="Product Price")
    discount = fields.Float("Discount (%)", digits="Discount")
    anchor_day = fields.Integer("New billing day", default=1)
    coupon_code = fields.Char("Coupon code")
    when = fields.Selection(
        [
            ("now", "Today"),
            ("cycle_end", "When the running period ends"),
            ("date", "On a day"),
        ],
        "From",
        required=True,
        default="now",
    )
    date = fields.Date(
        "Day",
        help="A day of the past corrects bills: the next one takes back what was too much and "
        "charges what was missing.",
    )
    effective_date = fields.Date("Takes effect", compute="_compute_effective_date")
    is_past = fields.Boolean(compute="_compute_effective_date")
    preview = fields.Text("The next bill would hold", readonly=True)

    # === COMPUTE METHODS === #

    @api.depends("when", "date", "subscription_id", "operation")
    def _compute_effective_date(self):
        for wizard in self:
            subscription = wizard.subscription_id
            today = subscription.company_id._get_isp_today()
            day = today
            if wizard.when == "date":
                day = wizard.date
            elif wizard.when == "cycle_end" and subscription.date_start:
                day = subscription._get_period_on(max(today, subscription.date_start))[1]
            wizard.effective_date = day
            wizard.is_past = bool(day) and day < today

    @api.onchange("operation", "line_id", "product_id")
    def _onchange_line(self):
        if self.operation == "line" and self.line_id:
            self.quantity = self.line_id.quantity
            self.price_unit = self.line_id.price_unit
            self.discount = self.line_id.discount
        elif self.operation == "addon":
            self.price_unit = self.product_id.lst_price

    # === ACTION METHODS === #

    def action_preview(self):
        """Show what the change would put on the next bill, without making it."""
        self.ensure_one()
        savepoint = self.env.cr.savepoint()
        try:
            self._apply()
            self.env.flush_all()
            text = self._describe_next_bill()
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)
        self.preview = text
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_confirm(self):
        """Make the change; the next bill corrects what was billed already."""
        self.ensure_one()
        self._apply()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _apply(self):
        subscription, day = self.subscription_id, self.effective_date
        if subscription.state == "terminated":
            raise UserError(self.env._("The service has ended; there is nothing to change."))
        if not day:
            raise UserError(self.env._("Enter the day from which the change takes effect."))
        if self.is_past and not self.env.user.has_group("isp_base.group_isp_accountant"):
            raise UserError(
                self.env._("Only accountants change what was billed. Choose today or a later day.")
            )
        if subscription.date_start and day < subscription.date_start:
            raise UserError(
                self.env._("The service began on %(day)s.", day=subscription.date_start)
            )
        getattr(self, f"_apply_{self.operation}")(subscription, day)

    def _apply_plan(self, subscription, day):
        if not self.plan_id:
            raise UserError(self.env._("Choose the new plan."))
        subscription._change_plan(self.plan_id, day)

    def _apply_line(self, subscription, day):
        if not self.line_id:
            raise UserError(self.env._("Choose the line that changes."))
        old = f"{self.line_id.quantity:g} × {self.line_id.price_unit:g}"
        self.line_id.with_context(isp_effective_date=day).write(
            {
                "quantity": self.quantity,
                "price_unit": self.price_unit,
                "discount": self.discount,
            }
        )
        subscription._log_event(
            "price",
            self.line_id.name,
            from_value=old,
            to_value=f"{self.quantity:g} × {self.price_unit:g}",
            effective_date=day,
        )

    def _apply_addon(self, subscription, day):
        if not self.product_id:
            raise UserError(self.env._("Choose the add-on."))
        line = self.env["isp.subscription.line"].create(
            {
                "subscription_id": subscription.id,
                "product_id": self.product_id.id,
                "quantity": self.quantity,
                "price_unit": self.price_unit,
                "discount": self.discount,
                "date_from": day,
            }
        )
        subscription._log_event(
            "price", self.env._("Add-on joined"), to_value=line.name, effective_date=day
        )

    def _apply_end_line(self, subscription, day):
        if not self.line_id or self.line_id.line_type == "plan":
            raise UserError(
                self.env._("Choose the add-on that ends. A plan ends with the subscription.")
            )
        self.line_id.date_to = max(day, self.line_id.date_from or day)
        subscription._log_event(
            "price", self.env._("Add-on ended"), from_value=self.line_id.name, effective_date=day
        )

    def _apply_billing_day(self, subscription, day):
        subscription._change_billing_day(self.anchor_day, day)

    def _apply_coupon(self, subscription, _day):
        subscription._redeem_coupon(self.coupon_code)

    def _describe_next_bill(self):
        """The charges of the next bill after the change, a line each."""
        subscription = self.subscription_id
        subscription.invalidate_recordset()
        day = subscription.next_bill_date
        if subscription.next_plan_id:
            return self.env._(
                "Nothing before %(day)s; then the plan changes to %(plan)s.",
                day=subscription.plan_change_date,
                plan=subscription.next_plan_id.name,
            )
        if not day:
            return self.env._("Nothing is due.")
        day = max(day, subscription.company_id._get_isp_today())
        charges = self.env["isp.charge"].create(subscription._get_due_charges(day))
        lines = [
            f"{charge._get_label()}: {charge.currency_id.format(charge.amount)}"
            for charge in charges
            if charge._is_shown()
        ]
        total = sum(charges.mapped("amount"))
        return "\n".join(
            [
                *lines,
                self.env._(
                    "On %(day)s, before taxes: %(total)s",
                    day=day,
                    total=subscription.currency_id.format(total),
                ),
            ]
        )
