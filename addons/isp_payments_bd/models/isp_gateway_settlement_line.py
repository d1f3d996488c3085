from odoo import api, fields, models
from odoo.exceptions import UserError


class IspGatewaySettlementLine(models.Model):
    _name = "isp.gateway.settlement.line"
    _description = "Row of a settlement report"
    _order = "settlement_id, number, id"
    _rec_name = "reference"

    _privacy_free = {"Numbers of payments, ours and the gateway's.": "reference order_id"}

    settlement_id = fields.Many2one(
        "isp.gateway.settlement", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="settlement_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="settlement_id.currency_id")
    number = fields.Integer(string="Row", readonly=True, help="Row of the file.")
    reference = fields.Char(string="Transfer", readonly=True)
    order_id = fields.Char(string="Order id", readonly=True)
    day = fields.Date(readonly=True)
    is_refund = fields.Boolean(string="Refund", readonly=True)
    amount = fields.Monetary(readonly=True)
    fee = fields.Monetary(readonly=True)
    has_fee = fields.Boolean(readonly=True)
    adds_up = fields.Boolean(default=True, readonly=True)
    transaction_id = fields.Many2one(
        "payment.transaction",
        string="Payment",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    receipt_id = fields.Many2one(
        "isp.gateway.receipt",
        string="Payment without an order",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    partner_id = fields.Many2one("res.partner", string="Customer", compute="_compute_booked")
    booked_amount = fields.Monetary(string="In Odoo", compute="_compute_booked")
    booked_fee = fields.Monetary(string="Fee in Odoo", compute="_compute_booked")
    fee_move_id = fields.Many2one("account.move", string="Entry of the difference", readonly=True)
    status = fields.Selection(
        [
            ("matched", "Fits"),
            ("amount", "Amount differs"),
            ("fee", "Fee differs"),
            ("state", "Not paid in Odoo"),
            ("unknown", "Not in Odoo"),
            ("missing", "Not in the report"),
            ("repeated", "Twice in the reports"),
            ("odd", "Does not add up"),
        ],
        default="unknown",
        required=True,
        readonly=True,
        index=True,
    )

    # === COMPUTE METHODS === #

    @api.depends(
        *("transaction_id.amount", "transaction_id.gateway_fee_move_id"),
        *("receipt_id.amount", "receipt_id.gateway_fee_move_id", "receipt_id.partner_id"),
    )
    def _compute_booked(self):
        for line in self:
            money = line._money()
            line.partner_id = money.partner_id
            line.booked_amount = abs(money.amount)
            line.booked_fee = money._bd_booked_fee()

    # === ACTIONS === #

    def action_ask(self):
        """Ask the gateway about the payment of this row."""
        self.ensure_one()
        if self.receipt_id:
            return self.receipt_id.action_ask()
        return self.transaction_id.action_bd_ask()

    # === BUSINESS METHODS === #

    def _money(self):
        """Return the payment of this row, or the transfer without an order that it is about."""
        return self.transaction_id or self.receipt_id

    def _compare(self, money, repeated):
        """Note what was found for this row (see ``_money``), and what differs."""
        is_receipt = money._name == "isp.gateway.receipt"
        self.write(
            {
                "transaction_id": not is_receipt and money.id,
                "receipt_id": is_receipt and money.id,
                "status": self._status_against(money, repeated),
            }
        )

    def _status_against(self, money, repeated):
        compare = self.currency_id.compare_amounts
        if not money:
            return "unknown"
        if repeated:
            return "repeated"
        if compare(self.amount, abs(money.amount)):
            return "amount"
        if money.state != "done":
            return "state"
        if not self.adds_up:
            return "odd"
        if self.has_fee and not self.is_refund and compare(self.fee, money._bd_booked_fee()):
            return "fee"
        return "matched"

    def _book_fees(self, account):
        """Book the difference of these rows, in one entry for each account the money waits on."""
        company_today = fields.Date.context_today(self.settlement_id)
        by_account = self.grouped(lambda line: line._money().payment_id.outstanding_account_id)
        for waiting, lines in by_account.items():
            if not waiting:
                raise UserError(
                    self.env._(
                        "%s has no entry in the books yet: set an outstanding account on the"
                        " payment method of the journal.",
                        lines[:1]._money().reference,
                    )
                )
            difference = sum(line.fee - line.booked_fee for line in lines)
            entry = (
                lines[:1]
                ._money()
                ._bd_fee_entry(
                    account, waiting, difference, company_today, lines.settlement_id.name
                )
            )
            lines.fee_move_id = entry
            for line in lines:
                money = line._money()
                money.gateway_fee = line.fee
                money.gateway_fee_move_id = money.gateway_fee_move_id or entry
