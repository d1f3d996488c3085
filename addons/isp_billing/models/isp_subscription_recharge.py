from odoo import api, fields, models


class IspSubscriptionRecharge(models.Model):
    """Time bought by a prepaid customer whose periods begin with the payment."""

    _name = "isp.subscription.recharge"
    _description = "Recharge of a prepaid subscription"
    _order = "subscription_id, date, id"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    date = fields.Date(required=True, readonly=True)
    periods = fields.Integer(
        "Periods bought",
        required=True,
        readonly=True,
        default=1,
        help="The time begins when the time bought before ends, and not before the day.",
    )

    _periods_positive = models.Constraint("CHECK (periods > 0)", "Buy at least one period.")

    @api.model_create_multi
    def create(self, vals_list):
        recharges = super().create(vals_list)
        for recharge in recharges:
            recharge.subscription_id._note_change(recharge.date)
        return recharges
