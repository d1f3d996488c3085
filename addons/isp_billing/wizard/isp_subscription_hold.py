from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import DUNNING_HOLDS

# What a clerk usually grants who asks for time.
PROMISE_DAYS = 3


class IspSubscriptionHold(models.TransientModel):
    """Asks why, and for a promise until when, before the steps of a policy wait."""

    _name = "isp.subscription.hold"
    _description = "Hold the dunning of subscriptions"

    kind = fields.Selection(DUNNING_HOLDS, required=True, readonly=True)
    subscription_ids = fields.Many2many("isp.subscription", required=True, readonly=True)
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id, readonly=True
    )
    date_until = fields.Date(
        "Until",
        default=lambda self: self.env.company._get_isp_today() + timedelta(days=PROMISE_DAYS),
        help="The last day on which the steps wait.",
    )
    amount = fields.Monetary(
        "Amount promised", compute="_compute_amount", store=True, readonly=False
    )
    reason = fields.Char("Why", help="Kept in the history of the subscription.")
    can_resume = fields.Boolean(compute="_compute_can_resume")
    resume = fields.Boolean("Give the service back until then", default=True)

    # === COMPUTE METHODS === #

    @api.depends("subscription_ids")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(wizard.subscription_ids.mapped("unpaid_amount"))

    @api.depends("subscription_ids")
    def _compute_can_resume(self):
        for wizard in self:
            wizard.can_resume = any(s._waits_for_money() for s in wizard.subscription_ids)

    # === ACTION METHODS === #

    def action_confirm(self):
        """Hold the steps, and give back the service where that is wanted."""
        self.ensure_one()
        if not self.reason and self.kind != "promise":
            raise UserError(self.env._("Write down why, for those who ask later."))
        reason = self.reason or self.env._("Promised to the clerk")
        subscriptions = self.subscription_ids
        subscriptions._hold(self.kind, reason, self.date_until, self.amount)
        if self.resume and self.can_resume:
            waiting = subscriptions.filtered(lambda s: s._waits_for_money())
            words = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
            waiting._resume(words)
            waiting._unthrottle(words)
        return {"type": "ir.actions.act_window_close"}
