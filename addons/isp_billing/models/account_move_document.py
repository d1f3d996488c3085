from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL, html2plaintext

NOTES = ("line_section", "line_subsection", "line_note")


class AccountMove(models.Model):
    """The data of printed bills, gathered for many at once; ``docs/documents.md`` lists them."""

    _inherit = "account.move"

    isp_is_bill = fields.Boolean(
        "Bills subscriptions",
        compute="_compute_isp_is_bill",
        search="_search_isp_is_bill",
        help="The invoice bills periods of subscriptions, or takes such a bill back.",
    )

    @api.depends("isp_charge_ids", "reversed_entry_id.isp_charge_ids")
    def _compute_isp_is_bill(self):
        # sudo: charges are not for everybody who may print an invoice.
        for move in self.sudo():
            move.isp_is_bill = bool(move.isp_charge_ids or move.reversed_entry_id.isp_charge_ids)

    @api.model
    def _search_isp_is_bill(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: as above.
        charges = self.env["isp.charge"].sudo()._search([("move_id", "!=", False)])
        billed = charges.select("move_id")
        domain = fields.Domain("id", "in", billed) | fields.Domain(
            "reversed_entry_id", "in", billed
        )
        return domain if True in value else ~domain

    # === BUSINESS METHODS - DOCUMENTS === #

    def _render_documents(self, kind="bill"):
        """The PDF files of the invoices, ``{move: content}``.

        :param kind: "bill", "receipt" or "vat"
        :raises UserError: when a template is wrong
        """
        files = {}
        for company, moves in self.grouped("company_id").items():
            template = self.env["isp.document.template"]._get_for(kind, company)
            for lang, group in moves.grouped(lambda move: move._get_document_lang()).items():
                common, bills = group._get_document_data(template, lang, kind)
                contents = template._render_many(bills, common)
                files.update(zip(group, contents, strict=True))
        return {move: files[move] for move in self}

    def _get_document_lang(self):
        """Language of the customer, that of the company where he has none."""
        self.ensure_one()
        code = self.partner_id.lang or self.company_id.partner_id.lang or "en_US"
        return code if self.env["res.lang"]._get_data(code=code).code else "en_US"

    def _get_document_data(self, template, lang_code, kind="bill"):
        """The data of the invoices for ``template``: what they share, and a list of their own.

        All have one company and one language. Hook: extend to add data for templates of your own.
        """
        self = self.with_context(lang=lang_code)
        self._ensure_document_tokens()
        lang = self.env["res.lang"]._get_data(code=lang_code)
        writer = template._get_writer(lang)
        common = {
            "lang": writer.language,
            "labels": writer.labels,
            "digits": writer.digits,
            "company": self.company_id._get_document_company(),
        }
        # sudo: a customer prints a bill whose charges and subscription he has no right on.
        moves = self.sudo()
        services = moves._get_document_services(writer)
        accounts = moves._get_document_accounts(writer, template)
        usage = moves._get_document_usage(writer)
        bills = []
        for move in moves:
            bill = move._get_document_head(writer, template)
            bill["services"], bill["period"] = services.get(move.id, ([], None))
            bill["account"] = accounts.get(move.id)
            bill["usage"] = usage.get(move.id, [])
            bill["lines"] = move._get_document_lines(writer)
            bill["gst"] = move._get_document_gst(writer)
            bill["vat"] = move._get_document_vat(writer) if kind == "vat" else None
            if bill["gst"]:
                bill["title"] = writer.labels[
                    "refund" if bill["kind"] == "refund" else "tax_invoice"
                ]
            if bill["account"] and not bill["is_paid"]:
                bill["amount_due"] = bill["account"]["due"]
            bills.append(bill)
        return common, bills

    def _get_document_usage(self, writer):
        """Rows of usage for each invoice, ``{move id: [row]}``; the block is left out without.

        A row has the texts ``label``, ``download``, ``upload`` and ``total``, and ``cap``, the
        volume of the plan, or ``None``. Hook: extend where usage is known.
        """
        return {}

    # === HELPERS - ONE BILL === #

    def _get_document_head(self, writer, template):
        """Everything about one invoice that needs no other table."""
        self.ensure_one()
        currency = template._get_currency(self.currency_id)
        labels = writer.labels
        is_refund = self.move_type == "out_refund"
        is_paid = self.payment_state in ("paid", "in_payment", "reversed") and not is_refund
        settled = self.amount_total - self.amount_residual
        has_settled = self.state == "posted" and not self.currency_id.is_zero(settled)
        status = None
        if self.state == "posted" and not is_refund:
            status = labels["paid"] if is_paid else labels["partly_paid"] if has_settled else None
        now = self.env.context.get("isp_document_now") or fields.Datetime.now()
        issued_at = self.company_id._isp_localize(self.create_date or now)
        return {
            "kind": "refund" if is_refund else "invoice",
            "state": self.state,
            "title": labels["refund" if is_refund else "invoice"],
            "status": status,
            "is_paid": is_paid,
            "number": self.name if self.name and self.name != "/" else "",
            "date": writer.date(self.invoice_date),
            "time": writer.time(issued_at),
            "due_date": writer.date(self.invoice_date_due),
            "reversed": self.reversed_entry_id.name or None,
            "amount_due": writer.money(
                self.amount_total if is_refund else self.amount_residual, currency
            ),
            "customer": self.partner_id._get_document_customer(),
            "taxes": self._get_document_taxes(writer),
            "totals": {
                "net": writer.number(self.amount_untaxed, currency.decimals),
                "total": writer.money(self.amount_total, currency),
                "paid": writer.money(settled, currency) if has_settled and not is_refund else None,
                "residual": writer.money(self.amount_residual, currency),
                "words": writer.words(self.amount_total, currency),
            },
            "pay": self._get_document_payment(),
            "notes": _plain(self.narration),
        }

    def _get_document_payment(self):
        """How the invoice can be paid."""
        self.ensure_one()
        base_url = self.get_base_url()
        is_open = self.state == "posted" and self.move_type == "out_invoice"
        return {
            "url": f"{base_url}{self.get_portal_url()}" if is_open else None,
            "short_url": f"{base_url.partition('://')[2]}/my",
            "qr": None,
            "reference": self.payment_reference or self.name or "",
            "text": self.company_id.isp_payment_instructions or "",
        }

    def _get_document_lines(self, writer):
        """The lines as they stand on the invoice."""
        self.ensure_one()
        decimals = self.currency_id.decimal_places
        price_decimals = max(
            decimals, min(4, self.env["decimal.precision"].precision_get("Product Price"))
        )
        rows, number = [], 0
        has_hsn = "l10n_in_hsn_code" in self.line_ids._fields
        for line in self.invoice_line_ids.sorted(lambda line: (line.sequence, line.id)):
            is_note = line.display_type in NOTES
            number += not is_note
            row = {
                "name": line.name or "",
                "is_note": is_note,
                "is_title": is_note and line.display_type != "line_note",
            }
            if not is_note:
                row |= {
                    "no": writer.text(number),
                    "hsn": (line.l10n_in_hsn_code or "") if has_hsn else "",
                    "quantity": writer.quantity(line.quantity),
                    "unit": line.product_uom_id.name or "",
                    "unit_price": _trim(writer, line.price_unit, decimals, price_decimals),
                    "discount": f"{writer.quantity(line.discount)}%" if line.discount else None,
                    "net": writer.number(line.price_subtotal, decimals),
                    "total": writer.number(line.price_total, decimals),
                }
            else:
                row["discount"] = None
            rows.append(row)
        return rows

    def _get_document_taxes(self, writer):
        """The taxes in the ledger, one row a tax group, and roundings."""
        self.ensure_one()
        decimals = self.currency_id.decimal_places
        amounts = defaultdict(float)
        for line in self.line_ids:
            if line.display_type == "tax":
                amounts[line.tax_group_id.name] += self.direction_sign * line.amount_currency
            elif line.display_type == "rounding":
                amounts[line.name] += self.direction_sign * line.amount_currency
        return [
            {"name": name or "", "amount": writer.number(amount, decimals)}
            for name, amount in amounts.items()
        ]

    # === HELPERS - MANY BILLS === #

    def _ensure_document_tokens(self):
        """Give the invoices that have none the token of their portal link, all at once."""
        if missing := self.sudo().filtered(lambda move: not move.access_token and move.id):
            # In SQL: Odoo's own way writes one invoice at a time, with all that hangs on a write.
            self.env.cr.execute(
                SQL(
                    "UPDATE account_move SET access_token = gen_random_uuid()::text"
                    " WHERE id = ANY(%s) AND access_token IS NULL",
                    missing.ids,
                ),
                # Odoo reads a report on a read-only cursor first, and begins anew when that fails.
                log_exceptions=not self.env.cr.readonly,
            )
            missing.invalidate_recordset(["access_token"])

    def _get_document_services(self, writer):
        """The services that each invoice bills, and the period of all: ``{id: (rows, period)}``."""
        origins = {move.id: move.reversed_entry_id.id or move.id for move in self}
        ids = {*origins, *origins.values()}
        charges = self.env["isp.charge"].search([("move_id", "in", list(ids))], order="id")
        by_move = charges.grouped("move_id")
        result = {}
        for move in self:
            found = by_move.get(move) or by_move.get(self.browse(origins[move.id]))
            if not found:
                continue
            rows = [
                {
                    "number": subscription.name,
                    "plan": subscription.plan_id.name,
                    "speed": subscription.speed or "",
                    "username": subscription.username or "",
                    "address": subscription.service_address_id.contact_address_inline or "",
                    "period": _get_period(writer, group),
                }
                for subscription, group in found.grouped("subscription_id").items()
            ]
            result[move.id] = rows, _get_period(writer, found)
        return result

    def _get_document_accounts(self, writer, template):
        """The customer's account at each invoice: what was owed after the bill before, and since.

        What the ledger held when the invoice was posted, by date and then in order of entry, so a
        bill printed later says the same.
        """
        invoices = self.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_invoice"
        )
        if not invoices:
            return {}
        self.env.flush_all()
        self.env.cr.execute(SQL(ACCOUNT_QUERY, ids=invoices.ids))
        entries = defaultdict(list)
        for move_id, *entry in self.env.cr.fetchall():
            entries[move_id].append(entry)
        result = {}
        for move in invoices:
            currency = template._get_currency(move.currency_id)
            previous, movements, due = 0.0, [], move.amount_total
            for entry_id, day, move_type, amount in entries[move.id]:
                amount = float(amount)
                due += amount
                if entry_id is None:
                    previous += amount
                    continue
                kind = "credit_note" if move_type == "out_refund" else "other_entry"
                movements.append(
                    {
                        "kind": "received" if move_type == "entry" and amount < 0 else kind,
                        "date": writer.date(day),
                        "amount": writer.money(amount, currency),
                    }
                )
            result[move.id] = {
                "previous": writer.money(previous, currency),
                "movements": movements,
                "bill": writer.money(move.amount_total, currency),
                "due": writer.money(move.currency_id.round(due), currency),
            }
        return result


# Of each bill: one row with the balance after the customer's bill before, and one row for each
# entry since. The order of the ledger is date, then identity of the entry.
ACCOUNT_QUERY = """
    WITH bill AS (
        SELECT id, commercial_partner_id, company_id, currency_id, date
          FROM account_move WHERE id = ANY(%(ids)s)
    ), entry AS (
        SELECT bill.id AS bill_id, move.id, move.date, move.move_type,
               sum(line.amount_currency) AS amount
          FROM bill
          JOIN account_move_line AS line
            ON line.partner_id = bill.commercial_partner_id
           AND line.company_id = bill.company_id
           AND line.currency_id = bill.currency_id
           AND line.parent_state = 'posted'
           AND (line.date, line.move_id) < (bill.date, bill.id)
          JOIN account_account AS account
            ON account.id = line.account_id AND account.account_type = 'asset_receivable'
          JOIN account_move AS move ON move.id = line.move_id
           -- An order need not be paid, so it is not owed.
           AND NOT (move.isp_is_order IS TRUE AND move.payment_state = 'not_paid')
      GROUP BY bill.id, move.id
    ), last AS (
        SELECT DISTINCT ON (bill_id) bill_id, date, id
          FROM entry WHERE move_type = 'out_invoice'
      ORDER BY bill_id, date DESC, id DESC
    )
    SELECT entry.bill_id,
           CASE WHEN (entry.date, entry.id) > (last.date, last.id) OR last.id IS NULL
                THEN entry.id END AS since,
           max(entry.date), max(entry.move_type), sum(entry.amount)
      FROM entry LEFT JOIN last ON last.bill_id = entry.bill_id
  GROUP BY entry.bill_id, since
  ORDER BY entry.bill_id, max(entry.date), since
"""


def _plain(html):
    return html2plaintext(html).strip() if html else ""


def _trim(writer, price, decimals, most):
    """``price`` with the decimals of the currency, more only where it has them."""
    while decimals < most and abs(round(price, decimals) - price) > 1e-9:
        decimals += 1
    return writer.number(price, decimals)


def _get_period(writer, charges):
    """First and last day of ``charges``, ``None`` where no days are known."""
    spans = [
        (c.date_from, c.date_to)
        for c in charges
        if c.date_from < c.date_to and not c._awaits_payment()
    ]
    if not spans:
        return None
    last = fields.Date.subtract(max(end for _start, end in spans), days=1)
    return writer.period(min(start for start, _end in spans), last)
