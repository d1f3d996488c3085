"""Purges: what goes on which day, what a hold keeps, and what a crash leaves."""

from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import html2plaintext, mute_logger

from odoo.addons.isp_base.tests.promises import proves

from ..models.privacy_purge_scope import PurgeScope
from .request_common import PrivacyRequestCase

LINE_LOGGER = "odoo.addons.isp_privacy.models.privacy_purge_line"


class PurgeCase(PrivacyRequestCase):
    """A provider in Dhaka, six hours ahead of UTC, that keeps messages for a year."""

    @classmethod
    def write_message(cls, date, partner=None, company=None, **vals):
        partner = cls.karim if partner is None else partner
        return cls.env["mail.message"].create(
            {
                "model": "res.partner",
                "res_id": partner.id,
                "author_id": partner.id,
                "message_type": "comment",
                "subject": "My line",
                "body": "<p>It is slow</p>",
                "date": date,
                "record_company_id": (cls.company if company is None else company).id,
                **vals,
            }
        )

    def preview(self, moment, **vals):
        with self.at(moment):
            return self.env["privacy.purge"].create({"company_id": self.company.id, **vals})

    def purge(self, moment, limit=500):
        """Purge everything that is due at ``moment`` (UTC)."""
        purge = self.preview(moment)
        with self.at(moment):
            purge.action_start()
            while purge._purge_batch(limit):
                pass
        return purge

    def line(self, purge, model="mail.message"):
        return purge.line_ids.filtered(lambda line: line.model == model)

    def is_there(self, message):
        message.invalidate_recordset()
        return bool(message.subject)

    def hold(self, **vals):
        defaults = {"reference": "Case 5", "authority": "Court", "date_from": "2025-01-01"}
        if vals.get("scope", "subject") == "subject":
            defaults["partner_id"] = self.karim.id
        company = {"company_id": self.company.id}
        return self.env["privacy.hold"].create({**defaults, **company, **vals})


@tagged("post_install", "-at_install")
class TestPurge(PurgeCase):
    # === THE DAY === #

    @proves("P-29")
    def test_a_record_goes_on_the_day_after_its_last(self):
        for written, last_moment, first_moment in (
            # Days of Dhaka: its 1 March begins at 18:00 of 28 or 29 February in UTC.
            ("2024-02-29 12:00:00", "2025-02-28 17:59:59", "2025-02-28 18:00:00"),
            ("2024-02-29 17:59:59", "2025-02-28 17:59:59", "2025-02-28 18:00:00"),
            ("2024-02-29 18:00:00", "2025-03-01 17:59:59", "2025-03-01 18:00:00"),
            ("2024-02-28 12:00:00", "2025-02-27 17:59:59", "2025-02-27 18:00:00"),
            # A year with a leap day in it: 365 days end before twelve months.
            ("2023-03-01 12:00:00", "2024-02-29 17:59:59", "2024-02-29 18:00:00"),
            ("2026-06-15 12:00:00", "2027-06-15 17:59:59", "2027-06-15 18:00:00"),
        ):
            with self.subTest(written=written):
                message = self.write_message(written)
                self.purge(last_moment)
                self.assertTrue(self.is_there(message), "its last day")
                purge = self.purge(first_moment)
                self.assertFalse(self.is_there(message), "the day after")
                self.assertEqual(self.line(purge).error_count, 0)

    def test_fields_get_what_erasure_would_do_to_them(self):
        message = self.write_message("2024-06-01 12:00:00", email_from="karim@customer.example")
        self.purge("2026-01-01 12:00:00")
        message.invalidate_recordset()
        self.assertEqual((message.subject, message.email_from), (False, False))
        self.assertEqual(html2plaintext(message.body), "***")
        self.assertEqual(message.author_id, self.karim, "kept: the partner is dealt with itself")
        self.assertEqual(str(message.date), "2024-06-01 12:00:00")

    def test_what_was_purged_is_not_purged_again(self):
        self.write_message("2024-06-01 12:00:00")
        self.assertEqual(self.line(self.purge("2026-01-01 12:00:00")).done_count, 1)
        self.assertFalse(self.line(self.preview("2026-01-02 12:00:00")))

    def test_each_company_has_its_own_policy(self):
        india = self.env["res.company"].create(
            {"name": "Ganga Net", "country_id": self.env.ref("base.in").id}
        )
        own, theirs = (
            self.write_message("2024-06-01 12:00:00", company=company)
            for company in (self.company, india)
        )
        nobodys = self.write_message("2024-06-01 12:00:00", record_company_id=False)
        self.purge("2026-01-01 12:00:00")
        self.assertFalse(self.is_there(own))
        self.assertTrue(self.is_there(theirs))
        self.assertTrue(self.is_there(nobodys), "could be of the company that keeps it longer")
        self.purge("2027-06-03 12:00:00")
        self.assertFalse(self.is_there(nobodys))
        self.assertTrue(self.is_there(theirs), "its own company purges it")

    def test_letters_about_requests_last_as_long_as_the_request(self):
        request = self.create_request()
        letter = self.write_message("2024-06-01 12:00:00", model=request._name, res_id=request.id)
        change = self.write_message("2024-06-01 12:00:00", message_type="notification")
        self.purge("2026-01-01 12:00:00")
        self.assertTrue(self.is_there(letter))
        self.assertTrue(self.is_there(change), "the history of a document")

    def test_whole_records_are_deleted_where_erasure_would_delete_them(self):
        logs = self.env["res.device.log"].create(
            [
                {
                    "session_identifier": f"{day}" * 42,
                    "user_id": self.nasrin.id,
                    "ip_address": "203.0.113.5",
                    "first_activity": "2024-06-01 12:00:00",
                    "last_activity": f"2024-06-0{day} 12:00:00",
                }
                for day in (1, 2)
            ]
        )
        self.purge("2025-06-02 12:00:00")
        self.assertEqual(logs.exists(), logs[1])

    def test_words_of_a_request_go_seven_years_after_it_was_closed(self):
        with self.at("2024-02-29 06:00:00"):
            request = self.create_request(words="Send me all you know")
            request.with_user(self.nasrin)._move_to("withdrawn", "By phone")
        closing = request.event_ids.filtered(lambda event: event.to_state == "withdrawn")
        # 2557 days
        self.purge("2031-03-01 17:59:59")
        self.assertEqual(request.words, "Send me all you know")
        purge = self.purge("2031-03-01 18:00:00")
        self.env.invalidate_all()
        self.assertEqual((request.words, closing.reason), (False, False))
        self.assertEqual(request.state, "withdrawn")
        self.assertFalse(purge.error_ids.mapped("message"))

    # === THE PREVIEW === #

    def test_a_preview_counts_and_deletes_nothing(self):
        old = self.write_message("2024-02-29 12:00:00")
        self.write_message("2024-06-01 12:00:00", partner=self.rahim)
        recent = self.write_message("2025-06-01 12:00:00")
        self.hold()
        purge = self.preview("2025-12-31 18:30:00")
        line = self.line(purge)
        self.assertRecordValues(
            line,
            [
                {
                    "retention": "message",
                    "action": "empty",
                    "due_count": 2,
                    "held_count": 1,
                    "done_count": 0,
                    "oldest": fields.Date.to_date("2024-02-29"),
                    "newest_day": fields.Date.to_date("2024-12-31"),
                    "state": "open",
                }
            ],
        )
        self.assertEqual(purge.day, fields.Date.to_date("2026-01-01"), "the day in Dhaka")
        self.assertEqual((purge.profile_id, purge.profile_version), (self.profile, 1))
        self.assertTrue(self.is_there(old) and self.is_there(recent))

    def test_an_officer_looks_and_starts_it(self):
        message = self.write_message("2024-06-01 12:00:00")
        with self.at("2026-01-01 12:00:00"):
            with Form(self.env["privacy.purge"].with_user(self.nasrin)) as form:
                self.assertEqual(form.company_id, self.company)
            purge = form.record
            self.assertEqual(purge.state, "preview")
            self.write_message("2024-06-01 12:00:00")
            purge.action_look()
            self.assertEqual(self.line(purge).due_count, 2)
            purge.action_start()
            self.assertEqual((purge.state, purge.user_id), ("waiting", self.nasrin))
            for method in (purge.action_look, purge.action_start):
                with self.assertRaisesRegex(UserError, "was started or ended before"):
                    method()
        self.assertTrue(self.is_there(message), "the job does it")

    def test_nobody_makes_a_purge_out_to_have_been_done(self):
        purge = self.env["privacy.purge"].with_user(self.nasrin).create({})
        for vals in ({"state": "done"}, {"done_count": 5}, {"user_id": self.farid.id}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                purge.write(vals)
        with self.assertRaises(AccessError):
            self.env["privacy.purge"].with_user(self.nasrin).create({"state": "done"})
        with self.assertRaises(AccessError):
            purge.line_ids.with_user(self.nasrin).create({"purge_id": purge.id, "model": "x"})
        with self.assertRaises(AccessError):
            purge.unlink()
        audited = purge.with_user(self.auditor)
        self.assertEqual(audited.state, "preview")
        with self.assertRaises(AccessError):
            audited.action_start()

    def test_purges_of_other_companies_are_not_seen(self):
        other = self.env["res.company"].create({"name": "Meghna Net"})
        purge = self.env["privacy.purge"].create({"company_id": other.id})
        for records in (purge, purge.line_ids):
            self.assertFalse(records.with_user(self.nasrin).search([("id", "in", records.ids)]))

    # === HOLDS === #

    @proves("P-29")
    def test_a_hold_on_a_person_keeps_all_that_is_of_the_person(self):
        firm = self.create_partner("Mill Ltd", "mill@customer.example", is_company=True)
        clerk = self.create_partner("Clerk", "clerk@customer.example", parent_id=firm.id)
        messages = [
            self.write_message("2024-06-01 12:00:00", partner=partner)
            for partner in (firm, clerk, self.rahim)
        ]
        hold = self.hold(partner_id=firm.id)
        purge = self.purge("2026-01-01 12:00:00")
        self.assertEqual([self.is_there(m) for m in messages], [True, True, False])
        self.assertEqual((self.line(purge).held_count, self.line(purge).done_count), (2, 1))
        hold.write({"closed_at": "2026-01-02", "closed_by_id": 1, "close_reason": "Over"})
        self.purge("2026-01-02 12:00:00")
        self.assertEqual([self.is_there(m) for m in messages], [False] * 3)

    def test_a_hold_on_documents_keeps_those_of_its_time(self):
        days = ("2024-05-31", "2024-06-01", "2024-06-30", "2024-07-01")
        messages = [self.write_message(f"{day} 12:00:00") for day in days]
        self.hold(
            scope="documents",
            document_model="mail.message",
            range_from="2024-06-01 00:00:00",
            range_to="2024-06-30 23:59:59",
        )
        self.purge("2026-01-01 12:00:00")
        self.assertEqual([self.is_there(m) for m in messages], [False, True, True, False])

    def test_a_hold_on_sessions_keeps_those_that_touch_its_time(self):
        logs = self.env["res.device.log"].create(
            [
                {
                    "session_identifier": f"{number}" * 42,
                    "user_id": self.nasrin.id,
                    "first_activity": f"2024-{begin} 12:00:00",
                    "last_activity": f"2024-{end} 12:00:00",
                }
                for number, (begin, end) in enumerate(
                    [("05-01", "05-31"), ("05-01", "06-02"), ("06-29", "07-20"), ("07-01", "07-20")]
                )
            ]
        )
        self.hold(
            scope="sessions", range_from="2024-06-01 00:00:00", range_to="2024-06-30 23:59:59"
        )
        self.purge("2026-01-01 12:00:00")
        self.assertEqual(logs.exists(), logs[1:3])

    def test_a_hold_that_is_over_or_of_another_company_keeps_nothing(self):
        other = self.env["res.company"].create(
            {"name": "Meghna Net", "country_id": self.env.ref("base.bd").id}
        )
        self.hold(date_to="2025-12-31")
        self.hold(company_id=other.id)
        message = self.write_message("2024-06-01 12:00:00")
        nobodys = self.write_message("2024-06-01 12:00:00", record_company_id=False)
        self.purge("2026-01-01 12:00:00")
        self.assertFalse(self.is_there(message))
        self.assertTrue(self.is_there(nobodys), "may be of the company with the hold")

    # === BATCHES, CRASHES AND ERRORS === #

    def test_a_crash_goes_on_with_the_batch_after_the_last(self):
        messages = [self.write_message("2024-06-01 12:00:00") for _number in range(7)]
        with self.at("2026-01-01 12:00:00"):
            purge = self.preview("2026-01-01 12:00:00")
            purge.action_start()
            while not any(not self.is_there(message) for message in messages):
                purge._purge_batch(limit=3)
            line = self.line(purge)
            self.assertEqual((line.done_count, line.state), (3, "open"))
            self.assertEqual(line.last_key, str(messages[2].id))
            real = type(line)._apply
            with patch.object(type(line), "_apply", autospec=True) as apply:
                apply.side_effect = lambda *args: (real(*args), self.fail_database())
                with self.assertRaises(psycopg2.OperationalError), self.env.cr.savepoint():
                    purge._purge_batch(limit=3)
            self.env.invalidate_all()
            self.assertEqual((line.done_count, line.last_key), (3, str(messages[2].id)))
            while purge._purge_batch(limit=3):
                pass
        self.assertEqual((line.done_count, line.error_count, line.state), (7, 0, "done"))
        self.assertFalse(any(self.is_there(message) for message in messages))
        self.assertEqual((purge.state, purge.progress), ("done", 100))

    def fail_database(self):
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    def test_one_record_that_fails_holds_up_no_other(self):
        messages = [self.write_message("2024-06-01 12:00:00") for _number in range(3)]
        bad, reason = messages[1], "It is locked by the books."
        real = type(bad).write

        def refuse(records, vals):
            if bad in records and "body" in vals:
                raise UserError(reason)
            return real(records, vals)

        with patch.object(type(bad), "write", refuse), mute_logger(LINE_LOGGER):
            purge = self.purge("2026-01-01 12:00:00")
        line = self.line(purge)
        self.assertEqual([self.is_there(m) for m in messages], [False, True, False])
        self.assertEqual((line.done_count, line.error_count, purge.state), (2, 1, "done"))
        self.assertRecordValues(
            purge.error_ids.filtered(lambda e: e.model == "mail.message"),
            [{"record_key": str(bad.id), "message": reason}],
        )
        watched = purge.activity_ids.user_id
        self.assertIn(self.nasrin, watched)
        self.purge("2026-01-02 12:00:00")
        self.assertFalse(self.is_there(bad), "tried again on the next day")

    def test_the_result_is_in_the_audit_chain(self):
        self.write_message("2024-06-01 12:00:00")
        purge = self.purge("2026-01-01 12:00:00")
        row = self.env["privacy.audit"].search(
            [("model", "=", purge._name), ("res_id", "=", purge.id), ("action", "=", "purge")]
        )
        self.assertEqual(len(row), 1)
        self.assertIn("mail.message message: empty 1, held 0, failed 0", row.field_names)

    def test_a_cancelled_purge_stops(self):
        message = self.write_message("2024-06-01 12:00:00")
        purge = self.preview("2026-01-01 12:00:00")
        purge.action_start()
        purge.action_cancel()
        with self.at("2026-01-01 12:00:00"):
            self.run_daily(companies=self.env["res.company"])
        self.assertEqual(purge.state, "cancelled")
        self.assertTrue(self.is_there(message))

    # === THE JOB === #

    def run_daily(self, companies=None):
        if companies is None:
            companies = self.company
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 60.0):
            found = patch.object(
                type(self.env["res.company"]), "search", lambda *_args, **_options: companies
            )
            with found:
                self.env["privacy.purge"]._cron_purge(batch_size=2)

    def test_the_job_purges_each_company_once_on_each_of_its_days(self):
        messages = [self.write_message("2024-06-01 12:00:00") for _number in range(5)]
        for moment, count in (
            ("2025-06-01 12:00:00", 1),
            ("2025-06-01 17:59:59", 1),
            ("2025-06-01 18:00:00", 2),
            ("2025-06-02 17:00:00", 2),
        ):
            with self.subTest(moment=moment), self.at(moment):
                self.run_daily()
                purges = self.env["privacy.purge"].search([("company_id", "=", self.company.id)])
                self.assertEqual(len(purges), count)
                self.assertEqual(set(purges.mapped("state")), {"done"})
                gone = [not self.is_there(message) for message in messages]
                self.assertEqual(gone, [count == 2] * 5)
        self.assertTrue(all(purges.mapped("is_daily")))

    def test_what_a_crash_left_is_finished_by_the_job(self):
        message = self.write_message("2024-06-01 12:00:00")
        purge = self.preview("2026-01-01 12:00:00")
        with self.at("2026-01-01 12:00:00"):
            purge.action_start()
            purge._purge_batch()
            self.assertEqual(purge.state, "running")
        with self.at("2026-01-01 15:00:00"):
            self.run_daily()
        self.assertEqual(purge.state, "done")
        self.assertFalse(self.is_there(message))

    # === EVERY MODEL === #

    def test_what_is_due_can_be_asked_of_every_model(self):
        with self.at("2033-01-01 12:00:00"):
            self.hold()
            self.hold(
                scope="sessions",
                partner_id=self.karim.id,
                range_from="2024-06-01 00:00:00",
                range_to="2024-06-30 23:59:59",
            )
            scope = PurgeScope(self.company, self.company._get_privacy_today())
            targets = scope.targets()
            self.assertGreater(len(targets), 5)
            for model, kind in targets:
                with self.subTest(model=model, kind=kind):
                    due, held = scope.get_domains(model, kind)
                    records = self.env[model].sudo()
                    self.assertGreaterEqual(records.search_count(due & ~held), 0)
                    self.assertGreaterEqual(records.search_count(held), 0)
