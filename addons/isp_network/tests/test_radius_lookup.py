from datetime import datetime, timedelta

from odoo.tests import tagged

from .common import IspNetworkCase


@tagged("post_install", "-at_install")
class TestRadiusLookup(IspNetworkCase):
    """What FreeRADIUS is answered about one login."""

    def test_rate_limit_in_the_words_of_routeros(self):
        # upload, download, burst up, down, threshold up, down, seconds, priority
        table = [
            ((10000, 20000, 0, 0, 0, 0, 0, 8), "10M/20M"),
            ((10240, 20480, 0, 0, 0, 0, 0, 8), "10240k/20480k"),
            ((512, 1000, None, None, None, None, None, None), "512k/1M"),
            ((0, 20000, 0, 0, 0, 0, 0, 0), "0/20M"),
            ((0, 0, 5000, 5000, 0, 0, 0, 1), None),
            ((None, None, None, None, None, None, None, None), None),
            (
                (10000, 20000, 15000, 30000, 8000, 16000, 8, 8),
                "10M/20M 15M/30M 8M/16M 8/8",
            ),
            (
                (10000, 20000, 15000, 30000, 8000, 16000, 8, 2),
                "10M/20M 15M/30M 8M/16M 8/8 2",
            ),
            ((10000, 20000, 0, 30000, 0, 0, 0, 8), "10M/20M 10M/30M 10M/20M 1/1"),
            ((10000, 20000, 0, 0, 0, 0, 0, 3), "10M/20M 0/0 0/0 0/0 3"),
        ]
        for values, expected in table:
            with self.subTest(values=values):
                self.env.cr.execute(
                    "SELECT radius.rate_limit(%s, %s, %s, %s, %s, %s, %s, %s)", values
                )
                self.assertEqual(self.env.cr.fetchone()[0], expected)

    def test_an_active_login_gets_its_plan(self):
        self.plan_home.write(
            {
                "upload_kbps": 10000,
                "download_kbps": 20000,
                "framed_pool": "pool-home",
                "ipv6_pool": "pool6",
                "address_list": "home",
                "simultaneous_use": 2,
                "session_timeout_s": 86400,
                "interim_interval_s": 600,
            }
        )
        subscription = self.create_subscription(username="karim")
        self.use_key()
        check = self.check_items("karim")
        self.assertRegex(check.pop("NT-Password"), "^[0-9a-fA-F]{32}$")
        self.assertEqual(
            check,
            {
                "ISP-Subscription-Id": str(subscription.id),
                "ISP-Service": "full",
                "Simultaneous-Use": "2",
            },
        )
        self.assertEqual(
            self.reply_items("karim"),
            {
                "Mikrotik-Rate-Limit": "10M/20M",
                "Framed-Pool": "pool-home",
                "Mikrotik-Delegated-IPv6-Pool": "pool6",
                "Mikrotik-Address-List": "home",
                "Session-Timeout": "86400",
                "Acct-Interim-Interval": "600",
            },
        )

    def test_static_addresses_replace_the_pools(self):
        self.plan_home.write({"framed_pool": "pool-home", "ipv6_pool": "pool6"})
        self.create_subscription(
            username="karim", ipv4_address="10.9.8.7", delegated_prefix="2001:db8:5::/56"
        )
        reply = self.reply_items("karim")
        self.assertEqual(reply["Framed-IP-Address"], "10.9.8.7")
        self.assertEqual(reply["Delegated-IPv6-Prefix"], "2001:db8:5::/56")
        self.assertNotIn("Framed-Pool", reply)
        self.assertNotIn("Mikrotik-Delegated-IPv6-Pool", reply)

    def test_the_suspended_reach_the_walled_garden_only(self):
        subscription = self.create_subscription(username="karim", ipv4_address="10.9.8.7")
        subscription._suspend("overdue", "Unpaid")
        reply = self.reply_items("karim")
        self.assertEqual(self.check_items("karim")["ISP-Service"], "walled")
        self.assertEqual(reply["Framed-Pool"], "pool-walled")
        self.assertEqual(reply["Mikrotik-Address-List"], "walled-garden")
        self.assertEqual(reply["Mikrotik-Rate-Limit"], "512k/512k")
        self.assertEqual(reply["Session-Timeout"], "1800")
        self.assertEqual(reply["Reply-Message"], "Payment due")
        self.assertNotIn("Framed-IP-Address", reply)

    def test_a_suspension_for_another_reason_does_not_ask_for_money(self):
        self.create_subscription(username="karim")._suspend("abuse", "Spam")
        self.assertEqual(self.reply_items("karim")["Reply-Message"], "Service suspended")

    def test_who_has_used_up_his_volume_is_told_so(self):
        self.plan_home.write({"cap_gb": 1, "cap_action": "block"})
        subscription = self.create_subscription(username="karim")
        subscription._set_cap_state("block")
        self.assertEqual(self.reply_items("karim")["Reply-Message"], "Data volume used up")
        self.assertEqual(self.check_items("karim")["ISP-Service"], "walled")
        # PostgreSQL's clock is real. Whose time is over as well has to pay for it first.
        for seconds, message in ((3600, "Data volume used up"), (-1, "Payment due")):
            self.env.cr.execute(
                "UPDATE isp_entitlement SET valid_until = (now() AT TIME ZONE 'UTC') + %s"
                " WHERE subscription_id = %s",
                [timedelta(seconds=seconds), subscription.id],
            )
            self.assertEqual(self.reply_items("karim")["Reply-Message"], message)

    def test_an_expired_login_is_walled_in_without_any_job(self):
        subscription = self.create_subscription(username="karim")
        self.row(subscription)
        # PostgreSQL's clock is real, whatever Python is told.
        for seconds, service in ((3600, "full"), (-1, "walled")):
            with self.subTest(seconds=seconds):
                self.env.cr.execute(
                    "UPDATE isp_entitlement SET valid_until = (now() AT TIME ZONE 'UTC') + %s",
                    [timedelta(seconds=seconds)],
                )
                self.assertEqual(self.check_items("karim")["ISP-Service"], service)
        self.assertEqual(self.reply_items("karim")["Mikrotik-Rate-Limit"], "512k/512k")

    def test_a_session_ends_when_the_prepaid_time_does(self):
        self.plan_home.session_timeout_s = 86400
        subscription = self.create_subscription(username="karim")
        self.row(subscription)
        self.env.cr.execute(
            "UPDATE isp_entitlement SET valid_until = (now() AT TIME ZONE 'UTC') + "
            "interval '89.5 s'"
        )
        self.assertEqual(self.reply_items("karim")["Session-Timeout"], "90")

    def test_prepaid_time_grows_with_the_payment(self):
        plan = self.create_plan("Prepaid", 500.0, billing_mode="prepaid", anchor="anniversary")
        subscription = self.create_subscription(username="rahim", plan_id=plan.id)
        self.bill("2027-03-10")
        before = self.row(subscription)["valid_until"]
        self.pay(subscription.charge_ids.move_id)
        # Midnight of 1 April in Dhaka.
        self.assertEqual(self.row(subscription)["valid_until"], datetime(2027, 3, 31, 18))
        self.assertLess(before, datetime(2027, 3, 31, 18))

    def test_drafts_and_the_terminated_are_refused(self):
        subscription = self.create_subscription(active=False, username="karim")
        self.row(subscription)
        self.assertEqual(self.check_items("karim")["ISP-Service"], "reject")
        subscription._activate()
        subscription._terminate("Moved away")
        self.assertEqual(self.check_items("karim")["ISP-Service"], "reject")
        self.assertEqual(self.reply_items("karim")["Reply-Message"], "Service not active")

    def test_an_unknown_login_gets_no_row(self):
        self.assertEqual(self.check_items("nobody"), {})
        self.assertEqual(self.reply_items("nobody"), {})

    def test_locked_devices_are_listed(self):
        self.create_subscription(username="karim", mac_addresses="aa:bb:cc:dd:ee:ff 001122334455")
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT value FROM radius.check_items('karim') WHERE attribute = 'ISP-Bound-MAC'"
        )
        self.assertEqual(
            sorted(row[0] for row in self.env.cr.fetchall()),
            ["00-11-22-33-44-55", "AA-BB-CC-DD-EE-FF"],
        )

    def test_without_the_right_key_there_is_no_password_and_no_error(self):
        self.create_subscription(username="karim")
        for key in ("", "not hex", "00" * 32, "00" * 7):
            with self.subTest(key=key):
                self.use_key(key)
                check = self.check_items("karim")
                self.assertNotIn("NT-Password", check)
                self.assertEqual(check["ISP-Service"], "full")
        self.use_key()
        self.assertIn("NT-Password", self.check_items("karim"))

    def test_other_routers_get_standard_attributes(self):
        self.env["isp.nas"].create({"name": "BRAS", "ip_address": "10.0.0.9", "nas_type": "other"})
        self.plan_home.write({"upload_kbps": 10000, "download_kbps": 20000, "address_list": "home"})
        subscription = self.create_subscription(username="karim")
        reply = self.reply_items("karim", "10.0.0.9")
        self.assertEqual(reply["WISPr-Bandwidth-Max-Up"], "10000000")
        self.assertEqual(reply["WISPr-Bandwidth-Max-Down"], "20000000")
        self.assertEqual(reply["Filter-Id"], "home")
        self.assertNotIn("Mikrotik-Rate-Limit", reply)
        subscription._suspend("overdue", "Unpaid")
        reply = self.reply_items("karim", "10.0.0.9")
        self.assertEqual(reply["Filter-Id"], "walled-garden")
        self.assertEqual(reply["WISPr-Bandwidth-Max-Down"], "512000")
