from odoo import fields, models


class IspSubscriptionLineTerms(models.Model):
    """What a line cost until a day, kept when its price, quantity or discount changes."""

    _name = "isp.subscription.line.terms"
    _description = "Earlier price of a subscription line"
    _order = "line_id, date_to, id"

    line_id = fields.Many2one(
        "isp.subscription.line", required=True, readonly=True, index=True, ondelete="cascade"
    )
    subscription_id = fields.Many2one(related="line_id.subscription_id", store=True, index=True)
    company_id = fields.Many2one(related="line_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date_to = fields.Date(
        "Until", required=True, readonly=True, help="First day of the later price."
    )
    quantity = fields.Float(digits="Product Unit", readonly=True)
    price_unit = fields.Float("Unit price", digits="Product Price", readonly=True, aggregator=None)
    discount = fields.Float("Discount (%)", digits="Discount", readonly=True, aggregator=None)

    _day_once = models.UniqueIndex(
        "(line_id, date_to)", "The price of a line changes once a day at most."
    )
