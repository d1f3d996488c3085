from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.isp_base.tests.promises import proves


@tagged("post_install", "-at_install")
class TestMapScreens(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.auditor = new_test_user(
            cls.env,
            "map_auditor",
            groups="isp_privacy.group_privacy_auditor,base.group_allow_export",
        )
        cls.officer = new_test_user(
            cls.env, "map_officer", groups="isp_privacy.group_privacy_officer"
        )
        cls.clerk = new_test_user(cls.env, "map_clerk", groups="base.group_user")
        cls.Entry = cls.env["privacy.map.entry"]
        cls.Purpose = cls.env["privacy.purpose"]

    def entry(self, model, field):
        return self.Entry.search([("model_name", "=", model), ("field_name", "=", field)])

    # === THE MAP === #

    def test_the_list_shows_what_is_declared(self):
        phone = self.entry("res.partner", "phone")
        self.assertEqual(len(phone), 1)
        self.assertEqual((phone.status, phone.category), ("mapped", "contact"))
        self.assertEqual((phone.purpose_id.code, phone.lawful_basis), ("service", "contract"))
        self.assertEqual((phone.erasure, phone.export_name), ("null", "phone"))
        self.assertEqual(phone.id, self.env["ir.model.fields"]._get("res.partner", "phone").id)
        self.assertEqual(self.entry("res.users", "password").status, "mapped")
        free = self.entry("ir.sequence", "prefix")
        self.assertEqual(free.status, "free")
        self.assertTrue(free.reason)

    def test_an_auditor_reads_groups_and_exports_it(self):
        entries = self.Entry.with_user(self.auditor)
        found = entries.web_search_read(
            [("status", "=", "mapped")],
            {"model_id": {"fields": {"display_name": {}}}, "purpose_id": {}, "reason": {}},
            limit=5,
        )
        self.assertEqual(len(found["records"]), 5)
        for groupby in ("model_id", "category", "purpose_id", "lawful_basis", "erasure"):
            with self.subTest(groupby):
                groups = entries.formatted_read_group([], [groupby], ["__count"])
                self.assertGreater(len(groups), 2)
        phone = self.entry("res.partner", "phone").with_user(self.auditor)
        rows = phone.export_data(["model_name", "field_name", "category", "purpose_id"])["datas"]
        self.assertEqual(
            rows, [["res.partner", "phone", "Contact details", "Providing the service"]]
        )

    def test_nobody_else_reads_it_and_nobody_writes_it(self):
        with self.assertRaises(AccessError):
            self.Entry.with_user(self.clerk).search([], limit=1)
        with self.assertRaises(AccessError):
            self.entry("res.partner", "phone").with_user(self.officer).write({"reason": "x"})

    # === PURPOSES === #

    def test_categories_and_retention_are_read_from_the_map(self):
        books = self.Purpose.search([("code", "=", "books")])
        self.assertIn("Name and identity", books.data_categories)
        self.assertFalse(books.other_bases)
        self.assertTrue(books.entry_count)
        marketing = self.Purpose.search([("code", "=", "marketing")])
        self.assertEqual((marketing.entry_count, marketing.data_categories), (0, ""))

    def test_the_lawful_basis_that_the_operator_chose_is_that_of_the_fields(self):
        service = self.Purpose.search([("code", "=", "service")])
        self.assertEqual(self.entry("res.partner", "phone").lawful_basis, "contract")
        service.lawful_basis = "consent"
        self.assertEqual(self.entry("res.partner", "phone").lawful_basis, "consent")

    def test_a_purpose_that_the_map_uses_keeps_its_code(self):
        service = self.Purpose.search([("code", "=", "service")])
        with self.assertRaisesRegex(UserError, "data map uses Providing the service"):
            service.code = "other"
        with self.assertRaisesRegex(UserError, "data map uses Providing the service"):
            service.unlink()
        service.active = False
        self.assertEqual(self.entry("res.partner", "phone").purpose_id, service)

    def test_an_operator_adds_and_removes_a_purpose_of_its_own(self):
        Purpose = self.Purpose.with_user(self.officer)
        own = Purpose.create(
            {"code": "cable_tv", "name": "Cable television", "lawful_basis": "contract"}
        )
        self.assertEqual(self.Entry._get_map().purposes["cable_tv"], "contract")
        own.code = "tv"
        self.assertIn("tv", self.Entry._get_map().purposes)
        own.unlink()
        self.assertNotIn("tv", self.Entry._get_map().purposes)
        with self.assertRaises(AccessError):
            self.Purpose.with_user(self.auditor).create(
                {"code": "x", "name": "x", "lawful_basis": "contract"}
            )

    @proves("P-54")
    def test_the_printed_record_shows_both_roles(self):
        """P-54."""
        purposes = self.Purpose.with_user(self.auditor).search(
            [("code", "in", ("service", "staff"))]
        )
        purposes.sudo().filtered(lambda p: p.code == "service").country_ids = [
            Command.link(self.env.ref("base.bd").id)
        ]
        html, kind = (
            self.env["ir.actions.report"]
            .with_user(self.auditor)
            ._render_qweb_html("isp_privacy.report_processing", purposes.ids)
        )
        text = " ".join(html.decode().split())
        self.assertEqual(kind, "html")
        for words in (
            "Providing the service",
            "Name and identity",
            "Bangladesh",
            "Platform: <span>Processor</span>",
            "Platform: <span>Controller</span>",
            self.env.company.name,
        ):
            self.assertIn(words, text)

    # === RECORDS OF A PERSON === #

    def test_the_records_of_a_person_are_found(self):
        partner, other = self.env["res.partner"].create(
            [
                {"name": "Karim", "email": "karim@example.com", "phone": "+8801711111111"},
                {"name": "Rahim", "email": "rahim@example.com"},
            ]
        )
        bank = self.env["res.partner.bank"].create({"acc_number": "1234", "partner_id": partner.id})
        blacklisted = self.env["mail.blacklist"].create([{"email": "karim@example.com"}])
        message = partner.message_post(body="Hello")
        notification = self.env["mail.notification"].create(
            {"mail_message_id": message.id, "res_partner_id": other.id}
        )
        of_bank, photo, foreign = self.env["ir.attachment"].create(
            [
                {"name": "card", "res_model": "res.partner.bank", "res_id": bank.id},
                {
                    "name": "photo",
                    "res_model": "res.partner",
                    "res_id": partner.id,
                    "res_field": "image_1920",
                },
                {"name": "other", "res_model": "res.partner", "res_id": other.id},
            ]
        )
        cases = [
            ("res.partner", partner),
            ("res.partner.bank", bank),
            ("mail.blacklist", blacklisted),
        ]
        for model, records in cases:
            with self.subTest(model):
                self.assertEqual(self.Entry._get_records(partner, model), records)
        self.assertIn(message, self.Entry._get_records(partner, "mail.message"))
        self.assertNotIn(message, self.Entry._get_records(other, "mail.message"))
        attachments = self.Entry._get_records(partner, "ir.attachment")
        self.assertIn(of_bank, attachments)
        self.assertIn(photo, attachments)
        self.assertIn(notification, self.Entry._get_records(partner, "mail.notification"))
        self.assertNotIn(foreign, attachments)

    def test_an_empty_value_is_nobodys(self):
        partner = self.env["res.partner"].create({"name": "Without mail"})
        self.assertFalse(self.Entry._get_records(partner, "mail.blacklist"))
