from odoo import api, models
from odoo.fields import Domain

# Models of Odoo's own addons that belong to a company, and for which these have no rule. A record
# in a data file could name only what isp_base depends on; here also what is installed later counts.
# Of settings a branch sees those of the company above as well, as Odoo's own rules have it.
COMPANY_FIELDS = {
    "account.fiscal.position.account": ("company_id", "parent_of"),
    "account.lock_exception": ("company_id", "parent_of"),
    "account.partial.reconcile": ("company_id", "in"),
    "digest.digest": ("company_id", "parent_of"),
    "ir.default": ("company_id", "parent_of"),
    "ir.sequence": ("company_id", "parent_of"),
    "mail.activity.plan": ("company_id", "parent_of"),
    "product.combo.item": ("company_id", "parent_of"),
    "product.uom": ("company_id", "parent_of"),
    "resource.calendar": ("company_id", "parent_of"),
    "sms.sms": ("record_company_id", "in"),
    "sms.twilio.number": ("company_id", "in"),
    "snailmail.letter": ("company_id", "in"),
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
        if model_name in COMPANY_FIELDS:
            field_name, operator = COMPANY_FIELDS[model_name]
            companies = Domain(field_name, operator, self.env.companies.ids)
            return domain & (companies | Domain(field_name, "=", False))
        return domain
