import io
import random
from ast import literal_eval
from contextlib import contextmanager
from itertools import combinations

from openpyxl import load_workbook

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.isp_base.tests.promises import proves

from ..report.facts_groups import KEPT, TOLD
from ..report.isp_report_fact import MEASURES, MONEY
from ..report.workbook import Workbook
from .report_common import ReportCase, dec
from .test_migration import load_script

OTHERS = "(Others, not analysed)"
MARCH = "2027-03-01"
# More than a hundred subscriptions would show no more.
CROWD = 40


@tagged("post_install", "-at_install")
class TestReportGroups(ReportCase):
    """Analyses show no group of fewer people than the company demands; books show all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.isp_report_min_group = 3

    def people(self, count, city="Dhaka", plan=None, start=MARCH, **vals):
        return self.env["isp.subscription"].union(
            *(
                self.subscriber(f"{city} {number}", plan or self.plan_home, start, city, **vals)
                for number in range(count)
            )
        )

    def bill_and_refresh(self):
        self.bill(MARCH)
        self.refresh(full=True)

    def shown(self, *by, model="subscriber", measure="subscriber_count"):
        """Numbers of March by what groups have in common."""
        rows = self.env[f"isp.report.{model}"]._read_group(
            [("company_id", "=", self.company.id), ("month", "=", MARCH)], by, [f"{measure}:sum"]
        )
        return {
            tuple(value.name if hasattr(value, "_name") else value for value in group): number
            for *group, number in rows
        }

    @contextmanager
    def left_out(self, partners):
        """Let these people not be analysed."""
        people = SQL(
            "SELECT unnest(%s::int[]) AS partner_id, %s::int AS company_id",
            partners.ids,
            self.company.id,
        )
        refresh = self.env.registry["isp.report.refresh"]
        before = refresh._get_left_out
        refresh._get_left_out = lambda _self: people
        try:
            yield
        finally:
            refresh._get_left_out = before

    # === HOW SMALL === #

    @proves("P-23")
    def test_a_town_is_shown_from_so_many_people_on(self):
        self.people(2, "Khulna")
        self.people(3, "Bogura")
        self.people(4, "Dhaka")
        self.bill_and_refresh()
        # Two would be found by subtracting the towns shown from the sum: the next smallest joins.
        self.assertEqual(self.shown("area"), {("Dhaka",): 4, (OTHERS,): 5})
        self.people(1, "Khulna")
        self.bill_and_refresh()
        self.assertEqual(self.shown("area"), {("Dhaka",): 4, ("Bogura",): 3, ("Khulna",): 3})
        self.company.isp_report_min_group = 4
        self.refresh()
        self.assertEqual(self.shown("area"), {("Dhaka",): 4, (OTHERS,): 6})
        self.company.isp_report_min_group = 0
        self.refresh()
        self.assertEqual(len(self.shown("area")), 3)

    @proves("P-23")
    def test_whatever_reads_a_report_gets_the_same_groups(self):
        self.people(3, "Khulna")
        self.people(1, "Bogura")
        self.people(5, "Dhaka")
        self.people(2, "Dhaka", self.plan_office)
        self.bill_and_refresh()
        self.assertEqual(
            self.shown("plan_id", "area"), {("Home 20", "Dhaka"): 5, (False, OTHERS): 6}
        )
        accountant = self.create_user("accountant")
        for name, measure in (("subscriber", "subscriber_count"), ("mrr", "mrr")):
            model = self.env[f"isp.report.{name}"].with_user(accountant)
            measures = [f"{measure}:sum"]
            with self.subTest(model=name):
                groups = model.formatted_read_group([], ["plan_id", "area"], measures)
                self.assertEqual(
                    {(group["plan_id"] and group["plan_id"][1], group["area"]) for group in groups},
                    {("Home 20", "Dhaka"), (False, OTHERS)},
                )
                sets = model.formatted_read_grouping_sets([], [[], ["area"]], measures)
                self.assertEqual({group["area"] for group in sets[1]}, {"Dhaka", OTHERS})
                rows = model.search_read([], ["area", "is_others"])
                self.assertEqual(
                    {(row["area"], row["is_others"]) for row in rows},
                    {("Dhaka", False), (OTHERS, True)},
                )
                self.assertFalse(model.search([("area", "=", "Bogura")]))
                self.assertFalse(model.search([("plan_id", "=", self.plan_office.id)]))
        for name in ("total", "group"):
            self.assertFalse(
                self.env[f"isp.report.{name}"].with_user(accountant).has_access("read")
            )

    @proves("P-23")
    def test_the_workbook_shows_no_small_group(self):
        self.people(4)
        self.people(1, plan=self.plan_office)
        extra = self.create_plan("Extra", 700.0)
        self.people(3, plan=extra)
        self.bill_and_refresh()
        file = io.BytesIO()
        env = self.env(context=dict(self.env.context, allowed_company_ids=self.company.ids))
        Workbook(env, file, MARCH, MARCH).build()
        book = load_workbook(io.BytesIO(file.getvalue()))
        for sheet, column in (("Movements", "Recurring revenue"), ("Subscribers", "Subscribers")):
            heads, *rows, _sums = book[sheet].iter_rows(values_only=True)
            place = heads.index(column)
            figures = {row[2]: row[place] for row in rows}
            wanted = (
                {"Home 20": 4, OTHERS: 4}
                if sheet == "Subscribers"
                else {"Home 20": 4000, OTHERS: 2500 + 3 * 700}
            )
            self.assertEqual(figures, wanted)

    def test_a_customer_with_several_services_is_one_person(self):
        family = self.partner("Family", "Khulna")
        for _number in range(4):
            self.create_subscription(partner_id=family.id)
        self.people(4)
        self.bill_and_refresh()
        self.assertEqual(self.shown("area"), {(OTHERS,): 8})

    def test_people_count_who_were_there_when_the_month_began(self):
        """Or *Subscribers before* would tell in April what March does not show."""
        self.people(1, "Khulna", start="2027-02-01")
        self.people(4, "Dhaka", start="2027-02-01")
        self.people(4, "Bogura", start="2027-02-01")
        self.people(5, "Khulna")
        self.bill_and_refresh()
        self.assertEqual(len(self.shown("area")), 2)
        self.assertNotIn(("Khulna",), self.shown("area"))

    def test_months_that_were_billed_ahead_show_no_small_group(self):
        self.people(1, "Khulna")
        self.people(4)
        self.bill("2027-05-01")
        self.refresh(full=True)
        rows = self.env["isp.report.mrr"].search([("month", "=", "2027-05-01")])
        self.assertEqual((rows.mapped("area"), sum(rows.mapped("revenue"))), ([OTHERS], 5000.0))

    def test_a_database_of_the_version_before_gets_its_groups(self):
        self.people(2, "Khulna")
        self.people(5)
        self.people(4, "Bogura")
        self.bill_and_refresh()
        wanted = self.shown("area")
        self.rows().unlink()
        self.assertFalse(self.shown("area"))
        load_script("19.0.1.4.0", "post-report-groups").migrate(self.env.cr, "19.0.1.3.0")
        self.assertEqual(self.shown("area"), wanted)
        self.refresh()
        self.assertTrue(self.env["isp.report.refresh"].search([], limit=1).is_full)

    # === NOBODY IS FOUND === #

    def crowd(self):
        """People of many kinds, some of whom have left."""
        chance = random.Random(17)
        plans = [self.plan_home, self.plan_office, self.create_plan("Extra", 700.0)]
        users = [self.env.user, self.create_user("manager")]
        services = self.env["isp.subscription"]
        for number in range(CROWD):
            services |= self.subscriber(
                f"Person {number}",
                chance.choice(plans[:1] * 3 + plans),
                chance.choice(["2027-01-01", "2027-02-01", "2027-03-01"]),
                chance.choice(["Dhaka"] * 3 + ["Khulna", "Bogura", "Sylhet", False]),
                user_id=chance.choice(users).id,
            )
        self.bill(MARCH)
        with self.at("2027-03-09 06:00:00"):
            for service in services[:3]:
                service._terminate("Moved")
        return services

    def rows(self):
        self.env["isp.report.group"].invalidate_model()
        return self.env["isp.report.group"].search([("company_id", "=", self.company.id)])

    def behind(self, row, facts):
        """People who have in common what the row tells."""
        told = TOLD[: row.depth]
        return facts.filtered(
            lambda fact: (
                fact.month == row.month
                and not fact.is_left_out
                and all(fact[name] == row[name] for name in told)
            )
        ).partner_id

    @proves("P-23", "P-32")
    def test_nothing_can_be_computed_of_fewer_people(self):
        services = self.crowd()
        lone = services[5].partner_id
        with self.left_out(lone):
            self.refresh(full=True)
        facts = self.env["isp.report.fact"].search([("company_id", "=", self.company.id)])
        rows = self.rows()
        self.assertGreater(len(set(rows.mapped("depth"))), 2, "some are told in part")
        for row in rows:
            self.assertGreaterEqual(row.people_count, 3)
            self.assertGreaterEqual(len(self.behind(row, facts)), 3)
        for month in set(rows.mapped("month")):
            of_month = rows.filtered(lambda row, month=month: row.month == month)
            people = facts.filtered(lambda fact, month=month: fact.month == month).partner_id
            self.assertEqual(sum(of_month.mapped("people_count")), len(people))
            # Any rows may be added up, and taken off the sum: each row is nobody or three.
            counts = of_month.mapped("people_count")
            for some in combinations(counts, min(2, len(counts))):
                self.assertNotIn(len(people) - sum(some), (1, 2))
        self.assert_agrees(rows, facts)

    def assert_agrees(self, rows, facts, names=MEASURES):
        """The sum of the groups is that of all facts, to the cent and in each month."""
        for month in set(facts.mapped("month")):
            for name in names:
                self.assertEqual(
                    dec(sum(rows.filtered(lambda r, m=month: r.month == m).mapped(name))),
                    dec(sum(facts.filtered(lambda r, m=month: r.month == m).mapped(name))),
                    (month, name),
                )

    @proves("P-32")
    def test_what_is_kept_for_ever_leads_to_nobody(self):
        services = self.crowd()
        self.refresh(full=True)
        facts = self.env["isp.report.fact"].search([("company_id", "=", self.company.id)])
        # What somebody knows who has kept the facts.
        known = [
            (fact.partner_id, fact.read([*TOLD, *MEASURES, "month"], load=None)[0])
            for fact in facts
        ]
        months = set(facts.mapped("month"))
        # Five years later nothing else tells who was there; the money lasts as long as the bills.
        with self.at("2032-09-01 06:00:00"):
            self.refresh(full=True)
            self.refresh(full=True)
        for name in KEPT:
            for model in ("fact", "total"):
                old = [("month", "in", list(months)), (name, "!=", 0)]
                self.assertFalse(self.env[f"isp.report.{model}"].search(old))
        rows = self.rows().filtered(lambda row: row.month in months)
        self.assert_agrees(rows, facts.exists(), MONEY)
        rows = rows.filtered("is_closed")
        self.assertEqual(set(rows.mapped("month")), months, "it stands")
        for row in rows.read([*TOLD, *MEASURES, "month", "depth"], load=None):
            alike = [
                (person, fact)
                for person, fact in known
                if all(fact[name] == row[name] for name in ("month", *TOLD[: row["depth"]]))
            ]
            self.assertGreaterEqual(len({person for person, _fact in alike}), 3)
            for name in KEPT:
                found = {person for person, fact in alike if fact[name] and fact[name] == row[name]}
                self.assertNotEqual(len(found), 1, (row, name))
        self.assert_no_key()
        self.assertFalse(rows.user_id)
        # What is left of erased people changes nothing.
        kept = {row["id"]: row for row in rows.read(KEPT)}
        services.partner_id.write({"name": "Erased", "city": False})
        with self.at("2032-10-01 06:00:00"):
            self.refresh(full=True)
        self.assertEqual({row["id"]: row for row in rows.exists().read(KEPT)}, kept)
        march = rows.filtered(lambda row: f"{row.month}" == MARCH)
        self.assertEqual(sum(march.mapped("subscriber_count")), len(services) - 3)

    def assert_no_key(self):
        """No column refers to something that belongs to one customer."""
        model = self.env["isp.report.group"]
        self.assertEqual(
            {
                field.comodel_name
                for field in model._fields.values()
                if field.store and field.relational
            },
            {"isp.plan", "res.company", "res.country.state", "res.users"},
        )
        self.assertEqual(
            {name for name, field in model._fields.items() if field.type in ("char", "text")},
            {"area", "display_name"},
        )

    def test_nothing_is_kept_for_ever_of_groups_of_any_size(self):
        self.people(4)
        self.people(2, "Khulna")
        self.company.isp_report_min_group = 0
        self.bill_and_refresh()
        self.assertEqual(len(self.shown("area")), 2)
        with self.at("2032-09-01 06:00:00"):
            self.refresh(full=True)
        self.assertFalse(self.rows().filtered("is_closed"))

    # === WHO IS NOT ANALYSED === #

    @proves("P-39", "P-55")
    def test_who_is_not_analysed_is_in_no_group(self):
        dhaka = self.people(6)
        self.people(4, "Khulna")
        self.people(3, "Bogura")
        self.bill_and_refresh()
        before = self.shown("month:month", measure="billed")
        self.assertEqual(self.shown("area"), {("Dhaka",): 6, ("Khulna",): 4, ("Bogura",): 3})
        lone = dhaka[0].partner_id
        with self.left_out(lone):
            self.refresh(full=True)
            # The lone one is not alone: the smallest group joins.
            self.assertEqual(self.shown("area"), {("Dhaka",): 5, ("Khulna",): 4, (OTHERS,): 4})
            self.assertEqual(self.shown("month:month", measure="billed"), before)
            items = self.env["account.move"].search([("isp_charge_ids", "!=", False)])
            self.assertEqual(sum(before.values()), -sum(items.invoice_line_ids.mapped("balance")))
            self.assert_cohort(12)
        self.refresh(full=True)
        self.assertEqual(self.shown("area"), {("Dhaka",): 6, ("Khulna",): 4, ("Bogura",): 3})
        self.assert_cohort(13)

    def assert_cohort(self, count):
        rows = self.env["isp.report.cohort"].search([("company_id", "=", self.company.id)])
        self.assertEqual(sum(rows.mapped("cohort_count")), count)

    @proves("P-39", "P-55")
    def test_who_is_not_analysed_is_not_listed_either(self):
        services = self.people(5)
        self.bill(MARCH)
        action = self.env.ref("isp_billing.isp_report_fact_action")
        with self.left_out(services[0].partner_id):
            self.refresh(full=True)
        listed = self.env[action.res_model].search(
            [*literal_eval(action.domain), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(listed.subscription_id, services[1:])

    def test_books_count_everybody_where_they_are(self):
        services = self.people(1, "Khulna") | self.people(3)
        self.bill(MARCH)
        with self.left_out(services[1].partner_id):
            self.refresh(full=True)
        self.assertEqual(
            self.shown("area", model="collection", measure="invoiced"),
            {("Khulna",): 1000.0, ("Dhaka",): 3000.0},
        )
        row = self.env["isp.report.collection"].search([("area", "=", "Dhaka")])
        action = row.action_view_subscribers()
        self.assertEqual(
            self.env[action["res_model"]].search(action["domain"]).subscription_id, services[1:]
        )
        owed = self.env["isp.report.ageing"]._read_group([], ["area"], ["amount:sum"])
        self.assertEqual(dict(owed), {"Khulna": 1000.0, "Dhaka": 3000.0})

    def test_a_row_of_others_leads_to_nobody(self):
        self.people(2, "Khulna")
        self.people(3)
        self.bill_and_refresh()
        row = self.env["isp.report.mrr"].search([("is_others", "=", True)])
        with self.assertRaisesRegex(UserError, "small groups"):
            row.action_view_subscribers()

    # === CHURN BY JOINING MONTH === #

    @proves("P-23")
    def test_cohorts_of_few_people_are_not_shown(self):
        extra = self.create_plan("Extra", 700.0)
        self.people(5)
        self.people(1, plan=self.plan_office)
        self.people(3, plan=extra)
        self.people(2, start="2027-02-01")
        rows = self.env["isp.report.cohort"].search([("company_id", "=", self.company.id)])
        self.assertEqual(
            {(f"{row.joined_month:%m}", row.plan_id.name, row.cohort_count) for row in rows},
            {("03", "Home 20", 5), ("03", False, 4)},
        )
        self.company.isp_report_min_group = 6
        rows.invalidate_model()
        rows = self.env["isp.report.cohort"].search([("company_id", "=", self.company.id)])
        self.assertEqual([(row.plan_id.name, row.cohort_count) for row in rows], [(False, 9)])
