import sys

from odoo import api, models
from odoo.exceptions import UserError, ValidationError

from ..encryption import encrypted_char

# Where Odoo keeps passwords of mail servers: ``{model: field}``.
MAIL_PASSWORDS = {"ir.mail_server": "smtp_pass", "fetchmail.server": "password"}
# Of a password not even the last letters are shown.
NEVER = sys.maxsize


def refuse_reveal(env):
    """Refuse to show the password of a mail server, which nobody needs to read.

    :raises UserError: always
    """
    raise UserError(
        env._("The password of a mail server is not shown. Type a new one to change it.")
    )


class IrMailServer(models.Model):
    """Outgoing mail servers whose passwords are stored encrypted, in a column of their own.

    Odoo keeps the password in clear in the column ``smtp_pass``, which stays empty from now on. All
    that Odoo does with the field goes on as before.
    """

    _name = "ir.mail_server"
    _inherit = ["ir.mail_server", "isp.encrypted.mixin"]

    _privacy_free = {"Mail servers of the operator.": "smtp_pass_enc"}

    smtp_pass, smtp_pass_enc, smtp_pass_bidx, smtp_pass_last4 = encrypted_char(
        "smtp_pass", "Password", last4_from=NEVER
    )

    @api.constrains("smtp_ssl_private_key")
    def _check_private_key_is_on_disk(self):
        """Take no private key, which Odoo would store in clear; Odoo also reads it from a file."""
        # A key of before is still used; nobody is cut off by the installation.
        if any(server.smtp_ssl_private_key for server in self):
            raise ValidationError(
                self.env._(
                    "A private key would be stored here in clear. Put it into a file that only "
                    "Odoo's user may read, name the file in odoo.conf "
                    "(smtp_ssl_private_key_filename), and choose “Command Line Interface” here."
                )
            )

    def action_reveal(self, field_name):
        """Never of the password."""
        if field_name == "smtp_pass":
            refuse_reveal(self.env)
        return super().action_reveal(field_name)
