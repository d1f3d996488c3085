from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .consent_common import ConsentCase

ACTIONS = (
    "privacy_consent",
    "privacy_suppression",
    "privacy_age",
    "privacy_policy",
    "privacy_policy_version",
    "privacy_policy_notice",
    "privacy_policy_ack",
    "privacy_cookie",
)
WRITTEN_BY_OFFICERS = {"privacy.policy", "privacy.policy.version", "privacy.cookie"}


@tagged("post_install", "-at_install")
class TestConsentScreens(ConsentCase):
    """The screens of officers and auditors, and who may do what there."""

    def test_every_screen_opens_with_a_help(self):
        for name in ACTIONS:
            action = self.env.ref(f"isp_privacy.{name}_action")
            views = [(False, kind) for kind in (*action.view_mode.split(","), "search")]
            for user in (self.nasrin, self.auditor):
                with self.subTest(action=name, user=user.login):
                    model = self.env[action.res_model].with_user(user)
                    self.assertEqual(len(model.get_views(views)["views"]), len(views))
                    self.assertIn("o_view_nocontent_smiling_face", action.help)
                    model.web_search_read([], {"display_name": {}}, limit=1)

    def test_only_officers_write_and_only_what_is_no_ledger(self):
        for name in ACTIONS:
            model = self.env.ref(f"isp_privacy.{name}_action").res_model
            for operation in ("write", "create", "unlink"):
                with self.subTest(model=model, operation=operation):
                    access = self.env[model].with_user(self.nasrin).has_access(operation)
                    self.assertEqual(access, model in WRITTEN_BY_OFFICERS)
                    self.assertFalse(self.env[model].with_user(self.auditor).has_access(operation))

    def test_an_officer_writes_and_publishes_a_version(self):
        policy = self.create_policy()
        version = self.env["privacy.policy.version"].with_user(self.nasrin)
        form = Form(version.with_context(allowed_company_ids=self.company.ids))
        form.policy_id = policy
        form.effective_date = self.company._get_privacy_today()
        with form.text_ids.new() as text:
            text.lang = "en_US"
            text.body = "# Rights\nWrite to {officer_name}."
        draft = form.save()
        self.assertEqual(draft.display_name, "Draft")
        draft.action_publish()
        self.assertEqual(draft.display_name, "Version 1")
        self.assertIn("Write to Nasrin Akter.", draft.text_ids.rendered)
        with self.assertRaises(AccessError):
            draft.with_user(self.auditor).action_new_version()

    def test_an_officer_notes_an_age(self):
        note = self.env["privacy.age.note"].with_user(self.nasrin)
        form = Form(note.with_context(default_partner_id=self.karim.id))
        form.kind, form.method, form.guardian_id = "guardian_given", "call", self.rahim
        form.save().action_apply()
        self.assertTrue(self.karim._privacy_guardian_agreed())

    def test_an_officer_notes_a_consent_given_on_paper(self):
        note = self.env["privacy.consent.note"].with_user(self.nasrin)
        note = note.with_context(
            default_partner_id=self.karim.id, allowed_company_ids=self.company.ids
        )
        form = Form(note)
        form.purpose_id = self.marketing
        self.assertEqual(form.channel, "mail", "the first one for which people are asked")
        form.channel = "sms"
        self.assertIn("Text message", form.wording)
        form.evidence = "Form 17, in the folder of the shop"
        words = form.wording
        form.save().action_apply()
        self.assertTrue(self.may_write_to(self.karim, channel="sms"))
        self.assertFalse(self.may_write_to(self.karim))
        row = self.karim._privacy_consents(self.marketing, "sms")
        self.assertEqual(
            (row.source, row.evidence, row.wording, row.actor_id),
            ("staff", "Form 17, in the folder of the shop", words, self.nasrin.id),
        )
        with self.assertRaisesRegex(UserError, "Enter the proof"):
            note.create(
                {"purpose_id": self.marketing.id, "evidence": "  ", "action": "withdrawn"}
            ).action_apply()
        with self.assertRaises(AccessError):
            self.env["privacy.consent.note"].with_user(self.auditor).create({})

    def test_the_contact_leads_to_its_decisions(self):
        row = self.decide()
        partner = self.karim.with_user(self.nasrin)
        self.assertEqual(partner.privacy_consent_count, 1)
        action = partner.action_privacy_consents()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), row)
