from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_open

from ..gateways.common import Misconfigured, Unknown
from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestProvider(GatewayCase):
    def test_connection(self):
        for result, state in (
            ("bKash accepts these credentials.", "ok"),
            (Misconfigured("The app key is not accepted."), "error"),
            (Unknown("bKash does not answer."), "error"),
        ):

            def answer(provider, result=result):
                if isinstance(result, Exception):
                    raise result
                return result

            with (
                self.subTest(state),
                patch.object(self.registry["payment.provider"], "_bd_test_connection", answer),
            ):
                action = self.provider.action_test_connection()
                self.assertEqual(self.provider.bd_connection_state, state)
                self.assertEqual(self.provider.bd_connection_text, str(result))
                self.assertEqual(action["params"]["message"], str(result))

    def test_a_changed_setting_is_not_tested(self):
        self.provider._bd_note_connection("ok", "Works")
        self.provider.name = "Another name"
        self.assertEqual(self.provider.bd_connection_state, "ok")
        self.provider.state = "enabled"
        self.assertEqual(self.provider.bd_connection_state, "untested")
        self.assertFalse(self.provider.bd_connection_text)

    def test_the_next_step_leads_to_the_first_payment(self):
        provider = self.provider
        steps = [provider.bd_next_step]
        provider._bd_note_connection("error", "No")
        steps.append(provider.bd_next_step)
        provider._bd_note_connection("ok", "Works")
        steps.append(provider.bd_next_step)
        provider.write({"state": "enabled", "bd_connection_state": "ok", "is_published": False})
        steps.append(provider.bd_next_step)
        provider.is_published = True
        steps.append(provider.bd_next_step)
        provider.bd_fee_account_id = self.fee_account
        steps.append(provider.bd_next_step)
        self.assertEqual(len(set(steps)), len(steps))
        self.assertEqual(steps[-1], "Customers can pay.")

    def test_only_taka(self):
        self.assertEqual(self.provider._get_supported_currencies().mapped("name"), ["BDT"])

    def test_a_fee_needs_an_account(self):
        with self.assertRaises(ValidationError):
            self.provider.bd_fee_percent = 1.5
        with self.assertRaises(ValidationError):
            self.provider.write({"bd_fee_percent": 100, "bd_fee_account_id": self.fee_account.id})

    def test_no_wallet_is_saved_without_a_payment(self):
        def offered(**values):
            providers = self.env["payment.provider"]._get_compatible_providers(
                self.company.id, self.customer.id, 0, currency_id=self.bdt.id, **values
            )
            return self.provider in providers

        self.assertTrue(offered())
        self.assertFalse(offered(is_validation=True))
        with patch.object(
            self.registry["payment.provider"], "_bd_saves_wallets_unpaid", lambda self: True
        ):
            self.assertTrue(offered(is_validation=True))

    def test_who_gets_the_activities(self):
        manager = new_test_user(
            self.env, "gw_manager", groups="base.group_user,account.group_account_manager"
        )
        chosen = self.provider._bd_accountant()
        self.assertTrue(chosen.has_group("account.group_account_manager"))
        self.provider.bd_responsible_id = manager
        self.assertEqual(self.provider._bd_accountant(), manager)
        manager.active = False
        self.assertNotEqual(self.provider._bd_accountant(), manager)

    def test_a_neutralized_copy_asks_nobody(self):
        tx = self.create_tx(500)
        self.env.flush_all()
        with file_open("isp_payments_bd/data/neutralize.sql") as file:
            self.env.cr.execute(file.read())
        self.env.invalidate_all()
        self.assertFalse(tx.gateway_next_ask_at)
