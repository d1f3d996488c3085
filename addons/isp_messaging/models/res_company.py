from odoo import fields, models

from ..const import CHANNELS
from .sms_sms import SmsApiOutbox


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_channel_1 = fields.Selection(CHANNELS, "First channel", required=True, default="sms")
    isp_channel_2 = fields.Selection(CHANNELS, "Second channel", default="whatsapp")
    isp_channel_3 = fields.Selection(CHANNELS, "Third channel", default="email")

    def _get_sms_gateway(self):
        """Return the gateway by which the company sends text messages."""
        self.ensure_one()
        # sudo: whoever causes a message need not see the accounts.
        return (
            self.env["isp.message.gateway"]
            .sudo()
            .search([("company_id", "=", self.id), ("active", "=", True)], limit=1)
        )

    def _get_isp_channels(self):
        """Return the channels by which the company can send at all.

        Hook: an addon with another kind of gateway adds its channel.
        """
        return {"email", *(["sms"] if self._get_sms_gateway() else [])}

    def _get_sms_api_class(self):
        return SmsApiOutbox if self._get_sms_gateway() else super()._get_sms_api_class()
