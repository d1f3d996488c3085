from odoo import api, fields, models

from ..const import DUNNING_HOLDS


class IspDunningHold(models.Model):
    """Why the steps of a policy wait: a promise, a customer who is a VIP, a disputed bill.

    Made and ended by the methods of the subscription only, which check who may do it.
    """

    _name = "isp.dunning.hold"
    _description = "Dunning hold"
    _order = "date_from desc, id desc"
    _rec_name = "kind"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "account"}
    _privacy_fields = {
        "reason end_reason": {"category": "free_text", "erasure": "mask"},
        "user_id ended_by": "staff",
    }
    _privacy_facts = "kind date_from date_until amount ended_on"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(DUNNING_HOLDS, required=True, readonly=True)
    date_from = fields.Date("Since", required=True, readonly=True)
    date_until = fields.Date("Last day", readonly=True)
    amount = fields.Monetary("Promised", readonly=True)
    reason = fields.Char("Why", required=True, readonly=True)
    user_id = fields.Many2one("res.users", "By", required=True, readonly=True)
    ended_on = fields.Date("Ended", readonly=True)
    ended_by = fields.Many2one("res.users", "Ended by", readonly=True)
    end_reason = fields.Char("Why ended", readonly=True)

    _kind_once = models.UniqueIndex(
        "(subscription_id, kind) WHERE ended_on IS NULL",
        "The subscription has this mark already.",
    )
    _promise_dated = models.Constraint(
        "CHECK (kind <> 'promise' OR date_until >= date_from)", "A promise ends after it is made."
    )

    @api.depends("kind", "date_until")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for hold in self:
            hold.display_name = kinds.get(hold.kind)
