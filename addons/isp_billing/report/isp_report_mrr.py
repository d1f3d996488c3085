from odoo import fields, models
from odoo.tools import SQL


class IspReportMrr(models.Model):
    """What recurs, and how it moved: opening + new + up + down + lost + back = closing."""

    _name = "isp.report.mrr"
    _description = "Recurring revenue"
    _inherit = ["isp.report.view"]
    _auto = False

    _snapshots = ("opening_mrr", "mrr", "unbilled_mrr")

    opening_mrr = fields.Monetary(
        "Opening", readonly=True, help="Recurring revenue at the end of the month before."
    )
    new_mrr = fields.Monetary("New", readonly=True, help="Of customers who had none before.")
    up_mrr = fields.Monetary("Up", readonly=True, help="Those who pay more than the month before.")
    down_mrr = fields.Monetary("Down", readonly=True, help="Those who pay less than before.")
    lost_mrr = fields.Monetary("Lost", readonly=True, help="Those who pay nothing any more.")
    back_mrr = fields.Monetary("Back", readonly=True, help="Those who had left and pay again.")
    taken_over_mrr = fields.Monetary(
        "Taken over", readonly=True, help="First bill of customers imported from another system."
    )
    mrr = fields.Monetary(
        "Recurring revenue",
        readonly=True,
        help="Monthly value, before taxes, of what covers the last day of the month. Over several "
        "months: their average.",
    )
    unbilled_mrr = fields.Monetary(
        "Not billed yet",
        readonly=True,
        help="The part of the recurring revenue whose bill is still to come, at the price of the "
        "last one.",
    )
    revenue = fields.Monetary(
        "Recognised revenue",
        readonly=True,
        help="What was billed, before taxes, allotted by days to the months it pays for.",
    )
    billed = fields.Monetary(
        "Billed before taxes", readonly=True, help="In the month of the bill, less credit notes."
    )

    def _get_where(self):
        names = ("opening_mrr", "mrr", "new_mrr", "lost_mrr", "revenue", "billed")
        return SQL(" OR ").join(SQL("total.%s <> 0", SQL.identifier(name)) for name in names)
