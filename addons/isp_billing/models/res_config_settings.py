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
    isp_dunning_policy_id = fields.Many2one(
        related="company_id.isp_dunning_policy_id", readonly=False
    )
    isp_company_tz = fields.Selection(
        related="company_id.partner_id.tz", readonly=False, string="Time zone of the company"
    )
    isp_billing_workers = fields.Integer(
        related="company_id.isp_billing_workers", readonly=False, required=True
    )
    isp_report_min_group = fields.Integer(
        related="company_id.isp_report_min_group", readonly=False, required=True
    )
    isp_high_bill_factor = fields.Float(
        related="company_id.isp_high_bill_factor", readonly=False, required=True
    )
    isp_one_bill = fields.Boolean(related="company_id.isp_one_bill", readonly=False)
    isp_apply_credits = fields.Boolean(related="company_id.isp_apply_credits", readonly=False)
    isp_locked_period = fields.Selection(
        related="company_id.isp_locked_period", readonly=False, required=True
    )
    isp_run_scheduled = fields.Boolean(related="company_id.isp_run_scheduled", readonly=False)
    isp_run_hour = fields.Integer(related="company_id.isp_run_hour", readonly=False)
    isp_run_lead_days = fields.Integer(related="company_id.isp_run_lead_days", readonly=False)
    isp_run_invoice_date = fields.Selection(
        related="company_id.isp_run_invoice_date", readonly=False, required=True
    )
