from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .export_common import ExportCase
from .request_common import AUDITOR, OFFICER

MATRIX = {
    "privacy.export": {OFFICER: "read", AUDITOR: "read"},
    "privacy.export.part": {OFFICER: "read", AUDITOR: "read"},
    "privacy.export.import": {OFFICER: "read write create unlink"},
}
ROLES = (OFFICER, AUDITOR, "base.group_user", "base.group_portal", "base.group_public")


@tagged("post_install", "-at_install")
class TestExportAccess(ExportCase):
    """Who sees packages, and that nobody of the staff can open one."""

    def test_matrix(self):
        for number, role in enumerate(ROLES):
            user = self.create_user(f"privacy_role_{number}", role)
            for model, roles in MATRIX.items():
                allowed = roles.get(role, "").split()
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(model=model, role=role, operation=operation):
                        may = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(may, operation in allowed)

    def test_companies_do_not_see_each_other(self):
        company = self.env["res.company"].create(
            {"name": "Meghna Net", "country_id": self.env.ref("base.bd").id}
        )
        stranger = self.create_user("privacy_stranger", OFFICER, company=company)
        export = self.make()
        for record in (export, export.part_ids):
            self.assertTrue(record)
            foreign = record.with_user(stranger).with_context(allowed_company_ids=company.ids)
            self.assertFalse(foreign.search([("id", "in", record.ids)]))
            own = record.with_user(self.nasrin)
            self.assertEqual(own.search([("id", "in", record.ids)]), record)

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_officers_cannot_open_a_package(self):
        export = self.make().with_user(self.nasrin)
        for name in ("token_hash", "file_key", "file_key_enc"):
            with self.assertRaises(AccessError):
                export.read([name])
        with self.assertRaises(AccessError):
            export._issue_link()
        with self.assertRaises(AccessError):
            export._fetch()
        with self.assertRaises(AccessError):
            export.action_reveal("file_key")

    def test_screens(self):
        export = self.make().with_user(self.nasrin)
        self.assertEqual(Form(export).progress, 100)
        form = Form(export.request_id)
        self.assertEqual(form.state, "done")
        views = [(False, kind) for kind in ("list", "form", "search")]
        views = self.env["privacy.export"].with_user(self.nasrin).get_views(views)
        self.assertIn("download_count", views["models"]["privacy.export"]["fields"])
        action = self.env.ref("isp_privacy.privacy_export_action")
        self.assertEqual(action.path, "privacy-packages")
