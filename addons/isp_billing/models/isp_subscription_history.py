from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError

from ..const import END_POLICIES
from ..engine import history, schedule
from ..engine.problems import Problem
from .isp_billing_reasons import explain_problem

# Keys of the engine for what has no record of its own.
_KEYS = {"trial": history.TRIAL, "early_termination": history.EARLY_TERMINATION}


class IspSubscription(models.Model):
    """The history of a subscription, as the billing engine reads it.

    Most subscriptions have none: one plan, one price, no pause. Those are billed period by period,
    which is fast. As soon as something happens that bends a period, :meth:`_note_change` sends the
    subscription to the engine, which compares the whole history with what was billed.
    """

    _inherit = "isp.subscription"

    has_changes = fields.Boolean(
        "Billed by its history",
        readonly=True,
        copy=False,
        help="Something happened that periods alone do not tell, so that bills are worked out from "
        "the whole history.",
    )
    pending_since = fields.Date(
        "Change to bill",
        readonly=True,
        copy=False,
        help="A change from this day on has not been looked at by a bill yet.",
    )
    trial_days = fields.Integer(
        "Trial (days)", copy=False, help="Days from the start that cost nothing."
    )
    end_policy = fields.Selection(
        END_POLICIES,
        "At the end",
        required=True,
        default="credit",
        copy=False,
    )
    early_fee = fields.Monetary(
        "Early termination fee", copy=False, help="Due when the service ends before the term."
    )
    early_percent = fields.Float(
        "Share of the rest (%)",
        digits="Discount",
        copy=False,
        help="Share of what the rest of the term would have cost.",
    )
    pause_ids = fields.One2many("isp.subscription.pause", "subscription_id", "Suspensions")
    cycle_ids = fields.One2many("isp.subscription.cycle", "subscription_id", "Billing cycles")
    fee_ids = fields.One2many("isp.subscription.fee", "subscription_id", "One-off charges")
    discount_ids = fields.One2many("isp.subscription.discount", "subscription_id", "Discounts")
    recharge_ids = fields.One2many("isp.subscription.recharge", "subscription_id", "Recharges")

    _history_valid = models.Constraint(
        "CHECK (trial_days >= 0 AND early_fee >= 0 AND early_percent BETWEEN 0 AND 100)",
        "Days of trial and fees cannot be negative, and a share lies between 0 and 100 %.",
    )

    # === BUSINESS METHODS - CHANGES === #

    def _note_change(self, day=None):
        """Bill by the history from now on.

        :param day: first day on which bills may have to change; the run of this day, or the next
            one when it has passed, corrects what was billed
        """
        for subscription in self:
            vals = {"has_changes": True}
            if day and subscription.state != "draft":
                vals["pending_since"] = min(filter(None, (subscription.pending_since, day)))
            # sudo: who causes a change need not be allowed to edit subscriptions.
            subscription.sudo().write(vals)

    def _settle_changes(self, target):
        """Forget changes that a bill of ``target`` has taken into account.

        :raises UserError: when a bill of ``target`` would find the same subscription again, which
            would keep a run going for ever
        """
        changed = self.filtered("has_changes")
        self.env.add_to_compute(self._fields["recurring_amount"], changed)
        for subscription in changed:
            vals = {}
            if subscription.pending_since and subscription.pending_since <= target:
                vals["pending_since"] = False
            if subscription._is_ordinary_from_now(target):
                vals["has_changes"] = False
            if vals:
                subscription.write(vals)
            if subscription.next_bill_date and subscription.next_bill_date <= target:
                raise UserError(
                    self.env._(
                        "%(name)s is due on %(day)s, but its history gives nothing to bill.",
                        name=subscription.display_name,
                        day=subscription.next_bill_date,
                    )
                )

    def _is_ordinary_from_now(self, target):
        """Whether nothing of the history bends a period that is still to be billed.

        :param target: the day of the bill that was just made
        """
        self.ensure_one()
        through = self.billed_through
        if (
            not through
            or self.date_end
            or self.trial_days
            or self.cycle_ids
            or self.recharge_ids
            or (self.pending_since and self.pending_since > through)
            or any(p.policy == "extend" or not p.date_to for p in self.pause_ids)
            or any(p.date_to > through for p in self.pause_ids)
            or any(not fee.is_billed for fee in self.fee_ids)
            or any(not d.date_to or d.date_to > through for d in self.discount_ids)
            or self._has_days_to_bill_again(target)
        ):
            return False
        for line in self.line_ids:
            if line.date_to:
                if line.date_to > through:
                    return False
            elif line._get_unbilled_from() != through or any(
                terms.date_to > through for terms in line.terms_ids
            ):
                return False
        return self._get_period_on(through)[0] == through

    def _has_days_to_bill_again(self, target):
        """Whether a period was taken back whose new charge is due after ``target`` only.

        So it is when the bill of an earlier day corrects what was billed ahead.
        """
        billed = self.charge_ids.filtered(lambda charge: charge.charge_type == "recurring")
        return any(
            # What was billed again came after what it replaces.
            not any(
                b.id > one.repairs_id.id
                and b.date_from <= one.date_from
                and b.date_to >= one.date_to
                for b in billed
            )
            for one in self.charge_ids
            if one.repairs_id and one.date_to > target
        )

    def _get_period_on(self, day):
        """``(date_from, date_to)`` of the billing period that contains ``day``.

        :raises UserError: when the history cannot be
        """
        self.ensure_one()
        try:
            return schedule.period_on(self._get_history(), day)
        except Problem as problem:
            raise UserError(explain_problem(self.env, problem)) from None

    # === BUSINESS METHODS - TO THE ENGINE === #

    def _get_history(self):
        """The engine's :class:`~..engine.history.Subscription`."""
        self.ensure_one()
        plan = self.plan_id
        term = None
        if self.contract_end and (self.early_fee or self.early_percent):
            term = history.Term(
                self.contract_end,
                Decimal(str(self.early_fee)),
                Decimal(str(self.early_percent)),
            )
        return history.Subscription(
            start=self.date_start,
            cycle=self._get_first_cycle(),
            lines=tuple(self._get_history_line(line) for line in self.line_ids),
            mode=plan.billing_mode,
            options=history.Options.of_proration(plan.proration),
            cycle_changes=self.cycle_ids._get_changes(),
            pauses=tuple(
                history.Pause(pause.date_from, pause.date_to or None, pause.policy)
                for pause in self.pause_ids
                if pause.policy != "keep"
            ),
            end=self.date_end or None,
            end_policy=self.end_policy,
            term=term,
            trial_days=self.trial_days,
            fees=tuple(
                history.Fee(f"fee{fee.id}", fee.date, Decimal(str(fee.amount)), fee.kind)
                for fee in self.fee_ids
                if fee.kind != "deposit"
            ),
            deposits=tuple(
                history.Deposit(
                    f"fee{fee.id}", fee.date, Decimal(str(fee.amount)), fee.refund_date or None
                )
                for fee in self.fee_ids
                if fee.kind == "deposit"
            ),
            billed_through=self.opening_billed_through or None,
            payments=tuple(
                history.Payment(recharge.date, recharge.periods) for recharge in self.recharge_ids
            )
            if plan._is_recharged()
            else None,
            decimals=self.currency_id.decimal_places,
        )

    def _get_first_cycle(self):
        """The engine's cycle that the service began with."""
        first = self.cycle_ids.filtered(lambda row: not row.date_from)
        return first._get_cycle() if first else self.plan_id._get_cycle(self.anchor_day)

    def _get_history_line(self, line):
        terms = [*line.terms_ids.sorted("date_to"), line]
        prices = [
            (
                Decimal(str(one.price_unit)) * (100 - Decimal(str(one.discount))) / 100,
                Decimal(str(one.quantity)),
            )
            for one in terms
        ]
        changes = tuple(
            history.LineChange(earlier.date_to, *price, sequence=number)
            for number, (earlier, price) in enumerate(zip(terms, prices[1:], strict=False))
        )
        discounts = self.discount_ids.filtered(
            lambda d: d.line_id == line or (not d.line_id and line.line_type == "plan")
        )
        return history.Line(
            key=str(line.id),
            price=prices[0][0],
            quantity=prices[0][1],
            joined=line.date_from or None,
            left=line.date_to or None,
            changes=changes,
            discounts=discounts._get_engine_discounts(),
        )

    def _get_billed(self):
        """What was billed so far, as the engine's charges, oldest first."""
        self.ensure_one()
        return [
            charge._get_engine_charge()
            for charge in self.charge_ids.sorted("id")
            # Usage that no fee asks for was billed from outside the engine.
            if charge.charge_type != "released" and (charge.charge_type != "usage" or charge.fee_id)
        ]

    def _ask_engine(self, target):
        """The engine's :class:`~..engine.schedule.Bill` for ``target``, which may be ``None``.

        :raises UserError: in words, when the history cannot be
        """
        self.ensure_one()
        try:
            return schedule.bill(self._get_history(), target, self._get_billed())
        except Problem as problem:
            raise UserError(explain_problem(self.env, problem)) from None

    # === BUSINESS METHODS - FROM THE ENGINE === #

    def _get_history_charges(self, target):
        """Values of the charges and corrections that are due on ``target``."""
        self.ensure_one()
        if not self.date_start or target < self.date_start:
            return []
        return [
            self._prepare_engine_charge_vals(charge) for charge in self._ask_engine(target).charges
        ]

    def _prepare_engine_charge_vals(self, charge):
        """Values of the record of an engine's charge."""
        key = charge.line
        line = self.env["isp.subscription.line"].browse(int(key) if key.isdigit() else ())
        repaired = self.env["isp.charge"].browse(charge.repairs or ())
        price, quantity, discount = charge.rate, Decimal(1), Decimal(0)
        if line and not repaired:
            price, quantity, discount = line._get_terms(charge.date_from)
        return {
            **self._prepare_charge_defaults(),
            "line_id": line.id,
            "fee_id": int(key.removeprefix("fee")) if key.startswith("fee") else False,
            "charge_type": charge.kind,
            "date_from": charge.date_from,
            "date_to": charge.date_to,
            "fraction": float(charge.fraction),
            "rule": charge.rule,
            "quantity": float(quantity),
            "price_unit": float(price),
            "discount": float(discount),
            "amount": float(charge.amount),
            "per": charge.per or False,
            "repairs_id": repaired.id,
            "basis": self._prepare_basis(charge),
        }

    def _prepare_basis(self, charge):
        discounts = self.discount_ids.filtered(lambda d: f"discount{d.id}" in charge.discounts)
        days = {charge.date_from, charge.date_to}
        if charge.repairs:
            repaired = self.env["isp.charge"].browse(charge.repairs)
            discounts = self.env["isp.subscription.discount"]
            days -= {repaired.date_from, repaired.date_to}
        events = self.event_ids.filtered(lambda event: event.effective_date in days)
        return {
            **self._prepare_once_basis(charge),
            "rate": f"{charge.rate.normalize():f}",
            "exact": f"{charge.precise.normalize():f}",
            "days": charge.days,
            "of_days": charge.of_days,
            "thirty_days": self.plan_id.proration == "thirty_days",
            "discounts": [
                {"label": d.name, "percent": str(d.percent), "amount": str(d.amount)}
                for d in discounts
            ],
            "events": sorted(events.ids),
        }

    def _prepare_once_basis(self, charge):
        """What explains the amount of a trial or of leaving early."""
        if charge.kind == "trial":
            return {"until": str(fields.Date.add(self.date_start, days=self.trial_days))}
        if charge.kind != "early_termination":
            return {}
        rest = (charge.precise - Decimal(str(self.early_fee))) if self.early_percent else Decimal(0)
        percent = Decimal(str(self.early_percent))
        return {
            "until": str(fields.Date.subtract(self.contract_end, days=1)),
            "fee": str(self.early_fee),
            "percent": str(self.early_percent),
            "rest": str(rest * 100 / percent if percent else rest),
        }

    def _prepare_charge_defaults(self):
        return {
            "subscription_id": self.id,
            "line_id": False,
            "fee_id": False,
            "repairs_id": False,
            "basis": None,
        }


class IspCharge(models.Model):
    _inherit = "isp.charge"

    def _get_engine_charge(self):
        """The engine's :class:`~..engine.history.Charge` of this record."""
        self.ensure_one()
        basis = self.basis or {}
        owner = self.repairs_id or self
        rate = (
            Decimal(str(self.price_unit))
            * Decimal(str(self.quantity))
            * (100 - Decimal(str(self.discount)))
            / 100
        )
        if self.line_id:
            key = str(self.line_id.id)
        elif self.fee_id:
            key = f"fee{self.fee_id.id}"
        else:
            key = _KEYS.get(owner.charge_type, owner.charge_type)
        return history.Charge(
            line=key,
            kind=self.charge_type,
            date_from=self.date_from,
            date_to=self.date_to,
            fraction=Decimal(str(self.fraction)),
            rule=self.rule,
            amount=Decimal(str(self.amount)),
            rate=Decimal(basis["rate"]) if "rate" in basis else rate,
            per=self.per or "",
            exact=Decimal(basis["exact"]) if "exact" in basis else None,
            ref=self.id,
            repairs=self.repairs_id.id or None,
            days=basis.get("days"),
            of_days=basis.get("of_days"),
        )
