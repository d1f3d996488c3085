from odoo import api, fields, models


class PrivacyConsent(models.Model):
    """Which policy a person could read when they decided, and when they must be asked again."""

    _inherit = "privacy.consent"

    policy_version_id = fields.Many2one("privacy.policy.version", ondelete="restrict")

    @api.model
    def _prepare_policy(self, company):
        policy = self.env["privacy.policy"]._get_of_company(company)
        return {**super()._prepare_policy(company), "policy_version_id": policy._get_latest().id}

    def _filter_valid(self):
        """Leave out consents to an older policy that has to be agreed to anew."""
        valid = super()._filter_valid()
        for (company, purpose), rows in valid.grouped(
            lambda row: (row.company_id, row.purpose_id)
        ).items():
            policy = self.env["privacy.policy"]._get_of_company(company)
            renewal = policy._get_renewal(purpose)
            valid -= rows.filtered(
                lambda row, renewal=renewal: row.policy_version_id.number < renewal.number
            )
        return valid
