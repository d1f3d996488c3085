from psycopg2 import IntegrityError

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestScheduledRun(IspBillingCase):
    """Runs that begin by themselves; it is Dhaka, six hours ahead of UTC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.company"].search([]).isp_run_scheduled = False
        cls.company.write({"isp_run_scheduled": True, "isp_run_hour": 2})

    def tick(self, moment):
        """Let the cron job look at ``moment``, in UTC; return the run it began."""
        before = self.env["isp.billing.run"].search([])
        with self.at(moment), trap_jobs() as jobs, self.enter_registry_test_mode():
            self.env.ref("isp_billing.isp_billing_run_cron_start").method_direct_trigger()
            run = self.env["isp.billing.run"].search([]) - before
            jobs.assert_jobs_count(len(run))
        return run

    def test_it_begins_at_the_local_hour_and_once_a_day(self):
        self.create_subscription()
        self.assertFalse(self.tick("2027-03-09 19:45:00"), "a quarter to two in Dhaka")
        run = self.tick("2027-03-09 20:00:00")
        self.assertEqual((str(run.scheduled_on), str(run.target_date)), ("2027-03-10",) * 2)
        self.assertEqual((run.state, run.due_count), ("running", 1))
        self.assertFalse(self.tick("2027-03-09 20:15:00"))
        self.assertFalse(self.tick("2027-03-10 17:00:00"), "the same day, an hour before midnight")
        self.assertTrue(self.tick("2027-03-10 20:00:00"), "still due, for no job has billed it")

    def test_a_server_that_was_down_at_the_hour_bills_later(self):
        self.create_subscription()
        run = self.tick("2027-03-12 11:30:00")
        self.assertEqual(str(run.scheduled_on), "2027-03-12")
        self.assertFalse(self.tick("2027-03-12 11:45:00"))

    def test_days_ahead_and_the_date_of_the_bills(self):
        self.create_subscription(date_start="2027-03-15")
        self.company.isp_run_lead_days = 4
        self.assertFalse(self.tick("2027-03-09 20:00:00"), "due in five days")
        run = self.tick("2027-03-10 20:00:00")
        self.assertEqual(
            (str(run.target_date), str(run.invoice_date)), ("2027-03-15", "2027-03-11")
        )
        run._run_to_end()
        self.assertEqual(run.invoice_count, 1)
        self.company.isp_run_invoice_date = "target"
        self.create_subscription(date_start="2027-03-16")
        run = self.tick("2027-03-11 20:00:00")
        self.assertEqual(str(run.invoice_date), "2027-03-16")

    def test_nothing_due_is_no_run(self):
        self.assertFalse(self.tick("2027-03-09 20:00:00"))
        self.assertEqual(str(self.company.isp_last_run_day), "2027-03-10")

    def test_switched_off_nothing_begins(self):
        self.create_subscription()
        self.company.isp_run_scheduled = False
        self.assertFalse(self.tick("2027-03-09 20:00:00"))

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_a_second_one_on_the_same_day(self):
        self.create_subscription()
        self.tick("2027-03-09 20:00:00")
        with self.at("2027-03-09 20:15:00"), trap_jobs(), self.assertRaises(IntegrityError):
            self.env["isp.billing.run"]._start_scheduled(self.company)
            self.env.flush_all()

    def test_companies_have_their_own_hours(self):
        second = self.env["res.company"].create(
            {"name": "Second Net", "isp_run_scheduled": True, "isp_run_hour": 5}
        )
        second.partner_id.tz = "Asia/Dhaka"
        with self.at("2027-03-09 20:00:00"):
            self.assertEqual(self.env["res.company"]._get_isp_scheduled(), self.company)
        with self.at("2027-03-09 23:00:00"):
            self.assertEqual(self.env["res.company"]._get_isp_scheduled(), self.company | second)
