from collections import defaultdict
from datetime import date, timedelta

from odoo import api, fields, models
from odoo.tools import format_date, formatLang


class IspSubscription(models.Model):
    """What dunning did and why, in the log and in words."""

    _inherit = "isp.subscription"

    # === BUSINESS METHODS - NOTES === #

    @api.model
    def _note_decisions(self, decisions, outcome, why=None, fee=None, quiet=False):
        """Write the outcome of each decision down: once in the log, in words as an event.

        :param quiet: the event is written by who did it
        """
        # sudo: the log is written here only.
        log_model = self.env["isp.dunning.log"].sudo()
        vals_list, noted = [], defaultdict(list)
        for decision in decisions:
            vals = self._prepare_log_vals(decision, outcome, why)
            vals["fee_id"] = fee.id if fee else False
            if decision.row["log_id"]:
                log_model.browse(decision.row["log_id"]).write(vals)
            else:
                vals_list.append(vals)
            noted[decision.subscription_id].append(decision)
        log_model.create(vals_list)
        if not quiet and noted:
            self.browse(noted)._log_event(
                "dunning", lambda s: s._get_dunning_text(noted[s.id], outcome, why)
            )

    @api.model
    def _prepare_log_vals(self, decision, outcome, why=None):
        row = decision.row
        subscription = self.browse(row["subscription_id"])
        retry_on = False
        if outcome == "failed":
            retry_on = subscription.company_id._get_isp_today() + timedelta(days=1)
        return {
            "subscription_id": subscription.id,
            "policy_id": row["policy_id"],
            "step_id": decision.step.step_id,
            "action": decision.step.action,
            "due_date": row["due"],
            "date": fields.Datetime.now(),
            "amount": row["owed"],
            "outcome": outcome,
            "hold": row["hold"] if outcome == "held" else False,
            "retry_on": retry_on,
            "reason": subscription._get_dunning_text([decision], outcome, why),
        }

    def _note_paid_meanwhile(self, planned):
        """Write down which of the planned steps are not taken because the money came first."""
        own = set(self.ids)
        planned = [d for d in planned if d.verdict == "take" and d.subscription_id in own]
        if not planned:
            return
        unpaid = self._get_unpaid_since()
        # sudo: the log is written by this job only.
        logs_sudo = self.env["isp.dunning.log"].sudo().search([("subscription_id", "in", self.ids)])
        settled_before = {
            (log.subscription_id.id, log.step_id.id, log.due_date)
            for log in logs_sudo
            if log.outcome not in ("held", "lifted", "failed")
        }
        paid = [
            decision
            for decision in planned
            if unpaid.get(decision.subscription_id, (date.max,))[0] > decision.row["due"]
            and (decision.subscription_id, decision.step.step_id, decision.row["due"])
            not in settled_before
        ]
        self._note_decisions(paid, "paid")

    @api.model
    def _note_failure(self, planned, subscription_id, why):
        """Write down that the steps of one subscription failed; they are tried again tomorrow."""
        own = [d for d in planned if d.subscription_id == subscription_id and d.verdict == "take"]
        self._note_decisions(own, "failed", why)

    def _get_dunning_reasons(self, step, decisions):
        """Why the step is taken, ``{subscription id: words}``."""
        return {
            decision.subscription_id: self.browse(decision.subscription_id)._get_dunning_text(
                [decision], "done"
            )
            for decision in decisions
        }

    def _get_dunning_text(self, decisions, outcome, why=None):
        """What happened to steps of the same outcome and why, in words."""
        self.ensure_one()
        row = decisions[0].row
        names = dict(
            self.env["isp.dunning.step"]._fields["action"]._description_selection(self.env)
        )
        steps = ", ".join(dict.fromkeys(names[decision.step.action] for decision in decisions))
        debt = self._get_debt_text(row)
        if outcome == "done":
            text = self.env._("%(step)s: %(debt)s", step=steps, debt=debt)
            if row["held_by"] == "promise":
                text = self.env._("%s The promise to pay was not kept.", text)
            return text
        why = {
            "held": self._get_hold_text(row["hold"]),
            "paid": self.env._("The money arrived meanwhile"),
            "skipped": self.env._("A later step is due as well, or the day has passed"),
        }.get(outcome, why)
        if outcome == "paid":
            return self.env._("Not taken: %(step)s. %(why)s.", step=steps, why=why)
        return self.env._("Not taken: %(step)s. %(why)s. %(debt)s", step=steps, why=why, debt=debt)

    def _get_debt_text(self, row):
        """How much is unpaid since when."""
        self.ensure_one()
        days = (self.company_id._get_isp_today() - row["due"]).days
        facts = {
            "amount": formatLang(self.env, row["owed"], currency_obj=self.currency_id),
            "due": format_date(self.env, row["due"]),
            "days": self._count_days(abs(days)),
        }
        if not days:
            return self.env._("%(amount)s is due today.", **facts)
        if days < 0:
            return self.env._("%(amount)s is due in %(days)s, on %(due)s.", **facts)
        return self.env._("%(amount)s is unpaid %(days)s after %(due)s.", **facts)

    @api.model
    def _count_days(self, days):
        return self.env._("1 day") if days == 1 else self.env._("%s days", days)

    def _lift_steps(self, actions):
        """Let steps that were undone be taken again, from tomorrow on."""
        # sudo: payments and clerks undo steps, but nobody writes the log.
        logs_sudo = self.env["isp.dunning.log"].sudo()
        logs_sudo = logs_sudo.search(
            [
                ("subscription_id", "in", self.ids),
                ("action", "in", actions),
                ("outcome", "=", "done"),
            ]
        )
        for company, own_sudo in logs_sudo.grouped("company_id").items():
            tomorrow = company._get_isp_today() + timedelta(days=1)
            own_sudo.write({"outcome": "lifted", "retry_on": tomorrow})
