from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine.periods import MONTHS_PER_UNIT

_FROZEN_BY_BILLS = {"anchor_day", "date_start", "opening_billed_through", "trial_days"}


class IspSubscription(models.Model):
    """Changes of a running subscription: plan, billing day, coupon, recharge."""

    _inherit = "isp.subscription"

    next_plan_id = fields.Many2one(
        "isp.plan", "Changes to plan", readonly=True, copy=False, ondelete="restrict"
    )
    plan_change_date = fields.Date(
        "Plan changes on", readonly=True, copy=False, index="btree_not_null"
    )

    # === CRUD METHODS === #

    def write(self, vals):
        if (frozen := _FROZEN_BY_BILLS & vals.keys()) and not self.env.context.get(
            "isp_billing_change"
        ):
            self._refuse_frozen(frozen, vals)
        res = super().write(vals)
        if {"date_end", "contract_end", "end_policy", "early_fee", "early_percent"} & vals.keys():
            for subscription in self.filtered("date_end"):
                subscription._note_change(subscription.date_end)
        return res

    def _refuse_frozen(self, names, vals):
        for subscription in self.filtered("charge_ids"):
            for name in names:
                field = self._fields[name]
                if subscription[name] != field.convert_to_record(
                    field.convert_to_cache(vals[name], subscription), subscription
                ):
                    raise UserError(
                        self.env._(
                            "Subscription %(name)s has been billed, so “%(field)s” cannot be "
                            "edited any more. Use “Change” on the subscription.",
                            name=subscription.display_name,
                            field=field._description_string(self.env),
                        )
                    )

    # === ACTION METHODS === #

    def action_change(self):
        """Ask what changes and from when."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change"),
            "res_model": "isp.subscription.change",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subscription_id": self.id},
        }

    def action_cancel_plan_change(self):
        """Forget a change of plan that is still to come."""
        for subscription in self.filtered("next_plan_id"):
            subscription._log_event(
                "plan",
                self.env._("Planned change withdrawn"),
                from_value=subscription.next_plan_id.name,
                to_value=subscription.plan_id.name,
            )
        self.write({"next_plan_id": False, "plan_change_date": False})

    def action_recharge(self):
        """Sell one more period of a prepaid service, beginning now or when the last one ends."""
        self.ensure_one()
        return self._action_open_moves(self._recharge(1))

    # === BUSINESS METHODS - PLAN === #

    def _change_plan(self, plan, day):
        """Change to ``plan`` from ``day`` on; a day to come waits until it has come.

        :raises UserError: when the two plans are billed by different rules
        """
        for subscription in self:
            subscription._check_plan_change(plan)
            if day > subscription.company_id._get_isp_today():
                subscription.write({"next_plan_id": plan.id, "plan_change_date": day})
                subscription._log_event(
                    "plan",
                    self.env._("Change of plan on %(day)s", day=day),
                    from_value=subscription.plan_id.name,
                    to_value=plan.name,
                )
            else:
                changing = subscription.with_context(isp_effective_date=day)
                changing.write(
                    {"plan_id": plan.id, "next_plan_id": False, "plan_change_date": False}
                )

    def _check_plan_change(self, plan):
        self.ensure_one()
        old = self.plan_id
        if plan == old:
            raise UserError(self.env._("%(name)s has this plan already.", name=self.display_name))
        if self.charge_ids and (
            (old.billing_mode, old.proration, old.validity_from)
            != (plan.billing_mode, plan.proration, plan.validity_from)
        ):
            raise UserError(
                self.env._(
                    "“%(old)s” and “%(new)s” are billed by different rules (in advance, in "
                    "arrears, prepaid, parts of periods). Terminate the subscription and open a "
                    "new one with the other plan.",
                    old=old.name,
                    new=plan.name,
                )
            )

    @api.model
    def _cron_change_plans(self):
        """Make the changes of plan whose day has come."""
        due = self.search([("plan_change_date", "!=", False), ("state", "!=", "terminated")])
        for company in due.company_id:
            self.with_company(company)._apply_plan_changes(company)

    @api.model
    def _apply_plan_changes(self, company):
        """Make the changes of plan of ``company`` whose day has come.

        :return: the subscriptions that changed
        """
        due = self.search(
            [
                ("company_id", "=", company.id),
                ("plan_change_date", "<=", company._get_isp_today()),
                ("state", "!=", "terminated"),
            ]
        )
        for subscription in due.try_lock_for_update(allow_referencing=True):
            subscription._change_plan(subscription.next_plan_id, subscription.plan_change_date)
        return due

    def _replace_plan_lines(self, old_plans):
        """Let the new plan's line take over, at once or from a day on, and note the change."""
        for subscription in self:
            day = False
            if subscription.charge_ids or subscription.opening_billed_through:
                day = self.env.context.get("isp_effective_date") or subscription.billed_through
                subscription._keep_cycle(old_plans[subscription], day)
                subscription._succeed_plan_line(day)
            else:
                vals = subscription._prepare_plan_line_vals()
                del vals["subscription_id"]
                subscription.line_ids.filtered(lambda line: line.line_type == "plan")[:1].write(
                    vals
                )
            subscription._log_event(
                "plan",
                self.env._("Plan changed"),
                from_value=old_plans[subscription].name,
                to_value=subscription.plan_id.name,
                effective_date=day,
            )

    def _succeed_plan_line(self, day):
        """End the plan's line on ``day`` and begin the one of the present plan."""
        self.ensure_one()
        lines = self.line_ids.filtered(
            lambda line: line.line_type == "plan" and (not line.date_to or line.date_to > day)
        )
        later = lines.filtered(lambda line: line.date_from and line.date_from >= day)
        later.filtered(lambda line: not line.charge_ids).unlink()
        for line in lines.exists():
            line.date_to = max(day, line.date_from or day)
        self.env["isp.subscription.line"].create(
            dict(self._prepare_plan_line_vals(), date_from=day, sequence=lines[:1].sequence or 10)
        )

    # === BUSINESS METHODS - BILLING DAY === #

    def _keep_cycle(self, old_plan, day):
        """Where the new plan has another cycle, remember the old one until ``day``."""
        self.ensure_one()
        before = self._get_latest_cycle(old_plan)
        after = self.plan_id._get_cycle(self.anchor_day)
        if before == after:
            return
        self._convert_other_prices(before, after, day)
        self._add_cycle(before, after, day, at_once=True)

    def _get_latest_cycle(self, plan):
        """The engine's cycle that is known last; that of ``plan`` when it has never changed."""
        self.ensure_one()
        latest = self.cycle_ids[-1:]
        return latest._get_cycle() if latest else plan._get_cycle(self.anchor_day)

    def _convert_other_prices(self, before, after, day):
        """Prices of add-ons are for one period; keep what they cost a month."""
        others = self.line_ids.filtered(
            lambda line: line.line_type != "plan" and (not line.date_to or line.date_to > day)
        )
        if not others:
            return
        if not (before.months and after.months):
            raise UserError(
                self.env._(
                    "The add-ons of %(name)s are priced for the cycle of the present plan. End "
                    "them first, and add them again after the change.",
                    name=self.display_name,
                )
            )
        for line in others.with_context(isp_effective_date=day):
            line.price_unit = line.price_unit * after.months / before.months

    def _add_cycle(self, before, after, day, at_once):
        # sudo: the record of cycles is written by changes only.
        cycles_sudo = self.env["isp.subscription.cycle"].sudo()
        rows = [] if self.cycle_ids else [(before, False)]
        cycles_sudo.create(
            [
                {
                    "subscription_id": self.id,
                    "date_from": date_from,
                    "cycle_unit": cycle.unit,
                    "cycle_count": cycle.count,
                    "anchor_day": cycle.anchor_day or 0,
                    "at_once": at_once,
                }
                for cycle, date_from in [*rows, (after, day)]
            ]
        )
        self._note_change(day)

    def _change_billing_day(self, anchor_day, day):
        """Bill on another day of the month once the period that contains ``day`` has ended.

        :raises UserError: when the cycle has no billing day
        """
        self.ensure_one()
        before = self._get_latest_cycle(self.plan_id)
        if before.unit not in MONTHS_PER_UNIT or not 1 <= anchor_day <= 31:
            raise UserError(
                self.env._(
                    "A billing day lies between 1 and 31, and only services billed by months "
                    "have one."
                )
            )
        after = type(before)(before.unit, before.count, anchor_day)
        if self.charge_ids:
            self._add_cycle(before, after, day, at_once=False)
        self.with_context(isp_billing_change=True).anchor_day = anchor_day
        self._log_event(
            "billing",
            self.env._("Billing day changed"),
            from_value=str(before.anchor_day or self.date_start.day),
            to_value=str(anchor_day),
            effective_date=day,
        )

    # === BUSINESS METHODS - COUPON, RECHARGE, BEGINNING === #

    def _redeem_coupon(self, code):
        """Redeem a coupon by its code.

        :raises UserError: when there is none, or it is used up
        """
        self.ensure_one()
        # sudo: whoever sells may redeem a code; the coupon itself checks its limits.
        return self.env["isp.coupon"].sudo()._find(code, self.company_id)._redeem(self)

    def _can_recharge(self):
        """Whether one more period may be bought now: prepaid by payment, and nothing is owed."""
        self.ensure_one()
        return (
            self.state in ("active", "suspended")
            and self.plan_id._is_recharged()
            and not self._get_payable_bills()
        )

    def _recharge(self, periods):
        """Sell ``periods`` more periods of a service that is prepaid by payment.

        :return: the invoice over them
        :raises UserError: for other services
        """
        self.ensure_one()
        if not self.plan_id._is_recharged():
            raise UserError(
                self.env._("Only prepaid plans whose time begins with the payment are recharged.")
            )
        today = self.company_id._get_isp_today()
        # sudo: a clerk or the customer buys; the record of it writes itself.
        self.env["isp.subscription.recharge"].sudo().create(
            {"subscription_id": self.id, "date": today, "periods": periods}
        )
        self._log_event("billing", self.env._("Recharged for %(count)s periods", count=periods))
        return self._bill(today, today)

    def _begin_billing(self):
        """What activation adds to the history: trial, set-up fee, term, first recharge."""
        for subscription in self:
            plan = subscription.plan_id
            if plan.anchor == "aligned" and not subscription.anchor_day:
                subscription.anchor_day = subscription._get_aligned_day()
            vals = {}
            if plan.trial_days and not subscription.trial_days:
                vals["trial_days"] = plan.trial_days
            if plan.early_fee and not subscription.early_fee:
                vals["early_fee"] = plan.early_fee
            if plan.early_percent and not subscription.early_percent:
                vals["early_percent"] = plan.early_percent
            if vals:
                subscription.write(vals)
            if plan.setup_fee and not subscription.fee_ids.filtered(lambda f: f.kind == "setup"):
                subscription._add_setup_fee()
            if plan._is_recharged() and not subscription.recharge_ids:
                # sudo: as in _recharge.
                self.env["isp.subscription.recharge"].sudo().create(
                    {"subscription_id": subscription.id, "date": subscription.date_start}
                )
            if subscription.trial_days or plan.proration in ("thirty_days", "last_day_counts"):
                subscription._note_change()

    def _add_setup_fee(self):
        plan = self.plan_id
        self.env["isp.subscription.fee"].create(
            {
                "subscription_id": self.id,
                "kind": "setup",
                "product_id": (plan.setup_product_id or plan.product_id).id,
                "name": self.env._("Set-up of %(plan)s", plan=plan.name),
                "amount": plan.setup_fee,
                "date": self.date_start,
            }
        )

    def _get_aligned_day(self):
        """Billing day of the customer's other services, 0 when there are none."""
        others = self.search(
            [
                ("commercial_partner_id", "=", self.commercial_partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("state", "in", ("active", "suspended")),
                ("id", "!=", self.id),
            ],
            order="date_start, id",
        )
        for other in others:
            cycle = other._get_latest_cycle(other.plan_id)
            if cycle.months:
                return cycle.billing_day(other.date_start)
        return 0

    # === BUSINESS METHODS - PAUSES === #

    def _begin_pause(self, policy=None):
        """Write down that the service is suspended from today."""
        # sudo: written by suspensions only.
        pauses_sudo = self.env["isp.subscription.pause"].sudo()
        for subscription in self:
            today = subscription.company_id._get_isp_today()
            policy_of = policy or subscription.plan_id.suspend_billing
            begin = max(
                today,
                *subscription.pause_ids.filtered("date_to").mapped("date_to"),
                subscription.date_start or today,
            )
            pauses_sudo.create(
                {
                    "subscription_id": subscription.id,
                    "date_from": begin,
                    "policy": policy_of,
                }
            )
            if policy_of != "keep":
                # Days not served are given back with the next bill, when they are known.
                subscription._note_change()

    def _end_pause(self, day=None):
        """Write down that the service is back from ``day``, today by default."""
        for subscription in self:
            # sudo: written by suspensions only.
            for pause in subscription.sudo().pause_ids.filtered(lambda p: not p.date_to):
                end = max(day or subscription.company_id._get_isp_today(), pause.date_from)
                if end == pause.date_from:
                    pause.unlink()
                else:
                    pause.date_to = end
                if not pause.exists() or pause.policy != "keep":
                    subscription._note_change()
