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

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "tax_doc"}
    _privacy_fields = {
        "name": {
            "erasure": "keep",
            "reason": "The words of the bill's line, of which they are a copy; no names belong there.",
        },
    }
    _privacy_facts = "product_id quantity price_unit discount date_from date_to"

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
        "From", copy=False, help="First day billed. Left empty, from the start of the service."
    )
    date_to = fields.Date(
        "Until",
        copy=False,
        help="First day no longer billed. Left empty, until the end of the service.",
    )
    plan_id = fields.Many2one(
        "isp.plan", readonly=True, index="btree_not_null", ondelete="restrict", string="For plan"
    )
    terms_ids = fields.One2many("isp.subscription.line.terms", "line_id", "Earlier prices")
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

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            subscription = self.env["isp.subscription"].browse(vals.get("subscription_id"))
            if not vals.get("date_from") and subscription.billed_through:
                # Joined later: without a day of its own, what is billed already stays as it is.
                vals["date_from"] = subscription.billed_through
            if vals.get("line_type") == "plan":
                vals.setdefault("plan_id", subscription.plan_id.id)
        lines = super().create(vals_list)
        for line in lines.filtered(lambda line: line.date_from or line.date_to):
            line.subscription_id._note_change(line.date_from or line.date_to)
        return lines

    def write(self, vals):
        if vals.keys() & {"price_unit", "quantity", "discount"}:
            self._keep_terms(vals)
        if "active" in vals and not vals["active"]:
            self._refuse_to_hide_billed()
        days = {line: (line.date_from, line.date_to) for line in self}
        res = super().write(vals)
        if vals.keys() & {"date_from", "date_to"}:
            for line in self:
                changed = {*days[line]} ^ {line.date_from, line.date_to}
                if day := min(filter(None, changed), default=None):
                    line.subscription_id._note_change(day)
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed(self):
        self._refuse_to_hide_billed()

    def _refuse_to_hide_billed(self):
        if billed := self.filtered("charge_ids"):
            raise UserError(
                self.env._(
                    "“%(line)s” has been billed and stays on record. Set its “Until” day instead.",
                    line=billed[0].name,
                )
            )

    # === BUSINESS METHODS === #

    def _keep_terms(self, vals):
        """Write down what billed lines cost until the day on which ``vals`` take effect.

        The day is ``isp_effective_date`` of the context, else the first day not billed yet.
        """
        for line in self:
            old = {name: line[name] for name in ("price_unit", "quantity", "discount")}
            if not line.charge_ids or all(old[n] == vals[n] for n in old if n in vals):
                continue
            day = self.env.context.get("isp_effective_date") or line._get_unbilled_from()
            later = line.terms_ids.filtered(lambda terms, day=day: terms.date_to >= day)
            # A change replaces the later ones; what held before the first of them holds until it.
            old = later.sorted("date_to")[:1].read(list(old))[0] if later else old
            old.pop("id", None)
            # sudo: clerks change prices, the record of them writes itself.
            later.sudo().unlink()
            self.env["isp.subscription.line.terms"].sudo().create(
                {"line_id": line.id, "date_to": day, **old}
            )
            line.subscription_id._note_change(day)

    def _get_unbilled_from(self):
        """First day that no charge of the line covers."""
        self.ensure_one()
        return max(
            self.charge_ids.filtered(lambda c: c.charge_type == "recurring").mapped("date_to"),
            default=self.date_from or self.subscription_id.date_start,
        )

    def _get_terms(self, day):
        """``(price, quantity, discount %)`` of the line on ``day``, as decimals."""
        self.ensure_one()
        terms = self.terms_ids.filtered(lambda terms: terms.date_to > day).sorted("date_to")[:1]
        terms = terms or self
        return (
            Decimal(str(terms.price_unit)),
            Decimal(str(terms.quantity)),
            Decimal(str(terms.discount)),
        )

    def _prepare_charge_vals(self, period, period_name):
        """Values of the charge of this line for ``period``.

        :param period: an engine ``Period`` of the subscription
        :param period_name: the cycle that the price is for, such as ``1 month``
        """
        self.ensure_one()
        date_from, date_to = period.date_from, period.date_to
        fraction, rule = period.fraction, period.rule
        price = Decimal(str(self.price_unit)) * (100 - Decimal(str(self.discount))) / 100
        return {
            **self.subscription_id._prepare_charge_defaults(),
            "line_id": self.id,
            "charge_type": "recurring",
            "date_from": date_from,
            "date_to": date_to,
            "fraction": float(fraction),
            "rule": rule,
            "quantity": self.quantity,
            "price_unit": self.price_unit,
            "discount": self.discount,
            "per": period_name,
            "amount": float(
                periods.amount(
                    price,
                    Decimal(str(self.quantity)),
                    fraction,
                    self.subscription_id.company_id.currency_id.decimal_places,
                )
            ),
        }
