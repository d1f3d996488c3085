import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, split_every

from ..engine.dunning import RUNGS, DueStep, Standing, choose, latest_due

_logger = logging.getLogger(__name__)

DUNNING_BATCH = 200
ATTEMPTS = 3

# One row for each step whose day has come and each unpaid bill that it concerns.
DUE_STEPS = """
WITH %(cycles)s,
step (id, policy_id, action, last_due, is_awake, min_amount, charge_from) AS (VALUES %(steps)s)
SELECT * FROM (
  SELECT due_step.*, bool_or(is_open) OVER (PARTITION BY subscription_id) AS any_open FROM (
    SELECT cycle.subscription_id, cycle.due, cycle.owed, cycle.fee_base, cycle.is_oldest,
           step.id AS step_id, step.policy_id,
           log.id AS log_id, log.outcome, log.hold AS held_by, hold.kind AS hold,
           step.is_awake
               AND (log.id IS NULL OR log.outcome = 'paid'
                    OR (log.outcome = 'held' AND log.hold IS DISTINCT FROM hold.kind)
                    OR (log.outcome IN ('lifted', 'failed') AND log.retry_on <= %(today)s)
               ) AS is_open
      FROM cycle
      JOIN isp_subscription sub ON sub.id = cycle.subscription_id
      JOIN res_partner partner ON partner.id = sub.partner_id
      JOIN isp_plan plan ON plan.id = sub.plan_id
      LEFT JOIN isp_dunning_policy of_sub ON of_sub.id = sub.dunning_policy_id AND of_sub.active
      LEFT JOIN isp_dunning_policy of_partner
             ON of_partner.id = (partner.isp_dunning_policy_id ->> %(company_key)s)::int
            AND of_partner.active
      LEFT JOIN isp_dunning_policy of_plan ON of_plan.id = plan.dunning_policy_id AND of_plan.active
      CROSS JOIN LATERAL (
          SELECT CASE WHEN sub.is_vip THEN 'vip' WHEN sub.is_disputed THEN 'dispute'
                      WHEN sub.promised_until >= %(today)s THEN 'promise' END AS kind
      ) hold
      CROSS JOIN LATERAL (
          -- Days on which a mark stopped the clock after this bill was due.
          SELECT COALESCE(SUM(upper(days) - lower(days)), 0)::int AS days
            FROM (SELECT unnest(range_agg(
                             daterange(GREATEST(held.date_from, cycle.due), held.ended_on))) AS days
                    FROM isp_dunning_hold held
                   WHERE held.subscription_id = cycle.subscription_id
                     AND held.kind IN ('vip', 'dispute')
                     AND held.ended_on > GREATEST(held.date_from, cycle.due)) part
      ) stopped
      JOIN step ON step.policy_id =
               COALESCE(of_sub.id, of_partner.id, of_plan.id, %(company_policy)s)
           AND cycle.due + stopped.days <= step.last_due
           AND (cycle.is_oldest OR step.action = 'late_fee')
           AND (cycle.is_first OR step.action NOT IN ('remind', 'late_fee'))
           AND cycle.owed >= step.min_amount
           AND (step.action <> 'late_fee' OR (
               cycle.fee_base > 0
               AND cycle.due >= step.charge_from
               AND (cycle.created AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date < %(today)s))
      LEFT JOIN isp_dunning_log log ON log.subscription_id = cycle.subscription_id
           AND log.step_id = step.id AND log.due_date = cycle.due
     WHERE sub.company_id = %(company)s
       AND sub.state IN ('active', 'suspended')
       AND %(which)s
  ) due_step
) judged
WHERE any_open
ORDER BY subscription_id, due, step_id
"""


@dataclass(frozen=True)
class PolicyStep:
    """A step of a policy at one moment; asleep ones wait for their hour or for a working day."""

    record: models.Model
    latest_due: date
    is_awake: bool
    gap: int | None


@dataclass(frozen=True)
class Decision:
    """One step for one unpaid bill: taken, held back or out of date."""

    row: dict
    step: DueStep
    verdict: str

    @property
    def subscription_id(self):
        """Whom the step concerns."""
        return self.row["subscription_id"]


class IspSubscription(models.Model):
    """Execution of the dunning policies: find what is due, look again under lock, do it once."""

    _inherit = "isp.subscription"

    # === BUSINESS METHODS - THE JOB === #

    @api.model
    def _cron_dun(self):
        """Take the steps whose hour has come, company by company."""
        policies = self.env["isp.dunning.policy"].search([("step_ids", "!=", False)])
        for company in policies.company_id:
            self.with_company(company)._dun_company(company)

    @api.model
    def _dun_company(self, company, now=None):
        """Take every due step in ``company``, committing each batch.

        :param now: the moment in the company's time zone, the present one by default
        :return: whether all was looked at; ``False`` leaves the rest to the next call
        """
        cron = self.env["ir.cron"]
        planned = self._get_dunning_decisions(company, now)
        todo = sorted({decision.subscription_id for decision in planned})
        cron._commit_progress(remaining=len(todo))
        complete = True
        for ids in split_every(DUNNING_BATCH, todo):
            complete &= self._dun_batch(company, ids, now, planned)
            if not cron._commit_progress(len(ids)):
                return False
        return complete

    @api.model
    def _dun_batch(self, company, ids, now, planned):
        """Dun one batch, again from the start where a payment collided with it.

        :return: whether the batch was done
        """
        for _attempt in range(ATTEMPTS):
            try:
                self.browse(ids)._dun(company, now, planned)
                self.env.flush_all()
                return True
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
                # A payment arrived meanwhile: look again, with what it changed.
                _logger.info("Dunning of a batch put off: %s", error)
                self._start_again()
            except UserError as error:
                self._start_again()
                return self._dun_one_by_one(company, ids, now, planned, error)
        return False

    @api.model
    def _start_again(self):
        self.env.cr.rollback()
        self.env.invalidate_all()

    @api.model
    def _dun_one_by_one(self, company, ids, now, planned, error):
        """Find the subscription that cannot be dunned and write down why, so that it stops nobody.

        :return: whether each of ``ids`` was looked at
        """
        if len(ids) == 1:
            self._note_failure(planned, ids[0], str(error))
            return True
        complete = True
        for one in ids:
            complete &= self._dun_batch(company, [one], now, planned)
            self.env["ir.cron"]._commit_progress()
        return complete

    def _dun(self, company, now=None, planned=()):
        """Take the due steps of these subscriptions, as they stand once their rows are locked.

        :param planned: decisions made before the lock; what is no longer due is noted as paid
        """
        locked = self.try_lock_for_update(allow_referencing=True)
        locked.invalidate_recordset()
        decisions = self._get_dunning_decisions(company, now, locked.ids)
        locked._note_paid_meanwhile(planned)
        self._note_decisions([d for d in decisions if d.verdict == "outdated"], "skipped")
        self._note_decisions([d for d in decisions if d.verdict == "hold"], "held")
        taken = defaultdict(list)
        for decision in decisions:
            if decision.verdict == "take":
                taken[decision.step.step_id].append(decision)
        for step_id, own in taken.items():
            step = self.env["isp.dunning.step"].browse(step_id)
            getattr(self, f"_dun_{step.action}")(step, own)

    # === BUSINESS METHODS - WHAT IS DUE === #

    @api.model
    def _get_dunning_decisions(self, company, now=None, subscription_ids=None, policy=None):
        """What the policies do at this moment, decided but not done.

        :param policy: look at the subscriptions of one policy only
        :return: list of :class:`Decision`
        """
        now = now or company._get_isp_now()
        steps = self._get_policy_steps(company, now, policy)
        if not steps:
            return []
        rows = self._get_due_step_rows(company, now.date(), steps, subscription_ids)
        by_subscription = defaultdict(list)
        for row in rows:
            by_subscription[row["subscription_id"]].append(row)
        subscriptions = self.browse(by_subscription)
        subscriptions.fetch(["state", "suspended_on", "throttled_on", "company_id"])
        decisions = []
        for subscription in subscriptions:
            decisions += subscription._decide(by_subscription[subscription.id], steps, now.date())
        return decisions

    @api.model
    def _get_policy_steps(self, company, now, policy=None):
        """Steps of the company's policies, ``{id: PolicyStep}``."""
        policies = policy or self.env["isp.dunning.policy"].search(
            [("company_id", "=", company.id)]
        )
        today, found = now.date(), {}
        for one in policies:
            calendar = one._get_calendar()
            for step in one.step_ids:
                found[step.id] = PolicyStep(
                    record=step,
                    latest_due=latest_due(step.action, step.days, today, calendar),
                    is_awake=now.hour >= step.hour and not calendar.rests(step.action, today),
                    gap=step._get_gap(),
                )
        return found

    @api.model
    def _get_due_step_rows(self, company, today, steps, subscription_ids=None):
        for model in ("isp.subscription", "isp.dunning.hold", "isp.dunning.log", "isp.plan"):
            self.env[model].flush_model()
        self.env["res.partner"].flush_model(["isp_dunning_policy_id"])
        company_policy = company.isp_dunning_policy_id
        which = SQL("TRUE")
        if subscription_ids is not None:
            which = SQL("sub.id = ANY(%s)", list(subscription_ids))
        values = SQL(", ").join(
            SQL(
                "(%s, %s, %s, %s::date, %s, %s::numeric, %s::date)",
                step_id,
                step.record.policy_id.id,
                step.record.action,
                step.latest_due,
                step.is_awake,
                step.record.min_amount,
                step.record.charge_from or date.min,
            )
            for step_id, step in steps.items()
        )
        return self.env.execute_query_dict(
            SQL(
                DUE_STEPS,
                cycles=self._get_cycles_sql(company, today, subscription_ids),
                steps=values,
                today=today,
                company=company.id,
                company_key=str(company.id),
                company_policy=company_policy.id if company_policy.active else None,
                zone=company._get_isp_timezone().zone,
                which=which,
            )
        )

    def _decide(self, rows, steps, today):
        """Decisions over the due steps of one subscription."""
        self.ensure_one()
        by_step = {}
        for row in rows:
            policy_step = steps[row["step_id"]]
            step = policy_step.record
            due_step = DueStep(
                step_id=step.id,
                action=step.action,
                days=step.days,
                hour=step.hour,
                sequence=step.sequence,
                due=row["due"],
                is_open=row["is_open"],
                is_done=not row["is_open"]
                and (
                    row["outcome"] in ("done", "unreached")
                    or (row["outcome"] == "held" and bool(row["hold"]))
                ),
                gap=policy_step.gap,
            )
            by_step[due_step] = row
        taken, outdated = choose(list(by_step), today, self._get_dunning_standing())
        verdict = "hold" if rows[0]["hold"] else "take"
        decisions = [Decision(by_step[step], step, verdict) for step in taken]
        if verdict == "take":
            decisions += [Decision(by_step[step], step, "outdated") for step in outdated]
        return decisions

    def _get_dunning_standing(self):
        """How far the service is taken away already."""
        self.ensure_one()
        if self.state != "suspended":
            return Standing(RUNGS["throttle"] if self.throttled_on else 0)
        zone = self.company_id._get_isp_timezone()
        moment = pytz.utc.localize(self.suspended_on or fields.Datetime.now())
        return Standing(RUNGS["suspend"], moment.astimezone(zone).date())

    # === BUSINESS METHODS - STEPS === #

    @api.model
    def _dun_remind(self, step, decisions):
        """Send the reminder, and list whom it does not reach."""
        by_id = {decision.subscription_id: decision for decision in decisions}
        subscriptions = self.browse(by_id)
        reached = subscriptions._send_dunning_message(step, step.channel)
        self._note_decisions([by_id[one.id] for one in reached], "done")
        missed = [by_id[one.id] for one in subscriptions - reached]
        self._note_decisions(missed, "unreached", self._get_unreached_reason(step))

    def _get_unreached_reason(self, step):
        """Say why a reminder of ``step`` reaches nobody.

        Hook: other channels have other reasons.
        """
        return self.env._("The customer has no e-mail address")

    def _send_dunning_message(self, step, channel):
        """Send the reminder of ``step`` by ``channel``; the transaction may still be rolled back.

        Hook: add a channel to ``isp.dunning.step`` and extend this to queue its messages.

        :return: the subscriptions whose customers are reached this way
        """
        if channel != "mail":
            return self.browse()
        reached = self.filtered(lambda s: s.partner_id.email)
        if reached:
            step.mail_template_id.send_mail_batch(
                reached.ids, email_layout_xmlid="mail.mail_notification_light"
            )
        return reached

    @api.model
    def _dun_late_fee(self, step, decisions):
        """Charge the fee, each bill by itself: what cannot be charged stops nobody else."""
        for decision in decisions:
            subscription = self.browse(decision.subscription_id)
            try:
                with self.env.cr.savepoint():
                    fee = subscription._charge_late_fee(step, decision)
            except UserError as error:
                self._note_decisions([decision], "failed", str(error))
            else:
                self._note_decisions([decision], "done", fee=fee)

    def _charge_late_fee(self, step, decision):
        """Make the late fee of one bill, and bill it at once where the policy says so."""
        self.ensure_one()
        today = self.company_id._get_isp_today()
        lang = self.partner_id.lang
        fee = self.env["isp.subscription.fee"].create(
            {
                "subscription_id": self.id,
                "product_id": step.product_id.id,
                "name": self.with_context(lang=lang).env._(
                    "%(fee)s: bill due on %(due)s",
                    fee=step.product_id.with_context(lang=lang).name,
                    due=decision.row["due"],
                ),
                "amount": step._get_fee(float(decision.row["fee_base"])),
                "date": today,
                "kind": "one_off",
            }
        )
        if step.policy_id.late_fee_billing == "now":
            self._bill(today, today)
        return fee

    @api.model
    def _dun_throttle(self, step, decisions):
        """Slow the service down."""
        reasons = self._get_dunning_reasons(step, decisions)
        self.browse(reasons)._throttle("overdue", lambda s: reasons[s.id])
        self._note_decisions(decisions, "done", quiet=True)

    @api.model
    def _dun_suspend(self, step, decisions):
        """Take the service away."""
        reasons = self._get_dunning_reasons(step, decisions)
        self.browse(reasons)._suspend("overdue", lambda s: reasons[s.id])
        self._note_decisions(decisions, "done", quiet=True)

    @api.model
    def _dun_terminate(self, step, decisions):
        """End the service."""
        reasons = self._get_dunning_reasons(step, decisions)
        self.browse(reasons)._terminate(lambda s: reasons[s.id])
        self._note_decisions(decisions, "done", quiet=True)
