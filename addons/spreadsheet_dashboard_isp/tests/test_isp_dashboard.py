import json
import re
from ast import literal_eval

from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves
from odoo.addons.isp_billing.tests.common import IspBillingCase
from odoo.addons.spreadsheet.utils.validate_data import (
    fields_in_spreadsheet,
    menus_xml_ids_in_spreadsheet,
)

FORMULA = re.compile(r"PIVOT(?:\.VALUE|\.HEADER)?\((\d+)(?:,\s*\"([a-z_]+:[a-z]+)\")?")


@tagged("post_install", "-at_install")
class TestIspDashboard(IspBillingCase):
    """What the dashboard asks for exists, and it gets the figures of the reports."""

    def setUp(self):
        super().setUp()
        self.dashboard = self.env.ref("spreadsheet_dashboard_isp.spreadsheet_dashboard_isp")
        self.sheet = json.loads(self.dashboard.spreadsheet_data)
        self.cells = {
            (sheet["name"], cell): content
            for sheet in self.sheet["sheets"]
            for cell, content in sheet["cells"].items()
        }

    def test_every_model_field_and_menu_exists(self):
        found = fields_in_spreadsheet(self.sheet)
        self.assertEqual(
            set(found),
            {
                "isp.report.ageing",
                "isp.report.collection",
                "isp.report.mrr",
                "isp.report.subscriber",
            },
        )
        for model, names in found.items():
            for name in names:
                field_model = self.env[model]
                for part in name.split("."):
                    self.assertIn(part, field_model._fields, f"{model}: {name}")
                    field = field_model._fields[part]
                    field_model = self.env[field.comodel_name] if field.relational else None
        menus = menus_xml_ids_in_spreadsheet(self.sheet)
        self.assertTrue(menus)
        for menu in menus:
            self.assertTrue(self.env.ref(menu).action, menu)

    def test_formulas_name_pivots_and_their_measures(self):
        used = set()
        for (sheet, cell), content in self.cells.items():
            for number, measure in FORMULA.findall(content):
                with self.subTest(sheet=sheet, cell=cell):
                    pivot = self.sheet["pivots"][number]
                    if measure:
                        self.assertIn(measure, [one["id"] for one in pivot["measures"]])
                used.add(number)
        self.assertEqual(used, set(self.sheet["pivots"]))

    def test_charts_read_cells_that_are_filled(self):
        filled = {cell for sheet, cell in self.cells if sheet == "Data"}
        for figure in self.sheet["sheets"][0]["figures"]:
            data = figure["data"]
            ranges = (
                [one["dataRange"] for one in data["dataSets"] if one] if "dataSets" in data else []
            )
            ranges += [data[key] for key in ("keyValue", "baseline", "labelRange") if key in data]
            for name in ranges:
                column, first, last = re.fullmatch(
                    r"Data!([A-Z])(\d+)(?::[A-Z](\d+))?", name
                ).groups()
                rows = range(int(first), int(last or first) + 1)
                missing = {f"{column}{row}" for row in rows} - filled
                # The head over the labels is empty.
                self.assertLessEqual(missing, {f"{column}{first}"} if last else set(), name)

    def test_pivots_give_the_figures_of_the_books(self):
        accountant = self.create_user("accountant")
        self.create_subscription(date_start="2027-02-01")
        self.bill("2027-03-01")
        self.env["isp.report.refresh"]._refresh()
        values = {}
        for number, pivot in self.sheet["pivots"].items():
            model = self.env[pivot["model"]].with_user(accountant)
            rows = [
                f"{row['fieldName']}:{row['granularity']}"
                if "granularity" in row
                else row["fieldName"]
                for row in pivot["rows"]
            ]
            groups = model.formatted_read_group(
                pivot["domain"], rows, [measure["id"] for measure in pivot["measures"]]
            )
            self.assertTrue(groups, pivot["name"])
            values[number] = groups[0]
        self.assertEqual(values["1"]["mrr:sum"], 1000.0)
        self.assertEqual(values["1"]["opening_mrr:sum"], 1000.0)
        self.assertEqual(values["2"]["active_count:sum"], 1)
        self.assertEqual(values["5"]["amount:sum"], 2000.0)

    @proves("P-23")
    def test_a_filter_finds_no_small_group(self):
        """What the filter of an area leaves of an analysis is a group of people, or nothing."""
        accountant = self.create_user("accountant")
        self.company.isp_report_min_group = 2
        for city, count in (("Dhaka", 3), ("Bogura", 2), ("Khulna", 1)):
            for number in range(count):
                person = {"name": f"{city} {number}", "city": city}
                partner = self.env["res.partner"].create(person)
                self.create_subscription(partner_id=partner.id)
        self.bill("2027-03-01")
        self.env["isp.report.refresh"]._refresh()
        [area] = [one["id"] for one in self.sheet["globalFilters"] if one["label"] == "Area"]
        found = set()
        for pivot in self.sheet["pivots"].values():
            if pivot["model"] not in ("isp.report.mrr", "isp.report.subscriber"):
                continue
            model = self.env[pivot["model"]].with_user(accountant)
            chain = pivot["fieldMatching"][area]["chain"]
            [measure, *_others] = [one["id"] for one in pivot["measures"]]
            for city in ("Dhaka", "Bogura", "Khulna"):
                groups = model.formatted_read_group([(chain, "ilike", city)], [chain], [measure])
                found |= {group[chain] for group in groups}
        self.assertEqual(found, {"Dhaka"})

    def test_filters_reach_every_figure(self):
        ids = {one["id"]: one for one in self.sheet["globalFilters"]}
        sources = [
            (pivot["model"], pivot["fieldMatching"]) for pivot in self.sheet["pivots"].values()
        ] + [
            (figure["data"]["metaData"]["resModel"], figure["data"]["fieldMatching"])
            for figure in self.sheet["sheets"][0]["figures"]
            if figure["data"]["type"].startswith("odoo_")
        ]
        for model, matching in sources:
            self.assertLessEqual(set(matching), set(ids))
            for filter_id, match in matching.items():
                field = self.env[model]._fields[match["chain"].split(".")[0]]
                if "." not in match["chain"]:
                    self.assertEqual(field.type, match["type"])
                if ids[filter_id]["type"] == "relation" and "." not in match["chain"]:
                    self.assertEqual(field.comodel_name, ids[filter_id]["modelName"])
            plan_filter = [one for one, value in ids.items() if value["label"] == "Plan"]
            self.assertIn(plan_filter[0], matching)

    def test_only_accountants_and_managers_see_it(self):
        for role, may in (("clerk", False), ("accountant", True), ("manager", True)):
            user = self.create_user(role)
            visible = self.env["spreadsheet.dashboard"].with_user(user).search([])
            self.assertEqual(self.dashboard in visible, may, role)

    def test_the_menu_opens_this_dashboard(self):
        action = self.env.ref("spreadsheet_dashboard_isp.spreadsheet_dashboard_isp_action")
        params = action.params
        params = literal_eval(params) if isinstance(params, str) else params
        self.assertEqual(params, {"dashboard_id": self.dashboard.id})
