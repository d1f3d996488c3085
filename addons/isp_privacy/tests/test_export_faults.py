import os
from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.privacy_export_build import MAX_ATTEMPTS
from ..models.privacy_export_plan import PrivacyExport as Plan
from ..models.privacy_export_reader import PrivacyExportReader as Reader
from .export_common import ExportCase

BUILD_LOG = "odoo.addons.isp_privacy.models.privacy_export_build"
REQUEST_LOG = "odoo.addons.isp_privacy.models.privacy_request_execute"
STORE_LOG = "odoo.addons.isp_privacy.models.privacy_sealed"


@tagged("post_install", "-at_install")
class TestExportFaults(ExportCase):
    """What goes wrong while a package is made."""

    def assert_failed(self, request, *words):
        export = self.export_of(request)
        self.assertEqual((request.state, export.state), ("failed", "failed"))
        for word in words:
            self.assertIn(word, export.problem)
            self.assertIn(word, request.event_ids.sorted("id")[-1].reason)
        self.assertTrue(self.activities_of(request, "task"))
        return export

    def failing(self, error, at=0):
        """Let the making of a part fail, after ``at`` good ones."""
        made = []

        def make_part(export, part):
            if len(made) == at:
                raise error
            made.append((part.kind, part.path))
            return make(export, part)

        make = Plan._make_part
        return made, patch.object(Plan, "_make_part", make_part)

    # === CRASHES === #

    def test_after_a_crash_it_goes_on_where_it_was(self):
        request = self.execute()
        made, patcher = self.failing(psycopg2.OperationalError("gone"), at=3)
        with patcher:
            self.build_and_crash(psycopg2.OperationalError)
        export = self.export_of(request)
        done = export.part_ids.filtered(lambda part: part.state == "done")
        self.assertEqual((request.state, export.state, len(done)), ("executing", "building", 3))
        self.assertTrue(0 < export.progress < 100)
        self.assertFalse([name for name in self.files() if name.endswith(".tmp")])
        self.assertLessEqual(set(done.mapped("store_name")), set(self.files()))
        again, patcher = self.failing(None, at=-1)
        with patcher:
            self.build()
        self.assertEqual((request.state, export.state), ("done", "ready"))
        self.assertEqual(set(made) & set(again), set(), "no part was made twice")
        self.assertEqual(len(made) + len(again), len(export.part_ids))
        self.assertIn("README.txt", self.contents_of(export))

    def test_a_crash_in_the_last_step(self):
        request = self.execute()
        with patch.object(
            type(self.env["privacy.export"]),
            "_check_package",
            side_effect=psycopg2.OperationalError("gone"),
        ):
            self.build_and_crash(psycopg2.OperationalError)
        self.assertEqual(self.export_of(request).state, "building")
        self.assertFalse(self.letters_of(request).filtered(lambda m: "carried out" in m.body_html))
        self.build()
        self.assertEqual(self.export_of(request).state, "ready")
        self.contents_of(self.export_of(request))

    @mute_logger(REQUEST_LOG)
    def test_what_ends_the_process_is_not_tried_for_ever(self):
        request = self.execute()
        for number in range(MAX_ATTEMPTS):
            made, patcher = self.failing(psycopg2.OperationalError("killed"))
            with patcher:
                self.build_and_crash(psycopg2.OperationalError)
            self.assertEqual(request.state, "executing", f"attempt {number}")
        with patcher:
            self.build()
        self.assertFalse(made)
        self.assert_failed(request, "interrupted 3 times", ".json")

    # === ERRORS === #

    @mute_logger(BUILD_LOG, REQUEST_LOG)
    def test_an_error_is_told_without_its_words_and_stops_no_other(self):
        first, second = self.execute(), self.execute(partner=self.rahim)
        make = Plan._make_part

        def make_part(export, part):
            if export.request_id == first:
                raise KeyError("karim@customer.example")
            return make(export, part)

        with patch.object(Plan, "_make_part", make_part):
            self.build()
        export = self.assert_failed(first, "KeyError", "log of the server")
        self.assertNotIn("karim", export.problem)
        self.assertEqual(second.state, "done")

    @mute_logger(BUILD_LOG, REQUEST_LOG)
    def test_a_full_disk(self):
        request = self.execute()
        error = OSError(28, "No space left on device")
        with self.failing(error)[1]:
            self.build()
        self.assert_failed(request, "cannot be written", "No space left")

    @mute_logger(BUILD_LOG, REQUEST_LOG)
    def test_a_failed_one_is_tried_anew(self):
        request = self.execute()
        with self.failing(OSError(28, "No space left on device"))[1]:
            self.build()
        request.with_user(self.farid).action_proceed()
        self.assertEqual(request.state, "executing")
        self.build()
        self.assertEqual(request.state, "done")
        self.assertEqual(request.export_ids.mapped("state"), ["ready", "failed"])

    @mute_logger(REQUEST_LOG)
    def test_without_keys_nothing_is_begun(self):
        request = self.bring(self.create_request(), "approved")
        self.use_no_keys()
        request.with_user(self.farid).action_proceed()
        self.assertEqual(request.state, "failed")
        self.assertIn("keys", request.event_ids.sorted("id")[-1].reason)
        self.assertFalse(request.export_ids)

    @mute_logger(BUILD_LOG, REQUEST_LOG, STORE_LOG)
    def test_a_part_that_was_damaged_meanwhile(self):
        request = self.execute()
        _made, patcher = self.failing(psycopg2.OperationalError("gone"), at=2)
        with patcher:
            self.build_and_crash(psycopg2.OperationalError)
        part = self.export_of(request).part_ids[0]
        with open(os.path.join(self.folder, part.store_name), "r+b") as file:
            file.seek(30)
            file.write(b"\x00\x01\x02\x03")
        self.build()
        self.assert_failed(request, "damaged")

    # === STATES OF THE REQUEST === #

    def test_a_request_on_hold_waits(self):
        request = self.execute()
        request._hold("Case 7")
        self.build()
        self.assertEqual(self.export_of(request).state, "building")
        request.action_release()
        self.build()
        self.assertEqual(request.state, "done")

    def test_what_was_done_by_hand_needs_no_package(self):
        request = self.execute()
        export = self.export_of(request)
        request.with_user(self.farid)._finish("Handed over on paper")
        self.build()
        self.assertEqual((request.state, export.state), ("done", "cancelled"))
        self.assertEqual(request.result, "Handed over on paper")

    # === SECRETS === #

    def test_links_of_letters_are_cleaned(self):
        request = self.execute()
        request._portal_ensure_token()
        self.build()
        self.assertEqual(request.state, "done")
        contents = self.contents_of(self.export_of(request))
        for path, content in contents.items():
            self.assertNotIn(request.access_token.encode(), content, path)
        self.assertIn(b"access_token=[removed]", contents["data/mail.mail.json"])

    def test_a_secret_in_a_text_is_taken_out(self):
        request = self.execute()
        token = request._portal_ensure_token()
        self.karim.message_post(
            body=f"My key is {token}, ok?",
            author_id=self.karim.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        self.build()
        contents = self.contents_of(self.export_of(request))
        self.assertIn(b"My key is [removed], ok?", contents["data/mail.message.json"])

    @mute_logger(REQUEST_LOG)
    def test_a_package_with_a_secret_is_not_handed_out(self):
        """The second line of defence: the first one is switched off."""
        request = self.execute()
        token = request._portal_ensure_token()
        with patch.object(Reader, "_clean", lambda _self, _subject, _column, value: value):
            self.build()
        export = self.assert_failed(request, "holds a secret", "data/mail.mail")
        self.assertNotIn(token, export.problem)
        self.assertFalse(self.letters_of(request).filtered(lambda m: "carried out" in m.body_html))

    @mute_logger(REQUEST_LOG)
    def test_what_looks_like_a_secret_is_not_handed_out(self):
        self.karim.street = "$pbkdf2-sha512$600000$abcdefghijklmnopqrstuvwx"
        request = self.execute()
        self.build()
        self.assert_failed(request, "password hash", "data/res.partner")

    def test_a_password_that_is_the_phone_number(self):
        reader = self.env["privacy.export.reader"]
        subject = reader._new_subject(self.karim)
        request = self.create_request()
        request.access_token = self.karim.phone
        self.assertNotIn(self.karim.phone, reader._collect_secrets(subject))
        request.access_token = "something-else"
        self.assertIn("something-else", reader._collect_secrets(subject))

    # === FILES === #

    def test_orphans_are_deleted_when_they_are_old(self):
        export = self.make()
        old, new = (os.path.join(self.folder, name) for name in ("0ld", "new.tmp"))
        for path in (old, new):
            with open(path, "wb"):
                pass
        long_ago = os.path.getmtime(new) - 7 * 3600
        for path in (old, os.path.join(self.folder, export.store_name)):
            os.utime(path, (long_ago, long_ago))
        export._delete_orphans()
        self.assertNotIn("0ld", self.files())
        self.assertIn("new.tmp", self.files())
        self.assertIn(export.store_name, self.files())

    def test_a_package_that_is_deleted_takes_its_file_along(self):
        export = self.make()
        path = export._get_path(export.store_name)
        export.unlink()
        self.assertTrue(os.path.exists(path), "not before the transaction is through")
        self.run_deletions()
        self.assertFalse(os.path.exists(path))

    @mute_logger(STORE_LOG)
    def test_a_file_that_is_gone(self):
        export = self.make()
        os.unlink(export._get_path(export.store_name))
        with self.assertRaisesRegex(UserError, "made anew"):
            export._open_file(export.store_name)
