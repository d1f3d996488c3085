from odoo import SUPERUSER_ID, models

from odoo.addons.isp_base.encryption import SHOW_UNREADABLE

from ..engine import identity_number

GROUP = "isp_privacy.group_kyc_officer"
LETTERS = ("approved", "rejected")


class PrivacyKyc(models.Model):
    """Who is told: the officers of what they have to look at, the customer of the decision."""

    _name = "privacy.kyc"
    _inherit = ["privacy.kyc", "privacy.addressed"]

    # === BUSINESS METHODS - NOTICES === #

    def _tell_of(self, state):
        """Tell whom it concerns that the document has come to ``state``."""
        if state == "submitted":
            self._write_to_officers(self.env.user)
        elif state == "checked":
            # Whoever captured or checked it does not approve it.
            self._write_to_officers(self.captured_by_ids | self.checked_by_id)
        elif state in LETTERS:
            self._send_decision(state)

    def _write_to_officers(self, others):
        """Tell each officer who may do what comes next, but for ``others``."""
        officers = self.env["res.users"]._privacy_officers(self.company_id, GROUP) - others
        own = self.partner_id | self.partner_id.commercial_partner_id
        template = self.env.ref("isp_privacy.mail_template_kyc_waiting", raise_if_not_found=False)
        if not template:
            return
        for officer in officers.filtered(lambda user: user.email and user.partner_id not in own):
            # The letter is the company's: customers, who cause it, write to no officers. Without
            # the layout, which would name the customer.
            template.with_user(SUPERUSER_ID).with_context(lang=officer.lang).send_mail(
                self.id, email_values={"email_to": officer.email_formatted}
            )

    def _send_decision(self, decision):
        """Write to the customer what was decided; without a mail address the portal says it."""
        template = self.env.ref(
            f"isp_privacy.mail_template_kyc_{decision}", raise_if_not_found=False
        )
        if not template or not self.partner_id.email:
            return
        # The letter is the company's: it does not say which officer decided.
        template.with_user(SUPERUSER_ID).send_mail(
            self.id, email_layout_xmlid="mail.mail_notification_light"
        )

    # === HELPERS FOR THE MAIL === #

    def _get_reason_words(self):
        """Return the reason of a rejection, without a number that somebody wrote into it."""
        self.ensure_one()
        # sudo: the number is compared, and shown to nobody.
        number = self.sudo().with_context(**{SHOW_UNREADABLE: True}).number
        return identity_number.hide(self.rejection_reason or "", number)

    def _get_page_url(self):
        return f"{self.company_id.get_base_url()}/my/privacy/identity"
