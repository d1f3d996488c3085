import base64
import io

import openpyxl

from odoo import fields

from .common import IspBillingCase

HEADINGS = (
    "Name", "Customer id", "Id", "Phone", "Email", "City", "Plan", "Price", "Status", "Start", "End",
    "Billed", "Username", "Password", "IP", "MAC", "Note",
)  # fmt: skip
TARGETS = (
    "customer_name", "customer_ref", "external_ref", "phone", "email", "city", "plan", "price",
    "state", "date_start", "date_end", "opening_billed_through", "username", "password",
    "ipv4_address", "mac_addresses", "note",
)  # fmt: skip


class ImportCase(IspBillingCase):
    """A mapping over all usual columns, and rows made from what a test cares about."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapping = cls.env["isp.import.mapping"].create(
            {
                "name": "Test",
                "line_ids": [
                    fields.Command.create({"source": source, "target": target})
                    for source, target in zip(HEADINGS, TARGETS, strict=True)
                ],
            }
        )

    def csv(self, *rows):
        """A file of rows given as ``{heading: cell}``; Name and Plan have defaults."""
        lines = [",".join(HEADINGS)]
        for row in rows:
            row = {"Name": "Rahim", "Plan": "Home 20", **row}
            self.assertLessEqual(set(row), set(HEADINGS))
            lines.append(",".join(f'"{row.get(name, "")}"' for name in HEADINGS))
        return "\n".join(lines).encode()

    def xlsx(self, *rows):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()

    def run_rows(self, *rows, **options):
        """Import rows to the end and return the import."""
        return self.env["isp.import"]._run_file(
            self.csv(*rows), "Test", **{"file_name": "test.csv", "bill_from": None, **options}
        )

    def upload(self, content, name="list.csv", **vals):
        """An import as the form makes it."""
        return self.env["isp.import"].create(
            {"file": base64.b64encode(content), "file_name": name, **vals}
        )

    def find(self, reference):
        return self.env["isp.subscription"].search([("external_ref", "=", reference)])

    def reasons(self, record):
        """``{line: reason}`` of the rejected rows."""
        return {
            row.number: row.details
            for row in record.row_ids.filtered(lambda r: r.kind == "rejected")
        }

    def assertCounts(self, record, new=0, changed=0, unchanged=0, rejected=0):
        self.assertEqual(
            (record.new_count, record.changed_count, record.unchanged_count, record.rejected_count),
            (new, changed, unchanged, rejected),
            self.reasons(record),
        )
