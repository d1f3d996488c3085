from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .usage_common import GB, IspUsageCase


@tagged("post_install", "-at_install")
class TestCap(IspUsageCase):
    """Karim has 100 GB a month; his plan begins on the 1st."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan_home.write(
            {
                "cap_gb": 100,
                "cap_action": "throttle",
                "cap_download_kbps": 1000,
                "cap_upload_kbps": 500,
                "burst_download_kbps": 40000,
            }
        )
        cls.subscription = cls.create_subscription(username="karim")

    def assertCap(self, access, reason=None):
        row = self.row(self.subscription)
        self.assertEqual(row["access"], access)
        if reason:
            self.assertEqual(row["reason"], reason)

    # === THROTTLE === #

    def test_the_speed_falls_with_the_last_byte_and_returns_with_the_window(self):
        self.use(self.subscription, "2027-03-10 06:00:00", 99 * GB, GB - 1)
        self.assertCap("full", "active")
        self.use(self.subscription, "2027-03-10 06:05:00", 1)
        self.assertCap("throttled", "cap")
        self.assertEqual(self.reply_items("karim")["Mikrotik-Rate-Limit"], "500k/1M")
        window = self.window(self.subscription)
        self.assertEqual((window.date_from, window.date_to), self.days("2027-03-01", "2027-04-01"))
        self.assertEqual((window.percent, window.left_gb), (100, 0))
        # Midnight in Dhaka.
        self.roll_up("2027-03-31 17:59:00")
        self.assertCap("throttled")
        self.roll_up("2027-03-31 18:00:00")
        self.assertCap("full", "active")
        following = self.window(self.subscription)
        self.assertEqual(following.date_from, fields.Date.to_date("2027-04-01"))
        self.assertEqual(following.used_bytes, 0)

    def days(self, *texts):
        return tuple(map(fields.Date.to_date, texts))

    def test_usage_of_the_last_evening_belongs_to_the_window_before(self):
        self.use(self.subscription, "2027-03-31 17:00:00", 10 * GB)
        self.use(self.subscription, "2027-03-31 18:30:00", 20 * GB)
        # Reported late, from before midnight.
        self.report(self.subscription, "2027-03-31 17:50:00", 5 * GB)
        self.roll_up("2027-03-31 19:00:00")
        march, april = self.subscription.usage_window_ids.sorted("date_from")
        self.assertEqual((march.used_bytes, april.used_bytes), (15 * GB, 20 * GB))
        self.assertEqual((march.state, april.state), ("ended", "current"))

    def test_windows_at_the_end_of_the_month(self):
        self.plan_home.anchor_day = 31
        self.use(self.subscription, "2027-03-10 06:00:00", GB)
        self.assertEqual(self.days_of_window(), ("2027-02-28", "2027-03-31"))
        self.use(self.subscription, "2027-03-30 18:01:00", GB)
        self.assertEqual(self.days_of_window(), ("2027-03-31", "2027-04-30"))
        self.use(self.subscription, "2027-04-29 17:59:00", GB)
        self.use(self.subscription, "2027-04-29 18:01:00", GB)
        self.assertEqual(self.days_of_window(), ("2027-04-30", "2027-05-31"))
        self.assertEqual(
            self.subscription.usage_window_ids.sorted("date_from").mapped("used_bytes"),
            [GB, 2 * GB, GB],
        )

    def days_of_window(self):
        window = self.window(self.subscription)
        return str(window.date_from), str(window.date_to)

    def test_days_and_weeks(self):
        self.plan_home.cap_period = "day"
        self.use(self.subscription, "2027-03-10 06:00:00", GB)
        self.assertEqual(self.days_of_window(), ("2027-03-10", "2027-03-11"))
        other = self.create_subscription(plan_id=self.plan_office.id)
        self.plan_office.write({"cap_gb": 5, "cap_period": "week", "cap_weekday": "6"})
        self.use(other, "2027-03-10 06:00:00", GB)  # a Wednesday
        window = self.window(other)
        self.assertEqual((window.date_from, window.date_to), self.days("2027-03-07", "2027-03-14"))

    def test_upload_counts_unless_the_plan_says_otherwise(self):
        self.use(self.subscription, "2027-03-10 06:00:00", GB, 2 * GB)
        self.assertEqual(self.window(self.subscription).used_bytes, 3 * GB)
        self.plan_home.cap_counts = "download"
        self.assertEqual(self.window(self.subscription).used_bytes, GB)

    def test_who_is_throttled_for_his_bill_keeps_the_slower_speed(self):
        self.plan_home.write({"throttle_download_kbps": 256, "throttle_upload_kbps": 2000})
        self.subscription._throttle("overdue", "Unpaid")
        self.use(self.subscription, "2027-03-10 06:00:00", 100 * GB)
        row = self.row(self.subscription)
        self.assertEqual(
            (row["reason"], row["download_kbps"], row["upload_kbps"]), ("overdue", 256, 500)
        )

    def test_a_plan_without_cap_has_no_window(self):
        other = self.create_subscription(plan_id=self.plan_office.id)
        self.use(other, "2027-03-10 06:00:00", 500 * GB)
        self.assertFalse(other.usage_window_ids)

    # === BLOCK === #

    def test_blocked_until_topped_up(self):
        self.plan_home.cap_action = "block"
        self.use(self.subscription, "2027-03-10 06:00:00", 100 * GB)
        self.assertCap("walled", "cap")
        self.assertEqual(self.reply_items("karim")["Framed-Pool"], "pool-walled")
        topup = self.sell()
        self.assertCap("full")
        self.assertEqual(self.window(self.subscription).left_gb, 20)
        self.assertEqual((topup.fee_id.amount, topup.fee_id.kind), (150, "one_off"))
        run = self.bill("2027-03-10")
        self.assertTrue(run)
        charge = topup.fee_id.charge_ids
        self.assertEqual((charge.charge_type, charge.amount), ("one_off", 150))

    def sell(self, **vals):
        return self.env["isp.subscription.topup"].create(
            {
                "subscription_id": self.subscription.id,
                "name": "20 GB",
                "volume_gb": 20,
                "price": 150,
                **vals,
            }
        )

    def test_a_top_up_is_taken_back_while_nothing_of_it_is_used(self):
        self.use(self.subscription, "2027-03-10 06:00:00", 90 * GB)
        topup = self.sell()
        topup.action_undo()
        self.assertEqual((topup.state, self.subscription.fee_ids.ids), ("undone", []))
        self.assertEqual(self.window(self.subscription).topup_bytes, 0)
        topup.action_undo()
        self.assertEqual(self.window(self.subscription).topup_bytes, 0, "once only")
        used = self.sell()
        self.use(self.subscription, "2027-03-10 07:00:00", 10 * GB + 1)
        with self.assertRaises(UserError):
            used.action_undo()

    def test_a_billed_top_up_that_is_taken_back_comes_back_with_the_next_bill(self):
        self.use(self.subscription, "2027-03-10 06:00:00", GB)
        topup = self.sell()
        self.bill("2027-03-10")
        topup.action_undo()
        self.bill("2027-04-01")
        self.assertEqual(sorted(topup.fee_id.charge_ids.mapped("amount")), [-150, 150])
        repairs = self.subscription.charge_ids.filtered(lambda c: c.charge_type == "repair")
        self.assertEqual(sum(repairs.mapped("amount")), -150)

    def test_nothing_to_top_up_without_a_cap(self):
        self.plan_home.cap_gb = 0
        with self.assertRaises(UserError):
            self.sell()

    def test_top_ups_from_the_offers_of_the_plan(self):
        offer = self.env["isp.plan.topup"].create(
            {"plan_id": self.plan_home.id, "name": "50 GB", "volume_gb": 50, "price": 300}
        )
        topup = self.env["isp.subscription.topup"].create(
            {"subscription_id": self.subscription.id, "offer_id": offer.id}
        )
        self.assertEqual((topup.volume_gb, topup.price, topup.fee_id.name), (50, 300, "50 GB"))
        with self.assertRaises(UserError):
            topup.volume_gb = 500

    # === OVERAGE === #

    def charge_overage(self, octets, target="2027-04-02"):
        self.plan_home.write({"cap_action": "overage", "cap_overage_price": 5})
        self.use(self.subscription, "2027-03-20 06:00:00", octets)
        self.roll_up("2027-04-01 19:00:00")  # the 2nd in Dhaka
        self.bill(target)
        return self.subscription.charge_ids.filtered(lambda c: c.charge_type == "usage")

    def test_extra_volume_is_billed_once_by_gigabytes_begun(self):
        charge = self.charge_overage(102.3 * GB)
        self.assertCap("full")
        self.assertEqual((charge.amount, str(charge.date_from)), (15, "2027-04-01"))
        self.assertIn("3 GB", charge.invoice_line_id.name)
        self.assertEqual(charge.move_id.state, "posted")
        self.roll_up("2027-04-03 06:00:00")
        self.bill("2027-05-01")
        self.assertEqual(
            self.subscription.charge_ids.filtered(lambda c: c.charge_type == "usage"), charge
        )

    def test_within_the_volume_nothing_is_charged(self):
        self.assertFalse(self.charge_overage(100 * GB))
        self.assertEqual(self.subscription.usage_window_ids.sorted("date_from")[0].state, "settled")

    def test_a_customer_who_left_pays_what_he_used(self):
        self.plan_home.write({"cap_action": "overage", "cap_overage_price": 5})
        self.bill("2027-03-10")
        self.use(self.subscription, "2027-03-10 06:00:00", 110 * GB)
        self.subscription._terminate("Moved away")
        self.roll_up("2027-04-02 06:00:00")
        self.bill("2027-04-02")
        charges = self.subscription.charge_ids.filtered(lambda c: c.charge_type == "usage")
        self.assertEqual(charges.mapped("amount"), [50])

    def test_overage_needs_a_price(self):
        with self.assertRaises(ValidationError):
            self.plan_home.write({"cap_action": "overage", "cap_overage_price": 0})

    # === CARRYING OVER === #

    def test_unused_volume_is_kept_within_the_limit(self):
        self.plan_home.write({"cap_carry_over": True, "cap_carry_limit_gb": 30})
        self.use(self.subscription, "2027-03-20 06:00:00", 60 * GB)
        self.use(self.subscription, "2027-04-03 06:00:00", 1 * GB)
        window = self.window(self.subscription)
        self.assertEqual((window.carried_bytes, window.allowed_gb), (30 * GB, 130))
        # A month without a report lies between: nothing of May was carried.
        self.use(self.subscription, "2027-06-03 06:00:00", GB)
        self.assertEqual(self.window(self.subscription).carried_bytes, 0)

    # === CHANGES === #

    def test_a_bigger_plan_gives_the_speed_back_at_once(self):
        self.plan_office.write({"cap_gb": 300})
        self.use(self.subscription, "2027-03-10 06:00:00", 100 * GB)
        self.assertCap("throttled")
        self.subscription.plan_id = self.plan_office
        self.assertCap("full")
        self.assertEqual(self.window(self.subscription).left_gb, 200)

    def test_a_cap_that_is_lifted_gives_the_speed_back(self):
        self.use(self.subscription, "2027-03-10 06:00:00", 100 * GB)
        self.plan_home.cap_gb = 0
        self.assertCap("full")
        self.assertFalse(self.window(self.subscription))

    def test_another_kind_of_window_begins_tomorrow(self):
        self.use(self.subscription, "2027-03-10 06:00:00", 100 * GB)
        self.plan_home.cap_period = "week"
        self.assertCap("full")
        self.use(self.subscription, "2027-03-11 06:00:00", GB)
        self.assertEqual(
            [
                (w.period, w.used_bytes)
                for w in self.subscription.usage_window_ids.sorted("date_from")
            ],
            [("cycle", 100 * GB), ("week", GB)],
        )

    def test_the_speed_is_not_entered_by_hand(self):
        with self.assertRaises(UserError):
            self.subscription.cap_state = "block"

    # === NOTICES === #

    def notices(self):
        return self.env["mail.mail"].search(
            [
                ("model", "=", "isp.usage.window"),
                ("res_id", "in", self.subscription.usage_window_ids.ids),
            ]
        )

    def test_one_notice_at_80_and_one_at_100_percent(self):
        self.use(self.subscription, "2027-03-10 06:00:00", 79.9 * GB)
        self.assertFalse(self.notices())
        self.use(self.subscription, "2027-03-10 06:05:00", 0.1 * GB)
        self.use(self.subscription, "2027-03-10 06:10:00", 1 * GB)
        self.assertEqual(len(self.notices()), 1)
        self.assertIn("80", self.notices().subject)
        self.use(self.subscription, "2027-03-10 06:15:00", 30 * GB)
        self.use(self.subscription, "2027-03-10 06:20:00", 30 * GB)
        self.assertEqual(len(self.notices()), 2)
        self.assertEqual(self.window(self.subscription).noticed_percent, 100)
        # And again in the next window.
        self.use(self.subscription, "2027-04-03 06:00:00", 85 * GB)
        self.assertEqual(len(self.notices()), 3)

    def test_no_notice_where_the_plan_wants_none(self):
        self.plan_home.cap_notices = False
        self.use(self.subscription, "2027-03-10 06:00:00", 100 * GB)
        self.assertFalse(self.notices())
        self.assertCap("throttled")

    # === WORK === #

    def test_only_subscriptions_with_new_usage_are_looked_at(self):
        others = [self.create_subscription() for _number in range(20)]
        for other in others:
            self.report(other, "2027-03-10 05:00:00", GB)
        self.roll_up("2027-03-10 05:00:00")
        self.report(self.subscription, "2027-03-10 06:00:00", GB)
        self.roll_up("2027-03-10 06:00:00")
        self.report(self.subscription, "2027-03-10 06:05:00", GB)
        with self.at("2027-03-10 06:05:00"):
            ids = self.env["isp.radius"]._roll_up_usage()
            self.assertEqual(ids, self.subscription.ids)
            self.env.flush_all()
            with self.assertQueryCount(3):
                self.windows._follow_usage(ids)

    def test_one_that_fails_does_not_hold_back_the_others(self):
        other = self.create_subscription()
        self.report(self.subscription, "2027-03-10 06:00:00", 100 * GB)
        self.report(other, "2027-03-10 06:00:00", 100 * GB)
        ids = self.env["isp.radius"]._roll_up_usage()
        notify = type(self.windows)._notify
        broken = self.subscription

        def fail(window, percent):
            if window.subscription_id == broken:
                raise ValueError("mail server of the test")
            return notify(window, percent)

        self.patch(type(self.windows), "_notify", fail)
        with self.assertLogs("odoo.addons.isp_network.models.isp_radius", "ERROR"):
            self.env["isp.radius"]._follow_or_log(ids)
        self.assertEqual((other.cap_state, self.subscription.cap_state), ("throttle", False))

    def test_rights(self):
        self.use(self.subscription, "2027-03-10 06:00:00", GB)
        support, clerk = self.create_user("support"), self.create_user("clerk")
        vals = {"subscription_id": self.subscription.id, "name": "x", "volume_gb": 1, "price": 1}
        with self.assertRaises(AccessError):
            self.env["isp.subscription.topup"].with_user(support).create(vals)
        topup = self.env["isp.subscription.topup"].with_user(clerk).create(vals)
        self.assertEqual(topup.window_id.topup_bytes, GB)
        topup.action_undo()
        with self.assertRaises(AccessError):
            topup.window_id.write({"used_bytes": 0})
        with self.assertRaises(AccessError):
            self.env["isp.plan.hours"].with_user(clerk).create(
                {"plan_id": self.plan_home.id, "name": "Night"}
            )
