from odoo import fields, models


class IspImport(models.Model):
    _inherit = "isp.import"

    nas_id = fields.Many2one(
        "isp.nas",
        "From router",
        readonly=True,
        check_company=True,
        ondelete="set null",
        help="Its logins become those of the imported subscriptions, with their passwords.",
    )

    def _prepare_subscription_vals(self, decision):
        vals = super()._prepare_subscription_vals(decision)
        if self.nas_id:
            vals["nas_id"] = self.nas_id.id
        return vals
