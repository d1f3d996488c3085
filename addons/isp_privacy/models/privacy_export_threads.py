from odoo import models
from odoo.tools import email_normalize

# Written to somebody; the rest of a thread is notices of the system.
LETTERS = ("comment", "email", "email_outgoing", "auto_comment", "sms")


class MailMessage(models.Model):
    """Which messages a package shows: own ones, and letters to the person; never internal notes."""

    _inherit = "mail.message"

    def _privacy_export_row(self, row, partners):
        """Leave out what was not meant for the person, and the addresses of others."""
        if not self._privacy_is_shown(partners):
            return None
        if self.author_id not in partners:
            for name in ("email_from", "reply_to", "incoming_email_to", "incoming_email_cc"):
                _keep_own(row, name, partners)
        _keep_own(row, "outgoing_email_to", partners)
        return row

    def _privacy_is_shown(self, partners):
        if self.author_id in partners:
            return True
        if self.is_internal or self.subtype_id.internal or self.message_type not in LETTERS:
            return False
        received = self.partner_ids | self.notified_partner_ids | self.mail_ids.recipient_ids
        if received & partners:
            return True
        # A public word of the staff in a thread of the person; not of another customer in it.
        users = self.author_id.with_context(active_test=False).user_ids
        return bool(self.subtype_id) and any(not user.share for user in users)


class MailTrackingValue(models.Model):
    """Changes that a message tells of."""

    _inherit = "mail.tracking.value"

    def _privacy_export_row(self, row, partners):
        """Leave out what a hidden message tells, and names of people."""
        if self.field_id.relation in ("res.users", "res.partner"):
            return None
        return row if self.mail_message_id._privacy_is_shown(partners) else None


class MailMail(models.Model):
    """Mails that went out, to the person or because of them."""

    _inherit = "mail.mail"

    def _privacy_export_row(self, row, partners):
        """Leave out mails to others, and addresses of others."""
        _keep_own(row, "email_to", partners)
        _keep_own(row, "email_cc", partners)
        if not (self.recipient_ids & partners or row.get("email_to")):
            return None
        if "headers" in row:
            row["headers"] = None  # technical lines, with addresses of the staff
        return row


class MailNotification(models.Model):
    """Who was told of a message."""

    _inherit = "mail.notification"

    def _privacy_export_row(self, row, partners):
        """Leave out who else was told."""
        return row if self.res_partner_id in partners else None


class MailActivity(models.Model):
    """What the staff has to do."""

    _inherit = "mail.activity"

    def _privacy_export_row(self, _row, _partners):
        """Leave out all of them: they are notes of the staff for itself."""
        return None


class MailScheduledMessage(models.Model):
    """Messages that are still to be sent."""

    _inherit = "mail.scheduled.message"

    def _privacy_export_row(self, row, partners):
        """Leave out what somebody else has not sent yet."""
        return row if self.author_id in partners else None


def _keep_own(row, name, partners):
    """Leave in a list of addresses those of the person only."""
    if not row.get(name):
        return
    own = {partner.email_normalized for partner in partners} - {False}
    kept = [part.strip() for part in row[name].split(",") if email_normalize(part) in own]
    row[name] = ", ".join(kept) or None
