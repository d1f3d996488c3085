"""Passwords of mail servers are encrypted, and mail is sent and fetched with them as before."""

import base64
import socketserver
import threading
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base import hooks
from odoo.addons.isp_base.models.ir_mail_server import MAIL_PASSWORDS

from .common import EncryptionCase
from .promises import proves

USER, PASSWORD = "padma@mail.example", "Mail-Password-4711"


class StrictSmtp(socketserver.StreamRequestHandler):
    """A mail server on loopback that takes nothing without user and password."""

    def handle(self):
        self.is_known = False
        self.say("220 loopback")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            if verb.upper() == "QUIT":
                return self.say("221 bye")
            self.say(self.answer(verb.upper(), rest))
        return None

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def answer(self, verb, rest):
        if verb in ("EHLO", "HELO"):
            return "250-loopback\r\n250 AUTH PLAIN"
        if verb == "AUTH":
            given = base64.b64decode(rest.split()[-1]).decode().split("\0")[1:]
            self.is_known = given == [USER, PASSWORD]
            return "235 ok" if self.is_known else "535 wrong"
        if verb in ("MAIL", "RCPT", "DATA") and not self.is_known:
            return "530 who are you"
        return "354 go on" if verb == "DATA" else "250 ok"


@tagged("post_install", "-at_install")
class TestMailPasswords(EncryptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.outgoing = cls.env["ir.mail_server"].create(
            {"name": "Out", "smtp_host": "127.0.0.1", "smtp_user": USER, "smtp_pass": PASSWORD}
        )
        cls.incoming = cls.env["fetchmail.server"].create(
            {"name": "In", "server": "127.0.0.1", "user": USER, "password": PASSWORD}
        )
        cls.administrator = new_test_user(cls.env, "mail_admin", groups="base.group_system")

    def servers(self):
        """Each server with the name of its password."""
        return [(self.outgoing, "smtp_pass"), (self.incoming, "password")]

    def columns(self, server, name):
        self.env.flush_all()
        self.env.cr.execute(
            f'SELECT "{name}", "{name}_enc" FROM "{server._table}" WHERE id = %s', [server.id]
        )
        return self.env.cr.fetchone()

    def store_in_clear(self):
        """Let it be as it was before this addon."""
        for server, name in self.servers():
            self.env.cr.execute(
                f'UPDATE "{server._table}" SET "{name}" = %s, "{name}_enc" = NULL WHERE id = %s',
                [PASSWORD, server.id],
            )
        self.env.invalidate_all()

    @proves("P-13")
    def test_a_private_key_is_not_stored_in_clear(self):
        key = base64.b64encode(b"-----BEGIN PRIVATE KEY-----")
        vals = {
            "smtp_encryption": "ssl",
            "smtp_authentication": "certificate",
            "smtp_ssl_private_key": key,
            "smtp_ssl_certificate": key,
        }
        with self.assertRaisesRegex(ValidationError, "odoo.conf"):
            self.outgoing.write(vals)

    @proves("P-13")
    def test_the_password_is_nowhere_in_clear(self):
        for server, name in self.servers():
            with self.subTest(model=server._name):
                clear, encrypted = self.columns(server, name)
                self.assertIsNone(clear)
                self.assertTrue(encrypted.startswith("v1:k1:"))
                self.assertEqual(server[name], PASSWORD)

    @proves("P-13")
    def test_nobody_reads_it_by_rpc(self):
        for server, name in self.servers():
            with self.subTest(model=server._name):
                seen = server.with_user(self.administrator)
                [values] = seen.read()
                self.assertEqual(values[name], "•" * 8)
                self.assertNotIn(PASSWORD, str(values))
                self.assertNotIn(PASSWORD, str(seen.export_data([name])))
                self.assertNotIn(PASSWORD, str(seen.copy_data()))
                with self.assertRaisesRegex(UserError, "is not shown"):
                    seen.action_reveal(name)
                # Saved with the mask in it, the form changes nothing.
                with self.assertRaisesRegex(UserError, "shows a mask"):
                    seen.write({name: values[name]})

    @proves("P-13")
    def test_mail_is_sent_with_it(self):
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), StrictSmtp) as smtp:
            smtp.daemon_threads = True
            threading.Thread(target=smtp.serve_forever, args=[0.05], daemon=True).start()
            self.addCleanup(smtp.shutdown)
            self.outgoing.smtp_port = smtp.server_address[1]
            with patch.object(type(self.outgoing), "_disable_send", lambda _self: False):
                server = self.outgoing.with_user(self.administrator)
                self.assertEqual(server.test_smtp_connection()["params"]["type"], "success")
                self.outgoing.smtp_pass = "wrong"
                with self.assertRaises(UserError), mute_logger("odoo.addons.base"):
                    server.test_smtp_connection()
            smtp.shutdown()

    def test_mail_is_fetched_with_it(self):
        imap = "odoo.addons.mail.models.fetchmail.OdooIMAP4"
        with patch(imap, autospec=True) as connect:
            self.incoming.with_user(self.administrator).button_confirm_login()
        connect.return_value.login.assert_called_once_with(USER, PASSWORD)
        self.assertEqual(self.incoming.state, "done")

    @proves("P-13")
    def test_what_odoo_has_stored_in_clear_is_encrypted(self):
        self.store_in_clear()
        hooks.post_init_hook(self.env)
        for server, name in self.servers():
            self.assertIsNone(self.columns(server, name)[0])
            self.assertEqual(server[name], PASSWORD)
        for model, name in MAIL_PASSWORDS.items():
            self.assertEqual(self.env[model]._encrypt_column(name), 0)

    def test_without_keys_it_stays_as_it_is(self):
        self.store_in_clear()
        self.use_no_keys()
        with self.assertRaisesRegex(UserError, "ISP_KEY_FILE"):
            hooks.post_init_hook(self.env)
        self.assertEqual(self.columns(self.outgoing, "smtp_pass")[0], PASSWORD)

    def test_odoo_gets_it_back_when_the_addon_goes(self):
        self.incoming.active = False
        hooks.uninstall_hook(self.env)
        for server, name in self.servers():
            self.assertEqual(self.columns(server, name)[0], PASSWORD)

    @mute_logger("odoo.addons.isp_base.encryption")
    def test_a_password_that_cannot_be_read_stops_the_mail_and_the_uninstallation(self):
        self.use_keys("k2")
        for server, name in self.servers():
            with self.subTest(model=server._name):
                self.assertEqual(server.read([name])[0][name], "⚠ unreadable")
                with self.assertRaisesRegex(UserError, "cannot be read"):
                    server._decrypt_column(name)

    def test_its_key_is_replaced(self):
        self.use_keys("k2", "k1", "k2")
        for server, name in self.servers():
            self.assertGreaterEqual(server._rotate_keys(), 1)
            self.assertTrue(self.columns(server, name)[1].startswith("v1:k2:"))
        self.use_keys("k2")
        self.assertEqual(self.outgoing.smtp_pass, PASSWORD)
