from odoo import api, fields, models


class IspSubscriptionEvent(models.Model):
    """Who changed a subscription, when, why, from what and to what. Never edited."""

    _name = "isp.subscription.event"
    _description = "Subscription event"
    _order = "date desc, id desc"
    _log_access = True

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "account", "purpose": "service", "retention": "account"}
    _privacy_fields = {
        "reason": "free_text",
        # Earlier names and addresses of the service are among them.
        "from_value to_value": {"erasure": "null"},
        "user_id": "staff",
    }
    _privacy_facts = "date event_type effective_date"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="subscription_id.partner_id")
    date = fields.Datetime(
        required=True, readonly=True, index=True, default=lambda self: fields.Datetime.now()
    )
    user_id = fields.Many2one(
        "res.users", "By", required=True, readonly=True, default=lambda self: self.env.user
    )
    event_type = fields.Selection(
        [
            ("create", "Created"),
            ("import", "Imported"),
            ("state", "State"),
            ("plan", "Plan"),
            ("price", "Price"),
            ("password", "Password"),
            ("billing", "Billing"),
            ("dunning", "Dunning"),
        ],
        "What",
        required=True,
        readonly=True,
    )
    reason = fields.Char("Why", readonly=True)
    effective_date = fields.Date(
        "Takes effect", readonly=True, help="First day on which bills follow the change."
    )
    from_value = fields.Char("From", readonly=True)
    to_value = fields.Char("To", readonly=True)
    change = fields.Char(compute="_compute_change", help="From what to what, in words.")

    # === COMPUTE METHODS === #

    @api.depends("event_type", "from_value", "to_value")
    def _compute_change(self):
        field = self.env["isp.subscription"]._fields["state"]
        states = dict(field._description_selection(self.env))
        for event in self:
            values = [event.from_value, event.to_value]
            if event.event_type == "state":
                values = [states.get(value, value) for value in values]
            event.change = " → ".join(value for value in values if value)


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def _log_event(
        self, event_type, reason, from_value=False, to_value=False, effective_date=False
    ):
        """Write one event for each subscription; reason and values may be functions of it.

        :param effective_date: first day on which bills follow the change
        """

        def value_of(value, subscription):
            return value(subscription) if callable(value) else value

        # sudo: nobody may write events but this method, or the history could be forged.
        return (
            self.env["isp.subscription.event"]
            .sudo()
            .create(
                [
                    {
                        "subscription_id": subscription.id,
                        "event_type": event_type,
                        "reason": value_of(reason, subscription),
                        "from_value": value_of(from_value, subscription),
                        "to_value": value_of(to_value, subscription),
                        "user_id": self.env.uid,
                        "effective_date": value_of(effective_date, subscription),
                    }
                    for subscription in self
                ]
            )
        )
