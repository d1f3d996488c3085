"""What the routes of all gateways share; the routes are in the file of each gateway."""

import logging

from werkzeug.exceptions import RequestEntityTooLarge

from odoo import http
from odoo.http import request

_logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024


class GatewayController(http.Controller):
    """Base of the gateways' controllers."""

    def _read_body(self, limit=MAX_BODY_BYTES):
        """Return the body of a notification as bytes.

        :raise RequestEntityTooLarge: before reading more than ``limit`` bytes
        """
        http_request = request.httprequest
        if (http_request.content_length or 0) > limit:
            raise RequestEntityTooLarge()
        http_request.max_content_length = limit  # werkzeug stops there, also without a length
        return http_request.get_data()

    def _find_transaction(self, code, order_id=None, payment_id=None):
        """Return the payment (superuser) of a gateway with our order id, empty without one.

        With ``payment_id`` too, both must be of the same payment. Refunds are never found.
        """
        # sudo: the gateway and the returning browser are nobody in Odoo.
        transactions = request.env["payment.transaction"].sudo()
        return transactions._bd_find(code, order_id=order_id, payment_id=payment_id)

    def _to_status_page(self):
        """Send the browser to Odoo's page that shows the payment and follows it."""
        return request.redirect("/payment/status")
