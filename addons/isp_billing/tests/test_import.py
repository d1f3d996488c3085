import base64
import csv
import io
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import isp_import_file
from .import_common import HEADINGS, ImportCase


@tagged("post_install", "-at_install")
class TestImport(ImportCase):
    """The way of a file: upload, columns, check, import, result."""

    def run_jobs(self, record):
        """Do the queued jobs of an import, one after the other."""
        for _step in range(50):
            if record.state != "running":
                return
            record._job_import()
        self.fail("The import never ends")

    def import_file(self, content, **vals):
        record = self.upload(content, **vals)
        record.action_check()
        record.action_import()
        self.run_jobs(record)
        return record

    def rejected(self, record):
        """The downloadable file as a list of rows."""
        text = base64.b64decode(record.rejected_file).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text)))

    # === UPLOAD AND COLUMNS === #

    def test_uploading_proposes_the_columns(self):
        record = self.upload("গ্রাহকের নাম,Mobile No,Package,Foo\nরহিম,01711000099,x,y\n".encode())
        self.assertTrue(record.has_file)
        self.assertEqual(
            [(line.source, line.target) for line in record.line_ids],
            [("গ্রাহকের নাম", "customer_name"), ("Mobile No", "phone"), ("Package", "plan"),
             ("Foo", False)],
        )  # fmt: skip
        self.assertEqual(record.line_ids.mapped("sample"), ["রহিম", "01711000099", "x", "y"])

    def test_a_file_with_the_same_headings_finds_its_mapping_again(self):
        first = self.upload(b"Name,Cell,Foo\nA,1,2\n", name="march.csv")
        self.assertEqual(first.mapping_id.name, "march")
        first.line_ids.filtered(lambda line: line.source == "Foo").target = "note"
        first.mapping_id.name = "Old panel"
        second = self.upload(b"NAME,Foo,Cell\nA,1,2\n", name="april.csv")
        self.assertEqual(second.mapping_id, first.mapping_id)
        self.assertNotEqual(
            self.upload(b"Name,Other\nA,1\n", "march.csv").mapping_id, first.mapping_id
        )

    def test_the_form_leads_through(self):
        form = Form(self.env["isp.import"])
        form.file = base64.b64encode(self.csv({"Id": "S1"}))
        record = form.save()
        record.action_read_file()
        with Form(record) as form:
            self.assertEqual(form.state, "draft")
            form.bill_from = "2027-03-01"
        record.action_check()
        self.assertEqual(record.state, "checked")
        with Form(record) as form:
            form.bill_from = "2027-04-01"
        self.assertEqual(record.state, "draft", "A check made with other options no longer holds")

    def test_what_is_no_table_is_refused_at_once(self):
        cases = [
            (b"", "Choose a file|empty"),
            (b"\n\n", "empty"),
            (b"Name,Phone\n", "empty"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no table"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
            (b"PK\x03\x04broken", "damaged"),
            (b"Name,Phone,name\na,b,c\n", "same heading “name”"),
            (b"Name,,Phone\na,b,c\n", "Column 2 has no heading"),
            (b'Name\n"a\n', "quotation mark"),
        ]
        for content, words in cases:
            with self.subTest(content=content), self.assertRaisesRegex(UserError, words):
                self.upload(content).action_read_file()

    def test_a_mapping_that_does_not_fit_is_refused(self):
        record = self.upload(b"Foo,Bar\na,b\n")
        with self.assertRaisesRegex(UserError, "customer's name"):
            record.action_check()
        record.mapping_id = self.mapping
        with self.assertRaisesRegex(UserError, "no column “Name”"):
            record.action_check()

    def test_translations_of_values_are_checked(self):
        line = self.mapping.line_ids[0]
        with self.assertRaisesRegex(ValidationError, "Yes=terminated"):
            line.value_map = "Yes terminated"

    def test_two_columns_cannot_mean_the_same(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self.mapping.line_ids[1].target = "customer_name"
            self.env.flush_all()

    # === CHECK === #

    def test_a_check_tells_everything_and_does_nothing(self):
        self.run_rows({"Id": "same"}, {"Id": "other", "City": "Mirpur"})
        record = self.upload(
            self.csv(
                {"Id": "new", "Status": "suspended"}, {"Id": "same"},
                {"Id": "other", "City": "Uttara"}, {"Id": "bad", "Phone": "1"},
                {"Id": "plan", "Plan": "Giga"},
            )
        )  # fmt: skip
        record.write({"mapping_id": self.mapping.id, "create_plans": True})
        tables = ("res_partner", "isp_subscription", "isp_subscription_event", "isp_plan")

        def contents():
            self.env.flush_all()
            counts = []
            for table in tables:
                self.env.cr.execute(f"SELECT count(*), max(write_date) FROM {table}")
                counts.append(self.env.cr.fetchone())
            return counts

        before = contents()
        record.action_check()
        self.assertEqual(contents(), before)
        self.assertEqual(record.state, "checked")
        self.assertCounts(record, new=2, changed=1, unchanged=1, rejected=1)
        self.assertEqual(
            record.summary,
            "2 would be new, 1 would change, 1 are the same already, 1 would be rejected.",
        )
        self.assertEqual(
            [(row.number, row.kind, row.details) for row in record.row_ids],
            [
                (2, "new", "Home 20, suspended"),
                (3, "unchanged", ""),
                (4, "changed", "City: Uttara"),
                (5, "rejected", "“1” is no valid phone number."),
                (6, "new", "Giga, active"),
            ],
        )
        self.assertIn("Plan “Giga” would be created", record.warnings)
        record.action_check()
        self.assertEqual(len(record.row_ids), 5)

    def test_the_import_does_what_the_check_said(self):
        self.run_rows({"Id": "other", "City": "Mirpur"})
        record = self.upload(
            self.csv({"Id": "new"}, {"Id": "other", "City": "Uttara"}, {"Id": "bad", "Phone": "1"})
        )
        record.mapping_id = self.mapping
        record.action_check()
        said = [record[name] for name in ("new_count", "changed_count", "rejected_count")]
        record.action_import()
        self.run_jobs(record)
        done = [record[name] for name in ("new_count", "changed_count", "rejected_count")]
        self.assertEqual(done, said)
        self.assertEqual(record.progress, 100.0)
        self.assertEqual(self.find("other").partner_id.city, "Uttara")

    # === JOBS === #

    def test_the_import_runs_in_the_background_step_by_step(self):
        record = self.upload(self.csv({"Id": "S1"}), mapping_id=self.mapping.id)
        with self.assertRaisesRegex(UserError, "Check"):
            record.action_import()
        record.action_check()
        with trap_jobs() as trap:
            record.action_import()
            trap.assert_jobs_count(1, only=record._job_import)
        self.assertEqual(record.state, "running")
        self.assertFalse(self.find("S1"))
        function = self.env.ref("isp_billing.queue_job_function_import")
        self.assertEqual(function.channel, "root.import")

    def test_an_import_that_was_killed_goes_on_where_it_stopped(self):
        rows = [{"Id": f"S{number}", "Phone": f"0171100{number:04}"} for number in range(10)]
        with patch.object(isp_import_file, "BATCH_SIZE", 3):
            record = self.upload(self.csv(*rows, {"Id": "bad", "Phone": "1"}))
            record.action_check()
            record.action_import()
            record._job_import()
            record._job_import()
            self.assertCounts(record, new=3)

            class Killed(Exception):
                pass

            # After the rows of the second batch were written, before its end.
            tally = patch.object(type(record), "_tally", side_effect=Killed)
            with tally, self.assertRaises(Killed), self.cr.savepoint():
                record._job_import()
            self.env.invalidate_all()
            self.assertCounts(record, new=3)
            self.assertEqual(
                self.env["isp.subscription"].search_count([("import_id", "=", record.id)]), 3
            )
            record.action_import()  # Resume
            self.run_jobs(record)
        self.assertCounts(record, new=10, rejected=1)
        self.assertEqual(record.processed_count, record.total_count)
        subscriptions = self.env["isp.subscription"].search([("import_id", "=", record.id)])
        self.assertEqual(
            sorted(subscriptions.mapped("external_ref")), sorted(row["Id"] for row in rows)
        )
        self.assertEqual(len(subscriptions.partner_id), 10)

    def test_duplicates_are_found_across_batches(self):
        rows = [{"Id": f"S{number}"} for number in range(7)] + [{"Id": "S0"}]
        with patch.object(isp_import_file, "BATCH_SIZE", 2):
            record = self.import_file(self.csv(*rows))
        self.assertCounts(record, new=7, rejected=1)
        self.assertIn("Line 2 of the file", self.reasons(record)[9])

    def test_a_begun_import_is_not_changed_or_deleted(self):
        record = self.upload(self.csv({"Id": "S1"}))
        record.action_check()
        record.action_import()
        for vals in (
            {"bill_from": "2027-01-01"},
            {"mapping_id": self.mapping.id},
            {"file": b"QQ=="},
        ):
            with self.assertRaisesRegex(UserError, "has begun"):
                record.write(vals)
        with self.assertRaisesRegex(UserError, "running import"):
            record.unlink()
        self.run_jobs(record)
        self.assertEqual(record.state, "done")
        record.action_import()
        self.assertCounts(record, new=1)

    def test_workbooks_are_imported_like_csv(self):
        row = {"Name": "Rahim", "Id": 1001, "Phone": 8801711000099, "Plan": "Home 20"}
        content = self.xlsx(HEADINGS, [row.get(name) for name in HEADINGS])
        self.assertCounts(self.import_file(content, name="list.xlsx"), new=1)
        self.assertEqual(self.find("1001").partner_id.phone_sanitized, "+8801711000099")

    def test_a_customer_with_the_same_file_twice_is_told_that_nothing_changed(self):
        content = self.csv({"Id": "S1"}, {"Id": "S2"})
        self.import_file(content)
        record = self.import_file(content)
        self.assertCounts(record, unchanged=2)
        self.assertIn("Nothing changed: all 2 rows", record.summary)
        self.assertIn("Nothing changed", record.message_ids[0].body)

    # === REJECTED FILE === #

    def test_rejected_rows_come_back_as_a_file_that_can_be_imported(self):
        record = self.import_file(
            self.csv(
                {"Id": "S1"},
                {"Name": "=HYPERLINK(1)", "Id": "S2", "Phone": "12", "Note": "@home", "City": "-"},
                {"Id": "S3", "Price": "-5", "Password": "geheim-8", "Note": "+1+1"},
            ),
            name="march.csv",
        )
        self.assertEqual(record.rejected_file_name, "march-rejected.csv")
        header, second, third = self.rejected(record)
        self.assertEqual(header, [*HEADINGS, "Line", "Reason"])
        second, third = (dict(zip(header, cells, strict=True)) for cells in (second, third))
        self.assertEqual(second["Name"], "'=HYPERLINK(1)")
        self.assertEqual(second["Note"], "'@home")
        self.assertEqual(third["Note"], "'+1+1")
        self.assertEqual(third["Price"], "-5")
        self.assertEqual((second["Line"], third["Line"]), ("3", "4"))
        self.assertIn("no valid phone", second["Reason"])
        self.assertEqual(third["Password"], "", "A password must not come back in clear")
        corrected = base64.b64decode(record.rejected_file).decode("utf-8-sig")
        corrected = corrected.replace(",12,", ",01711000012,").replace(",-5,", ",5,")
        again = self.import_file(corrected.encode())
        self.assertCounts(again, new=2)
        self.assertEqual(self.find("S2").partner_id.name, "=HYPERLINK(1)")

    def test_without_rejected_rows_there_is_no_file(self):
        self.assertFalse(self.import_file(self.csv({"Id": "S1"})).rejected_file)

    # === SECRETS === #

    def stored_bytes(self, record):
        """Everything that is stored about an import: columns, rows, messages, attachments."""
        self.env.flush_all()
        pieces = []
        for table, column in (
            ("isp_import", "id"), ("isp_import_row", "import_id"), ("mail_message", "res_id"),
        ):  # fmt: skip
            self.env.cr.execute(f"SELECT * FROM {table} WHERE {column} = %s", [record.id])
            pieces += [repr(row).encode() for row in self.env.cr.fetchall()]
        attachments = self.env["ir.attachment"].sudo().search(
            [("res_model", "=", "isp.import"), ("res_id", "=", record.id),
             ("res_field", "!=", False)]
        )  # fmt: skip
        pieces += [attachment.raw for attachment in attachments]
        self.env.cr.execute("SELECT args, kwargs, result FROM queue_job")
        pieces += [repr(row).encode() for row in self.env.cr.fetchall()]
        return b"\n".join(pieces), attachments

    def test_the_uploaded_file_is_never_stored_in_clear_and_deleted_at_the_end(self):
        secret = b"geheim-8-geheim"
        record = self.upload(
            self.csv({"Id": "S1", "Password": secret.decode()}, {"Id": "S2", "Phone": "1",
                      "Password": secret.decode()}),
            mapping_id=self.mapping.id,
        )  # fmt: skip
        for step in ("uploaded", "checked", "prepared"):
            content, attachments = self.stored_bytes(record)
            self.assertNotIn(secret, content, step)
            self.assertNotIn(base64.b64encode(secret)[:-4], content, step)
            self.assertTrue(attachments)
            if step == "uploaded":
                record.action_check()
            elif step == "checked":
                record.action_import()
                record._job_import()
        self.run_jobs(record)
        content, attachments = self.stored_bytes(record)
        self.assertNotIn(secret, content)
        self.assertEqual(attachments.mapped("res_field"), ["rejected_file"])
        self.assertFalse(record.has_file)
        self.assertFalse(record.sudo().sealed_file or record.sudo().sealed_rows)
        self.assertEqual(self.find("S1").password, secret.decode())
        self.assertFalse(record.file, "The file is never handed out again")

    def test_the_sample_of_a_password_column_is_masked(self):
        record = self.upload(b"Name,Password\nA,geheim-8\n")
        self.assertEqual(record.line_ids.mapped("sample"), ["A", "••••"])

    def test_old_imports_forget_their_rows(self):
        record = self.import_file(self.csv({"Id": "S1", "Phone": "1"}))
        waiting = self.upload(self.csv({"Id": "S2"}))
        self.env.flush_all()
        self.env.cr.execute("UPDATE isp_import SET write_date = '2026-01-01'")
        self.env.invalidate_all()
        self.env["isp.import"]._gc_personal_data()
        self.assertFalse(record.row_ids)
        self.assertFalse(record.rejected_file)
        self.assertFalse(waiting.has_file)
        self.assertFalse(waiting.sudo().sealed_file)

    def test_choosing_another_file_deletes_the_first(self):
        record = self.upload(self.csv({"Id": "S1"}))
        record.action_check()
        record.action_remove_file()
        self.assertFalse(record.sudo().sealed_file)
        record.write({"file": base64.b64encode(self.csv({"Id": "S2"})), "file_name": "b.csv"})
        record.action_check()
        self.assertCounts(record, new=1)

    # === THE SHIPPED SAMPLE === #

    def test_the_sample_provider_is_imported_without_a_rejected_row(self):
        path = self.env["isp.import"]._get_sample_path()
        record = self.env["isp.import"]._run_file(path, "sample provider", create_plans=True)
        self.assertCounts(record, new=200)
        self.assertCounts(self.env["isp.import"]._run_file(path, "Sample provider"), unchanged=200)
        with open(path, "rb") as file:
            self.assertCounts(
                self.env["isp.import"]._run_file(file.read(), "Sample provider"), unchanged=200
            )
