from odoo import fields, models

from ..const import DUNNING_ACTIONS, DUNNING_HOLDS


class IspDunningLog(models.Model):
    """What became of one step for one unpaid bill.

    The unique index is what keeps a step from being taken twice, whatever crashed in between.
    """

    _name = "isp.dunning.log"
    _description = "Dunning log"
    _order = "date desc, id desc"
    _rec_name = "subscription_id"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "account"}
    _privacy_fields = {"reason": "free_text"}
    _privacy_facts = "action date due_date amount outcome"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id", string="Customer")
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True, precompute=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    policy_id = fields.Many2one("isp.dunning.policy", readonly=True, index=True, ondelete="cascade")
    step_id = fields.Many2one(
        "isp.dunning.step",
        "Step of the policy",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    action = fields.Selection(DUNNING_ACTIONS, "Step", readonly=True, required=True)
    due_date = fields.Date("Bill due", required=True, readonly=True)
    date = fields.Datetime(
        required=True, readonly=True, index=True, default=lambda self: fields.Datetime.now()
    )
    amount = fields.Monetary("Owed", readonly=True)
    outcome = fields.Selection(
        [
            ("done", "Done"),
            ("skipped", "Out of date"),
            ("held", "Held back"),
            ("paid", "Paid meanwhile"),
            ("unreached", "Not reached"),
            ("failed", "Failed"),
            ("lifted", "Taken back"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    hold = fields.Selection(DUNNING_HOLDS, "Held by", readonly=True)
    retry_on = fields.Date("Again from", readonly=True)
    reason = fields.Char("Why", readonly=True)
    fee_id = fields.Many2one(
        "isp.subscription.fee", "Late fee", readonly=True, index="btree_not_null"
    )

    _step_once = models.UniqueIndex(
        "(subscription_id, step_id, due_date)", "This step has been taken for this bill already."
    )
