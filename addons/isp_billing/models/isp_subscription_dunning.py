from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_date, formatLang

from ..const import DUNNING_ACTIONS
from ..engine.dunning import RUNGS, scheduled_day, stopped_days

# Who may set a mark that stops the clock, or take it away.
_HOLD_GROUPS = {
    "promise": "isp_base.group_isp_clerk",
    "dispute": "isp_base.group_isp_clerk",
    "vip": "isp_base.group_isp_manager",
}
_SUPPORT = "isp_base.group_isp_support"


class IspSubscription(models.Model):
    """Dunning of a subscription: its policy, what holds it back, and what comes next."""

    _inherit = "isp.subscription"

    dunning_policy_id = fields.Many2one(
        "isp.dunning.policy",
        "Own dunning policy",
        check_company=True,
        tracking=True,
        ondelete="restrict",
        help="Left empty, the policy of the customer is followed, else of the plan, else of the "
        "company.",
    )
    followed_policy_id = fields.Many2one(
        "isp.dunning.policy", "Follows policy", compute="_compute_followed_policy_id"
    )
    dunning_hold_ids = fields.One2many(
        "isp.dunning.hold", "subscription_id", "Holds", readonly=True, copy=False
    )
    dunning_log_ids = fields.One2many(
        "isp.dunning.log", "subscription_id", "Dunning log", readonly=True, copy=False
    )
    promised_until = fields.Date(
        "Promised until", compute="_compute_holds", store=True, index="btree_not_null"
    )
    is_vip = fields.Boolean("VIP", compute="_compute_holds", store=True)
    is_disputed = fields.Boolean("Disputed", compute="_compute_holds", store=True)
    unpaid_since = fields.Date("Oldest unpaid due date", compute="_compute_unpaid", groups=_SUPPORT)
    unpaid_amount = fields.Monetary(
        "Unpaid",
        compute="_compute_unpaid",
        groups=_SUPPORT,
        help="Less every credit of the customer.",
    )
    next_dunning_step_id = fields.Many2one(
        "isp.dunning.step", "Next step", compute="_compute_next_dunning", groups=_SUPPORT
    )
    next_dunning_action = fields.Selection(
        DUNNING_ACTIONS,
        "Next dunning step",
        compute="_compute_next_dunning",
        search="_search_next_dunning_action",
        groups=_SUPPORT,
    )
    next_dunning_date = fields.Date(
        "Next step on", compute="_compute_next_dunning", groups=_SUPPORT
    )
    next_dunning_note = fields.Char("Waits for", compute="_compute_next_dunning", groups=_SUPPORT)

    # === COMPUTE METHODS === #

    @api.depends("dunning_policy_id", "partner_id", "plan_id", "company_id")
    def _compute_followed_policy_id(self):
        for subscription in self:
            subscription.followed_policy_id = subscription._get_dunning_policy()

    @api.depends("dunning_hold_ids.ended_on", "dunning_hold_ids.date_until")
    def _compute_holds(self):
        for subscription in self:
            running = subscription.dunning_hold_ids.filtered(lambda hold: not hold.ended_on)
            kinds = set(running.mapped("kind"))
            promise = running.filtered(lambda hold: hold.kind == "promise")
            subscription.promised_until = promise.date_until
            subscription.is_vip = "vip" in kinds
            subscription.is_disputed = "dispute" in kinds

    def _compute_unpaid(self):
        unpaid = self._get_unpaid_since()
        for subscription in self:
            due, amount = unpaid.get(subscription._origin.id, (False, 0.0))
            subscription.unpaid_since = due
            subscription.unpaid_amount = amount

    def _compute_next_dunning(self):
        upcoming = self._get_next_steps()
        for subscription in self:
            step, day = upcoming.get(subscription, (self.env["isp.dunning.step"], False))
            subscription.next_dunning_step_id = step
            subscription.next_dunning_action = step.action
            subscription.next_dunning_date = day
            subscription.next_dunning_note = (
                subscription._get_hold_text(subscription._get_hold()) if step else False
            )

    def _search_next_dunning_action(self, operator, value):
        if operator not in ("in", "="):
            return NotImplemented
        wanted = {value} if operator == "=" else set(value)
        running = self.search(
            [("state", "in", ("active", "suspended")), ("charge_ids.move_id", "!=", False)]
        )
        upcoming = running._get_next_steps()
        ids = [
            subscription.id
            for subscription, (step, _day) in upcoming.items()
            if step.action in wanted
        ]
        return Domain("id", "in", ids)

    # === ACTION METHODS === #

    def action_promise(self):
        """Ask until when the customer promises to pay."""
        return self._open_hold_wizard("promise")

    def action_dispute(self):
        """Ask what the customer disputes."""
        return self._open_hold_wizard("dispute")

    def action_vip(self):
        """Ask why the customer is never dunned."""
        return self._open_hold_wizard("vip")

    def action_end_promise(self):
        """Take the promise away; the steps go on."""
        self._end_hold("promise", self.env._("Ended by hand"))

    def action_end_dispute(self):
        """The dispute is settled; the clock goes on."""
        self._end_hold("dispute", self.env._("Ended by hand"))

    def action_end_vip(self):
        """No longer a VIP; the clock goes on."""
        self._end_hold("vip", self.env._("Ended by hand"))

    def action_view_dunning_log(self):
        """Open what dunning did to the subscription."""
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_billing.isp_dunning_log_action")
        action.update(domain=[("subscription_id", "in", self.ids)], context={})
        return action

    def _open_hold_wizard(self, kind):
        names = dict(self.env["isp.dunning.hold"]._fields["kind"]._description_selection(self.env))
        return {
            "type": "ir.actions.act_window",
            "name": names[kind],
            "res_model": "isp.subscription.hold",
            "view_mode": "form",
            "target": "new",
            "context": {"default_kind": kind, "default_subscription_ids": self.ids},
        }

    # === BUSINESS METHODS - HOLDS === #

    def _hold(self, kind, reason, date_until=None, amount=0.0):
        """Stop the steps of the policy.

        :param kind: ``promise`` (ends after ``date_until``), ``dispute`` or ``vip`` (both stop the
            clock: their days do not count)
        """
        self._check_may_hold(kind)
        date_until = fields.Date.to_date(date_until)
        self._end_hold(kind, self.env._("Replaced"), quiet=True)
        vals_list = []
        for subscription in self:
            today = subscription.company_id._get_isp_today()
            if kind == "promise" and (not date_until or date_until < today):
                raise UserError(self.env._("Choose a day from today on until which to wait."))
            vals_list.append(
                {
                    "subscription_id": subscription.id,
                    "kind": kind,
                    "reason": reason,
                    "date_from": today,
                    "date_until": date_until if kind == "promise" else False,
                    "amount": amount,
                    "user_id": self.env.uid,
                }
            )
        # sudo: holds are written here only, after the check, so that their history is true.
        self.env["isp.dunning.hold"].sudo().create(vals_list)
        self._log_event("dunning", lambda s: s._get_hold_event_text(kind, reason, amount))

    def _end_hold(self, kind, reason, quiet=False):
        """Let the steps go on.

        :return: the subscriptions that were held
        """
        # sudo: see _hold; a payment ends a promise whoever made it.
        holds_sudo = self.env["isp.dunning.hold"].sudo()
        holds_sudo = holds_sudo.search(
            [
                ("subscription_id", "in", self.ids),
                ("kind", "=", kind),
                ("ended_on", "=", False),
            ]
        )
        if not holds_sudo:
            return self.browse()
        self._check_may_hold(kind)
        for company, own_sudo in holds_sudo.grouped("company_id").items():
            own_sudo.write(
                {
                    "ended_on": company._get_isp_today(),
                    "ended_by": self.env.uid,
                    "end_reason": reason,
                }
            )
        # Before the next one is inserted, which the unique index would refuse.
        holds_sudo.flush_recordset()
        held = self.browse(holds_sudo.subscription_id.ids)
        if not quiet:
            names = dict(holds_sudo._fields["kind"]._description_selection(self.env))
            held._log_event(
                "dunning",
                self.env._("%(kind)s ended: %(reason)s", kind=names[kind], reason=reason),
            )
        return held

    def _check_may_hold(self, kind):
        if self.env.su or self.env.user.has_group(_HOLD_GROUPS[kind]):
            self.check_access("read")
            return
        raise AccessError(
            self.env._("Only a manager sets or removes the VIP mark.")
            if kind == "vip"
            else self.env._("Only billing clerks note promises and disputes.")
        )

    def _get_hold(self):
        """What holds the steps back today: ``vip``, ``dispute``, ``promise`` or ``False``."""
        self.ensure_one()
        if self.is_vip:
            return "vip"
        if self.is_disputed:
            return "dispute"
        today = self.company_id._get_isp_today()
        return "promise" if self.promised_until and self.promised_until >= today else False

    def _get_hold_text(self, kind):
        """Why the steps wait, in words."""
        self.ensure_one()
        if kind == "promise":
            return self.env._(
                "The customer promised to pay until %s",
                format_date(self.env, self.promised_until),
            )
        return {
            "vip": self.env._("The customer is a VIP"),
            "dispute": self.env._("The customer disputes the bill"),
        }.get(kind, False)

    def _get_hold_event_text(self, kind, reason, amount):
        self.ensure_one()
        text = self._get_hold_text(kind)
        if amount:
            money = formatLang(self.env, amount, currency_obj=self.currency_id)
            text = self.env._("%(text)s: %(amount)s", text=text, amount=money)
        return self.env._("%(text)s (%(reason)s)", text=text, reason=reason)

    def _get_portal_pay_url(self):
        """Where the customer pays every open bill at once, without logging in."""
        self.ensure_one()
        url = f"{self.get_base_url()}{self.access_url}/pay"
        return f"{url}?access_token={self._portal_ensure_token()}"

    # === BUSINESS METHODS - POLICY === #

    def _get_dunning_policy(self):
        """The policy that is followed: own, customer's, plan's, company's; archived ones count not.

        The query of :meth:`_get_dunning_rows` says the same in SQL.
        """
        self.ensure_one()
        company = self.company_id
        # sudo: support sees the policy, but not the company's settings.
        candidates = (
            self.dunning_policy_id,
            self.partner_id.with_company(company).isp_dunning_policy_id,
            self.plan_id.dunning_policy_id,
            company.sudo().isp_dunning_policy_id,
        )
        none = self.env["isp.dunning.policy"]
        return next((policy for policy in candidates if policy.active), none)

    def _get_next_steps(self):
        """The next step of each subscription that owes something, ``{subscription: (step, day)}``.

        Whoever is held by a mark keeps the day it would have; a promise moves it.
        """
        found = {}
        unpaid = self._get_unpaid_since()
        owing = self.filtered(
            lambda s: s._origin.id in unpaid and s.state in ("active", "suspended")
        )
        # sudo: support may see what comes next, and what was done is no secret either.
        logs_sudo = self.env["isp.dunning.log"].sudo()
        logs_sudo = logs_sudo.search_fetch(
            [("subscription_id", "in", owing.ids), ("outcome", "not in", ("held", "paid"))],
            ["subscription_id", "step_id", "due_date", "outcome"],
        )
        taken = {
            (log.subscription_id.id, log.step_id.id, log.due_date): log.outcome for log in logs_sudo
        }
        calendars = {}
        for subscription in owing:
            due = unpaid[subscription._origin.id][0]
            policy = subscription._get_dunning_policy().sudo()
            if policy not in calendars:
                calendars[policy] = policy._get_calendar() if policy else None
            if step := subscription._find_next_step(policy, calendars[policy], due, taken):
                found[subscription] = step
        return found

    def _find_next_step(self, policy, calendar, due, taken):
        """The first step of ``policy`` that is still ahead, with its day."""
        self.ensure_one()
        today = self.company_id._get_isp_today()
        earliest = today
        if self._get_hold() == "promise":
            earliest = self.promised_until + timedelta(days=1)
        rung = self._get_dunning_standing().rung
        marks = self.dunning_hold_ids.filtered(lambda h: h.ended_on and h.kind != "promise")
        stopped = stopped_days([(mark.date_from, mark.ended_on) for mark in marks], due)
        best = None
        for step in policy.step_ids.sorted(lambda step: (step.days, step.hour, step.sequence)):
            outcome = taken.get((self.id, step.id, due))
            if outcome and outcome not in ("lifted", "failed"):
                continue
            if step.action in RUNGS and RUNGS[step.action] <= rung:
                continue
            if step.action == "terminate" and best and best[0].action == "suspend":
                continue
            day = scheduled_day(step.action, step.days, due + stopped, calendar)
            if step.action == "remind" and day < today and best is None:
                continue
            if day < earliest:
                day = earliest
                if calendar.rests(step.action, day):
                    day = calendar.nearest(day, 1)
            if best is None or day <= best[1]:
                best = (step, day)
        return best
