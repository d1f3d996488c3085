from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    isp_subscription_ids = fields.One2many("isp.subscription", "partner_id", "Subscriptions")
    isp_subscription_count = fields.Integer(
        "Number of subscriptions",
        compute="_compute_isp_subscription_count",
        groups="isp_base.group_isp_support",
    )
    isp_external_ref = fields.Char(
        "External customer reference",
        index="btree_not_null",
        copy=False,
        help="Identifier in the system the customer was imported from.",
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
