from odoo import SUPERUSER_ID, models


class PrivacyRequest(models.Model):
    """The letters to the person, in English or Bangla."""

    _inherit = "privacy.request"

    def _send_letter(self, kind):
        """Write to the person; the mail waits in the queue until the transaction is through.

        :param kind: ``received``, ``identity``, ``done``, ``rejected`` or ``extended``
        """
        self.ensure_one()
        xmlid = f"isp_privacy.mail_template_request_{kind}"
        template = self.env.ref(xmlid, raise_if_not_found=False)
        if not template or not self._get_letter_address():
            self._schedule_activities(
                self.env._("No mail could be sent: answer by post (%s)", kind), self.date_due
            )
            return
        # sudo: also for what customers and jobs cause. Those write in the name of the system.
        sender = template.sudo()
        if not self.env.user._is_internal():
            sender = template.with_user(SUPERUSER_ID)
        sender.send_mail(self.id, email_layout_xmlid="mail.mail_notification_light")
        self._log_event("letter", sender.name)

    def _get_letter_address(self):
        self.ensure_one()
        return self.partner_id.email or self.email_from

    def _get_letter_lang(self):
        """Language of the letters: the person's, the company's where that is not known."""
        self.ensure_one()
        return self.partner_id.lang or self.company_id.partner_id.lang or "en_US"

    def _speaks_bangla(self):
        """Tell if the letters to this person are in Bangla."""
        return self._get_letter_lang().startswith("bn")

    def _get_type_words(self):
        """What is asked, in words; neutral as long as staff has not read it."""
        labels = dict(self._fields["request_type"]._description_selection(self.env))
        return labels.get(self.request_type, "")

    def _get_complaint_route(self):
        """Where the person may complain."""
        # sudo: customers read no profiles, and are told this.
        return self.sudo().profile_id.complaint_route
