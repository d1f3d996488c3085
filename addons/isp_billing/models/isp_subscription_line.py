from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine import periods


class IspSubscriptionLine(models.Model):
    """One priced part of a subscription: the plan itself, an add-on, a discount."""

    _name = "isp.subscription.line"
    _description = "Subscription line"
    _order = "subscription_id, sequence, id"
    _check_company_auto = True

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    line_type = fields.Selection(
        [
            ("plan", "Plan"),
            ("addon", "Add-on"),
            ("static_ip", "Static address"),
            ("equipment", "Rented equipment"),
            ("discount", "Discount"),
        ],
        "Kind",
        required=True,
        default="addon",
    )
    product_id = fields.Many2one(
        "product.product",
        required=True,
        check_company=True,
        ondelete="restrict",
        index=True,
        help="Carries the taxes and the income account of the line.",
    )
    name = fields.Char(
        "Description",
        compute="_compute_name",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        help="Printed on the bill. Do not write personal data here: bills cannot be changed later.",
    )
    quantity = fields.Float(default=1.0, required=True, digits="Product Unit")
    price_unit = fields.Float(
        "Unit price",
        compute="_compute_price_unit",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        digits="Product Price",
        help="Price of one whole period. A discount line has a negative price.",
    )
    discount = fields.Float("Discount (%)", digits="Discount")
    price_subtotal = fields.Monetary(
        "Per period", compute="_compute_price_subtotal", store=True, precompute=True
    )
    date_from = fields.Date(
        "From", help="First day billed. Left empty, from the start of the service."
    )
    date_to = fields.Date(
        "Until", help="First day no longer billed. Left empty, until the end of the service."
    )
    charge_ids = fields.One2many("isp.charge", "line_id", "Charges")

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "The quantity must be positive; remove the line instead."
    )
    _discount_valid = models.Constraint(
        "CHECK (discount BETWEEN 0 AND 100)", "A discount lies between 0 and 100 %."
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_from IS NULL OR date_to >= date_from)",
        "A line cannot end before it begins.",
    )

    # === COMPUTE METHODS === #

    @api.depends("product_id")
    def _compute_name(self):
        for line in self:
            line.name = line.name or line.product_id.display_name

    @api.depends("product_id")
    def _compute_price_unit(self):
        for line in self:
            line.price_unit = line.price_unit or line.product_id.lst_price

    @api.depends("quantity", "price_unit", "discount", "subscription_id.company_id")
    def _compute_price_subtotal(self):
        for line in self:
            currency = line.subscription_id.company_id.currency_id
            subtotal = line.quantity * line.price_unit * (1 - line.discount / 100)
            line.price_subtotal = currency.round(subtotal) if currency else subtotal

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed(self):
        if billed := self.filtered("charge_ids"):
            raise UserError(
                self.env._(
                    "“%(line)s” has been billed and stays on record. Set its “Until” day instead.",
                    line=billed[0].name,
                )
            )

    # === BUSINESS METHODS === #

    def _prepare_charge_vals(self, period):
        """Values of the charge of this line for ``period``; ``{}`` to bill nothing.

        :param period: an engine ``Period`` of the subscription. A line joined or left in between
            pays for its own days of it.
        """
        self.ensure_one()
        date_from = max(period.date_from, self.date_from or period.date_from)
        date_to = min(period.date_to, self.date_to or period.date_to)
        if date_from >= date_to:
            return {}
        fraction, rule = period.fraction, period.rule
        if (date_from, date_to) != (period.date_from, period.date_to) and rule != "whole_stub":
            share = periods.fraction_of(
                (date_to - date_from).days, (period.date_to - period.date_from).days
            )
            fraction = (fraction * share).quantize(periods.FRACTION_STEP)
            rule = "line_stub" if fraction else rule
        price = Decimal(str(self.price_unit)) * (100 - Decimal(str(self.discount))) / 100
        return {
            "subscription_id": self.subscription_id.id,
            "line_id": self.id,
            "charge_type": "recurring",
            "date_from": date_from,
            "date_to": date_to,
            "fraction": float(fraction),
            "rule": rule,
            "quantity": self.quantity,
            "price_unit": self.price_unit,
            "discount": self.discount,
            "amount": float(
                periods.amount(
                    price,
                    Decimal(str(self.quantity)),
                    fraction,
                    self.subscription_id.company_id.currency_id.decimal_places,
                )
            ),
        }
