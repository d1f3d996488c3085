import psycopg2

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import IspNetworkCase


@tagged("post_install", "-at_install")
class TestRetention(IspNetworkCase):
    """It is 10 March 2027. Months are dropped whole, and never before the law allows it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.months = cls.env["isp.radius.month"]
        cls.company.country_id = cls.env.ref("base.bd")
        cls.env["res.company"].search([]).write({"isp_log_months": 24})
        for month in ("2025-01-01", "2025-02-01", "2025-03-01"):
            cls.env.execute_query(SQL("SELECT radius.make_partition('radacct', %s)", month))

    def setUp(self):
        super().setUp()
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 60.0)
        # As without an addon that keeps privacy policies.
        self.patch(type(self.months), "_has_policy", lambda _months: False)

    def rules(self, months):
        self.env["res.company"].search([]).write({"isp_log_months": months})

    def stored(self, kind="radacct"):
        rows = self.env.execute_query(
            SQL(
                "SELECT to_char(month, 'YYYY-MM') FROM radius.stored_months() WHERE kind = %s", kind
            )
        )
        return {month for (month,) in rows}

    def month(self, day):
        return self.months.search([("kind", "=", "radacct"), ("month", "=", day)])

    def test_the_preview_says_what_would_go_and_when(self):
        self.assertTrue(self.month("2025-01-01").is_due)
        self.assertTrue(self.month("2025-01-01").drop_date.isoformat() == "2027-02-01")
        march = self.month("2025-03-01")
        self.assertEqual((march.is_due, march.drop_date.isoformat()), (False, "2027-04-01"))

    def test_months_over_go_whole_the_others_stay(self):
        self.months._cron_drop()
        self.assertFalse({"2025-01"} & self.stored())
        # The last day of February 2025 was two years and ten days ago.
        self.assertFalse({"2025-02"} & self.stored())
        self.assertIn("2025-03", self.stored())

    def test_the_longest_rule_of_all_companies_counts(self):
        self.env["res.company"].create({"name": "Another", "isp_log_months": 60})
        self.months._cron_drop()
        self.assertIn("2025-01", self.stored())

    def test_the_law_of_the_country_is_kept(self):
        self.company.country_id = self.env.ref("base.bd")
        with self.assertRaises(ValidationError):
            self.company.isp_log_months = 11
        self.rules(12)
        self.company.country_id = self.env.ref("base.in")
        self.assertEqual(self.company.isp_log_months, 24)
        # Whatever the column says, say after an import by SQL.
        self.env.flush_all()
        self.env.execute_query(SQL("UPDATE res_company SET isp_log_months = 1 RETURNING 1"))
        self.env.invalidate_all()
        self.months._cron_drop()
        self.assertIn("2025-03", self.stored())
        self.assertNotIn("2025-02", self.stored())

    def test_a_month_that_was_taken_out_before_a_crash_is_dropped(self):
        self.env.execute_query(SQL("SELECT radius.detach_month('radacct_202501')"))
        self.months._cron_drop()
        self.assertNotIn("2025-01", self.stored())

    def test_a_month_that_is_attached_cannot_be_dropped_by_mistake(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.RaiseException),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute("SELECT radius.drop_month('radacct_202503')")

    def test_usage_has_its_own_rule(self):
        self.env.execute_query(SQL("SELECT radius.ensure_usage_parts('2024-01-01', '2024-02-01')"))
        self.env["res.company"].search([]).write({"isp_usage_months": 36})
        self.months._cron_drop()
        self.assertNotIn("2024-01", self.stored("usage_day"))
        self.assertNotIn("2024-02", self.stored("usage_day"))
        with self.assertRaises(ValidationError):
            self.company.isp_usage_months = 12
