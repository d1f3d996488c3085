from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .document_common import DocumentCase


@tagged("post_install", "-at_install")
class TestDocumentTemplates(DocumentCase):
    """Templates that an operator copies and edits."""

    def test_a_wrong_template_is_refused_with_its_line(self):
        template = self.env.ref("isp_billing.isp_document_template_bill")
        self.assertIn("A4 bill", template.source)
        with self.assertRaisesRegex(ValidationError, "line 2: unknown variable: wrong"):
            template.source = "= Bill\n#wrong"
        with self.assertRaisesRegex(ValidationError, "neither files nor packages"):
            template.source = '#read("/etc/passwd")'

    def test_an_edited_copy_on_top_prints_until_it_is_restored(self):
        shipped = self.env.ref("isp_billing.isp_document_template_bill")
        own = shipped.copy()
        self.assertEqual(own.company_id, self.company)
        own.write({"source": "#bill.number of my own design", "sequence": 1})
        bill = self.bill_of("2027-03-01")
        self.assertIn("of my own design", self.print_text(bill))
        self.assertTrue(own.is_edited)
        own.action_restore()
        self.assertFalse(own.is_edited)
        self.assertIn("Your account", self.print_text(bill))
        # The text that is shipped is not kept twice.
        own.source = shipped.source
        self.assertFalse(own.own_source)

    def test_only_managers_change_templates(self):
        template = self.env.ref("isp_billing.isp_document_template_bill")
        with self.assertRaises(AccessError):
            template.with_user(self.create_user("accountant")).write({"sequence": 3})
        template.with_user(self.create_user("manager")).write({"sequence": 3})

    def test_a_company_does_not_see_the_templates_of_another(self):
        company = self.env["res.company"].create({"name": "Other Net"})
        template = self.env.ref("isp_billing.isp_document_template_bill")
        other = template.copy({"company_id": company.id})
        manager = self.create_user("manager")
        self.env.invalidate_all()
        templates = self.env["isp.document.template"].with_user(manager)
        found = templates.with_context(allowed_company_ids=self.company.ids).search([])
        self.assertIn(template, found)
        self.assertNotIn(other, found)
        self.assertNotEqual(self.env["isp.document.template"]._get_for("bill", self.company), other)

    def test_a_template_fails_with_words_when_it_meets_a_bill_it_cannot_set(self):
        template = self.env.ref("isp_billing.isp_document_template_bill").copy()
        template.write({"source": "#assert(bill.number.len() < 15)\nok", "sequence": 1})
        bill = self.bill_of("2027-03-01")
        bill.name = "INV/2027/A-VERY-LONG-NUMBER"
        with self.assertRaisesRegex(UserError, "line 1: assertion failed"):
            bill._render_documents()

    def test_preview_of_a_sample_and_of_a_bill(self):
        template = self.env.ref("isp_billing.isp_document_template_bill")
        preview = self.env["isp.document.preview"].create(
            {"template_id": template.id, "language": "bn"}
        )
        self.assertTrue(preview.image)
        sample = preview.image
        bill = self.bill_of("2027-03-01")
        preview.move_id = bill
        self.assertNotEqual(preview.image, sample)
        self.assertTrue(preview.action_open_pdf()["url"])

    def test_the_last_template_of_a_kind_stays(self):
        with self.assertRaises(UserError):
            self.env.ref("isp_billing.isp_document_template_vat").unlink()
