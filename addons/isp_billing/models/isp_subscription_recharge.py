from dataclasses import replace

from odoo import api, fields, models

from ..engine import schedule


class IspSubscriptionRecharge(models.Model):
    """Time bought by a prepaid customer whose periods begin with the payment."""

    _name = "isp.subscription.recharge"
    _description = "Recharge of a prepaid subscription"
    _order = "subscription_id, date, id"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "account", "purpose": "service", "retention": "account"}
    _privacy_facts = "date periods paid_date"

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

    paid_date = fields.Date(
        "Paid on",
        readonly=True,
        copy=False,
        help="The day on which its bill was paid for the first time.",
    )

    _periods_positive = models.Constraint("CHECK (periods > 0)", "Buy at least one period.")

    @api.model_create_multi
    def create(self, vals_list):
        recharges = super().create(vals_list)
        for recharge in recharges:
            recharge.subscription_id._note_change(recharge.date)
        return recharges


class IspCharge(models.Model):
    _inherit = "isp.charge"

    def _begin_paid_time(self):
        """Let the time on bills that were just paid begin today, if it was to begin before.

        Time that is bought by recharging begins with the payment. The bill names a period without
        dates, so only the charges move; their amounts stay.
        """
        for subscription, charges in self.grouped("subscription_id").items():
            recurring = charges.filtered(lambda charge: charge.charge_type == "recurring")
            if recurring and subscription.plan_id._is_recharged():
                recurring._move_paid_time(subscription)

    def _move_paid_time(self, subscription):
        recharge = subscription.recharge_ids.sorted("date")[-1:]
        latest = subscription.charge_ids.filtered(lambda c: c.charge_type == "recurring")
        if recharge.paid_date or max(latest.mapped("date_to")) > max(self.mapped("date_to")):
            # Paid before, or time that was bought later follows it already.
            return
        today = subscription.company_id._get_isp_today()
        recharge.paid_date = today
        if recharge.date >= today or min(self.mapped("date_from")) >= today:
            return
        history = subscription._get_history()
        payments = sorted(history.payments, key=lambda payment: payment.day)
        payments[-1] = replace(payments[-1], day=today)
        history = replace(history, payments=tuple(payments))
        own = self.sorted(lambda charge: (charge.line_id.id, charge.date_from))
        wanted = [
            charge
            for charge in schedule.bill(history, today).charges
            if charge.kind == "recurring" and charge.date_from >= today
        ]
        wanted.sort(key=lambda charge: (int(charge.line), charge.date_from))
        if [(str(c.line_id.id), c.rule, c.amount) for c in own] != [
            (charge.line, charge.rule, float(charge.amount)) for charge in wanted
        ]:
            # Something else has changed meanwhile: what was sold stays as it is.
            return
        recharge.date = today
        for charge, moved in zip(own, wanted, strict=True):
            charge.write({"date_from": moved.date_from, "date_to": moved.date_to})
        subscription._log_event(
            "billing", self.env._("The time paid for begins with the payment"), effective_date=today
        )
