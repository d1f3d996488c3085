from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import request

from odoo.addons.account.controllers.portal import PortalAccount


class PortalExplain(PortalAccount):
    """The customer's answer to "why is this bill so high?"."""

    @http.route(
        "/my/invoices/<int:invoice_id>/explain",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def portal_explain_invoice(self, invoice_id, access_token=None, **kwargs):
        """Explain a bill to whoever may see it: its customer, or the holder of its token."""
        try:
            invoice_sudo = self._document_check_access("account.move", invoice_id, access_token)
        except (AccessError, MissingError):
            return request.redirect("/my")
        if not invoice_sudo.isp_charge_ids:
            return request.redirect(invoice_sudo.get_portal_url())
        values = {
            "page_name": "invoice",
            "is_explained": True,
            "invoice": invoice_sudo,
            "bill_total": invoice_sudo._format_isp_money(invoice_sudo.amount_total),
            "explained": invoice_sudo._get_isp_explanation(for_customer=True),
        }
        return request.render(
            "isp_billing.portal_explain_page",
            self._get_page_view_values(
                invoice_sudo, access_token, values, "my_invoices_history", False, **kwargs
            ),
        )
