from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_bill_layout = fields.Selection(
        related="company_id.isp_bill_layout", readonly=False, required=True
    )
    isp_print_after_run = fields.Boolean(related="company_id.isp_print_after_run", readonly=False)
    isp_payment_instructions = fields.Text(
        related="company_id.isp_payment_instructions", readonly=False
    )
