import io
import zipfile
from unittest.mock import patch

from lxml import html

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..models.privacy_export import PrivacyExport
from .export_common import ExportCase

HTTP_LOG = "odoo.http"


@tagged("post_install", "-at_install")
class TestExportPortal(HttpCase, ExportCase):
    """P-35: the person fetches the package; nobody else does, and not for ever."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.karim_user = cls.create_user(
            "privacy_karim", "base.group_portal", partner_id=cls.karim.id
        )
        cls.rahim_user = cls.create_user(
            "privacy_rahim", "base.group_portal", partner_id=cls.rahim.id
        )

    def setUp(self):
        super().setUp()
        self.export = self.make()
        self.request = self.export.request_id
        self.url = f"/my/privacy/{self.request.id}"

    def log_in(self, login="privacy_karim"):
        self.authenticate(login, f"{login}-password")

    def tree(self, response):
        return html.fromstring(response.content)

    def text_of(self, tree, name):
        nodes = tree.xpath(f"//main//*[@name='{name}']")
        return " ".join(nodes[0].text_content().split()) if nodes else None

    def ask(self, password="privacy_karim-password", follow=True):
        """Confirm with the password, as the form of the page does."""
        page = self.tree(self.url_open("/my/privacy/new", timeout=60))
        token = page.xpath("//form//input[@name='csrf_token']/@value")[0]
        return self.url_open(
            f"{self.url}/package",
            data={"csrf_token": token, "password": password},
            allow_redirects=follow,
            timeout=60,
        )

    def get_link(self):
        response = self.ask(follow=False)
        self.assertEqual(response.status_code, 303)
        return response.headers["Location"]

    def downloads(self):
        return self.env["privacy.audit"].search(
            [
                ("model", "=", "privacy.export"),
                ("res_id", "=", self.export.id),
                ("action", "=", "download"),
            ]
        )

    # === FETCHING === #

    def test_the_person_fetches_it_after_the_password(self):
        self.log_in()
        page = self.tree(self.url_open(self.url, timeout=60))
        self.assertIn("3 more times", self.text_of(page, "package_ready"))
        response = self.ask()
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers["Content-Type"], "application/zip")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertIn(self.export.name, response.headers["Content-Disposition"])
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            self.assertIsNone(archive.testzip())
            self.assertIn(b"karim@customer.example", archive.read("data/res.partner.json"))
        self.assertEqual(self.export.download_count, 1)
        row = self.downloads()
        self.assertEqual(row.actor_id, self.karim_user.id)
        self.assertEqual(row.subject, self.env["privacy.audit"]._pseudonym(self.karim))
        page = self.tree(self.url_open(self.url, timeout=60))
        self.assertIn("2 more times", self.text_of(page, "package_ready"))

    def test_a_wrong_password_opens_nothing(self):
        self.log_in()
        with mute_logger("odoo.addons.base.models.res_users"):
            for wrong in ("", "nonsense", "privacy_rahim-password"):
                page = self.tree(self.ask(wrong))
                self.assertIn("password is not right", self.text_of(page, "error"))
        self.assertFalse(self.export.token_hash)
        self.assertEqual(self.export.download_count, 0)

    @mute_logger(HTTP_LOG)
    def test_a_link_works_once(self):
        self.log_in()
        link = self.get_link()
        self.assertEqual(self.url_open(link, timeout=60).status_code, 200)
        self.assertEqual(self.url_open(link, timeout=60).status_code, 404)
        self.assertEqual(self.export.download_count, 1)

    @mute_logger(HTTP_LOG)
    def test_a_new_link_replaces_the_one_before(self):
        self.log_in()
        first, second = self.get_link(), self.get_link()
        self.assertEqual(self.url_open(first, timeout=60).status_code, 404)
        self.assertEqual(self.url_open(second, timeout=60).status_code, 200)

    def test_the_database_knows_only_the_hash(self):
        self.log_in()
        token = self.get_link().rpartition("/")[2]
        self.assertGreater(len(token), 40)
        self.env.cr.execute(
            "SELECT row_to_json(e)::text FROM privacy_export e WHERE id = %s", [self.export.id]
        )
        self.assertNotIn(token, self.env.cr.fetchone()[0])

    # === NOBODY ELSE === #

    @mute_logger(HTTP_LOG)
    def test_the_link_of_somebody_else_is_not_found(self):
        self.log_in()
        link = self.get_link()
        for login in ("privacy_rahim", "privacy_nasrin", "privacy_auditor"):
            with self.subTest(login=login):
                self.log_in(login)
                response = self.url_open(link, timeout=60)
                self.assertEqual(response.status_code, 404)
                self.assertNotIn(b"PK\x03\x04", response.content)
        self.assertEqual(self.export.download_count, 0)
        self.log_in()
        self.assertEqual(self.url_open(link, timeout=60).status_code, 200, "it was not used up")

    def test_a_visitor_is_led_to_the_login(self):
        self.log_in()
        link = self.get_link()
        self.authenticate(None, None)
        response = self.url_open(link, timeout=60)
        self.assertIn("/web/login", response.url)
        self.request._portal_ensure_token()
        page = self.tree(self.url_open(self.request.get_portal_url(), timeout=60))
        self.assertFalse(page.xpath("//form[@name='fetch']"), "the token of a letter is no proof")
        self.assertTrue(page.xpath("//a[@name='package_login']"))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_the_request_of_somebody_else_gives_no_link(self):
        self.log_in("privacy_rahim")
        response = self.ask("privacy_rahim-password")
        self.assertTrue(response.url.endswith("/my"), response.url)
        self.log_in("privacy_nasrin")
        response = self.ask("privacy_nasrin-password")
        self.assertTrue(response.url.endswith("/my"), response.url)
        self.assertFalse(self.export.token_hash)

    @mute_logger(HTTP_LOG)
    def test_nonsense_is_not_found(self):
        self.log_in()
        for token in ("x", "ä", "a" * 3000, "..%2F..%2Fetc"):
            with self.subTest(token=token[:10]):
                response = self.url_open(f"/my/privacy/package/{token}", timeout=60)
                self.assertEqual(response.status_code, 404)

    @mute_logger(HTTP_LOG)
    def test_another_site_gets_no_link(self):
        self.log_in()
        response = self.url_open(
            f"{self.url}/package", data={"password": "privacy_karim-password"}, timeout=60
        )
        self.assertEqual(response.status_code, 400)
        self.assertEqual(self.url_open(f"{self.url}/package", timeout=60).status_code, 405)
        self.assertFalse(self.export.token_hash)

    # === NOT FOR EVER === #

    @mute_logger(HTTP_LOG)
    def test_there_is_no_fourth_time(self):
        self.log_in()
        for count in range(1, 4):
            self.assertEqual(self.ask().headers["Content-Type"], "application/zip")
            self.assertEqual(self.export.download_count, count)
        self.assertEqual(self.export.state, "fetched")
        response = self.ask()
        self.assertIn("not there any more", self.text_of(self.tree(response), "error"))
        page = self.tree(self.url_open(self.url, timeout=60))
        self.assertIn("was deleted", self.text_of(page, "package_gone"))
        self.assertFalse(page.xpath("//form[@name='fetch']"))
        self.assertEqual(len(self.downloads()), 3)
        with patch("odoo.addons.isp_privacy.models.privacy_sealed.ORPHAN_HOURS", -1):
            self.export._delete_orphans()
        self.assertEqual(self.files(), [])

    @mute_logger(HTTP_LOG)
    def test_after_seven_days_it_is_gone(self):
        self.log_in()
        link = self.get_link()
        self.export.expires_on = fields.Datetime.subtract(fields.Datetime.now(), seconds=1)
        self.assertEqual(self.url_open(link, timeout=60).status_code, 404)
        self.assertIn("not there any more", self.text_of(self.tree(self.ask()), "error"))
        self.build()
        self.assertEqual((self.export.state, self.export.token_hash), ("expired", False))
        path = self.export._get_path(self.export.store_name)
        with patch("odoo.addons.isp_privacy.models.privacy_sealed.ORPHAN_HOURS", -1):
            self.export._delete_orphans()
        with self.assertRaises(FileNotFoundError), open(path, "rb"):
            pass

    def test_one_second_before_it_is_there(self):
        with self.at(fields.Datetime.subtract(self.export.expires_on, seconds=1)):
            self.assertTrue(self.export._is_available())
        with self.at(self.export.expires_on):
            self.assertFalse(self.export._is_available())

    @mute_logger(HTTP_LOG)
    def test_a_link_that_was_not_followed_dies(self):
        self.log_in()
        link = self.get_link()
        self.export.token_expires_on = fields.Datetime.now()
        self.assertEqual(self.url_open(link, timeout=60).status_code, 404)

    @mute_logger("odoo.addons.isp_privacy.models.privacy_sealed")
    def test_a_damaged_file_is_told(self):
        self.log_in()
        with open(self.export._get_path(self.export.store_name), "r+b") as file:
            file.truncate(100)
        page = self.tree(self.ask())
        self.assertIn("made anew", self.text_of(page, "error"))
        self.assertEqual(self.export.download_count, 0)

    # === PROGRESS === #

    def test_the_page_shows_how_far_it_is(self):
        request = self.execute("portability")
        self.log_in()
        page = self.tree(self.url_open(f"/my/privacy/{request.id}", timeout=60))
        self.assertEqual(self.text_of(page, "progress"), "0%")
        self.assertFalse(page.xpath("//form[@name='fetch']"))
        with patch.object(PrivacyExport, "_get_downloads_left", lambda _self: 1):
            page = self.tree(self.url_open(self.url, timeout=60))
            self.assertIn("once more", self.text_of(page, "package_ready"))
