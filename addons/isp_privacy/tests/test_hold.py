import psycopg2
from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .register_common import NOW, RegisterCase


@tagged("post_install", "-at_install")
class TestHold(RegisterCase):
    def hold(self, **vals):
        if vals.get("scope", "subject") == "subject":
            vals.setdefault("partner_id", self.customer.id)
        return self.as_user(self.officer, "privacy.hold").create(
            {"reference": "Case 5", "authority": "Court", "date_from": "2027-03-01", **vals}
        )

    def test_an_officer_enters_and_closes_one(self):
        with Form(self.as_user(self.officer, "privacy.hold")) as form:
            form.reference = "Case 5"
            form.authority = "Court"
            form.partner_id = self.customer
        hold = form.record
        self.assertEqual(hold.state, "open")
        with self.assertRaisesRegex(UserError, "Enter why"):
            hold.action_close()
        hold.close_reason = "Judgment of 9 March"
        hold.action_close()
        self.assertEqual(
            (hold.state, hold.closed_by_id, str(hold.closed_at)), ("closed", self.officer, NOW)
        )
        with self.assertRaisesRegex(UserError, "was closed"):
            hold.date_to = "2028-01-01"
        with self.assertRaisesRegex(UserError, "closed before"):
            hold.action_close()

    def test_it_is_closed_by_a_person_for_a_reason_only(self):
        hold = self.hold()
        for vals in ({"closed_at": NOW}, {"closed_by_id": self.second_officer.id}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                hold.write(vals)
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                hold.sudo().closed_at = NOW

    def test_nobody_deletes_one(self):
        with self.assertRaises(AccessError):
            self.hold().unlink()

    def test_in_force_from_its_first_to_its_last_day(self):
        hold = self.hold(date_to="2027-03-31")
        for moment, expected in (
            ("2027-02-28 17:59:59", "coming"),
            ("2027-02-28 18:00:00", "open"),
            ("2027-03-31 17:59:59", "open"),
            ("2027-03-31 18:00:00", "ended"),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                self.env.invalidate_all()
                self.assertEqual(hold.state, expected)
                found = self.env["privacy.hold"]._find_for_subject(self.company, self.customer)
                self.assertEqual(bool(found), expected == "open")

    def test_a_person_is_held_with_the_whole_family(self):
        firm = self.env["res.partner"].create({"name": "Mill Ltd", "is_company": True})
        clerk = self.env["res.partner"].create({"name": "Clerk", "parent_id": firm.id})
        find = self.env["privacy.hold"]._find_for_subject
        hold = self.hold(partner_id=firm.id)
        self.assertEqual(find(self.company, clerk), hold)
        self.assertEqual(find(self.company, firm), hold)
        self.assertFalse(find(self.company, self.customer))
        self.assertFalse(find(self.other_company, firm))
        hold.partner_id = clerk
        self.assertEqual(find(self.company, firm), hold)

    def test_documents_of_a_kind_and_a_time(self):
        hold = self.hold(
            scope="documents",
            document_model="res.partner.bank",
            range_from="2027-01-01 00:00:00",
            range_to="2027-01-31 23:59:59",
        )
        held = self.env["privacy.hold"]._find_for_documents
        for model, begin, end, expected in (
            ("res.partner.bank", "2027-01-31 23:59:59", "2027-02-28 00:00:00", hold),
            ("res.partner.bank", "2026-12-01 00:00:00", "2027-01-01 00:00:00", hold),
            ("res.partner.bank", "2027-02-01 00:00:00", "2027-02-28 00:00:00", hold.browse()),
            ("res.partner.bank", None, None, hold),
            ("res.country", "2027-01-10 00:00:00", "2027-01-11 00:00:00", hold.browse()),
        ):
            with self.subTest(model=model, begin=begin):
                self.assertEqual(held(self.company, model, begin=begin, end=end), expected)

    def test_sessions_of_a_time_or_a_person(self):
        find = self.env["privacy.hold"]._find_for_sessions
        span = self.hold(scope="sessions", range_from="2027-01-01 00:00:00")
        self.assertEqual(find(self.company, begin="2027-02-01 00:00:00"), span)
        self.assertFalse(find(self.company, end="2026-12-31 23:59:59"))
        person = self.hold(scope="sessions", partner_id=self.customer.id, range_from=False)
        self.assertEqual(find(self.company, end="2026-12-31 23:59:59"), person, "could be theirs")
        other = self.company.partner_id
        self.assertFalse(find(self.company, partner=other, end="2026-12-31 23:59:59"))
        subject = self.hold()
        found = find(self.company, partner=self.customer, end="2026-12-31 23:59:59")
        self.assertEqual(found, person | subject)

    def test_a_hold_that_holds_nothing_is_refused(self):
        for vals in (
            {"scope": "subject", "partner_id": False},
            {"scope": "documents"},
            {"scope": "sessions"},
            {"date_to": "2027-02-28"},
            {
                "scope": "sessions",
                "range_from": "2027-02-01 00:00:00",
                "range_to": "2027-01-01 00:00:00",
            },
        ):
            with self.subTest(vals=vals), self.assertRaises(psycopg2.IntegrityError):
                with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                    self.hold(**vals)
