import re

from werkzeug.exceptions import NotFound, RequestEntityTooLarge

from odoo import http
from odoo.http import request

MAX_BODY_BYTES = 64 * 1024
_TOKEN = re.compile(r"[0-9a-f]{40}")


class MessageReports(http.Controller):
    """What gateways tell of deliveries, at an address that only they know."""

    @http.route(
        "/isp_messaging/report/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
    )
    def take_report(self, token, **_kwargs):
        """Note the deliveries; a repeated or late notification does no harm."""
        http_request = request.httprequest
        if (http_request.content_length or 0) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge()
        if not _TOKEN.fullmatch(token):
            raise NotFound()
        # sudo: the gateway is nobody in Odoo; the token says which account it speaks of.
        gateways_sudo = request.env["isp.message.gateway"].sudo()
        gateway_sudo = gateways_sudo.search([("callback_token", "=", token)], limit=1)
        if not gateway_sudo:
            raise NotFound()
        gateway_sudo._take_reports(http_request.form, http_request.get_data(as_text=True))
        return ""
