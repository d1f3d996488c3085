from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_privacy.tests.consent_common import ConsentCase

CODE = "bkash"


@tagged("post_install", "-at_install")
class TestContract(ConsentCase):
    """P-20, P-52: no provider takes money without a valid contract, nor in a blocked country.

    bKash of the suite stands for all: Odoo's demonstration provider can never be switched on.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls.env["payment.provider"].create(
            {
                "name": "Padma Pay",
                "code": CODE,
                "company_id": cls.company.id,
                "bkash_username": "padma",
                "bkash_password": "padma-password",
                "bkash_app_key": "padma-key",
                "bkash_app_secret": "padma-secret",
            }
        )
        cls.today = cls.company._get_privacy_today()

    def publish_policy(self):
        return self.publish(self.create_policy())

    def enter(self, **vals):
        return self.env["privacy.processor"].create(
            {
                "name": "Padma Pay Ltd",
                "company_id": self.company.id,
                "country_id": self.company.country_id.id,
                "contract_from": self.today,
                "payment_code": CODE,
                **vals,
            }
        )

    def assert_refused(self, words):
        with self.assertRaisesRegex(ValidationError, words), self.env.cr.savepoint():
            self.provider.state = "enabled"
        self.provider.invalidate_recordset()
        self.assertEqual(self.provider.state, "disabled")

    @proves("P-20")
    def test_a_provider_needs_a_valid_contract(self):
        self.publish_policy()
        self.assert_refused("nobody has entered one.*Registers > Processors")
        processor = self.enter(contract_from=False)
        self.assert_refused("no contract with it")
        yesterday = fields.Date.subtract(self.today, days=1)
        processor.write({"contract_from": "2026-01-01", "contract_to": yesterday})
        self.assert_refused("has ended")
        processor.contract_to = self.today
        self.provider.state = "enabled"

    @proves("P-52")
    def test_a_provider_in_a_blocked_country_is_refused(self):
        self.publish_policy()
        processor = self.enter()
        self.profile.blocked_country_ids = self.company.country_id
        self.assert_refused("lets no data go to Bangladesh")
        self.profile.blocked_country_ids = False
        processor.country_id = self.env.ref("base.sg")
        self.assert_refused("register of transfers")

    def test_the_contract_of_another_company_does_not_count(self):
        self.publish_policy()
        self.enter(company_id=self.env["res.company"].create({"name": "Ganga Net"}).id)
        self.assert_refused("nobody has entered one")

    def test_test_mode_and_wire_transfer_are_free(self):
        self.publish_policy()
        self.provider.state = "test"
        wire = self.provider.copy({"name": "Bank", "code": "none"})
        wire.state = "enabled"

    def test_nothing_is_promised_before_the_policy_is_published(self):
        self.provider.state = "enabled"

    @proves("P-20")
    def test_the_policy_is_not_published_while_money_is_taken_without_a_contract(self):
        self.provider.state = "enabled"
        draft = self.create_version(self.create_policy(), effective_date=self.today)
        with self.assertRaisesRegex(ValidationError.__base__, "Padma Pay takes money only under"):
            draft.action_publish()
        self.enter()
        draft.action_publish()
        self.assertEqual(draft.state, "published")

    def test_processors_propose_the_provider_of_their_name(self):
        [(code, label), *_rest] = self.env["privacy.processor"]._get_payment_codes()
        processor = self.env["privacy.processor"].create(
            {"name": f" {label.upper()} ", "company_id": self.company.id}
        )
        self.assertEqual(processor.payment_code, code)
        processor.payment_code = False
        self.assertFalse(processor.payment_code)

    def test_an_officer_chooses_without_rights_on_payments(self):
        processor = self.enter(payment_code=False).with_user(self.nasrin)
        processor.payment_code = CODE
        self.assertIn(
            CODE, dict(processor.fields_get(["payment_code"])["payment_code"]["selection"])
        )
