from odoo import api, fields, models
from odoo.fields import Domain


class PrivacyProcessor(models.Model):
    """Whether a processor may be given personal data today, and what customers are told of it."""

    _inherit = "privacy.processor"

    use_problem = fields.Char(
        "Not to be used because",
        compute="_compute_use_problem",
        help="What has to be entered before personal data may go there.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        *("state", "country_id", "company_id", "transfer_ids.country_id"),
        *("transfer_ids.date_from", "transfer_ids.date_to"),
    )
    def _compute_use_problem(self):
        for processor in self:
            processor.use_problem = processor._get_use_problem()

    # === BUSINESS METHODS === #

    def _get_use_problem(self):
        """Return why personal data must not go to this processor today, False when it may."""
        self.ensure_one()
        return self._get_contract_problem() or self._get_country_problem()

    def _get_common_problem(self):
        """Return why none of these processors may be given personal data, False when one may."""
        problems = self.mapped("use_problem")
        if not problems:
            return self.env._("nobody has entered one")
        return all(problems) and problems[0]

    def _get_contract_problem(self):
        if self.state == "valid":
            return False
        words = {
            "none": self.env._("there is no contract with it"),
            "coming": self.env._("the contract with it has not begun"),
            "ended": self.env._("the contract with it has ended"),
        }
        return words[self.state]

    def _get_country_problem(self):
        company = self.company_id
        if not self.country_id:
            return self.env._("nobody entered in which country it keeps the data")
        if self.country_id in company._get_privacy_profile().blocked_country_ids:
            return self.env._(
                "the privacy profile of %(company)s lets no data go to %(country)s",
                company=company.name,
                country=self.country_id.name,
            )
        home = company.country_id
        if home and home != self.country_id and not self._find_transfers(self.country_id):
            return self.env._(
                "nothing in the register of transfers allows data to go to %s",
                self.country_id.name,
            )
        return False

    def _find_transfers(self, country):
        """Return the transfers to this processor in ``country`` that are in force today."""
        today = self._today()
        return self.transfer_ids.filtered(
            lambda transfer: (
                transfer.active
                and transfer.country_id == country
                and transfer.date_from <= today
                and (not transfer.date_to or transfer.date_to >= today)
            )
        )

    @api.model
    def _get_public(self, company):
        """Return the processors that the page of the policy names: those under contract today.

        Sub-processors stand below the one they work for, if that one is named.
        """
        # sudo: the law wants this part of the register to be public; the page shows names, services
        # and countries only.
        found = self.sudo().search(
            [("company_id", "=", company.id), ("contract_from", "!=", False)]
        )
        return found.filtered(lambda processor: processor.state == "valid")

    @api.model
    def _get_public_certificates(self, company):
        """Return the certificates that may be named today, the company's own and of its hosts."""
        domain = Domain("company_id", "=", company.id) & Domain("kind", "=", "certificate")
        # sudo: as above; an expired one is never named.
        certificates = self.env["privacy.evidence"].sudo().search(domain)
        today = company._get_privacy_today()
        return certificates.filtered(
            lambda evidence: (
                evidence.state != "expired"
                and (not evidence.valid_from or evidence.valid_from <= today)
                and (not evidence.processor_id or evidence.processor_id.state == "valid")
            )
        )
