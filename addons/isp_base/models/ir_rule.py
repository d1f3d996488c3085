from odoo import api, models
from odoo.fields import Domain

# Models of Odoo's own addons that belong to a company, and for which these have no rule. A record
# in a data file could name only what isp_base depends on; here also what is installed later counts.
COMPANY_FIELDS = {
    "ir.default": "company_id",
    "ir.sequence": "company_id",
    "resource.calendar": "company_id",
    "sms.sms": "record_company_id",
    "sms.twilio.number": "company_id",
}


class IrRule(models.Model):
    """Closes what stock Odoo leaves open between companies."""

    _inherit = "ir.rule"

    @api.model
    def _compute_domain(self, model_name, mode="read"):
        domain = super()._compute_domain(model_name, mode)
        if self.env.su:
            return domain
        if self.env[model_name]._transient:
            # Odoo documents that a wizard is seen by its maker only, and no longer enforces it.
            return domain & Domain("create_uid", "=", self.env.uid)
        if field_name := COMPANY_FIELDS.get(model_name):
            return domain & Domain(field_name, "in", [False, *self.env.companies.ids])
        return domain
