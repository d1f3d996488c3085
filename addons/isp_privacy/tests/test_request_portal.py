from lxml import html

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .request_common import PrivacyRequestCase


@tagged("post_install", "-at_install")
class TestRequestPortal(PrivacyRequestCase, HttpCase):
    """The customer's pages: only the own requests, and only by the own hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim_user = cls.create_user(
            "privacy_karim", "base.group_portal", partner_id=cls.karim.id
        )
        cls.rahim_user = cls.create_user(
            "privacy_rahim", "base.group_portal", partner_id=cls.rahim.id
        )
        cls.own = cls.create_request(words="All my bills")
        cls.foreign = cls.create_request(partner=cls.rahim, words="Secret of Rahim")

    def log_in(self, login="privacy_karim"):
        self.authenticate(login, f"{login}-password")

    def page(self, url):
        response = self.url_open(url, timeout=60)
        self.assertEqual(response.status_code, 200)
        return response, html.fromstring(response.content)

    def text_of(self, tree, name):
        nodes = tree.xpath(f"//main//*[@name='{name}']")
        return " ".join(nodes[0].text_content().split()) if nodes else None

    def post(self, url, with_token=True, **data):
        if with_token:
            tree = self.page("/my/privacy/new")[1]
            data["csrf_token"] = tree.xpath("//form//input[@name='csrf_token']/@value")[0]
        return self.url_open(url, data=data, timeout=60)

    # === WHO SEES WHAT === #

    def test_a_customer_sees_the_own_requests(self):
        self.log_in()
        response, tree = self.page("/my/privacy")
        self.assertEqual(len(tree.xpath("//a[@name='request_card']")), 1)
        self.assertIn(self.own.name, response.text)
        self.assertNotIn(self.foreign.name, response.text)
        response, tree = self.page(f"/my/privacy/{self.own.id}")
        self.assertEqual(self.text_of(tree, "reference"), self.own.name)
        self.assertEqual(self.text_of(tree, "request_state"), "Received")
        self.assertEqual(self.text_of(tree, "words"), "All my bills")

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_the_request_of_somebody_else_is_not_found(self):
        self.log_in()
        missing = self.foreign.id + 1000
        for request_id in (self.foreign.id, missing):
            with self.subTest(request=request_id):
                response = self.url_open(f"/my/privacy/{request_id}")
                self.assertTrue(response.url.endswith("/my"), response.url)
                self.assertNotIn("Secret of Rahim", response.text)
                for action in ("withdraw", "confirm"):
                    response = self.post(
                        f"/my/privacy/{request_id}/{action}", password="privacy_karim-password"
                    )
                    self.assertTrue(response.url.endswith("/my"), response.url)
        self.assertEqual(self.foreign.state, "received")

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_a_visitor_needs_the_token(self):
        token = self.own._portal_ensure_token()
        for query in (
            "",
            "?access_token=",
            "?access_token=x",
            f"?access_token={token[:-1]}",
            "?access_token=ä",
        ):
            with self.subTest(query=query):
                response = self.url_open(f"/my/privacy/{self.own.id}{query}")
                self.assertIn("/web/login", response.url)
                self.assertNotIn(self.own.name, response.text)
        response, tree = self.page(self.own.get_portal_url())
        self.assertEqual(self.text_of(tree, "reference"), self.own.name)
        self.assertFalse(tree.xpath("//form[@name='confirm']"), "a token is no proof")
        for url in ("/my/privacy", "/my/privacy/new"):
            self.assertIn("/web/login", self.url_open(url).url)

    def test_a_number_that_is_none(self):
        self.log_in()
        for number in ("99999999999999999999", "x", "0x10"):
            with self.subTest(number=number):
                response = self.url_open(f"/my/privacy/{number}")
                self.assertEqual(response.status_code, 404)

    def test_staff_reads_it_but_does_not_withdraw_it(self):
        self.log_in("privacy_auditor")
        tree = self.page(f"/my/privacy/{self.own.id}")[1]
        self.assertEqual(self.text_of(tree, "reference"), self.own.name)
        response = self.post(f"/my/privacy/{self.own.id}/withdraw")
        self.assertTrue(response.url.endswith("/my"), response.url)
        self.assertEqual(self.own.state, "received")

    def test_staff_without_a_role_has_a_page_too(self):
        self.create_user("privacy_clerk", "base.group_user")
        self.log_in("privacy_clerk")
        self.assertTrue(self.page("/my/privacy")[1].xpath("//*[@name='no_request']"))
        self.page("/my/privacy/new")

    def test_the_home_page_leads_there_and_counts_what_is_open(self):
        self.log_in()
        self.assertTrue(self.page("/my")[1].xpath("//a[@href='/my/privacy']"))
        counters = {"counters": ["privacy_request_count"]}
        values = self.make_jsonrpc_request("/my/counters", counters)
        self.assertEqual(values["privacy_request_count"], 1)
        self.own._withdraw("Enough")
        values = self.make_jsonrpc_request("/my/counters", counters)
        self.assertEqual(values["privacy_request_count"], 0)

    # === SENDING === #

    def test_a_request_is_sent_confirmed_and_withdrawn(self):
        self.log_in()
        response = self.post("/my/privacy/new", request_type="erasure", words="All of it")
        sent = self.env["privacy.request"].search([("request_type", "=", "erasure")])
        self.assertTrue(response.url.endswith(f"/my/privacy/{sent.id}"), response.url)
        self.assertEqual(
            (sent.partner_id, sent.words, sent.channel, sent.state, sent.company_id),
            (self.karim, "All of it", "portal", "identity_pending", self.company),
        )
        confirm = f"/my/privacy/{sent.id}/confirm"
        with mute_logger("odoo.addons.base.models.res_users"):
            for wrong in ("", "nonsense"):
                tree = html.fromstring(self.post(confirm, password=wrong).content)
                self.assertIn("password is not right", self.text_of(tree, "error"))
                self.assertEqual(sent.state, "identity_pending")
        self.post(confirm, password="privacy_karim-password")
        self.assertEqual((sent.state, sent.identity_method), ("verified", "reauth"))
        self.assertEqual(sent.identity_user_id, self.karim_user)
        self.post(f"/my/privacy/{sent.id}/withdraw")
        self.assertEqual(sent.state, "withdrawn")
        self.assertEqual(sent.event_ids.sorted("id")[-1].user_id, self.karim_user)
        tree = html.fromstring(self.post(f"/my/privacy/{sent.id}/withdraw").content)
        self.assertFalse(tree.xpath("//form[@name='withdraw']"), "what has ended stays so")

    def test_the_token_of_a_letter_withdraws(self):
        self.own._portal_ensure_token()
        tree = self.page(self.own.get_portal_url())[1]
        form = tree.xpath("//form[@name='withdraw']")[0]
        self.url_open(form.get("action"), data=dict(form.form_values()))
        self.assertEqual(self.own.state, "withdrawn")

    @mute_logger("odoo.http")
    def test_what_comes_from_another_site_is_refused(self):
        self.log_in()
        count = self.env["privacy.request"].search_count([])
        for url in ("/my/privacy/new", f"/my/privacy/{self.own.id}/withdraw"):
            with self.subTest(url=url):
                response = self.post(url, with_token=False, request_type="complaint")
                self.assertEqual(response.status_code, 400)
        self.assertEqual(self.env["privacy.request"].search_count([]), count)
        self.assertEqual(self.own.state, "received")

    @mute_logger("odoo.http")
    def test_a_link_withdraws_nothing(self):
        self.log_in()
        for action in ("withdraw", "confirm"):
            response = self.url_open(f"/my/privacy/{self.own.id}/{action}")
            self.assertEqual(response.status_code, 405)
        self.assertEqual(self.own.state, "received")

    def test_the_limit_is_told_and_the_words_are_kept(self):
        self.profile.requests_per_hour = 1
        self.log_in()
        self.post("/my/privacy/new", request_type="complaint", words="First")
        response = self.post("/my/privacy/new", request_type="nomination", words="My sister")
        tree = html.fromstring(response.content)
        self.assertIn("wait an hour", self.text_of(tree, "error"))
        self.assertEqual(tree.xpath("//textarea")[0].text_content(), "My sister")
        self.assertFalse(self.env["privacy.request"].search([("request_type", "=", "nomination")]))

    def test_nonsense_is_told(self):
        self.log_in()
        for request_type in ("", "nonsense"):
            response = self.post("/my/privacy/new", request_type=request_type, words="?")
            tree = html.fromstring(response.content)
            self.assertIn("Choose what you ask for", self.text_of(tree, "error"))

    def test_nobody_asks_for_somebody_else(self):
        self.log_in()
        self.post(
            "/my/privacy/new",
            request_type="complaint",
            words="Mine",
            partner_id=str(self.rahim.id),
            state="done",
            company_id="1",
        )
        sent = self.env["privacy.request"].search([("request_type", "=", "complaint")])
        self.assertEqual((sent.partner_id, sent.company_id), (self.karim, self.company))
