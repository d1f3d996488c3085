from odoo import models


class PrivacyAddressed(models.AbstractModel):
    """Base of models whose mails go to ``partner_id``, in English or Bangla."""

    _name = "privacy.addressed"
    _description = "Written to a person"

    def _get_lang(self):
        """Return the language of the person, of the company where that is not known."""
        self.ensure_one()
        return self.partner_id.lang or self.company_id.partner_id.lang or "en_US"

    def _speaks_bangla(self):
        return self._get_lang().startswith("bn")
