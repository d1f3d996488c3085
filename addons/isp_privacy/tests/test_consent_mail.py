from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.mail.tests.common import MockEmail

from ..engine.promo import find_promo_words
from .consent_common import OFFER, ConsentCase


@tagged("post_install", "-at_install")
class TestConsentMail(ConsentCase, MockEmail):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env["mail.template"].create(
            {
                "name": "Offer",
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "subject": OFFER,
                "body_html": "<p>Twice the speed, 20 % off.</p>",
                "email_from": "office@padma.example",
                "use_default_to": False,
                "partner_to": "{{ object.id }}",
                "auto_delete": False,
                "privacy_purpose_id": cls.marketing.id,
            }
        )

    def send(self, partners, template=None, **values):
        """Send the template to people; return their mails and what left the house."""
        with self.mock_mail_gateway():
            mails = (template or self.template).send_mail_batch(partners.ids, email_values=values)
            mails.send()
        return mails, self._mails

    @proves("P-11")
    def test_offers_reach_only_those_who_agreed(self):
        """P-11."""
        self.decide()
        mails, sent = self.send(self.karim | self.rahim)
        self.assertEqual(
            [mail["email_to"] for mail in sent], [['"Karim Uddin" <karim@customer.example>']]
        )
        to_karim, to_rahim = mails
        self.assertEqual(to_karim.state, "sent")
        self.assertEqual((to_rahim.state, to_rahim.failure_type), ("cancel", "mail_optout"))
        self.assertIn("agreed", to_rahim.failure_reason)

    @proves("P-40")
    def test_an_objection_empties_the_next_campaign(self):
        """P-40: no message at all."""
        self.decide()
        self.create_request("objection_marketing")
        self.assertEqual(self.send(self.karim)[1], [])

    def test_who_withdraws_while_the_mail_waits_does_not_get_it(self):
        self.decide()
        mails = self.template.send_mail_batch(self.karim.ids)
        self.decide("withdrawn")
        with self.mock_mail_gateway():
            self.env["mail.mail"].process_email_queue(mails.ids)
        self.assertEqual(self._mails, [])
        self.assertEqual(mails.state, "cancel")

    def test_messages_of_the_service_are_not_stopped(self):
        self.create_request("opt_out")
        self.template.write({"body_html": "<p>Works tonight.</p>"})
        self.template.privacy_purpose_id = self.service
        self.assertEqual(len(self.send(self.karim)[1]), 1)
        # As one that came before purposes were demanded.
        self.template.with_context(install_mode=True).privacy_purpose_id = False
        self.assertEqual(len(self.send(self.karim)[1]), 1)

    def test_bare_addresses_and_copies(self):
        self.decide()
        nobody = self.env["res.partner"]
        cases = [
            ({"email_to": "karim@customer.example"}, 1),
            ({"email_to": "stranger@lead.example"}, 0),
            ({"email_to": "karim@customer.example, stranger@lead.example"}, 0),
            ({"email_cc": "stranger@lead.example"}, 0),
        ]
        for values, expected in cases:
            with self.subTest(**values):
                _mails, sent = self.send(self.rahim | nobody, recipient_ids=[(5,)], **values)
                self.assertEqual(len(sent), expected)
                self.assertNotIn("stranger", str([mail["email_to"] for mail in sent]))
                self.assertFalse([mail for mail in sent if mail["email_cc"]])

    def test_each_mail_has_its_own_link(self):
        self.decide()
        self.decide(partner=self.rahim)
        mails = self.template.send_mail_batch(self.karim.ids)
        mails.recipient_ids |= self.rahim
        outgoing = mails._prepare_outgoing_list()
        found = []
        for values in outgoing:
            self.assertEqual(
                values["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click"
            )
            url = values["headers"]["List-Unsubscribe"].strip("<>")
            self.assertIn(url, values["body"])
            self.assertIn(url, values["body_alternative"])
            found.append(self.ledger._read_withdrawal_token(url.rpartition("/")[2])[3])
        self.assertEqual(found, [self.karim, self.rahim])

    def test_other_mails_have_no_link(self):
        self.template.write({"body_html": "<p>Works tonight.</p>"})
        self.template.privacy_purpose_id = self.service
        [values] = self.template.send_mail_batch(self.karim.ids)._prepare_outgoing_list()
        self.assertNotIn("List-Unsubscribe", values["headers"])

    def test_the_composer_carries_the_purpose(self):
        self.decide()
        composer = self.env["mail.compose.message"].create(
            {
                "model": "res.partner",
                "composition_mode": "mass_mail",
                "template_id": self.template.id,
                "res_ids": (self.karim | self.rahim).ids,
            }
        )
        with self.mock_mail_gateway():
            composer._action_send_mail()
            self.env["mail.mail"].search(
                [("subject", "=", OFFER), ("state", "=", "outgoing")]
            ).send()
        self.assertEqual(len(self._mails), 1)
        self.assertIn("karim", self._mails[0]["email_to"][0])

    def test_an_offer_is_not_posted_to_all_followers(self):
        with self.assertRaisesRegex(UserError, "all followers"):
            self.karim.message_post_with_source(self.template)

    def test_without_keys_the_queue_goes_on(self):
        self.decide()
        mails = self.template.send_mail_batch(self.karim.ids)
        self.use_no_keys()
        logger = "odoo.addons.isp_privacy.models.mail_mail"
        with self.mock_mail_gateway(), self.assertLogs(logger, "ERROR"):
            mails.send()
        self.assertEqual(self._mails, [])
        self.assertEqual(mails.state, "exception")

    # === TEMPLATES === #

    @proves("P-11")
    def test_a_template_needs_a_purpose(self):
        """P-11: demanded from the beginning."""
        self.template.with_context(install_mode=True).privacy_purpose_id = False
        for save in (
            lambda: self.template.write({"subject": "New"}),
            lambda: self.template.copy(),
            lambda: self.template.create({"name": "Other", "model_id": self.template.model_id.id}),
        ):
            with self.assertRaisesRegex(ValidationError, "Choose the purpose"):
                save()
        self.template.write({"subject": "New", "privacy_purpose_id": self.marketing.id})

    def test_what_addons_ship_is_installed_in_any_case(self):
        installing = self.template.with_context(install_mode=True)
        installing.write({"privacy_purpose_id": False})
        self.assertFalse(self.template.privacy_purpose_id)

    def test_an_operator_may_demand_no_purpose(self):
        self.env["res.config.settings"].create(
            {"privacy_template_purpose_required": False}
        ).execute()
        self.template.privacy_purpose_id = False

    @proves("P-11")
    def test_what_addons_ship_has_its_purpose(self):
        """Every template of this database; one that advertises has to be looked at by somebody."""
        templates = self.env["mail.template"].with_context(active_test=False)
        missing = templates.search([("privacy_purpose_id", "=", False)])
        self.assertEqual(
            missing.filtered(lambda t: not find_promo_words(t.subject, t.body_html)).mapped("name"),
            [],
        )
        self.assertGreater(templates.search_count([]), 10)
        answer = self.env.ref("isp_privacy.mail_template_request_done")
        self.assertEqual(answer.privacy_purpose_id.code, "rights")

    def test_a_purpose_that_can_be_refused_is_never_guessed(self):
        template = self.template.with_context(install_mode=True)
        template.write({"body_html": "<p>Works tonight.</p>", "privacy_purpose_id": False})
        for model, code in (("res.users", "service"), ("privacy.request", "rights")):
            with self.subTest(model=model):
                template.model_id = self.env["ir.model"]._get_id(model)
                template.privacy_purpose_id = False
                template._privacy_fill_purposes()
                self.assertEqual(template.privacy_purpose_id.code, code)
        template.write({"privacy_purpose_id": False, "body_html": "<p>Special offer</p>"})
        template._privacy_fill_purposes()
        self.assertFalse(template.privacy_purpose_id)

    @proves("P-56")
    def test_messages_of_the_service_do_not_advertise(self):
        """P-56."""
        with self.assertRaisesRegex(ValidationError, "20 % off"):
            self.template.privacy_purpose_id = self.service
        self.template.body_html = "<p>Works tonight.</p>"
        self.template.privacy_purpose_id = self.service
        for words in ("Special <b>offer</b>!", "আজই অফার নিন", "Limited-time deal"):
            with self.subTest(words=words), self.assertRaises(ValidationError):
                self.template.body_html = f"<p>{words}</p>"

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_who_edits_templates_sees_the_purposes(self):
        editor = self.create_user(
            "privacy_editor", "base.group_user,mail.group_mail_template_editor"
        )
        template = self.template.with_user(editor)
        template.write({"privacy_purpose_id": self.recommendations.id})
        self.assertTrue(self.env["privacy.purpose"].with_user(editor).search([]))
