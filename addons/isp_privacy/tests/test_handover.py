"""The business goes to a new owner: nothing is handed over before everybody was told in time."""

import csv
import hashlib
from contextlib import contextmanager
from datetime import timedelta

import psycopg2
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .consent_common import ConsentCase

ANNOUNCED = "2027-03-10 06:00:00"  # noon in Dhaka


class HandoverCase(ConsentCase):
    """Padma Net goes to Meghna Net: Nasrin enters and announces it, Farid decides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        clock = freeze_time(ANNOUNCED)
        clock.start()
        cls.addClassCleanup(clock.stop)
        cls.company.partner_id.tz = "Asia/Dhaka"
        cls.Notice = cls.env["privacy.handover.notice"]
        cls.create_user("privacy_karim", "base.group_portal", partner_id=cls.karim.id)

    @classmethod
    def enter(cls, **vals):
        return (
            cls.env["privacy.handover"]
            .with_user(cls.nasrin)
            .create(
                {
                    "name": "Meghna Net",
                    "contact": "info@meghna.example",
                    "country_id": cls.env.ref("base.bd").id,
                    "scope": "Contracts and bills",
                    "legal_basis": "Contract of sale of 1 March 2027",
                    "effective_date": "2027-04-09",
                    "company_id": cls.company.id,
                    **vals,
                }
            )
        )

    def announce(self, **vals):
        """Announce a hand-over of which everybody gets the mail."""
        handover = self.enter(**vals)
        handover.action_announce()
        self.run_job()
        self.send_mails(handover)
        return handover

    def run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.privacy_handover_cron_notify").method_direct_trigger()
        self.env.invalidate_all()

    def notices(self, handover, *people):
        domain = [("handover_id", "=", handover.id)]
        if people:
            domain.append(("partner_id", "in", [partner.id for partner in people]))
        return self.Notice.search(domain, order="id")

    def send_mails(self, handover, state="sent"):
        self.notices(handover).mail_id.state = state

    def decide_for(self, handover, user=None):
        return handover.with_user(user or self.farid).action_put_into_effect()

    @contextmanager
    def in_effect(self):
        """A hand-over on the day when it takes effect."""
        handover = self.announce()
        with self.at("2027-04-09 06:00:00"):
            self.decide_for(handover)
            yield handover

    def assertRefused(self, words, method, *args):
        with self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
            method(*args)


@tagged("post_install", "-at_install")
class TestHandover(HandoverCase):
    @proves("P-28")
    def test_each_customer_is_told_once_by_mail_and_once_in_the_portal(self):
        handover = self.enter()
        handover.action_announce()
        for _run in range(3):
            self.run_job()
        self.assertEqual(self.notices(handover, self.karim).mapped("channel"), ["mail", "portal"])
        self.assertEqual(self.notices(handover, self.rahim).mapped("channel"), ["mail"])
        for user in (self.nasrin, self.farid):
            self.assertFalse(self.notices(handover, user.partner_id), "staff is no customer")
        [mail] = self.notices(handover, self.karim).mail_id
        self.assertEqual(mail.recipient_ids, self.karim)
        for words in ("Meghna Net", "Bangladesh", "Contracts and bills", "info@meghna.example"):
            self.assertIn(words, mail.body_html)
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.Notice._tell(handover, "portal", self.karim)

    def test_the_mail_is_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.karim.lang = "bn_IN"
        handover = self.announce()
        [mail] = self.notices(handover, self.karim).mail_id
        self.assertIn("নতুন মালিক", mail.subject)

    @proves("P-28")
    def test_nothing_is_handed_over_before_everybody_is_told(self):
        handover = self.enter()
        handover.action_announce()
        with self.at("2027-05-09 06:00:00"):
            self.assertRefused("people are not told yet", self.decide_for, handover)
            self.assertRefused("not told yet", handover.action_download_list)
            self.run_job()
            self.assertRefused("not told yet", self.decide_for, handover)
            self.send_mails(handover, "exception")
            self.assertRefused("not told yet", self.decide_for, handover)
            self.assertEqual(handover.untold_count, handover.subject_count)
            self.send_mails(handover)
            self.env.invalidate_all()
            self.assertEqual(handover.untold_count, 0)
            # Told by these mails on 9 May, so there are thirty days from then.
            self.assertEqual(str(handover.earliest_date), "2027-06-08")
            self.assertRefused("before 2027-06-08", self.decide_for, handover)
        with self.at("2027-06-07 17:59:00"):
            self.assertRefused("before 2027-06-08", self.decide_for, handover)
        with self.at("2027-06-07 18:00:00"):  # the eighth has begun in Dhaka
            self.decide_for(handover)
        self.assertEqual((handover.state, handover.approved_by_id), ("effective", self.farid))

    @proves("P-28")
    def test_the_days_of_notice_are_over_on_the_day(self):
        handover = self.announce()
        self.assertEqual(str(handover.earliest_date), "2027-04-09")
        with self.at("2027-04-08 17:59:00"):
            self.assertRefused("before 2027-04-09", self.decide_for, handover)
            self.assertRefused("before 2027-04-09", handover.action_download_list)
        with self.at("2027-04-08 18:00:00"):
            self.assertRefused("before the hand-over is in effect", handover.action_download_list)
            self.decide_for(handover)
            self.assertIn("/list", handover.action_download_list()["url"])

    def test_the_days_are_those_of_the_profile_when_it_was_announced(self):
        self.assertRefused(
            "on 2027-04-09 at the earliest", self.enter(effective_date="2027-04-08").action_announce
        )
        self.profile.handover_notice_days = 60
        self.assertRefused("60 days before", self.enter().action_announce)
        self.profile.handover_notice_days = 10
        handover = self.announce(effective_date="2027-03-20")
        self.profile.handover_notice_days = 60
        with self.at("2027-03-20 06:00:00"):
            self.decide_for(handover)

    def test_who_comes_later_is_told_too(self):
        handover = self.announce()
        late = self.create_partner("Late", "late@customer.example")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = '2027-04-01' WHERE id = %s", [late.id]
        )
        with self.at("2027-04-08 19:00:00"):
            self.assertRefused("1 people are not told", self.decide_for, handover)
            self.run_job()
            self.send_mails(handover)
            self.decide_for(handover)

    def test_a_mail_that_went_out_counts_when_it_is_deleted(self):
        handover = self.announce()
        self.run_job()
        self.notices(handover).mail_id.unlink()
        self.env.invalidate_all()
        self.assertEqual(handover.untold_count, 0)

    def test_who_has_no_mail_is_told_by_letter_or_in_the_portal(self):
        self.karim.email = self.rahim.email = False
        handover = self.announce()
        self.assertEqual(handover._get_untold(handover._get_subjects()), self.karim | self.rahim)
        self.Notice.with_user(self.karim.user_ids)._note_seen(self.karim)
        self.assertFalse(self.Notice._get_unseen(self.karim))
        letters = self.env["privacy.handover.letter"].with_user(self.nasrin)
        with Form(letters.with_context(default_handover_id=handover.id)) as form:
            self.assertEqual(form.partner_ids[:], self.rahim)
            form.told_on = "2027-03-09"
        self.assertRefused("from the announcement on", form.record.action_note)
        form.record.told_on = "2027-03-11"
        self.assertRefused("not in the future", form.record.action_note)
        with self.at("2027-03-12 06:00:00"):
            form.record.action_note()
            self.env.invalidate_all()
            self.assertEqual(handover.untold_count, 0)
            self.assertEqual(str(handover.earliest_date), "2027-04-10")

    @proves("P-28")
    def test_another_officer_decides(self):
        handover = self.enter()
        handover.with_user(self.farid).action_announce()
        self.run_job()
        self.send_mails(handover)
        third = self.create_user("privacy_third", "isp_privacy.group_privacy_officer")
        with self.at("2027-04-09 06:00:00"):
            for user in (self.nasrin, self.farid):
                self.assertRefused("another privacy officer", self.decide_for, handover, user)
            with self.assertRaises(AccessError):
                self.decide_for(handover, self.auditor)
            self.decide_for(handover, third)
        with self.assertRaisesRegex(AccessError, "set by the buttons"):
            handover.with_user(self.nasrin).write({"state": "draft"})
        with self.assertRaises(psycopg2.errors.CheckViolation), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                handover.sudo().approved_by_id = self.nasrin
                self.env.flush_all()

    def test_what_customers_were_told_stays(self):
        handover = self.announce()
        self.assertRefused("told of this hand-over as it is", handover.write, {"scope": "All"})
        self.assertRefused("stays in the register", handover.unlink)
        self.assertRefused("why the hand-over is cancelled", handover.action_cancel)
        handover.cancel_reason = "Not sold"
        handover.action_cancel()
        self.assertFalse(self.Notice._get_unseen(self.karim))
        for method in (handover.action_announce, handover.action_cancel):
            self.assertRefused("cannot be done", method)
        self.enter().unlink()

    @proves("P-28")
    def test_who_objected_or_is_to_be_erased_is_apart(self):
        people = {
            kind: self.create_partner(kind, f"{kind}@customer.example")
            for kind in ("objection", "erasure", "rejected", "restricted")
        }
        for kind, request_type in (
            ("objection", "objection_interest"),
            ("erasure", "erasure"),
            ("rejected", "objection_interest"),
        ):
            request = self.create_request(request_type, people[kind])
            if kind == "rejected":
                request.sudo()._move_to("withdrawn", "Withdrawn")
        people["restricted"]._privacy_set_restricted(True)
        apart = people["objection"] | people["erasure"] | people["restricted"]
        with self.in_effect() as handover:
            self.assertEqual(handover._get_apart(handover._get_subjects()), apart)
            self.assertEqual(handover.apart_count, 3)
            rows = list(csv.reader(handover._hand_over_list().decode().splitlines()))
        names = {row[1] for row in rows[1:]}
        self.assertLessEqual({"Karim Uddin", "Rahim Ali", "rejected"}, names)
        self.assertFalse({"objection", "erasure", "restricted"} & names)

    @proves("P-28")
    def test_the_list_is_a_disclosure_and_in_the_audit_chain(self):
        self.karim.name = "=HYPERLINK(1)"
        with self.in_effect() as handover:
            content = handover._hand_over_list()
        self.assertIn(b"'=HYPERLINK(1)", content)
        disclosure = handover.disclosure_ids
        self.assertEqual(disclosure.sha256, hashlib.sha256(content).hexdigest())
        self.assertEqual(
            (disclosure.authority, disclosure.state, disclosure.entered_by_id),
            ("Meghna Net", "done", self.nasrin),
        )
        self.assertEqual(disclosure.approved_by_id, self.farid)
        self.assertEqual(disclosure.handed_over_by_id, self.nasrin)
        with self.at("2027-04-10 06:00:00"):
            handover._hand_over_list()
        self.assertEqual(len(handover.disclosure_ids), 2, "each time is one of its own")
        rows = (
            self.env["privacy.audit"]
            .sudo()
            .search([("model", "=", handover._name), ("res_id", "=", handover.id)])
        )
        self.assertLessEqual({"create", "write", "notice", "hand_over"}, set(rows.mapped("action")))

    def test_customers_after_the_effect_are_the_new_owners(self):
        with self.in_effect() as handover:
            pass
        new = self.create_partner("New", "new@customer.example")
        self.env.flush_all()
        later = fields.Datetime.to_string(handover.effective_at + timedelta(seconds=1))
        self.env.cr.execute(
            "UPDATE res_partner SET create_date = %s WHERE id = %s", [later, new.id]
        )
        self.env.invalidate_all()
        self.assertNotIn(new, handover._get_subjects())

    def test_other_companies_and_erased_people_are_not_told(self):
        other = self.env["res.company"].create({"name": "Ganga Net"})
        foreign = self.create_partner("F", "f@customer.example", company_id=other.id)
        address = self.create_partner(
            "A", "a@customer.example", parent_id=self.karim.id, type="other"
        )
        erased = self.create_partner("E", "e@customer.example")
        self.env["privacy.erasure"].create(
            {
                "request_id": self.create_request("erasure", erased).id,
                "partner_id": erased.id,
                "company_id": self.company.id,
                "pseudonym": "x",
                "state": "done",
                "started_at": fields.Datetime.now(),
            }
        )
        people = self.enter()._get_subjects()
        self.assertFalse(people & (foreign | address | erased | self.company.partner_id))
        self.assertIn(self.karim, people)


@tagged("post_install", "-at_install")
class TestHandoverPages(HandoverCase, HttpCase):
    @proves("P-28")
    def test_the_banner_and_the_download(self):
        handover = self.announce()
        self.authenticate("privacy_karim", "privacy_karim-password")
        page = self.url_open("/my").text
        self.assertIn("handover_banner", page)
        self.assertIn("Meghna Net", page)
        self.assertEqual(self.url_open(f"/privacy/handovers/{handover.id}/list").status_code, 404)
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        self.url_open("/my/privacy/handover/seen", data={"csrf_token": token, "back": "//evil"})
        self.assertNotIn("handover_banner", self.url_open("/my").text)
        with self.at("2027-04-09 06:00:00"):
            self.decide_for(handover)
            self.authenticate("privacy_nasrin", "privacy_nasrin-password")
            answer = self.url_open(f"/privacy/handovers/{handover.id}/list")
        self.assertEqual(answer.status_code, 200)
        self.assertIn("karim@customer.example", answer.text)
        self.assertEqual(len(handover.disclosure_ids), 1)
