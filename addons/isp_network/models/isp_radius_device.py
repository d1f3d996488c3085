import logging

from odoo import api, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)


class IspRadius(models.AbstractModel):
    """Upkeep of what RADIUS knows of devices."""

    _inherit = "isp.radius"

    @api.model
    def _cron_take_over_devices(self):
        """Take over what RADIUS has learned, and forget what is of no use any more."""
        done = self.env["isp.subscription"]._take_over_devices()
        if done:
            _logger.info("RADIUS: devices of %s subscriptions taken over", len(done))
        self.env.cr.execute(
            SQL("DELETE FROM radius.pending WHERE accepted_at < now() - interval '1 hour'")
        )
        self.env.cr.execute(
            SQL("DELETE FROM radius.walled_lookup WHERE since < now() - interval '1 hour'")
        )

    @api.model
    def _cron_ensure_partitions(self):
        """Give the new months the index by device, too."""
        res = super()._cron_ensure_partitions()
        self.env.execute_query(SQL("SELECT radius.index_devices()"))
        return res
