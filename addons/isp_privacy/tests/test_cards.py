import re

from odoo.tests import HttpCase, tagged

from odoo.addons.isp_base.tests.promises import proves

from .request_common import PrivacyRequestCase

CARD = "4111 1111 1111 1111"
MASKED = "4111 11** **** 1111"

# How a field would be named that holds what is printed on a card or opens a wallet.
OF_A_CARD = re.compile(
    r"(^|_)(pan|cvv\d?|cvc\d?|csc|cvn|track_?data|magnetic\w*"
    r"|(credit|debit|bank)_?card\w*|card_?(number|num|no|holder\w*|expir\w*|code|pan)"
    r"|cc_?(number|num|exp\w*|code)|(card|cc)_?(month|year)|expiry_(month|year)"
    r"|(wallet|bkash|nagad|upi)_?(pin|otp)|otp_code)(_|$)"
)


@tagged("post_install", "-at_install")
class TestCards(PrivacyRequestCase, HttpCase):
    """P-05: payment details pass through gateways only."""

    @proves("P-05")
    def test_no_field_is_there_for_a_card(self):
        self.assertTrue(OF_A_CARD.search("card_number") and OF_A_CARD.search("x_cvv"))
        named = [
            f"{name}.{field.name}"
            for name, model in self.env.registry.items()
            for field in model._fields.values()
            if OF_A_CARD.search(field.name)
        ]
        self.assertEqual(named, [])

    @proves("P-05")
    def test_no_page_of_ours_asks_for_a_card(self):
        """What is typed on a page of ours would pass through our server."""
        asking = re.compile(
            r"<(input|select)[^>]*(autocomplete=.cc-|name=.[\w-]*(card.?n|cvv|cvc|expir))",
            re.IGNORECASE,
        )
        self.assertTrue(asking.search('<input name="card_number"/>'))
        pages = self.env["ir.ui.view"].search([("type", "=", "qweb")])
        # The demonstration provider of the tests asks for digits that are no card's.
        ours = pages.filtered(lambda page: not (page.key or "").startswith("payment_demo."))
        self.assertGreater(len(ours), 100)
        self.assertEqual(
            [page.key for page in ours if asking.search(page.with_context(lang=None).arch_db)], []
        )

    @proves("P-05")
    def test_cards_in_messages_and_notes_are_stored_masked(self):
        message = self.karim.message_post(
            body=f"Take it from {CARD}", subject=CARD, message_type="comment"
        )
        note = self.karim._message_log(body="My card is 4111111111111111")
        self.karim.comment = f"<p>Pays by {CARD}</p>"
        request = self.create_request(words=f"Erase my card {CARD}")
        self.env.flush_all()
        self.assertIn(MASKED, message.body)
        self.assertEqual(message.subject, MASKED)
        self.assertIn("411111******1111", note.body)
        self.assertIn(MASKED, self.karim.comment)
        self.assertIn(MASKED, request.words)
        for table, column in (
            ("mail_message", "body"),
            ("mail_message", "subject"),
            ("res_partner", "comment"),
            ("privacy_request", "words"),
        ):
            self.env.cr.execute(
                f"SELECT count(*) FROM {table} WHERE {column} ~ '4111 ?1111 ?1111 ?1111'"
            )
            self.assertEqual(self.env.cr.fetchone(), (0,), f"{table}.{column}")

    @proves("P-05")
    def test_a_changed_message_is_masked_too(self):
        message = self.karim.message_post(body="Thank you", message_type="comment")
        self.karim._message_update_content(message, body=f"No, from {CARD}")
        self.assertIn(MASKED, message.body)

    @proves("P-05")
    def test_what_a_customer_sends_by_the_portal_is_masked(self):
        self.create_user("privacy_karim", "base.group_portal", partner_id=self.karim.id)
        self.authenticate("privacy_karim", "privacy_karim-password")
        page = self.url_open("/my/privacy/new").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        self.url_open(
            "/my/privacy/new",
            data={"csrf_token": token, "request_type": "complaint", "words": f"I paid by {CARD}"},
        )
        request = self.env["privacy.request"].search([("partner_id", "=", self.karim.id)])
        self.assertEqual(request.words, f"I paid by {MASKED}")

    def test_other_numbers_stay(self):
        text = "INV/2027/00001, 01711-111111, 1234567890128"
        self.assertIn(text, self.karim.message_post(body=text).body)
