from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    _privacy_fields = {"isp_external_ref": {"erasure": "null"}}

    isp_subscription_ids = fields.One2many("isp.subscription", "partner_id", "Subscriptions")
    isp_subscription_count = fields.Integer(
        "Number of subscriptions",
        compute="_compute_isp_subscription_count",
        groups="isp_base.group_isp_first_line",
    )
    isp_external_ref = fields.Char(
        "External customer reference",
        index="btree_not_null",
        copy=False,
        help="Identifier in the system the customer was imported from.",
    )
    isp_one_bill = fields.Selection(
        [("yes", "One bill for all services"), ("no", "A bill for each service")],
        "Bills for several services",
        help="Services that are due on the same day share a bill, or get one each. Left empty, the "
        "setting of the company decides.",
    )

    isp_dunning_policy_id = fields.Many2one(
        "isp.dunning.policy",
        "Dunning policy",
        company_dependent=True,
        domain="[('company_id', '=', current_company_id)]",
        help="Followed for the customer's services instead of the plan's or the company's policy.",
    )

    def _compute_isp_subscription_count(self):
        counts = dict(
            self.env["isp.subscription"]._read_group(
                [("partner_id", "child_of", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            family = counts.keys() & (partner | partner.child_ids)
            partner.isp_subscription_count = sum(counts[member] for member in family)

    def action_view_isp_subscriptions(self):
        """Open the subscriptions of the customer and its contacts."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_billing.isp_subscription_action"
        )
        action.update(
            domain=[("partner_id", "child_of", self.ids)],
            context={"default_partner_id": self.id},
        )
        return action

    def _wants_one_bill(self, company):
        """Whether services that are due together in ``company`` share a bill."""
        self.ensure_one()
        wish = self.commercial_partner_id.isp_one_bill
        return wish == "yes" if wish else company.isp_one_bill

    @api.model
    def _commercial_fields(self):
        return super()._commercial_fields() + ["isp_one_bill", "isp_dunning_policy_id"]

    def _isp_resume_if_settled(self):
        """Give the services of these customers back where nothing due is owed any more."""
        if not self:
            return
        # sudo: money gives the service back, whoever enters it.
        self.env["isp.subscription"].sudo().search(
            [
                ("commercial_partner_id", "in", self.commercial_partner_id.ids),
                ("state", "in", ("active", "suspended")),
            ]
        )._resume_if_settled()
