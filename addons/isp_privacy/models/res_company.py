import pytz

from odoo import fields, models
from odoo.exceptions import UserError

from ..engine import clock, retention


class ResCompany(models.Model):
    """What a company promises about privacy, and on which calendar its days are counted."""

    _inherit = "res.company"

    privacy_profile_id = fields.Many2one(
        "privacy.profile",
        "Privacy profile",
        ondelete="restrict",
        help="What the privacy policy promises. Empty: the profile of the company's country.",
    )

    def _get_privacy_profile(self):
        """Return the profile that binds the company.

        :raises UserError: when there is no profile at all
        """
        self.ensure_one()
        # sudo: customers open requests, and read no settings.
        company = self.sudo()
        profile = company.privacy_profile_id or company.env["privacy.profile"]._get_for_country(
            company.country_id
        )
        if not profile:
            raise UserError(
                self.env._(
                    "There is no privacy profile. Create one under Privacy > Configuration > "
                    "Policy profiles."
                )
            )
        return profile

    def _get_privacy_zone(self):
        """Name of the time zone of the company's days: its partner's, else its country's."""
        self.ensure_one()
        company = self.sudo()  # sudo: customers read no companies, and see dates of this zone
        if zone := company.partner_id.tz:
            return zone
        return pytz.country_timezones.get(company.country_id.code or "", ["UTC"])[0]

    def _get_privacy_day(self, moment):
        """The day that the company's calendar shows at ``moment`` (naive UTC)."""
        return clock.local_day(moment, self._get_privacy_zone())

    def _get_privacy_today(self):
        """Today's date in the company's time zone."""
        return self._get_privacy_day(fields.Datetime.now())

    def _get_privacy_limits(self, retention_class):
        """Return how long a kind of data is kept, None where the profile does not say."""
        rule = self._get_privacy_profile()._get_rule(retention_class)
        return rule._get_limits() if rule else None

    def _privacy_time(self, retention_class, day):
        """Return until which day the law asks for a record of ``day``, and until which it may stay.

        Addons that show or drop what they store ask for it by this name, where it is there.
        """
        limits = self._get_privacy_limits(retention_class)
        return retention.kept_until(day, limits), retention.last_day(day, limits)
