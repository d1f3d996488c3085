from odoo import api, fields, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    isp_pays_by_wallet = fields.Boolean(
        "Pay bills with the saved wallet",
        compute="_compute_isp_pays_by_wallet",
        inverse="_inverse_isp_pays_by_wallet",
        groups="isp_base.group_isp_clerk",
        help="New bills are taken from the wallet that the customer saved last. Where the wallet "
        "asks for a PIN, the customer gets a mail with a link to each bill instead.",
    )
    isp_wallet = fields.Char(
        "Saved wallet",
        compute="_compute_isp_pays_by_wallet",
        groups="isp_base.group_isp_clerk",
    )

    @api.depends_context("company")
    def _compute_isp_pays_by_wallet(self):
        for partner in self:
            wallet = partner._get_isp_wallet()
            partner.isp_pays_by_wallet = wallet.isp_pays_bills
            partner.isp_wallet = wallet.payment_details

    def _inverse_isp_pays_by_wallet(self):
        for partner in self:
            wallet = partner._get_isp_wallet()
            if wallet.isp_pays_bills == partner.isp_pays_by_wallet:
                continue
            if not wallet:
                raise UserError(
                    self.env._(
                        "%s has not saved a wallet yet. The customer saves one in the portal, "
                        "under Payment methods, or while paying a bill.",
                        partner.display_name,
                    )
                )
            wallet._isp_set_pays_bills(partner.isp_pays_by_wallet)

    def _get_isp_wallet(self):
        """The wallet that pays the bills of this company, else the one that was saved last."""
        # sudo: clerks may not see wallets; whose switch it is and its masked number is all they
        # are told, and all they change.
        wallets = self.env["payment.token"].sudo()
        if self.commercial_partner_id._origin.id:
            wallets = wallets.search(
                [
                    ("partner_id", "child_of", self.commercial_partner_id._origin.id),
                    ("company_id", "=", self.env.company.id),
                ],
                order="isp_pays_bills DESC NULLS LAST, id DESC",
            )
        return wallets[:1]
