from odoo.tests import tagged

from .common import IspNetworkCase


@tagged("post_install", "-at_install")
class TestRadiusThrottled(IspNetworkCase):
    """A customer whom dunning throttled stays online, at the plan's reduced rates."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_steps({"action": "throttle", "days": 4, "hour": 10})
        cls.plan_home.write(
            {
                "download_kbps": 20000,
                "upload_kbps": 10000,
                "burst_download_kbps": 40000,
                "throttle_download_kbps": 256,
                "throttle_upload_kbps": 128,
                "framed_pool": "pool-home",
            }
        )
        cls.subscription = cls.create_subscription(username="karim")

    def throttle(self):
        self.bill("2027-03-01")
        self.subscription._dun(self.company)
        self.assertEqual(self.row(self.subscription)["access"], "throttled")

    def test_the_reply_carries_the_reduced_rate(self):
        self.assertIn("10M/20M 10M/40M", self.reply_items("karim")["Mikrotik-Rate-Limit"])
        self.throttle()
        self.use_key()
        self.assertEqual(self.check_items("karim")["ISP-Service"], "throttled")
        reply = self.reply_items("karim")
        self.assertEqual(reply["Mikrotik-Rate-Limit"], "128k/256k")
        self.assertEqual(reply["Framed-Pool"], "pool-home")
        self.assertNotIn("Reply-Message", reply)

    def test_other_routers_are_told_in_wispr(self):
        nas = self.env["isp.nas"].create(
            {
                "name": "BRAS",
                "ip_address": "198.51.100.7",
                "nas_type": "other",
                "secret": "a-long-shared-secret",
            }
        )
        self.throttle()
        reply = self.reply_items("karim", nas.ip_address)
        self.assertEqual(reply["WISPr-Bandwidth-Max-Down"], "256000")
        self.assertEqual(reply["WISPr-Bandwidth-Max-Up"], "128000")

    def test_the_payment_brings_the_full_rate_back(self):
        self.throttle()
        self.pay(self.subscription.charge_ids.move_id)
        self.assertEqual(self.row(self.subscription)["access"], "full")
        self.assertIn("10M/20M", self.reply_items("karim")["Mikrotik-Rate-Limit"])
