from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.isp_base.encryption import SHOW_UNREADABLE, encrypted_char


class ResUsers(models.Model):
    """Users whose second factor is stored encrypted, in columns of its own.

    Odoo keeps the secret in clear in the column ``totp_secret``, which stays empty from now on. All
    that Odoo does with the field goes on as before.
    """

    _name = "res.users"
    _inherit = ["res.users", "isp.encrypted.mixin"]

    # Without a mask: not even the last four letters are shown to anybody.
    totp_secret, totp_secret_enc, totp_secret_bidx = encrypted_char(
        "totp_secret",
        "Secret of the authenticator app",
        groups=fields.NO_ACCESS,
        indexed=True,
    )[:3]

    # === COMPUTE METHODS === #

    @api.depends("totp_secret_enc")
    def _compute_totp_enabled(self):
        """A secret that cannot be read is one all the same: the account stays closed."""
        readable = self.with_context(**{SHOW_UNREADABLE: True})
        return super(ResUsers, readable)._compute_totp_enabled()

    def _totp_enable_search(self, operator, value):
        """Odoo's own search looks into the column in clear."""
        if operator != "in":
            return NotImplemented
        domain = Domain.FALSE
        if True in value:
            domain |= Domain("totp_secret_enc", "!=", False)
        if False in value:
            domain |= Domain("totp_secret_enc", "=", False)
        # sudo: that somebody has a second factor is no secret, the ciphertext is.
        users = self.sudo().with_context(active_test=False)
        return Domain("id", "in", users._search(domain))

    # === WRITE === #

    def write(self, vals):
        """A new secret begins without a code that was used."""
        if "totp_secret" in vals:
            vals = {"totp_last_counter": False, **vals}
        return super().write(vals)

    # === SESSIONS === #

    def _get_session_token_fields(self):
        """Sessions end when the secret changes, and not when its key is replaced.

        The index is the same for the same secret, whichever key it is encrypted with.
        """
        return super()._get_session_token_fields() | {"totp_secret_bidx"}

    # === BUSINESS METHODS === #

    @api.model
    def _encrypt_totp_secrets(self):
        """Encrypt the secrets that stand in clear in Odoo's own column, and empty it.

        :return: how many there were
        """
        count = self._encrypt_column("totp_secret")
        self.env.registry.clear_cache()  # of sessions
        return count

    @api.model
    def _decrypt_totp_secrets(self):
        """Write the secrets back into Odoo's own column, when this addon is uninstalled.

        :raises UserError: when one cannot be read: its account would lose the second factor
        """
        self._decrypt_column("totp_secret")
