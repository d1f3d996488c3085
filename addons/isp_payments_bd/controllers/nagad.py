import logging

from odoo import http

from ..gateways.nagad import ORDER_ID
from .main import GatewayController

_logger = logging.getLogger(__name__)

RETURN_PATH = "/payment/nagad/return"
_STATUSES = ("Success", "Failed", "Aborted", "Cancelled")


class NagadController(GatewayController):
    """Where Nagad sends the customer's browser. Nagad sends no notifications."""

    @http.route(f"{RETURN_PATH}/<string:our_order_id>", type="http", auth="public", methods=["GET"])
    def nagad_return(self, our_order_id, order_id=None, payment_ref_id=None, status="", **_other):
        """Ask Nagad about the payment: what the browser brings is not signed and only a hint.

        A payment is found by what we stored, and only if all ids that came are those of one and
        the same payment.
        """
        transaction = None
        if ORDER_ID.fullmatch(our_order_id) and order_id in (None, our_order_id):
            transaction = self._find_transaction("nagad", our_order_id)
        # Compared here: a search by what a browser sent would trip over odd characters.
        if transaction and payment_ref_id in (None, transaction.gateway_payment_id):
            hint = {"status": status if status in _STATUSES else "other"}
            transaction._bd_settle("return", hint=hint)
        else:
            _logger.warning("Nagad: a return that fits no payment was ignored")
        return self._to_status_page()
