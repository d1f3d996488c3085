"""A service begins only when the identity of the customer is approved, where that is asked for."""

import base64
import io
import tempfile

from PIL import Image

from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.isp_base.tests.common import EncryptionCase
from odoo.addons.isp_billing.tests.common import IspBillingCase

OFFICER = "isp_privacy.group_kyc_officer"


@tagged("post_install", "-at_install")
class TestKycActivation(IspBillingCase, EncryptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="isp-kyc-")
        cls.addClassCleanup(folder.cleanup)
        documents = type(cls.env["privacy.kyc.document"])
        cls.classPatch(documents, "_get_folder", lambda _self: folder.name)
        cls.first = new_test_user(cls.env, "kyc_first", groups=OFFICER)
        cls.second = new_test_user(cls.env, "kyc_second", groups=OFFICER)
        cls.clerk = new_test_user(cls.env, "kyc_clerk", groups="isp_base.group_isp_clerk")
        cls.profile = cls.company._get_privacy_profile()

    def capture(self, partner=None):
        content = io.BytesIO()
        Image.new("RGB", (60, 40)).save(content, "JPEG")
        uploads = [
            (0, 0, {"side": side, "upload": base64.b64encode(content.getvalue()).decode()})
            for side in ("front", "back")
        ]
        return (
            self.env["privacy.kyc"]
            .with_user(self.first)
            .create(
                {
                    "partner_id": (partner or self.customer).id,
                    "number": "1234567890",
                    "document_ids": uploads,
                }
            )
        )

    def approve(self, kyc):
        kyc.action_submit()
        kyc.action_check()
        kyc.with_user(self.second).action_approve()

    def activate(self, service):
        service.with_user(self.clerk).action_activate()

    def test_nothing_is_asked_for_by_default(self):
        service = self.create_subscription(active=False)
        self.assertFalse(service.kyc_problem)
        self.activate(service)
        self.assertEqual(service.state, "active")

    def test_a_plan_asks_for_it_at_each_step(self):
        self.plan_home.kyc_required = True
        service = self.create_subscription(active=False)
        kyc = self.env["privacy.kyc"]
        steps = [
            ("no identity document was captured", lambda: self.capture()),
            ("not submitted yet", lambda: kyc.action_submit()),
            ("has to be checked", lambda: kyc.action_check()),
            ("a second person", lambda: kyc.with_user(self.second).action_approve()),
        ]
        for words, step in steps:
            with self.subTest(words=words):
                self.assertIn(words, service.with_user(self.clerk).kyc_problem)
                with self.assertRaisesRegex(UserError, f"Karim Uddin: .*{words}"):
                    self.activate(service)
                self.assertEqual(service.state, "draft")
                kyc = step() or kyc
                service.invalidate_recordset(["kyc_problem"])
        self.assertFalse(service.kyc_problem)
        self.activate(service)
        self.assertEqual(service.state, "active")

    def test_other_plans_do_not(self):
        self.plan_home.kyc_required = True
        self.activate(self.create_subscription(active=False, plan_id=self.plan_office.id))

    def test_the_policy_asks_for_all_plans(self):
        self.profile.kyc_required = True
        service = self.create_subscription(active=False, plan_id=self.plan_office.id)
        with self.assertRaisesRegex(UserError, "no identity document"):
            self.activate(service)
        self.approve(self.capture())
        self.activate(service)

    def test_rejected_and_expired_are_told(self):
        self.plan_home.kyc_required = True
        service = self.create_subscription(active=False)
        kyc = self.capture()
        kyc.valid_until = "2027-03-10"
        self.approve(kyc)
        with self.at("2027-03-11 06:00:00"), self.assertRaisesRegex(UserError, "has expired"):
            self.activate(service)
        kyc.rejection_reason = "Forged"
        kyc.action_reject()
        with self.assertRaisesRegex(UserError, "was rejected"):
            self.activate(service)

    def test_one_refusal_names_all_and_begins_none(self):
        self.plan_home.kyc_required = True
        other = self.env["res.partner"].create({"name": "Rahim Ali"})
        services = self.create_subscription(active=False)
        services |= self.create_subscription(active=False, partner_id=other.id)
        self.approve(self.capture())
        with self.assertRaisesRegex(UserError, "Rahim Ali") as refused:
            self.activate(services)
        self.assertNotIn("Karim Uddin", str(refused.exception))
        self.assertEqual(set(services.mapped("state")), {"draft"})

    def test_what_runs_goes_on(self):
        service = self.create_subscription()
        self.plan_home.kyc_required = True
        service._suspend("other", "Moved")
        service._resume("Back")
        self.assertEqual(service.state, "active")

    def test_the_screens_show_it(self):
        self.plan_home.kyc_required = True
        service = self.create_subscription(active=False)
        with Form(service.with_user(self.clerk)) as form:
            self.assertIn("no identity document", form.kyc_problem)
        for model in ("isp.plan", "privacy.profile"):
            self.assertIn("kyc_required", self.env[model].get_view(view_type="form")["arch"])
