from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .dunning_common import IspDunningCase


@tagged("post_install", "-at_install")
class TestDunning(IspDunningCase):
    """Each step of a policy: its day and hour, and that it is taken once."""

    # === DAYS AND HOURS === #

    def test_a_step_waits_for_its_day_and_its_hour(self):
        self.set_steps({"action": "suspend", "days": 2, "hour": 15})
        self.bill("2027-03-01")
        for moment, state in (
            ("2027-03-02 23", "active"),
            ("2027-03-03 14", "active"),
            ("2027-03-03 15", "suspended"),
        ):
            with self.subTest(moment=moment):
                self.dun(moment)
                self.assertEqual(self.subscription.state, state)

    def test_the_hour_is_the_companys(self):
        self.company.partner_id.tz = "America/New_York"
        self.set_steps({"action": "suspend", "days": 4, "hour": 10})
        self.bill("2027-03-01")
        self.dun("2027-03-05 20")  # 09:00 in New York
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-05 21")
        self.assertEqual(self.subscription.state, "suspended")

    def test_resumed_by_hand_is_suspended_again_the_next_day(self):
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        with self.at("2027-03-05 07:00:00"):
            self.subscription.action_resume()
        self.dun("2027-03-05 14")
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-06 10")
        self.assertEqual(self.subscription.state, "suspended")

    def test_a_step_missed_at_night_waits_for_its_hour(self):
        self.bill("2027-03-01")
        self.dun("2027-03-09 09")
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-09 10")
        self.assertEqual(self.subscription.state, "suspended")

    def test_weekends_wait_for_the_next_working_day(self):
        self.set_steps(
            {"action": "suspend", "days": 4, "hour": 10}, rest_friday=True, rest_saturday=True
        )
        self.bill("2027-03-01")
        for moment in ("2027-03-05 12", "2027-03-06 12"):
            self.dun(moment)
            self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-07 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_a_late_job_keeps_off_rest_days_too(self):
        self.set_steps({"action": "suspend", "days": 3, "hour": 10}, rest_friday=True)
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")  # the server was down on Thursday
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-06 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_weekends_may_be_taken_on_the_working_day_before(self):
        self.set_steps(
            {"action": "suspend", "days": 4, "hour": 10},
            rest_friday=True,
            rest_saturday=True,
            rest_rule="previous",
        )
        self.bill("2027-03-01")
        self.dun("2027-03-03 12")
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-04 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_holidays_are_rest_days(self):
        self.env["isp.dunning.holiday"].create(
            [
                {"name": "Eid", "date": "2027-03-05"},
                {"name": "Eid", "date": "2027-03-06", "company_id": False},
            ]
        )
        self.bill("2027-03-01")
        for moment in ("2027-03-05 12", "2027-03-06 12"):
            self.dun(moment)
            self.assertEqual(self.subscription.state, "active")
        self.dun("2027-03-07 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_reminders_go_on_any_day_unless_told_to_rest(self):
        self.set_steps(self.remind(4), rest_friday=True)
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        self.assertEqual(self.outcomes(), [("remind", "done")])
        other = self.create_subscription(date_start="2027-04-01")
        self.policy.reminders_rest = True
        self.bill("2027-04-01")  # 5 April is a Monday
        self.policy.write({"rest_friday": False, "rest_monday": True})
        self.dun("2027-04-05 12")
        self.assertFalse(self.outcomes(other))
        self.dun("2027-04-06 12")
        self.assertEqual(self.outcomes(other), [("remind", "done")])

    def test_a_week_needs_a_working_day(self):
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        with self.assertRaises(ValidationError):
            self.policy.write({f"rest_{day}": True for day in days})

    def test_only_reminders_go_before_a_bill_is_overdue(self):
        with self.assertRaises(ValidationError):
            self.set_steps({"action": "suspend", "days": 0})

    # === WHO IS DUNNED === #

    def test_small_debts_may_be_left_alone(self):
        self.set_steps({"action": "suspend", "days": 4, "min_amount": 1000.01})
        self.bill("2027-03-01")
        self.dun("2027-03-20 12")
        self.assertEqual(self.subscription.state, "active")
        self.policy.step_ids.min_amount = 1000.0
        self.dun("2027-03-20 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_money_that_is_not_matched_yet_counts(self):
        self.bill("2027-03-01")
        payment = self.env["account.payment"].create(
            {"partner_id": self.customer.id, "amount": 1000.0, "payment_type": "inbound"}
        )
        payment.action_post()
        self.dun("2027-03-20 12")
        self.assertEqual(self.subscription.state, "active")

    def test_a_credit_covers_the_oldest_bill_first(self):
        self.bill("2027-03-01")
        self.company.isp_apply_credits = False
        self.env["account.payment"].create(
            {"partner_id": self.customer.id, "amount": 1000.0, "payment_type": "inbound"}
        ).action_post()
        with self.at("2027-04-01 06:00:00"):
            self.bill("2027-04-01")
            self.assertEqual(str(self.subscription.unpaid_since), "2027-04-01")
            self.assertEqual(self.subscription.unpaid_amount, 1000.0)
        self.dun("2027-04-04 12")
        self.assertEqual(self.subscription.state, "active")
        self.dun("2027-04-05 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_a_payment_in_advance_gives_the_service_back(self):
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        self.env["account.payment"].create(
            {"partner_id": self.customer.id, "amount": 1000.0, "payment_type": "inbound"}
        ).action_post()
        self.assertEqual(self.subscription.state, "active")

    def test_draft_bills_are_no_debt(self):
        self.bill("2027-03-01")
        self.subscription.charge_ids.move_id.button_draft()
        self.dun("2027-03-20 12")
        self.assertEqual(self.subscription.state, "active")

    def test_a_bill_is_owed_also_when_the_service_changed_hands(self):
        self.bill("2027-03-01")
        self.subscription.partner_id = self.env["res.partner"].create({"name": "Salma"})
        self.dun("2027-03-05 12")
        self.assertEqual(self.subscription.state, "suspended")

    def test_one_bad_subscription_stops_nobody_else(self):
        others = self.create_subscription() | self.create_subscription()
        self.bill("2027-03-01")
        bad = self.subscription
        suspend, refusal = type(bad)._suspend, UserError("Not this one")

        def refuse(subscriptions, *args, **kwargs):
            if bad in subscriptions:
                raise refusal
            return suspend(subscriptions, *args, **kwargs)

        with patch.object(type(bad), "_suspend", refuse):
            self.dun("2027-03-05 12")
            self.dun("2027-03-05 13")
        self.assertEqual(others.mapped("state"), ["suspended", "suspended"])
        self.assertEqual(self.outcomes(), [("suspend", "failed")])
        self.assertEqual(len(self.events()), 1)
        self.assertIn("Not this one", self.events()[0])
        self.dun("2027-03-06 12")
        self.assertEqual(bad.state, "suspended")

    # === POLICIES === #

    def test_the_nearest_policy_is_followed(self):
        policies = {
            name: self.policy.copy({"name": name, "step_ids": False})
            for name in ("own", "customer", "plan")
        }
        for days, policy in enumerate(policies.values(), 10):
            policy.step_ids = [(0, 0, {"action": "suspend", "days": days})]
        self.bill("2027-03-01")
        self.assertEqual(self.subscription.followed_policy_id, self.policy)
        self.plan_home.dunning_policy_id = policies["plan"]
        self.assertFollows(policies["plan"], "2027-03-13")
        self.customer.isp_dunning_policy_id = policies["customer"]
        self.assertFollows(policies["customer"], "2027-03-12")
        self.subscription.dunning_policy_id = policies["own"]
        self.assertFollows(policies["own"], "2027-03-11")
        policies["own"].action_archive()
        self.assertFollows(policies["customer"], "2027-03-12")

    def assertFollows(self, policy, day):
        """The form and the job agree on who decides; ``day`` is when it suspends."""
        self.subscription.invalidate_recordset()
        self.assertEqual(self.subscription.followed_policy_id, policy)
        self.assertEqual(str(self.subscription.next_dunning_date), day)
        self.env.flush_all()
        zone = self.company._get_isp_timezone()
        for date, expected in ((f"{int(day[-2:]) - 1:02}", 0), (day[-2:], 1)):
            now = zone.localize(datetime.fromisoformat(f"2027-03-{date} 12:00"))
            decisions = self.subscription._get_dunning_decisions(self.company, now)
            self.assertEqual(len(decisions), expected, now)

    def test_the_companys_policy_stays(self):
        with self.assertRaises(UserError):
            self.policy.action_archive()

    def test_a_new_company_gets_a_policy(self):
        bangladesh = self.env.ref("base.bd")
        company = self.env["res.company"].create({"name": "Padma Net", "country_id": bangladesh.id})
        policy = company.isp_dunning_policy_id
        self.assertEqual(policy.company_id, company)
        self.assertEqual(
            [(step.action, step.days, step.hour) for step in policy.step_ids],
            [("remind", -3, 10), ("remind", 1, 10), ("suspend", 4, 10)],
        )
        self.env["res.company"]._init_isp_dunning_policies()
        self.assertEqual(
            self.env["isp.dunning.policy"].search_count([("company_id", "=", company.id)]), 1
        )

    # === REMINDERS === #

    def test_reminders_before_and_after_the_due_date(self):
        upcoming = self.env.ref("isp_billing.mail_template_dunning_upcoming")
        self.set_steps(self.remind(-3, mail_template_id=upcoming.id), self.remind(1))
        with self.at("2027-02-20 06:00:00"):
            self.bill("2027-03-01")
        self.dun("2027-02-25 12")
        self.assertFalse(self.mails())
        self.dun("2027-02-26 12")
        self.assertEqual(len(self.mails()), 1)
        self.assertIn("is due on", self.mails().subject)
        self.dun("2027-03-02 12")
        self.assertEqual(self.outcomes(), [("remind", "done"), ("remind", "done")])
        self.assertIn("was due on", self.mails()[-1].subject)

    def test_a_reminder_says_what_to_pay_and_where(self):
        self.set_steps(self.remind(1))
        self.bill("2027-03-01")
        self.dun("2027-03-02 12")
        mail = self.mails()
        self.assertEqual(mail.state, "outgoing")  # queued: nothing leaves within the transaction
        self.assertEqual(mail.recipient_ids, self.customer)
        self.assertIn("1,000.00", mail.body_html)
        self.assertIn(f"/my/services/{self.subscription.id}/pay?access_token=", mail.body_html)
        self.assertIn(mail.mail_message_id, self.subscription.message_ids)
        self.assertIn("1,000.00", self.events()[-1])
        self.assertIn("unpaid 1 day after 03/01/2027", self.events()[-1])

    def test_a_reminder_speaks_the_customers_language(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        bangla = self.message.with_context(lang="bn_IN")
        bangla.subject = "বিল: {{ object.unpaid_since }}"
        self.customer.lang = "bn_IN"
        self.set_steps(self.remind(1))
        self.bill("2027-03-01")
        self.dun("2027-03-02 12")
        self.assertEqual(self.mails().subject, "বিল: 2027-03-01")

    def test_a_reminder_is_sent_once(self):
        self.set_steps(self.remind(1))
        self.bill("2027-03-01")
        for moment in ("2027-03-02 10", "2027-03-02 11", "2027-03-03 10"):
            self.dun(moment)
        self.assertEqual(len(self.mails()), 1)
        self.assertEqual(len(self.events()), 1)

    def test_who_has_no_address_is_listed(self):
        self.customer.email = False
        self.set_steps(self.remind(1))
        self.bill("2027-03-01")
        self.dun("2027-03-02 12")
        self.assertFalse(self.mails())
        self.assertEqual(self.outcomes(), [("remind", "unreached")])
        self.assertIn("no e-mail address", self.events()[-1])

    def test_after_a_long_outage_only_the_highest_step_is_taken(self):
        self.set_steps(
            self.remind(1),
            {"action": "throttle", "days": 2},
            self.remind(3),
            {"action": "suspend", "days": 4},
        )
        self.bill("2027-03-01")
        self.dun("2027-03-20 12")
        self.assertEqual(
            sorted(self.outcomes()),
            [
                ("remind", "skipped"),
                ("remind", "skipped"),
                ("suspend", "done"),
                ("throttle", "skipped"),
            ],
        )
        self.assertFalse(self.mails())
        self.assertFalse(self.subscription.throttled_on)

    def test_a_step_added_later_sends_no_old_reminder(self):
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        self.policy.step_ids = [(0, 0, self.remind(2))]
        self.dun("2027-03-20 12")
        self.assertFalse(self.mails())

    # === LATE FEES === #

    def fees(self):
        return self.env["isp.subscription.fee"].search(
            [("subscription_id", "=", self.subscription.id)]
        )

    def test_a_late_fee_goes_on_the_next_bill(self):
        self.set_steps(self.late_fee(5))
        self.bill("2027-03-01")
        self.dun("2027-03-06 12")
        self.assertEqual(self.fees().amount, 50.0)
        self.assertEqual(self.subscription.invoice_count, 1)
        with self.at("2027-04-01 06:00:00"):
            run = self.bill("2027-04-01")
        self.assertEqual(run.amount_total, 1050.0)

    def test_a_late_fee_may_be_billed_at_once(self):
        self.set_steps(self.late_fee(5), late_fee_billing="now")
        self.bill("2027-03-01")
        self.dun("2027-03-06 12")
        bills = self.subscription.charge_ids.move_id.sorted("id")
        self.assertEqual(bills.mapped("amount_total"), [1000.0, 50.0])
        self.assertEqual(set(bills.mapped("state")), {"posted"})
        self.assertNotIn("Karim", bills[1].invoice_line_ids.name)

    def test_a_late_fee_is_charged_once_a_bill(self):
        self.set_steps(self.late_fee(5), late_fee_billing="now")
        self.bill("2027-03-01")
        # The fee's own bill is unpaid too, and gets no fee.
        for moment in ("2027-03-06 12", "2027-03-07 12", "2027-03-30 12"):
            self.dun(moment)
        self.assertEqual(len(self.fees()), 1)
        with self.at("2027-04-01 06:00:00"):
            self.bill("2027-04-01")
        self.dun("2027-04-20 12")
        self.assertEqual(len(self.fees()), 2)

    def test_a_bounced_payment_brings_no_second_fee(self):
        self.set_steps(self.late_fee(5))
        self.bill("2027-03-01")
        self.dun("2027-03-06 12")
        payment = self.pay(self.subscription.charge_ids.move_id)
        payment.action_draft()
        payment.action_cancel()
        self.dun("2027-03-20 12")
        self.assertEqual(len(self.fees()), 1)

    def test_no_late_fee_on_the_day_the_bill_was_made(self):
        self.set_steps(self.late_fee(5))
        self.bill("2027-03-01")
        # PostgreSQL's clock, which writes create_date, is not the one the tests set.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET create_date = '2027-03-09 18:30:00' WHERE id = %s",
            [self.subscription.charge_ids.move_id.id],
        )
        self.dun("2027-03-10 23")  # made at half past midnight in Dhaka
        self.assertFalse(self.fees())
        self.dun("2027-03-11 11")
        self.assertEqual(len(self.fees()), 1)

    def test_a_fee_of_a_percentage(self):
        self.set_steps(self.late_fee(5, fee_type="percent", fee_percent=2.5))
        self.bill("2027-03-01")
        self.pay(self.subscription.charge_ids.move_id, amount=400.0)
        self.dun("2027-03-06 12")
        self.assertEqual(self.fees().amount, 15.0)

    def test_old_bills_get_no_new_fee(self):
        self.set_steps(self.late_fee(5, charge_from="2027-03-02"))
        self.bill("2027-03-01")
        self.dun("2027-03-20 12")
        self.assertFalse(self.fees())

    def test_a_fee_that_cannot_be_billed_stops_nobody_else(self):
        self.set_steps(self.late_fee(5), self.remind(6), late_fee_billing="now")
        self.bill("2027-03-01")
        self.company.isp_journal_id = self.company.isp_billing_journal_id
        journals = self.env["account.journal"].search([("type", "=", "sale")])
        self.company.isp_journal_id = False
        journals.active = False
        self.dun("2027-03-07 12")
        self.assertEqual(sorted(self.outcomes()), [("late_fee", "failed"), ("remind", "done")])
        self.assertIn("sales journal", " ".join(self.events()))
        journals.active = True
        self.dun("2027-03-07 13")
        self.assertFalse(self.fees())  # the next day
        self.dun("2027-03-08 12")
        self.assertEqual(len(self.fees()), 1)

    # === THROTTLE AND TERMINATE === #

    def test_throttled_until_the_money_comes(self):
        self.set_steps({"action": "throttle", "days": 4})
        self.plan_home.write({"throttle_download_kbps": 256, "burst_download_kbps": 40960})
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        entitlement = self.subscription.entitlement_id
        self.assertEqual(self.subscription.state, "active")
        self.assertTrue(self.subscription.throttled_on)
        self.assertRecordValues(
            entitlement,
            [
                {
                    "access": "throttled",
                    "reason": "overdue",
                    "download_kbps": 256,
                    "upload_kbps": 512,
                    "burst_download_kbps": 0,
                }
            ],
        )
        self.pay(self.subscription.charge_ids.move_id)
        self.assertFalse(self.subscription.throttled_on)
        self.assertRecordValues(
            entitlement,
            [{"access": "full", "reason": "active", "download_kbps": 20480, "upload_kbps": 10240}],
        )
        self.assertEqual(self.last_event(self.subscription).reason, "Everything due is paid")

    def test_throttled_then_suspended_then_paid(self):
        self.set_steps({"action": "throttle", "days": 2}, {"action": "suspend", "days": 4})
        self.bill("2027-03-01")
        self.dun("2027-03-03 12")
        self.assertEqual(self.subscription.entitlement_id.access, "throttled")
        self.dun("2027-03-05 12")
        self.assertEqual(self.subscription.entitlement_id.access, "walled")
        self.pay(self.subscription.charge_ids.move_id)
        self.assertEqual(self.subscription.entitlement_id.access, "full")

    def test_throttling_is_not_written_by_hand(self):
        with self.assertRaises(UserError):
            self.subscription.throttled_on = "2027-03-01 00:00:00"

    def test_a_service_ends_some_days_after_it_was_suspended(self):
        self.set_steps({"action": "suspend", "days": 4}, {"action": "terminate", "days": 34})
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        self.dun("2027-04-03 12")
        self.assertEqual(self.subscription.state, "suspended")
        self.dun("2027-04-04 12")
        self.assertEqual(self.subscription.state, "terminated")
        self.assertIn("unpaid 34 days after", self.last_event(self.subscription).reason)

    def test_nobody_is_suspended_and_terminated_at_once(self):
        self.set_steps({"action": "suspend", "days": 4}, {"action": "terminate", "days": 34})
        self.bill("2027-03-01")
        self.dun("2027-06-01 12")  # after a long outage
        self.assertEqual(self.subscription.state, "suspended")
        self.dun("2027-06-30 12")
        self.assertEqual(self.subscription.state, "suspended")
        self.dun("2027-07-01 12")
        self.assertEqual(self.subscription.state, "terminated")

    def test_a_policy_that_only_terminates(self):
        self.set_steps({"action": "terminate", "days": 30})
        self.bill("2027-03-01")
        self.dun("2027-03-31 12")
        self.assertEqual(self.subscription.state, "terminated")

    def test_the_log_refuses_a_second_row(self):
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        log = self.subscription.dunning_log_ids
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught:
            log.copy()
        self.assertIn("isp_dunning_log_step_once", str(caught.exception))
