from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .common import IspBillingCase

AT = "odoo.addons.isp_billing.models.isp_billing_run_previewing"


@tagged("post_install", "-at_install")
class TestRunPreview(IspBillingCase):
    """What a run would do, before it does it."""

    def create_run(self, target="2027-03-10", **vals):
        return self.env["isp.billing.run"].create(
            {"target_date": target, "invoice_date": target, **vals}
        )

    def preview(self, target="2027-03-10", **vals):
        run = self.create_run(target, **vals)
        run.action_preview()
        return run

    def add_line(self, subscription, price):
        return subscription.line_ids.create(
            {
                "subscription_id": subscription.id,
                "product_id": self.plan_office.product_id.id,
                "name": "Add-on",
                "line_type": "addon",
                "price_unit": price,
            }
        )

    def assertPreviewed(self, run, subscription, flag, amount, last_amount=0.0, is_new=False):
        line = run.preview_ids.filtered(lambda line: line.subscription_id == subscription)
        self.assertEqual(
            (line.flag, line.amount, line.last_amount, line.is_new),
            (flag, amount, last_amount, is_new),
        )
        self.assertEqual((line.partner_id, line.plan_id), (self.customer, subscription.plan_id))

    def test_who_and_how_much_and_what_is_new(self):
        known, new = self.create_subscription(date_start="2027-02-01"), self.create_subscription()
        moved_in = self.create_subscription(
            date_start="2026-01-01", opening_billed_through="2027-03-01"
        )
        known._bill(self.day("2027-02-01"), self.day("2027-02-01"))
        run = self.preview()
        self.assertPreviewed(run, known, "normal", 1000.0, 1000.0)
        self.assertPreviewed(run, new, "normal", 1000.0, is_new=True)
        self.assertPreviewed(run, moved_in, "normal", 1000.0)
        self.assertEqual((run.preview_count, run.preview_new_count), (3, 1))
        self.assertEqual((run.due_count, run.due_amount), (3, 3000.0))
        self.assertFalse((new | moved_in).charge_ids, "nothing is billed")

    def day(self, text):
        return self.env["isp.billing.run"]._fields["target_date"].to_date(text)

    def test_what_is_strange(self):
        zero, negative, high, twice = (
            self.create_subscription(date_start="2027-02-01") for _number in range(4)
        )
        (zero | negative | high | twice)._bill(self.day("2027-02-01"), self.day("2027-02-01"))
        self.add_line(zero, -1000.0).date_from = "2027-03-01"
        self.add_line(negative, -1500.0).date_from = "2027-03-01"
        self.add_line(high, 1000.01).date_from = "2027-03-01"
        self.add_line(twice, 1000.0).date_from = "2027-03-01"
        run = self.preview()
        self.assertPreviewed(run, zero, "zero", 0.0, 1000.0)
        self.assertPreviewed(run, negative, "negative", -500.0, 1000.0)
        self.assertPreviewed(run, high, "high", 2000.01, 1000.0)
        self.assertPreviewed(run, twice, "normal", 2000.0, 1000.0)
        self.company.isp_high_bill_factor = 1.9
        run.action_preview()
        self.assertPreviewed(run, twice, "high", 2000.0, 1000.0)
        self.assertEqual(
            (run.preview_zero_count, run.preview_negative_count, run.preview_high_count),
            (1, 1, 2),
        )

    def test_who_cannot_be_billed(self):
        good, bad, archived = (self.create_subscription() for _number in range(3))
        archived.plan_id = self.plan_office
        account = self.env["account.account"].create(
            {"name": "Old income", "code": "400999", "account_type": "income"}
        )
        self.plan_office.product_id.property_account_income_id = account
        account.active = False
        due_charges = type(bad)._get_due_charges
        senseless = "Its history makes no sense"

        def refuse_bad(subscriptions, target):
            if bad in subscriptions:
                raise UserError(senseless)
            return due_charges(subscriptions, target)

        with patch.object(type(bad), "_get_due_charges", refuse_bad):
            run = self.preview()
        by_one = {line.subscription_id: line for line in run.preview_ids}
        self.assertEqual(by_one[good].flag, "normal")
        self.assertEqual((by_one[bad].flag, by_one[bad].reason), ("blocked", senseless))
        self.assertEqual(by_one[archived].flag, "blocked")
        self.assertIn("income account", by_one[archived].reason)
        self.assertEqual(run.preview_blocked_count, 2)

    def test_what_is_left_out_is_not_billed_by_this_run(self):
        held, billed = self.create_subscription(), self.create_subscription()
        run = self.preview()
        line = run.preview_ids.filtered(lambda line: line.subscription_id == held)
        line.action_exclude()
        self.assertTrue(line.is_excluded)
        self.assertEqual((run.due_count, run.due_amount, run.excluded_count), (1, 1000.0, 1))
        run.action_preview()
        line = run.preview_ids.filtered(lambda line: line.subscription_id == held)
        self.assertTrue(line.is_excluded, "remembered by a new preview")
        run._run_to_end()
        self.assertEqual(run.due_count, 1)
        self.assertFalse(held.charge_ids)
        self.assertTrue(billed.charge_ids)
        self.bill("2027-03-10")
        self.assertTrue(held.charge_ids, "the next run takes it")

    def test_taken_in_again(self):
        self.create_subscription()
        run = self.preview()
        run.preview_ids.action_exclude()
        run.preview_ids.action_include()
        self.assertEqual((run.due_count, run.excluded_count), (1, 0))

    def test_the_preview_goes_when_the_run_begins(self):
        self.create_subscription()
        run = self.preview()
        lines = run.preview_ids
        with trap_jobs():
            run.action_run()
        self.assertFalse(lines.exists())
        self.assertEqual((run.preview_state, run.preview_count), ("none", 0))
        self.assertEqual(run.due_count, 1)

    def test_the_preview_goes_when_the_run_is_about_something_else(self):
        self.create_subscription()
        run = self.preview()
        with Form(run) as form:
            form.target_date = "2027-03-11"
        self.assertEqual((run.preview_state, run.due_count), ("none", 0))
        self.assertFalse(run.preview_ids)

    def test_many_are_previewed_in_the_background(self):
        for _number in range(7):
            self.create_subscription()
        with (
            patch(f"{AT}.AT_ONCE", 4),
            patch(f"{AT}.CHUNK_SIZE", 2),
            patch(f"{AT}.JOB_SIZE", 4),
            trap_jobs() as jobs,
        ):
            run = self.preview()
            self.assertEqual((run.preview_state, run.due_count), ("running", 7))
            jobs.assert_jobs_count(1, only=run._job_preview)
            stale = run.preview_number
            run._job_preview(run.preview_number, 0)
            self.assertEqual((run.preview_count, round(run.preview_progress)), (4, 57))
            run.action_preview()
            run._job_preview(stale, 0)
            self.assertEqual(run.preview_count, 0, "a job of an older preview does nothing")
            run._job_preview(run.preview_number, 0)
            jobs.enqueued_jobs[-1].perform()
        self.assertEqual((run.preview_state, run.preview_count), ("done", 7))
        self.assertEqual((run.due_count, run.due_amount), (7, 7000.0))

    def test_what_was_previewed_is_what_is_billed(self):
        office = self.create_subscription(plan_id=self.plan_office.id, date_start="2027-03-18")
        home = self.create_subscription()
        self.add_line(home, -100.0)
        run = self.preview("2027-03-20")
        previewed = {line.subscription_id: line.amount for line in run.preview_ids}
        run._run_to_end()
        for one in office | home:
            self.assertEqual(one.charge_ids.move_id.amount_untaxed, previewed[one])

    def test_the_queries_do_not_grow_with_the_subscriptions(self):
        counts = []
        for _round in range(2):
            for _number in range(15):
                self.create_subscription()
            run = self.create_run()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run.action_preview()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2)

    def test_clerks_look_and_accountants_decide(self):
        self.create_subscription()
        run = self.preview()
        clerk, accountant = self.create_user("clerk"), self.create_user("accountant")
        line = run.preview_ids
        self.assertEqual(line.with_user(clerk).flag, "normal")
        with self.assertRaises(AccessError):
            line.with_user(clerk).action_exclude()
        line.with_user(accountant).action_exclude()
        self.assertTrue(line.is_excluded)
        run.with_user(accountant).action_preview()
        action = run.with_user(clerk).action_view_preview()
        self.assertEqual(action["domain"], [("run_id", "=", run.id)])

    def test_previews_of_other_companies_are_not_seen(self):
        self.create_subscription()
        run = self.preview()
        second = self.env["res.company"].create({"name": "Second Net"})
        clerk = self.create_user("clerk")
        clerk.write({"company_ids": [(6, 0, second.ids)], "company_id": second.id})
        found = self.env["isp.billing.run.preview"].with_user(clerk).search([])
        self.assertFalse(found & run.preview_ids)
