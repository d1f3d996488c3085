import psycopg2

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .request_common import PrivacyRequestCase

# Kind of data, then days at least and at most, as the two policies and laws have them.
BANGLADESH = {
    "network": (180, 365),
    "message": (0, 365),
    "pay_log": (0, 365),
    "tax_doc": (1826, 2557),
    "kyc": (0, 365),
    "audit": (365, 2557),
    "backup": (0, 30),
}
INDIA = {
    "network": (730, 1095),
    "message": (365, 1095),
    "pay_log": (365, 1095),
    "tax_doc": (2557, 2922),
    "kyc": (0, 365),
    "audit": (365, 2557),
    "backup": (0, 30),
}


@tagged("post_install", "-at_install")
class TestRetentionProfile(PrivacyRequestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bangladesh = cls.env.ref("isp_privacy.privacy_profile_bd")
        cls.india = cls.env.ref("isp_privacy.privacy_profile_in")

    def rule(self, kind, profile=None):
        return (profile or self.india)._get_rule(kind)

    # === THE PROFILES THAT SHIP === #

    def test_the_shipped_profiles_say_what_the_policies_say(self):
        for profile, numbers in ((self.bangladesh, BANGLADESH), (self.india, INDIA)):
            with self.subTest(profile.name):
                rules = {r.retention: (r.min_days, r.max_days) for r in profile.rule_ids}
                self.assertEqual(rules, numbers)
                self.assertIsNone(profile._get_problem())
                self.assertEqual((profile.min_age, profile.grace_hours), (18, 24))
                self.assertEqual((profile.recovery_days, profile.version), (30, 1))
        self.assertEqual(self.bangladesh.erase_deadline_days, 30)
        self.assertEqual(self.bangladesh.erase_deadline_from, "request")
        self.assertEqual(self.india.erase_deadline_days, 90)
        self.assertEqual(self.india.erase_deadline_from, "closure")

    def test_tax_documents_count_from_the_end_of_the_fiscal_year(self):
        for profile, expected in (
            (self.bangladesh, ("fiscal_year", 6, 0)),
            (self.india, ("fiscal_year", 3, 9)),
        ):
            rule = self.rule("tax_doc", profile)
            self.assertEqual((rule.anchor, rule.fiscal_month, rule.shift_months), expected)

    # === WHAT IS REFUSED === #

    @proves("P-29")
    def test_india_cannot_promise_twelve_months_of_network_logs(self):
        for vals in (
            {"max_days": 365, "max_months": 12},
            {"max_days": 0, "max_months": 12},
            {"max_days": 729, "max_months": 0},
        ):
            with self.subTest(vals=vals):
                with self.assertRaisesRegex(
                    ValidationError, "Network and session logs of profile India: the law asks"
                ):
                    self.rule("network").write(vals)

    def test_the_form_refuses_it_too(self):
        with self.assertRaisesRegex(ValidationError, "the law asks"):
            with Form(self.india.with_user(self.nasrin)) as form:
                with form.rule_ids.edit(0) as line:
                    self.assertEqual(line.retention, "network")
                    line.max_days = 365
        with Form(self.india.with_user(self.nasrin)) as form:
            with form.rule_ids.edit(0) as line:
                line.max_days = 1000
        self.assertEqual(self.rule("network").max_days, 1000)

    def test_the_least_may_equal_the_most(self):
        self.rule("network").write({"max_days": 731, "max_months": 0})
        with self.assertRaises(ValidationError):
            self.rule("network").max_days = 730  # 24 months can be a day more

    def test_an_erasure_is_not_called_off_after_its_deadline(self):
        self.bangladesh.recovery_days = 30
        with self.assertRaisesRegex(ValidationError, "called off for 31 days"):
            self.bangladesh.recovery_days = 31
        with self.assertRaisesRegex(ValidationError, "over after 29"):
            self.bangladesh.erase_deadline_days = 29

    @proves("P-48")
    def test_an_age_below_that_of_the_law_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "law of Bangladesh asks for an age of 18"):
            self.bangladesh.min_age = 16
        self.bangladesh.min_age = 21
        self.env.ref("base.in").privacy_min_age = 19
        with self.assertRaisesRegex(ValidationError, "for 18 only"):
            self.india.erase_deadline_days = 80

    @proves("P-29")
    def test_every_kind_of_data_has_an_end(self):
        with self.assertRaisesRegex(ValidationError, "how long these are kept: Payment logs"):
            self.rule("pay_log").unlink()
        with self.assertRaisesRegex(ValidationError, "Network and session logs, Messages"):
            self.bangladesh.copy({"name": "New", "rule_ids": []})
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.rule("audit", self.bangladesh).write({"max_days": 0, "max_months": 0})

    def test_backups_last_no_longer_than_the_erasure_unless_the_policy_says_so(self):
        backup = self.rule("backup", self.bangladesh)
        with self.assertRaisesRegex(ValidationError, "last 60 days, longer than the 30 days"):
            backup.max_days = 60
        self.bangladesh.backup_notice = "Backups are overwritten after 60 days."
        backup.max_days = 60
        with self.assertRaises(ValidationError):
            self.bangladesh.backup_notice = " "

    def test_numbers_that_mean_nothing_are_refused(self):
        for kind, vals in (
            ("network", {"anchor": "closure"}),
            ("tax_doc", {"fiscal_month": 0}),
            ("tax_doc", {"fiscal_month": 13}),
            ("audit", {"min_days": -1}),
            ("audit", {"max_days": 99999}),
        ):
            with self.subTest(kind=kind, vals=vals), self.assertRaises(psycopg2.IntegrityError):
                with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                    self.rule(kind).write(vals)
                    self.env.flush_all()
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.rule("audit").copy()

    # === VERSIONS === #

    def test_a_request_keeps_what_was_promised_when_it_came(self):
        request = self.create_request()
        self.assertEqual(request.terms["retention"]["network"]["max_days"], 365)
        self.assertEqual(request.terms["erase_deadline_days"], 30)
        version = self.bangladesh.version
        self.rule("network", self.bangladesh).write({"max_days": 300, "basis": "Policy, part 5"})
        self.assertEqual(self.bangladesh.version, version + 1)
        self.rule("network", self.bangladesh).basis = "Other words for the same"
        self.assertEqual(self.bangladesh.version, version + 1)
        self.bangladesh.erase_deadline_days = 60
        self.assertEqual(self.bangladesh.version, version + 2)
        self.assertEqual(request.terms["retention"]["network"]["max_days"], 365)
        self.assertEqual(request.profile_version, version)
        newer = self.create_request(partner=self.rahim)
        self.assertEqual(newer.terms["retention"]["network"]["max_days"], 300)
        self.assertEqual(newer.profile_version, version + 2)

    def test_a_copy_begins_anew(self):
        self.bangladesh.erase_deadline_days = 45
        copy = self.bangladesh.copy({"name": "Another"})
        self.assertEqual(copy.version, 1)
        self.assertEqual(len(copy.rule_ids), len(BANGLADESH))
        self.assertEqual(copy.erase_deadline_days, 45)

    def test_officers_keep_the_rules_and_auditors_read_them(self):
        self.rule("network").with_user(self.nasrin).max_days = 1000
        self.assertEqual(self.rule("network").with_user(self.auditor).max_days, 1000)
