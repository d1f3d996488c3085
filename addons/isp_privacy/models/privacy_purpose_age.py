from odoo import models
from odoo.exceptions import UserError


class PrivacyPurpose(models.Model):
    _inherit = "privacy.purpose"

    def _check_consent_allowed(self, channel, partner):
        """Minors agree to nothing, and where the age is asked, it comes first."""
        if partner._privacy_minors():
            raise UserError(self.env._("This is not offered to minors."))
        profile = self.env.company._get_privacy_profile()
        if partner and profile.age_gate and not partner._privacy_adults():
            raise UserError(
                self.env._(
                    "Please confirm first that you are at least %s years old.",
                    partner._privacy_min_age(),
                )
            )
        return super()._check_consent_allowed(channel, partner)
