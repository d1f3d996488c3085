"""Who exports many rows says why, and it is written down."""

import html
import json
from contextlib import contextmanager

from odoo.exceptions import AccessError
from odoo.http import Request
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.common import EncryptionCase
from odoo.addons.isp_base.tests.promises import proves

from ..errors import ExportReasonNeeded
from ..models.privacy_mass_export import DEFAULT_ROWS, REASON_KEY, ROWS_PARAMETER

REASON = "List for the auditor of 2026"
LOGGER = "odoo.addons.isp_privacy.models.privacy_mass_export"


class MassExportCase(EncryptionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param(ROWS_PARAMETER, "3")
        cls.clerk = new_test_user(
            cls.env,
            "mass_clerk",
            groups="base.group_user,base.group_partner_manager,base.group_allow_export",
            password="mass_clerk-password",
        )
        cls.partners = cls.env["res.partner"].create(
            [{"name": f"Mass {number}", "email": f"m{number}@x.example"} for number in range(4)]
        )

    def written(self):
        return self.env["privacy.mass.export"].search([("user_id", "=", self.clerk.id)])

    def audited(self, action):
        return self.env["privacy.audit"].search(
            [("action", "=", action), ("actor_id", "=", self.clerk.id)]
        )


@tagged("post_install", "-at_install")
class TestMassExport(MassExportCase):
    def export(self, partners, reason=None, fields=("name", "email")):
        context = {REASON_KEY: reason} if reason is not None else {}
        records = partners.with_user(self.clerk).with_context(**context)
        with self.enter_registry_test_mode(), mute_logger(LOGGER):
            return records.export_data(list(fields))["datas"]

    @proves("P-26")
    def test_many_rows_without_a_reason_are_refused_and_it_is_written_down(self):
        for reason in (None, "", "  ", "because", " a  b  c  d "):
            with self.subTest(reason=reason), self.assertRaisesRegex(ExportReasonNeeded, "4 rows"):
                self.export(self.partners, reason)
        self.assertFalse(self.written())
        refused = self.audited("export_refused")
        self.assertEqual(len(refused), 5)
        self.assertEqual(set(refused.mapped("model")), {"res.partner"})
        self.assertEqual([set(row.changes) for row in refused], [{"name", "email"}] * 5)

    @proves("P-26")
    def test_with_a_reason_it_is_written_down_who_took_what(self):
        rows = self.export(self.partners, f"  {REASON}\n")
        self.assertEqual(len(rows), 4)
        export = self.written()
        self.assertEqual(
            (export.res_model, export.row_count, export.field_names, export.reason),
            ("res.partner", 4, "name, email", REASON),
        )
        self.assertEqual(export.model_name, "Contact")
        self.assertEqual(export.company_id, self.clerk.company_id)
        row = self.audited("mass_export")
        self.assertEqual((row.model, row.res_id), (export._name, export.id))
        self.assertIn("reason", row.changes)
        self.assertNotIn(REASON, json.dumps(row.changes))
        self.assertEqual(row.changes["reason"], row._digest(export._name, "reason", REASON))

    def test_few_rows_need_none(self):
        self.assertEqual(len(self.export(self.partners[:3])), 3)
        self.assertFalse(self.written())

    def test_lines_of_one_record_count(self):
        """All contacts of a company are as many rows, though the company is one record."""
        firm = self.env["res.partner"].create({"name": "Firm"})
        self.partners.parent_id = firm
        with self.assertRaises(ExportReasonNeeded):
            self.export(firm, fields=("name", "child_ids/name"))
        self.assertEqual(len(self.export(firm, REASON, ("name", "child_ids/name"))), 4)
        self.assertEqual(self.written().row_count, 4)

    def test_the_limit_is_a_setting(self):
        settings = Form(self.env["res.config.settings"])
        self.assertEqual(settings.privacy_mass_export_rows, 3)
        settings.privacy_mass_export_rows = 4
        settings.save().execute()
        self.assertEqual(len(self.export(self.partners)), 4)
        parameters = self.env["ir.config_parameter"]
        exports = self.env["privacy.mass.export"]
        parameters.set_param(ROWS_PARAMETER, "many")
        with mute_logger(LOGGER):
            self.assertEqual(exports._get_limit(), DEFAULT_ROWS)
        parameters.search([("key", "=", ROWS_PARAMETER)]).unlink()
        self.assertEqual(exports._get_limit(), DEFAULT_ROWS)

    def test_what_was_written_down_is_read_by_auditors_and_changed_by_nobody(self):
        self.export(self.partners, REASON)
        export = self.written()
        officer = new_test_user(
            self.env, "mass_officer", groups="isp_privacy.group_privacy_officer"
        )
        self.assertEqual(export.with_user(officer).reason, REASON)
        for forbidden in (
            lambda: export.with_user(officer).write({"reason": "Another"}),
            lambda: export.with_user(officer).unlink(),
            lambda: export.with_user(officer).create({"reason": "Made up"}),
            lambda: export.with_user(self.clerk).read(["reason"]),
        ):
            with self.assertRaises(AccessError):
                forbidden()


@tagged("post_install", "-at_install")
class TestMassExportHttp(MassExportCase, HttpCase):
    """The routes behind the export dialog of the web client."""

    @contextmanager
    def logged_in(self):
        self.authenticate("mass_clerk", "mass_clerk-password")
        with mute_logger(LOGGER):
            yield

    def fetch(self, kind, **context):
        data = {
            "model": "res.partner",
            "fields": [{"name": "name", "label": "Name", "type": "char"}],
            "ids": False,
            "domain": [("id", "in", self.partners.ids)],
            "import_compat": False,
            "context": context,
        }
        return self.url_open(
            f"/web/export/{kind}",
            data={"data": json.dumps(data), "csrf_token": Request.csrf_token(self)},
        )

    @proves("P-26")
    def test_the_client_is_told_to_ask(self):
        with self.logged_in():
            for kind in ("csv", "xlsx"):
                with self.subTest(kind=kind):
                    answer = self.fetch(kind)
                    # What the client takes for an error and not for a file.
                    self.assertTrue(answer.headers["Content-Type"].startswith("text/html"))
                    self.assertNotIn("Content-Disposition", answer.headers)
                    error = json.loads(html.unescape(answer.text))["data"]
                    self.assertEqual(
                        error["name"], "odoo.addons.isp_privacy.errors.ExportReasonNeeded"
                    )
                    self.assertIn("4 rows", error["message"])
                    self.assertFalse(error["debug"])
                    self.assertNotIn("Mass 1", answer.text)
        self.assertEqual(len(self.audited("export_refused")), 2)

    @proves("P-26")
    def test_with_a_reason_the_file_comes(self):
        with self.logged_in():
            answer = self.fetch("csv", **{REASON_KEY: REASON})
        self.assertEqual(answer.status_code, 200)
        self.assertIn("Mass 3", answer.text)
        self.assertEqual(self.written().reason, REASON)
