from odoo import fields, models


class IspBillingRunException(models.Model):
    """A subscription that a billing run could not bill, and why."""

    _name = "isp.billing.run.exception"
    _description = "Billing exception"
    _order = "run_id desc, id"
    _rec_name = "subscription_id"

    run_id = fields.Many2one("isp.billing.run", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id")
    plan_id = fields.Many2one(related="subscription_id.plan_id")
    reason = fields.Text(required=True)
