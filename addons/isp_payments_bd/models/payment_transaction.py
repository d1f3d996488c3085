"""Payments through the gateways of Bangladesh: what all of them have in common.

A gateway adds its file with overrides of the hooks, in Odoo's way:
``if self.provider_code != "bkash": return super()._bd_ask(hint=hint)``.
"""

import secrets
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from odoo import api, fields, models

from ..gateways.common import GatewayError, Misconfigured
from .isp_gateway_event import OUTCOMES

# Without I, O, 0 and 1: a clerk reads it out on the phone. 16 of 32 letters are 80 random bits.
_ORDER_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ORDER_LENGTH = 16
_FIRST_ASK_MINUTES = 5
_LIFE_HOURS = 24


class PaymentTransaction(models.Model):
    _name = "payment.transaction"
    _inherit = [
        "payment.transaction",
        "mail.thread",
        "mail.activity.mixin",
        "isp.gateway.fee.mixin",
    ]

    _privacy_fields = {
        "gateway_payer": {"category": "payment_means", "erasure": "null"},
        "gateway_note": {"erasure": "null"},
        "gateway_payment_id": {
            "erasure": "keep",
            "reason": "The gateway's number of the payment, to settle what it disputes.",
        },
        "gateway_accepted_by_id": "staff",
    }
    _privacy_free = {"Our own number of the order at the gateway.": "gateway_order_id"}

    gateway_order_id = fields.Char(
        string="Order id at the gateway",
        readonly=True,
        copy=False,
        help="What the gateway knows this payment by; letters and digits, new for each attempt.",
    )
    gateway_payment_id = fields.Char(
        string="Payment id of the gateway", readonly=True, copy=False, index="btree_not_null"
    )
    gateway_status = fields.Selection(
        [("started", "Started"), ("sending", "Being sent"), *OUTCOMES],
        string="The gateway says",
        readonly=True,
        copy=False,
    )
    gateway_note = fields.Text(string="Note for staff", readonly=True, copy=False)
    gateway_payer = fields.Char(
        string="Paid with", readonly=True, copy=False, help="Masked wallet or card of the payer."
    )
    gateway_expires_at = fields.Datetime(
        string="Open at the gateway until", readonly=True, copy=False
    )
    gateway_sent_at = fields.Datetime(
        string="Sent to the gateway",
        readonly=True,
        copy=False,
        help="Refunds and saved wallets: set before the call, so that it is never made twice.",
    )
    gateway_checked_at = fields.Datetime(string="Gateway last asked", readonly=True, copy=False)
    gateway_next_ask_at = fields.Datetime(
        string="Job asks next", readonly=True, copy=False, help="Empty when nothing is open."
    )
    gateway_asks = fields.Integer(string="Times asked", readonly=True, copy=False)
    gateway_accepted_by_id = fields.Many2one(
        "res.users", string="Accepted by", readonly=True, copy=False
    )
    gateway_paid_twice = fields.Boolean(
        string="Paid twice",
        readonly=True,
        copy=False,
        help="The bill was already paid: this money is a credit of the customer.",
    )
    gateway_duplicate_of_id = fields.Many2one(
        "payment.transaction",
        string="Paid once more for",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    gateway_event_ids = fields.One2many(
        "isp.gateway.event", "transaction_id", string="What the gateway said"
    )

    _gateway_order_uniq = models.UniqueIndex(
        "(provider_id, gateway_order_id) WHERE gateway_order_id IS NOT NULL",
        "This order id was used before at this gateway.",
    )
    # One transfer of the gateway pays one payment, whoever asks how often.
    _gateway_reference_uniq = models.UniqueIndex(
        "(provider_id, provider_reference) WHERE gateway_order_id IS NOT NULL"
        " AND state = 'done' AND operation != 'refund'",
        "This transfer of the gateway has already paid another payment.",
    )
    _gateway_next_ask_idx = models.Index(
        "(gateway_next_ask_at) WHERE gateway_next_ask_at IS NOT NULL"
    )

    # === GATEWAY HOOKS === #

    def _bd_start(self):
        """Create the payment at the gateway; return the values of the redirect form.

        Stores ``gateway_payment_id`` and, if it is not 24 hours, ``gateway_expires_at``. Runs
        before the payer sees the gateway, so no money can move yet.

        :return: ``{"api_url": …, …}``
        :raise Refused, Unknown, Misconfigured: nothing was started, the payer sees a clean error
        """
        raise NotImplementedError(self.provider_code)

    def _bd_ask(self, hint=None):
        """Ask the gateway server to server about this payment; the row is locked.

        Status PENDING leaves a draft a draft, so that the customer may try another way to pay,
        unless the answer names a ``payer`` or a ``reference``: then the payment is under way.

        :param dict hint: what a return or a notification claimed; never trusted, but it may say
            what to ask (bKash: execute once when it says success, SSLCommerz: which ``val_id``)
        :rtype: gateways.common.Verified
        :raise Unknown: nobody knows, it stays pending
        :raise Refused: nothing moved and nothing will: the payment failed
        :raise Misconfigured: it stays pending, and the provider shows what to repair
        """
        raise NotImplementedError(self.provider_code)

    def _bd_charge(self):
        """Start a payment by saved wallet (``token_id``); money must not move yet.

        Stores ``gateway_payment_id``. It is committed before ``_bd_ask(hint=…)`` moves the money.

        :return: the hint for ``_bd_ask`` that makes it move the money
        :rtype: dict
        :raise Refused, Unknown, Misconfigured: nothing moved
        """
        raise NotImplementedError(self.provider_code)

    def _bd_refund(self, amount):
        """Send the refund; called once on the refund, after it was committed as being sent.

        ``self.source_transaction_id`` is the payment, ``self.gateway_order_id`` the id of the
        refund.

        :param Decimal amount: positive
        :rtype: gateways.common.Refund
        :raise Refused, Misconfigured: final, nothing moved
        :raise Unknown: stays pending, the job calls ``_bd_ask_refund``
        """
        raise NotImplementedError(self.provider_code)

    def _bd_ask_refund(self):
        """Ask what became of a refund; called on the refund until the answer is final.

        :rtype: gateways.common.Refund
        :raise Unknown, Misconfigured: nobody knows, it stays pending
        :raise Refused: the gateway did not make the refund and will not
        """
        raise NotImplementedError(self.provider_code)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Create without a note in the chatter: a payment already says when it was made."""
        quiet = self.with_context(tracking_disable=True)
        return super(PaymentTransaction, quiet).create(vals_list).with_env(self.env)

    # === START === #

    def _bd_is_ours(self):
        return self.provider_code in self.env["payment.provider"]._bd_codes()

    @api.model
    def _get_specific_create_values(self, provider_code, values):
        specific = super()._get_specific_create_values(provider_code, values)
        if provider_code in self.env["payment.provider"]._bd_codes():
            specific["gateway_order_id"] = self._bd_new_order_id()
        return specific

    @api.model
    def _bd_new_order_id(self):
        return "".join(secrets.choice(_ORDER_ALPHABET) for _letter in range(_ORDER_LENGTH))

    def _get_specific_rendering_values(self, processing_values):
        """Start the payment at the gateway; a failure is a clean error for the payer."""
        values = super()._get_specific_rendering_values(processing_values)
        if not self._bd_is_ours():
            return values
        try:
            values.update(self._bd_start())
        except GatewayError as error:
            self._bd_not_started(error)
            return {}
        self._bd_open("started")
        return values

    def _bd_open(self, status):
        """From now on the job asks about this payment until it is final."""
        now = fields.Datetime.now()
        self.write(
            {
                "gateway_status": status,
                "gateway_next_ask_at": fields.Datetime.add(now, minutes=_FIRST_ASK_MINUTES),
                "gateway_expires_at": self.gateway_expires_at
                or fields.Datetime.add(now, hours=_LIFE_HOURS),
            }
        )

    def _bd_not_started(self, error):
        """Tell the payer that nothing was paid, and staff why."""
        if isinstance(error, Misconfigured):
            self.provider_id._bd_note_connection("error", str(error))
        self.write({"gateway_note": str(error), "gateway_next_ask_at": False})
        self._set_error(
            self._bd_for_payer().env._(
                "%(gateway)s could not start the payment. Nothing was taken from you: try again in"
                " a minute, or pay another way.",
                gateway=self.provider_id.name,
            )
        )

    # === FOR ROUTES AND GATEWAYS === #

    def _bd_redirect(self, url):
        """Return the values of the redirect form that sends the browser to ``url``.

        A GET form drops the query of its address: it travels as inputs.
        """
        parts = urlsplit(url)
        return {
            "api_url": parts._replace(query="", fragment="").geturl(),
            "params": parse_qsl(parts.query, keep_blank_values=True),
        }

    def _bd_amount(self):
        """Return the amount as gateways and their answers have it: a positive Decimal."""
        return Decimal(str(self.currency_id.round(abs(self.amount))))

    @api.model
    def _bd_find(self, code, order_id=None, payment_id=None):
        """Return the payment of a gateway with this order id and this payment id, or nothing."""
        domain = [("provider_code", "=", code), ("operation", "!=", "refund")]
        # PostgreSQL knows no NUL, which a return of the browser may contain (%00).
        if not (order_id or payment_id) or "\0" in f"{order_id}{payment_id}":
            return self.browse()
        if order_id:
            domain.append(("gateway_order_id", "=", order_id))
        if payment_id:
            domain.append(("gateway_payment_id", "=", payment_id))
        found = self.search(domain, limit=2)
        return found if len(found) == 1 else self.browse()

    def _bd_for_payer(self):
        """Return this payment with the payer's language."""
        return self.with_context(lang=self.partner_lang or self.env.lang)
