import io
from unittest.mock import patch

from openpyxl import load_workbook

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.isp_base.tests.promises import proves

from ..report.workbook import Workbook
from .report_common import ReportCase, dec

OTHERS = "(Others, not analysed)"
MARCH = "2027-03-01"
LEFT_OUT = "odoo.addons.isp_billing.report.isp_report_refresh.IspReportRefresh._get_left_out"


@tagged("post_install", "-at_install")
class TestReportGroups(ReportCase):
    """Analyses show no group of fewer people than the company demands; books show all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["isp.subscription"].search([]).unlink()
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

    def shown(self, *by, model="isp.report.subscriber", measure="subscriber_count", **domain):
        """``{group: number}``, a group being the names of what it has in common."""
        rows = self.env[model]._read_group(
            [("company_id", "=", self.company.id), ("month", "=", MARCH)]
            + [(name, "=", value) for name, value in domain.items()],
            by,
            [f"{measure}:sum"],
        )
        return {
            tuple(getattr(value, "name", value) for value in group): number
            for *group, number in rows
        }

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
        self.assertEqual(
            self.shown("area"), {("Dhaka",): 4, ("Bogura",): 3, ("Khulna",): 3}
        )
        self.company.isp_report_min_group = 4
        self.refresh()
        self.assertEqual(self.shown("area"), {("Dhaka",): 4, (OTHERS,): 6})
        self.company.isp_report_min_group = 0
        self.refresh()
        self.assertEqual(len(self.shown("area")), 3)

    @proves("P-23")
    def test_all_that_reads_a_report_gets_the_same_groups(self):
        self.people(3, "Khulna")
        self.people(1, "Bogura")
        self.people(5, "Dhaka")
        self.people(2, "Dhaka", self.plan_office)
        self.bill_and_refresh()
        wanted = {
            ("Home 20", "Dhaka"): 5,
            (None, OTHERS): 6,
        }
        accountant = self.create_user("accountant")
        for model, measure in (("subscriber", "subscriber_count"), ("mrr", "mrr")):
            model = self.env[f"isp.report.{model}"].with_user(accountant)
            with self.subTest(model=model._name):
                groups = model.formatted_read_group([], ["plan_id", "area"], [f"{measure}:sum"])
                self.assertEqual(len(groups), len(wanted))
                self.assertEqual(
                    {g["plan_id"] and g["plan_id"][1] or None for g in groups}, {"Home 20", None}
                )
                sets = model.formatted_read_grouping_sets([], [[], ["area"]], [f"{measure}:sum"])
                self.assertEqual({g["area"] for g in sets[1]}, {"Dhaka", OTHERS})
                rows = model.search_read([], ["area", "plan_id", "is_others"])
                self.assertEqual({(r["area"], r["is_others"]) for r in rows}, {("Dhaka", False), (OTHERS, True)})
                self.assertFalse(model.search([("area", "=", "Bogura")]))
        self.assertEqual(
            {(plan or None, area): number for (plan, area), number in self.shown("plan_id", "area").items()},
            wanted,
        )
