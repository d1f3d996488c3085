from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model
    def _privacy_officers(self, company=None):
        """Return the active privacy officers, of ``company`` only if it is given."""
        # sudo: who the officers are is no secret, and crons and customers cause their activities.
        officers = self.env.ref("isp_privacy.group_privacy_officer").sudo().all_user_ids
        officers = officers.filtered(lambda user: user.active and not user.share)
        if company:
            officers = officers.filtered(lambda user: company in user.company_ids)
        return officers
