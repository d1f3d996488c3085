import logging

from odoo import api, models
from odoo.tools import config

from .ir_config_parameter import is_odoo_service

_logger = logging.getLogger(__name__)


class PublisherWarrantyContract(models.AbstractModel):
    _inherit = "publisher_warranty.contract"

    @api.model
    def _is_call_home_blocked(self):
        """Tell whether the weekly report would go to Odoo S.A., or nowhere.

        An address of the operator's own in ``publisher_warranty_url`` is not blocked.
        """
        url = config.get("publisher_warranty_url")
        return not url or is_odoo_service(url)

    @api.model
    def _get_sys_logs(self):
        if self._is_call_home_blocked():
            return {"messages": []}
        return super()._get_sys_logs()

    def update_notification(self, cron_mode=True):
        """Send nothing: the report names the company, its users and its apps in clear HTTP."""
        if self._is_call_home_blocked():
            _logger.info("The report to Odoo S.A. is switched off.")
            return True
        return super().update_notification(cron_mode)

    @api.model
    def _isp_switch_off_cron(self):
        cron = self.env.ref("mail.ir_cron_module_update_notification", raise_if_not_found=False)
        if cron and self._is_call_home_blocked():
            # A cron that is running right now cannot be changed; the next update gets it.
            cron.try_lock_for_update().active = False
