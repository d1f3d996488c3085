import sys

from odoo import models
from odoo.exceptions import UserError

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

    def action_reveal(self, field_name):
        """Never of the password."""
        if field_name == "smtp_pass":
            refuse_reveal(self.env)
        return super().action_reveal(field_name)
