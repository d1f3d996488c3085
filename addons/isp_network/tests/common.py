from odoo.addons.isp_base import crypto
from odoo.addons.isp_billing.tests.common import IspBillingCase


class IspNetworkCase(IspBillingCase):
    """Reads the RADIUS schema the way FreeRADIUS does, within the test's transaction."""

    def use_key(self, key=None):
        """Give the lookup functions the key of FreeRADIUS, or another one."""
        key = crypto.load_keyring().radius_key_hex() if key is None else key
        self.env.cr.execute("SELECT set_config('radius.key', %s, true)", [key])

    def row(self, subscription):
        """The row of radius.login for a subscription as a dict, None without one."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT * FROM radius.login WHERE subscription_id = %s", [subscription.id]
        )
        rows = self.env.cr.dictfetchall()
        self.assertLessEqual(len(rows), 1)
        return rows[0] if rows else None

    def check_items(self, username):
        """What FreeRADIUS is told before it compares the password: {attribute: value}."""
        return self._items("SELECT attribute, value FROM radius.check_items(%s)", [username])

    def reply_items(self, username, nas_address=None):
        """What the router would be told: {attribute: value}."""
        return self._items(
            "SELECT attribute, value FROM radius.reply_items(%s, %s)", [username, nas_address]
        )

    def _items(self, query, params):
        self.env.flush_all()
        self.env.cr.execute(query, params)
        return dict(self.env.cr.fetchall())

    def client(self, nas):
        """The row of radius.client for a router as a dict, None without one."""
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM radius.client WHERE id = %s", [nas.id])
        rows = self.env.cr.dictfetchall()
        return rows[0] if rows else None
