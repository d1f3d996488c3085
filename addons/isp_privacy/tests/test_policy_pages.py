from lxml import html

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .consent_common import ConsentCase


@tagged("post_install", "-at_install")
class TestPolicyPages(ConsentCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.create_policy()
        cls.create_user("privacy_karim", "base.group_portal", partner_id=cls.karim.id)
        cls.first = cls.publish(cls.policy, text="# Rights\nWe answer in {answer_days} days.")
        cls.env.flush_all()

    def log_in(self):
        self.authenticate("privacy_karim", "privacy_karim-password")

    def page(self, url):
        response = self.url_open(url, timeout=60)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.content)

    def text_of(self, tree, name):
        nodes = tree.xpath(f"//*[@name='{name}']")
        return " ".join(nodes[0].text_content().split()) if nodes else None

    @proves("P-49", "P-59", "P-62")
    def test_the_page_says_when_who_and_how(self):
        """P-49, P-59, P-62."""
        self.log_in()
        tree = self.page("/privacy")
        self.assertIn(str(self.first.effective_date.year), self.text_of(tree, "last_updated"))
        self.assertIn("We answer in 30 days.", self.text_of(tree, "text"))
        self.assertIn("Nasrin Akter", self.text_of(tree, "officer"))
        contact = self.text_of(tree, "contact")
        for part in ("Padma Net", "12 Gulshan Avenue", "+8801711000000", "office@padma.example"):
            self.assertIn(part, contact)

    def test_everybody_can_read_it(self):
        for url in ("/privacy", "/privacy/cookies", "/web/login"):
            tree = self.page(url)
            self.assertTrue(tree.xpath("//nav[@name='privacy_links']//a[@href='/privacy']"), url)
            self.assertTrue(tree.xpath("//nav[@name='privacy_links']//a[@href='/privacy/cookies']"))

    @proves("P-53")
    def test_other_sites_learn_no_address_with_a_token(self):
        """P-53."""
        self.log_in()
        for url in ("/privacy", "/web/login", "/nowhere", "/my", "/my/privacy", "/my/account"):
            policy = self.url_open(url).headers.get("Referrer-Policy")
            self.assertEqual(policy, "strict-origin-when-cross-origin", url)

    def test_a_version_shows_what_differs(self):
        version = self.publish(self.policy, 14, text="# Rights\nWe answer <b>soon</b>.")
        self.log_in()
        tree = self.page("/privacy")
        self.assertIn("We answer in 30 days.", self.text_of(tree, "text"))
        self.assertIn("A new version is in force", self.text_of(tree, "upcoming"))
        tree = self.page(f"/privacy/versions/{version.number}")
        self.assertEqual(tree.xpath("//ins/text()"), ["We answer <b>soon</b>."])
        self.assertEqual(tree.xpath("//del/text()"), ["We answer in 30 days."])
        self.assertFalse(tree.xpath("//article//b"), "texts are escaped")

    @mute_logger("odoo.http")
    def test_drafts_and_numbers_that_are_none_are_not_found(self):
        self.create_version(self.policy)
        self.log_in()
        for number in ("0", "2", "99999999999999", "x"):
            with self.subTest(number=number):
                response = self.url_open(f"/privacy/versions/{number}")
                self.assertEqual(response.status_code, 404)

    def test_the_banner_stays_until_it_is_acknowledged(self):
        version = self.publish(self.policy, 14, summary="Logs: six months.")
        self.log_in()
        self.assertIsNone(self.text_of(self.page("/my"), "policy_banner"))
        self.env["privacy.policy.notice"]._tell(version, "portal", self.karim)
        for url in ("/my", "/my/privacy/consents"):
            self.assertIn("Logs: six months.", self.text_of(self.page(url), "policy_banner"))
        tree = self.page("/my/privacy")
        [form] = tree.xpath("//*[@name='policy_banner']//form")
        response = self.url_open(form.get("action"), data=dict(form.form_values()))
        self.assertTrue(response.url.endswith("/my/privacy"), response.url)
        self.assertIsNone(self.text_of(self.page("/my"), "policy_banner"))
        ack = self.env["privacy.policy.ack"].search([("partner_id", "=", self.karim.id)])
        self.assertEqual(ack.version_id, version)
        self.assertTrue(ack.ip)
        self.assertFalse(self.ledger.search([("partner_id", "=", self.karim.id)]))

    def test_the_button_leads_nowhere_else(self):
        self.log_in()
        tree = self.page("/my/privacy/consents")
        token = tree.xpath("//main//input[@name='csrf_token']/@value")[0]
        for back in ("https://evil.example/", "//evil.example/", ""):
            with self.subTest(back=back):
                response = self.url_open(
                    "/my/privacy/policy/seen",
                    data={"csrf_token": token, "back": back},
                    allow_redirects=False,
                )
                self.assertNotIn("evil", response.headers["Location"])

    # === WHO WORKS FOR US === #

    def enter_processor(self, **vals):
        return self.env["privacy.processor"].create(
            {
                "name": "Meghna Hosting",
                "service": "Runs our servers",
                "company_id": self.company.id,
                "country_id": self.env.ref("base.bd").id,
                "contract_from": "2026-01-01",
                **vals,
            }
        )

    @proves("P-21")
    def test_the_page_names_who_works_for_us_as_long_as_there_is_a_contract(self):
        self.assertIsNone(self.text_of(self.page("/privacy"), "processors"))
        host = self.enter_processor()
        self.enter_processor(name="Disks Ltd", parent_id=host.id)
        self.enter_processor(name="Talks Only", contract_from=False)
        self.enter_processor(name="Former Ltd", contract_to="2026-02-01")
        self.enter_processor(name="Put Away", active=False)
        self.enter_processor(name="Of Others", company_id=self.env.ref("base.main_company").id)
        self.log_in()
        text = self.text_of(self.page("/privacy"), "processors")
        for words in ("Meghna Hosting: Runs our servers", "Bangladesh", "Disks Ltd"):
            self.assertIn(words, text)
        self.assertIn("for Meghna Hosting", text)
        for words in ("Talks Only", "Former Ltd", "Put Away", "Of Others"):
            self.assertNotIn(words, text)
        (host | host.child_ids).write({"contract_to": "2026-03-01"})
        self.assertIsNone(self.text_of(self.page("/privacy"), "processors"))

    @proves("P-24")
    def test_the_sentence_on_certificates_goes_with_its_evidence(self):
        self.log_in()
        self.assertIsNone(self.text_of(self.page("/privacy"), "certificates"))
        today = self.company._get_privacy_today()
        host = self.enter_processor()
        evidence = self.env["privacy.evidence"].create(
            {
                "name": "ISO 27001",
                "holder": "Meghna Hosting",
                "processor_id": host.id,
                "company_id": self.company.id,
                "valid_until": today,
            }
        )
        self.env["privacy.evidence"].create(
            {
                "name": "Penetration test",
                "kind": "penetration_test",
                "holder": "Padma Net",
                "company_id": self.company.id,
                "valid_until": today,
            }
        )
        text = self.text_of(self.page("/privacy"), "certificates")
        self.assertIn("ISO 27001 of Meghna Hosting", text)
        self.assertNotIn("Penetration", text, "what was found in a test is for nobody else")
        evidence.valid_until = fields.Date.subtract(today, days=1)
        self.assertIsNone(self.text_of(self.page("/privacy"), "certificates"))
        evidence.valid_until = today
        host.contract_to = fields.Date.subtract(today, days=1)
        self.assertIsNone(self.text_of(self.page("/privacy"), "certificates"))
