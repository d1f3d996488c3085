from odoo import models


class IspBillingRun(models.Model):
    _inherit = "isp.billing.run"

    def write(self, vals):
        """Have the reports refreshed when a run has ended."""
        res = super().write(vals)
        if vals.get("state") == "done":
            # sudo: an accountant may run billing, but not call a scheduled action.
            self.env.ref("isp_billing.isp_report_cron_refresh").sudo()._trigger()
        return res
