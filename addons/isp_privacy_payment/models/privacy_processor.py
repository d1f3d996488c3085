from odoo import api, fields, models

from .payment_provider import NO_THIRD_PARTY


class PrivacyProcessor(models.Model):
    """Which processor of the register is which payment provider."""

    _inherit = "privacy.processor"

    payment_code = fields.Selection(
        selection="_get_payment_codes",
        string="Payment provider",
        compute="_compute_payment_code",
        store=True,
        readonly=False,
        tracking=True,
        help="This payment provider can be switched on as long as the contract is valid.",
    )

    @api.model
    def _get_payment_codes(self):
        """Return the payment providers that are third parties."""
        # sudo: officers of privacy do not set up payments; these are only names.
        codes = self.env["payment.provider"].sudo()._fields["code"]._description_selection(self.env)
        return [(code, label) for code, label in codes if code not in NO_THIRD_PARTY]

    @api.depends("name")
    def _compute_payment_code(self):
        """Propose the provider of the same name, such as for the drafts that ship."""
        codes = {
            name.casefold(): code
            for code, label in self._get_payment_codes()
            for name in (code, label)
        }
        for processor in self:
            found = codes.get((processor.name or "").strip().casefold())
            processor.payment_code = processor.payment_code or found
