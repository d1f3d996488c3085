from odoo import fields, models


class IspReportGroup(models.Model):
    """The months of groups of people, each large enough that nobody is found in it.

    See ``facts_groups``. Nothing leads from a row to a person, so rows stay when the facts of their
    months are deleted.
    """

    _name = "isp.report.group"
    _description = "Months of groups"
    _inherit = ["isp.report.measures"]
    _order = "month desc, id"
    _log_access = False

    depth = fields.Integer(
        readonly=True, help="So many of plan, district, area and responsible are told."
    )
    people_count = fields.Integer("People", readonly=True)
    min_people = fields.Integer(
        "Smallest group", readonly=True, help="As the company demanded when the row was written."
    )

    is_closed = fields.Boolean(
        "Kept for ever", readonly=True, help="The figures of single subscriptions are deleted."
    )

    _month_idx = models.Index("(company_id, month)")
