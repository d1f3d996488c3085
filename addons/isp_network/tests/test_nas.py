from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .common import IspNetworkCase


@tagged("post_install", "-at_install")
class TestNas(IspNetworkCase):
    def create_nas(self, **vals):
        return self.env["isp.nas"].create(
            {"name": "Core", "ip_address": "10.20.0.1", "secret": "correct-horse", **vals}
        )

    def find_nas(self, address):
        self.env.flush_all()
        self.env.cr.execute("SELECT radius.find_nas(%s)", [address])
        return self.env.cr.fetchone()[0]

    def test_a_new_router_is_known_at_once(self):
        self.use_key()
        nas = self.create_nas()
        self.assertEqual(self.find_nas("10.20.0.1"), f"nas-{nas.id}|mikrotik|yes|correct-horse")
        nas.write({"require_message_authenticator": False, "nas_type": "other"})
        self.assertEqual(self.find_nas("10.20.0.1"), f"nas-{nas.id}|other|no|correct-horse")
        nas.ip_address = "10.20.0.2"
        self.assertIsNone(self.find_nas("10.20.0.1"))
        self.assertTrue(self.find_nas("10.20.0.2"))
        nas.action_archive()
        self.assertIsNone(self.client(nas))
        nas.action_unarchive()
        self.assertTrue(self.client(nas))
        nas.unlink()
        self.assertIsNone(self.find_nas("10.20.0.2"))

    @proves("P-13")
    def test_the_secret_is_stored_encrypted_only(self):
        nas = self.create_nas()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT n::text || c::text FROM isp_nas n, radius.client c "
            "WHERE n.id = %s AND c.id = n.id",
            [nas.id],
        )
        self.assertNotIn("correct-horse", self.env.cr.fetchone()[0])
        self.use_key("")
        self.assertIsNone(self.find_nas("10.20.0.1"))

    def test_a_missing_secret_is_generated(self):
        nas = self.create_nas(secret=False)
        first = nas.secret
        self.assertRegex(first, "^[A-Za-z0-9]{24}$")
        nas.action_generate_secret()
        self.assertNotEqual(nas.secret, first)
        self.use_key()
        self.assertTrue(self.find_nas("10.20.0.1").endswith(f"|{nas.secret}"))

    def test_addresses_are_checked_and_trimmed(self):
        self.assertEqual(self.create_nas(ip_address=" 10.20.0.1 ").ip_address, "10.20.0.1")
        for wrong in ("10.20.0", "10.20.0.256", "router.example.com", "10.20.0.0/24", "fe80::1"):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.create_nas(ip_address=wrong)

    def test_secrets_that_routers_cannot_take_are_refused(self):
        for wrong in ("short", "with space in it", "বাংলা-গোপন-শব্দ"):
            with self.subTest(wrong), self.assertRaises(ValidationError):
                self.create_nas(secret=wrong)

    def test_one_router_an_address(self):
        self.create_nas()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            with self.env.cr.savepoint():
                self.create_nas(name="Second")
                self.env.flush_all()

    def test_a_router_is_not_duplicated(self):
        with self.assertRaises(UserError):
            self.create_nas().copy()

    def test_network_staff_works_with_routers(self):
        user = self.create_user("network")
        with Form(self.env["isp.nas"].with_user(user)) as form:
            form.name = "Mirpur"
            form.ip_address = "10.20.0.7"
            form.secret = "typed-by-hand"
        nas = form.record
        self.assertTrue(self.client(nas))
        self.assertNotIn("typed-by-hand", str(nas.read()))
        shown = nas.action_reveal_secret()["params"]["message"]
        self.assertEqual(shown, "typed-by-hand")
        self.assertIn("Shared secret", str(nas.sudo().message_ids.mapped("body")))
        with Form(nas) as form:
            form.location = "Roof"
        self.assertEqual(nas.sudo().secret, "typed-by-hand")

    def test_support_sees_routers_without_their_secrets(self):
        nas = self.create_nas().with_user(self.create_user("support"))
        self.assertEqual(nas.name, "Core")
        for secret in ("secret", "secret_enc", "secret_radius"):
            with self.subTest(secret), self.assertRaises(AccessError):
                nas.read([secret])
        with self.assertRaises(AccessError):
            nas.action_reveal_secret()
        with self.assertRaises(AccessError):
            nas.write({"name": "Mine"})

    def test_companies_do_not_see_each_others_routers(self):
        other = self.env["res.company"].create({"name": "Other provider"})
        nas = self.create_nas(company_id=other.id)
        found = self.env["isp.nas"].with_user(self.create_user("network")).search([])
        self.assertNotIn(nas.id, found.ids)

    def test_the_local_router_for_trying_is_made_once(self):
        model = self.env["isp.nas"]
        nas = model._ensure_local_nas()
        self.assertEqual((nas.ip_address, len(nas.secret)), ("127.0.0.1", 24))
        nas.active = False
        self.assertEqual(model._ensure_local_nas(), nas)
        self.assertTrue(nas.active)
