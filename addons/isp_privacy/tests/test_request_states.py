from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import LockError, UserError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from ..engine.request_states import STATES, next_states
from .request_common import PrivacyRequestCase

PAST, FUTURE = "2026-01-01 00:00:00", "2999-01-01 00:00:00"


@tagged("post_install", "-at_install")
class TestRequestStates(PrivacyRequestCase):
    """The way of a request: each move that the table allows, and no other."""

    # === THE TABLE === #

    def test_every_move_of_the_table_and_no_other(self):
        """For one kind of each way; that the table itself is right, the unit tests say."""
        # That nothing is left of the person, the tests of erasures say.
        self.patch(type(self.env["privacy.request"]), "_check_erased", lambda _request: None)
        for request_type in (False, "access", "erasure", "opt_out"):
            request = self.create_request(request_type).with_context(tracking_disable=True)
            for state, _label in STATES:
                for target, _target_label in STATES:
                    with self.subTest(type=request_type, state=state, target=target):
                        self._try_move(request, request_type, state, target)
            self._force(request, "done")  # makes room for the next one

    def _force(self, request, state):
        request.sudo()._write_step(
            {
                "state": state,
                "held_from": "in_review" if state == "on_hold" else False,
                "hold_reference": "Case 7" if state == "on_hold" else False,
                "recover_until": PAST,
                "reviewer_id": False,
                "closed_on": False,
                **dict.fromkeys(("rejection_reason", "result", "original_id"), False),
            }
        )
        request.flush_recordset()

    def _try_move(self, request, request_type, state, target):
        self._force(request, state)
        if target == "withdrawn":  # called off in time
            request.sudo()._write_step({"recover_until": FUTURE})
        as_farid = request.with_user(self.farid)
        events = len(request.event_ids)
        needed = {
            "verified": {"identity_method": "letter"},
            "on_hold": {"hold_reference": "Case 7"},
            "rejected": {"rejection_reason": "The law"},
            "duplicate": {"original_id": request.id},
            "done": {"result": "Handed over"},
        }.get(target, {})
        if target == state:
            self.assertFalse(as_farid._move_to(target, "Again", **needed))
            self.assertEqual(len(request.event_ids), events, "repeating leaves no trace")
        elif target in next_states(request_type, state, "in_review"):
            self.assertTrue(as_farid._move_to(target, "Because", **needed))
            self.assertEqual(request.state, target)
            event = request.event_ids.sorted("id")[-1]
            self.assertEqual(
                (event.from_state, event.to_state, event.reason, event.user_id),
                (state, target, "Because", self.farid),
            )
        else:
            with self.assertRaises(UserError):
                as_farid._move_to(target, "Because", **needed)
            self.assertEqual(request.state, state)

    def test_a_state_that_does_not_exist(self):
        with self.assertRaises(UserError):
            self.create_request()._move_to("nowhere", "Because")

    def test_each_state_needs_its_facts(self):
        request = self.create_request()
        for state in ("verified", "on_hold", "rejected", "duplicate"):
            with self.subTest(state=state), self.assertRaises(UserError):
                request._move_to(state, "Because")
        self.bring(request, "executing")
        for result in (False, "", "  \n"):
            with self.subTest(result=result), self.assertRaises(UserError):
                request._finish(result)
        self.assertEqual(request.state, "executing")

    def test_a_request_that_is_locked_says_so(self):
        request = self.create_request()
        with patch.object(type(request), "lock_for_update", side_effect=LockError("no")):
            with self.assertRaisesRegex(UserError, f"working on request {request.name}"):
                request.action_ask_identity()

    # === WAYS === #

    def test_the_usual_way(self):
        request = self.bring(self.create_request(), "done")
        moves = request.event_ids.filtered(lambda e: e.event_type == "move").sorted("id")
        self.assertEqual(
            moves.mapped("to_state"), ["verified", "in_review", "approved", "executing", "done"]
        )
        self.assertEqual(request.event_ids.sorted("id")[0].event_type, "open")
        self.assertTrue(request.closed_on)
        self.assertEqual(request.identity_user_id, self.nasrin)
        self.assertEqual((request.reviewer_id, request.approver_id), (self.nasrin, self.farid))

    def test_approving_goes_on_by_itself(self):
        request = self.bring(self.create_request("complaint"), "in_review")
        request.with_user(self.farid).action_approve()
        self.assertEqual(request.state, "executing")
        self.assertEqual(
            self.activities_of(request, "task").user_id, self.nasrin, "who reviewed it does it"
        )

    @proves("P-34")
    def test_an_erasure_can_be_called_off(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request("erasure")
            self.bring(request, "in_review").with_user(self.farid).action_approve()
            self.assertEqual(request.state, "recovery")
            self.assertEqual(str(request.recover_until), "2026-03-31 06:00:00")
            with self.assertRaisesRegex(UserError, "called off until"):
                request.action_proceed()
            request._withdraw("Called")
        self.assertEqual(request.state, "withdrawn")

    @proves("P-33", "P-34")
    def test_an_erasure_begins_when_the_window_closes(self):
        with self.at("2026-03-01 06:00:00"):
            request = self.create_request("erasure")
            self.bring(request, "in_review").with_user(self.farid).action_approve()
            triggers = self.env["ir.cron.trigger"].search(
                [("cron_id", "=", self.env.ref("isp_privacy.privacy_request_cron_recovery").id)]
            )
            self.assertIn(request.recover_until, triggers.mapped("call_at"))
        with self.at("2026-03-31 05:59:59"):
            self.run_cron("recovery")
            self.assertEqual(request.state, "recovery")
        with self.at("2026-03-31 06:00:00"):
            self.run_cron("recovery")
            self.assertEqual(request.state, "executing")

    @proves("P-41")
    def test_opt_outs_and_withdrawals_go_straight_on(self):
        for request_type in ("opt_out", "consent_withdrawal", "objection_marketing"):
            request = self.create_request(request_type)
            self.assertEqual((request.state, request.identity_state), ("done", "not_needed"))

    def test_a_hold_ends_where_it_began(self):
        for state in ("received", "identity_pending", "in_review", "executing"):
            with self.subTest(state=state):
                request = self.create_request()
                if state != "received":
                    self.bring(request, state)
                request._hold("Case 7 of 2026")
                self.assertEqual((request.state, request.held_from), ("on_hold", state))
                self.assertEqual(request.hold_reference, "Case 7 of 2026")
                request.action_release()
                self.assertEqual((request.state, request.held_from), (state, False))
                self._force(request, "done")

    def test_a_mail_of_unknown_kind_is_read_first(self):
        request = self.create_request(False)
        for step in (request.action_ask_identity, request.action_review, request.action_proceed):
            with self.assertRaises(UserError):
                step()
        request.request_type = "opt_out"
        request.action_proceed()
        self.assertEqual((request.state, request.identity_state), ("done", "not_needed"))

    # === FOUR EYES === #

    def assert_not_approved_by(self, request, user):
        self.assertFalse(request.with_user(user).can_approve)
        for record in (request.with_user(user), request.with_user(user).sudo()):
            with self.assertRaisesRegex(UserError, "Another officer"):
                record.action_approve()
        self.assertEqual(request.state, "in_review")

    def test_who_entered_or_reviewed_it_does_not_approve_it(self):
        third = self.create_user("privacy_third", "isp_privacy.group_privacy_officer")
        request = self.create_request(user=self.farid)
        request.with_user(self.nasrin)._verify_identity("letter")
        request.with_user(self.nasrin).action_review()
        self.assert_not_approved_by(request, self.farid)
        self.assert_not_approved_by(request, self.nasrin)
        self.assertTrue(request.with_user(third).can_approve)
        request.with_user(third).action_approve()
        self.assertEqual((request.state, request.approver_id), ("executing", third))

    def test_nobody_approves_an_own_request(self):
        request = self.create_request(partner=self.farid.partner_id)
        self.bring(request, "in_review")
        self.assert_not_approved_by(request, self.farid)

    def test_a_hold_is_no_way_around(self):
        request = self.bring(self.create_request(), "in_review")
        request._hold("Case 7")
        request.with_user(self.farid).action_release()
        self.assertEqual(request.reviewer_id, self.nasrin)
        self.assert_not_approved_by(request, self.nasrin)
        request.with_user(self.farid)._move_to("approved", "Approved")
        request._hold("Case 8")
        request.action_release()
        self.assertEqual((request.state, request.approver_id), ("approved", self.farid))

    # === WHAT NOBODY WRITES BY HAND === #

    def test_steps_cannot_be_written_past_their_methods(self):
        request = self.create_request()
        for vals in (
            {"state": "done"},
            {"date_due": "2030-01-01"},
            {"date_received": "2026-01-01 00:00:00"},
            {"approver_id": self.farid.id},
            {"identity_state": "proven"},
            {"terms": {}},
            {"event_ids": [fields.Command.clear()]},
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                request.write(vals)
            with self.subTest(vals=vals), self.assertRaises(UserError):
                request.with_context(privacy_step=True).write(vals)
        with self.assertRaises(UserError):
            self.create_request("complaint", state="done")
        with self.assertRaises(UserError):
            self.create_request("complaint", name="PR-1")
        self.assertEqual(self.create_request("complaint", state="received").state, "received")

    def test_defaults_of_the_context_lead_past_nothing(self):
        context = {"default_state": "approved", "default_approver_id": self.farid.id}
        request = (
            self.env["privacy.request"]
            .with_user(self.nasrin)
            .with_context(**context)
            .create({"request_type": "access", "partner_id": self.karim.id})
        )
        self.assertEqual((request.state, request.approver_id.ids), ("received", []))

    def test_what_was_asked_stays_as_soon_as_it_is_worked_on(self):
        request = self.create_request()
        request.request_type = "portability"
        self.bring(request, "verified")
        for vals in ({"request_type": "access"}, {"partner_id": self.rahim.id}, {"words": "No"}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                request.write(vals)
        request.user_id = self.farid

    def test_history_is_never_changed(self):
        event = self.create_request().event_ids[0]
        for attempt in (lambda: event.sudo().write({"reason": "No"}), event.sudo().unlink):
            with self.assertRaises(UserError):
                attempt()

    def test_a_request_from_the_future_is_refused(self):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        with self.assertRaisesRegex(UserError, "future"):
            self.create_request(date_received=tomorrow)

    def test_somebody_must_ask(self):
        for email in (False, "", "nonsense"):
            with self.subTest(email=email), self.assertRaisesRegex(UserError, "who asks"):
                self.create_request(partner=self.env["res.partner"], email_from=email)
        request = self.create_request(
            partner=self.env["res.partner"], email_from="Salma <Salma@X.example>"
        )
        self.assertEqual(request.email_normalized, "salma@x.example")

    def test_a_request_of_a_known_person_is_not_found_by_its_address(self):
        """Or an export for somebody else with the same mailbox would hold it."""
        shared = {"name": "Salma", "email": "home@x.example"}
        salma = self.env["res.partner"].create(shared)
        request = self.create_request(email_from="home@x.example")
        stray = self.create_request(partner=self.env["res.partner"], email_from="HOME@x.example")
        found = self.env["privacy.map.entry"]._get_records(salma, "privacy.request")
        self.assertNotIn(request, found)
        self.assertIn(stray, found)

    def test_erasure_may_take_the_address_of_a_request_that_has_ended(self):
        request = self.create_request(partner=self.env["res.partner"], email_from="salma@x.example")
        with self.assertRaisesRegex(UserError, "who asks"):
            request._write_step({"email_from": "Subscriber 7"})
        request._withdraw("By phone")
        request._write_step({"email_from": "Subscriber 7"})
        self.assertFalse(request.email_normalized)

    def test_a_failed_execution_is_tried_again(self):
        request = self.bring(self.create_request(), "approved")
        cls = type(request)
        with patch.object(cls, "_execute", side_effect=UserError("The router is away")):
            request.action_proceed()
        self.assertEqual(request.state, "failed")
        self.assertEqual(request.event_ids.sorted("id")[-1].reason, "The router is away")
        with patch.object(cls, "_execute", return_value="All of it"):
            request.action_proceed()
        self.assertEqual((request.state, request.result), ("done", "All of it"))

    def test_an_engine_hooks_in_by_kind(self):
        request = self.bring(self.create_request(), "approved")

        def execute_access(record):
            return f"Data of {record.partner_id.name}"

        with patch.object(type(request), "_execute_access", execute_access, create=True):
            request.action_proceed()
        self.assertEqual((request.state, request.result), ("done", "Data of Karim Uddin"))
