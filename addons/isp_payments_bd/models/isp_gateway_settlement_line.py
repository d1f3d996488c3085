from odoo import api, fields, models
from odoo.exceptions import UserError


class IspGatewaySettlementLine(models.Model):
    _name = "isp.gateway.settlement.line"
    _description = "Row of a settlement report"
    _order = "settlement_id, number, id"
    _rec_name = "reference"

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
    partner_id = fields.Many2one(related="transaction_id.partner_id", string="Customer")
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

    @api.depends("transaction_id.amount", "transaction_id.gateway_fee_move_id")
    def _compute_booked(self):
        for line in self:
            line.booked_amount = abs(line.transaction_id.amount)
            line.booked_fee = line.transaction_id._bd_booked_fee()

    # === ACTIONS === #

    def action_ask(self):
        """Ask the gateway about the payment of this row."""
        self.ensure_one()
        return self.transaction_id.action_bd_ask()

    # === BUSINESS METHODS === #

    def _status_against(self, tx, repeated):
        """Return what a row is, beside the payment that was found for it."""
        compare = self.currency_id.compare_amounts
        if not tx:
            return "unknown"
        if repeated:
            return "repeated"
        if compare(self.amount, abs(tx.amount)):
            return "amount"
        if tx.state != "done":
            return "state"
        if not self.adds_up:
            return "odd"
        if self.has_fee and not self.is_refund and compare(self.fee, tx._bd_booked_fee()):
            return "fee"
        return "matched"

    def _book_fees(self, account):
        """Book the difference of these rows, in one entry for each account the money waits on."""
        company_today = fields.Date.context_today(self.settlement_id)
        by_account = self.grouped(
            lambda line: line.transaction_id.payment_id.outstanding_account_id
        )
        for waiting, lines in by_account.items():
            if not waiting:
                raise UserError(
                    self.env._(
                        "%s has no entry in the books yet: set an outstanding account on the"
                        " payment method of the journal.",
                        lines.transaction_id[:1].reference,
                    )
                )
            difference = sum(line.fee - line.booked_fee for line in lines)
            entry = lines.transaction_id[:1]._bd_fee_entry(
                account, waiting, difference, company_today, lines.settlement_id.name
            )
            lines.fee_move_id = entry
            for line in lines:
                tx = line.transaction_id
                tx.gateway_fee = line.fee
                tx.gateway_fee_move_id = tx.gateway_fee_move_id or entry
