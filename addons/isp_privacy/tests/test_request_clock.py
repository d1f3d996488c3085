from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .request_common import PrivacyRequestCase

CLOCK_LOGGER = "odoo.addons.isp_privacy.models.privacy_request_clock"


@tagged("post_install", "-at_install")
class TestRequestClock(PrivacyRequestCase):
    """The clock on records: promises, pauses, extension, warnings, and the daily job."""

    def assert_due(self, request, day):
        self.assertEqual(str(request.date_due), day)

    # === DUE DATE === #

    @proves("P-42")
    def test_due_dates_of_the_specification(self):
        for received, due, extended in (
            ("2026-01-31", "2026-02-28", "2026-04-30"),
            ("2024-01-31", "2024-02-29", "2024-04-30"),
            ("2026-02-28", "2026-03-28", "2026-05-28"),
            ("2026-12-31", "2027-01-30", "2027-03-31"),
            ("2024-02-29", "2024-03-29", "2024-05-29"),
        ):
            with self.subTest(received=received), self.at(f"{received} 06:00:00"):
                request = self.create_request()
                self.assert_due(request, due)
                request._extend("Many records")
                self.assert_due(request, extended)
                request._withdraw("Enough")

    def test_the_day_of_receipt_is_dhakas(self):
        with self.at("2026-01-30 17:59:00"):
            self.assert_due(self.create_request(), "2026-02-28")
        with self.at("2026-12-30 17:59:00"):
            self.assert_due(self.create_request("complaint"), "2027-01-29")
        with self.at("2026-12-30 18:00:00"):
            self.assert_due(self.create_request("erasure"), "2027-01-30")

    def test_a_letter_counts_from_its_delivery(self):
        with self.at("2026-03-10 06:00:00"):
            request = self.create_request(date_received="2026-03-05 06:00:00")
            self.assert_due(request, "2026-04-04")

    def test_a_profile_that_changes_counts_for_new_requests(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
            version = self.profile.version
            self.profile.answer_days = 10
            self.assertEqual(self.profile.version, version + 1)
            self.profile.write({"answer_days": 10, "name": "Bangladesh 2"})
            self.assertEqual(self.profile.version, version + 1, "nothing promised has changed")
            request._ask_identity()
            self.assert_due(request, "2026-03-31")
            self.assertEqual(request.profile_version, version)
            newer = self.create_request("complaint")
            self.assert_due(newer, "2026-03-11")
            self.assertEqual(newer.profile_version, version + 1)

    def test_numbers_of_a_profile_are_positive(self):
        for name in (
            "answer_days",
            "answer_months",
            "extension_months",
            "identity_timeout_days",
            "recovery_days",
            "proof_days",
            "requests_per_hour",
        ):
            for number in (0, -1):
                with self.subTest(name=name, number=number), mute_logger("odoo.sql_db"):
                    with self.assertRaises(psycopg2.errors.CheckViolation):
                        with self.env.cr.savepoint():
                            self.profile.write({name: number})

    def test_profiles_follow_the_country_or_the_choice(self):
        india = self.env.ref("isp_privacy.privacy_profile_in")
        self.assertEqual(self.profile, self.env.ref("isp_privacy.privacy_profile_bd"))
        self.company.privacy_profile_id = india
        self.assertEqual(self.company._get_privacy_profile(), india)
        self.company.privacy_profile_id = False
        self.company.country_id = self.env.ref("base.fr")
        self.assertEqual(self.company._get_privacy_profile(), self.profile, "the first one")
        self.env["privacy.profile"].search([]).active = False
        with self.assertRaisesRegex(UserError, "Create one under"):
            self.create_request()

    # === PAUSES === #

    def test_the_clock_stands_still_while_proof_is_awaited(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
        with self.at("2026-03-03 06:00:00"):
            request._ask_identity()
            self.assert_due(request, "2026-03-31")
        with self.at("2026-03-08 06:00:00"):
            self.run_cron("watch")
            self.assert_due(request, "2026-04-05")
            self.assertEqual(request.percent_used, 6)
            self.assertFalse(request.is_overdue)
        with self.at("2026-03-13 06:00:00"):
            request._verify_identity("letter")
            self.assert_due(request, "2026-04-10")

    def test_a_hold_is_no_pause(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
            request._hold("Case 7")
        with self.at("2026-03-20 06:00:00"):
            request.action_release()
            self.assert_due(request, "2026-03-31")

    def test_overdue_is_what_can_be_worked_on(self):
        requests = self.env["privacy.request"]
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
            waiting = self.create_request("complaint")
            waiting._ask_identity()
        for moment, overdue in (("2026-03-31 17:59:59", False), ("2026-03-31 18:00:00", True)):
            with self.subTest(moment=moment), self.at(moment):
                self.assertEqual(request.is_overdue, overdue)
                found = requests.search([("is_overdue", "=", True)])
                self.assertEqual(request in found, overdue)
                self.assertNotIn(waiting, found)
                self.assertIn(waiting, requests.search([("is_overdue", "=", False)]))
        with self.at("2026-04-02 06:00:00"):
            request._withdraw("Enough")
            self.assertFalse(request.is_overdue)

    # === EXTENSION === #

    def test_an_extension_once_in_time_and_with_a_reason(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
        with self.at("2026-03-31 06:00:00"), self.assertRaisesRegex(UserError, "too late"):
            request._extend("Many records")
        with self.at("2026-03-30 06:00:00"):
            for reason in (False, "  "):
                with self.assertRaisesRegex(UserError, "why"):
                    request._extend(reason)
            request._extend("Many records")
            self.assert_due(request, "2026-06-01")
            self.assertEqual(request.extension_reason, "Many records")
            with self.assertRaisesRegex(UserError, "only once"):
                request._extend("Even more")
            request._reject("The law")
            with self.assertRaisesRegex(UserError, "Nothing is left"):
                request._extend("Even more")

    def test_a_pause_leaves_time_to_extend(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
            request._ask_identity()
        with self.at("2026-04-10 06:00:00"):
            request._verify_identity("letter")
            request._extend("Many records")
            self.assert_due(request, "2026-07-11")

    # === WARNINGS === #

    @proves("P-42")
    def test_officers_are_warned_three_times(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
        counts = []
        for day in ("03-15", "03-16", "03-17", "03-25", "03-30", "03-31", "04-10"):
            with self.at(f"2026-{day} 06:00:00"):
                self.run_cron("watch")
                self.run_cron("watch")
                activities = self.activities_of(request, "clock")
                counts.append((day, len(activities.filtered(lambda a: a.user_id == self.farid))))
        self.assertEqual(
            counts,
            [
                ("03-15", 0),
                ("03-16", 1),
                ("03-17", 1),
                ("03-25", 2),
                ("03-30", 2),
                ("03-31", 3),
                ("04-10", 3),
            ],
        )
        self.assertEqual(activities.user_id, self.nasrin | self.farid, "all officers, none else")
        self.assertEqual(set(activities.mapped(lambda a: str(a.date_deadline))), {"2026-03-31"})

    def test_the_officer_in_charge_is_warned_alone(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request(user_id=self.farid.id)
        with self.at("2026-03-31 06:00:00"):
            self.run_cron("watch")
            activities = self.activities_of(request, "clock")
            self.assertEqual((len(activities), activities.user_id), (1, self.farid))
            request._reject("The law")
            self.assertFalse(self.activities_of(request, "clock"), "what is closed needs nobody")

    def test_nobody_is_warned_while_nothing_can_be_done(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
            request._ask_identity()
        with self.at("2026-03-31 06:00:00"):
            self.run_cron("watch")
            self.assertFalse(self.activities_of(request, "clock"))

    # === PROOF OF IDENTITY === #

    def test_a_request_without_proof_is_closed_after_the_last_day(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
            request._ask_identity()
        with self.at("2026-03-31 06:00:00"):
            self.run_cron("watch")
            self.assertEqual(request.state, "identity_pending")
        with self.at("2026-04-01 06:00:00"):
            self.run_cron("watch")
            self.assertEqual((request.state, request.identity_state), ("rejected", "failed"))
            self.assertIn("in time", request.rejection_reason)
            self.assertEqual(self.create_request().state, "received", "a new one is welcome")

    def test_proofs_are_deleted_thirty_days_after_closing(self):
        Attachment = self.env["ir.attachment"]
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request()
            proof = Attachment.create({"name": "letter.pdf", "raw": b"proof"})
            request._verify_identity("letter", "Called back", proof)
            self.assertEqual((proof.res_model, proof.res_id), (request._name, request.id))
        with self.at("2026-03-05 06:00:00"):
            request._reject("The law")
        self.assertEqual(str(request.proofs_delete_on), "2026-04-04")
        for moment, kept in (("2026-04-03 17:59:59", True), ("2026-04-03 18:00:00", False)):
            with self.subTest(moment=moment), self.at(moment):
                request.sudo()._gc_proofs()
                self.assertEqual(bool(proof.exists()), kept)
        self.assertEqual(request.event_ids.sorted("id")[-1].event_type, "proof")
        self.assertEqual(request.identity_method, "letter", "how it was proven stays")

    # === THE JOB === #

    def test_one_that_breaks_holds_up_no_other(self):
        with self.at("2026-03-01 06:00:00"):
            broken = self.create_request()
            other = self.create_request("complaint")
        warn = type(broken)._warn

        def break_one(record, today):
            if record == broken:
                record.write({"words": "half done"})
                raise ValueError("no such thing")
            return warn(record, today)

        with self.at("2026-03-20 06:00:00"):
            with patch.object(type(broken), "_warn", break_one), self.assertLogs(CLOCK_LOGGER):
                self.run_cron("watch")
            self.assertTrue(self.activities_of(other, "clock"))
            self.assertEqual(broken.problem, "ValueError")
            self.assertFalse(broken.words, "what was half done is undone")
        with self.at("2026-03-21 06:00:00"):
            self.run_cron("watch")
            self.assertTrue(self.activities_of(broken, "clock"))
            self.assertFalse(broken.problem, "the next success clears it")

    def test_small_batches_reach_everybody(self):
        with self.at("2026-03-01 06:00:00"):
            requests = self.create_request() | self.create_request("complaint")
            requests |= self.create_request("erasure")
        model = self.env["privacy.request"]
        watch = type(model)._cron_watch
        with self.at("2026-03-20 06:00:00"):
            with patch.object(type(model), "_cron_watch", lambda m: watch(m, batch_size=1)):
                self.run_cron("watch")
            self.assertEqual(set(requests.mapped(lambda r: str(r.checked_on))), {"2026-03-20"})

    def test_an_erasure_that_breaks_holds_up_no_other(self):
        with self.at("2026-03-01 06:00:00"):
            broken, other = (
                self.create_request("erasure"),
                self.create_request("erasure", self.rahim),
            )
            for request in broken | other:
                self.bring(request, "in_review").with_user(self.farid).action_approve()

        def execute(record):
            if record == broken:
                raise ValueError("no such thing")
            return None

        with self.at("2026-03-31 06:00:00"):
            with patch.object(type(broken), "_execute", execute), self.assertLogs(CLOCK_LOGGER):
                self.run_cron("recovery")
        self.assertEqual((broken.state, other.state), ("failed", "executing"))
