import logging

from odoo import SUPERUSER_ID, models

from ..routeros import backup, errors

_logger = logging.getLogger(__name__)


class IspNas(models.Model):
    _inherit = "isp.nas"

    def action_routeros_backup(self):
        """Fetch the configuration in the background."""
        self.check_access("write")
        for nas in self:
            nas._enqueue_backup()
        return self[:1]._notify_routeros(
            self.env._("The configuration is fetched in the background."), "success"
        )

    def _enqueue_backup(self):
        self.ensure_one()
        nas = self.with_user(SUPERUSER_ID).with_company(self.company_id)
        nas.with_delay(
            channel=f"root.isp_routeros.nas_{self.id}",
            description=self.env._("Back up %s", self.name),
            identity_key=f"isp-routeros-backup-{self.id}",
        )._job_routeros_backup()

    def _job_routeros_backup(self):
        """Fetch and keep the configuration; a router that is away is asked the next night."""
        nas = self.exists()
        if not nas or not nas.active:
            return "nothing to do"
        try:
            with nas._open_router() as session:
                content = backup.fetch_export(session)
                version = ".".join(map(str, session.version))
        except errors.RouterError as error:
            message = nas._explain_router_error(error)
            _logger.warning("No backup of router %s: %s", nas.name, message)
            return message
        kept = self.env["isp.nas.backup"]._store(nas, content, version)
        return f"version {kept.version}"
