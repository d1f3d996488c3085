import secrets

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.isp_base.encryption import encrypted_char

from ..const import (
    CHANNELS,
    CLASSES,
    LANGUAGES,
    NEXT_STATES,
    PURPOSE_OF_CLASS,
    PURPOSES,
    STATES,
)
from ..engine import numbers, placeholders
from ..engine.text_length import measure

_HIDE_ALL = 10**6


class IspMessage(models.Model):
    """The outbox: one row for each event of which a customer is told, by whatever channel."""

    _name = "isp.message"
    _description = "Message to a customer"
    _inherit = ["isp.encrypted.mixin"]
    _order = "id desc"

    _privacy_subject = "partner_id"
    _privacy_defaults = {
        "category": "communication",
        "purpose": "notices",
        "retention": "message",
        "erasure": "delete",
    }
    _privacy_fields = {
        "recipient": {"category": "contact"},
        "body": {},
        "partner_id": "subject",
    }
    _privacy_facts = "channel message_class state create_date"
    _privacy_retention = {"anchor": "create_date"}
    _privacy_free = {
        "Numbers of events and messages, ours and the gateway's.": "event_key gateway_key "
        "provider_ref sms_uuid",
        "In our words, what became of it and what is tried next.": "reason channels_left",
    }

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", "Customer", readonly=True, index="btree_not_null", ondelete="set null"
    )
    subscription_id = fields.Many2one(
        "isp.subscription", readonly=True, index="btree_not_null", ondelete="set null"
    )
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    channels_left = fields.Char(readonly=True, help="Tried in this order if the channel fails.")
    message_class = fields.Selection(CLASSES, "Class", required=True, readonly=True)
    purpose = fields.Selection(PURPOSES, required=True, readonly=True)
    template_id = fields.Many2one(related="text_id.template_id", string="Template")
    text_id = fields.Many2one(
        "isp.message.text", "Version of the text", readonly=True, ondelete="restrict"
    )
    mail_template_id = fields.Many2one("mail.template", readonly=True, ondelete="set null")
    lang = fields.Selection(LANGUAGES, "Language", readonly=True)
    recipient, recipient_enc, recipient_bidx, recipient_last4 = encrypted_char(
        "recipient",
        "Number or address",
        groups="isp_base.group_isp_clerk",
        normalize="phone",
        indexed=True,
    )
    body, body_enc, body_bidx, body_last4 = encrypted_char(
        "body", "Text", groups="isp_base.group_isp_clerk", last4_from=_HIDE_ALL
    )
    event_key = fields.Char(
        "Event", required=True, readonly=True, help="Of one event there is one message."
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="queued", index=True)
    reason = fields.Char("Why", readonly=True)
    release_at = fields.Datetime("Not before", readonly=True, default=fields.Datetime.now)
    sent_at = fields.Datetime("Handed over on", readonly=True)
    attempts = fields.Integer(readonly=True)
    gateway_id = fields.Many2one("isp.message.gateway", readonly=True)
    gateway_key = fields.Char("Our number", readonly=True, copy=False)
    provider_ref = fields.Char("Number at the gateway", readonly=True)
    parts = fields.Integer(readonly=True)
    cost = fields.Float(readonly=True, digits=(16, 4), help="Parts by the price of the gateway.")
    sms_uuid = fields.Char(readonly=True, index="btree_not_null")
    may_ask = fields.Boolean(compute="_compute_may")
    may_resend = fields.Boolean(compute="_compute_may")

    _event_uniq = models.UniqueIndex(
        "(company_id, event_key)", "Of this event there is a message already."
    )
    _gateway_key_uniq = models.UniqueIndex("(gateway_key)")
    _due_idx = models.Index("(release_at) WHERE state = 'queued'")

    # === COMPUTE METHODS === #

    @api.depends("channel", "recipient_enc")
    def _compute_display_name(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for message in self:
            # sudo: who sees the message sees the mask of its number.
            masked = message.sudo().recipient_last4 or ""
            message.display_name = f"{channels.get(message.channel, '')} {masked}".strip()

    @api.depends("state", "gateway_id", "message_class", "channel")
    def _compute_may(self):
        for message in self:
            # A code that was late is of no use; the customer asks for another one.
            lasting = message.message_class != "otp"
            message.may_resend = lasting and message.state == "failed"
            message.may_ask = (
                lasting and message.state == "unknown" and message.gateway_id._deduplicates()
            )

    # === BUSINESS METHODS === #

    @api.model
    def _queue(self, company, event_key, channel="sms", now=None, **vals):
        """Put a message into the outbox; of an event that is there already, return that message.

        :param template: of it, and of the partner's language, the text is taken
        :param values: for the placeholders of the text
        :param body: the text itself, without a template
        :param address: number or mail address, if it is not the partner's own
        :param vals: further values, such as ``partner_id`` or ``channels_left``
        """
        now = now or fields.Datetime.now()
        # sudo: the outbox is written by these methods only, whoever caused the message.
        outbox = self.sudo()
        found = outbox.search([("company_id", "=", company.id), ("event_key", "=", event_key)])
        if found:
            return found
        vals = outbox._prepare_message(company, channel, vals)
        vals |= {"company_id": company.id, "event_key": event_key, "release_at": now}
        try:
            with self.env.cr.savepoint():
                message = outbox.create(vals)
                message.flush_recordset()
        except psycopg2.errors.UniqueViolation:
            return outbox.browse()  # another worker has just queued it
        message._settle(now)
        return message

    @api.model
    def _prepare_message(self, company, channel, vals):
        """Return the values of a new message, its text filled in."""
        vals = dict(vals)
        template = vals.pop("template", None) or self.env["isp.message.template"]
        values, address = vals.pop("values", {}), vals.pop("address", None)
        partner = self.env["res.partner"].browse(vals.get("partner_id"))
        recipient = (
            self._normalize(channel, address, company)
            if address
            else partner._get_isp_address(channel, company)
        )
        message_class = vals.get("message_class") or template.message_class or "service"
        lang = vals.get("lang") or self._choose_lang(company, partner, message_class, recipient)
        text = template.sudo()._choose_text(lang) if template else self.env["isp.message.text"]
        return {
            "purpose": template.purpose or PURPOSE_OF_CLASS[message_class],
            "text_id": text.id,
            "body": placeholders.fill(text.body, values),
            **vals,
            "message_class": message_class,
            "lang": text.lang or lang,
            "channel": channel,
            "recipient": recipient,
            "gateway_key": secrets.token_hex(10),
        }

    @api.model
    def _choose_lang(self, company, partner, message_class, recipient):
        """Return the language of a message: the customer's, unless the country demands Bangla."""
        if message_class == "promotional":
            rule = self.env["isp.message.rule"]._find(numbers.country_of(recipient), company)
            if rule.promo_bangla_only:
                return "bn"
        return "bn" if (partner.lang or "").startswith("bn") else "en"

    @api.model
    def _count_by(self, field, records):
        """Return ``{record: number of messages}`` of those that have any, by a field to them."""
        return dict(self._read_group([(field, "in", records.ids)], [field], ["__count"]))

    @api.model
    def _get_action(self, field, records):
        """Return the action that opens the messages of these records."""
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_messaging.isp_message_action")
        action.update(domain=[(field, "in", records.ids)], context={})
        return action

    @api.model
    def _normalize(self, channel, address, company):
        if channel == "email":
            return address
        return numbers.to_e164(address, company.country_id.code)

    @api.model_create_multi
    def create(self, vals_list):
        """Count the parts, and wake the job."""
        for vals in vals_list:
            vals["parts"] = measure(vals.get("body") or "").parts
            if not vals.get("gateway_key"):
                vals["gateway_key"] = secrets.token_hex(10)
        return super().create(vals_list)

    def _move_to(self, state, reason=False, **vals):
        """Change the state, forward only.

        :raises ValidationError: the message cannot go there from where it is
        """
        self.ensure_one()
        if state not in NEXT_STATES[self.state]:
            names = dict(self._fields["state"]._description_selection(self.env))
            raise ValidationError(
                self.env._(
                    "A message in the state “%(old)s” does not become “%(new)s”.",
                    old=names[self.state],
                    new=names[state],
                )
            )
        # What a one-time code was must not be read afterwards.
        if self.message_class == "otp" and state not in ("queued", "sending"):
            vals["body"] = False
        self.write({"state": state, "reason": reason, **vals})
        self._follow_up()

    def _follow_up(self):
        """Hook: what else has to know of a new state."""

    def _wake(self):
        """Let the job run when the message may go out."""
        cron = self.env.ref("isp_messaging.isp_message_cron_send", raise_if_not_found=False)
        if cron:
            # sudo: whoever causes a message wakes the job.
            cron.sudo()._trigger(at=self.release_at)
