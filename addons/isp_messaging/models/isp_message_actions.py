from odoo import fields, models
from odoo.exceptions import AccessError, UserError


class IspMessage(models.Model):
    """What clerks do with the outbox; they read it, and write it by these buttons only."""

    _inherit = "isp.message"

    def action_resend(self):
        """Send again what was certainly not sent."""
        for message in self._lock_for_clerk():
            if not message.may_resend:
                raise UserError(
                    self.env._(
                        "Only a message that was certainly not sent is sent again; a one-time code "
                        "never is."
                    )
                )
            message._queue_again()
        return True

    def action_ask(self):
        """Hand it to a gateway once more that sends a message of the same number only once."""
        for message in self._lock_for_clerk():
            if not message.may_ask:
                raise UserError(
                    self.env._(
                        "This gateway would send the message a second time. Look it up in the "
                        "gateway's panel, then press “It arrived” or “It did not arrive”."
                    )
                )
            message._queue_again()
        return True

    def _queue_again(self):
        now = fields.Datetime.now()
        self._move_to("queued", attempts=0, release_at=now)
        self._settle(now)

    def action_cancel(self):
        """Take a message that waits out of the queue."""
        for message in self._lock_for_clerk():
            if message.state != "queued":
                raise UserError(self.env._("Only a message that waits can be cancelled."))
            message._move_to("suppressed", self.env._("Cancelled by %s.", self.env.user.name))
        return True

    def action_arrived(self):
        """Somebody looked it up at the gateway: the customer has it."""
        self._decide_unknown("delivered", self.env._("Looked up: it arrived."))
        return True

    def action_not_arrived(self):
        """Somebody looked it up at the gateway: it was not sent."""
        self._decide_unknown("failed", self.env._("Looked up: it was not sent."))
        return True

    def _decide_unknown(self, state, reason):
        for message in self._lock_for_clerk():
            if message.state != "unknown":
                raise UserError(self.env._("What became of this message is known already."))
            message._move_to(state, reason)

    def action_reveal_body(self):
        """Show the text; that it was shown is noted."""
        return self.action_reveal("body")

    def action_reveal_recipient(self):
        """Show the number or address; that it was shown is noted."""
        return self.action_reveal("recipient")

    def _lock_for_clerk(self):
        """Return the messages, locked for this request, after a look at who asks."""
        if not (self.env.su or self.env.user.has_group("isp_base.group_isp_clerk")):
            raise AccessError(self.env._("Only billing clerks send messages again or cancel them."))
        self.check_access("read")
        # sudo: nobody writes the outbox but by these methods.
        messages = self.sudo()
        messages.lock_for_update()
        messages.invalidate_recordset()
        return messages
