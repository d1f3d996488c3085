from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import format_date

from ..engine.parts import rounded
from .isp_charge_words import DATE_FORMAT, MINUS, format_decimal, format_money

SUPPORT = "isp_base.group_isp_support"


class AccountMove(models.Model):
    """Why an invoice is as high as it is: its lines, taxes, and what was paid of it."""

    _inherit = "account.move"

    isp_has_charges = fields.Boolean(
        "Has charges", compute="_compute_isp_has_charges", groups=SUPPORT
    )
    isp_explanation = fields.Html(
        "Explanation", compute="_compute_isp_explanation", sanitize=False, groups=SUPPORT
    )
    isp_explanation_text = fields.Text(
        "Explanation as text", compute="_compute_isp_explanation", groups=SUPPORT
    )

    # === COMPUTE METHODS === #

    def _compute_isp_has_charges(self):
        for move in self:
            move.isp_has_charges = bool(move.isp_charge_ids)

    @api.depends_context("lang")
    def _compute_isp_explanation(self):
        for move in self:
            explained = move._get_isp_explanation()
            move.isp_explanation = self.env["ir.qweb"]._render(
                "isp_billing.explain_invoice", {"explained": explained, "is_open": True}
            )
            move.isp_explanation_text = move._get_isp_explanation_text(explained)

    # === ACTION METHODS === #

    def action_isp_explain(self):
        """Open the explanation of the invoice."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Explanation of %(name)s", name=self.display_name),
            "res_model": "account.move",
            "res_id": self.id,
            "views": [(self.env.ref("isp_billing.account_move_view_form_explain").id, "form")],
            "target": "new",
            "context": {"dialog_size": "large", "create": False, "edit": False},
        }

    # === BUSINESS METHODS === #

    def _get_isp_explanation(self, for_customer=False):
        """All there is to say about an invoice, in the reader's language.

        :param for_customer: leave out who did it and what the staff wrote about it
        :return: ``{"move", "lines", "totals", "payments"}``; see the template
        """
        self.ensure_one()
        # sudo: whoever may read the invoice may know why it is so high; taxes, payments and charges
        # behind it need no right of their own, and nothing else of them is shown.
        move = self.sudo()
        by_line = move.isp_charge_ids.grouped("invoice_line_id")
        none = self.env["isp.charge"]
        return {
            "move": move,
            "lines": [
                move._explain_isp_line(line, by_line.get(line, none), for_customer)
                for line in move._get_isp_product_lines()
            ],
            "totals": move._explain_isp_totals(),
            "payments": move._explain_isp_payments(),
        }

    def _explain_isp_line(self, line, charges, for_customer):
        explained = {
            "line": line,
            "name": line.name,
            "amount": self._format_isp_money(line.price_subtotal),
            "charges": [charge._get_explanation(for_customer) for charge in charges.sorted("id")],
            "steps": [],
        }
        if not charges:
            explained["steps"] = self._explain_isp_manual_line(line)
        if self.currency_id.compare_amounts(line.price_subtotal, line.price_total):
            explained["steps"] += self._explain_isp_included_tax(line, charges)
        return explained

    def _explain_isp_manual_line(self, line):
        quantity = format_decimal(self.env, self._to_isp_decimal(line.quantity), 0)
        formula = f"{quantity} × {self._format_isp_number(line.price_unit, 6)}"
        if line.discount:
            percent = format_decimal(self.env, self._to_isp_decimal(line.discount), 0)
            formula = self.env._("%(sum)s, less %(percent)s %%", sum=formula, percent=percent)
        label = self.env._("Entered by hand, not by a subscription")
        return [{"code": "manual", "label": label, "formula": formula, "amount": ""}]

    def _explain_isp_included_tax(self, line, charges):
        """How the amount before tax comes from a price that contains the tax."""
        price = sum(charges.mapped("amount")) if charges else line.price_total
        if self.move_type == "out_refund" and charges:
            price = -price
        if self.currency_id.compare_amounts(price, line.price_total):
            return []
        formula = f"{self._format_isp_number(line.price_total)} {MINUS} {self._format_isp_number(line.price_total - line.price_subtotal)} = {self._format_isp_number(line.price_subtotal)}"
        label = self.env._("The price contains the tax; before tax it is")
        return [{"code": "included", "label": label, "formula": formula, "amount": ""}]

    def _explain_isp_totals(self):
        """From the lines to the total: ``[{"label", "formula", "amount", "is_total"}]``."""
        parts = [line.price_subtotal for line in self._get_isp_product_lines()]
        rows = [
            {
                "label": self.env._("Lines together, before tax"),
                "formula": self._spell_isp_sum(parts, self.amount_untaxed),
                "amount": self._format_isp_money(self.amount_untaxed),
            }
        ]
        parts = [self.amount_untaxed]
        for line in self.line_ids.filtered(lambda item: item.display_type in ("tax", "rounding")):
            amount = self.direction_sign * line.amount_currency
            parts.append(amount)
            rows.append(
                {
                    "label": line.tax_line_id.name or line.name,
                    "formula": self._spell_isp_tax(line, amount),
                    "amount": self._format_isp_money(amount),
                }
            )
        rows.append(
            {
                "label": self.env._("Total"),
                "formula": self._spell_isp_sum(parts, self.amount_total),
                "amount": self._format_isp_money(self.amount_total),
                "is_total": True,
            }
        )
        return rows

    def _explain_isp_payments(self):
        """What was paid or credited, and what is left, of a posted invoice."""
        if self.state != "posted":
            return []
        rows, parts = [], [self.amount_total]
        for partial in self._get_all_reconciled_invoice_partials():
            if partial["is_exchange"]:
                continue
            parts.append(-partial["amount"])
            rows.append(
                {
                    "label": self._get_isp_payment_label(partial["aml"]),
                    "formula": "",
                    "amount": self._format_isp_money(-partial["amount"]),
                }
            )
        if not rows:
            return []
        rows.append(
            {
                "label": self.env._("Not used yet")
                if self.move_type == "out_refund"
                else self.env._("Left to pay"),
                "formula": self._spell_isp_sum(parts, self.amount_residual),
                "amount": self._format_isp_money(self.amount_residual),
                "is_total": True,
            }
        )
        return rows

    def _get_isp_payment_label(self, item):
        """What settled a part of the invoice, by the journal item on the other side."""
        values = {
            "name": item.move_id.name,
            "day": format_date(self.env, item.date, date_format=DATE_FORMAT),
        }
        if item.move_id.move_type == "out_refund":
            return self.env._("Credit note %(name)s of %(day)s", **values)
        if item.move_id.move_type == "out_invoice":
            return self.env._("Used for invoice %(name)s of %(day)s", **values)
        if not item.payment_id and not item.statement_line_id:
            return self.env._("Booked by %(name)s of %(day)s", **values)
        if self.invoice_date and item.date < self.invoice_date:
            return self.env._("Credit from the payment of %(day)s", **values)
        return self.env._("Payment of %(day)s", **values)

    def _get_isp_explanation_text(self, explained):
        """The explanation as plain text, to paste into a message."""
        rows = [self.display_name]
        for line in explained["lines"]:
            rows += ["", f"{line['name']}: {line['amount']}"]
            for charge in line["charges"]:
                rows += self._get_isp_text_rows(charge["steps"])
                rows += [f"  {why}" for why in (*charge["because"], *charge["notes"])]
            rows += self._get_isp_text_rows(line["steps"])
        rows += ["", *self._get_isp_text_rows([*explained["totals"], *explained["payments"]], "")]
        return "\n".join(rows)

    @api.model
    def _get_isp_text_rows(self, steps, indent="  "):
        rows = []
        for step in steps:
            value = step["formula"] or step["amount"]
            rows.append(indent + ": ".join(filter(None, (step["label"], value))))
        return rows

    # === HELPERS === #

    def _get_isp_product_lines(self):
        return self.invoice_line_ids.filtered(lambda line: line.display_type == "product")

    def _spell_isp_sum(self, parts, total):
        """``a + b − c = total`` where there is something to add and it gives the total."""
        decimals = self.currency_id.decimal_places
        values = [self._to_isp_decimal(part, decimals) for part in parts]
        if len(values) < 2 or sum(values) != self._to_isp_decimal(total, decimals):
            return ""
        text = self._format_isp_number(values[0])
        for value in values[1:]:
            sign = MINUS if value < 0 else "+"
            text += f" {sign} {self._format_isp_number(abs(value))}"
        return f"{text} = {self._format_isp_number(total)}"

    def _spell_isp_tax(self, line, amount):
        """``base × percent ÷ 100 = tax`` where that gives the tax."""
        tax = line.tax_line_id
        if tax.amount_type != "percent" or not line.tax_base_amount:
            return ""
        decimals = self.currency_id.decimal_places
        base = self._to_isp_decimal(self.direction_sign * line.tax_base_amount, decimals)
        exact = base * self._to_isp_decimal(tax.amount) / 100
        if rounded(exact, decimals) != self._to_isp_decimal(amount, decimals):
            return ""
        formula = f"{self._format_isp_number(base)} × {format_decimal(self.env, self._to_isp_decimal(tax.amount), 0)} ÷ 100 = {self._format_isp_number(exact, 6)}"
        if exact == rounded(exact, decimals):
            return formula
        return self.env._(
            "%(formula)s, rounded to %(amount)s",
            formula=formula,
            amount=self._format_isp_number(amount),
        )

    @api.model
    def _to_isp_decimal(self, value, decimals=6):
        return value if isinstance(value, Decimal) else Decimal(f"{value:.{decimals}f}")

    def _format_isp_number(self, value, decimals=None):
        places = self.currency_id.decimal_places
        value = self._to_isp_decimal(value, places if decimals is None else decimals)
        return format_decimal(self.env, value, places)

    def _format_isp_money(self, value):
        value = self._to_isp_decimal(value, self.currency_id.decimal_places)
        return format_money(self.env, value, self.currency_id)
