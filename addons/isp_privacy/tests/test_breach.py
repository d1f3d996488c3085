import psycopg2
from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .register_common import NOW, RegisterCase


@tagged("post_install", "-at_install")
class TestBreach(RegisterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.indian = cls.new_user(
            "prv_india", "isp_privacy.group_privacy_officer", cls.other_company
        )

    def report(self, user=None, **vals):
        values = {"name": "List sent to a stranger", "discovered_by": "Support", **vals}
        return self.as_user(user or self.officer, "privacy.breach").create(values)

    def decide(self, breach):
        breach.write({"decision": "notify", "decision_reason": "Identity numbers are in it."})

    # === CLOCKS === #

    @proves("P-61")
    def test_the_laws_of_the_country_start_their_clocks(self):
        breach = self.report()
        self.assertRecordValues(
            breach.notice_ids,
            [{"hours": 72, "due_at": self.at("2027-03-13 06:00:00"), "state": "waiting"}],
        )
        self.assertEqual(breach.notice_ids.regime_id, self.env.ref("isp_privacy.regime_bd"))

    def test_in_india_two_clocks_run_since_two_moments(self):
        breach = self.report(
            self.indian, noticed_at="2027-03-10 01:00:00", aware_at="2027-03-10 05:00:00"
        )
        self.assertRecordValues(
            breach.notice_ids.sorted("hours"),
            [
                {"recipient": "CERT-In", "due_at": self.at("2027-03-10 07:00:00")},
                {
                    "recipient": "Data Protection Board of India",
                    "due_at": self.at("2027-03-13 05:00:00"),
                },
            ],
        )
        self.assertEqual(breach.clock, "1 h 0 min left: CERT-In")
        self.assertFalse(breach.is_overdue)
        with freeze_time("2027-03-10 07:30:00"):
            breach.invalidate_recordset()
            self.assertEqual(breach.clock, "Overdue by 0 h 30 min: CERT-In")
            self.assertTrue(breach.is_overdue)
            self.assertEqual(breach.notice_ids.sorted("hours")[0].state, "overdue")

    def test_a_law_is_added_by_hand(self):
        with Form(self.as_user(self.officer, "privacy.breach")) as form:
            form.name = "Backup lost"
            form.discovered_by = "A customer"
            with form.notice_ids.new() as line:
                line.regime_id = self.env.ref("isp_privacy.regime_gdpr")
        self.assertEqual(len(form.record.notice_ids), 2)
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                form.record.notice_ids.create(
                    {
                        "breach_id": form.record.id,
                        "regime_id": self.env.ref("isp_privacy.regime_gdpr").id,
                    }
                )

    def test_a_change_of_the_law_moves_no_running_clock(self):
        breach = self.report()
        due = breach.next_due_at
        self.env.ref("isp_privacy.regime_bd").hours = 24
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(breach.next_due_at, due)
        self.assertEqual(self.report(name="Next").notice_ids.hours, 24)
        with self.assertRaises(AccessError):
            breach.notice_ids.hours = 240

    def test_a_clock_is_made_earlier_and_never_later(self):
        breach = self.report(noticed_at="2027-03-10 04:00:00", aware_at="2027-03-10 05:00:00")
        for vals in (
            {"aware_at": "2027-03-10 05:00:01"},
            {"noticed_at": "2027-03-10 04:30:00"},
            {"noticed_at": False},
        ):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "not later"):
                breach.write(vals)
        breach.aware_at = "2027-03-10 04:30:00"
        self.assertEqual(breach.next_due_at, self.at("2027-03-13 04:30:00"))

    def test_noticed_before_aware(self):
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.report(noticed_at="2027-03-10 05:00:01", aware_at="2027-03-10 05:00:00")

    # === REPORTS === #

    @proves("P-61")
    def test_sent_in_time_up_to_the_last_second(self):
        notice = self.report().notice_ids
        with freeze_time("2027-03-13 06:00:00"):
            notice.action_sent()
        self.assertEqual(notice.state, "sent")
        self.assertFalse(notice.breach_id.next_due_at)
        self.assertFalse(notice.breach_id.clock)

    @proves("P-61")
    def test_a_late_report_needs_its_reason(self):
        notice = self.report().notice_ids
        with freeze_time("2027-03-13 06:00:01"):
            with self.assertRaisesRegex(ValidationError, "why it was late"):
                notice.action_sent()
            notice.invalidate_recordset()
            with self.assertRaisesRegex(ValidationError, "why it was late"):
                notice.write({"sent_at": "2027-03-13 06:00:01", "late_reason": " "})
            notice.invalidate_recordset()
            notice.write({"sent_at": "2027-03-13 06:00:01", "late_reason": "No connection."})
            self.assertEqual(notice.state, "late")
            with self.assertRaises(ValidationError):
                notice.late_reason = False

    def test_what_becomes_late_by_an_earlier_start_needs_its_reason_too(self):
        breach = self.report()
        breach.notice_ids.action_sent()
        with self.assertRaisesRegex(ValidationError, "why it was late"):
            breach.aware_at = "2027-03-07 05:59:59"
        breach.invalidate_recordset()
        breach.notice_ids.late_reason = "The first mail was overlooked."
        breach.aware_at = "2027-03-07 05:59:59"
        self.assertEqual(breach.notice_ids.state, "late")

    def test_no_report_in_the_future_nor_before_the_breach(self):
        notice = self.report().notice_ids
        for moment in ("2027-03-10 06:00:01", "2027-03-10 05:59:59"):
            with self.subTest(moment=moment), self.assertRaises(ValidationError):
                notice.sent_at = moment

    def test_a_clock_is_neither_deleted_nor_moved(self):
        notice, other = self.report().notice_ids, self.report()
        with self.assertRaises(AccessError):
            notice.unlink()
        with self.assertRaisesRegex(UserError, "not needed"):
            notice.sudo().unlink()
        with self.assertRaisesRegex(UserError, "belongs to its breach"):
            notice.breach_id = other
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                notice.is_not_needed = True
        notice.write({"is_not_needed": True, "not_needed_reason": "The data was encrypted."})
        self.assertEqual(notice.state, "not_needed")

    # === A SECOND REPORT === #

    def test_a_second_report_runs_on_the_clocks_of_the_first(self):
        first = self.report()
        with freeze_time("2027-03-11 06:00:00"):
            second = self.report(name="The same list", original_id=first.id)
            self.assertFalse(second.notice_ids)
            self.assertEqual(second.next_due_at, first.next_due_at)
            self.assertEqual(second.next_due_at, self.at("2027-03-13 06:00:00"))
            self.assertEqual(second.clock, first.clock)
            with self.assertRaisesRegex(UserError, "first report"):
                second.notice_ids.create(
                    {
                        "breach_id": second.id,
                        "regime_id": self.env.ref("isp_privacy.regime_gdpr").id,
                    }
                )
            first.notice_ids.action_sent()
            self.assertFalse(second.next_due_at)

    def test_a_report_found_to_be_the_second_one_gives_up_its_clocks(self):
        first = self.report()
        with freeze_time("2027-03-11 06:00:00"):
            second = self.report(name="The same list")
            second.original_id = first
        self.assertEqual(second.notice_ids.state, "not_needed")
        self.assertIn(first.name, second.notice_ids.not_needed_reason)
        self.assertEqual(second.next_due_at, first.next_due_at)

    def test_an_older_report_is_no_second_one(self):
        first = self.report()
        with self.assertRaisesRegex(ValidationError, "other way round"):
            self.report(original_id=first.id, aware_at="2027-03-09 06:00:00")

    def test_each_later_report_is_linked_to_the_very_first(self):
        first = self.report()
        second = self.report(original_id=first.id)
        with self.assertRaisesRegex(ValidationError, "very first"):
            self.report(original_id=second.id)
        with self.assertRaisesRegex(ValidationError, "very first"):
            first.original_id = self.report()
        other = self.report()
        with self.assertRaisesRegex(ValidationError, "very first"):
            other.original_id = other

    # === CLOSING === #

    def test_closed_when_decided_and_reported(self):
        breach = self.report()
        with self.assertRaisesRegex(UserError, "what was decided"):
            breach.action_close()
        self.decide(breach)
        with self.assertRaisesRegex(UserError, "Not sent yet: Data protection authority"):
            breach.action_close()
        breach.notice_ids.action_sent()
        breach.action_close()
        self.assertEqual(
            (breach.state, breach.closed_by_id, str(breach.closed_at)),
            ("closed", self.officer, NOW),
        )
        for change in (
            lambda: breach.write({"measures": "None"}),
            lambda: breach.notice_ids.write({"reference": "1"}),
            lambda: breach.action_close(),
        ):
            with self.assertRaisesRegex(UserError, "is closed"):
                change()
        breach.message_post(body="The authority has answered.")

    def test_a_second_report_is_closed_without_a_decision_of_its_own(self):
        second = self.report(original_id=self.report().id)
        second.action_close()
        self.assertEqual(second.state, "closed")

    def test_nobody_closes_it_in_another_name(self):
        breach = self.report()
        for vals in ({"state": "closed"}, {"closed_by_id": self.second_officer.id}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                breach.write(vals)

    def test_who_is_responsible_is_told_at_once(self):
        breach = self.report(self.indian)
        # 12:00 UTC is still the same day in Kolkata.
        self.assertRecordValues(
            breach.activity_ids,
            [{"user_id": self.indian.id, "date_deadline": self.at(NOW).date()}],
        )

    def at(self, moment):
        return self.env["privacy.breach"]._fields["aware_at"].to_datetime(moment)
