from odoo import models

# The outbox calls by another name what the ledger of consents does.
_CHANNELS = {"email": "mail"}


class IspMessage(models.Model):
    """Advertising reaches only those who agreed; codes, service and bills reach everybody."""

    _inherit = "isp.message"

    def _find_suppression(self):
        return super()._find_suppression() or self._find_privacy_reason()

    def _find_privacy_reason(self):
        """Return in words why privacy holds the message back, None when it does not."""
        # sudo: the job and whoever causes a message read no registers.
        purpose = self.env["privacy.purpose"].sudo().search([("code", "=", self.purpose)])
        if not purpose._may_be_refused() or self.message_class != "promotional":
            return None
        channel = _CHANNELS.get(self.channel, self.channel)
        if self.partner_id._privacy_get_excluded(purpose):
            return self.env._(
                "The data of this customer is restricted, or it is a minor: no advertising."
            )
        Suppression = self.env["privacy.suppression"]
        digest = Suppression._digest(channel, self.recipient)
        if digest and Suppression._find(self.company_id, purpose, channel, [digest]):
            return self.env._("This number or address is on the suppression list: it opted out.")
        if self.partner_id:
            if self.partner_id._privacy_may_contact(purpose, channel, self.company_id):
                return None
        elif self._has_consent_of_address(purpose, channel, digest):
            return None
        if purpose._needs_consent():
            return self.env._("The customer has not agreed to “%s” by this channel.", purpose.name)
        return self.env._("The customer objected to “%s”.", purpose.name)

    def _has_consent_of_address(self, purpose, channel, digest):
        """Whether the bare number, no contact of ours, agreed to it."""
        rows = self.env["privacy.consent"]._get_current(
            self.company_id, purpose, channel, self.env["res.partner"], digest
        )
        return bool(rows._filter_valid()) or not purpose._needs_consent()
