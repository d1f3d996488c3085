from odoo import api, models
from odoo.http import root


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model
    def _privacy_officers(self, company=None, group="isp_privacy.group_privacy_officer"):
        """Return the active privacy officers, of ``company`` only if it is given.

        :param group: of other officers their group
        """
        # sudo: who the officers are is no secret, and crons and customers cause their activities.
        officers = self.env.ref(group).sudo().all_user_ids
        officers = officers.filtered(lambda user: user.active and not user.share)
        if company:
            officers = officers.filtered(lambda user: company in user.company_ids)
        return officers

    @api.private
    def _privacy_end_sessions(self):
        """Delete the sessions of these users, on whichever device they are."""
        # sudo: devices belong to their users, and who restricts the data need not be one of them.
        logs = self.env["res.device.log"].sudo()
        logs = logs.search([("user_id", "in", self.ids), ("revoked", "=", False)])
        if logs:
            root.session_store.delete_from_identifiers(list(set(logs.mapped("session_identifier"))))
            logs.write({"revoked": True})
