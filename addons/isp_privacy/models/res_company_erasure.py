from odoo import models


class ResCompany(models.Model):
    _inherit = "res.company"

    def _privacy_kept_until(self, retention):
        """Return until which day the law asks for a record of today, None if it does not.

        Hook: asks the rules of the policy profile, where there are any.
        """
        self.ensure_one()
        if not hasattr(self, "_get_privacy_limits") or not self._get_privacy_limits(retention):
            return None
        today = self._get_privacy_today()
        until = self._privacy_time(retention, today)[0]
        return until if until > today else None
