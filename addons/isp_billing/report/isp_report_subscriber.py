from odoo import fields, models
from odoo.tools import SQL


class IspReportSubscriber(models.Model):
    """Who joined, left and came back, by month: before + joined + came back - left = subscribers."""

    _name = "isp.report.subscriber"
    _description = "Subscribers by month"
    _inherit = ["isp.report.view"]
    _auto = False

    _snapshots = ("opening_count", "subscriber_count", "suspended_count", "active_count")
    _ratios = {
        "arpu": ("billed", "active_count"),
        "churn_rate": ("left_count", "opening_count"),
    }

    opening_count = fields.Integer(
        "Subscribers before", readonly=True, help="In service on the last day of the month before."
    )
    joined_count = fields.Integer("Joined", readonly=True, help="Services begun in the month.")
    returned_count = fields.Integer(
        "Came back", readonly=True, help="Services begun by customers who had left before."
    )
    left_count = fields.Integer("Left", readonly=True, help="Services ended in the month.")
    subscriber_count = fields.Integer(
        "Subscribers",
        readonly=True,
        help="In service on the last day of the month. Over several months: their average.",
    )
    suspended_count = fields.Integer(
        "Suspended", readonly=True, help="Subscribers suspended at the end of the month."
    )
    resumed_count = fields.Integer(
        "Reconnected", readonly=True, help="Suspended a month before, active now."
    )
    active_count = fields.Integer(
        "Active", readonly=True, help="Subscribers who are not suspended at the end of the month."
    )
    billed = fields.Monetary(
        "Billed before taxes", readonly=True, help="In the month of the bill, less credit notes."
    )
    arpu = fields.Monetary(
        "Revenue per user",
        readonly=True,
        aggregator="avg",
        help="Billed before taxes, for each active subscriber and month.",
    )
    churn_rate = fields.Float(
        "Churn",
        readonly=True,
        aggregator="avg",
        help="Who left, as a share of the subscribers before.",
    )

    def _get_where(self):
        return SQL(
            "total.opening_count + total.joined_count + total.returned_count"
            " + total.subscriber_count + total.left_count > 0 OR total.billed <> 0"
        )
