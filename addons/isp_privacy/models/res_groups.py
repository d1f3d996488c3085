from odoo import api, models


class ResGroups(models.Model):
    """The other way to give a role to oneself: from the side of the role."""

    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        """Notice roles that come with a new group."""
        with self.env["res.users"]._privacy_watch_roles():
            return super().create(vals_list)

    def write(self, vals):
        """Notice roles that somebody gives to oneself."""
        if not {"user_ids", "implied_ids", "implied_by_ids"} & vals.keys():
            return super().write(vals)
        with self.env["res.users"]._privacy_watch_roles():
            return super().write(vals)
