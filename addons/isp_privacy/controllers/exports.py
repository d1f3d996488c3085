from contextlib import closing

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request

from ..engine.package import copy_chunks
from .requests import ONE, PAGE, PrivacyPortal


class PrivacyExportPortal(PrivacyPortal):
    """The customer fetches the package with the own data."""

    @http.route(
        f"{ONE}/package",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def portal_open_package(self, request_id, password="", **_kwargs):
        """Take the password once more, then lead to a link that works once."""

        def issue_link(request_sudo):
            self._check_password(password)
            return f"{PAGE}/package/{request_sudo._get_export()._issue_link()}"

        return self._act_on_own_request(issue_link, request_id)

    @http.route(
        f"{PAGE}/package/<string:token>",
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def portal_fetch_package(self, token, **_kwargs):
        """Send the package: once for each link, and to the person only."""
        user = request.env.user
        # sudo: customers read no packages; the token and the person are checked here. The audit
        # chain names who fetched it, so the user stays the visitor's.
        exports_sudo = request.env["privacy.export"].with_user(user).sudo()
        export_sudo = exports_sudo._find_by_token(token, user.partner_id)
        if not export_sudo:
            raise NotFound()
        try:
            stream = export_sudo._fetch()
        except UserError as error:
            return self._render_request(export_sudo.request_id, None, error=str(error))
        return request.make_response(
            send(stream),
            [
                ("Content-Type", "application/zip"),
                ("Content-Length", str(stream.size)),
                ("Content-Disposition", content_disposition(export_sudo.name)),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )


def send(stream):
    """Yield a sealed file in clear; it is closed after the last piece."""
    with closing(stream):
        yield from copy_chunks(stream)
