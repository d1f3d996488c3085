from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_log_months = fields.Integer(
        related="company_id.isp_log_months", readonly=False, required=True
    )
    isp_usage_months = fields.Integer(
        related="company_id.isp_usage_months", readonly=False, required=True
    )
