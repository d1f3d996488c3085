from odoo import Command, fields, models


class IspGatewayFeeMixin(models.AbstractModel):
    """Money of a customer that a gateway keeps a fee of: a payment, or a transfer without an order.

    The model has ``provider_id``, ``company_id``, ``reference`` and ``amount``.
    """

    _name = "isp.gateway.fee.mixin"
    _description = "Money that a gateway kept a fee of"

    currency_id = fields.Many2one("res.currency")
    gateway_fee = fields.Monetary(
        string="Fee of the gateway", readonly=True, copy=False, help="Kept back from our money."
    )
    gateway_fee_move_id = fields.Many2one(
        "account.move", string="Entry of the fee", readonly=True, copy=False
    )

    def _bd_fee(self, told=None):
        """Return what the gateway keeps; 0 when the payer pays the fee on top.

        :param Decimal told: the fee that the gateway named, if it did
        """
        provider = self.sudo().provider_id  # sudo: accountants do not see the provider
        if provider.bd_fee_bearer == "payer":
            return 0.0
        if told is None:
            return self.currency_id.round(self.amount * provider.bd_fee_percent / 100)
        # A fee that eats the payment is a misread answer; the settlement report shows it.
        return float(told) if 0 <= told < self.amount else 0.0

    def _bd_booked_fee(self):
        """Return the fee that is in the books."""
        return self.gateway_fee if self.gateway_fee_move_id else 0.0

    def _bd_book_fee(self, payment):
        """Book the fee against the account on which the payment waits for the bank.

        :return: ``""``, or why the fee is not booked
        """
        account = self.sudo().provider_id.bd_fee_account_id  # sudo: see _bd_fee
        if self.gateway_fee_move_id or self.currency_id.is_zero(self.gateway_fee):
            return ""
        if not account or not payment.move_id:
            return self.env._(
                "The fee of %(fee)s is not booked: set the account of gateway fees on the"
                " provider, and an outstanding account on its journal.",
                fee=self.currency_id.format(self.gateway_fee),
            )
        self.gateway_fee_move_id = self._bd_fee_entry(
            account.with_env(self.env),
            payment.outstanding_account_id,
            self.gateway_fee,
            payment.date,
            self.reference,
        )
        return ""

    def _bd_fee_entry(self, account, waiting, fee, date, reference):
        """Post an entry that takes ``fee`` from the waiting account; negative gives it back."""
        company = self.company_id
        provider = self.sudo().provider_id  # sudo: see _bd_fee
        balance = self.currency_id._convert(fee, company.currency_id, company, date)
        label = self.env._(
            "Fee of %(gateway)s: %(reference)s", gateway=provider.name, reference=reference
        )
        lines = [
            {
                "name": label,
                "account_id": line_account.id,
                "currency_id": self.currency_id.id,
                "amount_currency": sign * fee,
                "balance": sign * balance,
            }
            for line_account, sign in ((account, 1), (waiting, -1))
        ]
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": provider.journal_id.id,
                "date": date,
                "ref": label,
                "company_id": company.id,
                "line_ids": [Command.create(line) for line in lines],
            }
        )
        entry.action_post()
        return entry
