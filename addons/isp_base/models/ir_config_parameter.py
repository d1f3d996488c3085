from urllib.parse import urlsplit

from odoo import api, models
from odoo.exceptions import ValidationError

from .. import crypto

BLOCKED_SCHEME = "blocked-by-isp-base"


def is_odoo_service(url):
    """Tell whether an address belongs to the services of Odoo S.A."""
    host = urlsplit(url).hostname or "" if isinstance(url, str) else ""
    return host == "odoo.com" or host.endswith(".odoo.com")


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    @api.model
    def get_param(self, key, default=False):
        """Do not fall back on Odoo's paid services.

        Odoo's addons ask for ``get_param("sms.endpoint", "https://sms.api.odoo.com")`` and the
        like, so one place covers all of them, also those installed later. An address that the
        administrator stored is used as it stands; without one, the request fails before anything
        leaves the machine, because no transport knows this scheme.
        """
        value = super().get_param(key, default)
        if value is default and is_odoo_service(default):
            return f"{BLOCKED_SCHEME}://{urlsplit(default).netloc}"
        return value

    @api.constrains("value")
    def _check_no_encryption_key(self):
        """Keep keys out of the database: they would be in every dump next to what they protect."""
        try:
            keyring = crypto.load_keyring()
        except crypto.KeyringError:
            return
        if any(keyring.is_leaked_in(parameter.value or "") for parameter in self):
            raise ValidationError(
                self.env._(
                    "This is an encryption key. Keys belong into the key file, never into the "
                    "database."
                )
            )
