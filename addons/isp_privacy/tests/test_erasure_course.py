from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from ..eraser import Eraser
from .erasure_common import BEGIN, END, ErasureCase

WORK_LOGGER = "odoo.addons.isp_privacy.models.privacy_erasure_work"


@tagged("post_install", "-at_install")
class TestErasureCourse(ErasureCase):
    """P-33, P-34: the window, holds, and what goes wrong on the way."""

    # === THE WINDOW === #

    @proves("P-34")
    def test_it_can_be_called_off_on_day_29(self):
        """P-34."""
        user = self.customer(self.karim, "karim.portal")
        request = self.begin()
        self.assertFalse(user.active)
        with self.at("2027-03-30 06:00:00"):
            request._withdraw("He called")
        self.assertEqual(request.state, "withdrawn")
        self.assertFalse(self.karim.privacy_restricted)
        self.assertTrue(user.active)
        self.assertEqual(self.karim.name, "Karim Ranvikson")

    @proves("P-34")
    def test_it_cannot_be_called_off_on_day_31(self):
        """P-34."""
        request = self.begin()
        with self.at("2027-04-01 06:00:00"):
            with self.assertRaisesRegex(UserError, "That time is over"):
                request._withdraw("He called")
        self.assertEqual(request.state, "recovery")
        self.assertTrue(self.karim.privacy_restricted)

    def test_a_login_that_was_off_before_stays_off(self):
        user = self.customer(self.karim, "karim.portal")
        user.active = False
        request = self.begin()
        with self.at("2027-03-02 06:00:00"):
            request._withdraw("He called")
        self.assertFalse(user.active)

    # === HOLDS === #

    def hold(self, **vals):
        return self.env["privacy.hold"].create(
            {
                "reference": "CASE-77",
                "authority": "High Court",
                "company_id": self.company.id,
                "partner_id": self.karim.id,
                "date_from": "2027-01-01",
                **vals,
            }
        )

    def close(self, hold):
        hold.close_reason = "Acquitted"
        hold.action_close()

    @proves("P-37")
    def test_a_hold_wins_and_the_erasure_goes_on_after_it(self):
        hold = self.hold()
        request = self.begin()
        run = self.go_on(request)
        self.assertEqual((request.state, run.state), ("on_hold", "held"))
        self.assertEqual(self.karim.name, "Karim Ranvikson")
        with self.at(END):
            self.run_job("privacy_erasure_cron_work")
            self.assertEqual(request.state, "on_hold")
            self.close(hold)
            self.run_job("privacy_erasure_cron_work")
        self.assertEqual((request.state, run.state), ("done", "done"), run.problem)
        self.assertTrue(self.karim.name.startswith("Subscriber "))

    def test_a_hold_on_somebody_else_holds_nobody_up(self):
        self.hold(partner_id=self.rahim.id)
        self.erase()

    def test_a_hold_that_comes_in_the_middle_stops_it(self):
        request = self.begin()
        step = type(self.env["privacy.erasure"])._step_tell

        def hold_now(run):
            self.hold()
            return step(run)

        with patch.object(type(self.env["privacy.erasure"]), "_step_tell", hold_now):
            run = self.go_on(request)
        self.assertEqual((request.state, run.state, run.step), ("on_hold", "held", "letter"))
        self.assertEqual(self.karim.email, "karim.ranvikson@customer.example")

    def test_what_an_officer_holds_an_officer_releases(self):
        request = self.begin()
        with self.at(END):
            self.run_cron("recovery")
            request.with_user(self.nasrin)._hold("We talk to the lawyer")
            self.run_job("privacy_erasure_cron_work")
            self.run_job("privacy_erasure_cron_work")
            self.assertEqual((request.state, self.karim.name), ("on_hold", "Karim Ranvikson"))
            request.with_user(self.nasrin).action_release()
            self.run_job("privacy_erasure_cron_work")
        self.assertEqual(request.state, "done")

    def test_a_hold_on_a_kind_of_document_keeps_these_only(self):
        bank = self.env["res.partner.bank"].create(
            {"partner_id": self.karim.id, "acc_number": "1055443322"}
        )
        hold = self.hold(scope="documents", document_model="res.partner.bank", partner_id=False)
        run = self.erase()
        self.assertEqual(bank.acc_number, "1055443322")
        kept = run.kept_ids
        self.assertEqual((kept.model_name, kept.hold_id), ("res.partner.bank", hold))
        self.assertEqual(
            {(f.table_name, f.reason) for f in run.finding_ids}, {("res_partner_bank", "CASE-77")}
        )
        with self.at("2027-05-01 06:00:00"):
            self.run_job("privacy_erasure_cron_destroy")
            self.assertTrue(bank.exists())
            self.close(hold)
            self.run_job("privacy_erasure_cron_destroy")
        self.assertFalse(bank.exists())
        self.assertTrue(kept.destroyed_at)

    # === WHAT A LAW KEEPS === #

    @proves("P-37")
    def test_what_a_law_keeps_is_kept_to_the_day(self):
        bank = self.env["res.partner.bank"].create(
            {"partner_id": self.karim.id, "acc_number": "1055443322"}
        )

        def kept_until(_company, retention):
            return "2027-06-30" if retention == "account" else None

        with patch.object(type(self.company), "_privacy_kept_until", kept_until):
            run = self.erase()
        self.assertTrue(bank.exists())
        self.assertTrue(self.karim.name.startswith("Subscriber "), "what stays is made anonymous")
        kept = run.kept_ids.filtered(lambda kept: kept.model_name == "res.partner.bank")
        self.assertEqual(str(kept.keep_until), "2027-06-30")
        self.assertTrue(
            all(run.finding_ids.mapped("is_explained"))
            and "res_partner_bank" in run.finding_ids.mapped("table_name")
        )
        with self.at("2027-06-30 12:00:00"):
            self.run_job("privacy_erasure_cron_destroy")
            self.assertTrue(bank.exists())
        with self.at("2027-07-01 12:00:00"):
            self.run_job("privacy_erasure_cron_destroy")
            self.assertFalse(bank.exists())

    # === WHAT GOES WRONG === #

    def test_it_goes_on_where_a_crash_has_stopped_it(self):
        for number in range(5):
            self.karim.message_post(body=f"Karim Ranvikson called {number} times")
        request = self.begin()
        erase, seen = Eraser.erase, []

        def break_down(eraser, records):
            seen.append((records._name, records.ids))
            if records._name == "mail.message" and len(seen) > 2:
                raise RuntimeError("out of memory")
            return erase(eraser, records)

        with (
            patch("odoo.addons.isp_privacy.models.privacy_erasure_work.BATCH", 2),
            patch.object(Eraser, "erase", break_down),
            self.assertLogs(WORK_LOGGER),
        ):
            run = self.go_on(request)
        self.assertEqual((request.state, run.state, run.step), ("failed", "failed", "models"))
        self.assertEqual(run.problem, "RuntimeError")
        done = run.line_ids.filtered("done")
        self.assertTrue(done)
        with self.at(END), patch.object(Eraser, "erase", autospec=True, side_effect=erase) as again:
            request.with_user(self.farid).action_proceed()
            self.run_job("privacy_erasure_cron_work")
        self.assertEqual((request.state, run.state), ("done", "done"), run.problem)
        repeated = {call.args[1]._name for call in again.call_args_list}
        self.assertFalse(repeated & set(done.mapped("model_name")), "what was done is done once")
        self.assertEqual(self.search_for("Ranvikson"), set())

    def test_small_batches_erase_all(self):
        for number in range(7):
            self.attach(self.karim, f"Letter {number} to Karim Ranvikson".encode())
        with patch("odoo.addons.isp_privacy.models.privacy_erasure_work.BATCH", 2):
            run = self.erase()
        line = run.line_ids.filtered(lambda line: line.model_name == "ir.attachment")
        self.assertGreaterEqual(line.row_count, 7)

    def test_repeating_it_changes_nothing(self):
        self.erase()
        name = self.karim.name
        with self.at("2027-05-01 06:00:00"):
            run = self.env["privacy.erasure"]._start(self.company, self.karim, is_replay=True)
            self.run_job("privacy_erasure_cron_work")
        self.assertEqual((run.state, self.karim.name), ("done", name), run.problem)

    def test_one_person_is_erased_once_at_a_time(self):
        run = self.env["privacy.erasure"]._start(self.company, self.karim)
        self.assertEqual(self.env["privacy.erasure"]._start(self.company, self.karim), run)

    # === THE ALARM === #

    def alarm_at(self, moment):
        with self.at(moment):
            self.run_job("privacy_request_cron_overdue_erasures")

    def alarms_of(self, request):
        mails = self.env["mail.mail"].search([("subject", "=", f"Overdue: erasure {request.name}")])
        return self.activities_of(request, "clock"), mails

    @proves("P-33")
    def test_an_overdue_erasure_is_told_to_the_officers_once(self):
        """30 days after the receipt, to the end of the day in Dhaka, and 24 hours later."""
        request = self.begin()
        self.alarm_at("2027-04-01 17:59:59")
        self.assertFalse(any(self.alarms_of(request)))
        self.alarm_at("2027-04-01 18:00:00")
        activities, mails = self.alarms_of(request)
        self.assertEqual(activities.user_id, self.nasrin | self.farid)
        self.assertEqual(len(mails), 2)
        self.assertEqual(
            set(mails.mapped("email_to")),
            {officer.email_formatted for officer in self.nasrin | self.farid},
        )
        self.assertIn("03/31/2027", mails[0].body_html)
        for word in ("Karim", "Ranvikson", "customer.example"):
            self.assertNotIn(word, mails[0].body_html, "a mail is one more trace")
        self.alarm_at("2027-04-02 06:00:00")
        self.assertEqual(self.alarms_of(request), (activities, mails), "once")

    @proves("P-33")
    def test_who_is_erased_in_time_alarms_nobody(self):
        request = self.begin()
        self.go_on(request)
        self.alarm_at("2027-05-01 06:00:00")
        self.assertFalse(any(self.alarms_of(request)))

    def test_the_deadline_is_counted_as_it_was_promised(self):
        for counted_from, expected in (
            ("request", "2027-03-31"),
            ("window_end", "2027-04-30"),
            ("closure", "2027-04-04"),
        ):
            with self.subTest(counted_from=counted_from):
                self.profile.erase_deadline_from = counted_from
                with self.at(BEGIN):
                    request = self.create_request("erasure", self.rahim)
                with self.at("2027-03-05 06:00:00"):
                    self.bring(request, "recovery")
                self.assertEqual(str(request._get_erasure_deadline()), expected)
                with self.at("2027-03-06 06:00:00"):
                    request._withdraw("He called")

    def test_a_hold_is_no_delay(self):
        self.hold()
        request = self.begin()
        self.go_on(request)
        self.assertEqual(request.state, "on_hold")
        self.alarm_at("2027-05-01 06:00:00")
        self.assertFalse(any(self.alarms_of(request)))

    # === PROCESSORS === #

    def test_processors_are_told_and_one_that_cannot_be_reached_holds_nobody_up(self):
        processors = self.env["privacy.processor"]
        contact = self.create_partner("Post of bKash", "privacy@bkash.example")
        bkash = processors.create(
            {"name": "bKash", "company_id": self.company.id, "partner_id": contact.id}
        )
        silent = processors.create({"name": "SMS house", "company_id": self.company.id})
        run = self.erase()
        notices = {notice.processor_id: notice for notice in run.notice_ids}
        self.assertEqual((notices[bkash].state, notices[silent].state), ("told", "unreachable"))
        told = next(text for to, text in self.sent if "privacy@bkash.example" in to)
        self.assertIn("karim.ranvikson@customer.example", told)
        self.assertIn(run.pseudonym, told)
        self.assertFalse(notices[bkash].words_enc)
        self.assertTrue(notices[silent].words_enc, "needed to tell it later")
        silent.partner_id = self.create_partner("Post of SMS house", "privacy@sms.example")
        self.run_job("privacy_erasure_cron_tell")
        self.assertEqual(notices[silent].state, "told")
        self.assertFalse(notices[silent].words_enc)
        self.assertEqual(self.search_for("Ranvikson"), set(), "and no copy of the mails stays")
        notices[bkash].with_user(self.nasrin).action_acknowledge()
        self.assertEqual(notices[bkash].state, "acknowledged")
        with self.assertRaises(AccessError):
            notices[silent].with_user(self.nasrin).write({"state": "acknowledged"})
