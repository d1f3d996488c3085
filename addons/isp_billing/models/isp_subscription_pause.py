from odoo import fields, models

from ..const import PAUSE_POLICIES


class IspSubscriptionPause(models.Model):
    """Days on which a subscription was suspended, and what they mean for its bills."""

    _name = "isp.subscription.pause"
    _description = "Suspension"
    _order = "subscription_id, date_from desc, id desc"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "account", "purpose": "service", "retention": "account"}
    _privacy_facts = "date_from date_to policy"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    date_from = fields.Date("From", required=True, readonly=True, help="First day without service.")
    date_to = fields.Date(
        "Until", readonly=True, help="First day with service again; empty while it lasts."
    )
    policy = fields.Selection(PAUSE_POLICIES, "Billing", required=True, readonly=True)

    _dates_ordered = models.Constraint(
        "CHECK (date_to IS NULL OR date_to >= date_from)",
        "A suspension cannot end before it begins.",
    )
    _one_at_a_time = models.Constraint(
        "EXCLUDE USING gist (subscription_id WITH =, daterange(date_from, date_to) WITH &&)",
        "The subscription is suspended on these days already.",
    )
