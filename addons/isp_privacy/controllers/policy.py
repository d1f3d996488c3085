from odoo import http
from odoo.fields import Domain
from odoo.http import request

PAGE = "/privacy"
# What does not fit the database's integers is no version.
ONE = f"{PAGE}/versions/<int(max=2147483647):number>"


class PrivacyPolicyPages(http.Controller):
    """The privacy policy, for everybody."""

    @http.route(PAGE, type="http", auth="public", methods=["GET"], website=True)
    def show_policy(self, **_kwargs):
        """Show the version in force, who answers for it, and what comes next."""
        policy = request.env["privacy.policy"]._get_of_company(request.env.company)
        return self._render_policy(policy, policy._get_current())

    @http.route(ONE, type="http", auth="public", methods=["GET"], website=True)
    def show_version(self, number, **_kwargs):
        """Show one version, and what differs from the one before."""
        policy = request.env["privacy.policy"]._get_of_company(request.env.company)
        version = policy._find(number_domain(number), limit=1)
        if not version:
            raise request.not_found()
        return self._render_policy(policy, version, with_difference=True)

    def _render_policy(self, policy, version, with_difference=False):
        text = version._get_text(request.env.lang) if version else version.text_ids
        latest = policy._get_latest()
        processors = request.env["privacy.processor"]
        values = {
            "no_breadcrumbs": True,
            "policy": policy,
            "version": version,
            "text": text,
            "difference": text._get_difference()
            if with_difference and version.number > 1
            else None,
            "upcoming": latest - policy._get_current(),
            "versions": policy._find(number_domain()),
            "processors": processors._get_public(request.env.company),
            "certificates": processors._get_public_certificates(request.env.company),
            # sudo: it is the page that says how to reach the company.
            "company": request.env.company.sudo(),
        }
        return request.render("isp_privacy.policy_page", values)

    @http.route(
        "/my/privacy/policy/seen",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def acknowledge(self, back="", **_kwargs):
        """Write down that the customer has seen the notice."""
        request.env["privacy.policy.version"]._acknowledge(request.env.user.partner_id)
        return request.redirect(back if back.startswith("/") else "/my")


def number_domain(number=None):
    """Return the domain of a version by its number, of all without one."""
    return Domain.TRUE if number is None else Domain("number", "=", number)
