from odoo.tests import tagged
from odoo.tools import mute_logger

from .import_common import ImportCase

APPLY_LOGGER = "odoo.addons.isp_billing.models.isp_import_apply"


@tagged("post_install", "-at_install")
class TestImportRows(ImportCase):
    """What rows of a file become, and what a second file changes."""

    # === NEW === #

    def test_a_row_becomes_a_customer_with_a_running_subscription(self):
        record = self.run_rows(
            {
                "Name": "রহিম উদ্দিন", "Customer id": "K1", "Id": "S1", "Phone": "০১৭১১-০০০০৯৯",
                "Email": "Rahim@Example.com", "City": "Mirpur", "Price": "1,050.50",
                "Status": "চালু", "Start": "15/01/2026", "Billed": "2027-03-01",
                "Username": "Rahim.1", "Password": "geheim-8", "IP": "203.0.113.9",
                "MAC": "aa:bb:cc:dd:ee:ff", "Note": "Pays late",
            }
        )  # fmt: skip
        self.assertCounts(record, new=1)
        subscription = self.find("S1")
        self.assertRecordValues(
            subscription.partner_id,
            [
                {
                    "name": "রহিম উদ্দিন", "isp_external_ref": "K1", "phone": "+880 1711-000099",
                    "phone_sanitized": "+8801711000099", "email": "rahim@example.com",
                    "city": "Mirpur", "country_id": self.company.country_id.id,
                    "company_id": self.company.id,
                }
            ],
        )  # fmt: skip
        self.assertRecordValues(
            subscription,
            [
                {
                    "state": "active", "plan_id": self.plan_home.id, "recurring_amount": 1050.5,
                    "username": "rahim.1", "password": "geheim-8", "ipv4_address": "203.0.113.9",
                    "mac_addresses": "AA-BB-CC-DD-EE-FF", "import_id": record.id,
                }
            ],
        )  # fmt: skip
        self.assertEqual(str(subscription.date_start), "2026-01-15")
        self.assertEqual(str(subscription.next_bill_date), "2027-03-01")
        self.assertIn("Pays late", subscription.note)
        self.assertEqual(subscription.entitlement_id.access, "full")
        self.assertEqual(
            sorted(subscription.event_ids.mapped("event_type")), ["create", "import", "state"]
        )
        stored = subscription.sudo().password_enc
        self.assertTrue(stored.startswith("v1:"))
        self.assertNotIn("geheim", stored)

    def test_what_the_file_does_not_say_is_made(self):
        self.run_rows({"Id": "S1"}, {"Id": "S2"}, bill_from="2027-03-01")
        first, second = self.find("S1"), self.find("S2")
        self.assertTrue(first.username and second.username)
        self.assertNotEqual(first.username, second.username)
        self.assertEqual(len(first.password), self.company.isp_password_length)
        self.assertNotEqual(first.password, second.password)
        self.assertEqual(first.recurring_amount, self.plan_home.price)
        self.assertEqual(str(first.date_start), "2027-03-01")

    def test_states_come_by_their_transitions(self):
        self.run_rows(
            {"Id": "A"},
            {"Id": "D", "Status": "draft"},
            {"Id": "S", "Status": "suspended"},
            {"Id": "T", "Status": "terminated", "Start": "2026-01-01", "End": "2026-06-01"},
        )
        states = {ref: self.find(ref).state for ref in "ADST"}
        self.assertEqual(states, {"A": "active", "D": "draft", "S": "suspended", "T": "terminated"})
        self.assertEqual(self.find("S").entitlement_id.access, "walled")
        self.assertEqual(self.find("T").entitlement_id.access, "none")
        events = self.find("S").event_ids.filtered(lambda e: e.event_type == "state")
        self.assertEqual(sorted(events.mapped("to_value")), ["active", "suspended"])

    def test_years_before_the_change_of_system_are_not_billed(self):
        self.run_rows(
            {"Id": "A", "Start": "2020-05-05"},
            {"Id": "T", "Start": "2020-05-05", "Status": "terminated", "End": "2021-01-01"},
            {"Id": "U", "Start": "2020-05-05", "Status": "terminated"},
            bill_from="2027-03-01",
        )
        self.bill("2027-03-10")
        self.assertBilled(self.find("A"), [("2027-03-01", "2027-04-01", 1000.0)])
        self.assertFalse(self.find("T").charge_ids)
        self.assertFalse(self.find("U").charge_ids)

    def test_a_row_without_plan_is_a_contact(self):
        record = self.run_rows({"Name": "Visitor", "Customer id": "K9", "Plan": ""})
        self.assertCounts(record, new=1)
        partner = self.env["res.partner"].search([("isp_external_ref", "=", "K9")])
        self.assertEqual(partner.name, "Visitor")
        self.assertFalse(partner.isp_subscription_ids)

    def test_a_default_plan_serves_rows_without_plan(self):
        self.run_rows({"Id": "S1", "Plan": ""}, default_plan_id=self.plan_office.id)
        self.assertEqual(self.find("S1").plan_id, self.plan_office)

    def test_plans_are_found_by_code_and_by_name_in_any_case(self):
        self.plan_office.code = "OFF50"
        self.run_rows({"Id": "1", "Plan": "off50"}, {"Id": "2", "Plan": "office 50"})
        self.assertEqual((self.find("1") | self.find("2")).plan_id, self.plan_office)

    def test_missing_plans_are_created_once_when_asked(self):
        rows = [{"Id": "1", "Plan": "Giga", "Price": "900"}, {"Id": "2", "Plan": "GIGA"}]
        self.run_rows(*rows, create_plans=True)
        plan = self.find("1").plan_id
        self.assertEqual((plan.name, plan.price), ("Giga", 900.0))
        self.assertEqual(self.find("2").plan_id, plan)

    def test_one_customer_may_have_two_connections(self):
        rows = [
            {"Customer id": "K1", "Id": "S1", "City": "Mirpur"},
            {"Customer id": "K1", "Id": "S2", "City": "Uttara", "Plan": "Office 50"},
        ]
        self.assertCounts(self.run_rows(*rows), new=2)
        self.assertEqual(self.find("S1").partner_id, self.find("S2").partner_id)
        self.assertEqual(self.find("S1").partner_id.city, "Mirpur")
        self.assertCounts(self.run_rows(*rows, batch_size=1), unchanged=2)
        self.assertEqual(self.find("S1").partner_id.city, "Mirpur")

    def test_two_people_may_share_a_phone(self):
        self.run_rows(
            {"Name": "Rahim", "Id": "S1", "Phone": "01711000099"},
            {"Name": "Rahima", "Id": "S2", "Phone": "01711000099"},
            {"Name": "RAHIM", "Id": "S3", "Phone": "01711000099"},
        )
        self.assertNotEqual(self.find("S1").partner_id, self.find("S2").partner_id)
        self.assertEqual(self.find("S1").partner_id, self.find("S3").partner_id)

    def test_a_customer_entered_by_hand_is_recognised_by_phone(self):
        self.run_rows(
            {"Name": "karim uddin", "Customer id": "K1", "Id": "S1", "Phone": "01711-000001"}
        )
        self.assertEqual(self.find("S1").partner_id, self.customer)
        self.assertEqual(self.customer.isp_external_ref, "K1")

    # === THE SAME AGAIN === #

    FULL = {
        "Name": "Rahim", "Customer id": "K1", "Id": "S1", "Phone": "01711000099",
        "Email": "r@example.com", "City": "Mirpur", "Price": "950", "Start": "2027-01-05",
        "Username": "rahim1", "Password": "geheim-8", "IP": "203.0.113.9",
        "MAC": "aabbccddeeff", "Note": "Two\nlines",
    }  # fmt: skip

    def test_the_same_file_again_changes_nothing_and_says_so(self):
        rows = [
            self.FULL,
            {"Id": "S2", "Status": "terminated", "Start": "2026-01-01", "End": "2026-02-01"},
            {"Name": "Visitor", "Customer id": "K9", "Plan": ""},
            {"Name": "By phone", "Phone": "01711000088"},
            {"Name": "By username", "Username": "only.name"},
        ]
        self.assertCounts(self.run_rows(*rows), new=5)
        events = self.env["isp.subscription.event"].search_count([])
        record = self.run_rows(*rows)
        self.assertCounts(record, unchanged=5)
        self.assertEqual(
            record.summary,
            "Nothing changed: all 5 rows are in the system already, as they are in the file.",
        )
        self.assertEqual(self.env["isp.subscription.event"].search_count([]), events)

    def test_what_differs_is_changed_and_named(self):
        self.run_rows(self.FULL)
        record = self.run_rows(
            {
                **self.FULL, "Name": "Rahim Mia", "Price": "975", "Password": "other-pass",
                "Status": "suspended", "IP": "203.0.113.10",
            }
        )  # fmt: skip
        self.assertCounts(record, changed=1)
        subscription = self.find("S1")
        self.assertRecordValues(
            subscription,
            [{"recurring_amount": 975.0, "password": "other-pass", "state": "suspended",
              "ipv4_address": "203.0.113.10"}],
        )  # fmt: skip
        self.assertEqual(subscription.partner_id.name, "Rahim Mia")
        event = subscription.event_ids.filtered(lambda e: e.event_type == "import").sorted("id")[-1]
        for words in ("Name: Rahim Mia", "Price: 975.00", "State: suspended", "203.0.113.10"):
            self.assertIn(words, event.to_value)
        self.assertIn("Connection password", event.to_value)
        self.assertNotIn("other-pass", event.to_value)

    def test_empty_cells_take_nothing_away(self):
        self.run_rows(self.FULL)
        record = self.run_rows({"Id": "S1", "Plan": "Home 20"})
        self.assertCounts(record, unchanged=1)
        self.assertEqual(self.find("S1").partner_id.city, "Mirpur")

    def test_a_customer_known_by_phone_only_gets_a_second_plan(self):
        self.run_rows({"Phone": "01711000099"})
        record = self.run_rows({"Phone": "01711000099", "Plan": "Office 50"})
        self.assertCounts(record, new=1)
        partner = self.env["res.partner"].search([("phone_sanitized", "=", "+8801711000099")])
        self.assertEqual(partner.isp_subscription_ids.plan_id, self.plan_home | self.plan_office)

    def test_a_subscription_known_by_username_gets_its_external_id(self):
        self.run_rows({"Username": "rahim1"})
        self.assertCounts(self.run_rows({"Id": "S1", "Username": "rahim1"}), changed=1)
        self.assertEqual(self.find("S1").username, "rahim1")

    def test_a_new_plan_is_taken_before_the_first_bill_only(self):
        self.run_rows({"Id": "S1", "Start": "2027-03-01"})
        self.assertCounts(self.run_rows({"Id": "S1", "Plan": "Office 50"}), changed=1)
        self.assertEqual(self.find("S1").recurring_amount, 2500.0)
        self.bill("2027-03-10")
        record = self.run_rows(
            {"Id": "S1", "Plan": "Home 20"}, {"Id": "S1x"}, {"Id": "S2", "Start": "2027-03-01"}
        )
        self.assertCounts(record, new=2, rejected=1)
        self.assertIn("has been billed with plan “Office 50”", self.reasons(record)[2])
        record = self.run_rows({"Id": "S1", "Plan": "Office 50", "Start": "2026-03-01"})
        self.assertIn("“Service since”", self.reasons(record)[2])

    def test_an_old_file_does_not_give_debtors_their_service_back(self):
        self.run_rows({"Id": "S1"})
        self.find("S1")._suspend("overdue", "Unpaid")
        self.assertCounts(self.run_rows({"Id": "S1", "Status": "active"}), unchanged=1)
        self.assertEqual(self.find("S1").state, "suspended")

    def test_what_was_suspended_otherwise_is_resumed(self):
        self.run_rows({"Id": "S1", "Status": "suspended"})
        self.assertCounts(self.run_rows({"Id": "S1", "Status": "active"}), changed=1)
        self.assertEqual(self.find("S1").state, "active")

    def test_what_is_terminated_stays_so(self):
        self.run_rows({"Id": "S1", "Status": "terminated"})
        record = self.run_rows({"Id": "S1", "Status": "active"})
        self.assertCounts(record, rejected=1)
        self.assertIn("is terminated and cannot become active", self.reasons(record)[2])

    # === REJECTED === #

    def test_bad_rows_do_not_hold_back_good_ones(self):
        bad = {
            3: ({"Id": "b3", "Phone": "12"}, "“12” is no valid phone number"),
            4: ({"Id": "b4", "Email": "rahim"}, "no valid e-mail"),
            5: ({"Id": "b5", "Start": "31/02/2026"}, "is no date"),
            6: ({"Id": "b6", "Price": "cheap"}, "is no number"),
            7: ({"Id": "b7", "Price": "-5"}, "is negative"),
            8: ({"Id": "b8", "IP": "1.2.3"}, "no IPv4 address"),
            9: ({"Id": "b9", "MAC": "aa:bb"}, "not a MAC address"),
            10: ({"Id": "b10", "Status": "perhaps"}, "state “perhaps” is unknown"),
            11: ({"Id": "b11", "Plan": "Warp 9"}, "no plan “Warp 9”"),
            12: ({"Id": "b12", "Name": ""}, "name is missing"),
            13: ({"Id": "b13", "City": "x" * 300}, "longer than 255"),
            14: ({"Id": "b14", "Username": "a b"}, "cannot be used on the network"),
            15: ({}, "Nothing identifies this row"),
            16: ({"Id": "good"}, "Line 2 of the file has the same external id “good”"),
            17: (
                {"Id": "b17", "Username": "good.user"},
                "Line 2 of the file has the same username",
            ),
        }
        record = self.run_rows(
            {"Id": "good", "Username": "good.user"}, *(row for row, _words in bad.values()),
            {"Id": "good2"},
        )  # fmt: skip
        self.assertCounts(record, new=2, rejected=len(bad))
        reasons = self.reasons(record)
        for line, (_row, words) in bad.items():
            self.assertIn(words, reasons[line])
        self.assertTrue(self.find("good") and self.find("good2"))
        self.assertFalse(self.find("b3"))

    def test_a_username_of_somebody_else_is_refused(self):
        self.create_subscription(username="taken.name", external_ref="X")
        other = self.env["res.company"].create({"name": "Branch"})
        self.create_subscription(
            username="elsewhere", company_id=other.id, active=False,
            plan_id=self.env["isp.plan"].create({"name": "P", "company_id": other.id}).id,
        )  # fmt: skip
        record = self.run_rows(
            {"Id": "S1", "Username": "Taken.Name"},
            {"Id": "S2", "Username": "elsewhere"},
            {"Username": "elsewhere2"},
        )
        self.assertCounts(record, new=1, rejected=2)
        self.assertIn("“taken.name” is used by another", self.reasons(record)[2])
        self.assertIn("“elsewhere” is used by another", self.reasons(record)[3])

    def test_a_generated_username_keeps_clear_of_a_given_one(self):
        sequence = self.env["ir.sequence"].search([("code", "=", "isp.subscription")])
        following = f"c{sequence.number_next_actual + 1:04}"
        record = self.run_rows({"Id": "S1"}, {"Id": "S2"}, {"Id": "S3", "Username": following})
        self.assertCounts(record, new=3)
        self.assertEqual(self.find("S3").username, following)
        self.assertEqual(self.find("S2").username, f"{following}2")

    @mute_logger(APPLY_LOGGER, "odoo.sql_db")
    def test_an_error_of_the_database_is_told_without_its_text(self):
        self.env.cr.execute("ALTER TABLE isp_subscription ADD CHECK (external_ref <> 'poison')")
        record = self.run_rows({"Id": "S1"}, {"Id": "poison"}, {"Id": "S3"})
        self.assertCounts(record, new=2, rejected=1)
        self.assertNotRegex(self.reasons(record)[3], r"check constraint|Failing row|DETAIL|poison")
        self.assertTrue(self.find("S1") and self.find("S3"))

    def test_a_customer_id_of_somebody_else_is_refused(self):
        self.run_rows({"Customer id": "K1", "Id": "S1"}, {"Customer id": "K2", "Id": "S2"})
        record = self.run_rows({"Customer id": "K2", "Id": "S1"})
        self.assertIn("belongs to", self.reasons(record)[2])

    def test_a_phone_of_several_customers_identifies_none(self):
        partners = self.env["res.partner"]
        for name in ("A", "B"):
            partners.create({"name": name, "phone": "+8801711000077"})
        record = self.run_rows({"Name": "C", "Phone": "01711000077"})
        self.assertIn("2 customers have the phone", self.reasons(record)[2])
        self.assertCounts(self.run_rows({"Name": "b", "Phone": "01711000077"}), new=1)
