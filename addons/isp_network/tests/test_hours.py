from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .usage_common import GB, IspUsageCase


@tagged("post_install", "-at_install")
class TestHours(IspUsageCase):
    """Twice the speed from midnight to six, in Dhaka: 18:00 to 24:00 UTC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan_home.write(
            {
                "download_kbps": 20000,
                "upload_kbps": 10000,
                "hours_ids": [
                    (0, 0, {"name": "Night", "hour_from": 0, "hour_to": 6, "percent": 200})
                ],
            }
        )
        cls.subscription = cls.create_subscription(username="karim")
        cls.cron = cls.env.ref("isp_network.ir_cron_speed_by_hour")

    def speed(self, moment):
        with self.at(moment):
            self.env["isp.entitlement"]._cron_speed_by_hour()
        return self.reply_items("karim")["Mikrotik-Rate-Limit"]

    def test_the_speed_changes_at_the_minute_of_the_company(self):
        self.assertEqual(self.speed("2027-03-10 17:59:00"), "10M/20M")
        self.assertEqual(self.speed("2027-03-10 18:00:00"), "20M/40M")
        self.assertEqual(self.speed("2027-03-10 23:59:00"), "20M/40M")
        self.assertEqual(self.speed("2027-03-11 00:00:00"), "10M/20M")

    def test_the_cron_comes_back_at_the_minute_of_the_change(self):
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)])
        triggers.unlink()
        self.speed("2027-03-10 17:00:00")
        self.assertFalse(self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)]))
        self.speed("2027-03-10 17:57:00")
        [trigger] = self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)])
        self.assertEqual(str(trigger.call_at), "2027-03-10 18:00:00")

    def test_deleted_hours_leave_the_speed_of_the_plan(self):
        self.assertEqual(self.speed("2027-03-10 19:00:00"), "20M/40M")
        self.plan_home.hours_ids.unlink()
        self.assertEqual(self.speed("2027-03-10 19:01:00"), "10M/20M")

    def test_who_used_up_his_volume_has_no_faster_night(self):
        self.plan_home.write({"cap_gb": 10, "cap_download_kbps": 1000, "cap_upload_kbps": 1000})
        self.use(self.subscription, "2027-03-10 06:00:00", 10 * GB)
        self.assertEqual(self.speed("2027-03-10 19:00:00"), "1M/1M")

    def test_other_plans_are_not_touched(self):
        other = self.create_subscription(plan_id=self.plan_office.id, username="office")
        before = self.row(other)
        self.speed("2027-03-10 19:00:00")
        self.assertEqual(self.row(other), before)

    def test_a_new_service_begins_with_the_speed_of_the_hour(self):
        with self.at("2027-03-10 19:00:00"):
            self.create_subscription(username="newcomer")
            self.env.flush_all()
        self.assertEqual(self.reply_items("newcomer")["Mikrotik-Rate-Limit"], "20M/40M")

    def test_hours_without_days_are_refused(self):
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        with self.assertRaises(ValidationError):
            self.plan_home.hours_ids.write(dict.fromkeys(days, False))
