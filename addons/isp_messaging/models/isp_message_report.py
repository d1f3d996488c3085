import secrets

from odoo import api, fields, models

from odoo.addons.isp_base.encryption import encrypted_char

from ..gateways import CLIENTS


class IspMessageGateway(models.Model):
    """Reports of deliveries: unsigned, so the address is the secret, and they only move forward."""

    _inherit = "isp.message.gateway"

    _privacy_fields = {"callback_token": "secret"}

    callback_token, callback_token_enc, callback_token_bidx, callback_token_last4 = encrypted_char(
        "callback_token",
        "Token of the callback address",
        groups="isp_base.group_isp_manager",
        indexed=True,
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Give each account an address of its own."""
        for vals in vals_list:
            # Hexadecimal: the index by which it is found does not tell small letters from capitals.
            vals.setdefault("callback_token", secrets.token_hex(20))
        return super().create(vals_list)

    def action_show_callback(self):
        """Show the address that is entered in the gateway's panel; that it was shown is noted."""
        self.ensure_one()
        action = self.action_reveal("callback_token")
        url = f"{self.get_base_url()}/isp_messaging/report/{self.callback_token}"
        action["params"]["message"] = url
        return action

    def _take_reports(self, form, body):
        """Note what became of messages; what does not fit is passed over."""
        self.ensure_one()
        now = fields.Datetime.now()
        for report in CLIENTS[self.provider].read_reports(form, body):
            message = self.env["isp.message"].search(
                [("gateway_id", "=", self.id), ("provider_ref", "=", report.reference)], limit=1
            )
            # Nobody has signed it: of a number that is not the message's it says nothing.
            if message.state != "accepted" or message.recipient != report.number:
                continue
            if report.is_delivered:
                message._move_to("delivered")
            else:
                message._fail(report.reason, now)
