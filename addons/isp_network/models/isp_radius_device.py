import logging

from odoo import api, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)


class IspRadius(models.AbstractModel):
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
