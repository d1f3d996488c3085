import logging

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import IDENTITY, PASSWORD, SecretCase

MIXIN_LOGGER = "odoo.addons.isp_base.models.isp_encrypted_mixin"


class AccessCase(SecretCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        export = "base.group_allow_export"
        cls.support = new_test_user(cls.env, "s_support", f"isp_base.group_isp_support,{export}")
        cls.clerk = new_test_user(cls.env, "s_clerk", f"isp_base.group_isp_clerk,{export}")
        cls.admin = new_test_user(cls.env, "s_admin", f"base.group_system,{export}")


@tagged("post_install", "-at_install")
class TestGroups(AccessCase):
    def test_a_user_without_the_group_neither_reads_nor_writes(self):
        record = self.record.with_user(self.support)
        with self.assertRaises(AccessError):
            record.read(["password"])
        with self.assertRaises(AccessError):
            record.password  # noqa: B018
        with self.assertRaises(AccessError):
            record.write({"password": "x"})
        with self.assertRaises(AccessError):
            record.create({"name": "x", "password": "x"})
        for name in ("password", "password_enc", "identity", "identity_bidx"):
            self.assertNotIn(name, record.fields_get())

    def test_ciphertext_and_index_are_for_administrators_only(self):
        for name in ("password_enc", "identity_enc", "identity_bidx"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                self.record.with_user(self.clerk).read([name])

    def test_a_user_without_the_group_sees_a_mask(self):
        record = self.record.with_user(self.support)
        self.assertEqual(record.password_last4, "••••••••" + PASSWORD[-4:])
        self.record.password = "short"
        self.assertEqual(record.password_last4, "••••••••")
        self.record.password = False
        self.assertFalse(record.password_last4)


@tagged("post_install", "-at_install")
class TestMaskedReading(AccessCase):
    def test_the_client_reads_a_mask_and_code_the_value(self):
        record = self.record.with_user(self.clerk)
        self.env.invalidate_all()
        expected = "••••••••" + PASSWORD[-4:]
        self.assertEqual(record.read(["password"])[0]["password"], expected)
        self.assertEqual(record.web_read({"password": {}})[0]["password"], expected)
        found = record.web_search_read([("id", "=", record.id)], {"password": {}})
        self.assertEqual(found["records"][0]["password"], expected)
        self.assertEqual(record.password, PASSWORD)

    def test_an_onchange_shows_what_was_typed_and_nothing_stored(self):
        record = self.record.with_user(self.clerk)
        spec = {"name": {}, "password": {}, "password_last4": {}}
        for values in ({}, {"name": "Other"}, {"password": False}):
            with self.subTest(values=values):
                changed = record.onchange(dict(values), list(values), spec)
                self.assertNotIn(PASSWORD, str(changed))

    def test_a_mask_is_never_stored(self):
        with self.assertRaisesRegex(UserError, "mask"):
            self.record.with_user(self.clerk).write({"password": "••••••••ry-7"})
        self.env.invalidate_all()
        self.assertEqual(self.record.password, PASSWORD)


@tagged("post_install", "-at_install")
class TestReveal(AccessCase):
    def test_the_value_is_shown_and_the_look_is_written_down(self):
        record = self.record.with_user(self.clerk)
        with self.assertLogs(MIXIN_LOGGER, logging.INFO) as logs:
            action = record.action_reveal("password")
        self.assertEqual(action["params"]["message"], PASSWORD)
        message = self.record.message_ids[0]
        self.assertEqual(message.author_id, self.clerk.partner_id)
        self.assertIn("Password", message.body)
        self.assertNotIn(PASSWORD, message.body + "".join(logs.output))

    def test_others_are_refused(self):
        before = len(self.record.message_ids)
        with self.assertRaises(AccessError):
            self.record.with_user(self.support).action_reveal("password")
        with self.assertRaises(AccessError):
            self.record.with_user(self.clerk).action_reveal("identity")
        self.assertEqual(len(self.record.message_ids), before)

    def test_only_encrypted_fields_are_revealed(self):
        for name in ("name", "password_enc", "no_such_field"):
            with self.subTest(name=name), self.assertRaises(UserError):
                self.record.action_reveal(name)


@tagged("post_install", "-at_install")
class TestExport(AccessCase):
    def test_a_user_without_the_group_is_refused(self):
        for name in ("password", "password_enc", "identity", "identity_bidx"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                self.record.with_user(self.support).export_data(["name", name])

    def test_nobody_exports_clear_text(self):
        for user in (self.clerk, self.admin, self.env.ref("base.user_root")):
            groups = self.env.ref("isp_base.group_isp_manager")
            user.group_ids += groups
            rows = self.record.with_user(user).export_data(["name", "password", "identity"])
            self.assertEqual(rows["datas"][0][0], "Rahim")
            self.assertNotIn(PASSWORD, rows["datas"][0])
            self.assertNotIn(IDENTITY, rows["datas"][0])
            self.assertIn("••••", rows["datas"][0][1])
