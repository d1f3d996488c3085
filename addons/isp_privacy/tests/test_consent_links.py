from lxml import html

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .consent_common import ConsentCase


@tagged("post_install", "-at_install")
class TestConsentPages(ConsentCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.create_user("privacy_karim", "base.group_portal", partner_id=cls.karim.id)

    def page(self, url):
        response = self.url_open(url, timeout=60)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.content)

    def get_link(self, partner=None, channel="mail", purpose=None):
        partner = self.karim if partner is None else partner
        purpose = purpose or self.marketing
        digest = partner._privacy_contact_hashes(channel)[partner.id]
        url = self.ledger._get_withdrawal_url(purpose, channel, self.company, partner, digest)
        return "/" + url.partition("://")[2].partition("/")[2]

    # === LINK === #

    @proves("P-41")
    def test_only_the_button_withdraws(self):
        self.decide()
        link = self.get_link()
        for _visit in range(2):
            tree = self.page(link)
            self.assertTrue(self.may_write_to(self.karim), "opening a link does nothing")
        [form] = tree.xpath("//main//form[@name='withdraw']")
        self.assertEqual(len(form.xpath(".//button")), 1)
        response = self.url_open(form.get("action"), data={"stop": "1"})
        self.assertEqual(response.status_code, 200)
        self.assertIn("It is done", response.text)
        self.assertFalse(self.may_write_to(self.karim))
        row = self.karim._privacy_consents(self.marketing, "mail")
        self.assertEqual((row.action, row.source), ("withdrawn", "link"))
        self.assertTrue(row.ip)

    @proves("P-41")
    def test_a_mail_program_withdraws_by_itself(self):
        """RFC 8058: a POST without a session, a cookie or a form token."""
        self.decide()
        response = self.url_open(
            self.get_link(), data={"List-Unsubscribe": "One-Click"}, allow_redirects=False
        )
        self.assertEqual(response.status_code, 200)
        self.assertFalse(self.may_write_to(self.karim))

    @proves("P-41")
    def test_a_replay_changes_nothing(self):
        """P-41."""
        self.decide()
        link = self.get_link()
        for _time in range(3):
            self.assertEqual(self.url_open(link, data={"x": "1"}).status_code, 200)
        domain = [("partner_id", "=", self.karim.id), ("action", "=", "withdrawn")]
        self.assertEqual(self.ledger.search_count(domain), 1)
        listed = self.suppression.search_count([("purpose_id", "=", self.marketing.id)])
        self.assertEqual(listed, 1)

    def test_the_link_is_for_one_person_channel_and_purpose(self):
        self.decide()
        self.decide(channel="sms")
        self.decide(partner=self.rahim)
        self.url_open(self.get_link(), data={"x": "1"})
        self.assertTrue(self.may_write_to(self.karim, channel="sms"))
        self.assertTrue(self.may_write_to(self.rahim))

    @mute_logger("odoo.http")
    def test_a_wrong_token_is_not_found(self):
        self.decide()
        link = self.get_link()
        head, _slash, token = link.rpartition("/")
        middle = "B" if token[40] == "A" else "A"
        end = "BB" if token.endswith("AA") else "AA"
        changed = (
            *("x", "%C3%A4", token[:-3]),
            *(f"{token[:40]}{middle}{token[41:]}", f"{token[:-2]}{end}"),
        )
        wrong = [f"{head}/{other}" for other in changed]
        for url in wrong:
            with self.subTest(url=url[-12:]):
                self.assertEqual(self.url_open(url).status_code, 404)
                self.assertEqual(self.url_open(url, data={"x": "1"}).status_code, 404)
        self.assertTrue(self.may_write_to(self.karim))

    def test_nothing_of_the_person_is_in_the_address_or_on_the_page(self):
        response = self.url_open(self.get_link())
        for part in ("Karim", "karim", "customer.example"):
            self.assertNotIn(part, response.text)
        self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        self.assertNotEqual(self.get_link(), self.get_link(), "a ciphertext, each time anew")

    def test_after_erasure_the_link_still_suppresses_the_address(self):
        self.decide()
        link = self.get_link()
        self.karim.write({"email": False, "name": "Subscriber 7f3a"})
        self.assertEqual(self.url_open(link, data={"x": "1"}).status_code, 200)
        again = self.create_partner("Karim", "karim@customer.example")
        self.assertFalse(self.may_write_to(again))

    # === PORTAL === #

    def choose(self, tree, purpose, channel):
        [form] = tree.xpath(
            f"//form[.//input[@name='purpose' and @value='{purpose}']"
            f"][.//input[@name='channel' and @value='{channel}']]"
        )
        response = self.url_open(form.get("action"), data=dict(form.form_values()))
        return html.fromstring(response.content)

    def test_the_customer_agrees_and_withdraws_by_one_click_each(self):
        self.authenticate("privacy_karim", "privacy_karim-password")
        tree = self.page("/my/privacy/consents")
        self.assertFalse(tree.xpath("//main//input[@type='checkbox']"), "nothing is pre-ticked")
        self.assertFalse(self.ledger.search([("partner_id", "=", self.karim.id)]))
        tree = self.choose(tree, "marketing", "sms")
        self.assertTrue(self.may_write_to(self.karim, channel="sms"))
        self.assertFalse(self.may_write_to(self.karim))
        row = self.karim._privacy_consents(self.marketing, "sms")
        self.assertEqual((row.source, row.action), ("portal", "given"))
        self.assertTrue(row.ip and row.user_agent)
        self.choose(tree, "marketing", "sms")
        self.assertFalse(self.may_write_to(self.karim, channel="sms"))

    @proves("P-12")
    def test_the_customer_objects_to_recommendations(self):
        self.authenticate("privacy_karim", "privacy_karim-password")
        tree = self.choose(self.page("/my/privacy/consents"), "personalisation", "none")
        self.assertFalse(self.may_write_to(self.karim, self.recommendations, "none"))
        self.choose(tree, "personalisation", "none")
        self.assertTrue(self.may_write_to(self.karim, self.recommendations, "none"))

    def test_nonsense_is_told_and_a_visitor_signs_in(self):
        self.assertIn("/web/login", self.url_open("/my/privacy/consents").url)
        self.authenticate("privacy_karim", "privacy_karim-password")
        token = self.page("/my/privacy/consents").xpath("//main//input[@name='csrf_token']/@value")[
            0
        ]
        for wrong in (
            {"purpose": "service", "channel": "mail", "action": "given"},
            {"purpose": "marketing", "channel": "none", "action": "given"},
            {"purpose": "marketing", "channel": "mail", "action": "x"},
            {},
        ):
            with self.subTest(wrong=wrong):
                response = self.url_open(
                    "/my/privacy/consents", data={"csrf_token": token, **wrong}
                )
                self.assertIn("There is no such choice", response.text)
        self.assertFalse(self.ledger.search([("partner_id", "=", self.karim.id)]))

    @mute_logger("odoo.http")
    def test_what_comes_from_another_site_is_refused(self):
        self.authenticate("privacy_karim", "privacy_karim-password")
        response = self.url_open(
            "/my/privacy/consents",
            data={"purpose": "marketing", "channel": "mail", "action": "given"},
        )
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.may_write_to(self.karim))
