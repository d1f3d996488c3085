"""Nagad's settings: what is asked for, what is hidden, and what is said when they are wrong."""

import requests

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, mute_logger, new_test_user, tagged
from odoo.tools import file_open

from odoo.addons.isp_base.tests.promises import proves

from ..gateways import nagad, nagad_crypto
from ..gateways.common import Misconfigured
from .nagad_common import MERCHANT, PRIVATE, PUBLIC, SERVER_IP, NagadCommon

_CLIENT = "odoo.addons.isp_payments_bd.gateways.nagad"


@tagged("post_install", "-at_install")
class TestNagadProvider(NagadCommon):
    def test_the_payment_is_started_as_nagad_wants_it(self):
        tx = self.start(self.bill(1234.5))
        [begun] = self.nagad.asked("initialize")
        [completed] = self.nagad.asked("complete")
        self.assertEqual(begun[1], [MERCHANT, tx.gateway_order_id])
        self.assertRegex(tx.gateway_order_id, "^[A-Z0-9]{5,20}$")
        self.assertEqual(completed[3]["amount"], "1234.50")
        self.assertEqual(completed[3]["currencyCode"], "050")
        callback = completed[4]["merchantCallbackURL"]
        self.assertTrue(callback.startswith(self.provider.get_base_url()))
        self.assertTrue(callback.endswith(f"/payment/nagad/return/{tx.gateway_order_id}"))
        # No browser is here, and a job has none either: the server's own address.
        self.assertEqual(begun[2]["X-KM-IP-V4"], SERVER_IP)
        form = self.processing["redirect_form_html"]
        self.assertIn('action="https://pay.example/check-out"', form)
        self.assertIn(f'name="ref" value="{tx.gateway_payment_id}"', form)
        self.assertIn('name="lang" value="bn"', form)

    def test_a_payment_is_not_started_and_nothing_is_left_open(self):
        for call in ("initialize", "complete"):
            for name, values in {
                "time-out": {"errors": {call: requests.Timeout()}},
                "refusal": {"texts": {call: (400, '{"reason": "x", "message": "No"}')}},
                "web page": {"texts": {call: (200, "<html></html>")}},
                "signature": {"changes": {"initialize": {"signature": "AAAA"}}},
            }.items():
                with self.subTest(call=call, fault=name), mute_logger(_CLIENT):
                    for attribute, value in values.items():
                        setattr(self.nagad, attribute, value)
                    tx = self.start()
                    self.assertEqual(tx.state, "error")
                    self.assertIn("Nothing was taken from you", tx.state_message)
                    self.assertFalse(tx.gateway_next_ask_at)
                    self.assertTrue(tx.gateway_note)
                    self.assertNotIn("action=", self.processing["redirect_form_html"])
                    self.nagad.errors, self.nagad.texts, self.nagad.changes = {}, {}, {}

    def test_the_connection_test_says_that_it_works(self):
        self.provider.action_test_connection()
        self.assertEqual(self.provider.bd_connection_state, "ok")
        self.assertIn(MERCHANT, self.provider.bd_connection_text)
        [begun] = self.nagad.asked("initialize")
        self.assertTrue(begun[3]["orderId"].startswith("TEST"))
        self.assertFalse(self.nagad.asked("complete"))

    def test_the_connection_test_says_what_is_wrong(self):
        for changes, words in (
            ({"nagad_public_key": PUBLIC}, "is the merchant's own one"),
            ({"nagad_public_key": PRIVATE}, "is a private key"),
            ({"nagad_public_key": "hello"}, "cannot be read|is not a key"),
            ({"nagad_private_key": PUBLIC}, "is a public key"),
            ({"nagad_merchant_id": "shop"}, "merchant ID must be the number"),
        ):
            with self.subTest(changes), self.cr.savepoint() as savepoint:
                self.provider.write(changes)
                self.assertEqual(self.provider.bd_connection_state, "untested")
                self.provider.action_test_connection()
                self.assertEqual(self.provider.bd_connection_state, "error")
                self.assertRegex(self.provider.bd_connection_text, words)
                savepoint.rollback()
                self.env.invalidate_all()

    @mute_logger(_CLIENT)
    def test_a_firewall_in_the_way_is_named(self):
        page = "<html>The requested URL was rejected. Your support ID is: 123456789</html>"
        self.nagad.texts = {"initialize": (200, page)}
        self.provider.action_test_connection()
        self.assertIn("123456789", self.provider.bd_connection_text)
        self.assertNotIn("<", self.provider.bd_connection_text)

    def test_a_new_key_pair(self):
        self.provider.bd_connection_state = "ok"
        self.provider.action_nagad_new_keys()
        provider = self.provider.sudo()
        self.assertNotEqual(provider.nagad_private_key, PRIVATE)
        loaded = nagad_crypto.load_private_key(provider.nagad_private_key)
        self.assertEqual(provider.nagad_own_public_key, nagad_crypto.public_text(loaded))
        self.assertEqual(loaded.key_size, 2048)
        self.assertEqual(self.provider.bd_connection_state, "untested")

    @proves("P-13")
    def test_the_private_key_is_encrypted_and_masked(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT to_jsonb(p)::text FROM payment_provider p WHERE id = %s", [self.provider.id]
        )
        self.assertNotIn(PRIVATE[100:140], self.env.cr.fetchone()[0])
        admin = new_test_user(self.env, "nagad_admin", groups="base.group_system")
        [shown] = self.provider.with_user(admin).read(["nagad_private_key", "nagad_own_public_key"])
        self.assertNotIn(PRIVATE[100:140], str(shown))
        self.assertEqual(shown["nagad_own_public_key"], PUBLIC)

    def test_others_than_administrators_see_no_key(self):
        clerk = new_test_user(self.env, "nagad_clerk", groups="account.group_account_manager")
        provider = self.provider.with_user(clerk)
        for name in ("nagad_private_key", "nagad_public_key", "nagad_own_public_key"):
            with self.assertRaises(AccessError):
                provider.read([name])
        with self.assertRaises(AccessError):
            provider.action_nagad_new_keys()

    def test_an_unreadable_key_does_not_break_the_form_and_is_named(self):
        self.env.cr.execute(
            "UPDATE payment_provider SET nagad_private_key_enc = 'v1:x:broken' WHERE id = %s",
            [self.provider.id],
        )
        self.env.invalidate_all()
        with mute_logger("odoo.addons.isp_base.encryption"):
            self.assertFalse(self.provider.nagad_own_public_key)
            with self.assertRaisesRegex(Misconfigured, "Your private key.*cannot be read"):
                self.provider._bd_client()
            # What the job notes must not fail for the same reason.
            self.provider._bd_note_connection("error", "Your private key cannot be read.")
        self.assertEqual(self.provider.bd_connection_state, "error")

    def test_settings_are_needed_before_it_is_switched_on(self):
        for name in ("nagad_merchant_id", "nagad_public_key", "nagad_server_ip"):
            with self.subTest(name), self.assertRaises(ValidationError), self.cr.savepoint():
                self.provider[name] = False
        for address in ("2001:db8::1", "isp.example", "300.1.1.1"):
            with self.subTest(address), self.assertRaisesRegex(ValidationError, "IPv4"):
                with self.cr.savepoint():
                    self.provider.nagad_server_ip = address

    def test_the_form(self):
        with Form(self.provider) as form:
            form.nagad_account_number = "01900000000"
        self.assertEqual(self.provider.nagad_account_number, "01900000000")
        self.assertEqual(self.provider.sudo().nagad_private_key, PRIVATE)
        self.start()
        self.assertEqual(self.nagad.asked("initialize")[-1][4]["accountNumber"], "01900000000")

    def test_the_address_of_the_api(self):
        self.provider.nagad_test_url = False
        self.assertEqual(self.provider._bd_client()._base_url, nagad.SANDBOX_URL)
        self.provider.nagad_test_url = "http://127.0.0.1:9/api/dfs"
        self.assertEqual(self.provider._bd_client()._base_url, "http://127.0.0.1:9/api/dfs/")
        live = self.provider.with_context(bd_live=True)
        self.assertEqual(live._bd_client()._base_url, nagad.LIVE_URL)

    def test_only_taka_and_no_saved_wallets(self):
        self.assertEqual(self.provider._get_supported_currencies().mapped("name"), ["BDT"])
        self.assertFalse(self.provider.support_tokenization)
        self.assertEqual(self.provider.support_refund, "partial")
        self.provider.nagad_refunds = False
        self.assertEqual(self.provider.support_refund, "none")
        providers = self.env["payment.provider"]._get_compatible_providers(
            self.company.id, self.customer.id, 0, currency_id=self.bdt.id, is_validation=True
        )
        self.assertNotIn(self.provider, providers)

    def test_a_copy_of_the_database_has_no_credentials(self):
        with file_open("isp_payments_bd/data/neutralize.sql") as script:
            self.env.flush_all()
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        provider = self.provider.sudo()
        for name in ("nagad_merchant_id", "nagad_private_key", "nagad_public_key"):
            self.assertFalse(provider[name])
