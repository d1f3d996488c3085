from odoo import fields, models


class IspBillingRunException(models.Model):
    """A subscription that a billing run could not bill, and why."""

    _name = "isp.billing.run.exception"
    _description = "Billing exception"
    _order = "run_id desc, id"
    _rec_name = "subscription_id"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "account"}
    _privacy_fields = {"reason": {"category": "free_text", "erasure": "mask", "export": False}}

    run_id = fields.Many2one("isp.billing.run", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id")
    plan_id = fields.Many2one(related="subscription_id.plan_id")
    reason = fields.Text(required=True)
