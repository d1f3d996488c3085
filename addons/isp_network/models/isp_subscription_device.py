from odoo import api, fields, models
from odoo.tools import SQL


class IspSubscription(models.Model):
    """Devices that a subscription is locked to: learned by RADIUS, released by a clerk."""

    _inherit = "isp.subscription"

    mac_lock = fields.Selection(related="plan_id.mac_lock")
    learned_macs = fields.Char(
        "Learned just now",
        compute="_compute_learned_macs",
        help="Devices that RADIUS has learned and that join the others within a minute.",
    )

    # === COMPUTE METHODS === #

    def _compute_learned_macs(self):
        learned = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT e.subscription_id, string_agg(d.mac, '|' ORDER BY d.learned_on)
                    FROM radius.device d JOIN isp_entitlement e ON e.id = d.login_id
                    WHERE e.subscription_id = ANY(%s) GROUP BY e.subscription_id
                    """,
                    self.ids,
                )
            )
        )
        for subscription in self:
            subscription.learned_macs = learned.get(subscription.id, False)

    # === ACTION METHODS === #

    def action_release_devices(self):
        """Forget the devices, so that the next one that logs in is learned."""
        self.check_access("write")
        self.env["isp.entitlement"].flush_model()
        for subscription in self:
            old = "|".join(
                macs for macs in (subscription.mac_addresses, subscription.learned_macs) if macs
            )
            self.env.execute_query(
                SQL(
                    """
                    WITH gone AS (
                        DELETE FROM radius.device d USING isp_entitlement e
                        WHERE e.id = d.login_id AND e.subscription_id = %s RETURNING 1
                    ) SELECT count(*) FROM gone
                    """,
                    subscription.id,
                )
            )
            subscription.mac_addresses = False
            if old:
                subscription._log_event(
                    "device", self.env._("Devices released"), from_value=old.replace("|", " ")
                )
        self.invalidate_recordset(["learned_macs"])

    # === BUSINESS METHODS === #

    @api.model
    def _take_over_devices(self):
        """Put what RADIUS has learned among the MAC addresses of the subscriptions.

        The lookup knows a learned device already; this makes Odoo its owner.

        :return: the subscriptions that got a device
        """
        self.env["isp.entitlement"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT d.login_id, d.mac, e.subscription_id
                FROM radius.device d JOIN isp_entitlement e ON e.id = d.login_id
                ORDER BY d.learned_on FOR UPDATE OF d SKIP LOCKED
                """
            )
        )
        macs = {}
        for _login, mac, subscription_id in rows:
            macs.setdefault(subscription_id, []).append(mac)
        subscriptions = self.browse(macs)
        for subscription in subscriptions:
            known = (
                (subscription.mac_addresses or "").split("|") if subscription.mac_addresses else []
            )
            new = [mac for mac in macs[subscription.id] if mac not in known]
            if new:
                subscription.mac_addresses = "|".join(known + new)
                subscription._log_event(
                    "device",
                    self.env._("Learned at the first login"),
                    to_value=" ".join(new),
                )
        # The entitlements first: at no moment may a device be known to nobody.
        self.env.flush_all()
        for login_id, mac, _subscription in rows:
            self.env.cr.execute(
                SQL("DELETE FROM radius.device WHERE login_id = %s AND mac = %s", login_id, mac)
            )
        return subscriptions
