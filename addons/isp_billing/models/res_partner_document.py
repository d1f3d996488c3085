from odoo import models

from ..const import TAX_ID_LABELS


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _get_document_customer(self):
        """The customer as he stands on a bill."""
        self.ensure_one()
        return {
            "name": self.name or self.commercial_partner_id.name or "",
            "ref": self.ref or "",
            "address": self._get_document_address(),
            "phone": self.phone or "",
            "tax_ids": self.commercial_partner_id._get_document_tax_ids(),
        }

    def _get_document_address(self):
        """Lines of the address."""
        text = self._display_address(without_company=True)
        return [" ".join(line.split()) for line in text.splitlines() if line.strip()]

    def _get_document_tax_ids(self):
        """Numbers with the tax office, under the name that the country has for them."""
        if not self.vat or self.vat == "/":
            return []
        label = TAX_ID_LABELS.get(self.country_id.code) or self.country_id.vat_label or "VAT"
        return [{"label": label, "value": self.vat}]
