from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import str2bool

from ..engine.promo import find_promo_words

PURPOSE_REQUIRED = "isp_privacy.template_purpose_required"


class MailTemplate(models.Model):
    """A template says what its mails are for, so that the right ones reach the right people."""

    _inherit = "mail.template"

    privacy_purpose_id = fields.Many2one(
        "privacy.purpose",
        "Purpose",
        ondelete="restrict",
        help="Mails for a purpose that rests on consent go only to those who agreed; where it rests "
        "on a legitimate interest, not to those who objected. Mails of the service itself go to "
        "everybody, and must not advertise.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates._check_privacy_purpose_given()
        return templates

    def write(self, vals):
        result = super().write(vals)
        self._check_privacy_purpose_given()
        return result

    def _register_hook(self):
        """Give what addons ship its purpose, once all that was installed is there."""
        super()._register_hook()
        if self.env.registry.updated_modules:
            self._privacy_fill_purposes()

    def _check_privacy_purpose_given(self):
        """Refuse a template without a purpose, unless the setting demands none."""
        # What an addon ships is installed in any case, and gets its purpose afterwards.
        if self.env.context.get("install_mode"):
            return
        # sudo: who edits templates need not read parameters.
        value = self.env["ir.config_parameter"].sudo().get_param(PURPOSE_REQUIRED)
        if str2bool(value or "", False) and (missing := self.filtered_domain(_WITHOUT_PURPOSE)):
            raise ValidationError(
                self.env._(
                    "Choose the purpose of these templates, or nobody knows whether their mails may "
                    "be sent: %s",
                    ", ".join(missing.mapped("name")),
                )
            )

    @api.constrains("privacy_purpose_id", "subject", "body_html")
    def _check_privacy_no_promo(self):
        """Messages that nobody can refuse must not advertise."""
        for template in self.filtered("privacy_purpose_id"):
            # sudo: who edits templates need not read the register of purposes.
            purpose = template.privacy_purpose_id.sudo()
            if purpose._may_be_refused():
                continue
            if words := find_promo_words(template.subject, template.body_html):
                raise ValidationError(
                    self.env._(
                        "“%(template)s” is for “%(purpose)s”, which customers cannot refuse, so it "
                        "must not advertise. Take out: %(words)s. Offers belong into a template with "
                        "the purpose of offers and news.",
                        template=template.name,
                        purpose=purpose.name,
                        words=", ".join(words),
                    )
                )

    # === BUSINESS METHODS === #

    @api.model
    def _privacy_fill_purposes(self):
        """Give templates without a purpose the one of the records that they are about.

        One that advertises stays without: somebody has to say that it is marketing.
        """
        templates = self.sudo().with_context(active_test=False, install_mode=True)
        for template in templates.search(_WITHOUT_PURPOSE):
            if not find_promo_words(template.subject, template.body_html):
                template.privacy_purpose_id = template._privacy_guess_purpose()

    def _privacy_guess_purpose(self):
        """Return what the data map says the records of the template's model are for.

        Never what can be refused: nobody has asked for that. Such mails are those of the service.
        """
        self.ensure_one()
        model_map = self.env["privacy.map.entry"]._get_map().models.get(self.model)
        code = model_map and model_map.defaults.get("purpose")
        purpose = self.env["privacy.purpose"].search([("code", "=", code)], limit=1)
        if purpose and not purpose._may_be_refused():
            return purpose
        return self.env.ref("isp_privacy.privacy_purpose_service")

    def send_mail_batch(
        self,
        res_ids,
        force_send=False,
        raise_exception=False,
        email_values=None,
        email_layout_xmlid=False,
    ):
        """Let the mails carry the purpose."""
        if self.privacy_purpose_id:
            email_values = {
                **(email_values or {}),
                "privacy_purpose_id": self.privacy_purpose_id.id,
            }
        return super().send_mail_batch(
            res_ids,
            force_send=force_send,
            raise_exception=raise_exception,
            email_values=email_values,
            email_layout_xmlid=email_layout_xmlid,
        )


_WITHOUT_PURPOSE = [("privacy_purpose_id", "=", False)]
