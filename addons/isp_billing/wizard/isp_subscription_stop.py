from odoo import api, fields, models

from ..const import SUSPEND_REASONS


class IspSubscriptionStop(models.TransientModel):
    """Asks why, and for an end from when, before a service is taken away."""

    _name = "isp.subscription.stop"
    _description = "Suspend or terminate subscriptions"

    operation = fields.Selection(
        [("suspend", "Suspend"), ("terminate", "Terminate")], required=True, readonly=True
    )
    subscription_ids = fields.Many2many("isp.subscription", required=True, readonly=True)
    suspend_reason = fields.Selection(SUSPEND_REASONS, default="request")
    date_end = fields.Date(
        "First day without service", default=lambda self: self.env.company._get_isp_today()
    )
    reason = fields.Char("Explanation", help="Kept in the history of the subscription.")
    warning = fields.Char(compute="_compute_warning")

    @api.depends("operation", "subscription_ids", "suspend_reason")
    def _compute_warning(self):
        for wizard in self:
            wizard.warning = False
            if wizard.operation == "suspend" and wizard.suspend_reason == "overdue":
                wizard.warning = self.env._(
                    "A suspension for an overdue payment ends by itself when the bill is paid."
                )

    def action_confirm(self):
        """Do it."""
        self.ensure_one()
        if self.operation == "suspend":
            label = dict(self._fields["suspend_reason"]._description_selection(self.env))
            self.subscription_ids._suspend(
                self.suspend_reason, self.reason or label[self.suspend_reason]
            )
        else:
            self.subscription_ids._terminate(
                self.reason or self.env._("Terminated by hand"), self.date_end
            )
