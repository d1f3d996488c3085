from odoo import api, fields, models
from odoo.fields import Domain


class PrivacyPolicy(models.Model):
    """The privacy policy of a company, and whom people write to about it."""

    _name = "privacy.policy"
    _description = "Privacy policy"
    _inherit = ["privacy.audited"]
    _rec_name = "company_id"

    _privacy_free = {
        "Published: whom customers write to.": "officer_name officer_email officer_phone",
    }

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    officer_name = fields.Char("Privacy officer", help="Named on the page of the policy.")
    officer_email = fields.Char("E-mail of the officer")
    officer_phone = fields.Char("Phone of the officer")
    version_ids = fields.One2many("privacy.policy.version", "policy_id", "Versions")
    current_version_id = fields.Many2one(
        "privacy.policy.version", "In force", compute="_compute_current_version_id"
    )

    _company_uniq = models.Constraint(
        "UNIQUE(company_id)", "The company has a privacy policy already. Add a version to it."
    )

    @api.depends("version_ids.state", "version_ids.effective_date")
    def _compute_current_version_id(self):
        for policy in self:
            policy.current_version_id = policy._get_current()

    # === BUSINESS METHODS === #

    @api.model
    def _get_of_company(self, company):
        """Return the policy of ``company``, as superuser: what it says is public."""
        return self.sudo().search([("company_id", "=", company.id)], limit=1)

    def _get_current(self):
        """Return the version in force today."""
        return self._find(self._get_effective_domain(), limit=1)

    def _get_latest(self):
        """Return the version that was published last, also if it is not in force yet."""
        return self._find(Domain.TRUE, limit=1)

    def _get_renewal(self, purpose):
        """Return the version in force since which ``purpose`` has to be agreed to anew."""
        domain = self._get_effective_domain() & Domain("reconsent_purpose_ids", "in", purpose.ids)
        return self._find(domain, limit=1)

    def _get_effective_domain(self):
        today = self.company_id._get_privacy_today() if self else fields.Date.today()
        return Domain("effective_date", "<=", today)

    def _find(self, domain, limit=None):
        domain &= Domain("policy_id", "in", self.ids) & Domain("state", "=", "published")
        return self.env["privacy.policy.version"].search(domain, order="number desc", limit=limit)

    def _get_missing_contact(self):
        """Return what the law wants on the page and is not known, as words."""
        self.ensure_one()
        company = self.company_id
        needed = [
            (company.street and company.city, self.env._("the company's address")),
            (company.phone, self.env._("the company's phone")),
            (company.email, self.env._("the company's e-mail")),
            (self.officer_name, self.env._("the privacy officer")),
            (self.officer_email or self.officer_phone, self.env._("how to reach the officer")),
        ]
        return [words for value, words in needed if not value]

    def _get_values(self, lang):
        """Return what placeholders of the texts stand for."""
        self.ensure_one()
        company = self.company_id
        installed = dict(self.env["res.lang"].get_installed())
        profile = company._get_privacy_profile()
        # A text may be in a language that screens are not in; what is not translated is English.
        profile = profile.with_context(lang=lang if lang in installed else "en_US")
        address = company.partner_id._display_address(without_company=True)
        return {
            "company": company.name,
            "address": ", ".join(line.strip() for line in address.splitlines() if line.strip()),
            "phone": company.phone,
            "email": company.email,
            "officer_name": self.officer_name,
            "officer_contact": ", ".join(filter(None, (self.officer_email, self.officer_phone))),
            "answer_days": profile.answer_days,
            "recovery_days": profile.recovery_days,
            "notice_days": profile.notice_days,
            "complaint_route": profile.complaint_route,
        }

    # === ACTIONS === #

    def action_open_page(self):
        """Show the page that everybody sees."""
        return {"type": "ir.actions.act_url", "url": "/privacy", "target": "new"}
