from odoo import fields, models
from odoo.tools import SQL


class IspReportCollection(models.Model):
    """What was billed and what came in, by month and area.

    A report on the books: everybody counts, where they are, whatever the size of the group.
    """

    _name = "isp.report.collection"
    _description = "Collected against billed"
    _inherit = ["isp.report.view"]
    _auto = False

    _is_book = True
    _ratios = {"rate": ("collected", "invoiced")}

    invoiced = fields.Monetary(
        "Billed",
        readonly=True,
        help="Posted bills with taxes, less credit notes, in the month of their date.",
    )
    collected = fields.Monetary(
        readonly=True,
        help="Payments of these bills less refunds, in the month in which payment and bill were "
        "both there.",
    )
    rate = fields.Float(
        "Collection rate", readonly=True, aggregator="avg", help="Collected by billed."
    )

    def _get_where(self):
        return SQL("total.invoiced <> 0 OR total.collected <> 0")
