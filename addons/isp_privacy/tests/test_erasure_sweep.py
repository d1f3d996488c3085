import base64
import gzip
import io
import json
import zipfile
import zlib

from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from odoo.addons.isp_base.tests.promises import proves

from .. import sweep
from ..engine.identifiers import Identifier, Patterns
from .erasure_common import END, ErasureCase

NAME = "Zwillich Ranvikson"


@tagged("post_install", "-at_install")
class TestSweep(TransactionCase):
    """Whatever the ORM knows of, and whatever it does not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.patterns = Patterns([Identifier("name", NAME.casefold())])

    def plant(self, column, value, schema="public"):
        """Make a table that no model knows, with a value in it; return what is found."""
        self.env.cr.execute(SQL("CREATE SCHEMA IF NOT EXISTS %s", SQL.identifier(schema)))
        table = SQL("%s.%s", SQL.identifier(schema), SQL.identifier("privacy_planted"))
        self.env.cr.execute(SQL("DROP TABLE IF EXISTS %s", table))
        self.env.cr.execute(SQL(f"CREATE TABLE %s (id int, x {column})", table))
        self.env.cr.execute(SQL("INSERT INTO %s VALUES (7, %s), (8, NULL)", table, value))
        return [
            (f.schema, f.table, f.column, f.count, f.rows)
            for f in sweep.search_database(self.env.cr, self.patterns)
        ]

    def test_every_kind_of_column_of_every_schema(self):
        text = f"Dear {NAME}, welcome"
        cases = [
            ("text", text),
            ("varchar", text.upper()),
            ("jsonb", json.dumps({"a": [text]})),
            ("json", json.dumps({"a": "x\n" + text})),
            ("text[]", ["x", text]),
            ("bytea", text.encode()),
            ("bytea", base64.b64encode(text.encode())),
            ("bytea", gzip.compress(text.encode())),
            ("bytea", _zip(text)),
            ("bytea", b"%PDF-1.7\nstream\n" + zlib.compress(text.encode()) + b"\nendstream"),
        ]
        for column, value in cases:
            for schema in ("public", "planted_schema"):
                with self.subTest(column=column, schema=schema, value=value):
                    self.assertEqual(
                        self.plant(column, value, schema)[-1:],
                        [(schema, "privacy_planted", "x", 1, (7,))],
                    )
                    self.env.cr.execute(
                        SQL("DROP TABLE %s.privacy_planted", SQL.identifier(schema))
                    )

    def test_nothing_is_found_where_nothing_is(self):
        self.assertEqual(self.plant("text", "Dear Zwillich Ranviksons"), [])

    def test_partitions_are_read_once(self):
        self.env.cr.execute(
            "CREATE TABLE privacy_planted (id int, x text) PARTITION BY RANGE (id);"
            "CREATE TABLE privacy_planted_1 PARTITION OF privacy_planted FOR VALUES FROM (0) TO (9)"
        )
        self.env.cr.execute("INSERT INTO privacy_planted VALUES (7, %s)", [NAME])
        found = sweep.search_database(self.env.cr, self.patterns)
        self.assertEqual([(f.table, f.count) for f in found], [("privacy_planted", 1)])

    def test_files_are_searched_as_well(self):
        attachment = self.env["ir.attachment"].create({"name": "x", "raw": _zip(NAME)})
        folder = attachment._filestore()
        names = [attachment.store_fname, "00/gone"]
        self.assertEqual(sweep.search_files(folder, names, self.patterns), [attachment.store_fname])


def _zip(text):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sheet.xml", text)
    return stream.getvalue()


@tagged("post_install", "-at_install")
class TestErasureSweep(ErasureCase):
    """P-37: what is left is explained, or the request does not close."""

    @proves("P-37")
    def test_a_planted_leftover_keeps_the_request_open(self):
        """P-37."""
        leftover = self.env["ir.sequence"].create({"name": "Bills of Karim Ranvikson"})
        request = self.begin()
        run = self.go_on(request)
        self.assertEqual((request.state, run.state), ("failed", "failed"))
        finding = run.finding_ids
        self.assertEqual(
            (finding.table_name, finding.column_name, finding.row_count, finding.is_explained),
            ("ir_sequence", "name", 1, False),
        )
        self.assertEqual(finding.rows, str(leftover.id))
        self.assertIn("in 1 places", run.problem)
        self.assertFalse(self.activities_of(request, "clock"))
        self.assertTrue(self.activities_of(request, "task"))
        leftover.name = "Bills"
        with self.at(END):
            request.with_user(self.farid).action_proceed()
            self.run_job("privacy_erasure_cron_work")
        self.assertEqual((request.state, run.state), ("done", "done"), self.left(run))
        self.assertFalse(run.finding_ids)

    def test_a_leftover_in_a_file_keeps_the_request_open(self):
        self.env["ir.attachment"].create({"name": "all.zip", "raw": _zip("Karim Ranvikson, 500")})
        run = self.go_on(self.begin())
        self.assertEqual(run.state, "failed")
        self.assertEqual(run.finding_ids.mapped("column_name"), ["store_fname"])

    def test_what_the_map_keeps_is_explained(self):
        purpose = self.env["privacy.hold"].create(
            {
                "reference": "CASE-1",
                "authority": "Court",
                "company_id": self.company.id,
                "partner_id": self.rahim.id,
                "description": "Also names Karim Ranvikson",
                "date_from": "2027-01-01",
            }
        )
        run = self.erase()
        self.assertEqual(purpose.description, "Also names Karim Ranvikson")
        finding = run.finding_ids
        self.assertEqual((finding.table_name, finding.is_explained), ("privacy_hold", True))
        self.assertIn("law demands proof", finding.reason)

    def test_logs_and_queues_are_cleaned_though_nothing_leads_to_them(self):
        logging = self.env["ir.logging"].create(
            {
                "name": "x",
                "type": "server",
                "dbname": "x",
                "level": "INFO",
                "message": "Mail to karim.ranvikson@customer.example",
                "path": "x",
                "func": "x",
                "line": "1",
            }
        )
        self.erase()
        self.assertFalse(logging.exists())
