from odoo import models

from ..gateways.common import Unknown
from ..gateways.sslcommerz_session import Order

RETURN_PATH = "/payment/sslcommerz/return"
IPN_PATH = "/payment/sslcommerz/ipn"


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # === GATEWAY HOOKS === #

    def _bd_start(self):
        if self.provider_code != "sslcommerz":
            return super()._bd_start()
        session = self.provider_id._bd_client().open_session(self._sslcommerz_order())
        self.gateway_payment_id = session.key
        return self._bd_redirect(session.url)

    def _sslcommerz_order(self):
        company = self.company_id
        return_url = self.provider_id._bd_url(RETURN_PATH)
        return Order(
            order_id=self.gateway_order_id,
            amount=self._bd_amount(),
            currency=self.currency_id.name,
            success_url=return_url,
            fail_url=return_url,
            cancel_url=return_url,
            ipn_url=self.provider_id._bd_url(IPN_PATH),
            product_name=self.reference,
            name=self.partner_name or "",
            email=self.partner_email or "",
            phone=self.partner_phone or "",
            street=self.partner_address or "",
            city=self.partner_city or "",
            postcode=self.partner_zip or "",
            country=self.partner_country_id.with_context(lang="en_US").name or "",
            merchant_email=company.email or "",
            merchant_phone=company.phone or "",
            methods=self.provider_id.sslcommerz_methods or "",
        )

    def _bd_ask(self, hint=None):
        if self.provider_code != "sslcommerz":
            return super()._bd_ask(hint=hint)
        return self.provider_id._bd_client().ask(
            self.gateway_order_id,
            session_key=self.gateway_payment_id,
            val_id=(hint or {}).get("val_id"),
            reference=self.provider_reference if self.state == "done" else None,
        )

    def _bd_refund(self, amount):
        if self.provider_code != "sslcommerz":
            return super()._bd_refund(amount)
        source = self.source_transaction_id
        remarks = self.env._("Refund of %(payment)s", payment=source.reference)
        return self.provider_id._bd_client().refund(
            source.provider_reference, self.gateway_order_id, amount, remarks
        )

    def _bd_ask_refund(self):
        if self.provider_code != "sslcommerz":
            return super()._bd_ask_refund()
        if not self.provider_reference:
            # Its answer was lost, and SSLCommerz is asked by a number that was in the answer.
            problem = self.env._(
                "SSLCommerz's answer to this refund was lost. Look in its merchant panel for the"
                " refund %(order)s: if it is there, type in its reference here with the button;"
                " if it is not, give this one up and refund anew.",
                order=self.gateway_order_id,
            )
            self._bd_alert(self.env._("Look up a refund at SSLCommerz"), problem)
            raise Unknown(problem)
        return self.provider_id._bd_client().refund_status(
            self.provider_reference, self.source_transaction_id.provider_reference
        )

    # === REFUND WITHOUT AN ANSWER === #

    def _sslcommerz_lacks_reference(self):
        return (
            self.provider_code == "sslcommerz"
            and self.operation == "refund"
            and self.state == "pending"
            and bool(self.gateway_sent_at)
            and not self.provider_reference
        )

    def action_sslcommerz_reference(self):
        """Open the form that takes the reference of a refund whose answer was lost."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Refund reference"),
            "res_model": "isp.sslcommerz.refund",
            "view_mode": "form",
            "target": "new",
            "context": {"default_transaction_id": self.id},
        }
