import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import plaintext2html

from ..engine import dlt
from ..gateways.common import Order, Refused, TryLater, Unknown

_logger = logging.getLogger(__name__)

BATCH = 500
MAX_ATTEMPTS = 6
# Longer than any call takes: whoever is still being sent then was lost with its server.
LOST_AFTER = timedelta(minutes=10)


class IspMessage(models.Model):
    """The sending: committed as ``sending``, then called, then committed with what came out.

    A message whose call did not end is never sent again by itself: nobody knows if it arrived.
    """

    _inherit = "isp.message"

    @api.model
    def _cron_send(self):
        """Send what is due, one commit before and one after each call; codes go first."""
        cron, now = self.env["ir.cron"], fields.Datetime.now()
        self._take_up_lost(now)
        ids = self._get_due_ids(now)
        cron._commit_progress(remaining=len(ids))
        for number, message_id in enumerate(ids, 1):
            self.browse(message_id)._send(now)
            if not cron._commit_progress(1, remaining=len(ids) - number):
                self.env.ref("isp_messaging.isp_message_cron_send")._trigger()
                return
        if len(ids) == BATCH:
            self.env.ref("isp_messaging.isp_message_cron_send")._trigger()

    @api.model
    def _get_due_ids(self, now):
        due = [("state", "=", "queued"), ("release_at", "<=", now)]
        codes = self.search([*due, ("message_class", "=", "otp")], order="id", limit=BATCH)
        others = self.search(
            [*due, ("message_class", "!=", "otp")],
            order="release_at, id",
            limit=BATCH - len(codes),
        )
        return [*codes.ids, *others.ids]

    @api.model
    def _take_up_lost(self, now):
        """Of a call that the server did not outlive nobody knows how it ended."""
        lost = self.search([("state", "=", "sending"), ("sent_at", "<", now - LOST_AFTER)])
        for message in lost.try_lock_for_update():
            message._move_to(
                "unknown", self.env._("The server stopped while the message was being sent.")
            )

    def _send(self, now):
        """Send one message, unless another worker does or it may not go out any more."""
        self.ensure_one()
        if not self.try_lock_for_update():
            return
        self.invalidate_recordset()
        if self.state != "queued" or not self._settle(now):
            return
        if self.channel == "email":
            self._send_mail(now)
            return
        self._send_by_gateway(now)

    def _send_by_gateway(self, now):
        gateway = self.company_id._get_sms_gateway()
        order = self._prepare_order()
        self._move_to("sending", sent_at=now, attempts=self.attempts + 1, gateway_id=gateway.id)
        # From here on the message counts as perhaps sent, whatever becomes of this process.
        self.env["ir.cron"]._commit_progress()
        try:
            accepted = gateway._get_client().send(order)
        except TryLater as error:
            gateway._note_error(error)
            self._try_later(now, error)
        except Refused as error:
            self._fail(str(error), now)
        except Unknown as error:
            self._move_to("unknown", str(error))
        else:
            self._move_to(
                "accepted",
                self.env._("The gateway had it already from an earlier attempt.")
                if accepted.was_known
                else False,
                provider_ref=accepted.reference or self.provider_ref,
                cost=self.parts * gateway.price,
            )
        _logger.info("Message %s by %s: %s", self.id, gateway.provider, self.state)

    def _prepare_order(self):
        text = self.text_id
        values = dlt.match(text.dlt_text, self.body) if text.dlt_text else ()
        return Order(
            key=self.gateway_key,
            number=self.recipient,
            text=self.body,
            template_id=text.gateway_template_id or "",
            values=values or (),
        )

    def _try_later(self, now, error):
        """Nothing was sent: wait longer each time, then give the channel up."""
        if self.attempts >= MAX_ATTEMPTS:
            self._fail(str(error), now)
            return
        release = now + timedelta(minutes=min(2**self.attempts, 60))
        self._move_to("queued", str(error), release_at=release)
        self._wake()

    def _send_mail(self, now):
        """Hand the message to Odoo's mail queue, in this transaction: no call is made here."""
        template, subscription = self.mail_template_id, self.subscription_id
        if template and subscription:
            mails = template.send_mail_batch(
                subscription.ids, email_layout_xmlid="mail.mail_notification_light"
            )
        else:
            mails = self.env["mail.mail"].create(
                {
                    "subject": self.template_id.name or self.company_id.name,
                    "body_html": plaintext2html(self.body),
                    "email_from": self.company_id.email_formatted,
                    "email_to": self.recipient,
                }
            )
        self._move_to(
            "accepted",
            self.env._("In the queue of mails."),
            sent_at=now,
            attempts=self.attempts + 1,
            provider_ref=mails[:1].message_id,
        )
