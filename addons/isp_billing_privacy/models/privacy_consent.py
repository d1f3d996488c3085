from odoo import api, models

from .isp_report_refresh import ANALYTICS


class PrivacyConsent(models.Model):
    """Reports follow what people decide about being analysed."""

    _inherit = "privacy.consent"

    @api.model_create_multi
    def create(self, vals_list):
        """Have the figures of these people worked out again."""
        rows = super().create(vals_list)
        people = rows.filtered(lambda row: row.purpose_id.code == ANALYTICS).partner_id
        if people:
            # sudo: customers decide it, and see none of the reports.
            self.env["isp.report.mark"].sudo()._mark_customers(people)
        return rows
