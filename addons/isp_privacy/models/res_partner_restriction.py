from odoo import models


class ResPartner(models.Model):
    """Restricted data is used for nothing that can be refused."""

    _inherit = "res.partner"

    def _privacy_get_excluded(self, purpose):
        # sudo: whoever sends must know, and reads nothing but that.
        restricted = self.sudo().filtered("privacy_restricted")
        return super()._privacy_get_excluded(purpose) | self.browse(restricted.ids)
