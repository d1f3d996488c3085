import re

from lxml import html

from odoo.tests import HttpCase, tagged

from odoo.addons.isp_base.tests.promises import proves

from ..models.ir_http import CHOICE_COOKIE, OPTIONAL_CLASSES
from .consent_common import ConsentCase

PAGES = (
    "/web/login",
    "/privacy",
    "/privacy/cookies",
    "/my",
    "/my/privacy",
    "/my/privacy/consents",
    "/my/privacy/new",
    "/my/security",
    "/my/addresses",
    "/nowhere",
)
SCRIPT = "window.counted = 1;"


@tagged("post_install", "-at_install")
class TestCookies(ConsentCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Cookie = cls.env["privacy.cookie"]
        cls.create_user("privacy_karim", "base.group_portal", partner_id=cls.karim.id)

    def log_in(self):
        self.authenticate("privacy_karim", "privacy_karim-password")

    def set_cookies(self, response):
        """Return ``{name: rest of the line}`` of what a server's answers set."""
        lines = []
        for answer in (*response.history, response):
            lines += answer.raw.headers.getlist("Set-Cookie")
        return {line.partition("=")[0]: line.partition("=")[2].lower() for line in lines}

    def crawl(self, with_choice=None):
        """Open the pages; return the cookies that they set."""
        found = {}
        for url in PAGES:
            if with_choice is not None:
                self.opener.cookies.set(CHOICE_COOKIE, with_choice)
            found |= self.set_cookies(self.url_open(url, timeout=60))
        return found

    def tree(self, url):
        return html.fromstring(self.url_open(url, timeout=60).content)

    def choose(self, answer, **ticked):
        [form] = self.tree("/privacy/cookies").xpath("//form[@name='cookies']")
        data = {"csrf_token": form.xpath(".//input[@name='csrf_token']/@value")[0]}
        return self.url_open(form.get("action"), data={**data, "answer": answer, **ticked})

    # === GATE === #

    @proves("P-44", "P-45", "P-46")
    def test_without_a_choice_only_essential_cookies_are_set(self):
        """P-44, P-45, P-46: every cookie is in the inventory, and of its class."""
        for logged_in in (False, True):
            if logged_in:
                self.log_in()
            found = self.crawl()
            with self.subTest(logged_in=logged_in):
                self.assertIn("session_id", {**found, **self.opener.cookies.get_dict()})
                classes = {name: self.Cookie._get_class(name) for name in found}
                self.assertLessEqual(set(classes.values()), {"essential"}, classes)

    def test_the_session_cookie_is_for_the_server_only(self):
        found = self.set_cookies(self.url_open("/web/login"))
        self.assertIn("httponly", found["session_id"])

    @proves("P-45")
    def test_with_the_choice_the_language_is_remembered(self):
        self.assertNotIn("frontend_lang", self.crawl("analytics-marketing"))
        self.assertIn("frontend_lang", self.crawl("functional"))

    def test_a_foreign_value_of_the_choice_chooses_nothing(self):
        for value in ("x", "", "essential", "functional;all", '{"optional": true}'):
            with self.subTest(value=value):
                self.assertNotIn("frontend_lang", self.crawl(re.sub('[;"]', "", value + "x")))

    @proves("P-45")
    def test_the_time_zone_waits_for_the_choice(self):
        pattern = "document.cookie = `tz="
        self.assertNotIn(pattern, self.url_open("/web/login").text)
        self.opener.cookies.set(CHOICE_COOKIE, "functional")
        self.assertIn(pattern, self.url_open("/web/login").text)

    @proves("P-09", "P-25", "P-46")
    def test_scripts_of_a_class_are_rendered_with_the_choice_only(self):
        """P-09, P-46."""
        for cookie_class in OPTIONAL_CLASSES:
            self.env["ir.ui.view"].create(
                {
                    "name": f"Script {cookie_class}",
                    "type": "qweb",
                    "inherit_id": self.env.ref(f"isp_privacy.{cookie_class}_scripts").id,
                    "arch": f"<xpath expr='.' position='inside'><script>{SCRIPT}//{cookie_class}"
                    "</script></xpath>",
                }
            )
        self.assertNotIn(SCRIPT, self.url_open("/web/login").text)
        for cookie_class in OPTIONAL_CLASSES:
            with self.subTest(cookie_class=cookie_class):
                self.opener.cookies.set(CHOICE_COOKIE, cookie_class)
                text = self.url_open("/web/login").text
                self.assertEqual(re.findall(re.escape(SCRIPT) + "//([a-z]+)", text), [cookie_class])

    def test_code_may_ask_by_class(self):
        self.assertEqual(self.Cookie._get_class("odoo_utm_campaign"), "marketing")
        self.assertIsNone(self.Cookie._get_class("session"))
        self.Cookie.create(
            {"name": "seen", "cookie_class": "analytics", "purpose": "x", "lifetime": "x"}
        )
        self.assertEqual(self.Cookie._get_class("seen"), "analytics", "the cache was emptied")

    # === CHOICE === #

    def test_the_banner_asks_until_there_is_a_choice(self):
        banner = "//section[@name='cookie_banner']"
        tree = self.tree("/web/login")
        buttons = tree.xpath(f"{banner}//button")
        self.assertEqual([one.get("value") for one in buttons], ["essential", "all"])
        self.assertEqual(len({one.get("class") for one in buttons}), 1, "none is more prominent")
        [form] = tree.xpath(f"{banner}//form")
        data = {**dict(form.form_values()), "answer": "essential"}
        response = self.url_open(form.get("action"), data=data)
        self.assertTrue(response.url.endswith("/web/login"), response.url)
        self.assertFalse(self.tree("/web/login").xpath(banner))
        self.assertEqual(self.opener.cookies.get(CHOICE_COOKIE), "none")

    @proves("P-47")
    def test_nothing_is_ticked_before_the_choice(self):
        """P-47: four classes, and always reachable."""
        tree = self.tree("/privacy/cookies")
        boxes = {
            box.get("name"): box
            for box in tree.xpath("//form[@name='cookies']//input[@type='checkbox']")
        }
        self.assertEqual(list(boxes), ["essential", *OPTIONAL_CLASSES])
        ticked = [name for name, box in boxes.items() if box.get("checked")]
        self.assertEqual(ticked, ["essential"])
        for name in boxes:
            self.assertTrue(tree.xpath(f"//label[@for='cookies_{name}']"), name)

    def test_a_choice_is_kept_and_shown(self):
        found = self.set_cookies(self.choose("chosen", analytics="on"))
        self.assertIn("samesite=lax", found[CHOICE_COOKIE])
        self.assertEqual(self.opener.cookies.get(CHOICE_COOKIE), "analytics")
        tree = self.tree("/privacy/cookies")
        ticked = tree.xpath("//form[@name='cookies']//input[@checked]/@name")
        self.assertEqual(ticked, ["essential", "analytics"])
        self.choose("all")
        self.assertEqual(self.opener.cookies.get(CHOICE_COOKIE), "functional-analytics-marketing")

    @proves("P-46")
    def test_a_withdrawal_deletes_the_cookies(self):
        """P-46."""
        self.choose("all")
        self.Cookie.create(
            {"name": "_stat*", "cookie_class": "analytics", "purpose": "x", "lifetime": "x"}
        )
        for name in ("_stat_1", "odoo_utm_source", "frontend_lang", "unknown"):
            self.opener.cookies.set(name, "1")
        found = self.set_cookies(self.choose("chosen", functional="on"))
        deleted = {name for name, rest in found.items() if "max-age=0" in rest}
        self.assertEqual(deleted, {"_stat_1", "odoo_utm_source"})

    def test_the_answer_leads_nowhere_else(self):
        for back in ("https://evil.example/", "//evil.example/"):
            with self.subTest(back=back):
                response = self.choose("all", back=back)
                self.assertNotIn("evil", response.url)
