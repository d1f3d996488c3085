import logging
from datetime import datetime, timezone

from werkzeug.exceptions import Forbidden, NotFound, ServiceUnavailable

from odoo import http
from odoo.http import request

from ..gateways import bkash_sns
from .main import GatewayController

_logger = logging.getLogger(__name__)

RETURN_PATH = "/payment/bkash/return"
NOTIFICATION_PATH = "/payment/bkash/notification"
_STATUSES = ("success", "failure", "cancel")


class BkashController(GatewayController):
    """Where bKash sends the customer's browser and Amazon SNS its notifications."""

    @http.route(f"{RETURN_PATH}/<string:order_id>", type="http", auth="public", methods=["GET"])
    def bkash_return(self, order_id, paymentID="", status="", **_other):
        """Ask bKash about the payment: what the browser brings is not signed and only a hint.

        Both ids must be of one payment, or the genuine id of a cheap one would do for another.
        """
        transaction = self._find_transaction("bkash", order_id)
        if not transaction or not paymentID:
            _logger.warning("bKash: a return that fits no payment was ignored")
            return self._to_status_page()
        if paymentID == transaction.gateway_payment_id:
            hint = {"status": status if status in _STATUSES else "other"}
            transaction._bd_settle("return", hint=hint)
        elif paymentID != transaction.bkash_agreement_payment_id:
            _logger.warning("bKash: a return with the id of another payment was ignored")
            return self._to_status_page()
        if paymentID == transaction.bkash_agreement_payment_id and transaction.state in (
            *("draft", "pending"),
        ):
            # The wallet is saved, now the customer pays from it.
            return request.redirect(transaction.bkash_pay_url, local=False)
        return self._to_status_page()

    @http.route(
        f"{NOTIFICATION_PATH}/<int:provider_id>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
    )
    def bkash_notification(self, provider_id):
        """Take a message of Amazon SNS: believed if it is signed, recent and of our topic.

        200 for everything that is believed, also twice; 403 for what is not; 503 to have it sent
        again.
        """
        # sudo: Amazon is nobody in Odoo; the signature decides.
        provider = request.env["payment.provider"].sudo().browse(provider_id).exists()
        if provider.code != "bkash" or provider.state == "disabled":
            raise NotFound()
        hosts = provider._bkash_sns_hosts()
        try:
            message = bkash_sns.read(
                self._read_body(),
                topic_arn=provider.bkash_sns_topic,
                hosts=hosts,
                now=datetime.now(timezone.utc),
            )
            if message.kind == bkash_sns.SUBSCRIPTION:
                hosts.confirm(message.subscribe_url)
        except bkash_sns.SnsRefused as refused:
            _logger.warning("bKash: a notification for provider %s: %s", provider_id, refused)
            raise Forbidden() from None
        except bkash_sns.SnsUnavailable as unavailable:
            _logger.warning("bKash: a notification could not be checked: %s", unavailable)
            raise ServiceUnavailable() from None
        self._take(provider, message)
        return request.make_response("", headers=[("Content-Type", "text/plain")])

    def _take(self, provider, message):
        """Write a message down, once, and ask bKash about what it claims."""
        events = request.env["isp.gateway.event"].sudo()  # sudo: see bkash_notification
        if message.kind != bkash_sns.NOTIFICATION:
            events._receive(provider, message.id, summary=message.kind)
            return
        claims = message.payload
        order_id, trx_id = claims.get("merchantInvoiceNumber"), claims.get("trxID")
        transaction = self._find_transaction("bkash", order_id if isinstance(order_id, str) else "")
        transaction = transaction.filtered(lambda tx: tx.provider_id == provider)
        summary = f"trxID {trx_id}" if isinstance(trx_id, str) and trx_id.isalnum() else ""
        if not events._receive(provider, message.id, summary[:100], transaction):
            return
        if transaction:
            transaction._bd_settle("notification", hint={"trxID": str(trx_id)})
        else:
            # sudo: see bkash_notification
            request.env["isp.gateway.receipt"].sudo()._receive(provider, claims)
