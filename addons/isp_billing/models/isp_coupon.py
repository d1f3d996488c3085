from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import discounts
from ..engine.problems import Problem
from .isp_billing_reasons import explain_problem


class IspCoupon(models.Model):
    """A code that customers redeem for a discount, within limits."""

    _name = "isp.coupon"
    _description = "Coupon"
    _inherit = ["mail.thread"]
    _order = "date_to desc, code, id"
    _rec_name = "code"
    _check_company_auto = True

    _privacy_free = "An offer to all customers; who took it is on the discount."

    code = fields.Char(required=True, copy=False, tracking=True)
    name = fields.Char("Description", required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    percent = fields.Float("Percent off", digits="Discount", tracking=True)
    amount = fields.Monetary("Amount off", tracking=True, help="Off one whole period.")
    first_cycles = fields.Integer(
        "Number of periods", help="For how many billing periods. 0 for no limit."
    )
    max_total = fields.Monetary("At most", help="Ends once so much has been given. 0 for no limit.")
    plan_ids = fields.Many2many(
        "isp.plan", string="Only plans", check_company=True, help="Left empty, all plans."
    )
    date_from = fields.Date("Valid from")
    date_to = fields.Date("Valid until", help="First day on which it is no longer accepted.")
    max_redemptions = fields.Integer("Redemptions in all", help="0 for no limit.")
    max_per_customer = fields.Integer("Redemptions per customer", default=1, help="0 for no limit.")
    discount_ids = fields.One2many("isp.subscription.discount", "coupon_id", "Redemptions")
    redeemed_count = fields.Integer("Redeemed", compute="_compute_redeemed_count")

    _code_uniq = models.UniqueIndex(
        "(company_id, upper(code))", "Another coupon of the company has this code."
    )
    _gives_something = models.Constraint(
        "CHECK (percent BETWEEN 0 AND 100 AND amount >= 0 AND (percent > 0 OR amount > 0))",
        "Give a percentage between 0 and 100, or an amount.",
    )
    _limits_not_negative = models.Constraint(
        "CHECK (first_cycles >= 0 AND max_total >= 0 AND max_redemptions >= 0"
        " AND max_per_customer >= 0)",
        "Limits of a coupon cannot be negative.",
    )

    @api.depends("discount_ids")
    def _compute_redeemed_count(self):
        counts = dict(
            self.env["isp.subscription.discount"]._read_group(
                [("coupon_id", "in", self.ids)], ["coupon_id"], ["__count"]
            )
        )
        for coupon in self:
            coupon.redeemed_count = counts.get(coupon._origin, 0)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_redeemed(self):
        if redeemed := self.filtered("discount_ids"):
            raise UserError(
                self.env._(
                    "Coupon %(code)s has been redeemed and stays on record. Archive it instead.",
                    code=redeemed[0].code,
                )
            )

    def action_view_subscriptions(self):
        """Open the subscriptions that redeemed the coupon."""
        self.ensure_one()
        return self.discount_ids.subscription_id._action_open()

    # === BUSINESS METHODS === #

    @api.model
    def _find(self, code, company):
        """The coupon with this code in ``company``.

        :raises UserError: when there is none
        """
        coupon = self.search(
            [("code", "=ilike", (code or "").strip()), ("company_id", "=", company.id)], limit=1
        )
        if not coupon or not (code or "").strip():
            raise UserError(self.env._("There is no coupon “%(code)s”.", code=code or ""))
        return coupon

    def _redeem(self, subscription):
        """Give ``subscription`` the discount of the coupon from its next unbilled day on.

        :raises UserError: when a limit of the coupon is reached or it is not for the plan
        :return: the new ``isp.subscription.discount``
        """
        self.ensure_one()
        if self.plan_ids and subscription.plan_id not in self.plan_ids:
            raise UserError(
                self.env._(
                    "Coupon %(code)s is not for the plan %(plan)s.",
                    code=self.code,
                    plan=subscription.plan_id.name,
                )
            )
        # The limits are counted under a lock, so that two clerks cannot redeem the last one both.
        self.lock_for_update()
        mine = self.discount_ids.filtered(
            lambda d: d.subscription_id.commercial_partner_id == subscription.commercial_partner_id
        )
        try:
            discounts.redeem(
                self._get_engine_coupon(),
                self.company_id._get_isp_today(),
                len(self.discount_ids),
                len(mine),
            )
        except Problem as problem:
            raise UserError(explain_problem(self.env, problem)) from None
        # sudo: a customer or clerk redeems, but only the coupon decides what it is worth.
        return (
            self.env["isp.subscription.discount"]
            .sudo()
            .create(
                {
                    "subscription_id": subscription.id,
                    "coupon_id": self.id,
                    "name": self.name,
                    "percent": self.percent,
                    "amount": self.amount,
                    "first_cycles": self.first_cycles,
                    "max_total": self.max_total,
                    "date_from": subscription.billed_through
                    or subscription.date_start
                    or self.company_id._get_isp_today(),
                }
            )
        )

    def _get_engine_coupon(self):
        return discounts.Coupon(
            code=self.code,
            discount=discounts.Discount(
                self.code, Decimal(str(self.percent)), Decimal(str(self.amount))
            ),
            valid_from=self.date_from or None,
            valid_to=self.date_to or None,
            max_redemptions=self.max_redemptions or None,
            max_per_customer=self.max_per_customer or None,
        )
