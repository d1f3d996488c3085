from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import SUSPEND_REASONS

# Computed from the holds, whose methods ask who and why.
_HOLD_FIELDS = {"promised_until", "is_vip", "is_disputed"}
# Passed in the context by the methods below; a context that arrives by RPC cannot hold it.
_THROTTLING = object()


class IspSubscription(models.Model):
    """Reduced speed: the service stays active, the plan's reduced rates go to the network."""

    _inherit = "isp.subscription"

    throttled_on = fields.Datetime("Throttled on", readonly=True, copy=False)
    throttle_reason = fields.Selection(
        SUSPEND_REASONS, "Throttled for", readonly=True, copy=False, tracking=True
    )

    # === ACTION METHODS === #

    def action_unthrottle(self):
        """Give the full speed back."""
        self._unthrottle(self.env._("Full speed given back by hand"))

    # === BUSINESS METHODS === #

    def _throttle(self, code, reason):
        """Slow the service down to the plan's reduced speed until :meth:`_unthrottle`.

        :param code: key of ``SUSPEND_REASONS``; ``overdue`` is lifted by the payment
        :return: the subscriptions that ran at full speed
        """
        todo = self.filtered(lambda s: s.state == "active" and not s.throttled_on)
        todo._write_throttle(fields.Datetime.now(), code)
        todo._log_event("dunning", reason, to_value=lambda s: self.env._("Throttled"))
        return todo

    def _unthrottle(self, reason):
        """Give the full speed back.

        :return: the subscriptions that were throttled
        """
        todo = self.filtered("throttled_on")
        todo._write_throttle(False, False)
        todo._log_event("dunning", reason, from_value=lambda s: self.env._("Throttled"))
        todo._lift_steps(("throttle",))
        return todo

    def _write_throttle(self, moment, code):
        self.with_context(isp_throttling=_THROTTLING).write(
            {"throttled_on": moment, "throttle_reason": code}
        )

    @api.model
    def _refuse_foreign_state(self, vals):
        is_own = self.env.context.get("isp_throttling") is _THROTTLING
        if {"throttled_on", "throttle_reason"} & set(vals) and not is_own:
            raise UserError(
                self.env._("A subscription is throttled by its dunning policy, not by hand.")
            )
        if _HOLD_FIELDS & set(vals):
            raise UserError(
                self.env._(
                    "Promises, disputes and the VIP mark are set by their buttons, which write "
                    "down who and why."
                )
            )
        return super()._refuse_foreign_state(vals)

    def _move_to(self, state, reason, **vals):
        """Whoever loses or regains the service is not throttled any more."""
        self.filtered("throttled_on")._write_throttle(False, False)
        return super()._move_to(state, reason, **vals)

    def _resume(self, reason):
        """Resume, and let the steps that took the service be taken again for the same bill."""
        resumed = super()._resume(reason)
        resumed._lift_steps(("throttle", "suspend"))
        return resumed
