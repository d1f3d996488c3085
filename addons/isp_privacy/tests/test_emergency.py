"""An administrator takes a role in an emergency: with a reason, for hours, and in the open."""

from datetime import timedelta

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from ..models import res_users_roles
from .register_common import RegisterCase

REASON = "Router down, subscriber 1203 is cut off"
SUPPORT = "isp_base.group_isp_support"
MANAGER = "isp_base.group_isp_manager"


@tagged("post_install", "-at_install")
class TestEmergency(RegisterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.new_user("prv_admin", "base.group_system")
        cls.other_admin = cls.new_user("prv_admin2", "base.group_system")
        cls.support = cls.env.ref(SUPPORT)

    def ask(self, user=None, role=SUPPORT, **vals):
        wizards = self.as_user(user or self.admin, "privacy.emergency.start")
        return wizards.create({"role_id": self.env.ref(role).id, "reason": REASON, **vals})

    def open(self, **vals):
        return self.ask(**vals)._open()

    def actions(self, record):
        return self.audit_of(record).mapped("action")

    def told(self, words):
        """Return to whom mails with these words go, of the officers of this test."""
        mails = self.env["mail.mail"].sudo().search([("body_html", "ilike", words)])
        return {
            user
            for user in (self.officer, self.second_officer, self.admin)
            if any(user.email in (mail.email_to or "") for mail in mails)
        }

    def at(self, **delta):
        return freeze_time(fields.Datetime.now() + timedelta(**delta))

    def run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.privacy_emergency_cron").method_direct_trigger()
        self.env.invalidate_all()

    # === OPENING === #

    @proves("P-18")
    def test_the_role_is_given_written_down_and_told(self):
        self.assertFalse(self.admin.has_group(SUPPORT))
        emergency = self.open(hours=2)
        self.assertTrue(self.admin.has_group(SUPPORT))
        self.assertEqual(emergency.user_id, self.admin)
        self.assertEqual(emergency.until - emergency.start_at, timedelta(hours=2))
        self.assertEqual((emergency.reason, emergency.state), (REASON, "open"))
        self.assertEqual(emergency.company_id, self.company)
        row = self.audit_of(emergency)
        self.assertEqual((row.action, row.actor_id), ("emergency_opened", self.admin.id))
        self.assertEqual(self.told("has taken the role"), {self.officer, self.second_officer})
        mail = self.env["mail.mail"].sudo().search([("body_html", "ilike", "has taken the role")])
        self.assertIn("14:00 (Asia/Dhaka)", mail[0].body_html)
        self.assertNotIn("1203", mail[0].body_html)
        # It was taken by the procedure.
        self.assertNotIn("role_taken", self.actions(self.admin))

    def test_the_password_is_asked_for_anew(self):
        self.assertTrue(getattr(type(self.ask()).action_open, "__has_check_identity", False))

    def test_what_is_refused(self):
        supervisor = "isp_privacy.group_privacy_officer"
        manager = self.env.ref(MANAGER)
        cases = [
            ({"reason": "  "}, "in some words"),
            ({"reason": "maintenance"}, "in some words"),
            ({"reason": "a b c"}, "in some words"),
            ({"hours": 9}, "1 to 8 hours"),
            ({"hours": 0}, "1 to 8 hours"),
            ({"role": supervisor}, "cannot be taken"),
            ({"role": "isp_privacy.group_privacy_auditor"}, "cannot be taken"),
            ({"role": "isp_privacy.group_kyc_officer"}, "cannot be taken"),
            ({"role": "base.group_partner_manager"}, "cannot be taken"),
        ]
        for vals, message in cases:
            with self.subTest(vals), self.assertRaisesRegex(UserError, message):
                self.open(**vals)
        with self.subTest("a role that includes a supervisor"):
            manager.implied_ids += self.env.ref(supervisor)
            with self.assertRaisesRegex(UserError, "cannot be taken"):
                self.open(role=MANAGER)
        self.assertFalse(self.env["privacy.emergency"].search([("user_id", "=", self.admin.id)]))
        self.assertFalse(self.admin.has_group(SUPPORT))

    def test_one_at_a_time_and_not_what_one_has(self):
        self.open()
        with self.assertRaisesRegex(UserError, "Give back"):
            self.open(role=MANAGER)
        self.other_admin.group_ids += self.env.ref(MANAGER)
        with self.assertRaisesRegex(UserError, "already"):
            self.open(user=self.other_admin)

    def test_only_administrators_for_themselves_by_the_wizard(self):
        with self.assertRaises(AccessError):
            self.ask(self.clerk)
        with self.assertRaises(AccessError):
            self.ask(self.other_admin).with_user(self.admin)._open()
        emergency = self.open()
        for user in (self.admin, self.officer):
            own = emergency.with_user(user)
            self.assertEqual(own.reason, REASON)
            for forbidden in (
                lambda own=own: own.write({"until": "2030-01-01 00:00:00"}),
                lambda own=own: own.copy(),
                lambda own=own: own.unlink(),
            ):
                with self.assertRaises(AccessError):
                    forbidden()
        with self.assertRaises(AccessError):
            emergency.with_user(self.other_admin).read(["reason"])
        self.assertEqual(emergency.with_user(self.auditor).role_id, self.support)

    # === ENDING === #

    @proves("P-18")
    def test_it_ends_by_itself_and_not_before(self):
        emergency = self.open()
        with self.at(minutes=59):
            self.run_job()
        self.assertEqual(emergency.state, "open")
        self.assertTrue(self.admin.has_group(SUPPORT))
        with self.at(minutes=60):
            self.run_job()
            self.assertEqual(emergency.ended_at, fields.Datetime.now())
        self.assertEqual((emergency.state, emergency.ended_by), ("ended", "time"))
        self.assertFalse(self.admin.has_group(SUPPORT))
        self.assertEqual(self.actions(emergency), ["emergency_opened", "emergency_ended"])
        self.assertFalse(self.told("outside of the emergency access"))
        self.open()

    def test_it_is_given_back_or_taken_away(self):
        for user, ended_by in ((self.admin, "user"), (self.officer, "officer")):
            with self.subTest(ended_by):
                emergency = self.open()
                for other in (self.other_admin, self.auditor):
                    with self.assertRaises(AccessError):
                        emergency.with_user(other).action_end()
                emergency.with_user(user).action_end()
                self.assertEqual((emergency.state, emergency.ended_by), ("ended", ended_by))
                self.assertFalse(self.admin.has_group(SUPPORT))
                rows = self.audit_of(emergency)
                self.assertEqual(rows[-1].action, "emergency_ended")
                self.assertEqual(rows[-1].actor_id, user.id)
                emergency.with_user(user).action_end()
                self.assertEqual(len(self.audit_of(emergency)), 2)

    def test_the_auditor_sees_what_was_done_meanwhile(self):
        emergency = self.open().with_user(self.auditor)
        action = emergency.action_view_audit()
        rows = self.as_user(self.auditor, "privacy.audit").search(action["domain"])
        self.assertIn("emergency_opened", rows.mapped("action"))
        self.assertEqual(set(rows.mapped("actor_id")), {self.admin.id})

    # === BESIDE THE PROCEDURE === #

    def test_a_role_taken_otherwise_is_reported(self):
        users = self.as_user(self.admin, "res.users")
        groups = self.as_user(self.admin, "res.groups")
        me = users.browse(self.admin.id)
        system = groups.browse(self.env.ref("base.group_system").id)
        forged = {res_users_roles.BY_PROCEDURE: True}
        link = [Command.link(self.support.id)]
        ways = {
            "user": lambda: me.write({"group_ids": link}),
            "forged": lambda: me.with_context(**forged).write({"group_ids": link}),
            "sudo": lambda: me.sudo().write({"group_ids": link}),
            "role": lambda: groups.browse(self.support.id).write(
                {"user_ids": [Command.link(me.id)]}
            ),
            "implied": lambda: system.write({"implied_ids": link}),
            "new group": lambda: groups.create(
                {"name": "Mine", "implied_ids": link, "user_ids": [Command.link(me.id)]}
            ),
        }
        for way, take in ways.items():
            with self.subTest(way), self.env.cr.savepoint() as savepoint:
                take()
                self.assertIn(self.support, self.admin.all_group_ids)
                row = self.audit_of(self.admin)[-1]
                self.assertEqual((row.action, row.actor_id), ("role_taken", self.admin.id))
                self.assertIn("ISP / Support", row.changes)
                self.assertEqual(
                    self.told("outside of the emergency"), {self.officer, self.second_officer}
                )
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_all_caches()

    def test_a_role_that_outlasts_the_emergency_is_reported(self):
        emergency = self.open(role=MANAGER)
        me = self.as_user(self.admin, "res.users").browse(self.admin.id)
        me.write({"group_ids": [Command.link(self.support.id)]})
        self.assertIn("role_taken", self.actions(self.admin))
        emergency.with_user(self.admin).action_end()
        self.assertFalse(self.admin.has_group(MANAGER))
        self.assertTrue(self.admin.has_group(SUPPORT))

    def test_what_others_are_given_is_no_report(self):
        clerk = self.as_user(self.admin, "res.users").browse(self.other_admin.id)
        clerk.write({"group_ids": [Command.link(self.support.id)]})
        me = self.as_user(self.admin, "res.users").browse(self.admin.id)
        me.write({"group_ids": [Command.link(self.env.ref("base.group_no_one").id)]})
        self.assertNotIn("role_taken", self.actions(self.admin) + self.actions(clerk))
