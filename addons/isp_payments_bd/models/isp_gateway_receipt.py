"""Money that customers sent without an order of ours: at a QR code, by USSD or from the app."""

import logging
import re
from datetime import timezone
from zoneinfo import ZoneInfo

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..gateways.common import PAID, GatewayError, Misconfigured, Refused

_logger = logging.getLogger(__name__)

_TRX_ID = re.compile(r"[A-Za-z0-9]{6,32}", re.ASCII)
_CODE_LENGTH = 64
# Types of transactions in bKash's notifications.
_KINDS = {"10002294": "api", "10003126": "qr", "10002175": "ussd"}
_BATCH = 200
_ASK_MINUTES = 15
_ASK_DAYS = 7
_ZONE = "Asia/Dhaka"


class IspGatewayReceipt(models.Model):
    _name = "isp.gateway.receipt"
    _description = "Payment without an order"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.gateway.fee.mixin"]
    _order = "id desc"
    _rec_name = "reference"

    _privacy_subject = "partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "pay_log"}
    _privacy_fields = {
        "payer": {"category": "payment_means", "erasure": "null"},
        "reference": {"erasure": "mask"},
        "note": "free_text",
        "partner_id": "subject",
        "code": {
            "erasure": "keep",
            "reason": "The gateway's number of the payment, to settle what it disputes.",
        },
    }
    _privacy_facts = "amount currency_id paid_at state"
    # One that waits to be assigned is not settled, however old it is.
    _privacy_retention = {"anchor": "paid_at", "domain": [("state", "in", ("done", "refused"))]}

    provider_id = fields.Many2one(
        "payment.provider", string="Gateway", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        related="provider_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    reference = fields.Char(
        string="Transfer", required=True, readonly=True, help="The gateway's id of the money."
    )
    kind = fields.Selection(
        [("qr", "QR code"), ("ussd", "USSD"), ("api", "Another shop or app"), ("other", "Other")],
        string="Paid by",
        readonly=True,
    )
    code = fields.Char(
        string="Customer typed", readonly=True, help="Should be the customer's payment code."
    )
    amount = fields.Monetary(readonly=True, help="As the gateway confirmed it.")
    payer = fields.Char(string="Wallet", readonly=True, help="Masked.")
    paid_at = fields.Datetime(string="Paid on", readonly=True)
    state = fields.Selection(
        [
            ("new", "Waits for the gateway"),
            ("review", "Whose is it?"),
            ("done", "Booked"),
            ("refused", "Not confirmed"),
            ("set_aside", "Set aside"),
        ],
        default="new",
        required=True,
        readonly=True,
        tracking=True,
        index=True,
    )
    partner_id = fields.Many2one("res.partner", string="Customer", check_company=True)
    note = fields.Char(string="Note for staff", readonly=True)
    payment_id = fields.Many2one("account.payment", readonly=True, copy=False)
    next_ask_at = fields.Datetime(readonly=True, copy=False)

    _reference_uniq = models.UniqueIndex(
        "(provider_id, reference)", "This transfer of the gateway was received before."
    )
    _payment_uniq = models.UniqueIndex(
        "(payment_id) WHERE payment_id IS NOT NULL", "This payment books another transfer."
    )
    _next_ask_idx = models.Index("(next_ask_at) WHERE next_ask_at IS NOT NULL")

    # === ACTIONS === #

    def action_assign(self):
        """Book the money as a payment of the chosen customer, once."""
        self._check_open()
        for receipt in self:
            if not receipt.partner_id:
                raise UserError(self.env._("Choose the customer who paid %s.", receipt.reference))
            receipt._book(receipt.partner_id)
        return True

    def action_ask(self):
        """Ask the gateway now."""
        self._lock()
        for receipt in self.filtered(lambda r: r.state in ("new", "refused")):
            receipt._ask()
        return True

    def action_set_aside(self):
        """Leave the money out of the books: it belongs to something else."""
        self._check_open()
        self.write({"state": "set_aside", "next_ask_at": False})
        self.sudo().activity_ids.unlink()  # sudo: of whomever they are
        return True

    def action_reopen(self):
        """Look at what was set aside again."""
        self._lock()
        self.filtered(lambda r: r.state == "set_aside").state = "review"
        return True

    def _check_open(self):
        self._lock()
        if self.filtered(lambda r: r.state != "review"):
            raise UserError(self.env._("Only money that waits for a customer can be booked."))

    def _lock(self):
        """Lock for this request: two clerks may press the same button."""
        self.check_access("write")
        self.lock_for_update()
        self.invalidate_recordset()

    # === RECEIVE === #

    @api.model
    def _receive(self, provider, claims):
        """Write down what a notification claims and ask the gateway whether it is true.

        :param dict claims: the inner message; only its ids and the typed code are taken from it
        :return: the receipt, empty if nothing can be asked about
        """
        trx_id = claims.get("trxID")
        if not isinstance(trx_id, str) or not _TRX_ID.fullmatch(trx_id):
            _logger.warning("bKash: a notification without a transaction id was ignored")
            return self.browse()
        domain = [("provider_id", "=", provider.id), ("reference", "=", trx_id)]
        if known := self.search(domain):
            return known
        values = {
            "provider_id": provider.id,
            "currency_id": self.env.ref("base.BDT").id,
            "reference": trx_id,
            "kind": _KINDS.get(str(claims.get("transactionType")), "other"),
            "code": _printable(claims.get("transactionReference"))[:_CODE_LENGTH],
            "next_ask_at": fields.Datetime.now(),
        }
        try:
            with self.env.cr.savepoint():
                receipt = self.create(values)
        except psycopg2.errors.UniqueViolation:
            return self.browse()  # another worker has it, from another message
        receipt._ask()
        return receipt

    def _ask(self):
        """Ask the gateway about the transfer and book it, or put it up for review."""
        # sudo: accountants do not see the provider; they may see what it received.
        provider = self.sudo().provider_id
        try:
            found = provider._bd_client().search(self.reference)
        except Refused as refused:
            self._give_up(str(refused))
            return
        except GatewayError as error:
            if isinstance(error, Misconfigured):
                provider._bd_note_connection("error", str(error))
            self._ask_later(str(error))
            return
        if found.status != PAID:
            self._ask_later(self.env._("The gateway does not call it completed yet."))
        elif problem := self._problem(provider, found):
            self._give_up(problem)
        else:
            self.write(
                {
                    "amount": float(found.amount),
                    "payer": found.payer,
                    "paid_at": found.completed_at
                    and found.completed_at.astimezone(timezone.utc).replace(tzinfo=None),
                    "next_ask_at": False,
                }
            )
            self._match()

    def _problem(self, provider, found):
        """Say why a verified transfer is not taken, ``""`` if it is."""
        if found.reference != self.reference or found.currency != self.currency_id.name:
            return self.env._("The gateway's answer is about something else.")
        if found.amount <= 0:
            return self.env._("The gateway names no amount.")
        if provider.bkash_short_code and found.short_code != provider.bkash_short_code:
            return self.env._("The money went to %s, which is not us.", found.short_code)
        # sudo: a payment of anybody.
        payments = self.env["payment.transaction"].sudo()
        paid = payments.search(
            [("provider_id", "=", provider.id), ("provider_reference", "=", self.reference)],
            limit=1,
        )
        return self.env._("It belongs to the payment %s.", paid.reference) if paid else ""

    def _ask_later(self, reason):
        now = fields.Datetime.now()
        self.write({"note": reason, "next_ask_at": fields.Datetime.add(now, minutes=_ASK_MINUTES)})
        if now > fields.Datetime.add(self.create_date or now, days=_ASK_DAYS):
            self._give_up(reason)

    def _give_up(self, reason):
        self.write({"state": "refused", "note": reason, "next_ask_at": False})

    @api.model
    def _cron_ask(self):
        """Ask about the transfers of which the gateway has said nothing clear yet."""
        cron = self.env["ir.cron"]
        due = Domain("state", "=", "new") & Domain("next_ask_at", "<=", fields.Datetime.now())
        todo = self.search(due, limit=_BATCH, order="next_ask_at").ids
        cron._commit_progress(remaining=len(todo))
        for receipt_id in todo:
            receipt = self.browse(receipt_id).exists().try_lock_for_update()
            receipt.invalidate_recordset()
            if receipt.state == "new":
                receipt._ask()
            if not cron._commit_progress(1):
                return

    # === BOOK === #

    def _match(self):
        """Book for the customer whose code was typed, or ask staff whose money it is."""
        partner = self.partner_id or self._find_partner_by_code(self.code)
        if len(partner) == 1 and not (why_not := self._why_not_booked()):
            self._book(partner)
            return
        if len(partner) == 1:
            self._review(why_not, partner)
        elif partner:
            self._review(self.env._("Several customers have the code “%s”.", self.code))
        elif self.code:
            self._review(self.env._("No customer has the code “%s”.", self.code))
        else:
            self._review(self.env._("The customer typed no code."))

    @api.model
    def _find_partner_by_code(self, code):
        """Return the customers with a payment code; more than one, or none, go to review.

        Hook: by default the code is the reference of the contact. Called on the receipt.
        """
        if not code:
            return self.env["res.partner"]
        companies = [("company_id", "in", (False, self.company_id.id))]
        return self.env["res.partner"].search([("ref", "=ilike", _escape(code)), *companies])

    def _why_not_booked(self):
        if self.kind == "api":
            return self.env._("It was paid for an order of another shop or system.")
        if not self.sudo().provider_id.journal_id:  # sudo: see _ask
            return self.env._("Choose the bank journal of the gateway, then book it here.")
        return ""

    def _review(self, note, partner=None):
        values = {"state": "review", "note": note}
        if partner:
            values["partner_id"] = partner.id
        self.write(values)
        accountant = self.sudo().provider_id._bd_accountant()  # sudo: see _ask
        self.with_context(mail_activity_quick_update=True).activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Find out whose payment this is"),
            note=note,
            user_id=accountant.id,
        )

    def _book(self, partner):
        """Make an ordinary payment of the customer; the row is locked, and booked only once."""
        if self.payment_id:
            return
        # sudo: accountants do not see the provider; only its journal is used.
        if not self.sudo().provider_id.journal_id:
            raise UserError(self._why_not_booked())
        payment = self.env["account.payment"].create(self._prepare_payment_vals(partner))
        payment.action_post()
        self.gateway_fee = self._bd_fee()
        self.write(
            {
                "state": "done",
                "partner_id": partner.id,
                "payment_id": payment.id,
                "note": self._bd_book_fee(payment)
                or self.env._("Booked for %s.", partner.display_name),
            }
        )
        self.sudo().activity_ids.unlink()  # sudo: of whomever they are

    def _prepare_payment_vals(self, partner):
        """Return the values of the payment.

        Hook: extend to add analytic or other details.
        """
        provider = self.sudo().provider_id  # sudo: see _book
        journal = provider.journal_id
        line = journal.inbound_payment_method_line_ids.filtered(
            lambda one: one.payment_provider_id == provider
        )
        zone = ZoneInfo(provider.company_id.partner_id.tz or _ZONE)
        paid_at = (self.paid_at or fields.Datetime.now()).replace(tzinfo=timezone.utc)
        return {
            "payment_type": "inbound",
            "partner_type": "customer",
            "partner_id": partner.commercial_partner_id.id,
            "amount": self.amount,
            "currency_id": self.currency_id.id,
            "date": paid_at.astimezone(zone).date(),
            "journal_id": journal.id,
            "company_id": provider.company_id.id,
            "payment_method_line_id": line[:1].id,
            "memo": f"{provider.name} {self.reference}",
        }


def _printable(text):
    """Return what a customer typed without what no database stores; "" for anything else."""
    return "".join(filter(str.isprintable, text)).strip() if isinstance(text, str) else ""


def _escape(text):
    """Return a text that ``=ilike`` takes literally."""
    return re.sub(r"([\\%_])", r"\\\1", text)
