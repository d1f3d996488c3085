import logging

from werkzeug.exceptions import Forbidden

from odoo import http
from odoo.http import request

from ..gateways.common import GatewayError
from ..gateways.sslcommerz_sign import Forged
from ..models.payment_transaction_sslcommerz import IPN_PATH, RETURN_PATH
from .main import GatewayController

_logger = logging.getLogger(__name__)

# What makes two messages about one attempt the same claim, whichever way they come.
_CLAIM = ("status", "val_id", "bank_tran_id")


class SslcommerzController(GatewayController):
    """The browser's return and the notification (IPN) of SSLCommerz: form posts, signed alike."""

    # The gateway's page posts from its own site: the browser sends no cookie along, and a session
    # saved here would replace the customer's.
    @http.route(
        RETURN_PATH,
        type="http",
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
    )
    def sslcommerz_return(self, **_fields):
        """Ask the gateway about the payment the customer comes back from, and show it.

        A return that is not signed claims nothing; the customer sees how the payment stands, and
        the notification or the job brings the rest.
        """
        if request.httprequest.method == "POST":
            try:
                tx, hint = self._sslcommerz_claim()
            except Forged as error:
                _logger.warning("SSLCommerz return not believed: %s", error)
            else:
                if tx:
                    tx._bd_settle("return", hint=hint)
        return self._to_status_page()

    @http.route(
        IPN_PATH, type="http", auth="public", methods=["POST"], csrf=False, save_session=False
    )
    def sslcommerz_ipn(self, **_fields):
        """Ask the gateway about the payment it notifies of.

        :return: 200 for all that is signed, also a second time and for payments that are not
            ours; what cannot be answered now is asked again by the job
        :raise Forbidden: not signed by the gateway
        """
        try:
            tx, hint = self._sslcommerz_claim()
        except Forged as error:
            _logger.warning("SSLCommerz notification refused: %s", error)
            raise Forbidden() from None
        if tx:
            tx._bd_settle("notification", hint=hint)
        return request.make_response("OK", [("Content-Type", "text/plain")])

    def _sslcommerz_claim(self):
        """Return the payment (empty if it is not ours) and what the signed message claims of it.

        :raise Forged: not signed with the password of a store of ours
        """
        form = request.httprequest.form
        fields = form.to_dict()
        if len(fields) != sum(1 for _item in form.items(multi=True)):
            raise Forged("a field comes twice")
        tx = self._find_transaction("sslcommerz", order_id=fields.get("tran_id"))
        provider = tx.provider_id or self._sslcommerz_provider(fields.get("store_id"))
        if not provider:
            raise Forged("the message is for another store")
        try:
            signed = provider._bd_client().signed_fields(fields)
        except Forged:
            raise
        except GatewayError as error:  # no store ID or password in the settings
            raise Forged(str(error)) from None
        hint = {name: signed[name] for name in _CLAIM if signed.get(name)}
        if not tx:
            self._sslcommerz_note_stranger(provider, signed, hint)
        return tx, hint

    def _sslcommerz_provider(self, store_id):
        # sudo: the gateway is nobody in Odoo.
        return (
            request.env["payment.provider"]
            .sudo()
            .search(
                [("code", "=", "sslcommerz"), ("sslcommerz_store_id", "=", store_id or False)],
                limit=1,
            )
            if store_id
            else None
        )

    def _sslcommerz_note_stranger(self, provider, signed, hint):
        """A payment into our store that Odoo did not start: another shop with the same store."""
        request.env["isp.gateway.event"].sudo()._receive(
            provider,
            ":".join((signed["tran_id"], *hint.values()))[:200],
            summary=request.env._(
                "%(status)s: %(amount)s for the order %(order)s, which is not of Odoo.",
                status=signed["status"],
                amount=signed["amount"],
                order=signed["tran_id"],
            ),
        )
