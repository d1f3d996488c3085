from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .dunning_common import IspDunningCase


@tagged("post_install", "-at_install")
class TestDunningHolds(IspDunningCase):
    """Promises, disputes and the VIP mark; who may set them; the preview."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = cls.create_user("clerk")
        cls.manager = cls.create_user("manager")

    def promise(self, until, **vals):
        """The clerk's click and dialogue."""
        action = self.subscription.with_user(self.clerk).action_promise()
        wizard = Form(
            self.env["isp.subscription.hold"]
            .with_user(self.clerk)
            .with_context(**action["context"])
        )
        wizard.date_until = until
        for name, value in vals.items():
            wizard[name] = value
        wizard.save().action_confirm()

    # === PROMISES === #

    def test_a_promise_holds_until_its_day_has_ended(self):
        self.bill("2027-03-01")
        with self.at("2027-03-04 06:00:00"):
            self.promise("2027-03-08", reason="Salary on Sunday")
        hold = self.subscription.dunning_hold_ids
        self.assertEqual((hold.amount, hold.user_id), (1000.0, self.clerk))
        self.assertIn("Salary on Sunday", self.events()[-1])
        for moment in ("2027-03-05 12", "2027-03-08 23"):
            self.dun(moment)
            self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-09 09")
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-09 10")
        self.assertEqual(self.subscription.state, "suspended")
        self.assertIn("was not kept", self.last_event(self.subscription).reason)

    def test_what_a_promise_prevents_is_written_down_once(self):
        self.bill("2027-03-01")
        with self.at("2027-03-04 06:00:00"):
            self.promise("2027-03-08")
        before = len(self.events())
        for moment in ("2027-03-05 12", "2027-03-05 13", "2027-03-06 12"):
            self.dun(moment)
        self.assertEqual(self.outcomes(), [("suspend", "held")])
        self.assertEqual(len(self.events()) - before, 1)
        self.assertIn("promised to pay until", self.events()[-1])

    def test_a_promise_gives_the_service_back_meanwhile(self):
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        with self.at("2027-03-06 06:00:00"):
            self.promise("2027-03-08")
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-08 12")
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-09 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_a_promise_that_is_kept_ends(self):
        self.bill("2027-03-01")
        with self.at("2027-03-04 06:00:00"):
            self.promise("2027-03-28")
            self.pay(self.subscription.charge_ids.move_id)
        self.assertFalse(self.subscription.promised_until)
        self.assertEqual(self.subscription.dunning_hold_ids.end_reason, "Everything due is paid")

    def test_a_promise_needs_a_day_to_come(self):
        with self.assertRaises(UserError):
            self.subscription._hold("promise", "Soon", "2027-03-09")

    def test_a_second_promise_replaces_the_first(self):
        self.bill("2027-03-01")
        with self.at("2027-03-04 06:00:00"):
            self.promise("2027-03-06")
            self.promise("2027-03-07")
        self.assertEqual(str(self.subscription.promised_until), "2027-03-07")
        self.assertEqual(len(self.subscription.dunning_hold_ids), 2)

    # === MARKS THAT STOP THE CLOCK === #

    def test_the_clock_stands_still_during_a_dispute(self):
        self.bill("2027-03-01")
        with self.at("2027-03-03 06:00:00"):
            self.subscription.with_user(self.clerk)._hold("dispute", "No service for a week")
        for moment in ("2027-03-05 12", "2027-03-20 12", "2027-03-21 12"):
            self.dun(moment)
        self.assertEqual(self.subscription.state, "active")
        self.assertEqual(self.outcomes(), [("suspend", "held")])
        with self.at("2027-03-22 06:00:00"):
            self.subscription.with_user(self.clerk).action_end_dispute()
        # Two of the four days had passed; nineteen do not count.
        self.dun("2027-03-23 12")
        self.assertEqual(self.subscription.state, "active")
        with self.at("2027-03-23 06:00:00"):
            self.subscription.invalidate_recordset()
            self.assertEqual(str(self.subscription.next_dunning_date), "2027-03-24")
        self.dun("2027-03-24 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_one_event_for_what_a_dispute_holds_back(self):
        self.set_steps(self.remind(1), self.remind(2), {"action": "suspend", "days": 4})
        self.bill("2027-03-01")
        self.subscription._hold("dispute", "Wrong price")
        for moment in ("2027-03-05 12", "2027-03-05 13", "2027-03-06 12"):
            self.dun(moment)
        self.assertEqual(self.outcomes(), [("suspend", "held")])

    def test_a_vip_is_left_alone(self):
        self.bill("2027-03-01")
        self.subscription.with_user(self.manager)._hold("vip", "The mayor")
        self.dun("2027-03-20 12")
        self.assertEqual(self.subscription.state, "active")
        self.assertIn("is a VIP", self.events()[-1])
        self.assertIn("unpaid 19 days", self.events()[-1])

    def test_the_reason_is_asked_for(self):
        action = self.subscription.with_user(self.clerk).action_dispute()
        wizard = Form(
            self.env["isp.subscription.hold"]
            .with_user(self.clerk)
            .with_context(**action["context"])
        )
        with self.assertRaises(AssertionError):  # a required field
            wizard.save()

    def test_only_a_manager_makes_a_vip(self):
        with self.assertRaises(AccessError):
            self.subscription.with_user(self.clerk)._hold("vip", "My cousin")
        self.subscription.with_user(self.manager)._hold("vip", "The mayor")
        with self.assertRaises(AccessError):
            self.subscription.with_user(self.clerk).action_end_vip()
        self.assertTrue(self.subscription.is_vip)

    def test_support_holds_nothing(self):
        support = self.create_user("support")
        with self.assertRaises(AccessError):
            self.subscription.with_user(support)._hold("dispute", "Slow")

    def test_marks_are_not_written_past_their_buttons(self):
        for vals in ({"is_vip": True}, {"promised_until": "2027-12-31"}, {"is_disputed": True}):
            with self.assertRaises(UserError):
                self.subscription.with_user(self.clerk).write(vals)
        with self.assertRaises(AccessError):
            self.env["isp.dunning.hold"].with_user(self.manager).create(
                {
                    "subscription_id": self.subscription.id,
                    "kind": "vip",
                    "reason": "Me",
                    "date_from": "2027-03-01",
                    "user_id": self.manager.id,
                }
            )

    def test_policies_are_the_accountants(self):
        with self.assertRaises(AccessError):
            self.policy.with_user(self.clerk).name = "Mild"
        self.policy.with_user(self.create_user("accountant")).name = "Strict"

    def test_other_companies_policies_are_not_seen(self):
        other = self.env["res.company"].create({"name": "Jamuna Net"})
        accountant = self.create_user("accountant")
        seen = self.env["isp.dunning.policy"].with_user(accountant).search([])
        self.assertIn(self.policy, seen)
        self.assertNotIn(other.isp_dunning_policy_id, seen)

    # === PAID MEANWHILE === #

    def test_money_between_looking_and_acting(self):
        self.bill("2027-03-01")
        with self.at("2027-03-05 06:00:00"):
            planned = self.subscription._get_dunning_decisions(self.company)
            self.assertEqual([decision.step.action for decision in planned], ["suspend"])
            self.pay(self.subscription.charge_ids.move_id)
            for _again in range(2):
                self.subscription._dun(self.company, planned=planned)
        self.assertEqual(self.subscription.state, "active")
        self.assertEqual(self.outcomes(), [("suspend", "paid")])
        self.assertEqual(len(self.events()), 1)
        self.assertIn("The money arrived meanwhile", self.events()[0])

    # === WHAT IS SHOWN === #

    def test_next_step(self):
        self.set_steps(self.remind(2), {"action": "suspend", "days": 4})
        self.assertFalse(self.subscription.next_dunning_step_id)
        self.bill("2027-03-01")
        for day, action, expected in (
            ("2027-03-01", "remind", "2027-03-03"),
            ("2027-03-04", "suspend", "2027-03-05"),
            ("2027-03-20", "suspend", "2027-03-20"),
        ):
            with self.subTest(day=day), self.at(f"{day} 03:00:00"):
                self.subscription.invalidate_recordset()
                self.assertEqual(self.subscription.next_dunning_action, action)
                self.assertEqual(str(self.subscription.next_dunning_date), expected)
                self.assertEqual(
                    self.env["isp.subscription"].search([("next_dunning_action", "=", action)]),
                    self.subscription,
                )

    def test_preview_tells_and_does_nothing(self):
        other = self.create_subscription(partner_id=self.customer.copy().id)
        self.bill("2027-03-01")
        with self.at("2027-03-04 06:00:00"):
            other._hold("dispute", "Wrong price")
        with self.at("2027-03-05 00:30:00"):  # half past six in the morning
            action = self.policy.with_user(self.create_user("accountant")).action_preview()
        lines = self.env["isp.dunning.preview"].search(action["domain"])
        self.assertEqual(
            [(line.subscription_id, line.action, line.verdict) for line in lines],
            [(self.subscription, "suspend", "take"), (other, "suspend", "hold")],
        )
        self.assertIn("unpaid 4 days after", lines[0].reason)
        self.assertIn("disputes the bill", lines[1].reason)
        self.assertEqual(self.subscription.state, "active")
        self.assertFalse(self.subscription.dunning_log_ids)

    def test_a_joint_bill_is_reminded_of_once(self):
        second = self.create_subscription(plan_id=self.plan_office.id)
        self.company.isp_one_bill = True
        self.set_steps(self.remind(1), self.late_fee(2), {"action": "suspend", "days": 4})
        self.bill("2027-03-01")
        self.assertEqual(len((self.subscription | second).charge_ids.move_id), 1)
        for moment in ("2027-03-02 12", "2027-03-03 12", "2027-03-05 12"):
            self.dun(moment)
        both = self.subscription | second
        self.assertEqual(both.mapped("state"), ["suspended", "suspended"])
        actions = both.dunning_log_ids.mapped("action")
        self.assertEqual(actions.count("remind"), 1)
        self.assertEqual(actions.count("late_fee"), 1)
        self.assertEqual(actions.count("suspend"), 2)
