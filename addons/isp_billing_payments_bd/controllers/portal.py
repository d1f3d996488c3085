from odoo import http
from odoo.http import request


class WalletPortal(http.Controller):
    """The customer decides whether a saved wallet pays the bills."""

    @http.route(
        "/my/payment_method/<int:token_id>/pays_bills",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def portal_wallet_pays_bills(self, token_id, on="", **_kwargs):
        """Switch it on or off; somebody else's wallet is not found."""
        partner = request.env.user.partner_id
        owners = partner | partner.commercial_partner_id
        # sudo: customers may read their own wallets, not change them; the owner is checked here.
        wallet_sudo = (
            request.env["payment.token"]
            .sudo()
            .search([("id", "=", token_id), ("partner_id", "in", owners.ids)])
        )
        if wallet_sudo:
            wallet_sudo._isp_set_pays_bills(on == "1")
        return request.redirect("/my/payment_method")
