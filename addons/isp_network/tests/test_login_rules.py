from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.isp_base import crypto

from .common import IspNetworkCase


@tagged("post_install", "-at_install")
class TestLoginRules(IspNetworkCase):
    """CHAP, devices and realms: what Odoo hands to RADIUS."""

    def test_the_password_itself_is_stored_for_chap_only(self):
        subscription = self.create_subscription(username="karim", password="open-sesame-1")
        self.use_key()
        self.assertIsNone(self.row(subscription)["chap_secret"])
        self.assertNotIn("Cleartext-Password", self.check_items("karim"))
        self.plan_home.allow_chap = True
        sealed = self.row(subscription)["chap_secret"]
        self.assertNotIn("sesame", sealed)
        self.assertEqual(crypto.radius_decrypt(sealed), "open-sesame-1")
        self.assertEqual(self.check_items("karim")["Cleartext-Password"], "open-sesame-1")
        subscription.password = "another-one-2"
        self.assertEqual(self.check_items("karim")["Cleartext-Password"], "another-one-2")
        self.use_key("00" * 32)
        self.assertNotIn("Cleartext-Password", self.check_items("karim"))
        self.use_key()
        self.plan_home.allow_chap = False
        self.assertFalse(subscription.entitlement_ids.chap_secret)
        self.assertIsNone(self.row(subscription)["chap_secret"])

    def test_nobody_but_the_system_reads_the_sealed_password(self):
        self.plan_home.allow_chap = True
        subscription = self.create_subscription(username="karim")
        for role in ("support", "manager"):
            entitlement = subscription.entitlement_ids.with_user(self.create_user(role))
            with self.subTest(role), self.assertRaises(AccessError):
                entitlement.read(["chap_secret"])

    def _learn(self, subscription, mac):
        self.env.flush_all()
        self.env.cr.execute("SELECT radius.claim(%s, NULL, %s)", [subscription.username, mac])
        return self.env.cr.fetchone()[0]

    def _bound(self, username):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT value FROM radius.check_items(%s) WHERE attribute = 'ISP-Bound-MAC'",
            [username],
        )
        return {row[0] for row in self.env.cr.fetchall()}

    def test_learned_devices_become_those_of_the_subscription(self):
        self.plan_home.write({"mac_lock": "first_use", "mac_lock_devices": 2})
        subscription = self.create_subscription(username="karim")
        first, second, third = (f"AA-BB-CC-00-00-0{number}" for number in range(3))
        self.assertEqual(self.check_items("karim")["ISP-Learn"], "yes")
        self.assertEqual(self._learn(subscription, first), "ok")
        self.assertEqual(self._bound("karim"), {first})
        subscription.invalidate_recordset(["learned_macs"])
        self.assertEqual(subscription.learned_macs, first)
        self.env["isp.radius"]._cron_take_over_devices()
        self.assertEqual(subscription.mac_addresses, first)
        self.assertEqual(self.last_event(subscription).event_type, "device")
        self.assertEqual(self._learn(subscription, second), "ok")
        self.assertEqual(self._learn(subscription, third), "mac-mismatch")
        self.assertNotIn("ISP-Learn", self.check_items("karim"))
        self.env["isp.radius"]._cron_take_over_devices()
        self.env["isp.radius"]._cron_take_over_devices()
        self.assertEqual(subscription.mac_addresses, f"{first}|{second}")
        subscription.with_user(self.create_user("clerk")).action_release_devices()
        self.assertFalse(subscription.mac_addresses)
        self.assertEqual(self.last_event(subscription).from_value, f"{first} {second}")
        self.assertEqual(self._bound("karim"), set())

    def test_support_does_not_release_devices(self):
        subscription = self.create_subscription(username="karim", mac_addresses="aabbcc000000")
        with self.assertRaises(AccessError):
            subscription.with_user(self.create_user("support")).action_release_devices()

    def test_the_realm_reaches_every_login(self):
        subscription = self.create_subscription(username="karim")
        self.company.isp_realm = "isp.example"
        self.assertEqual(self.row(subscription)["realm"], "isp.example")
        self.assertEqual(
            self.check_items("karim@isp.example")["ISP-Subscription-Id"], str(subscription.id)
        )
        self.assertEqual(self.check_items("karim@other.example"), {})
        for wrong in ("ISP", "a b", "@isp", "isp."):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.company.isp_realm = wrong

    def test_proxies_are_addresses(self):
        self.company.isp_walled_proxies = "127.0.0.1 10.0.0.0/24"
        with self.assertRaises(ValidationError):
            self.company.isp_walled_proxies = "proxy.example"


@tagged("post_install", "-at_install")
class TestVouchers(IspNetworkCase):
    """Vouchers from the batch to the wall of the tea stall."""

    def _batch(self, **vals):
        batch = self.env["isp.voucher.batch"].create(
            {
                "name": "Tea stall",
                "plan_id": self.plan_home.id,
                "quantity": 3,
                "price": 20,
                "validity_count": 2,
                "validity_unit": "hour",
                **vals,
            }
        )
        batch.action_generate()
        return batch

    def _use(self, voucher):
        self.env.flush_all()
        self.env.cr.execute("SELECT radius.claim(%s, NULL, 'AA-BB-CC-00-00-01')", [voucher.code])
        voucher.invalidate_recordset()

    def test_a_voucher_goes_from_available_to_expired(self):
        batch = self._batch()
        voucher = batch.voucher_ids[0]
        self.use_key()
        self.assertEqual(len(set(batch.voucher_ids.mapped("code"))), 3)
        self.assertEqual(voucher.state, "available")
        self.assertEqual(self.check_items(voucher.code)["ISP-Service"], "full")
        self.assertEqual(self.reply_items(voucher.code)["Session-Timeout"], "7200")
        voucher.with_user(self.create_user("clerk")).action_sell()
        voucher.invalidate_recordset()
        self.assertEqual((voucher.state, bool(voucher.sold_on)), ("sold", True))
        self._use(voucher)
        self.assertEqual((voucher.state, voucher.device), ("used", "AA-BB-CC-00-00-01"))
        self.assertEqual((voucher.valid_until - voucher.first_used_at).total_seconds(), 7200)
        self._use(voucher)
        self.assertEqual(batch.used_count, 1)
        self.env.cr.execute(
            "UPDATE radius.voucher_use SET valid_until = (now() AT TIME ZONE 'UTC')"
        )
        self.env.cr.execute("SELECT radius.resync()")
        voucher.invalidate_recordset()
        self.assertEqual(voucher.state, "expired")
        self.assertEqual(self.check_items(voucher.code)["ISP-Refusal"], "voucher-expired")
        found = self.env["isp.voucher"].search([("batch_id", "=", batch.id)])
        self.assertEqual(found.filtered_domain([("state", "=", "expired")]), voucher)
        search = self.env["isp.voucher"].search
        self.assertEqual(search([("state", "=", "expired"), ("id", "in", found.ids)]), voucher)
        self.assertEqual(
            search([("state", "!=", "expired"), ("id", "in", found.ids)]), found - voucher
        )

    def test_only_sold_vouchers_work_where_the_batch_says_so(self):
        voucher = self._batch(sold_only=True).voucher_ids[0]
        self.assertEqual(self.check_items(voucher.code)["ISP-Refusal"], "voucher-unsold")
        voucher.action_sell()
        self.assertNotIn("ISP-Refusal", self.check_items(voucher.code))
        voucher.action_cancel()
        self.assertEqual(self.check_items(voucher.code)["ISP-Refusal"], "voucher-cancelled")

    def test_changes_of_plan_and_batch_reach_the_vouchers(self):
        batch = self._batch()
        voucher = batch.voucher_ids[0]
        self.plan_home.write({"upload_kbps": 1000, "download_kbps": 2000})
        self.assertEqual(self.reply_items(voucher.code)["Mikrotik-Rate-Limit"], "1M/2M")
        batch.action_close()
        self.assertEqual(self.check_items(voucher.code)["ISP-Refusal"], "voucher-cancelled")
        self.env.cr.execute("SELECT radius.resync()")
        self.assertEqual(self.env.cr.fetchone()[0], 0, "the triggers had done it all")

    def test_the_pin_is_sealed_and_shown_to_clerks_only(self):
        voucher = self._batch().voucher_ids[0]
        self.env.flush_all()
        self.env.cr.execute("SELECT v::text FROM isp_voucher v WHERE id = %s", [voucher.id])
        self.assertNotIn(voucher.pin, self.env.cr.fetchone()[0])
        with self.assertRaises(AccessError):
            voucher.with_user(self.create_user("support")).action_reveal_pin()
        shown = voucher.with_user(self.create_user("clerk")).action_reveal_pin()
        self.assertEqual(shown["params"]["message"], voucher.pin)

    def test_the_sheet_has_every_voucher_that_can_be_sold(self):
        batch = self._batch()
        batch.voucher_ids[2].action_cancel()
        clerk = self.create_user("clerk")
        self.assertEqual(batch.with_user(clerk).action_print()["type"], "ir.actions.report")
        html = (
            self.env["ir.actions.report"]
            .with_user(clerk)
            ._render_qweb_html("isp_network.report_vouchers", batch.ids)[0]
            .decode()
        )
        for voucher in batch.voucher_ids[:2]:
            self.assertIn(voucher.code, html)
            self.assertIn(voucher.pin, html)
        self.assertNotIn(batch.voucher_ids[2].code, html)
        self.assertIn("2 hours", html)

    def test_printed_vouchers_stay_on_record(self):
        batch = self._batch()
        with self.assertRaises(UserError):
            batch.unlink()
        with self.assertRaises(UserError):
            batch.voucher_ids[0].unlink()

    def test_companies_do_not_see_each_others_vouchers(self):
        batch = self._batch()
        other = self.env["res.company"].create({"name": "Other ISP"})
        user = self.create_user("manager")
        user.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.assertFalse(self.env["isp.voucher"].with_user(user).search([]))
        self.assertFalse(self.env["isp.voucher.batch"].with_user(user).search([]))
        with self.assertRaises(AccessError):
            batch.with_user(user).read(["name"])
