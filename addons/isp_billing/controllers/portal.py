from urllib.parse import quote, urlencode

from odoo import http
from odoo.exceptions import AccessError, MissingError, ValidationError
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.account_payment.controllers.payment import PaymentPortal
from odoo.addons.account_payment.controllers.portal import PortalAccount


class PortalService(PortalAccount, PaymentPortal):
    """The customer's pages: services, what is owed, and paying it."""

    # === ROUTES === #

    @http.route("/my/services", type="http", auth="user", website=True)
    def portal_my_services(self, **_kwargs):
        """List the customer's services."""
        values = self._prepare_portal_layout_values()
        values.update(page_name="isp_service", services=self._search_services())
        return request.render("isp_billing.portal_my_services", values)

    @http.route("/my/services/<int:service_id>", type="http", auth="public", website=True)
    def portal_my_service(self, service_id, access_token=None, **kwargs):
        """Show one service with its bills."""
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_service()
        values = self._get_page_view_values(
            service_sudo,
            access_token,
            self._prepare_service_values(service_sudo, access_token),
            "my_services_history",
            False,
            **kwargs,
        )
        return request.render("isp_billing.portal_service_page", values)

    @http.route(
        "/my/services/<int:service_id>/pay",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def portal_pay_service(self, service_id, access_token=None, **kwargs):
        """Offer to pay every open bill of the service at once, with Odoo's payment form."""
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_service()
        bills_sudo = service_sudo._get_payable_bills()
        if not bills_sudo:
            return request.redirect(self._get_service_url(service_sudo, access_token))
        amount = self._get_payable_amount(bills_sudo)
        values = {
            **self._prepare_service_values(service_sudo, access_token),
            "payable_bills": bills_sudo,
            "amount": amount,
            "is_paying": True,
        }
        values |= self._get_common_page_view_values(
            invoices_data={
                "partner": service_sudo.partner_id,
                "company": service_sudo.company_id,
                "total_amount": amount,
                "currency": service_sudo.currency_id,
                "amount_residual": amount,
                "landing_route": self._get_service_url(service_sudo, access_token),
                "transaction_route": f"/my/services/{service_sudo.id}/transaction",
            },
            access_token=access_token,
            **kwargs,
        )
        return request.render("isp_billing.portal_service_pay_page", values)

    @http.route(
        "/my/services/<int:service_id>/recharge",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def portal_recharge_service(self, service_id, access_token=None, **_kwargs):
        """Bill one more period of a prepaid service, and offer to pay it."""
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_service()
        # One at a time: a bill that was not paid is offered again.
        if service_sudo._can_recharge():
            service_sudo._recharge(1)
        return request.redirect(self._get_service_url(service_sudo, access_token, "/pay"))

    @http.route("/my/services/<int:service_id>/transaction", type="jsonrpc", auth="public")
    def portal_service_transaction(self, service_id, amount, access_token=None, **kwargs):
        """Create a draft transaction over every open bill and return its processing values.

        :raise ValidationError: when the service is not the customer's, or what is owed has changed
            since the form was opened
        """
        try:
            service_sudo = self._get_service(service_id, access_token)
        except (AccessError, MissingError) as error:
            raise ValidationError(request.env._("This service cannot be paid here.")) from error
        bills_sudo = service_sudo._get_payable_bills()
        # What is owed is a fact of the ledger, whatever the browser sends.
        owed = self._get_payable_amount(bills_sudo)
        currency = service_sudo.currency_id
        if not bills_sudo or currency.compare_amounts(owed, float(amount or 0.0)):
            raise ValidationError(
                request.env._("The amount you owe has changed. Please load the page again.")
            )
        self._validate_transaction_kwargs(kwargs)
        is_visitor = request.env.user._is_public()
        partner_sudo = service_sudo.partner_id if is_visitor else request.env.user.partner_id
        reference = (
            service_sudo.company_id.get_next_batch_payment_communication()
            if len(bills_sudo) > 1
            else bills_sudo.name
        )
        return self._process_transaction(
            partner_sudo.id, currency.id, bills_sudo.ids, reference, amount=owed, **kwargs
        )

    # === HELPERS === #

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "isp_service_count" in counters:
            values["isp_service_count"] = (
                request.env["isp.subscription"].sudo().search_count(self._get_services_domain())
            )
        return values

    def _get_services_domain(self):
        """Domain of the services that belong to the user's own customer account."""
        user = request.env.user
        if user._is_public():
            return Domain.FALSE
        return Domain("partner_id", "child_of", user.commercial_partner_id.id)

    def _search_services(self, domain=Domain.TRUE):
        # sudo: portal users have no right on subscriptions, neither by the ORM nor by RPC, because
        # the record holds what is not theirs to read (password, internal note, history of the
        # staff). Ownership is this domain, and the templates name each value they show.
        return request.env["isp.subscription"].sudo().search(self._get_services_domain() & domain)

    def _get_service(self, service_id, access_token=None):
        """One service that the visitor may see, as superuser.

        That is the customer's own, one that the user may read in the backend, or the one whose
        token the visitor holds (compared in constant time by ``_document_check_access``).

        :raises AccessError: for a service of somebody else
        :raises MissingError: for one that does not exist
        """
        if own_sudo := self._search_services(Domain("id", "=", service_id)):
            return own_sudo
        return self._document_check_access("isp.subscription", service_id, access_token)

    def _refuse_service(self):
        """Answer alike for what is missing and what is somebody else's."""
        if request.env.user._is_public():
            return request.redirect(f"/web/login?redirect={quote(request.httprequest.path)}")
        return request.redirect("/my")

    def _prepare_service_values(self, service_sudo, access_token):
        payable_sudo = service_sudo._get_payable_bills()
        return {
            "page_name": "isp_service",
            "service": service_sudo,
            "payable_amount": self._get_payable_amount(payable_sudo),
            "service_url": self._get_service_url(service_sudo, access_token),
            "pay_url": self._get_service_url(service_sudo, access_token, "/pay"),
            "recharge_url": self._get_service_url(service_sudo, access_token, "/recharge"),
        }

    def _get_payable_amount(self, bills_sudo):
        total = sum(bills_sudo.mapped("amount_residual"))
        return bills_sudo.currency_id.round(total) if bills_sudo else 0.0

    def _get_service_url(self, service_sudo, access_token, suffix=""):
        """Address of a page of the service; a visitor with a token keeps it."""
        query = f"?{urlencode({'access_token': access_token})}" if access_token else ""
        return f"/my/services/{service_sudo.id}{suffix}{query}"
