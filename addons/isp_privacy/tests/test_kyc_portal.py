"""The customer page for the own identity document."""

import io
from unittest.mock import patch

from lxml import html

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from ..engine import upload
from .kyc_common import NID, PDF, KycCase, picture

PAGE = "/my/privacy/identity"


@tagged("post_install", "-at_install")
class TestKycPortal(HttpCase, KycCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim_user = cls.create_user("kyc_karim", "base.group_portal", partner_id=cls.karim.id)
        cls.rahim_user = cls.create_user("kyc_rahim", "base.group_portal", partner_id=cls.rahim.id)

    def log_in(self, login="kyc_karim"):
        self.authenticate(login, f"{login}-password")

    def page(self):
        response = self.url_open(PAGE, timeout=60)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.content)

    def text_of(self, tree, name):
        nodes = tree.xpath(f"//main//*[@name='{name}']")
        return " ".join(nodes[0].text_content().split()) if nodes else None

    def send(self, kind="nid", number=NID, with_token=True, **files):
        data = {"kind": kind, "number": number}
        if with_token:
            tree = html.fromstring(self.url_open("/my/privacy/new", timeout=60).content)
            data["csrf_token"] = tree.xpath("//form//input[@name='csrf_token']/@value")[0]
        files = files or {"front": picture(), "back": picture(colour="red")}
        uploads = {name: (f"{name}.jpg", io.BytesIO(file)) for name, file in files.items()}
        return self.url_open(PAGE, data=data, files=uploads, timeout=60)

    def documents(self, partner=None):
        return self.env["privacy.kyc"].search([("partner_id", "=", (partner or self.karim).id)])

    def test_a_customer_sends_the_own_document(self):
        self.log_in()
        self.assertTrue(self.page().xpath("//form[@name='send_identity']"))
        tree = html.fromstring(self.send().content)
        self.assertEqual(self.text_of(tree, "identity_state"), "Submitted")
        self.assertFalse(tree.xpath("//form[@name='send_identity']"))
        kyc = self.documents()
        self.assertEqual((kyc.state, kyc.number, kyc.company_id), ("submitted", NID, self.company))
        self.assertEqual(kyc.captured_by_ids, self.karim_user)
        self.assertEqual(sorted(kyc.document_ids.mapped("side")), ["back", "front"])
        self.assertNotIn(b"CANARY", self.bytes_on_disk())
        # One officer checks, another one approves.
        kyc.with_user(self.amina).action_check()
        kyc.with_user(self.bashir).action_approve()
        self.assertEqual(self.text_of(self.page(), "identity_state"), "Approved")

    @proves("P-03")
    def test_it_is_never_shown_back(self):
        self.log_in()
        self.send()
        response = self.url_open(PAGE, timeout=60)
        self.assertIn("••••" + NID[-4:], response.text)
        self.assertNotIn(NID, response.text)
        tree = html.fromstring(response.content)
        self.assertFalse(tree.xpath("//main//img[contains(@src, 'identity')]"))
        self.assertFalse(tree.xpath("//main//a[contains(@href, 'isp_privacy/identity')]"))

    def test_a_pdf_is_taken(self):
        self.log_in()
        self.send("business", "TRAD/1234", document=PDF)
        self.assertEqual(self.documents().document_ids.mapped("mimetype"), ["application/pdf"])

    def test_what_is_refused_leaves_nothing(self):
        self.log_in()
        svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
        for arguments, words in (
            ({"number": "123"}, "must have 10 or 13 or 17"),
            ({"number": " "}, "Type the number"),
            ({"kind": "membership"}, "Choose which document"),
            ({"front": picture()}, "missing: Back"),
            ({"front": picture(), "back": svg}, "JPEG or PNG"),
            ({"front": picture(), "back": b""}, "missing: Back|empty"),
        ):
            with self.subTest(words=words):
                response = self.send(**arguments)
                self.assertEqual(response.status_code, 200)
                error = self.text_of(html.fromstring(response.content), "error")
                self.assertRegex(error or "", words)
                self.assertFalse(self.documents())

    def test_a_file_that_is_too_large(self):
        self.log_in()
        with patch.object(upload, "MAX_BYTES", 1000):
            response = self.send("passport", "AB1234567", front=PDF)
        self.assertIn("larger", self.text_of(html.fromstring(response.content), "error"))
        self.assertFalse(self.documents())

    @mute_logger("odoo.http", "werkzeug")
    def test_a_form_without_its_token_is_refused(self):
        self.log_in()
        self.assertEqual(self.send(with_token=False).status_code, 400)
        self.assertFalse(self.documents())

    def test_one_is_sent_at_a_time_and_a_rejected_one_again(self):
        self.log_in()
        self.send()
        again = self.text_of(html.fromstring(self.send().content), "error")
        self.assertIn("looking at your document already", again)
        kyc = self.documents()
        kyc.with_user(self.amina).rejection_reason = "The back is blurred: once more, please."
        kyc.with_user(self.amina).action_reject()
        tree = self.page()
        self.assertIn("blurred", self.text_of(tree, "rejection_reason"))
        self.assertTrue(tree.xpath("//form[@name='send_identity']"))
        self.send()
        self.assertEqual(self.documents().mapped("state"), ["submitted", "rejected"])
        second = self.documents()[0]
        second.with_user(self.amina).action_check()
        second.with_user(self.bashir).action_approve()
        done = self.text_of(html.fromstring(self.send("passport", "AB1234567").content), "error")
        self.assertIn("confirmed already", done)

    def test_everybody_sees_the_own_only(self):
        self.log_in()
        self.send()
        self.log_in("kyc_rahim")
        response = self.url_open(PAGE, timeout=60)
        self.assertNotIn(NID[-4:], response.text)
        self.assertFalse(html.fromstring(response.content).xpath("//*[@name='identity_document']"))

    def test_the_page_of_requests_leads_there(self):
        self.log_in()
        tree = html.fromstring(self.url_open("/my/privacy", timeout=60).content)
        self.assertEqual(tree.xpath("//main//a[@name='identity']/@href"), [PAGE])
