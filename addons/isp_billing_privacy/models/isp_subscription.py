from odoo import api, fields, models
from odoo.exceptions import UserError


class IspSubscription(models.Model):
    """Services that begin only for customers whose identity is known."""

    _inherit = "isp.subscription"

    kyc_problem = fields.Char("Missing identity", compute="_compute_kyc_problem", compute_sudo=True)

    @api.depends("state", "partner_id", "plan_id.kyc_required", "company_id")
    def _compute_kyc_problem(self):
        for subscription in self:
            is_draft = subscription.state == "draft"
            subscription.kyc_problem = is_draft and subscription._get_kyc_problem()

    def _get_kyc_problem(self):
        """Return what is missing before the service may begin, None when nothing is."""
        self.ensure_one()
        if not self.partner_id or not self.plan_id or not self.plan_id._needs_kyc():
            return None
        return self.partner_id._privacy_kyc_problem(self.company_id)

    def _activate(self, reason=None):
        """Refuse to begin a service for somebody whose identity has to be known and is not.

        :raises UserError: names each service, and what is missing
        """
        drafts = self.filtered(lambda s: s.state == "draft")
        plans = drafts.plan_id.filtered(lambda plan: plan._needs_kyc())
        missing = [
            self.env._(
                "%(service)s of %(customer)s: %(problem)s",
                service=subscription.display_name,
                customer=subscription.partner_id.display_name,
                problem=problem,
            )
            for subscription in drafts.filtered(lambda s: s.plan_id in plans)
            if (problem := subscription._get_kyc_problem())
        ]
        if missing:
            raise UserError(
                self.env._(
                    "The identity of the customer has to be approved before the service begins. A "
                    "KYC officer captures the document under Identity documents, or the customer "
                    "sends it on the customer page (Privacy > Your identity).\n%s",
                    "\n".join(missing),
                )
            )
        return super()._activate(reason)
