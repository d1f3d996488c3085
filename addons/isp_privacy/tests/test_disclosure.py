import base64
import hashlib

import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .register_common import NOW, RegisterCase

FILE = b"session;address\n1;203.0.113.7\n"


@tagged("post_install", "-at_install")
class TestDisclosure(RegisterCase):
    def enter(self, **vals):
        return self.as_user(self.officer, "privacy.disclosure").create(
            {
                "authority": "Court of Dhaka",
                "legal_reference": "Order 17/2027",
                "scope": "Sessions of 1 March 2027",
                **vals,
            }
        )

    def approve(self, disclosure):
        disclosure.with_user(self.second_officer).action_approve()
        return disclosure

    def test_entered_approved_and_handed_over(self):
        with Form(self.as_user(self.officer, "privacy.disclosure")) as form:
            form.authority = "Court of Dhaka"
            form.legal_reference = "Order 17/2027"
            form.scope = "Sessions of 1 March 2027"
        disclosure = self.approve(form.record)
        self.assertEqual(
            (disclosure.state, disclosure.entered_by_id, disclosure.approved_by_id),
            ("approved", self.officer, self.second_officer),
        )
        with Form(disclosure) as form:
            form.content = base64.b64encode(FILE).decode()
        self.assertEqual(disclosure.sha256, hashlib.sha256(FILE).hexdigest())
        disclosure.action_hand_over()
        disclosure.invalidate_recordset()
        self.assertEqual(
            (disclosure.state, disclosure.handed_over_by_id, str(disclosure.handed_over_at)),
            ("done", self.officer, NOW),
        )
        self.assertFalse(disclosure.content, "the file itself is not kept")
        attachments = [("res_model", "=", disclosure._name), ("res_id", "=", disclosure.id)]
        self.assertFalse(self.env["ir.attachment"].search(attachments))

    @proves("P-27")
    def test_who_entered_it_cannot_approve_it(self):
        disclosure = self.enter()
        with self.assertRaisesRegex(UserError, "another privacy officer"):
            disclosure.action_approve()
        self.assertEqual(disclosure.state, "draft")
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                disclosure.sudo().write({"state": "approved", "approved_by_id": self.officer.id})

    def test_nobody_else_is_named_as_approver_or_writer(self):
        disclosure = self.enter()
        for vals in (
            {"approved_by_id": self.second_officer.id},
            {"state": "approved"},
            {"entered_by_id": self.second_officer.id},
        ):
            with self.subTest(vals=vals):
                with self.assertRaises(AccessError):
                    disclosure.write(vals)
                with self.assertRaises(AccessError):
                    self.enter(**vals)
        context = {"default_state": "done", "default_entered_by_id": self.second_officer.id}
        sneaky = self.as_user(self.officer, "privacy.disclosure").with_context(**context)
        made = sneaky.create({"authority": "A", "legal_reference": "B", "scope": "C"})
        self.assertEqual((made.state, made.entered_by_id), ("draft", self.officer))

    @proves("P-27")
    def test_nothing_is_handed_over_unapproved_or_without_its_hash(self):
        disclosure = self.enter(sha256=hashlib.sha256(FILE).hexdigest())
        with self.assertRaisesRegex(UserError, "Only an approved"):
            disclosure.action_hand_over()
        self.approve(disclosure).sha256 = False
        with self.assertRaisesRegex(UserError, "SHA-256"):
            disclosure.action_hand_over()

    def test_what_was_approved_stays_as_it_was(self):
        disclosure = self.approve(self.enter())
        with self.assertRaisesRegex(UserError, "approved as it is"):
            disclosure.scope = "Everything"
        with self.assertRaisesRegex(UserError, "before"):
            disclosure.with_user(self.second_officer).action_approve()
        disclosure.sha256 = hashlib.sha256(FILE).hexdigest()
        disclosure.action_hand_over()
        with self.assertRaisesRegex(UserError, "handed over"):
            disclosure.sha256 = hashlib.sha256(b"other").hexdigest()
        with self.assertRaises(UserError):
            disclosure.action_hand_over()
        with self.assertRaisesRegex(UserError, "stays in the register"):
            disclosure.unlink()
        disclosure.message_post(body="The court has confirmed it.")

    def test_a_hash_is_a_hash(self):
        for wrong in ("abc", "Z" * 64, "A" * 64, "a" * 63):
            with self.subTest(wrong=wrong), self.assertRaises(ValidationError):
                self.enter(sha256=wrong)

    def test_a_draft_can_be_deleted_and_that_is_audited(self):
        disclosure = self.enter()
        rows = self.audit_of(disclosure)
        disclosure.unlink()
        self.assertEqual((self.env["privacy.audit"].search([], limit=1) - rows).action, "unlink")

    def test_a_copy_is_a_draft_of_its_own(self):
        disclosure = self.approve(self.enter())
        copy = disclosure.with_user(self.second_officer).copy()
        self.assertEqual((copy.state, copy.entered_by_id), ("draft", self.second_officer))
        self.assertFalse(copy.approved_by_id)

    def test_an_auditor_approves_nothing(self):
        disclosure = self.enter()
        with self.assertRaises(AccessError):
            disclosure.with_user(self.auditor).action_approve()
