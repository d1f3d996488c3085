import os
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import MailDeliveryException
from odoo.addons.isp_base.tests.promises import proves

from .erasure_common import END, ErasureCase

WORK_LOGGER = "odoo.addons.isp_privacy.models.privacy_erasure_work"


@tagged("post_install", "-at_install")
class TestErasure(ErasureCase):
    """P-33, P-37: who asks for it is erased, and nobody else."""

    @proves("P-37")
    def test_nothing_of_the_person_is_left(self):
        """P-37."""
        karim = self.karim
        karim.message_post(body="Karim Ranvikson called from 01799-887701")
        karim.message_subscribe(karim.ids)
        file = self.attach(karim, b"Contract of Karim Ranvikson")
        path = self.file_of(file)
        file._gc_file_store_unsafe()  # a new file is on the list of the collector for a day
        self.env["res.partner.bank"].create({"partner_id": karim.id, "acc_number": "1055443322"})
        address = self.create_partner(
            "Flat of Karim", "flat@customer.example", parent_id=karim.id, type="delivery"
        )
        run = self.erase()
        pseudonym = self.env["privacy.audit"]._pseudonym(karim)
        self.assertEqual(karim.name, f"Subscriber {pseudonym}")
        self.assertEqual(address.name, f"Subscriber {pseudonym}")
        for name in ("email", "phone", "street", "comment", "vat", "image_1920"):
            self.assertFalse(karim[name], name)
        self.assertFalse(file.exists())
        self.assertFalse(os.path.exists(path), "not only the row, the bytes too")
        self.assertFalse(self.env["res.partner.bank"].search([("partner_id", "=", karim.id)]))
        left = self.search_for(
            "Ranvikson",
            "karim.ranvikson@customer.example",
            "01799887701",
            "+8801799887701",
            "01799-887701",
            "1055443322",
            "flat@customer.example",
        )
        self.assertEqual(left, set())
        self.assertEqual(self.left(run), [])
        self.assertFalse(run.identifiers_enc, "what was searched is forgotten")
        self.assertGreater(run.row_count, 3)

    def test_the_request_tells_type_dates_and_decision_only(self):
        request = self.begin(words="Karim Ranvikson wants to be forgotten")
        request.message_post(body="Karim Ranvikson is a nice man")
        self.go_on(request)
        self.assertEqual((request.state, request.request_type), ("done", "erasure"))
        self.assertTrue(request.date_received and request.closed_on and request.approver_id)
        self.assertFalse(request.words)
        self.assertFalse(
            any(request.event_ids.filtered("reason").mapped(lambda event: "Karim" in event.reason))
        )
        self.assertFalse([m for m in request.message_ids if "nice man" in (m.body or "")])

    def test_the_last_letter_goes_out_before_the_address_is_gone(self):
        request = self.begin()
        self.sent.clear()
        run = self.go_on(request)
        self.assertEqual(run.state, "done", run.problem)
        letters = [(to, text) for to, text in self.sent if "carried out" in text]
        self.assertEqual(len(letters), 1)
        self.assertIn("karim.ranvikson@customer.example", letters[0][0])
        self.assertIn("Dear Karim Ranvikson", letters[0][1])
        self.assertFalse(self.letters_of(request), "and no copy of it stays in the queue")

    def test_a_letter_that_does_not_go_out_is_tried_again_before_anything_is_erased(self):
        request = self.begin()

        def refuse(*_args, **_options):
            raise MailDeliveryException("No route to the mail server")

        with (
            patch.object(type(self.env["ir.mail_server"]), "send_email", refuse),
            mute_logger("odoo.addons.mail.models.mail_mail"),
        ):
            run = self.go_on(request)
            self.assertEqual((run.state, run.step), ("running", "letter"))
            self.assertEqual(self.karim.email, "karim.ranvikson@customer.example")
        self.go_on(request)
        self.assertEqual(run.state, "done", run.problem)

    # === OTHER PEOPLE === #

    def test_the_data_of_others_is_not_touched(self):
        rahim = self.rahim
        about = rahim.message_post(body="Neighbour of Karim Ranvikson, pays late")
        file = self.attach(rahim, b"Contract of Rahim")
        before = self.snapshot(rahim)
        self.erase()
        self.assertEqual(self.snapshot(rahim), before)
        self.assertTrue(os.path.exists(self.file_of(file)))
        self.assertIn("pays late", about.body)
        self.assertNotIn("Ranvikson", about.body)

    def snapshot(self, partner):
        names = ("name", "email", "phone", "street", "privacy_restricted", "active", "write_date")
        return [self.column(partner, name) for name in names]

    def test_in_a_shared_conversation_only_the_own_words_go(self):
        staff = self.nasrin.partner_id
        channel = self.env["discuss.channel"].create(
            {
                "name": "Repair of Karim Ranvikson",
                "channel_type": "group",
                "channel_member_ids": [
                    Command.create({"partner_id": partner.id})
                    for partner in self.karim | self.rahim | staff
                ],
            }
        )
        own_file = self.attach(channel, b"Photo by Karim")
        foreign_file = self.attach(channel, b"Photo by Rahim")
        own = channel.message_post(
            body="My wife is at home",
            author_id=self.karim.id,
            message_type="comment",
            attachment_ids=own_file.ids,
        )
        foreign = channel.message_post(
            body="Karim Ranvikson has the key",
            author_id=self.rahim.id,
            message_type="comment",
            attachment_ids=foreign_file.ids,
        )
        self.erase()
        self.assertNotIn("wife", own.body)
        self.assertIn("has the key", foreign.body)
        self.assertNotIn("Ranvikson", foreign.body)
        self.assertFalse(own_file.exists())
        self.assertTrue(foreign_file.exists())
        self.assertTrue(channel.exists())
        self.assertNotIn("Ranvikson", channel.name)
        self.assertIn(self.rahim, channel.channel_member_ids.partner_id)
        self.assertNotIn(self.karim, channel.channel_member_ids.partner_id)

    def test_a_file_with_the_same_bytes_stays_for_the_other(self):
        own = self.attach(self.karim, b"The same leaflet")
        foreign = self.attach(self.rahim, b"The same leaflet")
        self.assertEqual(own.store_fname, foreign.store_fname)
        self.erase()
        self.assertFalse(own.exists())
        self.assertEqual(foreign.raw, b"The same leaflet")

    def test_what_a_family_shares_is_not_searched_at_the_others(self):
        self.rahim.write({"phone": self.karim.phone, "street": self.karim.street})
        run = self.erase()
        self.assertEqual(run.shared_count, 2)
        self.assertEqual(self.rahim.phone, "+8801799887701")
        self.assertEqual(self.rahim.street, "House 4711, Road 99")
        self.assertFalse(self.karim.phone)

    def test_contacts_of_a_company_are_other_people(self):
        firm = self.create_partner("Ranvikson Traders", "office@ranvikson.example", is_company=True)
        clerk = self.create_partner("Salma Khatunova", "salma@ranvikson.example", parent_id=firm.id)
        branch = self.create_partner(
            "Ranvikson Branch", "branch@ranvikson.example", parent_id=firm.id, type="invoice"
        )
        self.erase(firm)
        self.assertTrue(firm.name.startswith("Subscriber "))
        self.assertTrue(branch.name.startswith("Subscriber "))
        self.assertEqual((clerk.name, clerk.email), ("Salma Khatunova", "salma@ranvikson.example"))
        self.assertNotIn("Traders", clerk.complete_name)

    # === LOGINS === #

    @proves("P-34")
    @mute_logger("odoo.addons.base.models.res_users")
    def test_logins_and_keys_end_with_the_restriction(self):
        """P-34."""
        user = self.customer(self.karim, "karim.portal")
        key = (
            self.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate("rpc", "Phone of Karim", None)
        )
        login = {"type": "password", "login": "karim.portal", "password": "karim.portal-password"}
        self.env["res.users"].authenticate(login, {"interactive": False})
        self.assertEqual(
            self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=key), user.id
        )
        request = self.begin()
        self.assertTrue(self.karim.privacy_restricted)
        self.assertEqual(self.karim.privacy_restricted_by_id, self.farid)
        self.assertFalse(user.active)
        with self.assertRaises(AccessDenied):
            self.env["res.users"].authenticate(login, {"interactive": False})
        self.assertFalse(self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=key))
        self.go_on(request)
        self.assertEqual(request.state, "done", request.erasure_ids.problem)
        self.assertNotIn("karim", user.login)
        self.assertFalse(self.column(user, "password"))
        self.assertFalse(self.env["res.users.apikeys"].sudo().search([("user_id", "=", user.id)]))

    def test_members_of_staff_are_not_erased_by_the_way(self):
        with self.at("2027-03-01 06:00:00"):
            request = self.create_request("erasure", self.auditor.partner_id)
            self.bring(request, "in_review")
            with self.assertRaisesRegex(UserError, "account of the staff"):
                request.with_user(self.farid).action_approve()
        self.assertFalse(self.auditor.partner_id.privacy_restricted)

    def test_an_erasure_is_not_done_by_hand(self):
        request = self.begin()
        with self.at(END):
            self.run_cron("recovery")
            with self.assertRaisesRegex(UserError, "nothing unexplained is left"):
                request.with_user(self.farid)._finish("I did it")

    # === WITHOUT A CONTACT === #

    def test_somebody_who_is_no_contact(self):
        nobody = self.env["res.partner"]
        self.rahim.message_post(body="stranger.zw@nowhere.example asked for you")
        run = self.erase(nobody, email_from="Stranger Zwillich <stranger.zw@nowhere.example>")
        self.assertEqual(self.left(run), [])
        self.assertEqual(self.search_for("stranger.zw@nowhere.example", "Zwillich"), set())
        self.assertEqual(run.request_id.email_from, f"Subscriber {run.pseudonym}")

    def test_an_address_that_is_a_contacts_asks_for_the_contact(self):
        nobody = self.env["res.partner"]
        request = self.begin(nobody, email_from=self.rahim.email)
        self.go_on(request)
        self.assertEqual(request.state, "failed")
        self.assertIn("belongs to a contact", request.event_ids.sorted("id")[-1].reason)
        self.assertEqual(self.rahim.name, "Rahim Aliquist")

    # === ACCESS === #

    def test_officers_look_and_do_not_write(self):
        run = self.erase()
        run.with_user(self.auditor).read(["state", "progress"])
        for record in (run, run.line_ids[:1]):
            with self.assertRaises(AccessError):
                record.with_user(self.nasrin).write({"company_id": self.company.id})
        with self.assertRaises(AccessError):
            run.ledger_ids.with_user(self.nasrin).write({"partner_number": self.rahim.id})
        with self.assertRaises(UserError):
            run.sudo().unlink()
