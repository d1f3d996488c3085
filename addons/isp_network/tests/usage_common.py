from odoo.tools import SQL

from .common import IspNetworkCase

GB = 10**9


class IspUsageCase(IspNetworkCase):
    """Reports usage as accounting does, and rolls it up."""

    def setUp(self):
        super().setUp()
        # Crons commit; a test must not.
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 60.0)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Without the pictures of the day before, sums are those of the test alone.
        cls.env.execute_query(SQL("DELETE FROM radius.usage_delta RETURNING 1"))
        cls.windows = cls.env["isp.usage.window"]

    def report(self, subscription, moment, download, upload=0, seconds=300):
        """A report of ``download`` and ``upload`` octets that ends at ``moment`` (UTC)."""
        self.env.cr.execute(
            "INSERT INTO radius.usage_delta VALUES (%s, %s::timestamptz - interval '1 s', "
            "%s::timestamptz, %s, %s, %s)",
            [subscription.id, f"{moment}+00", f"{moment}+00", upload, download, seconds],
        )

    def use(self, subscription, moment, download, upload=0):
        """Report, roll up, and let the caps follow, at ``moment`` (UTC)."""
        self.report(subscription, moment, round(download), round(upload))
        self.roll_up(moment)

    def roll_up(self, moment):
        """What the cron does each minute, at ``moment`` (UTC)."""
        with self.at(moment):
            self.env["isp.radius"]._cron_roll_up_usage()
            self.env.flush_all()

    def window(self, subscription):
        return subscription.usage_window_ids.filtered(lambda w: w.state == "current")
