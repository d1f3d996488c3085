from odoo import fields, models


class IspPlan(models.Model):
    _inherit = "isp.plan"

    kyc_required = fields.Boolean(
        "Identity first",
        tracking=True,
        help="A service of this plan begins only when an identity document of the customer is "
        "approved. Services that run already go on.",
    )

    def _needs_kyc(self):
        """Tell if the plan, or the policy of its company, asks for a checked identity."""
        self.ensure_one()
        # sudo: clerks read no policy, and are told what it asks for.
        profile = self.company_id._get_privacy_profile().sudo()
        return self.kyc_required or profile.kyc_required
