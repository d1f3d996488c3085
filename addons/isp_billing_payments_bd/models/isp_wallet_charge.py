"""Bills that a saved wallet is to pay: charged where the customer need not be there, else a link.

Each attempt is a row that is committed before the wallet is charged, and the database lets a bill
have one of each kind: whatever crashes, no bill is charged twice for one occasion.
"""

import logging

import psycopg2

from odoo import Command, api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

_BILLS = """
SELECT DISTINCT move.id, move.invoice_date_due
  FROM payment_token token
  JOIN res_partner payer ON payer.id = token.partner_id
  JOIN account_move move ON move.commercial_partner_id = payer.commercial_partner_id
                        AND move.company_id = token.company_id
 WHERE token.isp_pays_bills AND token.active
   AND move.state = 'posted' AND move.move_type = 'out_invoice'
   AND move.payment_state IN ('not_paid', 'partial')
   AND move.isp_is_order IS NOT TRUE
   AND move.create_date >= token.isp_pays_bills_since
   AND EXISTS (SELECT FROM isp_charge charge WHERE charge.move_id = move.id)
 ORDER BY move.invoice_date_due, move.id
"""


class IspWalletCharge(models.Model):
    _name = "isp.wallet.charge"
    _description = "Bill for a saved wallet"
    _order = "id desc"
    _rec_name = "move_id"

    _privacy_subject = "move_id.partner_id"
    _privacy_defaults = {"category": "payment_means", "purpose": "billing", "retention": "pay_log"}
    _privacy_fields = {
        "wallet": {"erasure": "null"},
        "note": {"category": "financial", "erasure": "null"},
    }
    _privacy_facts = "date occasion"
    _privacy_retention = {"anchor": "date"}

    move_id = fields.Many2one(
        "account.move", "Bill", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="move_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="move_id.currency_id")
    partner_id = fields.Many2one(related="move_id.commercial_partner_id", string="Customer")
    occasion = fields.Selection(
        [
            ("posted", "Charged for the new bill"),
            ("due", "Charged once more on the due date"),
            ("link", "Link sent"),
        ],
        "What was done",
        required=True,
        readonly=True,
    )
    date = fields.Date(required=True, readonly=True)
    wallet = fields.Char("Saved wallet", readonly=True, help="Masked.")
    transaction_id = fields.Many2one("payment.transaction", "Payment", readonly=True, index=True)
    transaction_state = fields.Selection(
        related="transaction_id.state", string="State of the payment"
    )
    note = fields.Char("Note for staff", readonly=True)

    _occasion_uniq = models.UniqueIndex("(move_id, occasion)", "This was done for the bill before.")

    # === CRON === #

    @api.model
    def _cron_pay_bills(self):
        """Pay, or ask for, every bill that a saved wallet is to pay; one commit for each."""
        cron = self.env["ir.cron"]
        todo = self._get_bill_ids()
        cron._commit_progress(remaining=len(todo))
        for move_id in todo:
            try:
                self._pay_one(self.env["account.move"].browse(move_id))
                self.env.flush_all()
            except psycopg2.OperationalError:
                # The customer is just paying it: it comes again.
                self.env.cr.rollback()
            except Exception:
                self.env.cr.rollback()
                _logger.exception("The saved wallet could not be used for bill %s", move_id)
            if not cron._commit_progress(1):
                return

    @api.model
    def _get_bill_ids(self):
        """Ids of open bills of customers whose wallet pays, oldest due first."""
        self.env.flush_all()
        return [row[0] for row in self.env.execute_query(SQL(_BILLS))]

    @api.model
    def _pay_one(self, move):
        """Do the next thing for one bill, if there is something to do.

        :return: the new row, empty when nothing was to be done
        """
        if not move.try_lock_for_update(allow_referencing=True):
            return self.browse()
        move.invalidate_recordset()
        token = self._get_token(move)
        occasion = token and self._get_next_step(move, token)
        if not occasion:
            return self.browse()
        if occasion == "link":
            return self._send_link(move, token)
        return self._charge(move, token, occasion)

    # === WHAT TO DO === #

    @api.model
    def _get_token(self, move):
        return self.env["payment.token"].search(
            [
                ("isp_pays_bills", "=", True),
                ("partner_id", "child_of", move.commercial_partner_id.id),
                ("company_id", "=", move.company_id.id),
                ("isp_pays_bills_since", "<=", move.create_date),
            ],
            limit=1,
        )

    @api.model
    def _get_next_step(self, move, token):
        """Return an occasion, or ``""`` when there is nothing to do for the bill now."""
        done = {charge.occasion: charge for charge in self.search([("move_id", "=", move.id)])}
        if move.payment_state not in ("not_paid", "partial") or self._is_under_way(move):
            return ""
        if self._can_charge(move, token):
            if not done.keys() & {"posted", "link"}:
                return "posted"
            first, today = done.get("posted"), move.company_id._get_isp_today()
            waited = first and first.date < today and move.invoice_date_due <= today
            if waited and "due" not in done and first.transaction_id.state in ("error", "cancel"):
                return "due"
        return "" if "link" in done else "link"

    @api.model
    def _is_under_way(self, move):
        """Whether a payment may still arrive, also one whose outcome nobody knows yet."""
        return any(
            tx.state in ("pending", "authorized")
            or (tx.state == "draft" and tx.gateway_next_ask_at)
            or (tx.state == "done" and not tx.is_post_processed)
            for tx in move.transaction_ids
        )

    @api.model
    def _can_charge(self, move, token):
        provider = token.provider_id
        if not provider._isp_charges_unattended():
            return False
        usable = provider._get_compatible_providers(
            move.company_id.id,
            token.partner_id.id,
            move.amount_residual,
            currency_id=move.currency_id.id,
            force_tokenization=True,
        )
        return provider in usable

    # === CHARGE === #

    def _charge(self, move, token, occasion):
        """Charge the wallet; what came of it is on the payment, which is pending until known."""
        transactions = self.env["payment.transaction"]
        provider = token.provider_id
        invoices = [Command.set(move.ids)]
        transaction = transactions.create(
            {
                "provider_id": provider.id,
                "payment_method_id": token.payment_method_id.id,
                "token_id": token.id,
                "reference": transactions._compute_reference(provider.code, invoice_ids=invoices),
                "amount": move.amount_residual,
                "currency_id": move.currency_id.id,
                "partner_id": token.partner_id.id,
                "operation": "offline",
                "invoice_ids": invoices,
            }
        )
        charge = self._note(move, token, occasion, transaction_id=transaction.id)
        # Written down for good before money may move.
        self.env["ir.cron"]._commit_progress()
        transaction._charge_with_token()
        if transaction.state == "done":
            transaction._post_process()
        return charge

    def _note(self, move, token, occasion, **vals):
        return self.create(
            {
                "move_id": move.id,
                "occasion": occasion,
                "date": move.company_id._get_isp_today(),
                "wallet": token.payment_details,
                **vals,
            }
        )

    # === LINK === #

    def _send_link(self, move, token):
        """Mail the customer Odoo's payment link of the bill, once."""
        charge = self._note(move, token, "link")
        if not move.partner_id.email:
            charge.note = self.env._("No mail was sent: the customer has no e-mail address.")
            return charge
        template = self.env.ref("isp_billing_payments_bd.mail_template_wallet_link")
        template.send_mail(charge.id)
        return charge

    def _was_refused(self):
        """Whether the wallet was charged for this bill before, without success."""
        self.ensure_one()
        return bool(self.search_count([("move_id", "=", self.move_id.id), ("id", "!=", self.id)]))

    def _get_pay_url(self):
        """Address where the customer pays the bill without logging in."""
        self.ensure_one()
        return self.move_id._get_portal_payment_link()
