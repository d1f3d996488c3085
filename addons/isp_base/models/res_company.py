from odoo import api, models


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.model
    def _isp_update_report_style(self):
        """Write the style sheet of documents anew; called at install and update."""
        self._update_asset_style()
