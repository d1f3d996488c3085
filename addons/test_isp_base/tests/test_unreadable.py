from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import PASSWORD, SecretCase

LOGGER = "odoo.addons.isp_base.encryption"


@tagged("post_install", "-at_install")
class TestUnreadable(SecretCase):
    def setUp(self):
        super().setUp()
        self.other = self.Secret.create({"name": "Karim", "password": "other password"})

    def assertRefused(self, record, pattern):
        with self.assertLogs(LOGGER, "ERROR") as logs, self.assertRaisesRegex(UserError, pattern):
            record.password  # noqa: B018
        self.assertIn(f"test.isp.secret({record.id})", logs.output[0])
        return logs.output[0]

    def test_ciphertext_moved_to_another_row_is_refused(self):
        mine, others = self.token(self.record), self.token(self.other)
        self.set_token(self.record, others)
        self.set_token(self.other, mine)
        for record in self.record, self.other:
            self.env.invalidate_all()
            log = self.assertRefused(record, "belongs to another record")
            for secret in (PASSWORD, "other password", mine, others):
                self.assertNotIn(secret, log)

    def test_ciphertext_moved_to_another_field_is_refused(self):
        self.set_token(self.record, self.token(self.record, "identity_enc"))
        self.assertRefused(self.record, "belongs to another record")

    def test_altered_ciphertext_is_refused(self):
        token = self.token(self.record)
        flipped = token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:]
        for bad in (flipped, "v1:k1:AAAA", "clear text", "v2:" + token[3:]):
            with self.subTest(bad=bad[:10]):
                self.set_token(self.record, bad)
                self.assertRefused(self.record, "Password")

    def test_a_secret_of_an_unknown_key_is_refused(self):
        self.use_keys("k2")
        self.assertRefused(self.record, "'k1' is not in the keyring")

    def test_missing_keys_are_told_when_reading(self):
        self.use_no_keys()
        with self.assertLogs(LOGGER, "ERROR"), self.assertRaisesRegex(UserError, "does not exist"):
            self.record.password  # noqa: B018

    def test_one_bad_row_does_not_break_the_list(self):
        self.set_token(self.record, "v1:k1:AAAA")
        with self.assertLogs(LOGGER, "ERROR"):
            rows = (self.record + self.other).web_read({"password": {}, "password_last4": {}})
        self.assertEqual([row["password"] for row in rows], ["⚠ unreadable", "other password"])
        self.assertEqual(rows[0]["password_last4"], "⚠ unreadable")
        self.assertEqual(self.other.password, "other password")

    def test_an_export_says_unreadable(self):
        self.set_token(self.record, "v1:k1:AAAA")
        with self.assertLogs(LOGGER, "ERROR"):
            rows = self.record.export_data(["password"])
        self.assertEqual(rows["datas"], [["⚠ unreadable"]])

    def test_a_form_with_a_bad_secret_can_be_edited_and_repaired(self):
        self.set_token(self.record, "v1:k1:AAAA")
        with self.assertLogs(LOGGER, "ERROR"), Form(self.record) as form:
            form.name = "Renamed"
            self.record.onchange({"name": "x"}, ["name"], {"name": {}, "password": {}})
        self.assertEqual(self.token(self.record), "v1:k1:AAAA")
        self.record.password = "repaired"
        self.env.invalidate_all()
        self.assertEqual(self.record.password, "repaired")
