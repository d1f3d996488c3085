from unittest.mock import patch

import psycopg2
from freezegun import freeze_time
from lxml import etree

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.isp_base.tests.promises import proves

from .register_common import RegisterCase


@tagged("post_install", "-at_install")
class TestProcessor(RegisterCase):
    def enter(self, **vals):
        values = {"name": "SMS Ltd", "contract_from": "2027-01-01", **vals}
        return self.as_user(self.officer, "privacy.processor").create(values)

    def test_an_officer_enters_one_with_its_sub_processor(self):
        with Form(self.as_user(self.officer, "privacy.processor")) as form:
            form.name = "Cloud Ltd"
            form.role = "processor"
            form.country_id = self.env.ref("base.sg")
            form.contract_from = "2027-01-01"
            form.hosts = "api.cloud.example\n*.cdn.example\n"
        cloud = form.record
        below = self.enter(name="Disks Ltd", parent_id=cloud.id)
        self.assertEqual((cloud.child_ids, cloud.company_id), (below, self.company))
        self.assertEqual(self.audit_of(cloud).mapped("action"), ["create"])

    @proves("P-20")
    def test_a_contract_is_valid_on_its_first_and_last_day(self):
        processor = self.enter(contract_to="2027-03-31")
        for moment, expected in (
            # Dhaka is six hours ahead of UTC: its day begins at 18:00.
            ("2026-12-31 17:59:59", "coming"),
            ("2026-12-31 18:00:00", "valid"),
            ("2027-03-31 17:59:59", "valid"),
            ("2027-03-31 18:00:00", "ended"),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                processor.invalidate_recordset(["state"])
                self.assertEqual(processor.state, expected)

    @proves("P-20")
    def test_nobody_is_given_data_without_a_contract(self):
        for vals, words in (
            ({}, False),
            ({"contract_from": False}, "no contract"),
            ({"contract_from": "2027-03-11"}, "not begun"),
            ({"contract_to": "2027-03-09"}, "has ended"),
        ):
            with self.subTest(vals=vals):
                problem = self.enter(country_id=self.company.country_id.id, **vals).use_problem
                if words:
                    self.assertIn(words, problem)
                else:
                    self.assertFalse(problem)

    @proves("P-52")
    def test_data_goes_abroad_only_where_the_register_allows_it(self):
        processor = self.enter(country_id=False)
        self.assertIn("in which country", processor.use_problem)
        singapore = self.env.ref("base.sg")
        processor.country_id = singapore
        self.assertIn("register of transfers", processor.use_problem)
        transfer = self.as_user(self.officer, "privacy.transfer").create(
            {
                "reference": "SCC 2027-1",
                "processor_id": processor.id,
                "country_id": singapore.id,
                "instrument": "clauses",
                "date_from": "2027-03-10",
                "date_to": "2027-03-31",
            }
        )
        self.assertFalse(processor.use_problem)
        for vals in ({"date_from": "2027-03-11"}, {"country_id": self.env.ref("base.in").id}):
            with self.subTest(vals=vals):
                before = {name: transfer[name] for name in vals}
                transfer.write(vals)
                self.assertIn("register of transfers", processor.use_problem)
                transfer.write(before)
        with freeze_time("2027-04-01 06:00:00"):
            self.env.invalidate_all()
            self.assertIn("register of transfers", processor.use_problem)

    @proves("P-52")
    def test_to_a_blocked_country_nothing_goes_whatever_was_signed(self):
        processor = self.enter(country_id=self.company.country_id.id)
        self.assertFalse(processor.use_problem)
        profile = self.company._get_privacy_profile()
        profile.blocked_country_ids = self.company.country_id
        processor.invalidate_recordset(["use_problem"])
        self.assertIn("lets no data go to Bangladesh", processor.use_problem)

    def test_a_draft_has_no_contract(self):
        self.assertEqual(self.enter(contract_from=False).state, "none")

    @proves("P-20")
    def test_a_host_is_covered_by_a_valid_contract_only(self):
        processor = self.enter(hosts="api.sms.example\n*.cdn.example", contract_to="2027-03-31")
        find = self.env["privacy.processor"]._find_valid
        for host, expected in (
            ("api.sms.example", processor),
            ("API.SMS.example", processor),
            ("eu.cdn.example", processor),
            ("cdn.example", processor.browse()),
            ("evilcdn.example", processor.browse()),
            ("sms.example", processor.browse()),
        ):
            with self.subTest(host=host):
                self.assertEqual(find(self.company, host), expected)
        self.assertFalse(find(self.other_company, "api.sms.example"))
        with freeze_time("2027-04-01 06:00:00"):
            self.env.invalidate_all()
            self.assertFalse(find(self.company, "api.sms.example"))

    def remind(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.ir_cron_processor_remind").method_direct_trigger()
        self.env.invalidate_all()

    @proves("P-20")
    def test_officers_are_told_before_a_contract_ends(self):
        processor = self.enter(contract_to="2027-05-31")
        open_end = self.enter(name="For ever")
        self.remind()
        self.assertFalse(processor.activity_ids)
        with freeze_time("2027-05-02 06:00:00"):
            self.remind()
            self.remind()
        activities = processor.activity_ids
        self.assertEqual(activities.user_id, self.officer | self.second_officer)
        self.assertEqual(len(activities), 2, "once")
        self.assertIn("contract on personal data with SMS Ltd", activities[0].summary)
        self.assertFalse(open_end.activity_ids)

    def test_hosts_are_names_without_scheme_and_path(self):
        for hosts in ("https://api.example.com", "api.example.com/v1", "api example", "localhost"):
            with self.subTest(hosts=hosts), self.assertRaisesRegex(ValidationError, "https://"):
                self.enter(hosts=hosts)

    def test_dates_and_parents_that_cannot_be(self):
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.enter(contract_to="2026-12-31")
        one = self.enter()
        two = self.enter(name="Below", parent_id=one.id)
        with self.assertRaises(ValidationError):
            one.parent_id = two

    def test_the_drafts_shipped_are_archived_and_without_a_contract(self):
        for name in ("bkash", "nagad", "sslcommerz"):
            draft = self.env.ref(f"isp_privacy.processor_{name}")
            self.assertFalse(draft.active)
            self.assertEqual((draft.state, bool(draft._get_hosts())), ("none", True))

    def test_a_transfer_names_its_recipient(self):
        vals = {
            "reference": "SCC 2027-1",
            "country_id": self.env.ref("base.sg").id,
            "instrument": "clauses",
        }
        transfers = self.as_user(self.officer, "privacy.transfer")
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                transfers.create(vals)
        self.assertTrue(transfers.create({**vals, "recipient": "Cloud Ltd"}))
        transfer = transfers.create({**vals, "processor_id": self.enter().id})
        self.assertEqual(transfer.processor_id.transfer_ids, transfer)

    def test_changes_are_audited_without_values(self):
        processor = self.enter()
        processor.write({"name": "New name", "hosts": "a.example"})
        row = self.audit_of(processor)[-1]
        self.assertEqual((row.action, row.field_names), ("write", "hosts, name"))
        self.assertEqual(row.actor_id, self.officer.id)
        self.assertEqual(set(row.changes.values()), {None})

    def test_a_note_in_the_chatter_is_no_change(self):
        processor = self.enter()
        number = len(self.audit_of(processor))
        processor.message_post(body="Called them.")
        processor.activity_schedule("mail.mail_activity_data_todo", user_id=self.officer.id)
        self.assertEqual(len(self.audit_of(processor)), number)


@tagged("post_install", "-at_install")
class TestEvidence(RegisterCase):
    def enter(self, **vals):
        values = {"name": "ISO 27001", "holder": "Cloud Ltd", "valid_until": "2027-03-31", **vals}
        return self.as_user(self.officer, "privacy.evidence").create(values)

    def remind(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.ir_cron_evidence_remind").method_direct_trigger()
        self.env.invalidate_all()

    def test_valid_through_its_last_day_where_the_company_is(self):
        evidence = self.enter()
        for moment, expected in (
            ("2027-02-28 17:59:59", "valid"),
            ("2027-02-28 18:00:00", "due"),
            ("2027-03-31 17:59:59", "due"),
            ("2027-03-31 18:00:00", "expired"),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                evidence.invalidate_recordset(["state"])
                self.assertEqual(evidence.state, expected)

    @proves("P-17", "P-19")
    def test_officers_are_told_once_and_not_before_it_is_due(self):
        evidence = self.enter()
        with freeze_time("2027-02-28 17:59:59"):
            self.remind()
        self.assertFalse(evidence.activity_ids)
        with freeze_time("2027-02-28 18:00:00"):
            self.remind()
        activities = evidence.activity_ids
        self.assertEqual(activities.user_id, self.officer | self.second_officer)
        self.assertEqual(set(activities.mapped("date_deadline")), {evidence.valid_until})
        with freeze_time("2027-04-10 06:00:00"):
            self.remind()
        self.assertEqual(evidence.activity_ids, activities)

    def test_what_expired_before_it_was_entered_is_told_too(self):
        evidence = self.enter(valid_until="2026-12-31")
        self.remind()
        self.assertEqual(len(evidence.activity_ids), 2)

    def test_a_renewed_one_is_watched_anew(self):
        evidence = self.enter(valid_until="2027-03-12")
        self.remind()
        evidence.valid_until = "2028-03-12"
        self.assertFalse(evidence.is_reminded)
        with freeze_time("2028-03-01 06:00:00"):
            self.remind()
        self.assertEqual(len(evidence.activity_ids), 4)

    def test_only_officers_of_its_company_are_told(self):
        evidence = self.env["privacy.evidence"].create(
            {
                "name": "SOC 2",
                "holder": "Ganga Net",
                "valid_until": "2027-03-11",
                "company_id": self.other_company.id,
            }
        )
        self.remind()
        self.assertFalse(evidence.activity_ids)
        self.assertFalse(evidence.is_reminded, "it is tried again once there is an officer")
        officer = self.new_user(
            "prv_ganga", "isp_privacy.group_privacy_officer", self.other_company
        )
        self.remind()
        self.assertEqual(evidence.activity_ids.user_id, officer)

    @proves("P-16")
    def test_officers_are_told_when_restoring_was_not_rehearsed_for_a_month(self):
        evidence = self.as_user(self.officer, "privacy.evidence").browse()
        for moment in ("2027-03-10 06:00:00", "2027-04-12 06:00:00"):
            with freeze_time(moment):
                drills = evidence.sudo()._record_drill(moment, "20270310F", ["3 <customers>"])
            drill = drills.filtered(lambda one: one.company_id == self.company)
            self.assertEqual(self.env["privacy.evidence"].search([("id", "=", drill.id)]), drill)
            self.assertIn("3 &lt;customers&gt;", drill.message_ids[0].body)
            with freeze_time(fields.Date.add(drill.valid_until, days=-4)):
                self.remind()
                self.assertFalse(drill.activity_ids, "a drill every month is enough")
                self.assertEqual(drill.state, "valid")
            with freeze_time(fields.Date.add(drill.valid_until, days=-3)):
                self.remind()
            self.assertEqual(drill.activity_ids.user_id, self.officer | self.second_officer)
            self.assertIn("restored again", drill.activity_ids[0].summary)
            before, evidence = evidence, drill
        self.assertFalse(before.active, "the newer one takes its place")
        self.assertFalse(before.activity_ids)

    def test_many_are_told_in_batches(self):
        self.env["privacy.evidence"].create(
            [{"name": f"Test {n}", "holder": "X", "valid_until": "2027-03-11"} for n in range(5)]
        )
        left = [("is_reminded", "=", False), ("company_id", "=", self.company.id)]
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", lambda *_args, **_options: 0):
            self.env["privacy.evidence"]._cron_remind(batch_size=2)
        self.assertEqual(self.env["privacy.evidence"].search_count(left), 3, "out of time")
        with patch.object(cron, "_commit_progress", lambda *_args, **_options: 1):
            self.env["privacy.evidence"]._cron_remind(batch_size=2)
        self.assertEqual(self.env["privacy.evidence"].search_count(left), 0)

    def test_filters(self):
        expired, due, valid = (
            self.enter(valid_until=day) for day in ("2027-03-09", "2027-03-10", "2027-06-01")
        )
        evidence = self.as_user(self.officer, "privacy.evidence")
        arch = etree.fromstring(evidence.get_view(view_type="search")["arch"])
        for name, expected in (("expired", expired), ("due", due)):
            with self.subTest(name=name):
                [domain] = arch.xpath(f"//filter[@name='{name}']/@domain")
                self.assertEqual(evidence.search(safe_eval(domain)), expected)
        self.assertEqual(valid.state, "valid")
