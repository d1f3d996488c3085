from odoo import models
from odoo.fields import Domain


class ResPartner(models.Model):
    """Whether a person is of age, as far as that is known."""

    _inherit = "res.partner"

    def _privacy_min_age(self):
        """Return the age from which this person decides alone."""
        self.ensure_one()
        company = self.env.company
        country = self.sudo().country_id or company.sudo().country_id
        return company._get_privacy_profile()._get_min_age(country)

    def _privacy_minors(self):
        """Return those who are known to be minors today."""
        today = self.env.company._get_privacy_today()
        last = self._privacy_last_ages(("adult", "minor"))
        minors = last.filtered(
            lambda row: row.kind == "minor" and (not row.adult_on or today < row.adult_on)
        )
        return self & minors.partner_id.with_env(self.env)

    def _privacy_adults(self):
        """Return those who declared, or were found, to be of age."""
        last = self._privacy_last_ages(("adult", "minor"))
        known = last.filtered(lambda row: row.kind == "adult" or row.adult_on).partner_id
        return (self & known.with_env(self.env)) - self._privacy_minors()

    def _privacy_guardian_agreed(self):
        """Return those whose guardian agreed and did not withdraw."""
        last = self._privacy_last_ages(("guardian_given", "guardian_withdrawn"))
        given = last.filtered(lambda row: row.kind == "guardian_given").partner_id
        return self & given.with_env(self.env)

    def _privacy_last_ages(self, kinds):
        # sudo: whoever sends must know, and reads nothing but that.
        ledger = self.env["privacy.age"].sudo()
        domain = Domain("partner_id", "in", self.ids) & Domain("kind", "in", kinds)
        return ledger.browse(
            [last for _partner, last in ledger._read_group(domain, ["partner_id"], ["id:max"])]
        )

    def _privacy_get_excluded(self, purpose):
        """Nothing that can be refused is done with data of minors, whoever agreed to it."""
        return super()._privacy_get_excluded(purpose) | self._privacy_minors()
