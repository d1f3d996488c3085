from datetime import date

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .usage_common import IspUsageCase


@tagged("post_install", "-at_install")
class TestUsage(IspUsageCase):
    """Usage lies on the days of the company, which is in Dhaka: six hours before UTC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription(username="karim")

    def day(self, day):
        self.env.flush_all()
        return self.env["isp.usage.day"].search(
            [("subscription_id", "=", self.subscription.id), ("date", "=", day)]
        )

    def test_a_report_lies_on_the_day_of_the_company(self):
        self.use(self.subscription, "2027-03-09 17:59:00", 1_000_000, 500_000)
        self.use(self.subscription, "2027-03-09 18:30:00", 3_000_000)
        before, today = self.day("2027-03-09"), self.day("2027-03-10")
        self.assertEqual((before.download_mb, before.upload_mb, before.total_mb), (1, 0.5, 1.5))
        self.assertEqual((today.download_mb, today.upload_mb), (3, 0))
        self.assertEqual(today.partner_id, self.customer)
        self.assertEqual(today.company_id, self.company)

    def test_usage_of_days_is_half_open(self):
        for day in ("09", "10", "11"):
            self.use(self.subscription, f"2027-03-{day} 06:00:00", 2, 1)
        self.assertEqual(
            tuple(self.subscription._get_usage(date(2027, 3, 9), date(2027, 3, 11))), (2, 4)
        )
        self.assertEqual(
            tuple(self.subscription._get_usage(date(2027, 4, 1), date(2027, 5, 1))), (0, 0)
        )

    def test_the_form_shows_today_and_the_period(self):
        self.use(self.subscription, "2027-02-28 06:00:00", 7_000_000)
        self.use(self.subscription, "2027-03-02 06:00:00", 4_000_000)
        self.use(self.subscription, "2027-03-10 05:00:00", 1_000_000, 500_000)
        self.assertEqual(self.subscription.usage_today_mb, 1.5)
        self.assertEqual(self.subscription.usage_cycle_mb, 5.5)

    def test_sums_by_month(self):
        for day in ("2027-02-10", "2027-03-01", "2027-03-05"):
            self.use(self.subscription, f"{day} 06:00:00", 2_000_000)
        groups = self.env["isp.usage.day"].formatted_read_group(
            [("subscription_id", "=", self.subscription.id)], ["date:month"], ["total_mb:sum"]
        )
        self.assertEqual([group["total_mb:sum"] for group in groups], [2, 4])

    def test_the_sums_say_what_the_rows_say(self):
        other = self.create_subscription(plan_id=self.plan_office.id)
        for day in ("2027-02-10", "2027-03-01", "2027-03-05"):
            for number, subscription in enumerate((self.subscription, other), 1):
                self.use(subscription, f"{day} 06:00:00", number * 2_000_000, 1_000_000)
                self.use(subscription, f"{day} 07:00:00", 500_000)
        usage = self.env["isp.usage.day"].with_user(self.create_user("support"))
        aggregates = ["total_mb:sum", "upload_mb:sum", "hours:sum", "__count"]
        domain = [("date", ">=", "2027-02-01"), ("date", "<", "2027-04-01")]
        for groupby in (["date:day"], ["date:month"], ["plan_id", "date:month"], []):
            with self.subTest(groupby):
                fast = usage._read_group(domain, groupby, aggregates)
                # The rows are asked by a condition that only they can answer.
                rows = usage._read_group(
                    [*domain, ("subscription_id", "!=", False)], groupby, aggregates
                )
                self.assertEqual(fast, rows)
                self.assertTrue(fast)
        sets = [["date:month"], ["plan_id", "date:month"], []]
        self.assertEqual(
            usage._read_grouping_sets(domain, sets, aggregates),
            usage._read_grouping_sets(
                [*domain, ("subscription_id", "!=", False)], sets, aggregates
            ),
        )
        self.assertEqual(usage._read_group([("date", "=", "2020-01-01")], [], ["__count"]), [(0,)])
        company = self.env["res.company"].create({"name": "Another"})
        user = usage.env.user
        user.sudo().write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        self.assertEqual(usage._read_group(domain, [], ["__count"]), [(0,)])

    def test_records_are_found_again_by_their_number(self):
        self.use(self.subscription, "2027-03-10 05:00:00", 1_000_000)
        found = self.day("2027-03-10")
        again = self.env["isp.usage.day"].browse(found.id)
        again.invalidate_recordset()
        self.assertEqual(again.date, date(2027, 3, 10))
        self.assertEqual(again.subscription_id, self.subscription)
        self.assertFalse(self.env["isp.usage.day"].browse(found.id + 1).exists())

    def test_nobody_writes_usage_and_others_see_nothing(self):
        self.use(self.subscription, "2027-03-10 05:00:00", 1_000_000)
        support = self.create_user("support")
        self.assertTrue(self.env["isp.usage.day"].with_user(support).search_count([]))
        with self.assertRaises(AccessError):
            self.day("2027-03-10").with_user(support).write({"total_mb": 0})
        company = self.env["res.company"].create({"name": "Another"})
        support.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        self.assertFalse(self.env["isp.usage.day"].with_user(support).search_count([]))

    def test_a_portal_user_reads_nothing_by_the_orm(self):
        with self.assertRaises(AccessError):
            self.env["isp.usage.day"].with_user(self.env.ref("base.public_user")).search([])
