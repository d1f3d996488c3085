"""Secrets of authenticator apps are encrypted, and the second factor works as before."""

import base64
import json
import time

from lxml import html

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.auth_totp.models.totp import TIMESTEP, hotp
from odoo.addons.isp_base.tests.common import EncryptionCase
from odoo.addons.isp_base.tests.promises import proves

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
USERS_LOG = "odoo.addons.base.models.res_users"
TOTP_LOG = "odoo.addons.auth_totp.models.res_users"


def code(secret=SECRET, steps=0):
    """Return what the app shows now, or some half minutes later."""
    return hotp(base64.b32decode(secret), int(time.time() / TIMESTEP) + steps)


class TotpCase(EncryptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salma = new_test_user(cls.env, "totp_salma", password="totp_salma-password")
        cls.other = new_test_user(cls.env, "totp_other", password="totp_other-password")

    def columns(self, user=None):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT totp_secret, totp_secret_enc, totp_secret_bidx FROM res_users WHERE id = %s",
            [(user or self.salma).id],
        )
        return self.env.cr.fetchone()

    def enable(self, user=None):
        """Set the app up, as the dialog does: with the code that it shows."""
        user = user or self.salma
        # One code is for the set-up: the app shows another one for the login.
        self.assertTrue(user.with_user(user)._totp_try_setting(SECRET, code(steps=-1)))
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestTotpEncrypted(TotpCase):
    @proves("P-13")
    def test_the_secret_is_nowhere_in_clear(self):
        self.enable()
        clear, encrypted, index = self.columns()
        self.assertIsNone(clear)
        self.assertTrue(encrypted.startswith("v1:k1:"))
        self.assertEqual(len(index), 32)
        self.assertEqual(self.salma.sudo().totp_secret, SECRET)
        self.env.cr.execute("SELECT u::text FROM res_users u WHERE id = %s", [self.salma.id])
        self.assertNotIn(SECRET, self.env.cr.fetchone()[0])

    def test_nobody_reads_it_by_rpc(self):
        self.enable()
        admin = new_test_user(self.env, "totp_admin", groups="base.group_system")
        for user in (self.salma, admin):
            salma = self.salma.with_user(user)
            with self.assertRaises(AccessError):
                salma.read(["totp_secret"])
            with self.assertRaises(AccessError):
                salma.action_reveal("totp_secret")
            self.assertNotIn("totp_secret", salma.fields_get())
            self.assertNotIn("totp_secret_last4", salma.fields_get())

    def test_who_has_a_second_factor_is_found(self):
        self.enable()
        both = (self.salma | self.other).ids
        for condition, found in (
            (("totp_enabled", "=", True), self.salma),
            (("totp_enabled", "!=", False), self.salma),
            (("totp_enabled", "=", False), self.other),
            (("totp_enabled", "!=", True), self.other),
        ):
            with self.subTest(condition=condition):
                users = self.env["res.users"].with_user(self.other)
                self.assertEqual(users.search([("id", "in", both), condition]).ids, found.ids)
        self.assertEqual(self.salma.totp_enabled, True)
        self.assertEqual(self.other.totp_enabled, False)

    def test_it_is_switched_off(self):
        self.enable()
        self.salma.sudo().write({"totp_secret": False})
        self.assertEqual(self.columns(), (None, None, None))
        self.assertFalse(self.salma.totp_enabled)
        self.assertFalse(self.salma.sudo().totp_last_counter)

    def test_what_odoo_has_stored_in_clear_is_encrypted(self):
        self.env.cr.execute(
            "UPDATE res_users SET totp_secret = %s WHERE id = %s", [SECRET, self.salma.id]
        )
        self.env.invalidate_all()
        self.assertEqual(self.env["res.users"]._encrypt_totp_secrets(), 1)
        self.assertIsNone(self.columns()[0])
        self.assertEqual(self.salma.sudo().totp_secret, SECRET)
        self.assertEqual(self.env["res.users"]._encrypt_totp_secrets(), 0)

    def test_without_keys_it_stays_as_it_is(self):
        self.env.cr.execute(
            "UPDATE res_users SET totp_secret = %s WHERE id = %s", [SECRET, self.salma.id]
        )
        self.use_no_keys()
        with self.assertRaisesRegex(UserError, "ISP_KEY_FILE"):
            self.env["res.users"]._encrypt_totp_secrets()
        self.assertEqual(self.columns()[0], SECRET)

    def test_odoo_gets_it_back_when_the_addon_goes(self):
        self.enable()
        self.env["res.users"]._decrypt_totp_secrets()
        self.assertEqual(self.columns()[0], SECRET)

    @mute_logger("odoo.addons.isp_base.encryption")
    def test_an_account_whose_secret_cannot_be_read_stays_closed(self):
        self.enable()
        self.use_keys("k2")
        self.assertTrue(self.salma.totp_enabled)
        with self.assertRaises(UserError):
            self.env["res.users"]._decrypt_totp_secrets()

    def test_a_rotation_keeps_sessions_and_a_new_secret_ends_them(self):
        def token():
            self.env.registry.clear_cache()
            return self.salma._compute_session_token("sid")

        without = token()
        self.enable()
        enabled = token()
        self.assertNotEqual(enabled, without)
        self.use_keys("k2", "k1", "k2")
        self.assertEqual(self.env["res.users"]._rotate_keys(), 1)
        self.assertTrue(self.columns()[1].startswith("v1:k2:"))
        self.assertEqual(token(), enabled)
        self.use_keys("k2")
        self.assertEqual(self.salma.sudo().totp_secret, SECRET)


@tagged("post_install", "-at_install")
class TestTotpLogin(TotpCase, HttpCase):
    """The login itself, as a browser does it."""

    def post(self, url, **data):
        page = html.fromstring(self.url_open(url).content)
        token = page.xpath("//input[@name='csrf_token']/@value")[0]
        return self.url_open(url, data={"csrf_token": token, **data}, allow_redirects=False)

    def log_in(self):
        self.authenticate(None, None)
        return self.post("/web/login", login="totp_salma", password="totp_salma-password")

    def who(self):
        answer = self.url_open(
            "/web/session/get_session_info",
            data=json.dumps({"jsonrpc": "2.0", "method": "call", "params": {}}),
            headers={"Content-Type": "application/json"},
        ).json()
        return answer.get("result", {}).get("uid")

    @proves("P-13")
    @mute_logger(TOTP_LOG, USERS_LOG, "odoo.http")
    def test_password_and_code_open_the_account(self):
        self.enable()
        self.assertIsNone(self.columns()[0])
        response = self.log_in()
        self.assertIn("/web/login/totp", response.headers["Location"])
        self.assertIsNone(self.who(), "a password alone opens nothing")
        wrong = (code() + 1) % 10**6
        self.assertEqual(self.post("/web/login/totp", totp_token=f"{wrong:06}").status_code, 200)
        self.assertIsNone(self.who())
        response = self.post("/web/login/totp", totp_token=f"{code():06}")
        self.assertEqual(response.status_code, 303)
        self.assertEqual(self.who(), self.salma.id)

    @mute_logger(TOTP_LOG, USERS_LOG, "odoo.http")
    def test_a_code_works_once(self):
        self.enable()
        token = f"{code():06}"
        for is_open in (True, False):
            self.log_in()
            self.post("/web/login/totp", totp_token=token)
            self.assertEqual(bool(self.who()), is_open)
