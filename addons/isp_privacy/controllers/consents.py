from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

PAGE = "/my/privacy/consents"
LINK = "/privacy/withdraw/<string:token>"


class PrivacyConsents(CustomerPortal):
    """What the customer agreed to, and the link in messages that withdraws it."""

    # === PORTAL === #

    @http.route(PAGE, type="http", auth="user", methods=["GET"], website=True)
    def portal_my_consents(self, **_kwargs):
        """Show the choices, and what holds now."""
        return self._render_consents()

    @http.route(PAGE, type="http", auth="user", methods=["POST"], website=True, sitemap=False)
    def portal_choose(self, purpose="", channel="", action="", **_kwargs):
        """Give or withdraw one consent: one click for either."""
        chosen = request.env["privacy.purpose"]._get_choices()
        chosen = chosen.filtered(lambda choice: choice.code == purpose)
        if (
            action not in ("given", "withdrawn")
            or not chosen
            or channel not in chosen._get_channels()
        ):
            return self._render_consents(request.env._("There is no such choice."))
        try:
            request.env["privacy.consent"]._record(
                action, chosen, channel, "portal", request.env.user.partner_id
            )
        except UserError as error:
            return self._render_consents(str(error))
        return request.redirect(f"{PAGE}#{chosen.code}")

    @http.route(
        f"{PAGE}/age", type="http", auth="user", methods=["POST"], website=True, sitemap=False
    )
    def portal_declare_age(self, **_kwargs):
        """Note that the customer says to be of age."""
        partner = request.env.user.partner_id
        if not partner._privacy_minors() and not partner._privacy_adults():
            request.env["privacy.age"]._note("adult", "declared", partner)
        return request.redirect(PAGE)

    def _render_consents(self, error=None):
        partner, company = request.env.user.partner_id, request.env.company
        # sudo: customers read no profiles, and are asked what it says.
        gate = company._get_privacy_profile().sudo().age_gate
        values = self._prepare_portal_layout_values()
        values.update(
            page_name="privacy",
            is_privacy_consents=True,
            error=error,
            is_minor=bool(partner._privacy_minors()),
            ask_age=gate and not partner._privacy_adults(),
            min_age=partner._privacy_min_age(),
            choices=[
                {
                    "purpose": purpose,
                    "needs_consent": purpose._needs_consent(),
                    "rows": [
                        self._prepare_choice(partner, purpose, channel, company)
                        for channel in purpose._get_channels()
                    ],
                }
                for purpose in request.env["privacy.purpose"]._get_choices()
            ],
        )
        return request.render("isp_privacy.portal_my_consents", values)

    def _prepare_choice(self, partner, purpose, channel, company):
        allowed = bool(partner._privacy_may_contact(purpose, channel, company))
        last = partner._privacy_consents(purpose, channel, company)
        return {
            "channel": channel,
            "label": purpose._get_channel_words(channel),
            "allowed": allowed,
            "last": last,
            "is_outdated": last.action == "given" and not allowed,
            "wording": purpose._get_consent_wording(channel, company),
        }

    # === LINK IN MESSAGES === #

    @http.route(LINK, type="http", auth="public", methods=["GET"], website=True, sitemap=False)
    def ask_to_withdraw(self, token, **_kwargs):
        """Show one button. Opening the link does nothing: mail scanners open every link."""
        found = request.env["privacy.consent"]._read_withdrawal_token(token)
        if not found:
            raise request.not_found()
        return self._render_withdrawal(found, token)

    # The token is the authority, and a mail program that posts has no session: no CSRF token.
    @http.route(
        LINK, type="http", auth="public", methods=["POST"], website=True, csrf=False, sitemap=False
    )
    def withdraw(self, token, **_kwargs):
        """Withdraw: the button of the page, or a mail program's own (RFC 8058)."""
        Consent = request.env["privacy.consent"]
        if not Consent._withdraw_by_token(token):
            raise request.not_found()
        return self._render_withdrawal(Consent._read_withdrawal_token(token), token, done=True)

    def _render_withdrawal(self, found, token, done=False):
        company, purpose, channel, _partner, _digest = found
        values = {
            "no_breadcrumbs": True,
            "token": token,
            "done": done,
            "company_name": company.name,
            "purpose": purpose,
            "channel_words": purpose._get_channel_words(channel),
        }
        response = request.render("isp_privacy.withdraw_page", values)
        # The address is a key: no other site may learn it, nor a search engine.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex"
        response.headers["Cache-Control"] = "no-store"
        return response
