from odoo import fields, models

from ..const import CHANNELS
from ..engine import numbers


class ResPartner(models.Model):
    """By which channel a customer wants to be reached, and which messages went out."""

    _inherit = "res.partner"

    _privacy_facts = "isp_channel_1 isp_channel_2 isp_channel_3"

    isp_channel_1 = fields.Selection(
        CHANNELS,
        "Messages by",
        help="Left empty, the order of the company is followed. A channel that fails is followed by "
        "the next one.",
    )
    isp_channel_2 = fields.Selection(CHANNELS, "Otherwise by")
    isp_channel_3 = fields.Selection(CHANNELS, "And otherwise by")
    isp_message_count = fields.Integer(
        "Number of messages",
        compute="_compute_isp_message_count",
        groups="isp_base.group_isp_support",
    )

    def _compute_isp_message_count(self):
        counts = self.env["isp.message"]._count_by("partner_id", self)
        for partner in self:
            partner.isp_message_count = counts.get(partner._origin, 0)

    # === ACTIONS === #

    def action_view_isp_messages(self):
        """Open what was sent to the customer."""
        return self.env["isp.message"]._get_action("partner_id", self)

    # === BUSINESS METHODS === #

    def _get_isp_channel_order(self, company):
        """Return the channels in the order in which the customer is to be reached by them."""
        self.ensure_one()
        # The company's own order counts only as a whole: who chose one channel chose no other.
        chooser = self if self.isp_channel_1 else company.sudo()
        order = [chooser.isp_channel_1, chooser.isp_channel_2, chooser.isp_channel_3]
        offered = company._get_isp_channels()
        return list(dict.fromkeys(name for name in order if name in offered))

    def _get_isp_address(self, channel, company):
        """Return the number in E.164, or the mail address, of a channel; None when there is none."""
        if channel == "email":
            return self.email_normalized or None
        country = self.country_id.code or company.country_id.code
        return numbers.to_e164(self.phone, country)
