import base64
import json

from odoo import api, models

from odoo.addons.isp_base import crypto
from odoo.addons.isp_base.encryption import get_keyring

# Binds the token to this use: no other ciphertext of the installation opens as one.
_AAD = "privacy.consent|withdrawal"


class PrivacyConsent(models.Model):
    """Withdrawal by one click: a link that needs no login and tells nothing of the person.

    The token is a ciphertext, so it can be neither guessed nor read, and no number of a record
    stands in an address.
    """

    _inherit = "privacy.consent"

    @api.model
    def _get_withdrawal_url(self, purpose, channel, company, partner, digest=None):
        """Return the address at which ``partner``, or who has that address, says no."""
        values = [company.id, purpose.id, channel, partner.id or 0, digest]
        token = get_keyring(self.env).encrypt(json.dumps(values), _AAD)
        path = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
        return f"{company.sudo().get_base_url()}/privacy/withdraw/{path}"

    @api.model
    def _read_withdrawal_token(self, token):
        """Return ``(company, purpose, channel, partner, digest)``, None when it is not genuine."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
            values = json.loads(get_keyring(self.env).decrypt(sealed, _AAD))
        except (ValueError, crypto.DecryptError):  # no base64, no text, or not ours
            return None
        company_id, purpose_id, channel, partner_id, digest = values
        # sudo: the visitor is nobody; the token says for whom they act.
        company = self.env["res.company"].sudo().browse(company_id).exists()
        purpose = self.env["privacy.purpose"].sudo().browse(purpose_id).exists()
        partner = self.env["res.partner"].sudo().browse(partner_id or []).exists()
        if not company or not purpose or not (partner or digest):
            return None
        return company, purpose, channel, partner, digest

    @api.model
    def _withdraw_by_token(self, token):
        """Withdraw; doing it again changes nothing.

        :return: whether the token is genuine
        """
        found = self._read_withdrawal_token(token)
        if not found:
            return False
        company, purpose, channel, partner, digest = found
        self._record("withdrawn", purpose, channel, "link", partner, digest, company_id=company.id)
        return True
