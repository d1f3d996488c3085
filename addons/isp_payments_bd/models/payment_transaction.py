"""Payments through the gateways of Bangladesh: what all of them have in common.

A gateway adds its file with overrides of the hooks, in Odoo's way:
``if self.provider_code != "bkash": return super()._bd_ask(hint=hint)``.
"""

from odoo import api, fields, models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    gateway_order_id = fields.Char(
        string="Order id at the gateway",
        readonly=True,
        copy=False,
        help="What the gateway knows this payment by; letters and digits, new for each attempt.",
    )
    gateway_payment_id = fields.Char(
        string="Payment id of the gateway", readonly=True, copy=False, index="btree_not_null"
    )
    gateway_expires_at = fields.Datetime(
        string="Open at the gateway until", readonly=True, copy=False
    )
    gateway_checked_at = fields.Datetime(string="Gateway last asked", readonly=True, copy=False)
    gateway_asks = fields.Integer(string="Times asked", readonly=True, copy=False)
    gateway_note = fields.Text(string="Note for staff", readonly=True, copy=False)

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

        :param dict hint: what a return or a notification claimed; never trusted, but it may say
            what to ask (bKash: execute once when it says success, SSLCommerz: which ``val_id``)
        :rtype: gateways.common.Verified
        :raise Unknown: nobody knows, it stays pending
        :raise Refused: the gateway knows no such payment (any more)
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
        :raise Refused: final, nothing moved
        :raise Unknown: stays pending, the job calls ``_bd_ask_refund``
        """
        raise NotImplementedError(self.provider_code)

    def _bd_ask_refund(self):
        """Ask what became of a refund; called on the refund until the answer is final.

        :rtype: gateways.common.Refund
        :raise Unknown, Refused, Misconfigured: see ``_bd_ask``
        """
        raise NotImplementedError(self.provider_code)

    # === FOR ROUTES AND GATEWAYS === #

    @api.model
    def _bd_find(self, code, order_id=None, payment_id=None):
        """Return the payment of a gateway with this order id and this payment id, or nothing."""
        domain = [("provider_code", "=", code), ("operation", "!=", "refund")]
        if not order_id and not payment_id:
            return self.browse()
        if order_id:
            domain.append(("gateway_order_id", "=", order_id))
        if payment_id:
            domain.append(("gateway_payment_id", "=", payment_id))
        found = self.search(domain, limit=2)
        return found if len(found) == 1 else self.browse()

    def _bd_settle(self, channel, hint=None):
        """Ask the gateway about this payment and book what it says.

        The one way into the ledger, for return, notification, job and staff alike.

        :param str channel: ``return``, ``notification``, ``job``, ``staff`` or ``charge``
        :param dict hint: see ``_bd_ask``
        :return: what came of it, a word of ``isp.gateway.event.outcome``
        """
        raise NotImplementedError
