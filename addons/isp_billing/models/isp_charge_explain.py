from datetime import date
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import format_date

from ..engine import explanation, periods
from ..engine.explanation import Billed, Facts, Off
from .isp_charge_words import DATE_FORMAT, format_decimal, format_money, spell_cycle, spell_out

# What may change an amount; the others are no business of the bill.
BILLING_EVENTS = ("state", "plan", "price", "billing")
# Charged because it was ordered; nothing that happened on its day is the reason.
ORDERED = ("one_off", "setup", "deposit", "usage")


class IspCharge(models.Model):
    """Why a charge is as high as it is, in words, from nothing but what is stored with it."""

    _inherit = "isp.charge"

    explanation = fields.Html(compute="_compute_explanation", sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends_context("lang", "tz")
    def _compute_explanation(self):
        for charge in self:
            charge.explanation = self.env["ir.qweb"]._render(
                "isp_billing.explain_charge", {"explained": charge._get_explanation()}
            )

    # === BUSINESS METHODS - EXPLANATION === #

    def _get_explanation(self, for_customer=False):
        """All there is to say about a charge, in the reader's language.

        :param for_customer: leave out who did it and what the staff wrote about it
        :return: ``{"title", "kind", "amount", "steps", "because", "notes"}``
        """
        self.ensure_one()
        return {
            "charge": self,
            "title": self._get_explained_name(),
            "kind": self._get_explained_kind(),
            "amount": format_money(self.env, self._to_money(self.amount), self.currency_id),
            "steps": self._explain(),
            "because": self._explain_events(for_customer),
            "notes": self._explain_notes(),
        }

    def _explain(self):
        """The steps from the price to the amount, in the reader's language.

        :return: ``[{"code", "label", "formula", "amount"}]``; the formula shows the sum where there
            is one, the amount is given where neither label nor formula tells it
        """
        self.ensure_one()
        steps = []
        for step in explanation.explain(self._get_facts()):
            label, formula = spell_out(self.env, step, self._format_values(step))
            told = formula or step.code == "price" or step.amount is None
            amount = "" if told else format_money(self.env, step.amount, self.currency_id)
            steps.append({"code": step.code, "label": label, "formula": formula, "amount": amount})
        return steps

    def _explain_notes(self):
        """What else should be known about the charge."""
        self.ensure_one()
        if self.charge_type != "released":
            return []
        return [self.env._("The bill was cancelled; these days may be billed again.")]

    def _get_explained_kind(self):
        """The rule, or the kind of what is charged once, in the reader's words."""
        self.ensure_one()
        field = "charge_type" if self.rule == "once" else "rule"
        if self.rule in ("leading_stub", "trailing_stub", "line_stub"):
            # The engine names a part by its place in the period, whatever cut it.
            subscription = self.subscription_id
            if self.date_to == subscription.date_end:
                return self.env._("Part of a period, until the end of the service")
            if self.date_from != subscription.date_start:
                return self.env._("Part of a period")
        selection = self.fields_get([field], ["selection"])[field]["selection"]
        return dict(selection)[self[field]]

    def _get_explained_name(self):
        """What was charged."""
        self.ensure_one()
        return (
            self.line_id.name
            or self.fee_id.name
            or self.repairs_id.line_id.name
            or self.repairs_id.fee_id.name
            or self.plan_id.name
            or self.subscription_id.name
        )

    # === BUSINESS METHODS - FACTS === #

    def _get_facts(self):
        """What the engine explains: the stored values of the charge and of those it refers to."""
        self.ensure_one()
        basis = self.basis or {}
        values = {
            "kind": self.charge_type,
            "rule": self.rule,
            "date_from": self.date_from,
            "date_to": self.date_to,
            "amount": self._to_money(self.amount),
            "fraction": self._to_decimal(self.fraction, 9),
            "price": self._to_decimal(self.price_unit),
            "quantity": self._to_decimal(self.quantity),
            "discount": self._to_decimal(self.discount),
            "rate": self._read_decimal(basis, "rate"),
            "exact": self._read_decimal(basis, "exact"),
            "days": basis.get("days"),
            "of_days": basis.get("of_days"),
            "thirty_days": bool(basis.get("thirty_days")),
            "offs": tuple(
                Off(
                    off.get("label") or "",
                    self._read_decimal(off, "percent") or explanation.ZERO,
                    self._read_decimal(off, "amount") or explanation.ZERO,
                )
                for off in basis.get("discounts") or ()
            ),
            "decimals": self.currency_id.decimal_places,
        }
        is_repair = self.rule == "repair"
        if not basis.get("of_days") and not is_repair:
            values["candidates"] = self._get_period_lengths()
        if is_repair and self.repairs_id:
            values["repaired"] = self.repairs_id._get_facts()
            values["before"] = self._get_earlier_repairs()
        elif self.rule == "remainder":
            values["before"] = self._get_billed_before()
        elif self.charge_type == "early_termination":
            values["term"] = {
                "until": self._read_date(basis, "until"),
                **{key: self._read_decimal(basis, key) for key in ("fee", "percent", "rest")},
            }
        elif self.charge_type == "trial":
            values["term"] = {"until": self._read_date(basis, "until")}
        return Facts(**values)

    def _get_period_lengths(self):
        """Days of the periods that a charge without ``basis`` may be a part of."""
        start = self.subscription_id.date_start
        if not start:
            return ()
        cycle = self.subscription_id._get_cycle()
        whole = next(
            whole for whole in periods.whole_periods(start, cycle) if whole[1] > self.date_from
        )
        whole_to = whole[1]
        spans = [whole, (periods.back_from(whole_to, cycle), whole_to)]
        spans.append((periods.back_from(self.date_to, cycle), self.date_to))
        return tuple((date_to - date_from).days for date_from, date_to in spans)

    def _get_earlier_repairs(self):
        """Corrections of the same charge before this one."""
        earlier = self.repairs_id.repair_ids.filtered(
            lambda c: c.id < self.id and c.charge_type == "repair"
        )
        return tuple(
            Billed(one.date_from, one.date_to, self._to_money(one.amount))
            for one in earlier.sorted("id")
        )

    def _get_billed_before(self):
        """What was billed at the same price for the days next to those of a remainder."""
        others = self.line_id.charge_ids.filtered(
            lambda c: c.id < self.id and c.charge_type in ("recurring", "repair")
        )
        billed = [charge._get_engine_charge() for charge in others.sorted("id")]
        return explanation.billed_next_to(self._get_engine_charge(), billed)

    def _to_decimal(self, value, digits=6):
        """A stored number as it was meant, without the noise of binary fractions."""
        return Decimal(f"{value:.{digits}f}").normalize() + 0

    def _to_money(self, value):
        return Decimal(f"{value:.{self.currency_id.decimal_places}f}")

    def _read_decimal(self, values, key):
        return Decimal(str(values[key])) if values.get(key) is not None else None

    def _read_date(self, values, key):
        return date.fromisoformat(values[key]) if values.get(key) else None

    # === BUSINESS METHODS - EVENTS === #

    def _get_explained_events(self):
        """The events that the amount follows from, oldest first."""
        self.ensure_one()
        if self.charge_type in ORDERED:
            return self.env["isp.subscription.event"]
        history = self.subscription_id.event_ids.filtered(
            lambda event: (
                event.event_type in BILLING_EVENTS and event.create_date <= self.create_date
            )
        )
        if "events" in (self.basis or {}):
            # Ids in stored data are checked like those from outside.
            events = history.filtered(lambda event: event.id in self.basis["events"])
            if not events and self.rule == "repair":
                # A charge that is taken back whole is cut nowhere.
                events = history.filtered(self._may_end_here)
        elif self.rule in ("full", "once"):
            events = history.browse()
        else:
            events = history.filtered(self._may_be_cause)
        return events.sorted(lambda event: (event._get_billing_day(), event.id))

    def _may_be_cause(self, event):
        """Whether an event is near enough to be why a charge without basis is a part."""
        ends = event.event_type == "state" and event.to_value == "terminated"
        begins = event._is_beginning() and self.date_from == self.subscription_id.date_start
        return event._get_billing_day() >= self.date_from or begins or ends

    def _may_end_here(self, event):
        """Whether an event changed the service on the first day that is taken back."""
        return event._get_billing_day() == self.date_from and not event._is_beginning()

    def _explain_events(self, for_customer=False):
        """The events behind the amount, a sentence each."""
        events = self._get_explained_events()
        sentences = [event._explain(for_customer) for event in events]
        return list(dict.fromkeys(filter(None, sentences)))

    # === HELPERS - FORMATS === #

    def _format_values(self, step):
        """The values of a step for the reader's language."""
        values = {
            key: self._format_value(key, value)
            for key, value in step.values.items()
            if key != "rule"
        }
        first, last = step.values.get("date_from"), step.values.get("date_to")
        if first:
            values["span"] = self._format_span(first, last)
        if step.code == "price":
            per = self.per or self._get_cycle_of_plan()
            values["name"] = self._get_explained_name()
            values["per"] = spell_cycle(self.env, per) if per and self.rule != "once" else ""
        elif step.code == "repaired":
            old = self.repairs_id
            step.values["is_once"] = old.date_from == old.date_to
            values["move"] = old.move_id.name or self.env._("without number")
            values["old_span"] = self._format_span(old.date_from, old.date_to)
        values.setdefault("name", self._get_explained_name())
        return values

    def _format_value(self, key, value):
        if isinstance(value, date):
            return format_date(self.env, value, date_format=DATE_FORMAT)
        if isinstance(value, tuple):
            return ", ".join(value)
        if isinstance(value, Decimal):
            is_money = key not in ("quantity", "percent", "fraction")
            decimals = self.currency_id.decimal_places if is_money else 0
            return format_decimal(self.env, value, decimals)
        return "" if value is None else str(value)

    def _format_span(self, first, until):
        """Days in words; ``until`` is the first day that no longer counts."""
        last = max(fields.Date.subtract(until, days=1), first)
        if first == last:
            return format_date(self.env, first, date_format=DATE_FORMAT)
        return self.env._(
            "%(first)s to %(last)s",
            first=format_date(self.env, first, date_format=DATE_FORMAT),
            last=format_date(self.env, last, date_format=DATE_FORMAT),
        )

    def _get_cycle_of_plan(self):
        plan = self.plan_id
        return f"{plan.cycle_count} {plan.cycle_unit}" if plan and not self.fee_id else ""
