from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_realm = fields.Char(related="company_id.isp_realm", readonly=False)
    isp_walled_proxies = fields.Char(related="company_id.isp_walled_proxies", readonly=False)
