import hashlib

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .consent_common import ConsentCase


@tagged("post_install", "-at_install")
class TestConsentLedger(ConsentCase):
    def refused(self, statement, *params):
        """Assert that the database itself refuses a statement."""
        with self.assertRaises(psycopg2.errors.RestrictViolation), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.env.cr.execute(statement, params)

    def test_a_decision_is_written_down_with_its_proof(self):
        row = self.decide()
        self.assertEqual(
            (row.partner_id, row.purpose_id, row.channel, row.action, row.source, row.company_id),
            (self.karim, self.marketing, "mail", "given", "portal", self.company),
        )
        self.assertIn("Padma Net", row.wording)
        self.assertIn("Offers and news", row.wording)
        self.assertEqual(row.wording_hash, hashlib.sha256(row.wording.encode()).hexdigest())
        self.assertEqual(row.lang, "en_US")
        self.assertEqual(row.actor_id, self.env.uid)
        self.assertNotIn("karim", row.contact_hash)

    def test_the_last_row_holds(self):
        self.assertFalse(self.may_write_to(self.karim), "nobody agreed yet")
        self.decide()
        self.assertTrue(self.may_write_to(self.karim))
        self.decide("withdrawn")
        self.assertFalse(self.may_write_to(self.karim))
        last = self.decide()
        self.assertTrue(self.may_write_to(self.karim))
        self.assertEqual(self.karim._privacy_consents(self.marketing, "mail"), last)
        rows = self.ledger.search([("partner_id", "=", self.karim.id)])
        self.assertEqual(rows.mapped("action"), ["given", "withdrawn", "given"])

    def test_repeating_what_holds_writes_nothing(self):
        self.assertTrue(self.decide())
        self.assertFalse(self.decide())
        self.assertTrue(self.decide("withdrawn"))
        self.assertFalse(self.decide("withdrawn"))

    def test_channels_purposes_people_and_companies_are_kept_apart(self):
        self.decide()
        self.assertFalse(self.may_write_to(self.karim, channel="sms"))
        self.assertFalse(self.may_write_to(self.rahim))
        other = self.env["res.company"].create({"name": "Ganga Net"})
        self.assertFalse(self.karim._privacy_may_contact(self.marketing, "mail", other))
        both = self.karim | self.rahim
        self.assertEqual(both._privacy_may_contact(self.marketing, "mail"), self.karim)

    @proves("P-12")
    def test_a_legitimate_interest_holds_until_somebody_objects(self):
        """P-12: an objection stops recommendations."""
        self.assertTrue(self.may_write_to(self.karim, self.recommendations, "none"))
        self.decide("withdrawn", purpose=self.recommendations, channel="none")
        self.assertFalse(self.may_write_to(self.karim, self.recommendations, "none"))
        self.assertTrue(self.may_write_to(self.rahim, self.recommendations, "none"))

    def test_messages_of_the_service_go_to_everybody(self):
        """P-56."""
        self.create_request("opt_out")
        self.assertTrue(self.may_write_to(self.karim, self.service))

    @proves("P-39")
    def test_restricted_data_is_used_for_no_campaign(self):
        """P-39."""
        self.decide()
        self.assertTrue(self.may_write_to(self.karim))
        request = self.create_request("restriction_set")
        self.assertTrue(self.may_write_to(self.karim), "not decided yet")
        self.bring(request, "done")
        self.assertFalse(self.may_write_to(self.karim))
        self.assertFalse(self.may_write_to(self.karim, self.recommendations, "none"))
        self.assertTrue(self.may_write_to(self.karim, self.service))
        self.bring(self.create_request("restriction_lift"), "done")
        self.assertTrue(self.may_write_to(self.karim))
        self.bring(self.create_request("erasure"), "recovery")
        self.assertFalse(self.may_write_to(self.karim))

    def test_only_what_is_asked_can_be_agreed_to(self):
        with self.assertRaisesRegex(UserError, "no such choice"):
            self.decide(purpose=self.service)
        with self.assertRaisesRegex(UserError, "no such choice"):
            self.decide(channel="none")
        with self.assertRaisesRegex(ValidationError, "ground is consent"):
            self.service.is_choice = True

    @proves("P-51")
    def test_login_and_use_are_no_consent(self):
        """P-51."""
        before = self.ledger.search_count([])
        user = new_test_user(
            self.env, "privacy_new", "base.group_portal", password="privacy_new-password"
        )
        credential = {"login": user.login, "password": "privacy_new-password", "type": "password"}
        user.with_user(user)._check_credentials(credential, {"interactive": True})
        user._update_last_login()
        self.env["privacy.policy.version"]._acknowledge(user.partner_id)
        self.assertEqual(self.ledger.search_count([]), before)

    def test_nobody_writes_rows_by_hand(self):
        row = self.decide()
        for user in (self.nasrin, self.auditor):
            with self.assertRaises(AccessError):
                self.ledger.with_user(user).create({"partner_id": self.rahim.id})
            with self.assertRaises(UserError):
                row.with_user(user).write({"action": "withdrawn"})
        for forbidden in (lambda: row.write({"action": "withdrawn"}), row.unlink):
            with self.assertRaisesRegex(UserError, "never changed"):
                forbidden()

    def test_the_database_refuses_changes(self):
        row = self.decide(evidence="Form 7")
        self.ledger.flush_model()
        self.refused("UPDATE privacy_consent SET action = 'withdrawn' WHERE id = %s", row.id)
        self.refused("UPDATE privacy_consent SET partner_id = %s", self.rahim.id)
        self.refused("UPDATE privacy_consent SET ip = '10.0.0.1' WHERE id = %s", row.id)
        self.refused("UPDATE privacy_consent SET evidence = 'Form 8' WHERE id = %s", row.id)
        self.refused("UPDATE privacy_consent SET wording_hash = NULL WHERE id = %s", row.id)
        self.refused("UPDATE privacy_consent SET contact_hash = NULL WHERE id = %s", row.id)
        self.refused("DELETE FROM privacy_consent WHERE id = %s", row.id)
        self.refused("TRUNCATE privacy_consent")

    def test_erasure_empties_what_tells_of_the_person_and_the_proof_stays(self):
        row = self.decide(evidence="Form 7", ip="10.0.0.1", user_agent="Lynx")
        digest = row.contact_hash
        with self.assertRaisesRegex(UserError, "never changed"):
            row.write({"evidence": "Form 8"})
        row.write({"evidence": False, "ip": False, "user_agent": False})
        self.ledger.flush_model()
        row.invalidate_recordset()
        self.assertEqual((row.evidence, row.ip, row.user_agent), (False, False, False))
        self.assertEqual((row.contact_hash, row.action), (digest, "given"))

    def test_a_contact_with_proof_is_the_one_that_is_kept(self):
        row = self.decide()
        twin = self.create_partner("Karim U.", "karim@customer.example")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRaisesRegex(UserError, "contact that is kept"):
            wizard._merge((self.karim | twin).ids, twin)
        self.assertTrue(self.karim.exists())
        wizard._merge((self.karim | twin).ids, self.karim)
        self.assertFalse(twin.exists())
        self.assertEqual(row.partner_id, self.karim)

    def test_who_sees_what(self):
        row = self.decide()
        self.assertIn(row, self.ledger.with_user(self.auditor).search([]))
        clerk = self.create_user("privacy_clerk", "base.group_user")
        for model in ("privacy.consent", "privacy.suppression", "privacy.policy.ack"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(clerk).search([])
        other = self.env["res.company"].create({"name": "Ganga Net"})
        foreign = self.create_user(
            "privacy_foreign", "isp_privacy.group_privacy_officer", company=other
        )
        seen = self.ledger.with_user(foreign).with_context(allowed_company_ids=other.ids)
        self.assertNotIn(row, seen.search([]))


@tagged("post_install", "-at_install")
class TestSuppression(ConsentCase):
    @proves("P-41")
    def test_an_imported_contact_stays_suppressed(self):
        """P-41."""
        self.decide("withdrawn")
        self.decide("withdrawn", channel="sms")
        self.karim.write({"email": False, "phone": False})
        imported = self.create_partner(
            "K. Uddin",
            "  KARIM@customer.example ",
            phone="+880 1711 111 111",
            country_id=self.env.ref("base.bd").id,
        )
        for channel in ("mail", "sms"):
            with self.subTest(channel=channel):
                self.assertFalse(self.may_write_to(imported, channel=channel))
                digest = imported._privacy_contact_hashes(channel)[imported.id]
                found = self.suppression._find(self.company, self.marketing, channel, [digest])
                self.assertEqual(found, {digest})

    def test_the_new_contact_may_agree_by_itself(self):
        self.decide("withdrawn")
        imported = self.create_partner("K. Uddin", "karim@customer.example")
        self.decide(partner=imported)
        self.assertTrue(self.may_write_to(imported))

    def test_an_objection_reaches_the_same_address_of_another_contact(self):
        self.recommendations.write({"choice_mail": True})
        twin = self.create_partner("Karim (work)", "Karim@Customer.example")
        self.decide("withdrawn", purpose=self.recommendations)
        self.assertFalse(self.may_write_to(twin, self.recommendations))
        self.assertTrue(self.may_write_to(self.rahim, self.recommendations))

    def test_no_address_is_in_the_list(self):
        self.decide("withdrawn")
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT coalesce(string_agg(to_jsonb(s)::text, ' '), '') FROM privacy_suppression s"
        )
        [text] = self.env.cr.fetchone()
        self.assertIn("mail", text)
        for part in ("karim", "customer.example", "1711"):
            self.assertNotIn(part, text)

    def test_digests_differ_where_addresses_do(self):
        digest = self.suppression._digest
        self.assertEqual(digest("mail", "A@x.example"), digest("mail", "a@X.example "))
        self.assertNotEqual(digest("mail", "a.b@x.example"), digest("mail", "ab@x.example"))
        self.assertEqual(digest("sms", "+8801711111111"), digest("whatsapp", "+8801711111111"))
        self.assertIsNone(digest("mail", "no address"))
        self.assertIsNone(digest("none", "a@x.example"))

    def test_without_keys_it_says_what_to_do(self):
        self.use_no_keys()
        with self.assertRaisesRegex(UserError, "ISP_KEY_FILE"):
            self.decide("withdrawn")


@tagged("post_install", "-at_install")
class TestConsentRequests(ConsentCase):
    def agree_everywhere(self):
        for channel in self.marketing._get_channels():
            self.decide(channel=channel)

    @proves("P-40", "P-41")
    def test_requests_stop_messages_at_once(self):
        """P-40, P-41: nobody has to decide about them."""
        for request_type in ("opt_out", "objection_marketing", "consent_withdrawal"):
            with self.subTest(request_type=request_type):
                self.agree_everywhere()
                request = self.create_request(request_type)
                self.assertEqual(request.state, "done")
                self.assertIn("Offers and news", request.result)
                for channel in self.marketing._get_channels():
                    self.assertFalse(self.may_write_to(self.karim, channel=channel))
                rows = self.karim._privacy_consents(self.marketing)
                self.assertEqual(set(rows.mapped("evidence")), {request.name})

    @proves("P-40")
    def test_an_objection_to_a_legitimate_interest_is_reviewed(self):
        request = self.create_request("objection_interest")
        self.assertEqual(request.state, "received", "an officer weighs it, with the clock running")
        self.assertTrue(request.date_due)
        self.assertTrue(self.may_write_to(self.karim, self.recommendations, "none"))
        self.bring(request, "in_review").with_user(self.farid).action_approve()
        self.assertFalse(self.may_write_to(self.karim, self.recommendations, "none"))
        self.assertEqual(request.state, "executing")
        self.assertIn("Carry out", self.activities_of(request, "task")[0].summary)
        request.with_user(self.farid)._finish("Left out of the reports as well")
        self.assertEqual(request.state, "done")

    @proves("P-12")
    def test_a_decision_of_a_machine_is_reviewed_by_a_person(self):
        request = self.create_request("automated_review")
        self.bring(request, "in_review").with_user(self.farid).action_approve()
        self.assertEqual(request.state, "executing", "no engine decides about it")
        self.assertEqual(self.activities_of(request, "task").user_id, self.nasrin)

    def test_a_withdrawal_of_consent_leaves_what_rests_on_another_ground(self):
        self.create_request("consent_withdrawal")
        self.assertTrue(self.may_write_to(self.karim, self.recommendations, "none"))
        self.create_request("objection_marketing")
        self.assertFalse(self.may_write_to(self.karim, self.recommendations, "none"))

    def test_an_address_that_is_no_contact_is_suppressed(self):
        request = self.create_request(
            "opt_out", self.env["res.partner"], email_from="New <new@lead.example>"
        )
        self.assertEqual(request.state, "done")
        lead = self.create_partner("New lead", "new@lead.example")
        self.assertFalse(self.may_write_to(lead))
        digest = lead._privacy_contact_hashes("mail")[lead.id]
        row = self.ledger.search([("contact_hash", "=", digest)])
        self.assertEqual((row.purpose_id & self.marketing).id, self.marketing.id)
        self.assertFalse(row.partner_id)

    def test_the_answer_is_in_the_language_of_the_person(self):
        self.karim.lang = "en_US"
        request = self.create_request("opt_out")
        self.assertIn("still reach you", request.result)
