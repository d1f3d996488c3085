from odoo import fields, models


class IspDunningHoliday(models.Model):
    """A public holiday, on which no dunning policy touches a service."""

    _name = "isp.dunning.holiday"
    _description = "Holiday"
    _order = "date desc, id desc"

    _privacy_free = "Public holidays."

    name = fields.Char("Holiday", required=True, translate=True)
    date = fields.Date("Day", required=True)
    company_id = fields.Many2one(
        "res.company",
        index=True,
        default=lambda self: self.env.company,
        help="Left empty, the day is a holiday of every company.",
    )

    _day_uniq = models.UniqueIndex(
        "(date, company_id) NULLS NOT DISTINCT", "This day is a holiday already."
    )
