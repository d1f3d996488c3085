from datetime import date

from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from odoo.addons.isp_base.tests.promises import proves

from .consent_common import ConsentCase


@tagged("post_install", "-at_install")
class TestAge(ConsentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ages = cls.env["privacy.age"]

    def note(self, kind="minor", method="document", partner=None, birth_date=None, **vals):
        return self.ages._note(kind, method, partner or self.karim, birth_date, **vals)

    @proves("P-48")
    def test_the_higher_age_holds(self):
        """P-48: effective age = max(profile, country)."""
        bd = self.env.ref("base.bd")
        for profile, country, expected in ((16, 18, 18), (21, 18, 21), (16, 0, 16)):
            with self.subTest(profile=profile, country=country):
                # The law became stricter after the policy was written.
                bd.privacy_min_age = 0
                self.profile.min_age = profile
                bd.privacy_min_age = country
                self.assertEqual(self.karim._privacy_min_age(), expected)

    @proves("P-48")
    def test_the_day_before_and_the_birthday(self):
        """P-48."""
        cases = [
            (date(2009, 3, 10), "2027-03-09", True),
            (date(2009, 3, 10), "2027-03-10", False),
            (date(2008, 2, 29), "2026-02-28", True),
            (date(2008, 2, 29), "2026-03-01", False),
            (date(2012, 2, 29), "2030-02-28", True),
        ]
        for birth_date, today, is_minor in cases:
            with self.subTest(birth_date=birth_date, today=today), self.at(f"{today} 06:00:00"):
                row = self.note(birth_date=birth_date)
                self.assertEqual(row.kind, "minor" if is_minor else "adult")
                self.assertEqual(bool(self.karim._privacy_minors()), is_minor)

    def test_the_protection_ends_on_the_birthday(self):
        with self.at("2027-03-09 06:00:00"):
            self.note(birth_date=date(2009, 3, 10))
            self.assertTrue(self.karim._privacy_minors())
            self.assertFalse(self.karim._privacy_adults())
        with self.at("2027-03-09 18:30:00"):  # it is the next day in Dhaka
            self.assertFalse(self.karim._privacy_minors())
            self.assertTrue(self.karim._privacy_adults())

    @proves("P-48")
    def test_a_minor_is_protected_at_once(self):
        """P-48: immediate restriction, and officers decide what follows."""
        self.decide()
        self.note(method="support", evidence="Told us on the phone")
        self.assertFalse(self.may_write_to(self.karim))
        self.assertFalse(self.may_write_to(self.karim, self.recommendations, "none"))
        self.assertTrue(self.may_write_to(self.karim, self.service))
        with self.assertRaisesRegex(UserError, "minors"):
            self.decide()
        request = self.env["privacy.request"].search(
            [("partner_id", "=", self.karim.id), ("request_type", "=", "restriction_set")]
        )
        self.assertEqual((request.state, request.company_id), ("received", self.company))
        self.assertIn("minor", request.words)

    @proves("P-48")
    def test_a_guardian_agrees_in_a_row_of_its_own(self):
        self.note()
        with self.assertRaisesRegex(UserError, "guardian"):
            self.note("guardian_given", "call")
        row = self.note("guardian_given", "signature", guardian_id=self.rahim.id, evidence="Form 9")
        self.assertEqual((row.partner_id, row.guardian_id), (self.karim, self.rahim))
        self.assertTrue(self.karim._privacy_guardian_agreed())
        self.assertFalse(self.may_write_to(self.karim), "no marketing to minors all the same")
        self.note("guardian_withdrawn", "call", guardian_id=self.rahim.id)
        self.assertFalse(self.karim._privacy_guardian_agreed())

    def test_no_date_of_birth_is_kept(self):
        self.note(birth_date=date(1990, 7, 21))
        wizard = self.env["privacy.age.note"].create(
            {"partner_id": self.rahim.id, "kind": "adult", "birth_date": "1990-07-21"}
        )
        wizard.action_apply()
        self.env.flush_all()
        for table in ("privacy_age", "privacy_age_note"):
            self.env.cr.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            self.assertNotIn("07-21", self.env.cr.fetchone()[0])
        self.assertTrue(self.rahim._privacy_adults())

    def test_rows_are_proof(self):
        row = self.note("adult", "declared")
        with self.assertRaisesRegex(UserError, "never changed"):
            row.write({"kind": "minor"})
        row.write({"evidence": False, "adult_on": False})
        with self.assertRaises(AccessError):
            self.ages.with_user(self.nasrin).create({"partner_id": self.karim.id})
        with self.assertRaises(AccessError):
            self.env["privacy.age.note"].with_user(self.auditor).create({})
        wizard = self.env["privacy.age.note"].with_user(self.nasrin)
        wizard.create({"partner_id": self.rahim.id, "kind": "adult"}).action_apply()
        self.assertEqual(self.rahim._privacy_last_ages(["adult"]).actor_id, self.nasrin.id)


@tagged("post_install", "-at_install")
class TestAgePages(ConsentCase, HttpCase):
    @proves("P-48")
    def test_the_age_is_asked_before_anybody_can_agree(self):
        self.profile.age_gate = True
        self.create_user("privacy_karim", "base.group_portal", partner_id=self.karim.id)
        self.authenticate("privacy_karim", "privacy_karim-password")

        def page():
            return html.fromstring(self.url_open("/my/privacy/consents").content)

        tree = page()
        form = tree.xpath("//form[.//input[@value='marketing']]")[0]
        response = self.url_open(form.get("action"), data=dict(form.form_values()))
        self.assertIn("at least 18 years", response.text)
        self.assertFalse(self.may_write_to(self.karim))
        [gate] = tree.xpath("//form[@name='age']")
        self.assertIn("18", gate.text_content())
        self.url_open(gate.get("action"), data=dict(gate.form_values()))
        row = self.env["privacy.age"].search([("partner_id", "=", self.karim.id)])
        self.assertEqual((row.kind, row.method), ("adult", "declared"))
        self.assertTrue(row.ip)
        self.assertFalse(page().xpath("//form[@name='age']"))
        self.url_open(form.get("action"), data=dict(form.form_values()))
        self.assertTrue(self.may_write_to(self.karim))
