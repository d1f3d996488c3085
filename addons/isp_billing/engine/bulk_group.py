"""Which invoices are copies of each other.

Two prepared invoices belong to one group when all their values are the same except those of
:data:`OWN_VALUES` and the labels of their lines, and when everything that Odoo takes from the
customer without being told (fiscal position, terms, accounts, language …) comes out the same.
Where all taxes are plain shares of the price, prices may differ too: see :mod:`bulk_amount`.
"""

from odoo.fields import Command

from . import bulk_amount, bulk_guard
from .bulk_reason import reason

# Values that each copy has for itself; every other value is part of the key.
OWN_VALUES = {"partner_id", "partner_shipping_id", "invoice_origin", "invoice_line_ids"}
REQUIRED_VALUES = {
    *("company_id", "currency_id", "invoice_date", "invoice_line_ids", "journal_id"),
    *("partner_id", "partner_shipping_id"),
}


class Keys:
    """Makes the keys of prepared invoices of one company."""

    def __init__(self, env, company, vals_list):
        self.env = env
        self.company = company
        self.Partner = env["res.partner"].with_company(company)
        self.FiscalPosition = env["account.fiscal.position"].with_company(company)
        self._positions_by_partner = not (
            bulk_guard.is_reviewed(
                env,
                "account.fiscal.position",
                "_get_fiscal_position",
                "_get_first_matching_fpos",
                "_get_fpos_validation_functions",
            )
            and bulk_guard.is_reviewed(env, "res.partner", "_get_vat_required_valid")
        )
        self._positions = {}
        self._partner_keys = {}
        self._prices_vary = not bulk_guard.amount_reasons(env)
        self._plain_taxes = {}
        # One recordset, so that the first access reads all of them.
        ids = {vals["partner_id"] for vals in vals_list}
        ids |= {vals["partner_shipping_id"] for vals in vals_list}
        self.partners = dict(zip(ids, self.Partner.browse(ids), strict=True))

    def get(self, vals):
        """The key of an invoice; invoices with the same key are copies of each other."""
        partner_key = self._partner_key(vals["partner_id"], vals["partner_shipping_id"])
        left_out = ("name",)
        if self._may_prices_vary(vals, position_id=partner_key[0]):
            left_out += bulk_amount.PRICE_VALUES
        return (
            partner_key,
            *sorted(
                (name, _freeze(value)) for name, value in vals.items() if name not in OWN_VALUES
            ),
            tuple(
                tuple(
                    (name, bool(value) if name in left_out else _freeze(value))
                    for name, value in sorted(line.items())
                )
                for line in line_vals(vals)
            ),
        )

    def _may_prices_vary(self, vals, position_id):
        """Whether invoices may belong together whose prices, quantities and discounts differ."""
        lines = line_vals(vals)
        term_id = vals.get("invoice_payment_term_id")
        return (
            self._prices_vary
            and bulk_amount.may_vary(lines)
            and bulk_amount.is_plain_term(self.env["account.payment.term"].browse(term_id))
            and all(self._has_plain_taxes(line, position_id) for line in lines)
        )

    def _has_plain_taxes(self, line, position_id):
        """Whether a prepared line gets its taxes from a product, and these are plain."""
        key = (line.get("product_id"), position_id)
        if not key[0] or "tax_ids" in line:
            return False
        if key not in self._plain_taxes:
            product = self.env["product.product"].browse(key[0]).with_company(self.company)
            taxes = product.taxes_id._filter_taxes_by_company(self.company)
            position = self.env["account.fiscal.position"].browse(position_id)
            self._plain_taxes[key] = bulk_amount.are_plain(position.map_tax(taxes))
        return self._plain_taxes[key]

    def _partner_key(self, partner_id, shipping_id):
        """Everything Odoo derives from the customer and the place of delivery."""
        key = self._partner_keys.get((partner_id, shipping_id))
        if key is None:
            partner, shipping = self.partners[partner_id], self.partners[shipping_id]
            commercial = partner.commercial_partner_id
            salesperson = partner.user_id or commercial.user_id
            key = self._partner_keys[partner_id, shipping_id] = (
                self._fiscal_position_id(partner, shipping),
                commercial.property_account_receivable_id.id,
                partner.property_payment_term_id.id,
                partner.property_inbound_payment_method_line_id.id,
                salesperson.id,
                partner.lang,
                commercial.lang,
                partner.company_id.id,
                commercial.company_id.id,
                shipping.company_id.id,
                partner.active,
                *self._indian_key(partner, shipping),
            )
        return key

    def _indian_key(self, partner, shipping):
        """What l10n_in makes treatment, place of supply, number and fiscal position from."""
        if "l10n_in_gst_treatment" not in partner._fields:
            return ()
        commercial = partner.commercial_partner_id
        return (
            partner.l10n_in_gst_treatment,
            partner.vat,
            shipping.commercial_partner_id == commercial,
            *(
                value.id
                for place in (partner, commercial, shipping)
                for value in (place.country_id, place.state_id, place.property_account_position_id)
            ),
        )

    def _fiscal_position_id(self, partner, delivery):
        if self._positions_by_partner:
            return self.FiscalPosition._get_fiscal_position(partner, delivery=delivery).id
        key = (
            partner.property_account_position_id.id,
            partner.country_id.id,
            partner.vat,
            partner == delivery,
            delivery.property_account_position_id.id,
            delivery.country_id.id,
            delivery.state_id.id,
            delivery.zip,
            delivery.vat,
        )
        if key not in self._positions:
            position = self.FiscalPosition._get_fiscal_position(partner, delivery=delivery)
            self._positions[key] = position.id
        return self._positions[key]


def line_vals(vals):
    """The values of the invoice's lines, or ``None`` when they are not plain new lines."""
    commands = vals["invoice_line_ids"]
    if any(command[0] != Command.CREATE for command in commands):
        return None
    return [command[2] for command in commands]


def refusal(vals):
    """Why the prepared invoice says less than the key needs, ``None`` when it says enough."""
    if vals.get("move_type") == "out_refund":
        return reason("credit_note")
    if (
        vals.get("move_type") == "out_invoice"
        and vals.keys() >= REQUIRED_VALUES
        and all(vals[name] for name in REQUIRED_VALUES)
        and line_vals(vals) is not None
    ):
        return None
    return reason("values")


def _freeze(value):
    """``value`` as something that can be part of a key; equal values give equal results."""
    if isinstance(value, list | tuple):
        return tuple(_freeze(item) for item in value)
    if isinstance(value, dict):
        return tuple(sorted((key, _freeze(item)) for key, item in value.items()))
    if isinstance(value, set):
        return frozenset(value)
    return value
