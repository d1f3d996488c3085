from odoo import models


class IspEntitlement(models.Model):
    _inherit = "isp.entitlement"

    def _write_multi(self, vals_list):
        """Sessions that are online hear of what is about to be committed."""
        # Here and not in write(): computed columns reach the database only through this.
        self.env["isp.network.order"]._collect_later()
        return super()._write_multi(vals_list)
