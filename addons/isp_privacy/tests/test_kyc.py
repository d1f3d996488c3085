"""Identity documents: captured, checked, approved by a second person."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .kyc_common import NID, KycCase, as_upload, picture


@tagged("post_install", "-at_install")
class TestKycNumber(KycCase):
    def test_numbers_of_bangladesh(self):
        for number in ("1234567890", "1234567890123", "12345678901234567", "১২৩৪ ৫৬৭৮ ৯০"):
            with self.subTest(number=number):
                kyc = self.capture(number=number, partner=self.create_partner("N", "n@x.example"))
                self.assertTrue(kyc.number.isascii())
        for number, words in (
            ("123456789", "has 9 characters, and must have 10 or 13 or 17"),
            ("123456789012", "has 12 characters"),
            ("12345678AB", "digits only"),
        ):
            with self.subTest(number=number), self.assertRefused(ValidationError, words):
                self.capture(number=number, partner=self.rahim)

    def test_numbers_of_other_documents_and_countries(self):
        self.company.country_id = self.env.ref("base.in")
        with self.assertRefused(ValidationError, "must have 12"):
            self.capture()
        self.capture(number="1234 5678 9012")
        self.capture(number="ab 1234567", kind="passport", partner=self.rahim)
        with self.assertRefused(ValidationError, "letters and digits only"):
            self.capture(number="AB*1234567", kind="passport")
        firm = self.capture(number="TRAD/DNCC/012 345", kind="business", partner=self.karim)
        self.assertEqual(firm.number, "TRAD/DNCC/012 345")

    def test_the_same_number_is_shown_whoever_has_it(self):
        first = self.capture(number="1234567890123")
        self.assertFalse(first.duplicate_ids)
        # The same number with the year of birth, in Bangla, with a dash.
        second = self.capture(number="১৯৯০ ১২৩৪-৫৬৭৮৯০১২৩", partner=self.rahim)
        self.assertEqual(second.duplicate_ids, first)
        self.env.invalidate_all()
        self.assertEqual(first.duplicate_ids, second)
        other = self.capture(
            number="9234567890123", partner=self.create_partner("C", "c@c.example")
        )
        self.assertFalse(other.duplicate_ids)

    def test_a_number_of_another_company_is_not_shown(self):
        self.capture()
        other = self.env["res.company"].create(
            {"name": "Ganga Net", "country_id": self.env.ref("base.bd").id}
        )
        user = self.create_user("kyc_other", "isp_privacy.group_kyc_officer", company=other)
        theirs = self.capture(user=user, partner=self.rahim, company_id=other.id)
        self.assertFalse(theirs.duplicate_ids)

    def test_it_is_found_by_the_whole_number(self):
        kyc = self.capture()
        documents = self.env["privacy.kyc"].with_user(self.amina)
        self.assertEqual(documents.search([("number", "=", f"{NID[:4]} {NID[4:]}")]), kyc)
        with self.assertRefused(UserError, "whole value"):
            documents.search([("number", "ilike", NID[:5])])

    @proves("P-03")
    def test_a_look_at_the_number_is_one_row_of_the_audit_chain(self):
        kyc = self.capture().with_user(self.bashir)
        self.assertFalse(self.audit_of(kyc, "reveal"))
        self.assertEqual(kyc.action_reveal("number")["params"]["message"], NID)
        row = self.audit_of(kyc, "reveal")
        self.assertEqual(len(row), 1)
        self.assertEqual(row.actor_id, self.bashir.id)
        self.assertEqual(list(row.changes), ["number"])
        self.assertEqual(row.subject, self.env["privacy.audit"]._pseudonym(self.karim))
        kyc.action_reveal("number")
        self.assertEqual(len(self.audit_of(kyc, "reveal")), 2)

    @proves("P-03")
    def test_no_other_way_shows_the_number(self):
        kyc = self.capture().with_user(self.bashir)
        self.env.invalidate_all()
        mask = "••••••••" + NID[-4:]
        seen = [
            kyc.read(["number"])[0]["number"],
            kyc.web_read({"number": {}})[0]["number"],
            kyc.number_last4,
        ]
        self.assertEqual(seen, [mask] * 3)
        spec = {"number": {}, "partner_id": {}, "number_last4": {}, "duplicate_ids": {}}
        for values in ({}, {"partner_id": self.rahim.id}, {"number_last4": mask}):
            changed = kyc.onchange(dict(values), list(values), spec)
            self.assertNotIn(NID, str(changed))
        self.assertNotIn(NID, str(kyc.display_name))
        self.assertFalse(self.audit_of(kyc, "reveal"))

    def test_a_short_number_shows_its_last_four(self):
        self.assertEqual(self.capture(number="1234567890").number_last4, "••••••••7890")

    @mute_logger("odoo.addons.isp_base.encryption")
    def test_a_document_can_be_opened_when_its_number_cannot_be_read(self):
        kyc = self.capture().with_user(self.bashir)
        self.use_keys("k2")
        self.assertIn("unreadable", kyc.read(["number"])[0]["number"])
        self.assertFalse(kyc.duplicate_ids)


@tagged("post_install", "-at_install")
class TestKycEyes(KycCase):
    """Who captured or checked it never approves it."""

    @proves("P-03")
    def test_a_second_person_approves(self):
        kyc = self.capture()
        kyc.action_submit()
        kyc.action_check()
        self.assertFalse(kyc.can_approve)
        with self.assertRefused(AccessError, "You captured this document"):
            kyc.action_approve()
        kyc.with_user(self.bashir).action_approve()
        self.assertEqual((kyc.state, kyc.decided_by_id), ("approved", self.bashir))

    def test_who_checked_it_does_not_approve_it(self):
        kyc = self.capture()
        kyc.action_submit()
        kyc.with_user(self.bashir).action_check()
        with self.assertRefused(AccessError, "You checked this document"):
            kyc.with_user(self.bashir).action_approve()
        kyc.with_user(self.chitra).action_approve()

    def test_whoever_changed_number_or_picture_has_captured_it(self):
        kyc = self.capture()
        kyc.with_user(self.bashir).number = "1234567890"
        self.Document.with_user(self.chitra).create(
            {"kyc_id": kyc.id, "side": "document", "upload": as_upload(picture())}
        )
        self.assertEqual(kyc.captured_by_ids, self.amina | self.bashir | self.chitra)
        kyc.action_submit()
        kyc.action_check()
        for user in (self.amina, self.bashir, self.chitra):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                kyc.with_user(user).action_approve()

    def test_a_replaced_picture_is_captured_too(self):
        kyc = self.capture()
        kyc.document_ids[0].with_user(self.bashir).upload = as_upload(picture(colour="white"))
        self.assertIn(self.bashir, kyc.captured_by_ids)

    def test_nobody_decides_about_the_own_document(self):
        kyc = self.capture(partner=self.bashir.partner_id)
        kyc.action_submit()
        for decide in ("action_check", "action_reject"):
            with self.assertRefused(AccessError, "your own document"):
                getattr(kyc.with_user(self.bashir), decide)()
        kyc.action_check()
        with self.assertRefused(AccessError, "your own document"):
            kyc.with_user(self.bashir).action_approve()

    def test_who_decided_cannot_be_entered(self):
        kyc = self.capture()
        for vals in (
            {"state": "approved"},
            {"captured_by_ids": [(5,)]},
            {"checked_by_id": self.chitra.id},
            {"decided_by_id": self.chitra.id},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                kyc.with_user(self.bashir).write(vals)
        with self.assertRaises(AccessError):
            self.capture(partner=self.rahim, state="approved")

    def test_each_step_is_in_the_audit_chain(self):
        kyc = self.approve()
        actors = self.audit_of(kyc, "write").filtered(lambda r: "state" in (r.changes or {}))
        self.assertEqual(
            actors.sorted("id").mapped("actor_id"), [self.amina.id] * 2 + [self.bashir.id]
        )


@tagged("post_install", "-at_install")
class TestKycWay(KycCase):
    def test_it_is_submitted_whole(self):
        kyc = self.capture(sides=("front",))
        with self.assertRefused(UserError, "add what is missing: Back"):
            kyc.action_submit()
        kyc = self.capture(partner=self.rahim, number=False)
        with self.assertRefused(UserError, "Type the number"):
            kyc.action_submit()
        passport = self.capture(kind="passport", number="AB1234567", sides=("front",))
        passport.action_submit()

    def test_what_is_submitted_is_not_changed(self):
        kyc = self.capture()
        kyc.action_submit()
        picture_row = kyc.document_ids[0]
        for change in (
            lambda: kyc.write({"number": "1234567890"}),
            lambda: kyc.write({"partner_id": self.rahim.id}),
            lambda: picture_row.write({"upload": as_upload(picture())}),
            lambda: picture_row.unlink(),
            lambda: self.Document.with_user(self.amina).create({"kyc_id": kyc.id}),
        ):
            with self.assertRefused(UserError, "Only a draft"):
                change()

    def test_a_correction_is_looked_at_again(self):
        kyc = self.capture()
        kyc.action_submit()
        kyc.action_check()
        kyc.action_reset()
        self.assertEqual((kyc.state, kyc.checked_by_id.id), ("draft", False))
        kyc.action_submit()
        with self.assertRefused(UserError, "cannot become"):
            kyc.with_user(self.bashir).action_approve()

    def test_a_rejection_needs_its_reason(self):
        kyc = self.capture()
        kyc.action_submit()
        with self.assertRefused(UserError, "Enter the reason"):
            kyc.with_user(self.bashir).action_reject()
        kyc.with_user(self.bashir).rejection_reason = "The back is blurred."
        kyc.with_user(self.bashir).action_reject()
        self.assertEqual(kyc.state, "rejected")
        self.assertEqual(self.karim._privacy_kyc_state(self.company), "rejected")

    def test_a_forged_one_is_rejected_later(self):
        kyc = self.approve()
        kyc.with_user(self.chitra).rejection_reason = "Forged."
        kyc.with_user(self.chitra).action_reject()
        self.assertEqual(kyc.state, "rejected")

    def test_it_expires_after_its_last_day(self):
        with self.at("2027-03-10 06:00:00"):
            kyc = self.approve(self.capture(valid_until="2027-03-12"))
        # The days are those of Dhaka.
        with self.at("2027-03-12 17:59:00"):
            self.env["privacy.kyc"]._cron_daily()
            self.assertEqual(kyc.state, "approved")
        with self.at("2027-03-12 18:01:00"):
            self.assertEqual(self.karim._privacy_kyc_state(self.company), "expired")
            self.env["privacy.kyc"]._cron_daily()
            self.assertEqual(kyc.state, "expired")

    def test_an_outdated_document_is_not_approved(self):
        kyc = self.capture(valid_until="2020-01-01")
        kyc.action_submit()
        kyc.action_check()
        with self.assertRefused(UserError, "Ask for a new one"):
            kyc.with_user(self.bashir).action_approve()

    def test_the_real_scheduled_action_runs(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.privacy_kyc_cron").method_direct_trigger()

    def test_one_of_a_kind_is_looked_at_at_a_time(self):
        self.capture()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(Exception),  # noqa: B017 - the database's own refusal
            self.env.cr.savepoint(),
        ):
            self.capture()

    def test_a_document_is_not_copied(self):
        with self.assertRefused(UserError, "cannot be copied"):
            self.capture().copy()

    def test_what_counts_for_a_contact(self):
        self.assertEqual(self.karim._privacy_kyc_state(self.company), "none")
        self.assertIn("no identity document", self.karim._privacy_kyc_problem(self.company))
        kyc = self.capture()
        self.assertEqual(self.karim._privacy_kyc_state(self.company), "draft")
        self.approve(kyc)
        self.assertIsNone(self.karim._privacy_kyc_problem(self.company))
        # A second document that is not through takes nothing away.
        self.capture(kind="passport", number="AB1234567", sides=("front",))
        self.assertEqual(self.karim._privacy_kyc_state(self.company), "approved")
        other = self.env["res.company"].create({"name": "Ganga Net"})
        self.assertEqual(self.karim._privacy_kyc_state(other), "none")

    def test_the_firm_answers_for_its_contacts(self):
        firm = self.create_partner("Firm", "firm@x.example", is_company=True)
        contact = self.create_partner("Contact", "contact@x.example", parent_id=firm.id)
        kyc = self.capture(partner=firm, kind="business", number="TRAD/1234", sides=("document",))
        self.approve(kyc)
        self.assertEqual(contact._privacy_kyc_state(self.company), "approved")


@tagged("post_install", "-at_install")
class TestKycAccess(KycCase):
    @proves("P-03")
    def test_others_are_refused(self):
        kyc = self.capture()
        for user in (self.support, self.manager, self.nasrin, self.auditor):
            for model, record in (("privacy.kyc", kyc), ("privacy.kyc.document", kyc.document_ids)):
                with self.subTest(user=user.login, model=model):
                    as_user = self.env[model].with_user(user)
                    for forbidden in (
                        lambda m=as_user: m.search([]),
                        lambda m=as_user, r=record: m.browse(r.ids).read(["state"]),
                        lambda m=as_user, r=record: m.browse(r.ids).write({}),
                        lambda m=as_user: m.create({}),
                        lambda m=as_user, r=record: m.browse(r.ids).unlink(),
                    ):
                        with self.assertRaises(AccessError):
                            forbidden()
            with self.assertRaises(AccessError):
                kyc.with_user(user).action_reveal("number")
            with self.assertRaises(AccessError):
                kyc.document_ids[0].with_user(user)._open_logged()
            with self.assertRaises(AccessError):
                kyc.with_user(user).action_submit()

    def test_support_sees_the_state_and_no_more(self):
        self.approve()
        karim = self.karim.with_user(self.support)
        self.assertEqual(karim.privacy_kyc_state, "approved")
        with self.assertRaises(AccessError):
            karim.read(["privacy_kyc_ids"])
        arch = karim.get_view(view_type="form")["arch"]
        self.assertIn("privacy_kyc_state", arch)
        self.assertNotIn("action_privacy_kyc", arch)
        plain = self.create_user("kyc_plain", "base.group_user")
        with self.assertRaises(AccessError):
            self.karim.with_user(plain).read(["privacy_kyc_state"])

    def test_officers_of_another_company_are_refused(self):
        other = self.env["res.company"].create({"name": "Ganga Net"})
        user = self.create_user("kyc_far", "isp_privacy.group_kyc_officer", company=other)
        kyc = self.capture()
        there = self.env(user=user, context={"allowed_company_ids": other.ids})
        for model, record in (("privacy.kyc", kyc), ("privacy.kyc.document", kyc.document_ids)):
            self.assertFalse(there[model].search([("id", "in", record.ids)]))
            with self.assertRaises(AccessError):
                there[model].browse(record.ids).read(["state"])
        with self.assertRaises(AccessError):
            there["privacy.kyc"].browse(kyc.id).action_reveal("number")

    def test_an_officer_deletes_no_document(self):
        with self.assertRaises(AccessError):
            self.capture().unlink()

    def test_the_screens_open(self):
        kyc = self.capture()
        for view_type in ("list", "form", "search"):
            self.assertTrue(kyc.get_view(view_type=view_type)["arch"])
        with Form(kyc) as form:
            form.valid_until = "2030-01-01"
        self.assertEqual(kyc.number, NID)
        action = self.karim.with_user(self.bashir).action_privacy_kyc()
        self.assertEqual(self.env["privacy.kyc"].search(action["domain"]), kyc)
        form = Form(self.karim.with_user(self.bashir))
        self.assertEqual(form.privacy_kyc_state, "draft")

    def test_a_form_captures(self):
        form = Form(self.env["privacy.kyc"].with_user(self.amina))
        form.partner_id = self.rahim
        form.number = "1234567890"
        with form.document_ids.new() as line:
            line.side = "front"
            line.upload = as_upload(picture())
        kyc = form.save()
        self.assertEqual(kyc.number, "1234567890")
        self.assertTrue(kyc.document_ids.size_bytes)
        self.assertFalse(kyc.document_ids.upload)
