"""Pictures of identity documents: sealed, cleaned, opened by a deliberate act, deleted for good."""

import io
import os
from contextlib import closing
from unittest.mock import patch

from PIL import Image

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from ..engine import upload
from ..eraser import Eraser
from ..models.privacy_purge_scope import PurgeScope
from .export_common import ExportCase
from .kyc_common import CAMERA, NID, PDF, KycCase, as_upload, picture


def content_of(document):
    with closing(document.sudo()._open_file(document.sudo().store_name)) as stream:
        return stream.read()


@tagged("post_install", "-at_install")
class TestKycFiles(KycCase):
    def add(self, kyc, content, side="front"):
        return self.Document.with_user(self.amina).create(
            {"kyc_id": kyc.id, "side": side, "upload": as_upload(content)}
        )

    @proves("P-03", "P-13")
    def test_nothing_of_it_is_on_the_disk_or_in_the_database_in_clear(self):
        kyc = self.capture(sides=())
        self.add(kyc, picture())
        scan = self.add(kyc, PDF, "document")
        self.assertEqual(content_of(scan), PDF)
        on_disk = self.bytes_on_disk()
        self.assertGreater(len(on_disk), len(PDF))
        for clear in (b"CANARY", b"%PDF-", b"JFIF", NID.encode()):
            self.assertNotIn(clear, on_disk)
        self.env.flush_all()
        for table in ("privacy_kyc", "privacy_kyc_document", "privacy_audit"):
            self.env.cr.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            text = self.env.cr.fetchone()[0]
            self.assertNotIn(NID, text)
            self.assertNotIn(NID[-13:], text)
        self.assertFalse(
            self.env["ir.attachment"]
            .with_context(skip_res_field_check=True)
            .search_count([("res_model", "in", ("privacy.kyc", "privacy.kyc.document"))])
        )

    @proves("P-03")
    def test_each_opening_is_one_row_of_the_audit_chain(self):
        front = self.capture().document_ids[0].with_user(self.bashir)
        self.assertEqual(front.action_open()["url"], f"/isp_privacy/identity/{front.id}")
        self.assertFalse(self.audit_of(front, "open"))
        with closing(front._open_logged()) as stream:
            self.assertTrue(stream.read().startswith(b"\xff\xd8\xff"))
        row = self.audit_of(front, "open")
        self.assertEqual(len(row), 1)
        self.assertEqual(row.actor_id, self.bashir.id)
        self.assertEqual(row.subject, self.env["privacy.audit"]._pseudonym(self.karim))
        front._open_logged().close()
        self.assertEqual(len(self.audit_of(front, "open")), 2)

    def test_pictures_lose_what_the_camera_wrote(self):
        original = picture()
        self.assertIn(CAMERA, original)
        for kind in ("JPEG", "PNG"):
            with self.subTest(kind=kind):
                kyc = self.capture(
                    sides=(), partner=self.create_partner("P", "p@p.example"), number="1234567890"
                )
                front = self.add(kyc, picture(kind=kind))
                stored = content_of(front)
                self.assertEqual(front.mimetype, upload.JPEG)
                self.assertNotIn(b"CANARY", stored)
                self.assertNotIn(b"Exif", stored)
                with Image.open(io.BytesIO(stored)) as clean:
                    self.assertEqual(clean.size, (320, 200))
                    self.assertFalse(clean.getexif())

    def test_other_files_are_refused(self):
        kyc = self.capture(sides=())
        html_in_jpeg = b"\xff\xd8\xff<script>alert(1)</script>"
        for content, words in (
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "JPEG or PNG"),
            (b"<!DOCTYPE html><html/>", "JPEG or PNG"),
            (b"GIF89a" + b"\0" * 40, "JPEG or PNG"),
            (b"MZ\x90\x00", "JPEG or PNG"),
            (html_in_jpeg, "damaged"),
            (picture()[:300], "damaged"),
        ):
            with self.subTest(content=content[:12]), self.assertRefused(UserError, words):
                self.add(kyc, content)
        with patch.object(upload, "MAX_BYTES", 1000), self.assertRefused(UserError, "larger"):
            self.add(kyc, PDF)
        with patch.object(upload, "MAX_PIXELS", 99), self.assertRefused(UserError, "pixels"):
            self.add(kyc, picture())
        with self.assertRefused(UserError, "once more"):
            self.Document.with_user(self.amina).create({"kyc_id": kyc.id, "upload": "no base64!"})

    def test_a_document_has_not_any_number_of_pictures(self):
        kyc = self.capture(sides=())
        with (
            patch("odoo.addons.isp_privacy.models.privacy_kyc_document.MAX_DOCUMENTS", 1),
            self.assertRefused(UserError, "at most 1 "),
        ):
            self.add(kyc, picture())
            self.add(kyc, picture())

    def test_a_file_opens_under_its_own_name_and_key_only(self):
        kyc = self.capture()
        front, back = kyc.document_ids.sudo()
        with mute_logger("odoo.addons.isp_privacy.models.privacy_sealed"):
            os.replace(front._get_path(back.store_name), front._get_path(front.store_name))
            for document in (front, back):
                with self.assertRefused(UserError, "gone or damaged"):
                    document._open_file(document.store_name)

    def test_a_replaced_picture_is_deleted(self):
        kyc = self.capture(sides=("front",))
        before = self.files()
        kyc.document_ids.upload = as_upload(picture(colour="white"))
        self.run_deletions()
        self.assertEqual(len(self.files()), 1)
        self.assertNotEqual(self.files(), before)

    def test_a_file_that_no_row_names_is_deleted_in_time(self):
        kyc = self.capture()
        kept = self.files()
        with open(os.path.join(self.kyc_folder, "f" * 32), "wb") as file:
            file.write(b"left")
        self.env["privacy.kyc"]._cron_daily()
        self.assertEqual(len(self.files()), 3, "it may belong to a transaction that runs")
        with patch("odoo.addons.isp_privacy.models.privacy_sealed.ORPHAN_HOURS", -1):
            self.env["privacy.kyc"]._cron_daily()
        self.assertEqual(self.files(), kept)
        self.assertTrue(content_of(kyc.document_ids[0]))

    @proves("P-13")
    def test_a_rotation_encrypts_keys_again_and_touches_no_file(self):
        kyc = self.capture()
        before = {document: content_of(document) for document in kyc.document_ids}
        stamps = [os.stat(os.path.join(self.kyc_folder, name)).st_mtime_ns for name in self.files()]
        self.use_keys("k2", "k1", "k2")
        self.assertEqual(self.Document._rotate_keys(), 2)
        self.assertEqual(self.env["privacy.kyc"]._rotate_keys(), 1)
        self.assertEqual(
            stamps,
            [os.stat(os.path.join(self.kyc_folder, name)).st_mtime_ns for name in self.files()],
        )
        self.use_keys("k2")
        self.assertEqual(kyc.number, NID)
        self.assertEqual({document: content_of(document) for document in before}, before)
        self.assertEqual(self.env["privacy.kyc"].search([("number", "=", NID)]), kyc)

    def test_without_keys_nothing_is_stored(self):
        kyc = self.capture(sides=())
        self.use_no_keys()
        with self.assertRefused(UserError, "ISP_KEY_FILE"):
            self.add(kyc, picture())
        self.assertFalse(self.files())

    # === ERASURE AND RETENTION === #

    def test_an_erasure_deletes_the_files(self):
        kyc = self.approve()
        theirs = self.capture(partner=self.rahim, number="1234567890")
        self.assertEqual(len(self.files()), 4)
        eraser = Eraser(self.env, self.karim, "pseudonym")
        names = eraser.list_models()
        self.assertLess(names.index("privacy.kyc.document"), names.index("privacy.kyc"))
        for name in ("privacy.kyc.document", "privacy.kyc"):
            eraser.erase(eraser.search(name, 0, 100))
        self.assertFalse(kyc.exists())
        self.assertEqual(len(self.files()), 4, "a transaction that is rolled back needs them")
        self.run_deletions()
        self.assertEqual(len(self.files()), 2)
        self.assertTrue(content_of(theirs.document_ids[0]))

    def close_account(self, moment):
        """Requests stand for accounts, which are in an addon that this one must not know."""
        datamap = self.env["privacy.map.entry"]._get_map()
        for model_map in datamap.models.values():
            if model_map.account:
                self.patch(model_map, "account", None)
        account = {"closed": [("state", "=", "withdrawn")], "date": "closed_on"}
        self.patch(datamap.models["privacy.request"], "account", account)
        # The cache would forget the patches.
        self.patch(type(self.env["privacy.map.entry"]), "_get_map", lambda _entries: datamap)
        self.profile._get_rule("kyc").max_days = 90
        with self.at("2026-01-01 06:00:00"):
            request = self.create_request()
        with self.at(moment):
            request.with_user(self.nasrin)._move_to("withdrawn", "Closed")
        return request

    def due(self, moment, model):
        with self.at(moment):
            scope = PurgeScope(self.company, self.company._get_privacy_today())
            self.assertIn((model, "kyc"), scope.targets())
            return self.env[model].search(scope.get_domains(model, "kyc")[0])

    @proves("P-31")
    def test_documents_go_days_after_the_account_was_closed(self):
        with self.at("2020-01-01 06:00:00"):
            kyc = self.approve()
            self.capture(partner=self.rahim, number="1234567890")
        request = self.close_account("2026-01-31 06:00:00")
        # Ninety days after 31 January, by the calendar of Dhaka.
        for model, records in (("privacy.kyc", kyc), ("privacy.kyc.document", kyc.document_ids)):
            self.assertFalse(self.due("2026-05-01 17:59:59", model))
            self.assertEqual(self.due("2026-05-01 18:00:00", model), records)
        with self.at("2026-06-01 06:00:00"):
            request._write_step({"state": "in_review", "closed_on": False})
        self.assertFalse(self.due("2030-01-01 06:00:00", "privacy.kyc"))

    @proves("P-31")
    def test_the_purge_deletes_documents_and_their_files(self):
        with self.at("2020-01-01 06:00:00"):
            kyc = self.approve()
            theirs = self.capture(partner=self.rahim, number="1234567890")
        self.close_account("2026-01-31 06:00:00")
        with self.at("2026-05-01 18:00:00"):
            purge = self.env["privacy.purge"].create({"company_id": self.company.id})
            self.assertEqual(kyc.exists(), kyc)
            purge.action_start()
            while purge._purge_batch(500):
                pass
        self.assertFalse(kyc.exists())
        lines = purge.line_ids.filtered(lambda line: line.model.startswith("privacy.kyc"))
        self.assertTrue(lines)
        self.assertFalse(lines.filtered("error_count"))
        self.run_deletions()
        self.assertEqual(len(self.files()), 2)
        self.assertEqual(theirs.exists(), theirs)


@tagged("post_install", "-at_install")
class TestKycExport(ExportCase, KycCase):
    """The person gets the own documents, in clear; nobody else is in the package."""

    @proves("P-35")
    def test_number_and_pictures_are_in_the_package_of_the_person(self):
        kyc = self.approve()
        self.capture(partner=self.rahim, number="9876543210")
        documents = {content_of(document) for document in kyc.document_ids}
        contents = self.contents_of(self.make())
        [row] = self.rows_of(contents, "privacy.kyc")
        self.assertEqual((row["number"], row["kind"], row["state"]), (NID, "nid", "approved"))
        self.assertNotIn("captured_by_ids", row)
        handed_out = {
            content for path, content in contents.items() if path.startswith("documents/identity-")
        }
        self.assertEqual(handed_out, documents)
        self.assertFalse([path for path, content in contents.items() if b"9876543210" in content])


@tagged("post_install", "-at_install")
class TestKycRoute(HttpCase, KycCase):
    """The page on which an officer sees a picture."""

    def open(self, document, login):
        self.authenticate(login, f"{login}-password")
        return self.url_open(f"/isp_privacy/identity/{document.id}", timeout=60)

    def test_an_officer_sees_a_picture_and_it_is_written_down(self):
        front = self.capture().document_ids[0]
        response = self.open(front, "kyc_bashir")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.content, content_of(front))
        self.assertEqual(response.headers["Content-Type"], "image/jpeg")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("default-src 'none'", response.headers["Content-Security-Policy"])
        self.assertEqual(self.audit_of(front, "open").actor_id, self.bashir.id)

    def test_a_pdf_is_only_taken_away(self):
        kyc = self.capture(sides=())
        scan = self.Document.create(
            {"kyc_id": kyc.id, "side": "document", "upload": as_upload(PDF)}
        )
        response = self.open(scan, "kyc_bashir")
        self.assertEqual(response.content, PDF)
        self.assertTrue(response.headers["Content-Disposition"].startswith("attachment"))
        self.assertIn("sandbox", response.headers["Content-Security-Policy"])

    @mute_logger("odoo.http")
    def test_others_see_nothing_and_leave_no_row(self):
        front = self.capture().document_ids[0]
        self.create_user("kyc_karim", "base.group_portal", partner_id=self.karim.id)
        for login in ("kyc_support", "kyc_manager", "privacy_nasrin", "kyc_karim"):
            with self.subTest(login=login):
                self.assertEqual(self.open(front, login).status_code, 404)
        self.authenticate(None, None)
        response = self.url_open(f"/isp_privacy/identity/{front.id}", allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertFalse(self.audit_of(front, "open"))

    @mute_logger("odoo.http")
    def test_what_is_not_there(self):
        self.authenticate("kyc_bashir", "kyc_bashir-password")
        empty = self.Document.create({"kyc_id": self.capture(sides=()).id})
        for number in (empty.id, 2147483647, 99999999999):
            response = self.url_open(f"/isp_privacy/identity/{number}")
            self.assertEqual(response.status_code, 404)
