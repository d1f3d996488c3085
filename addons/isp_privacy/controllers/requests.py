from urllib.parse import quote

from odoo import http
from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..engine.request_states import TERMINAL

PAGE = "/my/privacy"
# What does not fit the database's integers is no request.
ONE = f"{PAGE}/<int(max=2147483647):request_id>"


class PrivacyPortal(CustomerPortal):
    """The customer's requests about the own data."""

    # === ROUTES === #

    @http.route(PAGE, type="http", auth="user", website=True)
    def portal_my_privacy(self, **_kwargs):
        """List the customer's requests."""
        values = self._prepare_portal_layout_values()
        # The rule of portal users finds only their own; for staff this page is about themselves.
        requests = request.env["privacy.request"].search(
            self._get_own_domain(), order="date_received desc"
        )
        values.update(page_name="privacy", privacy_requests=requests)
        return request.render("isp_privacy.portal_my_privacy", values)

    @http.route(f"{PAGE}/new", type="http", auth="user", methods=["GET"], website=True)
    def portal_new_privacy_request(self, request_type=None, **_kwargs):
        """Show the form for a new request, of the kind that a link may name."""
        return self._render_new_form(request_type=request_type)

    @http.route(
        f"{PAGE}/new", type="http", auth="user", methods=["POST"], website=True, sitemap=False
    )
    def portal_send_privacy_request(self, request_type=None, words="", **_kwargs):
        """Open a request, or lead to the one that is open already."""
        try:
            opened = request.env["privacy.request"]._open_from_portal(request_type, words)
        except UserError as error:
            return self._render_new_form(str(error), request_type, words)
        return request.redirect(f"{PAGE}/{opened.id}")

    @http.route(ONE, type="http", auth="public", website=True)
    def portal_privacy_request(self, request_id, access_token=None, **_kwargs):
        """Show where a request stands."""
        try:
            request_sudo = self._get_readable_request(request_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_request()
        return self._render_request(request_sudo, access_token)

    @http.route(
        f"{ONE}/withdraw",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def portal_withdraw_privacy_request(self, request_id, access_token=None, **_kwargs):
        """Take a request back."""

        def withdraw(request_sudo):
            request_sudo._withdraw(request.env._("Withdrawn by the person"))
            return self._get_url(request_sudo, access_token)

        return self._act_on_own_request(withdraw, request_id, access_token)

    @http.route(
        f"{ONE}/confirm",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def portal_confirm_identity(self, request_id, password="", **_kwargs):
        """Take the password once more as proof of identity."""

        def confirm(request_sudo):
            self._check_password(password)
            request_sudo._verify_identity("reauth")
            return self._get_url(request_sudo, None)

        return self._act_on_own_request(confirm, request_id)

    # === HELPERS === #

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "privacy_request_count" in counters:
            domain = self._get_own_domain() & Domain("state", "not in", list(TERMINAL))
            # sudo: staff without a right on requests have a home page too; the domain is their own.
            values["privacy_request_count"] = (
                request.env["privacy.request"].sudo().search_count(domain)
            )
        return values

    def _get_own_domain(self):
        return Domain("partner_id", "=", request.env.user.partner_id.id)

    def _get_readable_request(self, request_id, access_token):
        """The request, as superuser, for who may read it or holds its token.

        :raises AccessError: for anybody else
        :raises MissingError: for one that does not exist
        """
        if access_token and not access_token.isascii():
            access_token = None  # no token of ours, and the comparison takes no other letters
        return self._document_check_access("privacy.request", request_id, access_token)

    def _get_own_request(self, request_id, access_token=None):
        """The request, as superuser, for who may change it: the person, or who holds its token.

        :raises AccessError: for anybody else, also for staff that may read it
        :raises MissingError: for one that does not exist
        """
        found_sudo = self._get_readable_request(request_id, access_token)
        user = request.env.user
        is_own = not user._is_public() and found_sudo.partner_id == user.partner_id
        # A token that was not needed for reading has not been compared yet.
        token, given = found_sudo.access_token or "", access_token or ""
        if not is_own and not (token and consteq(token.encode(), given.encode())):
            raise AccessError(request.env._("This request is not yours."))
        # The history names who did it, so the user stays the visitor's.
        return found_sudo.with_user(user).sudo()

    def _act_on_own_request(self, act, request_id, access_token=None):
        """Let ``act`` work on the own request; what it objects to stands on the request's page.

        :param act: takes the request as superuser, and returns the address where the visitor goes
        """
        try:
            request_sudo = self._get_own_request(request_id, access_token)
        except (AccessError, MissingError):
            return self._refuse_request()
        try:
            url = act(request_sudo)
        except UserError as error:
            return self._render_request(request_sudo, access_token, error=str(error))
        return request.redirect(url)

    def _refuse_request(self):
        """Answer alike for what is missing and what is somebody else's."""
        if request.env.user._is_public():
            return request.redirect(f"/web/login?redirect={quote(request.httprequest.path)}")
        return request.redirect("/my")

    def _render_new_form(self, error=None, request_type=None, words=""):
        values = self._prepare_portal_layout_values()
        field = request.env["privacy.request"]._fields["request_type"]
        values.update(
            page_name="privacy",
            is_new_privacy_request=True,
            request_types=field._description_selection(request.env),
            request_type=request_type,
            words=words,
            error=error,
        )
        return request.render("isp_privacy.portal_new_privacy_request", values)

    def _render_request(self, request_sudo, access_token, error=None):
        is_own = request_sudo.partner_id == request.env.user.partner_id
        values = {
            "page_name": "privacy",
            "privacy_request": request_sudo,
            "withdraw_url": self._get_url(request_sudo, access_token, "/withdraw"),
            "confirm_url": f"{PAGE}/{request_sudo.id}/confirm",
            "can_withdraw": "withdrawn" in request_sudo._get_next_states(),
            "can_confirm": is_own and "verified" in request_sudo._get_next_states(),
            "error": error,
        }
        values = self._get_page_view_values(
            request_sudo, access_token, values, "my_privacy_history", False
        )
        return request.render("isp_privacy.portal_privacy_request", values)

    def _check_password(self, password):
        """Take the password of who is logged in once more.

        :raises UserError: when it is wrong, or was wrong too often
        """
        user = request.env.user
        credential = {"login": user.login, "password": password, "type": "password"}
        try:
            with user._assert_can_auth(user=user.login):
                user._check_credentials(credential, {"interactive": True})
        except AccessDenied as error:
            raise UserError(
                request.env._("The password is not right, or it was wrong too often. Try again.")
            ) from error

    def _get_url(self, request_sudo, access_token, suffix=""):
        """Address of a page of the request; a visitor with a token keeps it."""
        query = f"?access_token={quote(access_token)}" if access_token else ""
        return f"{PAGE}/{request_sudo.id}{suffix}{query}"
