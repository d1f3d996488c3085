from odoo import models
from odoo.http import request


class ResUsers(models.Model):
    """Who signs in with a device that was not seen before is told by mail.

    Odoo does so for users with a second factor. For the others, customers above all, this does.
    """

    _inherit = "res.users"

    def authenticate(self, credential, user_agent_env):
        """Tell of a new device once the password, or whatever was asked for, was right."""
        auth_info = super().authenticate(credential, user_agent_env)
        # Scripts sign in by RPC each time anew and leave no device; they are not told of.
        if request and (user_agent_env or {}).get("interactive"):
            self.env(user=auth_info["uid"]).user._privacy_tell_new_device()
        return auth_info

    def _privacy_tell_new_device(self):
        """Write to the user if neither this browser nor this system was used before.

        Of the first device of an account nobody is told: there is none that it could be new against.
        """
        self.ensure_one()
        if not self.email or self._mfa_type():
            return
        agent = request.httprequest.user_agent
        # sudo: the devices are the user's own, and nobody is signed in yet.
        logs = self.env["res.device.log"].sudo()
        seen = {
            (log.platform, log.browser)
            for log in logs.search_fetch([("user_id", "=", self.id)], ["platform", "browser"])
        }
        if seen and (agent.platform or False, agent.browser or False) not in seen:
            reader = self.with_context(lang=self.lang)
            reader._notify_security_setting_update(
                subject=reader.env._("New device at your account"),
                content=reader.env._(
                    "A device that we have not seen before signed in to your account. If it was "
                    "not you, change your password at once and end the other sessions."
                ),
            )
