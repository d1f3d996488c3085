from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import DUNNING_ACTIONS


class IspDunningStep(models.Model):
    """One step of a dunning policy, so many days before or after the due date."""

    _name = "isp.dunning.step"
    _description = "Dunning step"
    _order = "policy_id, days, hour, sequence, id"
    _check_company_auto = True

    policy_id = fields.Many2one("isp.dunning.policy", required=True, index=True, ondelete="cascade")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(related="policy_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    action = fields.Selection(DUNNING_ACTIONS, "Step", required=True, default="remind")
    days = fields.Integer(
        "Days after due",
        required=True,
        default=1,
        help="1 is the first day on which the bill is overdue. Reminders may go before the due "
        "date: -3 is three days before it.",
    )
    hour = fields.Integer(
        required=True, default=10, help="Hour of the day, in the company's time zone."
    )
    min_amount = fields.Monetary(
        "From", help="The step is taken only where at least this much is owed."
    )
    channel = fields.Selection(
        [("mail", "E-mail")], required=True, default="mail", help="How a reminder is sent."
    )
    mail_template_id = fields.Many2one(
        "mail.template",
        "Message",
        domain="[('model', '=', 'isp.subscription')]",
        ondelete="restrict",
    )
    product_id = fields.Many2one(
        "product.product",
        "Fee product",
        check_company=True,
        domain="[('type', '=', 'service')]",
        ondelete="restrict",
        help="Its income account and taxes are those of the fee.",
    )
    fee_type = fields.Selection(
        [("fixed", "Fixed amount"), ("percent", "Percent of what is unpaid")],
        "Fee",
        default="fixed",
        required=True,
    )
    fee_amount = fields.Monetary("Fee amount")
    fee_percent = fields.Float("Fee (%)", digits="Discount")
    charge_from = fields.Date(
        "For bills due from",
        default=lambda self: self.env.company._get_isp_today(),
        help="Older bills get no late fee, so that a fee you introduce is not charged for the past.",
    )
    log_count = fields.Integer("Taken", compute="_compute_log_count")

    _hour_valid = models.Constraint(
        "CHECK (hour BETWEEN 0 AND 23)", "The hour of a step lies between 0 and 23."
    )
    _days_valid = models.Constraint(
        "CHECK (days BETWEEN -90 AND 730)", "A step lies between 90 days before and 2 years after."
    )
    _amounts_valid = models.Constraint(
        "CHECK (COALESCE(min_amount, 0) >= 0 AND COALESCE(fee_amount, 0) >= 0"
        " AND COALESCE(fee_percent, 0) BETWEEN 0 AND 100)",
        "Amounts of a step cannot be negative, and a fee is at most 100 percent.",
    )

    # === COMPUTE METHODS === #

    @api.depends("action", "days")
    def _compute_display_name(self):
        actions = dict(self._fields["action"]._description_selection(self.env))
        for step in self:
            step.display_name = f"{actions.get(step.action, '')}, {step._get_offset_text()}"

    def _compute_log_count(self):
        counts = dict(
            self.env["isp.dunning.log"]._read_group(
                [("step_id", "in", self.ids), ("outcome", "=", "done")], ["step_id"], ["__count"]
            )
        )
        for step in self:
            step.log_count = counts.get(step._origin, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("action", "days", "mail_template_id", "product_id", "fee_amount", "fee_percent")
    def _check_action(self):
        for step in self:
            if step.action != "remind" and step.days < 1:
                raise ValidationError(
                    self.env._(
                        "“%(step)s”: only reminders go before a bill is overdue. The customer may "
                        "pay all day on the due date, so take 1 day or more.",
                        step=step.display_name,
                    )
                )
            if step.action == "remind" and step.channel == "mail" and not step.mail_template_id:
                raise ValidationError(
                    self.env._("“%(step)s”: choose the message.", step=step.display_name)
                )
            if step.action == "late_fee" and not (
                step.product_id
                and (step.fee_percent if step.fee_type == "percent" else step.fee_amount)
            ):
                raise ValidationError(
                    self.env._(
                        "“%(step)s”: choose the product of the fee and enter its amount.",
                        step=step.display_name,
                    )
                )

    # === BUSINESS METHODS === #

    def _get_offset_text(self):
        """The step's day in words."""
        self.ensure_one()
        count = self.env["isp.subscription"]._count_days(abs(self.days))
        if self.days < 0:
            return self.env._("%s before due", count)
        if not self.days:
            return self.env._("on the due date")
        return self.env._("%s after due", count)

    def _get_fee(self, unpaid):
        """The late fee for a bill of which ``unpaid`` is open."""
        self.ensure_one()
        if self.fee_type == "fixed":
            return self.fee_amount
        return self.currency_id.round(unpaid * self.fee_percent / 100.0)

    def _get_gap(self):
        """Days that a termination keeps from the suspension before it, ``None`` without one."""
        self.ensure_one()
        suspensions = self.policy_id.step_ids.filtered(
            lambda step: step.action == "suspend" and step.days <= self.days
        )
        if self.action != "terminate" or not suspensions:
            return None
        return max(1, self.days - max(suspensions.mapped("days")))
