from odoo import api, models
from odoo.tools import SQL


class IspRadius(models.AbstractModel):
    _inherit = "isp.radius"

    @api.model
    def _cron_ensure_partitions(self):
        """Give the new months the index by device, too."""
        res = super()._cron_ensure_partitions()
        self.env.execute_query(SQL("SELECT radius.index_devices()"))
        return res
