from urllib.parse import urlsplit

from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.isp_messaging.gateways import CLIENTS


class IspMessageGateway(models.Model):
    """A gateway is given numbers and names, so it needs a contract."""

    _inherit = "isp.message.gateway"

    @api.constrains("active", "provider", "company_id", "test_url")
    def _check_privacy_contract(self):
        """Refuse to use what the published policy of the company does not allow."""
        for gateway in self.filtered("active"):
            # sudo: who sets up gateways need not read the policy and its register.
            policy = self.env["privacy.policy"].sudo()._get_of_company(gateway.company_id)
            if policy._get_latest() and (problem := gateway._get_privacy_problem()):
                raise ValidationError(problem)

    def _get_privacy_problem(self):
        """Return why no message may go out by this gateway today, None when it may."""
        self.ensure_one()
        # sudo: see above; a simulator is given nothing real.
        if self.sudo().test_url:
            return None
        problem = self._find_privacy_processors()._get_common_problem()
        if not problem:
            return None
        return self.env._(
            "%(gateway)s may be used only under a valid contract on personal data: %(problem)s. A "
            "privacy officer enters it under Privacy > Registers > Processors, with the host "
            "%(host)s.",
            gateway=self.name,
            problem=problem,
            host=self._get_host(),
        )

    def _get_host(self):
        return urlsplit(CLIENTS[self.provider].live_url).hostname

    def _find_privacy_processors(self):
        """Return the processors of the register to which this gateway's host belongs."""
        # sudo: see above.
        processors = self.env["privacy.processor"].sudo()
        found = processors.search([("company_id", "=", self.company_id.id), ("hosts", "!=", False)])
        host = self._get_host()
        return found.filtered(lambda processor: processor._covers(host))
