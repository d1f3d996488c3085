from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL


class IspRadiusSession(models.Model):
    _inherit = "isp.radius.session"

    # === ACTIONS === #

    def action_disconnect(self):
        """Have the router end the sessions; the subscribers may log in again at once."""
        self.check_access("read")
        online = self.filtered(lambda session: session.state == "online")
        if not online:
            raise UserError(self.env._("These sessions have ended already."))
        # sudo: support may disconnect, though it looks after no router.
        self.env["isp.network.order"].sudo()._disconnect_sessions(
            SQL("s.radacctid = ANY(%s)", online.ids),
            self.env._("Asked for by %s", self.env.user.name),
        )
        return self._notify_disconnect(len(online))

    def _notify_disconnect(self, count):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The routers are asked to end %s sessions.", count)
                if count > 1
                else self.env._("The router is asked to end the session."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
