import hashlib
import json

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import mute_logger

OUTCOMES = [
    ("paid", "Paid"),
    ("extra", "Paid once more"),
    ("pending", "Not paid yet"),
    ("held", "Held: risky"),
    ("failed", "Failed"),
    ("canceled", "Canceled"),
    ("expired", "Expired"),
    ("unknown", "No clear answer"),
    ("mismatch", "Differs from ours"),
    ("refused", "Refused by staff"),
    ("sent", "Sent"),
    ("busy", "Came while another was handled"),
    ("ignored", "Ignored"),
]
# Says nothing that the payment does not say itself.
NOISE = ("pending", "unknown", "busy", "sent")
KEEP_NOISE_DAYS = 90


class IspGatewayEvent(models.Model):
    _name = "isp.gateway.event"
    _description = "Message of a payment gateway"
    _order = "last_at desc, id desc"
    _rec_name = "summary"

    _privacy_subject = "transaction_id.partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "pay_log"}
    _privacy_fields = {
        "summary": {"erasure": "null"},
        "hint": {"erasure": "null", "export": False},
    }
    _privacy_facts = "channel outcome last_at"
    _privacy_retention = {"anchor": "last_at"}
    _privacy_free = {
        "The gateway's own number of the message.": "message_id",
        "Hash of what was claimed.": "hint_digest",
    }

    provider_id = fields.Many2one(
        "payment.provider", readonly=True, required=True, index=True, ondelete="cascade"
    )
    transaction_id = fields.Many2one(
        "payment.transaction",
        string="Payment",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    company_id = fields.Many2one(related="provider_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="transaction_id.partner_id", string="Customer")
    channel = fields.Selection(
        [
            ("return", "Customer came back"),
            ("notification", "Notification of the gateway"),
            ("job", "Asked by the job"),
            ("staff", "Asked by staff"),
            ("charge", "Saved wallet charged"),
            ("refund", "Refund sent"),
        ],
        string="How",
        readonly=True,
        required=True,
    )
    outcome = fields.Selection(OUTCOMES, readonly=True, required=True)
    summary = fields.Char(
        string="In words", readonly=True, help="Without secrets; wallets and cards are masked."
    )
    message_id = fields.Char(
        string="Message id",
        readonly=True,
        help="The gateway's id of the message. The same id is taken only once.",
    )
    hint_digest = fields.Char(readonly=True)
    # What was claimed, as long as the job has to look at it; signed by nobody, no secret in it.
    hint = fields.Json(readonly=True, groups="base.group_system")
    repeats = fields.Integer(
        string="Times", default=1, readonly=True, help="How often the very same message came."
    )
    last_at = fields.Datetime(string="Last time", default=fields.Datetime.now, readonly=True)
    is_open = fields.Boolean(
        string="To look at",
        readonly=True,
        help="Came while another worker had the payment: the job asks the gateway once more.",
    )

    _message_uniq = models.UniqueIndex(
        "(provider_id, message_id) WHERE message_id IS NOT NULL",
        "This message of the gateway was received before.",
    )
    _open_idx = models.Index("(id) WHERE is_open")

    # === FOR ROUTES === #

    @api.model
    def _receive(self, provider, message_id, summary="", transaction=None, outcome="ignored"):
        """Write down a message whose signature was checked, once.

        :return: the event, or nothing if a message with this id was received before
        """
        values = {
            "provider_id": provider.id,
            "transaction_id": transaction.id if transaction else False,
            "channel": "notification",
            "outcome": outcome,
            "summary": summary,
            "message_id": message_id,
        }
        known = [("provider_id", "=", provider.id), ("message_id", "=", message_id)]
        if self.search_count(known, limit=1):
            return self.browse()
        try:
            # Another worker may have it too: the database decides, and that is no error to log.
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                return self.create(values)
        except psycopg2.errors.UniqueViolation:
            return self.browse()

    # === FOR PAYMENTS === #

    def _close(self):
        """What came while another worker had the payment was looked at."""
        self.write({"is_open": False, "hint": False})

    @api.model
    def _digest(self, hint):
        """Return a short text that is the same for the same claim, ``False`` without one."""
        if not hint:
            return False
        canonical = json.dumps(hint, sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    @api.model
    def _note(self, transaction, channel, outcome, summary, hint=None):
        """Write down what came of a message; the very same one again only counts up.

        What came while another worker had the payment is kept with what it claims, and the job,
        which is called at once, takes it from there.
        """
        digest = self._digest(hint)
        last = self.search([("transaction_id", "=", transaction.id)], order="id desc", limit=1)
        same = (last.channel, last.outcome, last.hint_digest) == (channel, outcome, digest)
        if last and same and not last.message_id and outcome != "busy":
            last.write({"repeats": last.repeats + 1, "last_at": fields.Datetime.now()})
            return last
        if outcome == "busy":
            transaction._bd_call_job()
        return self.create(
            {
                "provider_id": transaction.provider_id.id,
                "transaction_id": transaction.id,
                "channel": channel,
                "outcome": outcome,
                "summary": summary,
                "hint_digest": digest,
                "hint": hint if outcome == "busy" else False,
                "is_open": outcome == "busy",
            }
        )

    @api.model
    def _handled(self, transaction, digest):
        """Return the event of the same claim that was answered before."""
        domain = Domain("transaction_id", "=", transaction.id) & Domain("outcome", "!=", "busy")
        return self.search(domain & Domain("hint_digest", "=", digest), limit=1)

    @api.autovacuum
    def _gc_noise(self):
        """Drop old events that say nothing that the payment does not say itself."""
        before = fields.Datetime.subtract(fields.Datetime.now(), days=KEEP_NOISE_DAYS)
        old = self.search([("outcome", "in", NOISE), ("last_at", "<", before)], limit=10000)
        done = len(old)
        old.unlink()
        return done, done == 10000
