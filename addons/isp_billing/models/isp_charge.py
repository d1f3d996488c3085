from odoo import api, fields, models
from odoo.exceptions import UserError


class IspCharge(models.Model):
    """One billed period of one subscription line: the reason for a line on a bill.

    Dates are half-open, ``[date_from, date_to)``. The database refuses a second recurring charge
    for any day of a line, whoever asks for it and however often.
    """

    _name = "isp.charge"
    _description = "Charge"
    _order = "date_from desc, id desc"
    _check_company_auto = True
    _rec_name = "subscription_id"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="restrict"
    )
    line_id = fields.Many2one(
        "isp.subscription.line",
        "Subscription line",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True, precompute=True
    )
    partner_id = fields.Many2one(
        related="subscription_id.partner_id", store=True, index=True, precompute=True
    )
    plan_id = fields.Many2one(related="subscription_id.plan_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    charge_type = fields.Selection(
        [
            ("recurring", "Recurring"),
            ("one_off", "One-off"),
            ("repair", "Correction"),
            ("released", "Released"),
        ],
        "Kind",
        required=True,
        readonly=True,
        default="recurring",
        help="A released charge belonged to a cancelled invoice; its days may be billed again.",
    )
    date_from = fields.Date("From", required=True, readonly=True)
    date_to = fields.Date(
        "Until", required=True, readonly=True, help="First day no longer covered."
    )
    fraction = fields.Float(
        digits=(12, 9),
        required=True,
        readonly=True,
        default=1.0,
        aggregator=None,
        help="Share of the full price: days of the charge by days of the whole period.",
    )
    rule = fields.Selection(
        [
            ("full", "Whole period"),
            ("leading_stub", "Part before the first billing day"),
            ("trailing_stub", "Part after the last billing day"),
            ("line_stub", "Line joined or left within the period"),
            ("whole_stub", "Part at the whole price"),
            ("free_stub", "First part free"),
        ],
        required=True,
        readonly=True,
        default="full",
    )
    quantity = fields.Float(digits="Product Unit", readonly=True, default=1.0)
    price_unit = fields.Float("Unit price", digits="Product Price", readonly=True, aggregator=None)
    discount = fields.Float("Discount (%)", digits="Discount", readonly=True, aggregator=None)
    amount = fields.Monetary(readonly=True, help="In the terms of the price, as on the bill.")
    run_id = fields.Many2one(
        "isp.billing.run",
        "Billing run",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    invoice_line_id = fields.Many2one(
        "account.move.line",
        "Invoice line",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    move_id = fields.Many2one(
        "account.move", "Invoice", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    payment_state = fields.Selection(related="move_id.payment_state")

    _period_once = models.Constraint(
        "EXCLUDE USING gist (line_id WITH =, daterange(date_from, date_to) WITH &&)"
        " WHERE (charge_type = 'recurring')",
        "These days have been billed already. Nothing was billed twice.",
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_from < date_to)", "A charge covers at least one day."
    )

    # === COMPUTE METHODS === #

    @api.depends("subscription_id", "date_from", "date_to")
    def _compute_display_name(self):
        for charge in self:
            charge.display_name = (
                f"{charge.subscription_id.name} {charge.date_from} – {charge._get_last_day()}"
            )

    # === ACTION METHODS === #

    def action_release(self):
        """Let the days of cancelled invoices be billed again."""
        for charge in self:
            if charge.charge_type != "recurring" or charge.move_id.state != "cancel":
                raise UserError(
                    self.env._(
                        "Only charges on a cancelled invoice can be released. Cancel the invoice "
                        "first, or reverse it with a credit note."
                    )
                )
        self.write({"charge_type": "released"})
        for subscription in self.subscription_id:
            subscription._log_event(
                "billing",
                self.env._(
                    "Charges of %(moves)s released; their days will be billed again",
                    moves=", ".join(
                        self.filtered(
                            lambda c, s=subscription: c.subscription_id == s
                        ).move_id.mapped("name")
                    ),
                ),
            )

    def action_view_invoice(self):
        """Open the invoice that carries the charge."""
        self.ensure_one()
        return self.subscription_id._action_open_moves(self.move_id)

    # === BUSINESS METHODS === #

    def _get_last_day(self):
        """The last day covered, for people, who count it in."""
        self.ensure_one()
        return fields.Date.subtract(self.date_to, days=1)

    def _prepare_invoice_line_vals(self):
        """Values of the invoice line that bills the charge.

        Hook: extend to add analytic details. Personal data has no place in the label: it cannot be
        erased from a posted line.
        """
        self.ensure_one()
        line = self.line_id
        is_part = self.rule != "full"
        lang = self.subscription_id.partner_id.lang
        label = self.with_context(lang=lang).env._(
            "%(name)s: %(first)s – %(last)s",
            name=line.with_context(lang=lang).name,
            first=self.date_from,
            last=self._get_last_day(),
        )
        return {
            "product_id": line.product_id.id,
            "name": label,
            # A part is rounded here, once; left to quantity × price it would be rounded again.
            "quantity": 1.0 if is_part else self.quantity,
            "price_unit": self.amount if is_part else self.price_unit,
            "discount": 0.0 if is_part else self.discount,
        }

    def _link_invoice(self, move):
        """Note which line of ``move`` carries which charge; both are in the same order."""
        lines = move.invoice_line_ids.sorted("id")
        for charge, line in zip(self, lines, strict=True):
            charge.invoice_line_id = line
        self.move_id = move
