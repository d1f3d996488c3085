import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .import_common import ImportCase

MODELS = ("isp.import", "isp.import.row", "isp.import.mapping", "isp.import.mapping.line")


@tagged("post_install", "-at_install")
class TestImportRights(ImportCase):
    def test_a_clerk_imports(self):
        clerk = self.create_user("clerk")
        content = self.csv({"Id": "S1", "Password": "geheim-8"})
        record = (
            self.env["isp.import"]
            .with_user(clerk)
            .create({"file": base64.b64encode(content), "file_name": "list.csv"})
        )
        record.action_check()
        record.action_import()
        while record.state == "running":
            record._job_import()
        self.assertCounts(record, new=1)
        self.assertEqual(record.user_id, clerk)
        self.assertEqual(self.find("S1").create_uid, clerk)
        event = self.find("S1").event_ids.filtered(lambda e: e.event_type == "import")
        self.assertEqual(event.user_id, clerk)

    def test_a_clerk_gets_rejected_rows_back_from_the_screen(self):
        clerk = self.create_user("clerk")
        # As the web client saves a new form: with an empty list of mapping lines.
        record = (
            self.env["isp.import"]
            .with_user(clerk)
            .create(
                {
                    "file": base64.b64encode(self.csv({"Id": "S1"}, {"Id": "S2", "Email": "x@"})),
                    "file_name": "list.csv",
                    "mapping_id": self.mapping.id,
                    "line_ids": [],
                }
            )
        )
        self.assertTrue(self.mapping.line_ids, "the mapping keeps its columns")
        record.action_check()
        self.assertCounts(record, new=1, rejected=1)
        record.action_import()
        while record.state == "running":
            record._job_import()
        self.assertCounts(record, new=1, rejected=1)
        self.assertIn(b"x@", base64.b64decode(record.rejected_file))

    def test_a_clerk_uploads_and_changes_known_subscriptions(self):
        clerk = self.create_user("clerk")
        model = self.env["isp.import"].with_user(clerk)
        rows = {"Id": "S1", "Phone": "01711000099", "City": "Mirpur", "Price": "900"}
        model._run_file(self.csv(rows), "Test")
        record = model._run_file(
            self.csv({**rows, "City": "Uttara", "Price": "950", "Status": "suspended"}), "Test"
        )
        self.assertCounts(record, changed=1)
        self.assertEqual(self.find("S1").state, "suspended")

    def test_plans_are_created_by_managers_only(self):
        content = self.csv({"Id": "S1", "Plan": "Giga"})
        clerk, manager = self.create_user("clerk"), self.create_user("manager")
        with self.assertRaisesRegex(UserError, "Only managers"):
            self.env["isp.import"].with_user(clerk)._run_file(content, "Test", create_plans=True)
        record = (
            self.env["isp.import"].with_user(manager)._run_file(content, "Test", create_plans=True)
        )
        self.assertCounts(record, new=1)

    def test_support_and_network_do_not_import(self):
        for role in ("support", "network"):
            user = self.create_user(role)
            for model in MODELS:
                with self.subTest(role=role, model=model):
                    self.assertFalse(self.env[model].with_user(user).has_access("read"))
                    self.assertFalse(self.env[model].with_user(user).has_access("create"))
            with self.assertRaises(AccessError):
                self.env["isp.import"].with_user(user)._run_file(self.csv({"Id": "S1"}), "Test")

    def test_the_menu_is_for_clerks(self):
        menu = self.env.ref("isp_billing.menu_isp_import")
        self.assertIn(
            menu.id, self.env["ir.ui.menu"].with_user(self.create_user("clerk"))._visible_menu_ids()
        )
        self.assertNotIn(
            menu.id,
            self.env["ir.ui.menu"].with_user(self.create_user("support"))._visible_menu_ids(),
        )

    def test_nobody_imports_into_a_company_that_is_not_theirs(self):
        other = self.env["res.company"].create({"name": "Branch"})
        clerk = self.create_user("clerk")
        model = self.env["isp.import"].with_user(clerk)
        with self.assertRaises(AccessError):
            model.create({"company_id": other.id})
        with self.assertRaises(AccessError):
            model.with_company(other)._run_file(self.csv({"Id": "S1"}))
        record = model.create({})
        with self.assertRaises(AccessError):
            record.company_id = other

    def test_companies_do_not_see_each_others_imports(self):
        self.run_rows({"Id": "S1", "Phone": "1"})
        other = self.env["res.company"].create({"name": "Branch"})
        stranger = new_test_user(
            self.env, "stranger", groups="base.group_user,isp_base.group_isp_manager",
            company_id=other.id, company_ids=[(6, 0, other.ids)],
        )  # fmt: skip
        for model in MODELS:
            self.assertTrue(self.env[model].search_count([]), model)
            self.assertFalse(
                self.env[model].with_user(stranger).search_count(
                    [("company_id", "=", self.company.id)]
                ),
                model,
            )  # fmt: skip

    def test_the_same_id_in_another_company_is_another_subscription(self):
        other = self.env["res.company"].create(
            {"name": "Branch", "country_id": self.company.country_id.id}
        )
        self.env["isp.plan"].create({"name": "Home 20", "company_id": other.id, "price": 7})
        self.mapping.copy({"company_id": other.id})
        content = self.csv({"Customer id": "K1", "Id": "S1", "Phone": "01711000099"})
        model = self.env["isp.import"]
        model._run_file(content, "Test")
        branch = model.with_company(other)._run_file(content, "Test", company=other)
        self.assertCounts(branch, new=1)
        both = self.find("S1")
        self.assertEqual(both.company_id, self.company | other)
        self.assertEqual(len(both.partner_id), 2)

    def test_sealed_columns_are_closed_to_users(self):
        record = self.upload(self.csv({"Id": "S1"}))
        manager = self.create_user("manager")
        for name in ("sealed_file", "sealed_rows", "sealed_samples"):
            with self.assertRaises(AccessError):
                record.with_user(manager).read([name])
        self.assertFalse(record.with_user(manager).read(["file"])[0]["file"])
