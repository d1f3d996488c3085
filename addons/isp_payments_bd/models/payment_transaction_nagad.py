from odoo import models
from odoo.http import request

from odoo.addons.payment import utils as payment_utils

from ..controllers.nagad import RETURN_PATH
from ..gateways.common import Refused


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _bd_start(self):
        """Make the payment known to Nagad, set its amount, and send the customer to Nagad."""
        if self.provider_code != "nagad":
            return super()._bd_start()
        client = self.provider_id._bd_client()
        browser = {
            "customer_ip": payment_utils.get_customer_ip_address(),
            "client_type": self._nagad_client_type(),
        }
        started = client.initialise(self.gateway_order_id, self.provider_id._nagad_now(), **browser)
        self.gateway_payment_id = started.payment_id
        page = client.complete(
            started,
            self.gateway_order_id,
            self._bd_amount(),
            self.provider_id._bd_url(f"{RETURN_PATH}/{self.gateway_order_id}"),
            **browser,
        )
        return self._bd_redirect(page)

    def _bd_ask(self, hint=None):
        if self.provider_code != "nagad":
            return super()._bd_ask(hint=hint)
        if not self.gateway_payment_id:
            raise Refused(self.env._("The payment was never started at Nagad."))
        return self.provider_id._bd_client().verify(
            self.gateway_payment_id, refunds=self._nagad_refunds_made(self)
        )

    def _bd_refund(self, amount):
        """Nagad shows only the latest refund of a payment: the next waits until it is final."""
        if self.provider_code != "nagad":
            return super()._bd_refund(amount)
        source = self.source_transaction_id
        if not self.provider_id.nagad_refunds:
            raise Refused(self.env._("Refunds from Odoo are switched off in the Nagad settings."))
        self._bd_check_no_refund_under_way()
        return self.provider_id._bd_client().refund(
            source.gateway_payment_id,
            source.gateway_order_id,
            paid=source._bd_amount(),
            amount=amount,
            reference=self.gateway_order_id,
            reason=self.reference,
            known=self._nagad_refunds_made(source),
        )

    def _bd_ask_refund(self):
        if self.provider_code != "nagad":
            return super()._bd_ask_refund()
        source = self.source_transaction_id
        return self.provider_id._bd_client().ask_refund(
            source.gateway_payment_id, known=self._nagad_refunds_made(source)
        )

    # === HELPERS === #

    def _nagad_refunds_made(self, payment):
        """Return Nagad's references of the refunds of a payment that are final."""
        done = payment.child_transaction_ids.filtered(
            lambda tx: tx.operation == "refund" and tx.state == "done"
        )
        return done.mapped("provider_reference")

    def _nagad_client_type(self):
        agent = request.httprequest.user_agent.string if request else ""
        return "MOBILE_WEB" if "Mobi" in agent else "PC_WEB"
