from odoo import fields, models

from ..const import CYCLE_UNITS
from ..engine.history import CycleChange
from ..engine.periods import Cycle


class IspSubscriptionCycle(models.Model):
    """The billing cycle of a subscription from a day on, kept when it has changed.

    The first row has no day: it is the cycle the service began with. Subscriptions without a row
    have the cycle of their plan.
    """

    _name = "isp.subscription.cycle"
    _description = "Billing cycle of a subscription"
    _order = "subscription_id, id"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "account", "purpose": "service", "retention": "account"}
    _privacy_facts = "date_from cycle_unit cycle_count anchor_day"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    date_from = fields.Date("From", readonly=True, help="Empty for the first cycle.")
    cycle_unit = fields.Selection(CYCLE_UNITS, "Unit of the period", required=True, readonly=True)
    cycle_count = fields.Integer("Periods", required=True, readonly=True)
    anchor_day = fields.Integer(
        "Billing day", readonly=True, help="0 for the day the service began."
    )
    at_once = fields.Boolean(
        readonly=True,
        help="The running period ends on the day; otherwise it ends as planned and a part leads to "
        "the new billing day.",
    )

    def _get_cycle(self):
        """The engine's :class:`Cycle`."""
        self.ensure_one()
        return Cycle(self.cycle_unit, self.cycle_count, self.anchor_day or None)

    def _get_changes(self):
        """The engine's changes, of all rows but the first."""
        return tuple(
            CycleChange(row.date_from, row._get_cycle(), when="now" if row.at_once else "cycle_end")
            for row in self
            if row.date_from
        )
