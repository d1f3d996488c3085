from odoo import fields, models
from odoo.tools import format_date


class IspSubscription(models.Model):
    """Reminders by the channels that the customer chose."""

    _inherit = "isp.subscription"

    isp_message_count = fields.Integer(
        "Number of messages",
        compute="_compute_isp_message_count",
        groups="isp_base.group_isp_support",
    )

    def _compute_isp_message_count(self):
        counts = self.env["isp.message"]._count_by("subscription_id", self)
        for subscription in self:
            subscription.isp_message_count = counts.get(subscription._origin, 0)

    # === ACTIONS === #

    def action_view_isp_messages(self):
        """Open what was sent about the subscription."""
        return self.env["isp.message"]._get_action("subscription_id", self)

    # === BUSINESS METHODS === #

    def _send_dunning_message(self, step, channel):
        """Queue a reminder by the first channel that reaches the customer.

        Without a gateway there is nothing to choose: it goes by mail, as ever.
        """
        if channel != "preferred":
            return super()._send_dunning_message(step, channel)
        if not step.company_id._get_sms_gateway():
            return super()._send_dunning_message(step, "mail")
        unpaid = self._get_unpaid_since()
        reached = self.browse()
        for subscription in self:
            due, amount = unpaid.get(subscription.id, (False, 0.0))
            if subscription._queue_reminder(step, due, amount):
                reached |= subscription
        return reached

    def _queue_reminder(self, step, due, amount):
        """Put the reminder of one unpaid bill into the outbox, once.

        :return: whether the customer can be reached at all
        """
        self.ensure_one()
        partner, company = self.partner_id, self.company_id
        reachable = [
            name
            for name in partner._get_isp_channel_order(company)
            if partner._get_isp_address(name, company)
        ]
        if not reachable:
            return False
        self.env["isp.message"]._queue(
            company,
            f"dunning:{self.id}:{step.id}:{due}",
            channel=reachable[0],
            channels_left=",".join(reachable[1:]),
            partner_id=partner.id,
            subscription_id=self.id,
            template=step._get_message_template(),
            mail_template_id=step.mail_template_id.id,
            values=self._prepare_message_values(due, amount),
        )
        return True

    def _prepare_message_values(self, due, amount):
        """Return what the placeholders of a message on this subscription stand for."""
        self.ensure_one()
        lang = self.partner_id.lang
        return {
            "customer": self.partner_id.name,
            "company": self.company_id.name,
            "plan": self.plan_id.with_context(lang=lang).name,
            "service": self.name,
            # The sign of the currency would turn the whole message into Unicode.
            "amount": f"{self.currency_id.name} {amount:,.{self.currency_id.decimal_places}f}",
            "due_date": due and format_date(self.env, due, lang_code=lang),
            "pay_url": self._get_portal_pay_url(),
        }

    def _get_unreached_reason(self, step):
        if step.channel != "preferred":
            return super()._get_unreached_reason(step)
        return self.env._("The customer has no phone number and no e-mail address that can be used")
