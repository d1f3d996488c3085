import logging

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.mail import append_content_to_html, email_normalize_all

_logger = logging.getLogger(__name__)


class MailMail(models.Model):
    """Mails that people may refuse go only to those who do not."""

    _inherit = "mail.mail"

    privacy_purpose_id = fields.Many2one("privacy.purpose", "Purpose", ondelete="set null")

    # === BUSINESS METHODS === #

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        """Take out the people who must not get it; what then has no recipient is cancelled."""
        self._privacy_drop_refused()
        return super().send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )

    def _privacy_drop_refused(self):
        refusable = self.filtered(
            lambda mail: (
                mail.state == "outgoing"
                and mail.privacy_purpose_id
                and mail.privacy_purpose_id._may_be_refused()
            )
        )
        for (purpose, company), mails in refusable.grouped(
            lambda mail: (mail.privacy_purpose_id, mail._privacy_get_company())
        ).items():
            try:
                allowed = mails.recipient_ids._privacy_may_contact(purpose, "mail", company)
                for mail in mails:
                    mail._privacy_keep(allowed, mail._privacy_may_write_to(purpose, company))
            except UserError as error:
                # Without the keys nobody can be looked up. The queue goes on with other mails.
                _logger.error("Mails %s are not sent: %s", mails.ids, error)
                mails.write({"state": "exception", "failure_reason": str(error)})

    def _privacy_get_company(self):
        return self.record_company_id or self.env.company

    def _privacy_may_write_to(self, purpose, company):
        """Return whether the bare address of the mail, no contact of ours, may be written to.

        A mail to several addresses at once is not sent: the link that withdraws is for one person.
        """
        addresses = email_normalize_all(self.email_to)
        if len(addresses) != 1:
            return False
        Suppression = self.env["privacy.suppression"]
        digest = Suppression._digest("mail", addresses[0])
        if Suppression._find(company, purpose, "mail", [digest]):
            return False
        rows = self.env["privacy.consent"]._get_current(
            company, purpose, "mail", self.env["res.partner"], digest
        )
        return bool(rows._filter_valid()) or not purpose._needs_consent()

    def _privacy_keep(self, allowed, is_address_allowed):
        """Keep the recipients among ``allowed``, and the bare address where that is."""
        self.ensure_one()
        kept = self.recipient_ids & allowed
        vals = {}
        if kept != self.recipient_ids:
            vals["recipient_ids"] = [fields.Command.set(kept.ids)]
        if self.email_to and not is_address_allowed:
            vals["email_to"] = False
        if self.email_cc:
            vals["email_cc"] = False  # who gets a copy was asked nothing
        if not kept and not (self.email_to and is_address_allowed):
            vals |= {
                "state": "cancel",
                "failure_type": "mail_optout",
                "failure_reason": self.env._(
                    "Nobody of the recipients agreed to “%s”, or all of them refused.",
                    self.privacy_purpose_id.name,
                ),
            }
        if vals:
            self.write(vals)

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Let each mail that can be refused carry its own link to do so."""
        outgoing = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        purpose = self.privacy_purpose_id
        if purpose and purpose._may_be_refused():
            for values in outgoing:
                self._privacy_add_link(values, purpose)
        return outgoing

    def _privacy_add_link(self, values, purpose):
        partner = values["partner_id"] or self.env["res.partner"]
        address = values["email_to_normalized"]
        digest = self.env["privacy.suppression"]._digest("mail", address[0] if address else None)
        company = self._privacy_get_company()
        url = self.env["privacy.consent"]._get_withdrawal_url(
            purpose, "mail", company, partner, digest
        )
        # The headers of all recipients are one dictionary: each gets a copy.
        values["headers"] = {
            **values["headers"],
            "List-Unsubscribe": f"<{url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
        speaking = self.with_context(lang=partner.lang or self.env.lang)
        words = speaking.env._("Do not write to me about this any more")
        footer = f'<p style="font-size: 12px;"><a href="{url}">{words}</a></p>'
        values["body"] = append_content_to_html(values["body"], footer, plaintext=False)
        values["body_alternative"] = f"{values['body_alternative']}\n\n{words}: {url}"
