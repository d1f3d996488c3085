from odoo import fields, models


class IspReportMark(models.Model):
    """A subscription whose figures changed by something being deleted.

    Rows are only added, so that noting it never collides with a refresh.
    """

    _name = "isp.report.mark"
    _description = "Figures to be worked out again"
    _log_access = False

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
