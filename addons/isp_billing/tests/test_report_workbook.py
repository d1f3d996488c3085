import io

from openpyxl import load_workbook

from odoo.tests import HttpCase, new_test_user, tagged

from ..report.workbook import Workbook
from .report_common import ReportCase


@tagged("post_install", "-at_install")
class TestReportWorkbook(ReportCase):
    """What the workbook holds, and that no name in it becomes a formula."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The figures are those of few subscribers; test_report_groups is about small groups.
        cls.company.isp_report_min_group = 0

    def workbook(self, first="2027-01-01", last="2027-03-01"):
        file = io.BytesIO()
        Workbook(
            self.env(context=dict(self.env.context, allowed_company_ids=self.company.ids)),
            file,
            first,
            last,
        ).build()
        return load_workbook(io.BytesIO(file.getvalue()))

    def test_no_name_becomes_a_formula(self):
        nasty = (
            '=HYPERLINK("http://evil.example","Pay")',
            "+880",
            "-1+1",
            "@SUM(A1)",
            "http://x.example",
        )
        for name in nasty:
            self.subscriber(name, self.plan_home, "2027-02-01", name)
        self.bill("2027-03-01")
        self.refresh()
        book = self.workbook()
        self.assertEqual(book.sheetnames, ["Movements", "Subscribers", "Ageing", "Collected"])
        shown = set()
        for sheet in book:
            self.assertTrue(sheet.freeze_panes, sheet.title)
            for row in sheet.iter_rows():
                for cell in row:
                    self.assertFalse(cell.hyperlink, cell.coordinate)
                    if cell.data_type == "f":
                        self.assertRegex(cell.value, r"^=SUM\([A-Z]+2:[A-Z]+\d+\)$")
                    elif cell.data_type == "s":
                        shown.add(cell.value)
        self.assertLessEqual(set(nasty), shown)

    def test_the_workbook_holds_the_figures(self):
        for number in range(3):
            self.subscriber(f"S{number}", self.plan_home, "2027-02-01", "Khulna")
        self.bill("2027-03-01")
        self.refresh()
        book = self.workbook("2027-03-01")
        heads, figures, *_rest = book["Movements"].iter_rows(values_only=True)
        self.assertEqual(
            dict(zip(heads, figures, strict=True)) | {"Month": f"{figures[0]:%Y-%m}"},
            {
                "Month": "2027-03",
                "Company": self.company.name,
                "Plan": "Home 20",
                "Opening": 3000,
                "New": 0,
                "Up": 0,
                "Down": 0,
                "Lost": 0,
                "Back": 0,
                "Taken over": 0,
                "Recurring revenue": 3000,
                "Not billed yet": 0,
                "Recognised revenue": 3000,
                "Billed before taxes": 6000,
            },
        )
        ageing = list(book["Ageing"].iter_rows(values_only=True))
        self.assertEqual(len(ageing), 1 + 3 + 1)
        self.assertEqual([row[-1] for row in ageing[1:]], [2000, 2000, 2000, f"=SUM(K2:K{4})"])
        collected = list(book["Collected"].iter_rows(values_only=True))
        self.assertEqual(collected[1][2:], ("Khulna", 6000, 0, 0))

    def test_an_empty_workbook_opens(self):
        book = self.workbook("2020-01-01", "2020-02-01")
        self.assertEqual([sheet.max_row for sheet in book][0], 1)


@tagged("post_install", "-at_install")
class TestReportDownload(HttpCase):
    def test_the_workbook_is_downloaded_by_who_may(self):
        accountant = new_test_user(
            self.env, "isp_xlsx", groups="base.group_user,isp_base.group_isp_accountant"
        )
        wizard = self.env["isp.report.export"].with_user(accountant).create({})
        url = wizard.action_export()["url"]
        self.authenticate("isp_xlsx", "isp_xlsx")
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        self.assertIn(".xlsx", response.headers["Content-Disposition"])
        self.assertIn("Movements", load_workbook(io.BytesIO(response.content)).sheetnames)
        self.assertEqual(self.url_open(url.replace("date_from=2", "date_from=x")).status_code, 400)
        new_test_user(self.env, "isp_xlsx_no", groups="base.group_user,isp_base.group_isp_clerk")
        self.authenticate("isp_xlsx_no", "isp_xlsx_no")
        self.assertEqual(self.url_open(url).status_code, 403)
