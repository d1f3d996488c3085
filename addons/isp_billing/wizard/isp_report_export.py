from urllib.parse import urlencode

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class IspReportExport(models.TransientModel):
    """Asks which months and companies the workbook of reports shall hold."""

    _name = "isp.report.export"
    _description = "Export reports"

    date_from = fields.Date(
        "From month",
        required=True,
        default=lambda self: fields.Date.subtract(
            self.env.company._get_isp_today().replace(day=1), months=11
        ),
    )
    date_to = fields.Date(
        "To month", required=True, default=lambda self: self.env.company._get_isp_today()
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        required=True,
        default=lambda self: self.env.companies,
        domain=lambda self: [("id", "in", self.env.companies.ids)],
    )

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for wizard in self:
            if wizard.date_from > wizard.date_to:
                raise ValidationError(self.env._("The first month lies after the last one."))

    def action_export(self):
        """Download the workbook."""
        self.ensure_one()
        query = {
            "date_from": self.date_from.replace(day=1),
            "date_to": self.date_to.replace(day=1),
            "company_ids": ",".join(map(str, self.company_ids.ids)),
        }
        return {
            "type": "ir.actions.act_url",
            "url": f"/isp_billing/reports.xlsx?{urlencode(query)}",
            "target": "download",
        }
