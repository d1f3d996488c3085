from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL


class IspSubscription(models.Model):
    """What the control room does with a subscription."""

    _inherit = "isp.subscription"

    _username_trgm = models.Index(
        lambda registry: "USING gin (username gin_trgm_ops)" if registry.has_trigram else ""
    )
    _mac_addresses_trgm = models.Index(
        lambda registry: (
            "USING gin (mac_addresses gin_trgm_ops) WHERE mac_addresses IS NOT NULL"
            if registry.has_trigram
            else ""
        )
    )

    def action_test_login(self):
        """Log in as the customer's router would, and show what RADIUS answers."""
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("isp_base.group_isp_first_line"):
            raise AccessError(self.env._("Support staff tries logins."))
        # sudo: the record of the test is made by this method only.
        test = self.env["isp.test.login"].sudo()._run(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Test login"),
            "res_model": "isp.test.login",
            "res_id": test.id,
            "view_mode": "form",
            # The control room hands this to the web client itself, which needs the views named.
            "views": [(False, "form")],
            "target": "new",
        }

    def _get_known_device(self):
        """The MAC address the customer is known by: the session's, else the locked one, else None.

        A login from another one could count as a second device.
        """
        self.ensure_one()
        rows = self.env.execute_query(
            SQL(
                "SELECT callingstationid FROM radius.radacct WHERE acctstoptime IS NULL"
                " AND subscription_id = %s AND callingstationid <> ''"
                " ORDER BY acctstarttime DESC LIMIT 1",
                self.id,
            )
        )
        if rows:
            return rows[0][0]
        return (self.mac_addresses or "").split("|")[0] or None

    def action_control_disconnect(self):
        """End the open sessions; the customer's router dials again by itself."""
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("isp_base.group_isp_first_line"):
            raise AccessError(self.env._("Support staff disconnects sessions."))
        if not self._can_disconnect():
            raise UserError(self.env._("Sessions cannot be ended from here yet."))
        self._network_disconnect(self.env._("Disconnected from the control room"))

    def _can_disconnect(self):
        return hasattr(self, "_network_disconnect")
