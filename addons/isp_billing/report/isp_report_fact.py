from odoo import fields, models

# Measures of a month, in the order in which they are stored. Sums of rows are sums of facts, so
# every report adds up these and nothing else.
MRR = (
    "opening_mrr",
    "new_mrr",
    "up_mrr",
    "down_mrr",
    "lost_mrr",
    "back_mrr",
    "taken_over_mrr",
    "mrr",
    "unbilled_mrr",
)
COUNTS = (
    "opening_count",
    "joined_count",
    "returned_count",
    "left_count",
    "subscriber_count",
    "suspended_count",
    "resumed_count",
    "active_count",
)
MONEY = ("revenue", "billed", "invoiced", "collected")
MEASURES = MRR + COUNTS + MONEY
# What a month is added up by.
DIMENSIONS = ("company_id", "month", "plan_id", "area", "state_id", "user_id")


class IspReportMeasures(models.AbstractModel):
    """The figures of a month: of one subscription, or of many together."""

    _name = "isp.report.measures"
    _description = "Figures of a month"

    _privacy_free = {
        "A town, the same for many.": "area",
        "Who of the staff looks after the customer; the account is mapped.": "user_id",
    }

    month = fields.Date(required=True, readonly=True, help="The first day of the month.")
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    plan_id = fields.Many2one("isp.plan", readonly=True)
    area = fields.Char(readonly=True, help="City of the service address, or else of the customer.")
    state_id = fields.Many2one("res.country.state", "District", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)

    # === FIELDS - WHAT RECURS === #
    opening_mrr = fields.Monetary("Opening", readonly=True)
    new_mrr = fields.Monetary("New", readonly=True)
    up_mrr = fields.Monetary("Up", readonly=True)
    down_mrr = fields.Monetary("Down", readonly=True)
    lost_mrr = fields.Monetary("Lost", readonly=True)
    back_mrr = fields.Monetary("Back", readonly=True)
    taken_over_mrr = fields.Monetary("Taken over", readonly=True)
    mrr = fields.Monetary("Recurring revenue", readonly=True)
    unbilled_mrr = fields.Monetary("Not billed yet", readonly=True)

    # === FIELDS - WHO === #
    opening_count = fields.Integer("Subscribers before", readonly=True)
    joined_count = fields.Integer("Joined", readonly=True)
    returned_count = fields.Integer("Came back", readonly=True)
    left_count = fields.Integer("Left", readonly=True)
    subscriber_count = fields.Integer("Subscribers", readonly=True)
    suspended_count = fields.Integer("Suspended", readonly=True)
    resumed_count = fields.Integer("Reconnected", readonly=True)
    active_count = fields.Integer("Active", readonly=True)

    # === FIELDS - MONEY === #
    revenue = fields.Monetary("Recognised revenue", readonly=True)
    billed = fields.Monetary("Billed before taxes", readonly=True)
    invoiced = fields.Monetary("Billed", readonly=True)
    collected = fields.Monetary(readonly=True)


class IspReportFact(models.Model):
    """One subscription in one month, worked out from its charges, bills, payments and events.

    Written by ``isp.report.refresh`` only, and always the same from the same books.
    """

    _name = "isp.report.fact"
    _description = "Subscriber's month"
    _inherit = ["isp.report.measures"]
    _order = "month desc, subscription_id"
    _rec_name = "subscription_id"
    _log_access = False

    _privacy_subject = "partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "analytics", "retention": "account"}
    _privacy_fields = {"partner_id": {"erasure": "detach", "export": False}}

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True, index=True)
    is_left_out = fields.Boolean(
        "Not analysed",
        readonly=True,
        help="The customer objected, or the data is restricted: the books count the service, analyses "
        "show it in no group.",
    )

    _once = models.UniqueIndex("(subscription_id, month)", "One row a subscription and month.")
    _month_idx = models.Index("(company_id, month)")
    _movement_idx = models.Index(
        "(company_id, month) WHERE joined_count > 0 OR returned_count > 0 OR left_count > 0"
    )

    def action_view_subscription(self):
        """Open the subscription."""
        return self.subscription_id._action_open()
