from odoo import api, fields, models

from ..const import END_POLICIES, PAUSE_POLICIES, SUSPEND_REASONS


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
    suspend_billing = fields.Selection(
        PAUSE_POLICIES, "Billing meanwhile", help="Left empty, as the plan says."
    )
    end_policy = fields.Selection(
        END_POLICIES,
        "Days paid already",
        default="credit",
    )
    has_term = fields.Boolean(compute="_compute_has_term")
    waive_early_fee = fields.Boolean("Waive the early termination fee")
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

    @api.depends("subscription_ids", "date_end")
    def _compute_has_term(self):
        for wizard in self:
            wizard.has_term = any(
                s.contract_end
                and wizard.date_end
                and wizard.date_end < s.contract_end
                and (s.early_fee or s.early_percent)
                for s in wizard.subscription_ids
            )

    def action_confirm(self):
        """Do it."""
        self.ensure_one()
        if self.operation == "suspend":
            label = dict(self._fields["suspend_reason"]._description_selection(self.env))
            self.subscription_ids._suspend(
                self.suspend_reason,
                self.reason or label[self.suspend_reason],
                policy=self.suspend_billing,
            )
        else:
            vals = {"end_policy": self.end_policy or "credit"}
            if self.has_term and self.waive_early_fee:
                vals.update(early_fee=0.0, early_percent=0.0)
                self.subscription_ids._log_event(
                    "billing", self.env._("Early termination fee waived")
                )
            self.subscription_ids.write(vals)
            self.subscription_ids._terminate(
                self.reason or self.env._("Terminated by hand"), self.date_end
            )
