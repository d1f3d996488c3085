from unittest.mock import patch

from odoo.tests import tagged

from .request_common import PrivacyRequestCase

# A piece of each letter, in both languages.
WORDS = {
    "received": ("have received your request", "আমরা পেয়েছি"),
    "identity": ("confirm it with", "আপনিই পাঠিয়েছেন"),
    "extended": ("need more time", "আরও সময় প্রয়োজন"),
    "rejected": ("cannot carry out", "পূরণ করতে পারছি না"),
    "done": ("has been carried out", "সম্পন্ন হয়েছে"),
}


@tagged("post_install", "-at_install")
class TestRequestLetters(PrivacyRequestCase):
    """The letters, in the language of the person."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("bn_IN")

    def assert_letter(self, request, kind, language, *pieces):
        letter = self.letters_of(request)[0]
        for piece in (WORDS[kind][language], request.name, *pieces):
            self.assertIn(piece, letter.body_html)
        self.assertNotIn(WORDS[kind][1 - language], letter.body_html)
        self.assertIn(request.name, letter.subject)
        self.assertIn(f"/my/privacy/{request.id}?access_token=", letter.body_html)
        self.assertEqual(letter.recipient_ids, request.partner_id)
        self.assertEqual(letter.state, "outgoing")
        return letter

    def test_each_letter_in_each_language(self):
        for language, lang in enumerate(("en_US", "bn_IN")):
            with self.subTest(lang=lang), self.at("2026-03-01 06:00:00"):
                self.karim.lang = lang
                request = self.create_request()
                self.assert_letter(
                    request, "received", language, "2026" if language else "03/31/2026"
                )
                request._ask_identity()
                self.assert_letter(request, "identity", language, "30")
                request._verify_identity("letter")
                request._extend("Many <records>")
                self.assert_letter(request, "extended", language, "Many &lt;records&gt;")
                request._reject("The law")
                route = self.profile.with_context(lang=lang).complaint_route
                self.assert_letter(request, "rejected", language, "The law", route)
                request = self.bring(self.create_request(), "done")
                self.assert_letter(request, "done", language, "Handed over")

    def test_subjects_follow_the_language(self):
        self.karim.lang = "bn_IN"
        request = self.create_request()
        self.assertEqual(self.letters_of(request).subject, f"আমরা আপনার অনুরোধ {request.name} পেয়েছি")
        self.karim.lang = "en_US"
        request = self.create_request("complaint")
        self.assertEqual(
            self.letters_of(request).subject, f"We have received your request {request.name}"
        )

    def test_a_stranger_is_answered_in_the_language_of_the_company(self):
        self.company.partner_id.lang = "bn_IN"
        request = self.create_request(
            partner=self.env["res.partner"], email_from="Nobody <n@else.example>"
        )
        letter = self.letters_of(request)
        self.assertEqual(letter.email_to, "Nobody <n@else.example>")
        self.assertIn(WORDS["received"][1], letter.body_html)

    def test_the_letter_comes_from_the_company(self):
        user = self.create_user("privacy_karim", "base.group_portal", partner_id=self.karim.id)
        requests = self.env["privacy.request"].with_user(user).with_company(self.company)
        request = requests._open_from_portal("access", "Everything").with_user(self.nasrin)
        letter = self.letters_of(request)
        self.assertIn("office@padma.example", letter.email_from)
        self.assertNotEqual(letter.author_id, self.karim, "nobody writes to themselves")

    def test_each_letter_is_in_the_history(self):
        request = self.create_request()
        events = request.event_ids.filtered(lambda e: e.event_type == "letter")
        self.assertEqual(events.mapped("reason"), ["Privacy: request received"])

    def test_without_an_address_staff_answers_by_post(self):
        self.karim.email = False
        request = self.create_request()
        self.assertFalse(self.letters_of(request))
        self.assertIn("by post", self.activities_of(request, "task")[0].summary)

    def test_a_template_that_is_gone_stops_nobody(self):
        self.env.ref("isp_privacy.mail_template_request_received").unlink()
        request = self.create_request()
        self.assertIn("by post", self.activities_of(request, "task")[0].summary)

    def test_a_refused_move_sends_nothing(self):
        request = self.create_request()
        before = len(self.letters_of(request))
        with patch.object(type(request), "_move_to", return_value=False):
            request._ask_identity()
            request._reject("The law")
            request._finish("Done")
        self.assertEqual(len(self.letters_of(request)), before)
