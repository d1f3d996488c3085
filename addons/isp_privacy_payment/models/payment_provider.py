from odoo import api, models
from odoo.exceptions import ValidationError

# Wire transfer, cash and the like: nobody else is given anything.
NO_THIRD_PARTY = frozenset({"none", "custom"})


class PaymentProvider(models.Model):
    """A provider that takes money is given personal data, so it needs a contract."""

    _inherit = "payment.provider"

    @api.constrains("state", "code", "company_id")
    def _check_privacy_contract(self):
        """Refuse to switch on what the published policy of the company does not allow."""
        for provider in self:
            # sudo: who sets up payments need not read the policy and its register.
            policy = self.env["privacy.policy"].sudo()._get_of_company(provider.company_id)
            if policy._get_latest() and (problem := provider._get_privacy_problem()):
                raise ValidationError(problem)

    def _get_privacy_problem(self):
        """Return why no real customer may pay by this provider today, None when they may."""
        self.ensure_one()
        if self.state != "enabled" or self.code in NO_THIRD_PARTY:
            return None
        problem = self._find_privacy_processors()._get_common_problem()
        if not problem:
            return None
        return self.env._(
            "%(provider)s takes money only under a valid contract on personal data: %(problem)s. A "
            "privacy officer enters it under Privacy > Registers > Processors. Until then use the "
            "test mode.",
            provider=self.name,
            problem=problem,
        )

    def _find_privacy_processors(self):
        """Return the processors of the register that are this provider."""
        # sudo: see above.
        return (
            self.env["privacy.processor"]
            .sudo()
            .search([("company_id", "=", self.company_id.id), ("payment_code", "=", self.code)])
        )
