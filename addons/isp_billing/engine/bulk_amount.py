"""Amounts of invoices that are like a posted one but for prices, quantities and discounts.

Odoo's own tax engine works them out on the posted invoice's lines with other prices; nothing is
created. Whether that is right is tried first: with the invoice's own prices every amount must come
out as Odoo stored it.
"""

from dataclasses import dataclass

from odoo.tools import float_repr, float_round

# Columns that follow the prices; None in one of them stands for the value of the posted invoice.
MOVE_COLUMNS = (
    *("amount_untaxed", "amount_tax", "amount_total", "amount_residual"),
    *("amount_untaxed_signed", "amount_tax_signed", "amount_total_signed"),
    *("amount_residual_signed", "amount_untaxed_in_currency_signed"),
    "amount_total_in_currency_signed",
)
LINE_COLUMNS = (
    *("price_unit", "quantity", "discount", "price_subtotal", "price_total"),
    *("balance", "debit", "credit", "amount_currency"),
    *("amount_residual", "amount_residual_currency", "tax_base_amount"),
)
PRICE_VALUES = ("price_unit", "quantity", "discount")
# Below it a tax may vanish, and with it its line.
SMALLEST = 10.0


def get_prices(line):
    """Price, quantity and discount of a prepared line."""
    return line.get("price_unit", 0.0), line.get("quantity", 1.0), line.get("discount", 0.0)


def may_vary(lines):
    """Whether the prices of prepared lines are far enough from zero to be worked out."""
    return all(
        price * quantity * (100 - discount) / 100 >= SMALLEST
        for price, quantity, discount in map(get_prices, lines)
    )


def are_plain(taxes):
    """Whether a share of the price, whatever else is on the invoice, is all that taxes take."""
    return all(
        tax.amount_type == "percent"
        and not (tax.price_include or tax.include_base_amount)
        and tax.tax_exigibility == "on_invoice"
        for tax in taxes.flatten_taxes_hierarchy()
    )


def is_plain_term(term):
    """Whether all is due at once, so that no instalment has to be rounded."""
    return not term or (len(term.line_ids) == 1 and not term.early_discount)


@dataclass(slots=True)
class Amounts:
    """What an invoice has in the columns above, as PostgreSQL is to store it."""

    move: tuple
    lines: dict  # by id of the posted invoice's line


class Calculator:
    """Works out the :class:`Amounts` of invoices like a posted one."""

    def __init__(self, move):
        self.move = move
        self.company = move.company_id
        self.AccountTax = move.env["account.tax"]
        self.lines = move.line_ids.sorted("id")
        self.products = self.lines.filtered(lambda line: line.display_type == "product")
        self.terms = self.lines.filtered(lambda line: line.display_type == "payment_term")
        self.taxes = self.lines.filtered(lambda line: line.display_type == "tax")

    @classmethod
    def of(cls, move, prices):
        """A calculator, ``None`` when it does not come to the amounts of ``move`` itself."""
        calculator = cls(move)
        if not calculator._is_plain():
            return None
        return calculator if calculator.get(prices) == calculator._get_stored() else None

    def _is_plain(self):
        return (
            len(self.terms) == 1
            and len(self.products) + len(self.taxes) + 1 == len(self.lines)
            and not self.terms.discount_date
            and self.move.currency_id == self.company.currency_id
            and not self.move.is_storno
            and are_plain(self.products.tax_ids)
            and is_plain_term(self.move.invoice_payment_term_id)
        )

    def get(self, prices):
        """The amounts with other prices, ``None`` when other lines would come of them.

        :param prices: ``(price, quantity, discount)`` of each invoice line
        """
        totals = [
            self._get_totals(line, *own) for line, own in zip(self.products, prices, strict=True)
        ]
        base_lines = [
            self._get_base_line(line, *own) for line, own in zip(self.products, prices, strict=True)
        ]
        # The steps of account.move._sync_tax_lines for a new invoice.
        self.AccountTax._add_tax_details_in_base_lines(base_lines, self.company)
        self.AccountTax._round_base_lines_tax_details(base_lines, self.company)
        self.AccountTax._add_accounting_data_in_base_lines_tax_details(
            base_lines, self.company, include_caba_tags=self.move.always_tax_exigible
        )
        found = self.AccountTax._prepare_tax_lines(
            base_lines,
            self.company,
            tax_lines=[
                self.move._prepare_tax_line_for_taxes_computation(line) for line in self.taxes
            ],
        )
        if found["tax_lines_to_add"] or found["tax_lines_to_delete"]:
            return None
        values = {
            line.id: {**dict(zip(PRICE_VALUES, own, strict=True)), **total}
            for line, own, total in zip(self.products, prices, totals, strict=True)
        }
        for base_line, amounts in found["base_lines_to_update"]:
            values[base_line["record"].id]["balance"] = amounts["balance"]
        for tax_line, _key, amounts in found["tax_lines_to_update"]:
            values[tax_line["record"].id] = {
                "balance": amounts["balance"],
                "tax_base_amount": amounts["tax_base_amount"],
            }
        return self._get_amounts(values)

    def _get_base_line(self, line, price_unit, quantity, discount):
        return self.AccountTax._prepare_base_line_for_taxes_computation(
            line,
            price_unit=price_unit,
            quantity=quantity,
            discount=discount,
            rate=1.0,
            sign=self.move.direction_sign,
            special_mode=False,
            name=line.name,
        )

    def _get_totals(self, line, *prices):
        """As ``account.move.line._compute_totals``, which looks at each line alone."""
        base_line = self._get_base_line(line, *prices)
        self.AccountTax._add_tax_details_in_base_line(base_line, self.company)
        self.AccountTax._round_base_lines_tax_details([base_line], self.company)
        details = base_line["tax_details"]
        return {
            "price_subtotal": details["total_excluded_currency"],
            "price_total": details["total_included_currency"],
        }

    def _get_amounts(self, values):
        currency = self.company.currency_id
        untaxed = sum(values[line.id]["balance"] for line in self.products)
        tax = sum(values[line.id]["balance"] for line in self.taxes)
        total = currency.round(untaxed + tax)
        values[self.terms.id] = {"balance": -total}
        for line in self.lines:
            of_line = values[line.id]
            balance = currency.round(of_line["balance"])
            of_line |= {
                "balance": balance,
                "amount_currency": balance,
                "debit": max(balance, 0.0),
                "credit": max(-balance, 0.0),
            }
            if line == self.terms:
                of_line |= {"amount_residual": balance, "amount_residual_currency": balance}
        amounts = (-untaxed, -tax, -total, -total, -untaxed, -tax, -total, -total, -untaxed, -total)
        return Amounts(
            tuple(map(self._as_money, amounts)),
            {line.id: self._as_columns(line, values[line.id]) for line in self.lines},
        )

    def _get_stored(self):
        """What Odoo stored, in the columns that are worked out."""
        move = tuple(self._as_money(self.move[name]) for name in MOVE_COLUMNS)
        own = {
            "product": (*LINE_COLUMNS[:9],),
            "tax": (*LINE_COLUMNS[5:9], "tax_base_amount"),
            "payment_term": LINE_COLUMNS[5:11],
        }
        return Amounts(
            move,
            {
                line.id: self._as_columns(
                    line, {name: line[name] for name in own[line.display_type]}
                )
                for line in self.lines
            },
        )

    def _as_money(self, amount):
        currency = self.company.currency_id
        return float_repr(currency.round(amount) + 0.0, currency.decimal_places)

    def _as_columns(self, line, values):
        columns = []
        for name in LINE_COLUMNS:
            value = values.get(name)
            field = line._fields[name]
            if value is None:
                columns.append(None)
            elif field.type == "monetary":
                columns.append(self._as_money(value))
            elif digits := field.get_digits(line.env):
                columns.append(float_repr(float_round(value, digits[1]), digits[1]))
            else:
                columns.append(repr(float(value)))
        return tuple(columns)
