from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_username_pattern = fields.Char(
        related="company_id.isp_username_pattern", readonly=False, required=True
    )
    isp_password_length = fields.Integer(
        related="company_id.isp_password_length", readonly=False, required=True
    )
    isp_journal_id = fields.Many2one(related="company_id.isp_journal_id", readonly=False)
    isp_bulk_invoicing = fields.Boolean(related="company_id.isp_bulk_invoicing", readonly=False)
    isp_auto_suspend = fields.Boolean(related="company_id.isp_auto_suspend", readonly=False)
    isp_suspend_after_days = fields.Integer(
        related="company_id.isp_suspend_after_days", readonly=False
    )
    isp_suspend_hour = fields.Integer(related="company_id.isp_suspend_hour", readonly=False)
    isp_company_tz = fields.Selection(
        related="company_id.partner_id.tz", readonly=False, string="Time zone of the company"
    )
