import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import split_every

_logger = logging.getLogger(__name__)

SUSPEND_BATCH = 200

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
        return todo

    def _suspend(self, code, reason):
        """Take the service away until :meth:`_resume`.

        :param code: key of ``SUSPEND_REASONS``; ``overdue`` is lifted by the payment
        :return: the subscriptions that were active
        """
        todo = self.filtered(lambda s: s.state == "active")
        todo._move_to("suspended", reason, suspend_reason=code, suspended_on=fields.Datetime.now())
        return todo

    def _resume(self, reason):
        """Give the service back.

        :return: the subscriptions that were suspended
        """
        todo = self.filtered(lambda s: s.state == "suspended")
        todo._move_to("active", reason, suspend_reason=False, suspended_on=False)
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
            subscriptions.write({"date_end": end})
        todo._move_to("terminated", reason, suspend_reason=False, suspended_on=False)
        return todo

    def _move_to(self, state, reason, **vals):
        """The one place that writes ``state``; every move leaves an event."""
        if not self:
            return
        old_states = {subscription.id: subscription.state for subscription in self}
        guarded = self.with_context(isp_transition=_TRANSITION)
        guarded.write({"state": state, **vals})
        self._log_event("state", reason, from_value=lambda s: old_states[s.id], to_value=state)

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

    # === BUSINESS METHODS - OVERDUE === #

    @api.model
    def _cron_suspend_overdue(self):
        """Suspend what is overdue, in the companies whose local hour has come."""
        companies = self.env["res.company"].search([("isp_auto_suspend", "=", True)])
        for company in companies.filtered(lambda company: company._isp_suspension_is_due()):
            if self.with_company(company)._suspend_overdue_batches(company):
                company.isp_last_suspension = company._get_isp_today()
                self.env["ir.cron"]._commit_progress()

    @api.model
    def _suspend_overdue_batches(self, company):
        """Suspend what is overdue in ``company``, committing each batch.

        :return: whether all was looked at; ``False`` leaves the rest to the next call
        """
        cron = self.env["ir.cron"]
        todo = self._get_overdue(company)
        cron._commit_progress(remaining=len(todo))
        complete = True
        for ids in split_every(SUSPEND_BATCH, todo.ids):
            try:
                self.browse(ids)._suspend_overdue(company)
                self.env.flush_all()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
                # A payment arrived meanwhile: its customers are looked at again with the next call.
                _logger.info("Suspension of a batch put off: %s", error)
                self.env.cr.rollback()
                self.env.invalidate_all()
                complete = False
            if not cron._commit_progress(len(ids)):
                return False
        return complete

    @api.model
    def _get_overdue(self, company):
        """Active subscriptions with a bill unpaid for longer than the company's rule allows."""
        deadline = fields.Date.subtract(
            company._get_isp_today(), days=company.isp_suspend_after_days
        )
        charges = self.env["isp.charge"]._search(
            [
                ("company_id", "=", company.id),
                ("move_id.state", "=", "posted"),
                ("move_id.move_type", "=", "out_invoice"),
                ("move_id.payment_state", "in", ("not_paid", "partial")),
                ("move_id.line_ids", "any", self._get_open_receivable_domain(deadline)),
            ]
        )
        return self.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "active"),
                ("charge_ids", "in", charges),
            ]
        )

    def _suspend_overdue(self, company):
        """Suspend those of the batch that still owe once their rows are locked."""
        locked = self.try_lock_for_update(allow_referencing=True)
        locked.invalidate_recordset()
        still_overdue = locked & self._get_overdue(company)
        still_overdue._suspend(
            "overdue",
            self.env._(
                "A bill is unpaid more than %(days)s days after it was due",
                days=company.isp_suspend_after_days,
            ),
        )

    def _resume_if_settled(self):
        """Resume what was suspended as overdue and owes nothing that is due any more.

        Called within the transaction of the payment.
        """
        # The write collides with a suspension that is being decided on older figures.
        self.write({"settled_at": fields.Datetime.now()})
        suspended = self.filtered(
            lambda s: s.state == "suspended" and s.suspend_reason == "overdue"
        )
        open_lines = suspended._get_open_receivables()

        def owes(subscription):
            today = subscription.company_id._get_isp_today()
            lines = open_lines.get(subscription.id, [])
            return any(line.date_maturity <= today for line in lines)

        suspended.filtered(lambda s: not owes(s))._resume(self.env._("Everything due is paid"))
