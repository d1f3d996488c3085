from odoo import fields, models


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    isp_unattended = fields.Boolean(
        "Charge saved wallets without the customer",
        copy=False,
        help="Only where your contract lets you debit a saved wallet without the PIN. Leave it off "
        "otherwise: customers get a mail with a link instead, and confirm with their PIN.",
    )

    def _isp_charges_unattended(self):
        """Whether a saved wallet or card pays without its owner being there.

        The gateways of this country ask for a PIN unless the contract says otherwise; what Odoo
        saves for other providers is meant to be charged by itself.
        """
        self.ensure_one()
        return not self.bd_is_ours or self.isp_unattended
