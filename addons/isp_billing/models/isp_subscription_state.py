from odoo import api, fields, models
from odoo.exceptions import UserError

# Passed in the context by the methods below. A context that arrives by RPC can hold only plain
# data, never this object, so nobody outside can move a state past its method.
_TRANSITION = object()
_GUARDED_FIELDS = {"state", "suspend_reason", "suspended_on"}


class IspSubscription(models.Model):
    """Life of a subscription: draft → active ⇄ suspended → terminated."""

    _inherit = "isp.subscription"

    # === ACTION METHODS === #

    def action_activate(self):
        """Begin the service."""
        self._activate()

    def action_resume(self):
        """Give the service back, whatever it was suspended for."""
        self._resume(self.env._("Resumed by hand"))

    def action_suspend(self):
        """Ask for the reason, then suspend."""
        return self._open_stop_wizard("suspend")

    def action_terminate(self):
        """Ask for the day and the reason, then end the service."""
        return self._open_stop_wizard("terminate")

    def _open_stop_wizard(self, operation):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Suspend") if operation == "suspend" else self.env._("Terminate"),
            "res_model": "isp.subscription.stop",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_operation": operation,
                "default_subscription_ids": self.ids,
            },
        }

    # === BUSINESS METHODS - TRANSITIONS === #

    def _activate(self, reason=None):
        """Begin the service on its start date, today when none is set.

        :return: the subscriptions that were drafts
        """
        todo = self.filtered(lambda s: s.state == "draft")
        for company, subscriptions in todo.grouped("company_id").items():
            today = company._get_isp_today()
            subscriptions.filtered(lambda s: not s.date_start).write({"date_start": today})
        for subscription in todo.filtered(lambda s: s.plan_id.contract_months):
            if not subscription.contract_end:
                subscription.contract_end = fields.Date.add(
                    subscription.date_start, months=subscription.plan_id.contract_months
                )
        todo._move_to("active", reason or self.env._("Service started"))
        todo._begin_billing()
        return todo

    def _suspend(self, code, reason, policy=None):
        """Take the service away until :meth:`_resume`.

        :param code: key of ``SUSPEND_REASONS``; ``overdue`` is lifted by the payment
        :param policy: key of ``PAUSE_POLICIES``, what it means for the bills; as the plan says when
            not given
        :return: the subscriptions that were active
        """
        todo = self.filtered(lambda s: s.state == "active")
        todo._move_to("suspended", reason, suspend_reason=code, suspended_on=fields.Datetime.now())
        todo._begin_pause(policy)
        return todo

    def _resume(self, reason):
        """Give the service back.

        :return: the subscriptions that were suspended
        """
        todo = self.filtered(lambda s: s.state == "suspended")
        todo._move_to("active", reason, suspend_reason=False, suspended_on=False)
        todo._end_pause()
        return todo

    def _terminate(self, reason, date_end=None):
        """End the service; ``date_end`` is the first day without it, today by default.

        :return: the subscriptions that were not terminated yet
        :raises UserError: when the end lies before the start
        """
        todo = self.filtered(lambda s: s.state != "terminated")
        for company, subscriptions in todo.grouped("company_id").items():
            end = date_end or company._get_isp_today()
            for subscription in subscriptions:
                if subscription.date_start and end < subscription.date_start:
                    raise UserError(
                        self.env._(
                            "Subscription %(name)s began on %(start)s and cannot end before.",
                            name=subscription.display_name,
                            start=subscription.date_start,
                        )
                    )
            subscriptions._end_pause(end)
            subscriptions.write({"date_end": end, "next_plan_id": False, "plan_change_date": False})
        todo._move_to("terminated", reason, suspend_reason=False, suspended_on=False)
        return todo

    def _move_to(self, state, reason, **vals):
        """The one place that writes ``state``; every move leaves an event."""
        if not self:
            return
        old_states = {subscription.id: subscription.state for subscription in self}
        guarded = self.with_context(isp_transition=_TRANSITION)
        guarded.write({"state": state, **vals})
        for company, subscriptions in self.grouped("company_id").items():
            day = company._get_isp_today()
            subscriptions._log_event(
                "state",
                reason,
                from_value=lambda s: old_states[s.id],
                to_value=state,
                effective_date=lambda s, day=day: s.date_end or day,
            )

    @api.model
    def _refuse_foreign_state(self, vals):
        """Refuse to write a state from outside its transition."""
        if self.env.context.get("isp_transition") is _TRANSITION:
            return
        foreign = _GUARDED_FIELDS & set(vals)
        if foreign and not (foreign == {"state"} and vals["state"] == "draft" and not self):
            raise UserError(
                self.env._(
                    "The state of a subscription is changed by its buttons: Activate, Suspend, "
                    "Resume and Terminate."
                )
            )

    # === BUSINESS METHODS - PRIVACY === #

    def _privacy_stop(self, partners):
        """End the services of people who are erased, whatever they have agreed to."""
        running = self.with_context(active_test=False).search(
            [("partner_id", "in", partners.ids), ("state", "!=", "terminated")]
        )
        for subscription in running:
            today = subscription.company_id._get_isp_today()
            # One that was to begin later ends on the day on which it begins.
            end = max(today, subscription.date_start or today)
            subscription._terminate(self.env._("The customer is erased"), date_end=end)
