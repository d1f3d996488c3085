import base64

import pytz

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..gateways.settlement import COLUMNS, ReportProblem, read_report


class IspGatewaySettlement(models.Model):
    _name = "isp.gateway.settlement"
    _description = "Settlement report of a payment gateway"
    _inherit = ["mail.thread"]
    _order = "date_to desc, id desc"
    _check_company_auto = True

    _privacy_subject = None
    _privacy_defaults = {"category": "financial", "purpose": "books", "retention": "pay_log"}
    _privacy_fields = {
        # The gateway's report names wallets of many customers; its rows here do not.
        "file": {"category": "document", "erasure": "null", "export": False},
    }
    _privacy_free = {"Name of the gateway's report.": "name filename"}
    _privacy_retention = {"anchor": "date_to"}

    name = fields.Char(required=True, default=lambda self: self.env._("New report"))
    journal_id = fields.Many2one(
        "account.journal",
        string="Journal of the gateway",
        required=True,
        check_company=True,
        domain=[("type", "=", "bank")],
        help="The bank journal in which the gateway's payments are booked.",
    )
    company_id = fields.Many2one(related="journal_id.company_id", store=True, index=True)
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    file = fields.Binary(string="Report (CSV or XLSX)", attachment=True, copy=False)
    filename = fields.Char(copy=False)
    date_from = fields.Date(string="From", help="Taken from the report when empty.")
    date_to = fields.Date(string="To", help="Taken from the report when empty.")
    state = fields.Selection(
        [("draft", "New"), ("read", "Read"), ("done", "Checked")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    line_ids = fields.One2many("isp.gateway.settlement.line", "settlement_id", string="Rows")
    row_count = fields.Integer(string="Number of rows", compute="_compute_totals")
    difference_count = fields.Integer(string="Differences", compute="_compute_totals")
    amount_total = fields.Monetary(string="Payments", compute="_compute_totals")
    refund_total = fields.Monetary(string="Refunds", compute="_compute_totals")
    fee_total = fields.Monetary(string="Fees", compute="_compute_totals")
    net_total = fields.Monetary(string="To the bank", compute="_compute_totals")

    # === COMPUTE METHODS === #

    @api.depends("journal_id")
    def _compute_currency_id(self):
        for settlement in self:
            journal = settlement.journal_id
            settlement.currency_id = journal.currency_id or journal.company_id.currency_id

    @api.depends("line_ids.status", "line_ids.amount", "line_ids.fee", "line_ids.is_refund")
    def _compute_totals(self):
        for settlement in self:
            rows = settlement.line_ids.filtered(lambda line: line.status != "missing")
            refunds = rows.filtered("is_refund")
            settlement.row_count = len(rows)
            settlement.difference_count = len(
                settlement.line_ids.filtered(lambda line: line.status != "matched")
            )
            settlement.amount_total = sum((rows - refunds).mapped("amount"))
            settlement.refund_total = sum(refunds.mapped("amount"))
            settlement.fee_total = sum(rows.mapped("fee"))
            settlement.net_total = (
                settlement.amount_total - settlement.refund_total - settlement.fee_total
            )

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_checked(self):
        if any(settlement.state == "done" for settlement in self):
            raise UserError(self.env._("A report that was checked is kept."))

    # === ACTIONS === #

    def action_read(self):
        """Read the file and compare it with the payments."""
        self.ensure_one()
        self._check_open()
        if not self.file:
            raise UserError(self.env._("Choose the file that you got from the gateway."))
        providers = self._providers()
        try:
            rows = read_report(base64.b64decode(self.file), self._columns(providers))
        except ReportProblem as problem:
            raise UserError(self._explain(problem)) from None
        self.line_ids.unlink()
        self.line_ids = [
            Command.create(
                {
                    "number": row.number,
                    "reference": row.reference,
                    "order_id": row.order,
                    "day": row.day,
                    "amount": float(row.amount),
                    "fee": float(row.fee or 0),
                    "has_fee": row.fee is not None,
                    "is_refund": row.refund,
                    "adds_up": row.adds_up,
                }
            )
            for row in rows
        ]
        days = [row.day for row in rows if row.day]
        self.write(
            {
                "state": "read",
                "date_from": self.date_from or (days and min(days)) or False,
                "date_to": self.date_to or (days and max(days)) or False,
                "name": self.filename if self.name == self._new_name() else self.name,
            }
        )
        self._match()
        return True

    def action_match(self):
        """Compare once more, after payments were asked about or corrected."""
        self.ensure_one()
        self._check_open()
        self._match()
        return True

    def action_done(self):
        """Close the report; what differs stays to be seen."""
        self._check_open()
        self.state = "done"
        return True

    def action_reopen(self):
        self.state = "read"
        return True

    def action_view_differences(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Differences of %s", self.name),
            "res_model": "isp.gateway.settlement.line",
            "view_mode": "list",
            "domain": [("settlement_id", "=", self.id), ("status", "!=", "matched")],
        }

    def action_book_fees(self):
        """Book what the gateway kept beyond the fees that were booked with the payments."""
        self.ensure_one()
        self._check_open()
        lines = self.line_ids.filtered(lambda line: line.status == "fee")
        if not lines:
            raise UserError(self.env._("No fee differs."))
        # sudo: accountants do not see the provider with its account of fees.
        by_provider = lines.sudo().grouped(lambda line: line._money().provider_id)
        for provider, group in by_provider.items():
            if not provider.bd_fee_account_id:
                raise UserError(
                    self.env._(
                        "Set the account of gateway fees on the provider %s first.", provider.name
                    )
                )
            group._book_fees(provider.bd_fee_account_id)
        self._match()
        return True

    # === MATCHING === #

    def _match(self):
        """Find the payment of each row, and the payments that have no row."""
        self.line_ids.filtered(lambda line: line.status == "missing").unlink()
        providers = self._providers()
        rows = self.line_ids
        finder = _Finder(self.env, providers, rows)
        taken = self._settled_elsewhere(finder.transactions, finder.receipts)
        for row in rows:
            money = finder.find(row)
            row._compare(money, repeated=money in taken)
            taken.add(money)
        self._add_missing(providers, taken)

    def _settled_elsewhere(self, transactions, receipts):
        """Return which of these have a row in another report, as a set of records."""
        ours = Domain("transaction_id", "in", transactions.ids) | Domain(
            "receipt_id", "in", receipts.ids
        )
        lines = self.env["isp.gateway.settlement.line"].search(
            ours
            & Domain("settlement_id", "!=", self.id)
            & Domain("status", "not in", ("missing", "repeated"))
        )
        return {*lines.transaction_id, *lines.receipt_id}

    def _add_missing(self, providers, taken):
        """Add the money of these days that neither this report nor another one has."""
        if not self.date_from or not self.date_to:
            return
        zone = self.company_id.partner_id.tz or "Asia/Dhaka"
        start = _utc_start(self.date_from, zone)
        end = _utc_start(fields.Date.add(self.date_to, days=1), zone)
        ours = Domain("provider_id", "in", providers.ids) & Domain("state", "=", "done")
        payments = self.env["payment.transaction"].search(
            ours
            & Domain("last_state_change", ">=", start)
            & Domain("last_state_change", "<", end)
            & Domain("operation", "!=", "validation")
        )
        receipts = self.env["isp.gateway.receipt"].search(
            ours & Domain("paid_at", ">=", start) & Domain("paid_at", "<", end)
        )
        taken = taken | self._settled_elsewhere(payments, receipts)
        in_zone = self.with_context(tz=zone)
        missing = [
            {
                "transaction_id": tx.id,
                "reference": tx.provider_reference,
                "order_id": tx.gateway_order_id,
                "day": fields.Date.context_today(in_zone, tx.last_state_change),
                "amount": abs(tx.amount),
                "is_refund": tx.operation == "refund",
            }
            for tx in payments
            if tx not in taken
        ] + [
            {
                "receipt_id": receipt.id,
                "reference": receipt.reference,
                "day": fields.Date.context_today(in_zone, receipt.paid_at),
                "amount": receipt.amount,
            }
            for receipt in receipts
            if receipt not in taken
        ]
        self.line_ids = [Command.create({**vals, "status": "missing"}) for vals in missing]

    # === HELPERS === #

    def _check_open(self):
        if any(settlement.state == "done" for settlement in self):
            raise UserError(self.env._("This report was checked. Reopen it first."))

    def _new_name(self):
        return self.env._("New report")

    def _providers(self):
        """Return the gateways that book in this journal.

        :raise UserError: when there is none
        """
        # sudo: accountants do not see providers; the journal is one of their company.
        codes = self.env["payment.provider"]._bd_codes()
        lines = self.journal_id.sudo().inbound_payment_method_line_ids
        providers = lines.payment_provider_id.filtered(lambda provider: provider.code in codes)
        if not providers:
            raise UserError(
                self.env._(
                    "No gateway books in %s. Choose the journal that is set on the provider.",
                    self.journal_id.display_name,
                )
            )
        return providers

    def _columns(self, providers):
        """Return the headings that the shop has named."""
        columns = {}
        for line in "\n".join(filter(None, providers.mapped("bd_settlement_columns"))).splitlines():
            what, sign, heading = (part.strip() for part in line.partition("="))
            if not sign and not what:
                continue
            if what not in COLUMNS or not heading:
                raise UserError(
                    self.env._(
                        "“%(line)s” in the columns of the provider is not understood: write for"
                        " example “amount = Sale Amount”. Known are: %(known)s.",
                        line=line,
                        known=", ".join(COLUMNS),
                    )
                )
            columns[what] = heading
        return columns

    def _explain(self, problem):
        """Say in words what is wrong with a file, and what to do."""
        values = problem.values
        texts = {
            "empty": self.env._("The file has no payments."),
            "large": self.env._("The file is too large. Export fewer days."),
            "type": self.env._(
                "This is neither CSV nor XLSX. Export the report anew in one of them."
            ),
            "broken": self.env._("The file is damaged. Download it once more from the gateway."),
            "columns": self.env._(
                "No row of this file names an id and an amount. It has: %(found)s. Say on the"
                " provider, tab Configuration, what the columns are called.",
                found=values.get("found", ""),
            ),
            "amount": self.env._(
                "Row %(row)s: “%(text)s” is not an amount.",
                row=values.get("row", ""),
                text=values.get("text", ""),
            ),
        }
        return texts[problem.code]


def _utc_start(day, zone):
    """Return when a day begins in a time zone, as it is stored: UTC without zone."""
    local = pytz.timezone(zone).localize(fields.Datetime.to_datetime(day))
    return local.astimezone(pytz.utc).replace(tzinfo=None)


class _Finder:
    """Finds the money of the rows with three searches, however many rows there are."""

    def __init__(self, env, providers, rows):
        ids = {text for row in rows for text in (row.reference, row.order_id) if text}
        # A report may be of a year: all that it names is fetched at once.
        names = ("provider_reference", "gateway_order_id", "gateway_payment_id")
        domain = Domain.OR(Domain(name, "in", list(ids)) for name in names)
        self.transactions = env["payment.transaction"].search(
            Domain("provider_id", "in", providers.ids) & domain
        )
        self.receipts = env["isp.gateway.receipt"].search(
            Domain("provider_id", "in", providers.ids) & Domain("reference", "in", list(ids))
        )
        self._by_id = {}
        for tx in self.transactions:
            for name in names:
                if tx[name]:
                    key = (tx.operation == "refund", tx[name])
                    self._by_id.setdefault(key, tx)
        for receipt in self.receipts:
            # What pays an order of ours is booked for the order.
            self._by_id.setdefault((False, receipt.reference), receipt)
        self._refunds = {}
        for refund in self.transactions.child_transaction_ids:
            if refund.operation == "refund":
                key = (refund.source_transaction_id, round(-refund.amount, 2))
                self._refunds.setdefault(key, []).append(refund)
        self._none = env["payment.transaction"]

    def find(self, row):
        """Return the payment, the refund or the transfer without an order of a row, or nothing."""
        for text in (row.reference, row.order_id):
            if tx := self._by_id.get((row.is_refund, text)):
                return tx
        if row.is_refund:
            # The report may name a refund by the payment only.
            for text in (row.reference, row.order_id):
                source = self._by_id.get((False, text))
                same = self._refunds.get((source, round(row.amount, 2)))
                if same:
                    return same.pop(0)
        return self._none
