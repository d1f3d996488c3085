from odoo import api, fields, models

from ..const import DUNNING_ACTIONS

PREVIEW_LIMIT = 2000


class IspDunningPreview(models.TransientModel):
    """One line of what a policy would do today: decided as by the job, but not done."""

    _name = "isp.dunning.preview"
    _description = "Dunning preview"
    _order = "id"

    policy_id = fields.Many2one("isp.dunning.policy", readonly=True)
    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    partner_id = fields.Many2one(related="subscription_id.partner_id", string="Customer")
    currency_id = fields.Many2one(related="policy_id.currency_id")
    step_id = fields.Many2one("isp.dunning.step", readonly=True)
    action = fields.Selection(DUNNING_ACTIONS, "Kind of step", readonly=True)
    hour = fields.Integer(related="step_id.hour", string="At")
    due_date = fields.Date("Due date", readonly=True)
    amount = fields.Monetary("Owed", readonly=True)
    verdict = fields.Selection(
        [("take", "Will be taken"), ("hold", "Held back"), ("outdated", "Out of date")],
        "What happens",
        readonly=True,
    )
    reason = fields.Char("Why", readonly=True)

    @api.model
    def _open(self, policy):
        """Work out the lines of ``policy`` for the whole of today and show them."""
        company = policy.company_id
        subscription_model = self.env["isp.subscription"].with_company(company)
        decisions = subscription_model._get_dunning_decisions(
            company, policy._get_end_of_day(company), policy=policy
        )
        outcomes = {"take": "done", "hold": "held", "outdated": "skipped"}
        lines = self.create(
            [
                {
                    "policy_id": policy.id,
                    "subscription_id": decision.subscription_id,
                    "step_id": decision.step.step_id,
                    "action": decision.step.action,
                    "due_date": decision.row["due"],
                    "amount": decision.row["owed"],
                    "verdict": decision.verdict,
                    "reason": subscription_model.browse(decision.subscription_id)._get_dunning_text(
                        [decision], outcomes[decision.verdict]
                    ),
                }
                for decision in decisions[:PREVIEW_LIMIT]
            ]
        )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_billing.isp_dunning_preview_action"
        )
        name = self.env._("Today by “%s”", policy.name)
        if len(decisions) > PREVIEW_LIMIT:
            name = self.env._(
                "Today by “%(policy)s”: the first %(shown)s of %(count)s",
                policy=policy.name,
                shown=PREVIEW_LIMIT,
                count=len(decisions),
            )
        action.update(domain=[("id", "in", lines.ids)], name=name, display_name=name)
        return action
