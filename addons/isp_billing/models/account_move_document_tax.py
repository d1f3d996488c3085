from collections import defaultdict

from odoo import fields, models

GST_LABELS = {"cgst": "CGST", "sgst": "SGST", "igst": "IGST", "cess": "Cess"}


class AccountTax(models.Model):
    _inherit = "account.tax"

    isp_is_supplementary_duty = fields.Boolean(
        "Supplementary duty",
        help="Printed in the columns of supplementary duty on a Bangladeshi VAT challan (Mushak "
        "6.3); every other tax in those of VAT.",
    )


class AccountMove(models.Model):
    """What tax offices want on a bill: Mushak 6.3 in Bangladesh, GST in India."""

    _inherit = "account.move"

    def _get_document_vat(self, writer):
        """Rows and sums of the Bangladeshi VAT challan."""
        self.ensure_one()
        decimals = self.currency_id.decimal_places
        rows, sums = [], defaultdict(float)
        for number, (line, taxes) in enumerate(self._get_document_line_taxes(), 1):
            duties = [(tax, amount) for tax, amount in taxes if tax.isp_is_supplementary_duty]
            vats = [(tax, amount) for tax, amount in taxes if not tax.isp_is_supplementary_duty]
            amounts = {
                "net": line.price_subtotal,
                "sd": sum(amount for _tax, amount in duties),
                "vat": sum(amount for _tax, amount in vats),
            }
            amounts["gross"] = sum(amounts.values())
            for name, amount in amounts.items():
                sums[name] += amount
            rows.append(
                {
                    "no": writer.text(number),
                    "name": line.name or "",
                    "unit": line.product_uom_id.name or "",
                    "quantity": writer.quantity(line.quantity),
                    "unit_price": writer.number(
                        line.price_subtotal / line.quantity if line.quantity else 0.0, decimals
                    ),
                    "sd_rate": _join_rates(writer, duties),
                    "vat_rate": _join_rates(writer, vats),
                    **{name: writer.number(amount, decimals) for name, amount in amounts.items()},
                }
            )
        return {
            "rows": rows,
            "sums": {name: writer.number(amount, decimals) for name, amount in sums.items()},
        }

    def _get_document_gst(self, writer):
        """The Indian tax summary by HSN/SAC; ``None`` for companies elsewhere."""
        self.ensure_one()
        if "l10n_in_state_id" not in self._fields:
            return None
        if self.company_id.account_fiscal_country_id.code != "IN":
            return None
        decimals = self.currency_id.decimal_places
        groups, kinds, is_reverse = {}, set(), False
        for line, taxes in self._get_document_line_taxes():
            by_kind = defaultdict(lambda: [0.0, 0.0])
            for tax, amount in taxes:
                is_reverse = is_reverse or tax.l10n_in_reverse_charge
                if kind := tax.l10n_in_gst_tax_type:
                    by_kind[kind][0] += tax.amount
                    by_kind[kind][1] += amount
            kinds |= set(by_kind)
            rates = tuple(sorted((kind, rate) for kind, (rate, _amount) in by_kind.items()))
            group = groups.setdefault((line.l10n_in_hsn_code or "", rates), defaultdict(float))
            group["taxable"] += line.price_subtotal
            for kind, (_rate, amount) in by_kind.items():
                group[kind] += amount
        shown = [kind for kind in GST_LABELS if kind in kinds]
        state = self.l10n_in_state_id
        return {
            "place_of_supply": " ".join(part for part in (state.l10n_in_tin, state.name) if part),
            "reverse_charge": writer.labels["yes" if is_reverse else "no"],
            "kinds": [{"code": kind, "label": GST_LABELS[kind]} for kind in shown],
            "rows": [
                {
                    "hsn": hsn,
                    "taxable": writer.number(group["taxable"], decimals),
                    "taxes": [
                        {
                            "rate": f"{writer.quantity(dict(rates).get(kind, 0.0))}%",
                            "amount": writer.number(group[kind], decimals),
                        }
                        for kind in shown
                    ],
                }
                for (hsn, rates), group in groups.items()
            ],
        }

    def _get_document_line_taxes(self):
        """Each product line with its taxes, ``[(line, [(tax, amount)])]``.

        The amounts add up to the tax lines of the ledger: Odoo spreads their rounding.
        """
        self.ensure_one()
        base_lines, _tax_lines = self._get_rounded_base_and_tax_lines()
        rows = [
            (
                base_line["record"],
                [
                    (data["tax"], data["tax_amount_currency"])
                    for data in base_line["tax_details"]["taxes_data"]
                ],
            )
            for base_line in base_lines
            if base_line["record"].display_type == "product"
        ]
        return sorted(rows, key=lambda row: (row[0].sequence, row[0].id))


def _join_rates(writer, taxes):
    return " + ".join(f"{writer.quantity(tax.amount)}%" for tax, _amount in taxes)
