from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine.discounts import Discount


class IspSubscriptionDiscount(models.Model):
    """A discount on a subscription's plan or on one of its lines, for a time or for good."""

    _name = "isp.subscription.discount"
    _description = "Discount on a subscription"
    _order = "subscription_id, date_from, id"
    _check_company_auto = True

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "tax_doc"}
    _privacy_fields = {"name": {"category": "free_text", "erasure": "mask"}}
    _privacy_facts = "percent amount date_from date_to"
    _privacy_retention = {"anchor": "date_to"}

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    line_id = fields.Many2one(
        "isp.subscription.line",
        "Only line",
        domain="[('subscription_id', '=', subscription_id)]",
        ondelete="cascade",
        help="Left empty, the discount is on the plan, also on the next one.",
    )
    coupon_id = fields.Many2one(
        "isp.coupon", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    name = fields.Char("Description", required=True, help="Printed in explanations of the bill.")
    percent = fields.Float("Percent off", digits="Discount")
    amount = fields.Monetary("Amount off", help="Off one whole period, less for a part of one.")
    date_from = fields.Date("From", required=True)
    date_to = fields.Date("Until", help="First day without the discount.")
    first_cycles = fields.Integer(
        "Number of periods", help="Ends after so many billing periods. 0 for no limit."
    )
    max_total = fields.Monetary("At most", help="Ends once so much has been given. 0 for no limit.")

    _percent_valid = models.Constraint(
        "CHECK (percent BETWEEN 0 AND 100 AND amount >= 0 AND first_cycles >= 0"
        " AND max_total >= 0)",
        "A discount lies between 0 and 100 %, and its amounts and limits are not negative.",
    )
    _gives_something = models.Constraint(
        "CHECK (percent > 0 OR amount > 0)", "Give a percentage or an amount."
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "A discount cannot end before it begins.",
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "date_from" in fields_list and not values.get("date_from"):
            values["date_from"] = self.env.company._get_isp_today()
        return values

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        discounts = super().create(vals_list)
        for discount in discounts:
            subscription = discount.subscription_id
            subscription._note_change(discount.date_from)
            if subscription.state != "draft":
                subscription._log_event(
                    "billing",
                    self.env._(
                        "Discount “%(name)s” from %(day)s",
                        name=discount.name,
                        day=discount.date_from,
                    ),
                    effective_date=discount.date_from,
                )
        return discounts

    def write(self, vals):
        before = {discount: discount.date_from for discount in self}
        res = super().write(vals)
        for discount in self:
            discount.subscription_id._note_change(min(before[discount], discount.date_from))
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_given(self):
        for discount in self:
            if discount.subscription_id.billed_through:
                raise UserError(
                    self.env._(
                        "“%(discount)s” may be part of a bill and stays on record. Set its "
                        "“Until” day instead.",
                        discount=discount.name,
                    )
                )

    # === BUSINESS METHODS === #

    def _get_engine_discounts(self):
        """The engine's discounts."""
        return tuple(
            Discount(
                key=f"discount{discount.id}",
                percent=Decimal(str(discount.percent)),
                amount=Decimal(str(discount.amount)),
                date_from=discount.date_from,
                date_to=discount.date_to or None,
                first_cycles=discount.first_cycles or None,
                max_total=Decimal(str(discount.max_total)) if discount.max_total else None,
            )
            for discount in self
        )
