from pathlib import Path

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from ..gateways.common import Unknown
from ..models.isp_bkash_login import LoginStore
from .bkash_common import BkashCommon

NEUTRALIZE = Path(__file__).parents[1] / "data/neutralize.sql"


@tagged("post_install", "-at_install")
class TestBkashProvider(BkashCommon):
    def test_the_connection_test_says_what_is_wrong(self):
        self.provider.action_test_connection()
        self.assertEqual(self.provider.bd_connection_state, "ok")
        self.assertIn("sandbox", self.provider.bd_connection_text)
        for name, words in (("password", "user name or password"), ("app_key", "app key")):
            self.gateway.logins.clear()
            self.env["isp.bkash.login"].sudo().search([]).unlink()
            right = self.gateway.credentials[name]
            self.provider[f"bkash_{name}"] = "wrong"
            self.assertEqual(self.provider.bd_connection_state, "untested")
            self.provider.action_test_connection()
            self.assertEqual(self.provider.bd_connection_state, "error")
            self.assertIn(words, self.provider.bd_connection_text)
            self.provider[f"bkash_{name}"] = right
        self.gateway.refuse_connections(True)
        self.env["isp.bkash.login"].sudo().search([]).unlink()
        self.provider.action_test_connection()
        self.assertIn("could not be reached", self.provider.bd_connection_text)

    def test_missing_settings_are_named(self):
        self.provider.state = "disabled"
        self.provider.bkash_app_secret = False
        self.provider.action_test_connection()
        self.assertIn("App secret", self.provider.bd_connection_text)
        with self.assertRaises(ValidationError):
            self.provider.state = "test"

    @proves("P-13")
    def test_the_token_is_kept_for_all_workers_and_encrypted(self):
        for _number in range(3):
            self.start()
        self.assertEqual(len(self.gateway.received("grant")), 1)
        self.env.cr.execute("SELECT id_token_enc, refresh_token_enc FROM isp_bkash_login")
        (row,) = self.env.cr.fetchall()
        (token,) = self.gateway.tokens
        self.assertTrue(all(row))
        self.assertNotIn(token, row[0])

    def test_what_a_failed_login_changed_is_kept(self):
        store = LoginStore(self.provider)
        raised = None
        try:  # assertRaises would roll back
            with store.locked() as state:
                state.note_login(1000.5)
                raise Unknown("no answer")
        except Unknown as error:
            raised = error
        self.assertEqual(str(raised), "no answer")
        with store.locked() as state:
            self.assertEqual(state.logins, [1000.5])

    def test_new_settings_forget_the_token_but_not_the_logins(self):
        self.start()
        self.provider.bkash_password = "other"
        with LoginStore(self.provider).locked() as state:
            self.assertEqual((state.id_token, state.refresh_token), ("", ""))
            self.assertEqual(len(state.logins), 1)

    def test_no_third_login_in_an_hour(self):
        self.start()
        for _number in range(2):
            self.gateway.revoke_tokens()
            tx = self.start()
        self.assertEqual(tx.state, "error")
        self.assertIn("two logins an hour", tx.gateway_note)
        self.assertNotIn("login", tx.state_message)
        self.assertEqual(len(self.gateway.received("grant")), 2)

    def test_nobody_reads_the_tokens_and_only_administrators_the_settings(self):
        self.start()
        admin = new_test_user(
            self.env,
            "bkash_admin",
            groups="base.group_system",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.env["isp.bkash.login"].with_user(admin).search([])
        mask = self.provider.with_user(admin).read(["bkash_password", "bkash_app_secret"])[0]
        self.assertTrue(mask["bkash_password"].startswith("•"))
        self.assertTrue(mask["bkash_app_secret"].startswith("•"))

    def test_a_topic_that_is_none_is_refused(self):
        for wrong in ("bkash", "arn:aws:sqs:ap-southeast-1:123456789012:x", "arn:aws:sns:x y"):
            with self.assertRaises(ValidationError):
                self.provider.bkash_sns_topic = wrong

    def test_only_taka(self):
        self.assertEqual(self.provider._get_supported_currencies(), self.bdt)

    def test_a_copy_of_the_database_knows_no_credentials(self):
        self.start()
        self.env.flush_all()
        for _time in range(2):
            self.env.cr.execute(NEUTRALIZE.read_text())
        self.env.invalidate_all()
        names = ("username", "password", "app_key", "app_secret", "sns_topic")
        self.assertFalse([name for name in names if self.provider[f"bkash_{name}"]])
        self.assertFalse(self.env["isp.bkash.login"].sudo().search([]))

    def test_resetting_the_credentials_clears_them(self):
        self.provider.action_reset_credentials()
        self.assertFalse(self.provider.bkash_username or self.provider.bkash_app_secret)
        self.assertEqual(self.provider.state, "disabled")

    def test_a_payment_that_cannot_start_is_a_clean_error(self):
        for fault in ({"status": 503}, {"html": True}, {"answer": {"statusCode": "2049"}}):
            with self.subTest(fault=fault), mute_logger("odoo.addons.payment"):
                self.gateway.faults.add("create", **fault)
                tx = self.create_tx(self.bill())
                values = tx._get_processing_values()
                self.assertEqual(values["state"], "error")
                self.assertIn("Nothing was taken", values["state_message"])
                self.assertTrue(tx.gateway_note)

    def test_the_pay_page_is_reached_with_its_whole_query(self):
        tx = self.create_tx(self.bill())
        form = self.env["ir.qweb"]._render(
            self.provider.redirect_form_view_id.id, tx._get_specific_rendering_values({})
        )
        key = self.gateway.payments[tx.gateway_payment_id].key
        self.assertIn(f'name="hash" value="{key}"', str(form))
        sent = self.gateway.received("create")[0].json()
        self.assertEqual(sent["merchantInvoiceNumber"], tx.gateway_order_id)
        self.assertEqual(sent["payerReference"], "C-1001")
        self.assertNotIn("?", sent["callbackURL"])
