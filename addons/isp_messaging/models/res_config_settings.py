from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_channel_1 = fields.Selection(
        related="company_id.isp_channel_1", readonly=False, required=True
    )
    isp_channel_2 = fields.Selection(related="company_id.isp_channel_2", readonly=False)
    isp_channel_3 = fields.Selection(related="company_id.isp_channel_3", readonly=False)
