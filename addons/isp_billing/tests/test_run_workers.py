from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import IspBillingCase

SIZES = "odoo.addons.isp_billing.models.isp_billing_run_work.BULK_BATCH_SIZE"


@tagged("post_install", "-at_install")
class TestRunWorkers(IspBillingCase):
    """Several batches of one run at once."""

    def start(self, due, workers, batch_size=2):
        for _number in range(due):
            self.create_subscription()
        self.company.isp_billing_workers = workers
        run = self.env["isp.billing.run"].create({"target_date": "2027-03-10"})
        with patch(SIZES, batch_size), trap_jobs() as jobs:
            run.action_run()
            return run, len(jobs.enqueued_jobs)

    def test_as_many_jobs_as_workers_and_no_more_than_batches(self):
        for due, workers, expected in ((5, 2, 2), (5, 4, 3), (1, 4, 1), (5, 1, 1)):
            with self.subTest(due=due, workers=workers), self.env.cr.savepoint() as savepoint:
                self.assertEqual(self.start(due, workers)[1], expected)
                savepoint.rollback()

    def test_every_worker_goes_on_until_nothing_is_left(self):
        run, count = self.start(5, 2)
        self.assertEqual(count, 2)
        with patch(SIZES, 2), trap_jobs() as jobs:
            run._job_bill_batch()
            run._job_bill_batch()
            jobs.assert_jobs_count(2, only=run._job_bill_batch)
            self.assertEqual((run.done_count, run.progress), (4, 80.0))
        with patch(SIZES, 2), trap_jobs() as jobs:
            run._job_bill_batch()
            finished_at = run.finished_at
            run._job_bill_batch()
            jobs.assert_jobs_count(0, only=run._job_bill_batch)
        self.assertEqual((run.state, run.invoice_count), ("done", 5))
        self.assertEqual(run.finished_at, finished_at, "finished once")

    def test_what_another_worker_holds_is_looked_at_again(self):
        run, _count = self.start(3, 2)
        nobody = self.env["isp.subscription"]
        with (
            patch.object(type(nobody), "try_lock_for_update", lambda *_args, **_options: nobody),
            trap_jobs() as jobs,
        ):
            run._job_bill_batch()
            (job,) = jobs.enqueued_jobs
            self.assertTrue(job.eta, "not at once")
        self.assertEqual(run.state, "running")

    def test_a_subscription_that_gives_nothing_to_bill_is_listed(self):
        run, _count = self.start(2, 1)
        due = self.env["isp.subscription"].search(run._get_due_domain())
        with patch.object(type(due), "_get_due_charges", lambda *_args: []):
            self.assertEqual(run._bill_batch(), (2, 0))
        self.assertEqual(run.exception_ids.subscription_id, due)
        self.assertIn("nothing to charge", run.exception_ids[0].reason)
        self.assertEqual(run.state, "done")
