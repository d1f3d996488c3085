from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountMoveLine(models.Model):
    """The charge behind a line of an invoice."""

    _inherit = "account.move.line"

    isp_charge_ids = fields.One2many(
        "isp.charge",
        "invoice_line_id",
        "Charges",
        readonly=True,
        groups="isp_base.group_isp_support",
    )
    isp_has_charge = fields.Boolean(
        "Has a charge",
        compute="_compute_isp_has_charge",
        groups="isp_base.group_isp_support",
    )

    # === COMPUTE METHODS === #

    @api.depends("isp_charge_ids")
    def _compute_isp_has_charge(self):
        for line in self:
            line.isp_has_charge = bool(line.isp_charge_ids)

    # === ACTION METHODS === #

    def action_isp_explain(self):
        """Open the charge behind the line."""
        self.ensure_one()
        charges = self.isp_charge_ids
        if not charges:
            raise UserError(self.env._("This line was entered by hand; no charge is behind it."))
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_billing.isp_charge_action")
        action.update(domain=[("id", "in", charges.ids)], context={"create": False})
        if len(charges) == 1:
            action.update(
                name=self.env._("Why this amount"),
                views=[(self.env.ref("isp_billing.isp_charge_view_form").id, "form")],
                res_id=charges.id,
                target="new",
            )
        return action
