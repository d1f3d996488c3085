from datetime import timedelta

from babel.dates import format_date

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Datetime
from odoo.http import request

from .portal_usage import PortalUsage

# How long the page says that a top-up has been added.
_JUST_NOW = timedelta(minutes=30)


class PortalTopup(PortalUsage):
    """Buying extra data volume for a service."""

    # === ROUTES === #

    @http.route(
        "/my/services/<int:service_id>/topup",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        website=True,
        sitemap=False,
    )
    def portal_topup(self, service_id, access_token=None, offer_id=None, **kwargs):
        """Show what is left and what can be bought; order it when an offer was chosen."""
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_service()
        error = None
        if request.httprequest.method == "POST":
            try:
                with request.env.cr.savepoint():
                    order_sudo = service_sudo._order_topup(self._get_offer(service_sudo, offer_id))
                suffix = "/topup/pay" if order_sudo.state == "ordered" else "/topup"
                return request.redirect(self._get_service_url(service_sudo, access_token, suffix))
            except UserError as refused:
                error = str(refused)
        values = self._prepare_service_values(service_sudo, access_token)
        values |= self._prepare_topup_values(service_sudo, access_token)
        values["error"] = error
        values = self._get_page_view_values(
            service_sudo, access_token, values, "my_services_history", False, **kwargs
        )
        response = request.render("isp_network.portal_topup_page", values)
        response.headers["Cache-Control"] = "no-store"
        return response

    @http.route(
        "/my/services/<int:service_id>/topup/pay",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def portal_pay_topup(self, service_id, access_token=None, **kwargs):
        """Offer to pay the order that waits, with Odoo's payment form of its bill."""
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_service()
        topup_url = self._get_service_url(service_sudo, access_token, "/topup")
        order_sudo = service_sudo._get_topup_order()
        bill_sudo = order_sudo.move_id
        if not order_sudo or order_sudo._is_being_paid():
            return request.redirect(topup_url)
        values = self._prepare_service_values(service_sudo, access_token)
        values |= self._prepare_topup_values(service_sudo, access_token)
        values |= {
            "is_topup_paying": True,
            "bill": bill_sudo,
            "may_pay": bill_sudo._has_to_be_paid(),
        }
        values |= self._get_common_page_view_values(
            invoices_data={
                "partner": bill_sudo.partner_id,
                "company": bill_sudo.company_id,
                "total_amount": bill_sudo.amount_residual,
                "currency": bill_sudo.currency_id,
                "amount_residual": bill_sudo.amount_residual,
                "landing_route": topup_url,
                "transaction_route": f"/invoice/transaction/{bill_sudo.id}",
            },
            # The payment form shows the token of the bill, not that of the service.
            access_token=bill_sudo._portal_ensure_token(),
            **kwargs,
        )
        values["amount"] = bill_sudo.amount_residual
        return request.render("isp_network.portal_topup_pay_page", values)

    # === HELPERS === #

    def _get_offer(self, service_sudo, offer_id):
        """The offer of the service's plan that was chosen.

        :raises UserError: when the number is none, or that of another plan's offer
        """
        text = (offer_id or "")[:10]
        number = int(text) if text.isdecimal() else 0
        offer_sudo = service_sudo._get_topup_offers().filtered(lambda offer: offer.id == number)
        if not offer_sudo:
            raise UserError(request.env._("Please choose one of the volumes below."))
        return offer_sudo

    def _prepare_topup_values(self, service_sudo, access_token):
        """What the pages of buying show, in the language of the page."""
        writer = self._get_writer()
        order_sudo = service_sudo._get_topup_order()
        problem = service_sudo._get_topup_problem()
        given_sudo = service_sudo.topup_ids.filtered(
            lambda topup: topup.state == "active" and topup.given_on
        ).sorted("given_on")[-1:]
        is_new = given_sudo and given_sudo.given_on > Datetime.now() - _JUST_NOW
        return {
            "is_usage": True,
            "is_topup": True,
            "volume": self._prepare_volume_values(service_sudo, writer),
            "problem": problem,
            "order": order_sudo,
            "is_being_paid": bool(order_sudo) and order_sudo._is_being_paid(),
            "pay_by": order_sudo
            and writer.text(
                format_date(
                    order_sudo.move_id.invoice_date_due, "d MMMM yyyy", locale=writer.locale
                )
            ),
            "given": given_sudo.name if is_new else None,
            "offers": []
            if problem
            else [
                (offer, *service_sudo._get_topup_price(offer))
                for offer in service_sudo._get_topup_offers() - order_sudo.offer_id
            ],
            "topup_url": self._get_service_url(service_sudo, access_token, "/topup"),
            "topup_pay_url": self._get_service_url(service_sudo, access_token, "/topup/pay"),
            "usage_page_url": self._get_service_url(service_sudo, access_token, "/usage"),
        }
