from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..catalogue import CHANNELS, REFUSABLE_BASES


class PrivacyPurpose(models.Model):
    """Purposes for which people may say yes or no, and by which channel."""

    _inherit = "privacy.purpose"

    is_choice = fields.Boolean(
        "Customers choose",
        help="Shown on the customers' page of choices. With the ground “Consent” nothing is done "
        "before they agree; with a legitimate interest they may object.",
    )
    is_marketing = fields.Boolean(
        "Is marketing", help="Stopped by an opt-out and by an objection to marketing."
    )
    choice_mail = fields.Boolean("By e-mail")
    choice_sms = fields.Boolean("By text message")
    choice_whatsapp = fields.Boolean("By WhatsApp")
    choice_phone = fields.Boolean("By telephone")

    @api.constrains("is_choice", "lawful_basis")
    def _check_choice(self):
        for purpose in self.filtered("is_choice"):
            if purpose.lawful_basis not in REFUSABLE_BASES:
                raise ValidationError(
                    self.env._(
                        "%s: customers can choose only where the ground is consent or a legitimate "
                        "interest.",
                        purpose.name,
                    )
                )

    # === BUSINESS METHODS === #

    @api.model
    def _get_choices(self):
        """Return the purposes for which customers choose."""
        # sudo: customers read no registers, and see their names on the page of choices.
        return self.sudo().search([("is_choice", "=", True)])

    def _get_channels(self):
        """Return the channels for which people choose; ``none`` for what needs no channel."""
        self.ensure_one()
        names = [name for name, _label in CHANNELS if name != "none" and self[f"choice_{name}"]]
        return names or ["none"]

    def _needs_consent(self):
        """Tell if nothing may be done before the person has agreed."""
        # sudo: who sends messages need not read the register.
        return self.sudo().lawful_basis == "consent"

    def _may_be_refused(self):
        """Tell if a person may say no at all; messages of the service itself go out anyway."""
        # sudo: see _needs_consent
        return self.sudo().lawful_basis in REFUSABLE_BASES

    def _get_channel_words(self, channel):
        labels = self.env["privacy.consent"]._fields["channel"]._description_selection(self.env)
        return dict(labels)[channel]

    def _get_consent_wording(self, channel, company):
        """Return what the person reads before deciding; the ledger keeps it word for word."""
        self.ensure_one()
        purpose = self.sudo()  # sudo: see _get_choices
        if channel == "none":
            words = self.env._("%(company)s may use my data for: %(purpose)s. %(description)s")
        else:
            words = self.env._(
                "%(company)s may contact me by this channel: %(channel)s, for: %(purpose)s. "
                "%(description)s"
            )
        return (
            words
            % {
                "company": company.sudo().name,
                "channel": self._get_channel_words(channel),
                "purpose": purpose.name,
                "description": purpose.description or "",
            }
        ).strip()

    def _check_consent_allowed(self, channel, partner):
        """Refuse a consent for what is no choice.

        :raises UserError: with what is wrong
        """
        purpose = self.sudo()  # sudo: see _get_choices
        if not purpose.is_choice or channel not in purpose._get_channels():
            raise UserError(self.env._("There is no such choice."))
