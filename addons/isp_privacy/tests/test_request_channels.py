from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .request_common import PrivacyRequestCase

MAIL = """\
From: {sender}
To: {to}
Subject: {subject}
Date: Thu, 01 Jan 2015 00:00:00 +0000
Message-Id: <{message_id}@customer.example>
Content-Type: text/plain; charset="utf-8"

{body}
"""


@tagged("post_install", "-at_install")
class TestRequestChannels(PrivacyRequestCase):
    """Portal, mail and staff make the same record, and no person has two of a kind open."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        domain = cls.env["mail.alias.domain"].create(
            {"name": "padma.example", "company_ids": [fields.Command.set(cls.company.ids)]}
        )
        cls.alias = cls.env.ref("isp_privacy.mail_alias_privacy")
        cls.alias.write(
            {
                "alias_domain_id": domain.id,
                "alias_defaults": f"{{'company_id': {cls.company.id}}}",
            }
        )
        cls.portal_user = cls.create_user(
            "privacy_karim", "base.group_portal", partner_id=cls.karim.id
        )

    def receive(self, sender, subject="My data", body="Please erase it.", message_id="1"):
        raw = MAIL.format(
            sender=sender,
            to="privacy@padma.example",
            subject=subject,
            body=body,
            message_id=message_id,
        )
        with mute_logger("odoo.addons.mail.models.mail_thread"):
            thread_id = self.env["mail.thread"].message_process(False, raw)
        return self.env["privacy.request"].browse(thread_id)

    def open_from_portal(self, request_type="access", words="Everything"):
        request = (
            self.env["privacy.request"]
            .with_user(self.portal_user)
            .with_company(self.company)
            ._open_from_portal(request_type, words)
        )
        return request.with_user(self.nasrin)

    # === CHANNELS === #

    @proves("P-43")
    def test_a_mail_opens_a_request_with_our_time(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.receive("Karim <karim@customer.example>")
            self.assertEqual(str(request.date_received), "2026-03-01 06:00:00")
        self.assertEqual(str(request.date_due), "2026-03-31")
        self.assertEqual(
            (request.channel, request.company_id, request.partner_id, request.state),
            ("mail", self.company, self.karim, "received"),
        )
        self.assertFalse(request.request_type, "staff reads what is asked")
        self.assertEqual(request.words, "My data\n\nPlease erase it.")
        self.assertIn("Please erase it.", " ".join(request.message_ids.mapped("body")))

    def test_a_mail_of_a_stranger_opens_one_just_the_same(self):
        request = self.receive("Nobody Known <Nobody@else.example>")
        self.assertFalse(request.partner_id)
        self.assertEqual(request.email_normalized, "nobody@else.example")
        self.assertEqual(request.state, "received")

    def test_a_second_mail_joins_the_open_request(self):
        for number, sender in enumerate(("karim@customer.example", "nobody@else.example")):
            with self.subTest(sender=sender):
                first = self.receive(sender, message_id=f"1-{number}")
                second = self.receive(sender, "Again", "Hurry up!", message_id=f"2-{number}")
                self.assertEqual(first, second)
                self.assertIn("Hurry up!", " ".join(first.message_ids.mapped("body")))
                self.assertEqual(first.event_ids.mapped("event_type").count("again"), 1)

    def test_the_alias_may_name_the_kind(self):
        self.alias.alias_defaults = (
            f"{{'company_id': {self.company.id}, 'request_type': 'opt_out'}}"
        )
        request = self.receive("karim@customer.example")
        self.assertEqual((request.request_type, request.state), ("opt_out", "done"))

    @proves("P-43")
    def test_the_portal_opens_one_and_asks_at_once(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.open_from_portal()
            self.assertEqual(str(request.date_received), "2026-03-01 06:00:00")
        self.assertEqual(
            (request.channel, request.partner_id, request.company_id, request.words),
            ("portal", self.karim, self.company, "Everything"),
        )
        self.assertEqual(request.state, "identity_pending")
        self.assertEqual(request.event_ids.user_id, self.portal_user)
        self.assertEqual(self.open_from_portal("opt_out").state, "done")

    def test_the_portal_refuses_what_it_does_not_know(self):
        for request_type in (None, "", "nonsense"):
            with self.subTest(type=request_type), self.assertRaisesRegex(UserError, "Choose"):
                self.open_from_portal(request_type)

    def test_odd_and_long_words_are_taken(self):
        request = self.open_from_portal(words="\x00 My\x00 bills " + "আ" * 9000)
        self.assertTrue(request.words.startswith("My bills আ"))
        self.assertEqual(len(request.words), 5000)

    def test_customers_create_nothing_past_the_form(self):
        requests = self.env["privacy.request"].with_user(self.portal_user)
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            requests.create({"request_type": "access", "partner_id": self.rahim.id})

    # === DUPLICATES === #

    def test_the_portal_leads_to_the_open_request(self):
        first = self.open_from_portal()
        again = self.open_from_portal(words="And my <b>bills</b>")
        self.assertEqual(first, again)
        self.assertEqual(first.words, "Everything")
        message = first.message_ids[0]
        self.assertIn("And my &lt;b&gt;bills", message.body)
        self.assertEqual(message.author_id, self.karim)
        other_kind = self.open_from_portal("complaint")
        self.assertNotEqual(first, other_kind)
        first._withdraw("Enough")
        self.assertNotEqual(self.open_from_portal(), first, "a closed one is history")

    def test_the_database_refuses_a_second_one(self):
        stranger = {"partner": self.env["res.partner"], "email_from": "Nobody <n@else.example>"}
        for kwargs in ({}, stranger):
            for request_type in ("access", False):
                self.create_request(request_type, **kwargs)
                if kwargs:
                    kwargs["email_from"] = "N@ELSE.example"
                with self.subTest(type=request_type), mute_logger("odoo.sql_db"):
                    with self.assertRaises(psycopg2.errors.UniqueViolation):
                        with self.env.cr.savepoint():
                            self.create_request(request_type, **kwargs)

    def test_what_differs_may_be_open_side_by_side(self):
        self.create_request()
        self.create_request("complaint")
        self.create_request(partner=self.rahim)
        self.create_request(partner=self.env["res.partner"], email_from="n@else.example")

    def test_two_at_the_same_moment_are_tried_again(self):
        """The second one does not see the first, but the database does."""
        self.open_from_portal()
        cls = type(self.env["privacy.request"])
        nothing = self.env["privacy.request"]
        with patch.object(cls, "_find_open", lambda *_args: nothing):
            with self.assertRaises(ConcurrencyError):
                self.open_from_portal()

    def test_staff_sees_and_marks_a_duplicate(self):
        original = self.create_request("erasure")
        mail = self.receive("karim@customer.example").with_user(self.nasrin)
        new = self.env["privacy.request"].new(
            {"request_type": "erasure", "partner_id": self.karim.id, "company_id": self.company.id}
        )
        self.assertEqual(new.open_request_id._origin, original)
        with self.assertRaises(UserError):
            mail._mark_duplicate(mail)
        mail._mark_duplicate(original)
        self.assertEqual((mail.state, mail.original_id), ("duplicate", original))
        other = self.create_request("complaint")
        with self.assertRaisesRegex(UserError, "no duplicate itself"):
            other._mark_duplicate(mail)

    # === LIMIT === #

    def test_the_portal_takes_so_many_an_hour(self):
        self.profile.requests_per_hour = 3
        with self.at("2026-03-01 06:00:00"):
            self.open_from_portal("access")
            self.open_from_portal("access")  # asking again counts too
            self.open_from_portal("complaint")
            with self.assertRaisesRegex(UserError, "wait an hour"):
                self.open_from_portal("erasure")
        with self.at("2026-03-01 06:59:59"), self.assertRaises(UserError):
            self.open_from_portal("erasure")
        with self.at("2026-03-01 07:00:00"):
            self.open_from_portal("erasure")
        with self.at("2026-03-01 06:30:00"):
            self.receive("karim@customer.example")  # no limit to what comes by mail
