from odoo import models

from ..encryption import encrypted_char
from .ir_mail_server import NEVER, refuse_reveal


class FetchmailServer(models.Model):
    """Incoming mail servers whose passwords are stored encrypted; see ``ir.mail_server``."""

    _name = "fetchmail.server"
    _inherit = ["fetchmail.server", "isp.encrypted.mixin"]

    _privacy_free = {"Mail servers of the operator.": "password_enc"}

    password, password_enc, password_bidx, password_last4 = encrypted_char(
        "password", "Password", last4_from=NEVER
    )

    def action_reveal(self, field_name):
        """Never of the password."""
        if field_name == "password":
            refuse_reveal(self.env)
        return super().action_reveal(field_name)
