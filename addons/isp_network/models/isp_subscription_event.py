from odoo import fields, models


class IspSubscriptionEvent(models.Model):
    _inherit = "isp.subscription.event"

    event_type = fields.Selection(
        selection_add=[("device", "Device")], ondelete={"device": "cascade"}
    )
