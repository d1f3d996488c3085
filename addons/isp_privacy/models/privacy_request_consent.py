from odoo import models
from odoo.exceptions import UserError


class PrivacyRequest(models.Model):
    """Requests that stop messages: carried out at once, nobody decides about them."""

    _inherit = "privacy.request"

    def _execute_consent_withdrawal(self):
        """Withdraw everything the person has agreed to."""
        choices = self.env["privacy.purpose"]._get_choices()
        return self._refuse_purposes(choices.filtered(lambda purpose: purpose._needs_consent()))

    def _execute_opt_out(self):
        """Stop marketing on all channels."""
        choices = self.env["privacy.purpose"]._get_choices()
        return self._refuse_purposes(choices.filtered("is_marketing"))

    def _execute_objection_marketing(self):
        """Stop marketing on all channels: whoever objects need give no reason."""
        return self._execute_opt_out()

    def _execute_objection_interest(self):
        """Stop what people may choose; about what else they object to, an officer decides."""
        choices = self.env["privacy.purpose"]._get_choices()
        self._refuse_purposes(choices.filtered(lambda purpose: not purpose._needs_consent()))
        return self._execute_by_hand()

    def _refuse_purposes(self, purposes):
        """Write down that the person says no, and return what was done, in their language."""
        self.ensure_one()
        reader = self.with_context(lang=self._get_letter_lang())
        digest = None
        if not self.partner_id:
            digest = self.env["privacy.suppression"]._digest("mail", self.email_from)
            if not digest:
                raise UserError(
                    self.env._("Enter who asks: without a person or an address nothing can stop.")
                )
        ledger = self.env["privacy.consent"].with_context(lang=self._get_letter_lang())
        ledger._withdraw_all(
            purposes,
            "request",
            partner=self.partner_id,
            address=digest,
            company_id=self.company_id.id,
            evidence=self.name,
        )
        names = ", ".join(purposes.with_context(lang=self._get_letter_lang()).mapped("name"))
        return reader.env._(
            "We stopped this on all channels: %s. Messages about your service itself, such as bills "
            "and faults, still reach you.",
            names or reader.env._("nothing, for nothing of the kind is done"),
        )
