from odoo import api, fields, models

from odoo.addons.isp_base.encryption import encrypted_char


class TestIspSecret(models.Model):
    """A model with every kind of encrypted field."""

    _name = "test.isp.secret"
    _description = "Test of encrypted fields"
    _inherit = ["mail.thread", "isp.encrypted.mixin"]

    _privacy_subject = None
    _privacy_defaults = {"category": "credential", "purpose": "security", "retention": "account"}
    _privacy_fields = {"password identity phone": "secret"}
    _privacy_free = {"The tests fill it.": "name plain"}

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    plain = fields.Char()
    password, password_enc, password_bidx, password_last4 = encrypted_char(
        "password", "Password", groups="isp_base.group_isp_clerk"
    )
    identity, identity_enc, identity_bidx, identity_last4 = encrypted_char(
        "identity", "Identity number", groups="isp_base.group_isp_manager", indexed=True
    )
    phone, phone_enc, phone_bidx, phone_last4 = encrypted_char(
        "phone", "Private phone", groups="base.group_user", indexed=True, normalize="phone"
    )
    # Stored values derived from a secret, as the RADIUS hash is.
    password_length = fields.Integer(compute="_compute_password_length", store=True)

    @api.depends("password_enc")
    def _compute_password_length(self):
        for record in self:
            record.password_length = len(record.sudo().password or "")
