import re
from datetime import date
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.isp_base.tests.promises import proves

from .address_common import IspAddressCase

KEPT_DAYS, PROMISED_DAYS = 180, 365


@tagged("post_install", "-at_install")
class TestRetentionPolicy(IspAddressCase):
    """A privacy policy says: 180 days at least, 365 at most. It is 2 January 2027."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.months = cls.env["isp.radius.month"]
        cls.subscription = cls.create_subscription()
        for month, day in (("01", "31"), ("02", "01"), ("02", "28"), ("07", "20")):
            cls.add_session(
                cls.subscription,
                None,
                f"2026-{month}-{day} 08:00:00",
                f"2026-{month}-{day} 09:00:00",
            )
        cls.env.execute_query(SQL("SELECT radius.ensure_usage_parts('2026-01-01', '2026-02-01')"))

    def setUp(self):
        super().setUp()
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 60.0)
        company = type(self.env["res.company"])

        def time(_company, _retention_class, day):
            add = fields.Date.add
            return add(day, days=KEPT_DAYS), add(day, days=PROMISED_DAYS)

        # Whether or not an addon that keeps policies is installed.
        patcher = patch.object(company, "_privacy_time", time, create=True)
        patcher.start()
        self.addCleanup(patcher.stop)

    def stored(self, kind="radacct"):
        rows = self.env.execute_query(
            SQL(
                "SELECT to_char(month, 'YYYY-MM') FROM radius.stored_months()"
                " WHERE kind = %s AND month BETWEEN '2026-01-01' AND '2026-12-31'",
                kind,
            )
        )
        return {month for (month,) in rows}

    def sessions(self):
        self.env["isp.radius.session"].invalidate_model()
        return self.env["isp.radius.session"].search(
            [("subscription_id", "=", self.subscription.id)]
        )

    def test_the_preview_shows_the_day_of_the_policy(self):
        january = self.months.search([("kind", "=", "radacct"), ("month", "=", "2026-01-01")])
        # 1 January may stay until 1 January.
        self.assertEqual(january.drop_date, date(2027, 1, 2))

    def test_a_month_stays_as_long_as_a_law_asks_for_its_last_day(self):
        company = type(self.env["res.company"])

        def time(_company, _retention_class, day):
            return fields.Date.add(day, days=360), fields.Date.add(day, days=365)

        with patch.object(company, "_privacy_time", time):
            january = self.months.search([("kind", "=", "radacct"), ("month", "=", "2026-01-01")])
            self.assertEqual(january.drop_date, date(2027, 1, 27))

    def test_its_own_job_leaves_the_months_to_the_policy(self):
        self.months._cron_drop()
        self.assertIn("2026-01", self.stored())

    def test_a_month_goes_whole_when_its_first_day_is_due(self):
        drop = self.env["isp.radius.session"]._privacy_drop
        free = date(2026, 7, 5)
        drop(free=free, due=date(2025, 12, 31))
        self.assertIn("2026-01", self.stored())
        drop(free=free, due=date(2026, 1, 1))
        self.assertEqual({"2026-01", "2026-02"} & self.stored(), {"2026-02"})
        self.assertEqual(len(self.sessions()), 3)

    def test_a_month_of_which_a_law_asks_for_days_is_not_dropped(self):
        drop = self.env["isp.radius.session"]._privacy_drop
        due = date(2026, 2, 15)
        # A session of the last evening in UTC is one of the next day further east.
        drop(free=date(2026, 1, 31), due=due)
        self.assertIn("2026-01", self.stored())
        drop(free=date(2026, 2, 1), due=due)
        self.assertEqual({"2026-01", "2026-02"} & self.stored(), {"2026-02"})

    def test_usage_and_login_attempts_go_alike(self):
        self.env.execute_query(SQL("SELECT radius.make_partition('radpostauth', '2026-01-01')"))
        for model, kind in (("isp.usage.day", "usage_day"), ("isp.radius.attempt", "radpostauth")):
            with self.subTest(model):
                self.assertIn("2026-01", self.stored(kind))
                self.env[model]._privacy_drop(free=date(2026, 7, 5), due=date(2026, 1, 1))
                self.assertNotIn("2026-01", self.stored(kind))

    @proves("P-07")
    def test_nothing_is_stored_of_where_people_go(self):
        columns = self.env.execute_query(
            SQL(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'radius'"
            )
        )
        self.assertIn(("radacct", "framedipaddress"), columns)
        words = re.compile(
            r"(^|_)(url|uri|host|domain|dns|query|dest|destination|dst|payload)(_|$)"
        )
        self.assertEqual([names for names in columns if words.search(names[1])], [])

    def test_single_rows_are_deleted_where_a_month_cannot_go(self):
        first = self.sessions().sorted("date_stop")[0]
        first._privacy_delete()
        self.assertEqual(len(self.sessions()), 3)
        self.assertNotIn(first, self.sessions())

    def test_single_days_and_attempts_too(self):
        self.env.execute_query(
            SQL(
                "INSERT INTO radius.usage_day (subscription_id, day, company_id, upload_bytes,"
                " download_bytes, session_seconds) VALUES (%(s)s, '2026-01-03', %(c)s, 1, 1, 1),"
                " (%(s)s, '2026-01-04', %(c)s, 1, 1, 1) RETURNING 1",
                s=self.subscription.id,
                c=self.company.id,
            )
        )
        days = self.env["isp.usage.day"].search([("subscription_id", "=", self.subscription.id)])
        days.filtered(lambda usage: usage.date == date(2026, 1, 3))._privacy_delete()
        left = self.env["isp.usage.day"].search([("subscription_id", "=", self.subscription.id)])
        self.assertEqual(left.mapped("date"), [date(2026, 1, 4)])
        self.env.execute_query(SQL("SELECT radius.make_partition('radpostauth', '2026-01-01')"))
        self.env.execute_query(
            SQL(
                "INSERT INTO radius.radpostauth (username, reply, subscription_id, authdate) VALUES"
                " ('a', 'Access-Accept', %s, '2026-01-03') RETURNING 1",
                self.subscription.id,
            )
        )
        attempts = self.env["isp.radius.attempt"]
        domain = [("subscription_id", "=", self.subscription.id)]
        attempts.search(domain)._privacy_delete()
        self.assertFalse(attempts.search(domain))


@tagged("post_install", "-at_install")
class TestRetentionByProfile(IspAddressCase):
    """The job of the addon that keeps policies, with sessions of a provider in Dhaka.

    Nothing of that addon is imported: its models are there when it is installed, as in the suite.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.bd")
        cls.company.partner_id.tz = "Asia/Dhaka"
        cls.subscription = cls.create_subscription()
        cls.add_session(cls.subscription, None, "2025-12-01 08:00:00", "2025-12-01 09:00:00")
        # In Dhaka the first of them ends on 31 December, the second on 1 January.
        for stop in ("2025-12-31 17:59:59", "2025-12-31 18:00:00", "2026-01-15 12:00:00"):
            cls.add_session(cls.subscription, None, "2025-12-31 08:00:00", stop)

    def setUp(self):
        super().setUp()
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 60.0)

    def purge(self, moment):
        with self.at(moment):
            purge = self.env["privacy.purge"].create({"company_id": self.company.id})
            purge.action_start()
            while purge._purge_batch():
                pass
        self.env.invalidate_all()
        return purge

    def stops(self):
        sessions = self.env["isp.radius.session"].search(
            [("subscription_id", "=", self.subscription.id)], order="date_stop"
        )
        return [str(stop) for stop in sessions.mapped("date_stop")]

    @proves("P-07", "P-29")
    def test_a_month_goes_whole_on_the_day_after_the_last_of_its_first(self):
        self.purge("2026-12-01 17:59:59")  # 1 December may stay until 1 December
        self.assertEqual(len(self.stops()), 4)
        purge = self.purge("2026-12-01 18:00:00")
        self.assertEqual(self.stops(), ["2026-01-15 12:00:00"])
        self.assertFalse(purge.error_ids)

    @proves("P-29")
    def test_a_hold_keeps_its_rows_while_others_go_one_by_one(self):
        self.env["privacy.hold"].create(
            {
                "company_id": self.company.id,
                "reference": "Case 5",
                "authority": "Court",
                "date_from": "2026-01-01",
                "scope": "sessions",
                "range_from": "2026-01-10 00:00:00",
                "range_to": "2026-01-20 00:00:00",
            }
        )
        for moment, left in (
            ("2026-12-31 17:59:59", 3),  # 31 December has its last day
            ("2026-12-31 18:00:00", 2),
            ("2027-01-01 18:00:00", 1),
            ("2030-01-01 18:00:00", 1),
        ):
            with self.subTest(moment=moment):
                self.purge(moment)
                self.assertEqual(len(self.stops()), left)
        self.assertEqual(self.stops(), ["2026-01-15 12:00:00"], "held")
