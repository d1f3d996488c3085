from dataclasses import replace

from odoo import fields, models

from ..controllers.bkash import RETURN_PATH
from ..gateways.common import (
    CANCELED,
    FAILED,
    PAID,
    PENDING,
    GatewayError,
    Refund,
    Refused,
    Unknown,
    Verified,
)

_NOT_CONFIRMED = {"cancel": CANCELED, "failure": FAILED}
# A refund that bKash's list still does not have was not made.
_REFUND_LISTED_HOURS = 1


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    _privacy_fields = {
        "bkash_agreement_payment_id bkash_pay_url": {
            "category": "credential",
            "erasure": "null",
            "export": False,
        },
    }
    _privacy_free = {"Answer codes from the gateway's list.": "bkash_code"}

    bkash_agreement_payment_id = fields.Char(
        string="Id of saving the wallet",
        readonly=True,
        copy=False,
        help="The wallet was saved first; the payment has an id of its own.",
    )
    bkash_pay_url = fields.Char(
        string="Link to confirm at bKash",
        readonly=True,
        copy=False,
        help="Here the customer confirms a payment from the saved wallet with the PIN.",
    )
    bkash_unanswered = fields.Boolean(
        readonly=True,
        copy=False,
        help="bKash was told to move the money and did not answer: it is not told again.",
    )

    bkash_code = fields.Char(
        string="Code of bKash", readonly=True, copy=False, help="Why bKash refused the payment."
    )

    # === START === #

    def _bd_start(self):
        if self.provider_code != "bkash":
            return super()._bd_start()
        client = self.provider_id._bd_client()
        if self._bkash_saves_wallet():
            created = client.create_agreement(
                payer_reference=self._bkash_payer(), callback_url=self._bkash_return_url()
            )
        else:
            created = self._bkash_create(client, self.token_id.provider_ref)
        self.gateway_payment_id = created.payment_id
        url = created.url
        if not url:
            # Nothing to confirm: the browser comes straight back, and the money moves then, when
            # this payment id is stored for good.
            url = self._bkash_return_url(created.payment_id)
        return self._bd_redirect(url)

    def _bkash_saves_wallet(self):
        """Return whether the next thing to confirm at bKash is that the wallet is saved."""
        return self.operation == "validation" or (self.tokenize and not self.token_id)

    def _bkash_create(self, client, agreement_id=None):
        return client.create_payment(
            amount=self._bd_amount(),
            order_id=self.gateway_order_id,
            payer_reference=self._bkash_payer(),
            callback_url=self._bkash_return_url(),
            agreement_id=agreement_id or None,
        )

    def _bkash_payer(self):
        return self.partner_id.ref or f"P{self.partner_id.id}"

    def _bkash_return_url(self, payment_id=None):
        """Return where bKash sends the browser; with an id, as if it came back confirmed."""
        url = self.provider_id._bd_url(f"{RETURN_PATH}/{self.gateway_order_id}")
        return f"{url}?paymentID={payment_id}&status=success" if payment_id else url

    # === ASK === #

    def _bd_ask(self, hint=None):
        """Ask bKash; when the customer is said to have confirmed, let it move the money.

        Money moves by our execute alone. So a payment that was never executed may be called
        canceled because the browser says so: at worst the customer confirms it after all, and then
        it is executed and paid.
        """
        if self.provider_code != "bkash":
            return super()._bd_ask(hint=hint)
        if not self.gateway_payment_id:
            raise Refused(self.env._("The payment was never started at bKash."))
        client = self.provider_id._bd_client()
        claim = (hint or {}).get("status")
        if self._bkash_saves_wallet() and self.state != "done":
            return self._bkash_ask_agreement(client, claim)
        if claim == "success" and not self.bkash_unanswered and self.state != "done":
            return self._bkash_execute(client)
        if self.operation == "validation":
            return self._bkash_wallet_saved()
        verified = client.query(self.gateway_payment_id)
        if verified.status == PENDING and claim in _NOT_CONFIRMED and not self.bkash_unanswered:
            return replace(verified, status=_NOT_CONFIRMED[claim])
        return verified

    def _bkash_execute(self, client):
        try:
            return client.execute(self.gateway_payment_id)
        except Unknown:
            self.bkash_unanswered = True
            raise
        except Refused as refused:
            self.bkash_code = refused.code
            raise

    def _bd_apply_not_paid(self, verified, status=None):
        """Tell the customer what bKash refused, where they can do something about it."""
        outcome = super()._bd_apply_not_paid(verified, status)
        if self.provider_code == "bkash" and self.state == "error":
            self.state_message = self._bkash_customer_text() or self.state_message
        return outcome

    def _bkash_customer_text(self):
        env = self._bd_for_payer().env
        texts = {
            "2023": env._(
                "There is not enough money in your bKash wallet. Nothing was taken: add money, or"
                " pay another way."
            ),
            "2029": env._(
                "This wallet paid the same amount less than two minutes ago. Nothing was taken this"
                " time: look whether the bill is paid, or try again in two minutes."
            ),
            **dict.fromkeys(
                ("2010", "2011", "2014", "2015", "2016", "2017", "2018", "2019"),
                env._("The PIN or the code was not right. Nothing was taken; you can try again."),
            ),
            **dict.fromkeys(
                ("2013", "2059"),
                env._("Too many codes were asked for. Nothing was taken; try again in an hour."),
            ),
            **dict.fromkeys(
                ("2009", "2045", "2057", "2058"),
                env._("This number cannot pay by bKash. Nothing was taken; try another number."),
            ),
        }
        return texts.get(self.bkash_code)

    def _bkash_ask_agreement(self, client, claim):
        if claim != "success":
            status = _NOT_CONFIRMED.get(claim, PENDING)
            reason = self.env._("The customer has not confirmed that the wallet is saved.")
            return self._bkash_unpaid(status, reason)
        agreement = client.execute_agreement(self.gateway_payment_id)
        if self.operation == "validation":
            return self._bkash_wallet_saved(agreement)
        return self._bkash_pay_from(client, agreement)

    def _bkash_wallet_saved(self, agreement=None):
        return replace(
            self._bkash_unpaid(PAID, self.env._("The wallet was saved.")),
            payer=agreement.payer if agreement else "",
            token=agreement.id if agreement else None,
        )

    def _bkash_unpaid(self, status, reason):
        return Verified(status, None, self.gateway_payment_id, *[None] * 4, reason=reason)

    def _bkash_pay_from(self, client, agreement):
        """Keep the wallet that was just saved, and start the payment from it."""
        token = self.env["payment.token"].create(
            {
                "provider_id": self.provider_id.id,
                "payment_method_id": self.payment_method_id.id,
                "partner_id": self.partner_id.id,
                "provider_ref": agreement.id,
                "payment_details": agreement.payer,
            }
        )
        self.write({"token_id": token.id, "tokenize": False})
        try:
            created = self._bkash_create(client, agreement.id)
        except GatewayError as error:
            raise Refused(
                self.env._("The wallet was saved, but no payment started: %s", error)
            ) from error
        self.write(
            {
                "bkash_agreement_payment_id": self.gateway_payment_id,
                "gateway_payment_id": created.payment_id,
                "bkash_pay_url": created.url or self._bkash_return_url(created.payment_id),
            }
        )
        return self._bkash_unpaid(
            PENDING, self.env._("The wallet is saved; the customer still has to pay.")
        )

    # === SAVED WALLETS === #

    def _send_payment_request(self):
        """Leave a payment by a customer who is there to ``_get_specific_processing_values``."""
        if self.provider_code != "bkash" or self.operation != "online_token":
            return super()._send_payment_request()
        return None

    def _bd_waits_to_be_sent(self):
        if self.provider_code == "bkash" and self.operation == "online_token":
            return False
        return super()._bd_waits_to_be_sent()

    def _get_specific_processing_values(self, processing_values):
        """Send the customer to bKash for the PIN, also when paying from a saved wallet."""
        values = super()._get_specific_processing_values(processing_values)
        if self.provider_code != "bkash" or self.operation != "online_token":
            return values
        if self.gateway_payment_id or self.state != "draft":
            return values
        rendering_values = self._get_specific_rendering_values(processing_values)
        if not rendering_values.get("api_url"):
            return values
        form = self.provider_id._get_redirect_form_view(is_validation=False)
        html = self.env["ir.qweb"]._render(form.id, rendering_values)
        return {**values, "redirect_form_html": html}

    def _bd_charge(self):
        """Charge without the customer where bKash allows it; else keep the link for the PIN."""
        if self.provider_code != "bkash":
            return super()._bd_charge()
        created = self._bkash_create(self.provider_id._bd_client(), self.token_id.provider_ref)
        self.write({"gateway_payment_id": created.payment_id, "bkash_pay_url": created.url})
        return {} if created.url else {"status": "success"}

    # === REFUNDS === #

    def _bd_refund(self, amount):
        """Send a refund, unless bKash's list has it already: bKash knows no key against twice."""
        if self.provider_code != "bkash":
            return super()._bd_refund(amount)
        source = self.source_transaction_id
        self._bd_check_no_refund_under_way()
        client, payment = self.provider_id._bd_client(), self._bkash_refund_of()
        if made := self._bkash_find_refund(client.refunds(**payment), amount):
            return replace(
                made, reason=self.env._("bKash had made this refund already; none was sent.")
            )
        return client.refund(**payment, amount=amount, sku=source.reference, reason=self.reference)

    def _bd_ask_refund(self):
        if self.provider_code != "bkash":
            return super()._bd_ask_refund()
        listed = self.provider_id._bd_client().refunds(**self._bkash_refund_of())
        if made := self._bkash_find_refund(listed, self._bd_amount()):
            return made
        sent_at = self.gateway_sent_at or self.create_date
        if fields.Datetime.now() < fields.Datetime.add(sent_at, hours=_REFUND_LISTED_HOURS):
            return Refund(PENDING, None, None, self.env._("bKash does not list this refund yet."))
        raise Refused(self.env._("bKash did not make this refund. You can refund again."))

    def _bkash_refund_of(self):
        source = self.source_transaction_id
        return {
            "version": int(self.provider_id.bkash_refund_version),
            "payment_id": source.gateway_payment_id,
            "trx_id": source.provider_reference,
        }

    def _bkash_find_refund(self, listed, amount):
        """Return the refund of this amount in bKash's list that is no other's, or nothing."""
        others = set(self._bd_other_refunds().mapped("provider_reference"))
        for refund in listed:
            mine = self.provider_reference in (False, refund.reference)
            if mine and refund.reference not in others and refund.amount == amount:
                return refund
        return None
