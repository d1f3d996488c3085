from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .isp_charge_words import spell_cycle

CHARGE_TYPES = [
    ("recurring", "Recurring"),
    ("trial", "Trial"),
    ("setup", "Set-up fee"),
    ("one_off", "One-off"),
    ("deposit", "Deposit"),
    ("deposit_refund", "Deposit returned"),
    ("early_termination", "Early termination"),
    ("usage", "Usage"),
    ("repair", "Correction"),
    ("released", "Released"),
]
CHARGE_RULES = [
    ("full", "Whole period"),
    ("leading_stub", "Part before the first billing day"),
    ("trailing_stub", "Part after the last billing day"),
    ("line_stub", "Part of a period"),
    ("whole_stub", "Part at the whole price"),
    ("free_stub", "First part free"),
    ("stretched", "Longer or shorter period"),
    ("remainder", "Days not billed before"),
    ("once", "Charged once"),
    ("repair", "Taken back"),
]

# A correction takes its days off the charge it corrects before the next row is inserted, so that
# the days can be billed again in the same statement.
REPAIR_TRIGGER = """
CREATE OR REPLACE FUNCTION isp_charge_cover() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    days datemultirange := datemultirange(daterange(NEW.date_from, NEW.date_to));
BEGIN
    UPDATE isp_charge
       SET covered = CASE NEW.charge_type
               WHEN 'repair' THEN coalesce(
                   covered, datemultirange(daterange(date_from, date_to))) - days
               ELSE nullif(covered + days, '{}')
           END
     WHERE id = NEW.repairs_id AND charge_type <> 'released';
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER isp_charge_cover BEFORE INSERT ON isp_charge
    FOR EACH ROW WHEN (NEW.charge_type = 'repair') EXECUTE FUNCTION isp_charge_cover();
CREATE OR REPLACE TRIGGER isp_charge_uncover BEFORE UPDATE OF charge_type ON isp_charge
    FOR EACH ROW WHEN (OLD.charge_type = 'repair' AND NEW.charge_type = 'released')
    EXECUTE FUNCTION isp_charge_cover();
"""


class DateRanges(fields.Char):
    """Days as PostgreSQL's ``datemultirange``, written by the database only."""

    _column_type = ("datemultirange", "datemultirange")


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

    _privacy_subject = "partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "tax_doc"}
    _privacy_facts = "charge_type date_from date_to quantity price_unit discount amount"
    _privacy_free = {"How the amount came about: days and shares.": "basis covered per"}

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="restrict"
    )
    line_id = fields.Many2one(
        "isp.subscription.line",
        "Subscription line",
        readonly=True,
        ondelete="restrict",
    )
    fee_id = fields.Many2one(
        "isp.subscription.fee",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True, precompute=True
    )
    partner_id = fields.Many2one(
        related="subscription_id.partner_id", store=True, index=True, precompute=True
    )
    plan_id = fields.Many2one(
        "isp.plan",
        compute="_compute_plan_id",
        store=True,
        precompute=True,
        help="The plan that was billed, also when the subscription has another one since.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    charge_type = fields.Selection(
        CHARGE_TYPES,
        "Kind",
        required=True,
        readonly=True,
        default="recurring",
        help="A released charge belonged to a cancelled invoice; its days may be billed again.",
    )
    date_from = fields.Date("From", required=True, readonly=True)
    date_to = fields.Date(
        "Until",
        required=True,
        readonly=True,
        help="First day no longer covered; the same day for what is charged once.",
    )
    fraction = fields.Float(
        digits=(12, 9),
        required=True,
        readonly=True,
        default=1.0,
        aggregator=None,
        help="Share of the full price: days of the charge by days of the whole period.",
    )
    rule = fields.Selection(CHARGE_RULES, required=True, readonly=True, default="full")
    per = fields.Char(
        "Price for",
        readonly=True,
        help="The cycle that the price is for, such as “1 month”.",
    )
    basis = fields.Json(
        readonly=True,
        help="What the amount was worked out from, for corrections and explanations.",
    )
    repairs_id = fields.Many2one(
        "isp.charge",
        "Corrects",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The charge of which days are taken back.",
    )
    repair_ids = fields.One2many("isp.charge", "repairs_id", "Corrections")
    covered = DateRanges(
        "Days still billed",
        readonly=True,
        copy=False,
        help="What corrections have left of the days; empty when nothing was corrected.",
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
        "EXCLUDE USING gist (line_id WITH =,"
        " (coalesce(covered, datemultirange(daterange(date_from, date_to)))) WITH &&)"
        " WHERE (charge_type = 'recurring')",
        "These days have been billed already. Nothing was billed twice.",
    )
    _fee_once = models.UniqueIndex(
        "(fee_id, charge_type) WHERE fee_id IS NOT NULL AND covered IS NULL"
        " AND charge_type NOT IN ('repair', 'released')",
        "This fee has been billed already. Nothing was billed twice.",
    )
    _termination_once = models.UniqueIndex(
        "(subscription_id) WHERE charge_type = 'early_termination' AND covered IS NULL",
        "The early termination has been billed already. Nothing was billed twice.",
    )
    _dates_ordered = models.Constraint(
        "CHECK (date_from < date_to OR (date_from = date_to AND charge_type <> 'recurring'))",
        "A charge covers at least one day.",
    )
    _line_of_recurring = models.Constraint(
        "CHECK (line_id IS NOT NULL OR charge_type <> 'recurring')",
        "A recurring charge belongs to a line of the subscription.",
    )

    def init(self):
        """Corrections take their days off the charges they correct."""
        self.env.cr.execute(SQL(REPAIR_TRIGGER))

    # === COMPUTE METHODS === #

    @api.depends("subscription_id", "line_id", "repairs_id")
    def _compute_plan_id(self):
        for charge in self:
            charge.plan_id = (
                charge.repairs_id.plan_id
                or charge.line_id.plan_id
                or charge.subscription_id.plan_id
            )

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
            if charge.charge_type == "released" or charge.move_id.state != "cancel":
                raise UserError(
                    self.env._(
                        "Only charges on a cancelled invoice can be released. Cancel the invoice "
                        "first, or reverse it with a credit note."
                    )
                )
            if charge.repair_ids.filtered(lambda c: c.charge_type == "repair") - self:
                raise UserError(
                    self.env._(
                        "The charge of %(days)s has been corrected by a later bill. Cancel that "
                        "bill and release its charges too.",
                        days=charge.display_name,
                    )
                )
        # Corrections first: the days they took back belong to the charge again.
        for charges in (
            self.filtered(lambda c: c.charge_type == "repair"),
            self.filtered(lambda c: c.charge_type != "repair"),
        ):
            charges.write({"charge_type": "released"})
            self.env.flush_all()
        for subscription, charges in self.grouped("subscription_id").items():
            day = min(charges.mapped("date_from"))
            subscription._log_event(
                "billing",
                self.env._(
                    "Charges of %(moves)s released; their days will be billed again",
                    moves=", ".join(charges.move_id.mapped("name")),
                ),
                effective_date=day,
            )
            subscription._note_change(day)

    def action_view_invoice(self):
        """Open the invoice that carries the charge."""
        self.ensure_one()
        return self.subscription_id._action_open_moves(self.move_id)

    # === BUSINESS METHODS === #

    def _is_still_billed(self):
        """Whether corrections have left a day of the charge."""
        self.ensure_one()
        return self.covered != "{}"

    def _awaits_payment(self):
        """Whether the days are not known yet, because they begin with the payment."""
        self.ensure_one()
        return (
            self.charge_type == "recurring"
            and self.plan_id._is_recharged()
            and self.move_id.payment_state not in ("in_payment", "paid", "reversed")
        )

    def _get_last_day(self):
        """The last day covered, for people, who count it in."""
        self.ensure_one()
        return max(self.date_to - timedelta(days=1), self.date_from)

    def _get_product(self):
        """The product whose taxes and income account the charge takes."""
        self.ensure_one()
        return (
            self.line_id.product_id
            or self.fee_id.product_id
            or self.repairs_id.invoice_line_id.product_id
            or self.plan_id.product_id
        )

    def _is_shown(self):
        """Whether the charge stands on a bill; a free part and a trial are only remembered."""
        self.ensure_one()
        return bool(self.amount) or (
            self.rule != "free_stub" and self.charge_type not in ("trial", "early_termination")
        )

    def _get_label(self):
        """The label of the invoice line, in the customer's language.

        Personal data has no place in it: it cannot be erased from a posted line.
        """
        self.ensure_one()
        lang = self.subscription_id.partner_id.lang
        charge = self.with_context(lang=lang)
        name = charge.line_id.name or charge.fee_id.name
        if not name and "early_termination" in (self | self.repairs_id).mapped("charge_type"):
            name = charge.env._("Early termination")
        name = name or charge.plan_id.name
        if self.charge_type == "repair":
            name = charge.env._("Correction of %(name)s", name=name)
        elif self.charge_type == "deposit_refund":
            name = charge.env._("%(name)s returned", name=name)
        if self.date_from == self.date_to:
            return charge.env._("%(name)s, %(day)s", name=name, day=self.date_from)
        if self._awaits_payment():
            per = spell_cycle(charge.env, self.per)
            return charge.env._("%(name)s (%(per)s), from the payment on", name=name, per=per)
        return charge.env._(
            "%(name)s: %(first)s – %(last)s",
            name=name,
            first=self.date_from,
            last=self._get_last_day(),
        )

    def _prepare_invoice_line_vals(self):
        """Values of the invoice line that bills the charge.

        Hook: extend to add analytic details.
        """
        self.ensure_one()
        # A part is rounded here, once; left to quantity × price it would be rounded again.
        is_part = self.rule != "full" or bool(self.basis and self.basis.get("discounts"))
        return {
            "product_id": self._get_product().id,
            "name": self._get_label(),
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
