from odoo import api, models
from odoo.exceptions import UserError

from ..engine import periods


class IspSubscription(models.Model):
    """Billing of a subscription: which periods are due."""

    _inherit = "isp.subscription"

    # === COMPUTE METHODS === #

    @api.depends("charge_ids.date_to", "charge_ids.charge_type", "opening_billed_through")
    def _compute_billed_through(self):
        last_days = dict(
            self.env["isp.charge"]._read_group(
                [("subscription_id", "in", self.ids), ("charge_type", "=", "recurring")],
                ["subscription_id"],
                ["date_to:max"],
            )
        )
        for subscription in self:
            days = (subscription.opening_billed_through, last_days.get(subscription._origin))
            subscription.billed_through = max(filter(None, days), default=False)

    @api.depends(
        "state",
        "date_start",
        "date_end",
        "billed_through",
        "has_changes",
        "pending_since",
        "anchor_day",
        "plan_id.billing_mode",
        "plan_id.cycle_unit",
        "plan_id.cycle_count",
        "plan_id.anchor",
        "plan_id.anchor_day",
    )
    def _compute_next_bill_date(self):
        for subscription in self:
            subscription.next_bill_date = subscription._get_next_bill_date()

    @api.depends("charge_ids.move_id.payment_state", "opening_billed_through")
    def _compute_paid_until(self):
        for subscription in self:
            paid_until = subscription.opening_billed_through or subscription.date_start
            recurring = subscription.charge_ids.filtered(
                lambda charge: charge.charge_type == "recurring" and charge._is_still_billed()
            )
            for charge in recurring.sorted("date_from"):
                move = charge.move_id
                if move.move_type != "out_refund" and move.payment_state not in (
                    "paid",
                    "in_payment",
                    "reversed",
                ):
                    break
                paid_until = max(paid_until or charge.date_to, charge.date_to)
            subscription.paid_until = paid_until

    # === BUSINESS METHODS - WHAT IS DUE === #

    def _get_cycle(self):
        """The engine's cycle of this subscription."""
        self.ensure_one()
        return self.plan_id._get_cycle(self.anchor_day)

    def _get_next_bill_date(self):
        """First day on which a billing run finds a period to bill, ``False`` for never."""
        self.ensure_one()
        if self.state == "draft" or not self.date_start or not self.plan_id:
            return False
        if self.has_changes:
            return self._get_next_change_date()
        begin = max(self.date_start, self.billed_through or self.date_start)
        if self.plan_id.billing_mode != "arrears":
            return begin
        for _whole_from, whole_to in periods.whole_periods(self.date_start, self._get_cycle()):
            if whole_to > begin:
                return whole_to

    def _get_next_change_date(self):
        """As :meth:`_get_next_bill_date`, of a subscription that is billed by its history."""
        if any(p.policy == "extend" and not p.date_to for p in self.pause_ids):
            # Nobody knows yet when the running period ends.
            return False
        try:
            found = self._ask_engine(None).next_bill_date
        except UserError:
            # The run shows who cannot be billed, and why.
            found = self.billed_through or self.date_start
        return min(filter(None, (found, self.pending_since)), default=False)

    def _get_due_periods(self, target):
        """Unbilled periods that are due on ``target``, of a subscription without changes."""
        self.ensure_one()
        proration = self.plan_id.proration
        return periods.due_periods(
            self.date_start,
            self._get_cycle(),
            target,
            billed_through=self.billed_through or None,
            arrears=self.plan_id.billing_mode == "arrears",
            # The others bend only parts of periods, and those are left to the history.
            proration=proration if proration in ("none", "free_first_stub") else "exact",
        )

    def _get_due_charges(self, target):
        """Values of the charges that are due on ``target``, unsaved.

        The preview and the run both start here.

        :raises UserError: when the history of a subscription cannot be
        """
        charges = []
        for subscription in self:
            if subscription.has_changes:
                charges += subscription._get_history_charges(target)
                continue
            cycle = subscription._get_cycle()
            per = f"{cycle.count} {cycle.unit}"
            for period in subscription._get_due_periods(target):
                charges += [
                    line._prepare_charge_vals(period, per)
                    for line in subscription.line_ids
                    if not line.date_to
                ]
        return charges
