import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from ..engine import policy_text
from ..models import privacy_policy_notice
from .consent_common import ConsentCase


@tagged("post_install", "-at_install")
class TestPolicyVersions(ConsentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.create_policy()
        cls.today = cls.company._get_privacy_today()

    def test_what_is_published_has_its_values_and_its_hash(self):
        version = self.publish(self.policy)
        text = version.text_ids
        self.assertEqual(text.published_body, "# Rights\nWe answer in 30 days.")
        self.assertEqual(text.hash, policy_text.digest(text.published_body))
        self.assertEqual((version.number, version.published_by_id), (1, self.nasrin))
        self.assertEqual(self.policy.current_version_id, version)
        self.profile.answer_days = 20
        self.env.invalidate_all()
        self.assertIn("30 days", text.rendered, "what was published stays as it is")

    @proves("P-49")
    def test_nobody_changes_what_was_published(self):
        """P-49."""
        version = self.publish(self.policy)
        for attempt in (
            lambda: version.write({"effective_date": "2030-01-01"}),
            lambda: version.write({"summary": "Nothing"}),
            lambda: version.text_ids.write({"body": "x"}),
            lambda: version.text_ids.copy({"lang": "bn_IN"}),
            lambda: version.text_ids.unlink(),
            lambda: version.unlink(),
        ):
            with self.assertRaisesRegex(UserError, "stays as it is"):
                attempt()
        self.env.flush_all()
        for statement in (
            "UPDATE privacy_policy_text SET published_body = 'x' WHERE id = %s",
            "UPDATE privacy_policy_text SET hash = NULL WHERE id = %s",
            "DELETE FROM privacy_policy_text WHERE id = %s",
        ):
            with self.assertRaises(psycopg2.errors.RestrictViolation), mute_logger("odoo.sql_db"):
                with self.env.cr.savepoint():
                    self.env.cr.execute(statement, [version.text_ids.id])

    def test_a_draft_can_be_changed_and_deleted(self):
        draft = self.create_version(self.policy)
        draft.text_ids.body = "Other"
        self.env.flush_all()
        draft.unlink()

    @proves("P-62")
    def test_missing_contact_blocks_publishing(self):
        """P-62."""
        draft = self.create_version(self.policy)
        cases = [
            (self.company, "phone", "phone"),
            (self.company, "email", "e-mail"),
            (self.company, "street", "address"),
            (self.policy, "officer_name", "privacy officer"),
            (self.policy, "officer_email", "reach the officer"),
        ]
        for record, name, words in cases:
            value = record[name]
            with self.subTest(name=name):
                record[name] = False
                with self.assertRaisesRegex(UserError, words):
                    draft.action_publish()
                self.assertEqual(draft.state, "draft")
                record[name] = value
        draft.action_publish()
        self.assertEqual(draft.state, "published")

    def test_what_else_blocks_publishing(self):
        for vals, words in (
            ({"text_ids": False}, "at least one language"),
            ({"effective_date": False}, "from which day"),
            ({"text": "Call {nobody}"}, "no value for {nobody}"),
            ({"text": "Braces } alone"}, "no value for"),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                self.create_version(self.policy, **vals).action_publish()

    @proves("P-49", "P-50")
    def test_people_are_told_before_it_is_in_force(self):
        """P-49, P-50: effective not before today and the days of notice."""
        yesterday = fields.Date.subtract(self.today, days=1)
        with self.assertRaisesRegex(UserError, "at the earliest"):
            self.create_version(self.policy, effective_date=yesterday).action_publish()
        first = self.publish(self.policy)
        with self.assertRaisesRegex(UserError, "told 14 days before"):
            self.publish(self.policy, days=13)
        second = self.publish(self.policy, days=14)
        self.assertEqual((first.number, second.number), (1, 2))
        self.assertEqual(self.policy.current_version_id, first)
        with self.at(fields.Datetime.add(fields.Datetime.now(), days=15)):
            self.assertEqual(self.policy._get_current(), second)

    def test_the_difference_to_the_version_before(self):
        self.publish(self.policy, text="# Rights\nOne line\nWe answer in {answer_days} days.")
        version = self.publish(self.policy, 14, text="# Rights\nOne line\nNew & short.")
        self.assertEqual(
            version.text_ids._get_difference(),
            [
                (None, "# Rights"),
                (None, "One line"),
                ("del", "We answer in 30 days."),
                ("ins", "New & short."),
            ],
        )
        self.assertIn("<ins>New &amp; short.</ins>", version.text_ids.difference)

    def test_the_next_version_begins_with_the_placeholders(self):
        version = self.publish(self.policy)
        draft = version.browse(version.action_new_version()["res_id"])
        self.assertEqual((draft.state, draft.number), ("draft", 0))
        self.assertIn("{answer_days}", draft.text_ids.body)
        self.assertFalse(draft.text_ids.hash or draft.text_ids.published_body)

    @proves("P-59")
    def test_the_draft_that_ships_can_be_published(self):
        """P-59: the page says what the software does, in English and Bangla."""
        draft = self.env.ref("isp_privacy.privacy_policy_version_first")
        self.assertEqual(draft.state, "draft")
        self.create_policy(draft.company_id)
        draft.effective_date = draft.company_id._get_privacy_today()
        draft.action_publish()
        self.assertEqual(set(draft.text_ids.mapped("lang")), {"en_US", "bn_IN"})
        for text in draft.text_ids:
            self.assertIn("Nasrin Akter", text.published_body)
            self.assertNotIn("{", text.published_body)
            self.assertEqual(text.published_body.count("\n# "), 11)

    def test_who_may_do_what(self):
        draft = self.create_version(self.policy)
        with self.assertRaises(AccessError):
            draft.with_user(self.auditor).action_publish()
        with self.assertRaisesRegex(AccessError, "set by the buttons"):
            draft.with_user(self.nasrin).write({"state": "published"})
        self.assertEqual(draft.with_user(self.auditor).significance, "major")

    def test_the_reader_gets_their_language(self):
        version = self.create_version(self.policy)
        bangla = version.text_ids.copy({"version_id": version.id, "lang": "bn_IN"})
        english = version.text_ids - bangla
        for lang, text in (
            ("bn_IN", bangla),
            ("bn_BD", bangla),
            ("en_GB", english),
            ("fr_FR", english),
            (None, english),
        ):
            with self.subTest(lang=lang):
                self.assertEqual(version._get_text(lang), text)


@tagged("post_install", "-at_install")
class TestPolicyNotices(ConsentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.create_policy()
        for number, partner in enumerate(cls.karim | cls.rahim):
            cls.create_user(f"privacy_portal_{number}", "base.group_portal", partner_id=partner.id)
        cls.first = cls.publish(cls.policy)
        cls.Notice = cls.env["privacy.policy.notice"]

    def notices(self, version, partner=None):
        domain = [("version_id", "=", version.id)]
        if partner:
            domain += [("partner_id", "=", partner.id)]
        return self.Notice.search(domain)

    def mails(self, version):
        return self.notices(version).mail_id

    def run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.privacy_policy_cron_notify").method_direct_trigger()
        self.env.invalidate_all()

    @proves("P-49", "P-50")
    def test_each_active_user_is_told_once_by_mail_and_once_in_the_portal(self):
        """P-49."""
        gone = self.create_partner("Gone", "gone@customer.example")
        user = self.create_user("privacy_gone", "base.group_portal", partner_id=gone.id)
        user.active = False
        self.create_partner("No login", "none@customer.example")
        version = self.publish(self.policy, 14, summary="Logs are kept for six months.")
        for _run in range(3):
            self.run_job()
        self.assertEqual(self.notices(version).partner_id, self.karim | self.rahim)
        for partner in self.karim | self.rahim:
            with self.subTest(partner=partner.name):
                told = self.notices(version, partner)
                self.assertEqual(sorted(told.mapped("channel")), ["mail", "portal"])
                [mail] = told.mail_id
                self.assertEqual(mail.recipient_ids, partner)
                self.assertIn("six months", mail.body_html)
                self.assertIn(f"/privacy/versions/{version.number}", mail.body_html)
        self.assertEqual(version.notice_state, "done")

    def test_the_job_goes_on_where_it_stopped(self):
        version = self.publish(self.policy, 14)
        self.Notice._tell(version, "mail", self.karim)
        self.run_job()
        self.assertEqual(len(self.notices(version)), 4)
        self.assertEqual(len(self.mails(version)), 2)

    def test_nobody_is_told_twice_whoever_tries(self):
        version = self.publish(self.policy, 14)
        self.Notice._tell(version, "portal", self.karim)
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.Notice._tell(version, "portal", self.karim)

    def test_it_works_in_batches(self):
        for number in range(5):
            partner = self.create_partner(f"C{number}", f"c{number}@customer.example")
            self.create_user(f"privacy_c{number}", "base.group_portal", partner_id=partner.id)
        version = self.publish(self.policy, 14)
        self.patch(privacy_policy_notice, "BATCH_SIZE", 2)
        self.run_job()
        self.assertEqual(len(self.notices(version)), 14)

    @proves("P-50")
    def test_the_profile_says_which_changes_are_told(self):
        """P-50."""
        minor = self.publish(self.policy, 14, significance="minor")
        self.assertEqual(minor.notice_state, "none")
        self.profile.notice_minor = "all"
        told = self.publish(self.policy, 14, significance="minor")
        self.assertEqual(told.notice_state, "pending")
        self.assertEqual(self.first.notice_state, "none", "of the first version nobody is told")
        india = self.env.ref("isp_privacy.privacy_profile_in")
        self.assertEqual((india.notice_minor, india.notice_major), ("all", "all"))

    @proves("P-51")
    def test_seen_is_written_down_once_and_is_no_consent(self):
        """P-51."""
        version = self.publish(self.policy, 14)
        self.run_job()
        Version = self.env["privacy.policy.version"]
        self.assertEqual(Version._get_unacknowledged(self.karim), version)
        consents = self.ledger.search_count([])
        self.assertEqual(Version._acknowledge(self.karim).version_id, version)
        self.assertFalse(Version._acknowledge(self.karim))
        self.assertFalse(Version._get_unacknowledged(self.karim))
        self.assertEqual(Version._get_unacknowledged(self.rahim), version)
        self.assertEqual(self.ledger.search_count([]), consents)

    @proves("P-50")
    def test_a_purpose_stops_until_it_is_agreed_to_anew(self):
        """P-50."""
        self.decide()
        self.decide(partner=self.rahim)
        self.publish(self.policy, 14, reconsent_purpose_ids=self.marketing.ids)
        self.assertTrue(self.may_write_to(self.karim), "it is not in force yet")
        self.decide("withdrawn", partner=self.rahim)
        self.decide(partner=self.rahim)  # having read the new version
        with self.at(fields.Datetime.add(fields.Datetime.now(), days=15)):
            self.assertFalse(self.may_write_to(self.karim))
            self.assertTrue(self.may_write_to(self.rahim))
            self.assertTrue(self.decide(), "to say yes again is written down again")
            self.assertTrue(self.may_write_to(self.karim))

    def test_other_changes_leave_consents_as_they_are(self):
        self.decide()
        self.assertEqual(self.karim._privacy_consents(self.marketing).policy_version_id, self.first)
        self.publish(self.policy, 14)
        with self.at(fields.Datetime.add(fields.Datetime.now(), days=15)):
            self.assertTrue(self.may_write_to(self.karim))
