from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestSubscription(IspBillingCase):
    def test_a_new_subscription_is_complete(self):
        subscription = self.create_subscription(active=False)
        self.assertEqual(subscription.state, "draft")
        self.assertRegex(subscription.name, r"^SUB/\d{6}$")
        self.assertRegex(subscription.username, r"^c\d+$")
        self.assertEqual(len(subscription.password), 10)
        self.assertEqual(subscription.line_ids.line_type, "plan")
        self.assertEqual(subscription.recurring_amount, 1000.0)
        self.assertEqual(subscription.entitlement_id.access, "none")
        self.assertEqual(subscription.event_ids.event_type, "create")

    @proves("P-13")
    def test_the_password_is_nowhere_in_clear(self):
        subscription = self.create_subscription(password="open-sesame-42")
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT s::text || e::text FROM isp_subscription s"
            " JOIN isp_entitlement e ON e.subscription_id = s.id WHERE s.id = %s",
            [subscription.id],
        )
        self.assertNotIn("open-sesame-42", self.env.cr.fetchone()[0])
        self.assertEqual(subscription.password, "open-sesame-42")

    def test_usernames_follow_the_pattern(self):
        self.company.isp_username_pattern = "{name}.{phone}@dhaka"
        subscription = self.create_subscription()
        self.assertEqual(subscription.username, "karimuddin.1711000001@dhaka")
        second = self.create_subscription()
        self.assertEqual(second.username, "karimuddin.1711000001@dhaka2")

    def test_a_bengali_name_still_gives_a_username(self):
        self.company.isp_username_pattern = "{name}"
        self.customer.name = "করিম উদ্দিন"
        subscription = self.create_subscription()
        number = subscription.name.split("/")[1].lstrip("0").zfill(4)
        self.assertEqual(subscription.username, f"c{number}")

    def test_an_unknown_placeholder_is_refused(self):
        for pattern in ("{town}", "{", "a{}"):
            with (
                self.subTest(pattern=pattern),
                self.assertRaisesRegex(ValidationError, "not understood"),
            ):
                self.company.isp_username_pattern = pattern

    def test_usernames_are_unique_without_regard_to_case(self):
        self.create_subscription(username="Karim.Home")
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.create_subscription(username="karim.home")

    def test_a_username_radius_cannot_carry_is_refused(self):
        for username in ("ab", "has space", "করিম", "semi;colon", "-begins"):
            with (
                self.subTest(username=username),
                self.assertRaisesRegex(ValidationError, "cannot be used on the network"),
                self.env.cr.savepoint(),
            ):
                self.create_subscription(username=username)

    def test_mac_addresses_are_written_as_radius_compares_them(self):
        subscription = self.create_subscription(mac_addresses="aa:bb:cc:dd:ee:ff, 0011.2233.4455")
        self.assertEqual(subscription.mac_addresses, "AA-BB-CC-DD-EE-FF|00-11-22-33-44-55")
        with self.assertRaisesRegex(UserError, "is not a MAC address"):
            subscription.mac_addresses = "aa:bb:cc"

    def test_states_move_by_their_methods_only(self):
        subscription = self.create_subscription(active=False)
        with self.assertRaisesRegex(UserError, "changed by its buttons"):
            subscription.state = "active"
        with self.assertRaisesRegex(UserError, "changed by its buttons"):
            subscription.with_context(isp_transition=True).write({"state": "terminated"})
        with self.assertRaisesRegex(UserError, "changed by its buttons"):
            self.create_subscription(active=False, state="active")
        # The context of a client is a second way to say the same.
        subscriptions = self.env["isp.subscription"].with_context(default_state="active")
        with self.assertRaisesRegex(UserError, "changed by its buttons"):
            subscriptions.create({"partner_id": self.customer.id, "plan_id": self.plan_home.id})

    def test_every_change_of_state_leaves_an_event(self):
        subscription = self.create_subscription()
        subscription._suspend("request", "Travelling")
        subscription._suspend("request", "Repeating is harmless")
        subscription._resume("Back home")
        subscription._terminate("Moved away")
        events = subscription.event_ids.filtered(lambda e: e.event_type == "state").sorted("id")
        self.assertEqual(
            [(event.from_value, event.to_value, event.reason) for event in events],
            [
                ("draft", "active", "Service started"),
                ("active", "suspended", "Travelling"),
                ("suspended", "active", "Back home"),
                ("active", "terminated", "Moved away"),
            ],
        )
        self.assertEqual(events[0].change, "Draft → Active")
        self.assertEqual(str(subscription.date_end), "2027-03-10")

    def test_a_service_cannot_end_before_it_begins(self):
        subscription = self.create_subscription()
        with self.assertRaisesRegex(UserError, "cannot end before"):
            subscription._terminate(
                "Too early", self.env["isp.subscription"]._fields["date_end"].to_date("2027-02-01")
            )

    def test_a_minimum_term_is_counted_from_the_start(self):
        self.plan_home.contract_months = 12
        self.assertEqual(str(self.create_subscription().contract_end), "2028-03-01")

    def test_what_was_in_service_is_not_deleted(self):
        subscription = self.create_subscription()
        with self.assertRaisesRegex(UserError, "stays on record"):
            subscription.unlink()
        with self.assertRaisesRegex(UserError, "Terminate the subscription before archiving"):
            subscription.action_archive()
        self.create_subscription(active=False).unlink()

    def test_a_plan_is_replaced_until_it_is_billed_and_succeeded_after(self):
        subscription = self.create_subscription()
        subscription.plan_id = self.plan_office
        self.assertEqual(subscription.recurring_amount, 2500.0)
        self.assertEqual(subscription.line_ids.product_id, self.plan_office.product_id)
        self.assertEqual(self.last_event(subscription).from_value, "Home 20")
        self.bill("2027-03-10")
        self.assertEqual(len(subscription.line_ids), 1)
        subscription.plan_id = self.plan_home
        self.assertEqual(
            [(line.name, str(line.date_from), str(line.date_to)) for line in subscription.line_ids],
            [("Office 50", "False", "2027-04-01"), ("Home 20", "2027-04-01", "False")],
        )
        self.assertEqual(subscription.copy().line_ids.mapped("name"), ["Home 20"])

    def test_a_copy_has_no_secret_and_no_history(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        copy = subscription.copy()
        self.assertNotEqual(copy.username, subscription.username)
        self.assertNotEqual(copy.password, subscription.password)
        self.assertEqual(copy.state, "draft")
        self.assertFalse(copy.charge_ids)
        self.assertEqual(copy.recurring_amount, 1000.0)

    def test_the_list_shows_what_is_owed_within_a_query_budget(self):
        subscriptions = self.env["isp.subscription"].concat(
            *(self.create_subscription() for _number in range(10))
        )
        self.bill("2027-03-10")
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(20):
            subscriptions.mapped("amount_due")
        self.assertEqual(subscriptions.mapped("amount_due"), [1000.0] * 10)
