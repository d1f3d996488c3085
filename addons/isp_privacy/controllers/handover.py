from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import content_disposition, request


class PrivacyHandovers(http.Controller):
    """The business goes to a new owner: the notice in the portal, and the list for the owner."""

    @http.route(
        "/my/privacy/handover/seen",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def note_seen(self, back="", **_kwargs):
        """Write down that the customer has seen the notice."""
        request.env["privacy.handover.notice"]._note_seen(request.env.user.partner_id)
        is_path = back.startswith("/") and not back.startswith("//")
        return request.redirect(back if is_path else "/my")

    @http.route(
        "/privacy/handovers/<int(max=2147483647):handover_id>/list",
        type="http",
        auth="user",
        methods=["GET"],
    )
    def download_list(self, handover_id, **_kwargs):
        """Hand the list out, if that is allowed; each time is written down."""
        handover = request.env["privacy.handover"].browse(handover_id)
        try:
            handover.check_access("write")
        except (AccessError, MissingError) as error:
            raise request.not_found() from error
        if not handover.exists():
            raise request.not_found()
        headers = [
            ("Content-Type", "text/csv; charset=utf-8"),
            ("Content-Disposition", content_disposition(handover._get_list_name())),
            ("Cache-Control", "no-store"),
        ]
        return request.make_response(handover._hand_over_list(), headers)
