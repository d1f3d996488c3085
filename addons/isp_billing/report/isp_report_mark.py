from odoo import api, fields, models


class IspReportMark(models.Model):
    """A subscription whose figures changed by what no row of its own tells, such as a deletion.

    Rows are only added, so that noting it never collides with a refresh.
    """

    _name = "isp.report.mark"
    _description = "Figures to be worked out again"
    _log_access = False

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )

    @api.model
    def _mark_customers(self, partners):
        """Have the figures of all services of these customers worked out again."""
        domain = ["|", ("partner_id", "in", partners.ids)]
        domain += [("commercial_partner_id", "in", partners.ids)]
        services = self.env["isp.subscription"].with_context(active_test=False).search(domain)
        self.create([{"subscription_id": service.id} for service in services])
        self.env["isp.report.refresh"]._get_cron()._trigger()
