from odoo import models
from odoo.exceptions import UserError


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    def _prepare_mail_values(self, res_ids):
        """Let mails of a template carry its purpose.

        :raises UserError: when messages that can be refused would go to all followers at once
        """
        values_by_id = super()._prepare_mail_values(res_ids)
        # sudo: who writes mails need not read the register of purposes.
        purpose = self.template_id.sudo().privacy_purpose_id
        if not purpose:
            return values_by_id
        if self.composition_mode == "mass_mail":
            for values in values_by_id.values():
                values["privacy_purpose_id"] = purpose.id
        elif purpose._may_be_refused():
            raise UserError(
                self.env._(
                    "“%s” may be refused by each person, so it cannot be posted to all followers. "
                    "Choose the people in a list, then Action > Send email.",
                    purpose.name,
                )
            )
        return values_by_id
