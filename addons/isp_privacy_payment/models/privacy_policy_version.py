from odoo import models


class PrivacyPolicyVersion(models.Model):
    """A policy is not published while a payment provider does what it rules out."""

    _inherit = "privacy.policy.version"

    def _get_problems(self):
        problems = super()._get_problems()
        # sudo: officers of privacy do not set up payments.
        enabled = (
            self.env["payment.provider"]
            .sudo()
            .search([("company_id", "=", self.company_id.id), ("state", "=", "enabled")])
        )
        return problems + [
            problem for provider in enabled if (problem := provider._get_privacy_problem())
        ]
