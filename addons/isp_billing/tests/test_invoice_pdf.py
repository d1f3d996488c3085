import io
import re
import subprocess

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfFileReader

BENGALI_NAME = "সালাম উদ্দিন"


def text_of(content):
    """Words of a PDF file, as somebody would copy them from it."""
    result = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True
    )
    return result.stdout.decode()


@tagged("post_install", "-at_install")
class TestInvoicePdf(HttpCase):
    """Printed by the wkhtmltopdf of this machine; with Debian's, isp_base cures what it lacks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The program fetches style sheets from the running server, over HTTP.
        cls.env["ir.config_parameter"].set_param("report.url", cls.base_url())
        cls.company = cls.env.company
        cls.company.write(
            {
                "name": "Padma Net Ltd.",
                "isp_bill_layout": "odoo",
                "external_report_layout_id": cls.env.ref("web.external_layout_standard").id,
                "report_footer": "<p>Trade licence 12345</p>",
                "company_details": "<p>Padma Net Ltd.<br/>12 Gulshan Avenue, Dhaka</p>",
            }
        )
        cls.plan = cls.env["isp.plan"].create(
            {"name": "Home 20", "price": 1000, "tax_ids": [Command.clear()]}
        )
        cls.invoices = cls.bill(BENGALI_NAME) | cls.bill("Rahima Begum")

    @classmethod
    def bill(cls, name):
        partner = cls.env["res.partner"].create({"name": name, "email": "c@example.com"})
        subscription = cls.env["isp.subscription"].create(
            {"partner_id": partner.id, "plan_id": cls.plan.id, "date_start": "2027-03-01"}
        )
        subscription._activate()
        return subscription._bill(fields.Date.to_date("2027-03-01"), "2027-03-01")

    def print_bills(self, moves):
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        content, kind = report._render_qweb_pdf("account.account_invoices", moves.ids)
        self.assertEqual(kind, "pdf")
        return content

    def test_a_bill_shows_company_number_and_bengali_customer(self):
        text = text_of(self.print_bills(self.invoices[0]))
        self.assertIn("Padma Net Ltd.", text)
        self.assertIn("12 Gulshan Avenue, Dhaka", text)
        self.assertIn("Trade licence 12345", text)
        self.assertIn(self.invoices[0].name, text)
        self.assertIn("1,000.00", text)
        # Conjuncts, and vowels drawn before their consonant, are stored as they look.
        self.assertIn("সালাম", re.sub(r"\s", "", text), text)

    def test_the_header_stands_once_and_before_the_number(self):
        text = text_of(self.print_bills(self.invoices[0]))
        self.assertEqual(text.count("12 Gulshan Avenue"), 1)
        self.assertLess(text.index("12 Gulshan Avenue"), text.index(self.invoices[0].name))
        self.assertNotIn("Page  /", text)

    def test_bengali_letters_come_from_a_bengali_font(self):
        content = self.print_bills(self.invoices[0])
        fonts = subprocess.run(
            ["pdffonts", "-"], input=content, capture_output=True, check=True
        ).stdout.decode()
        self.assertIn("Bengali", fonts)

    def test_two_bills_print_into_one_file(self):
        content = self.print_bills(self.invoices)
        self.assertEqual(PdfFileReader(io.BytesIO(content)).getNumPages(), 2)
        text = text_of(content)
        for invoice in self.invoices:
            self.assertIn(invoice.name, text)
        self.assertEqual(text.count("12 Gulshan Avenue"), 2)

    def test_a_batch_is_cut_into_the_files_of_its_records(self):
        """Also where one bill has more pages than another: sending mails needs each by itself."""
        self.invoices[0].button_draft()
        self.invoices[0].write(
            {
                "invoice_line_ids": [
                    Command.create({"name": f"Extra {number}", "price_unit": 1, "tax_ids": []})
                    for number in range(80)
                ]
            }
        )
        self.invoices[0].action_post()
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        streams = report._render_qweb_pdf_prepare_streams(
            "account.account_invoices", {}, res_ids=self.invoices.ids
        )
        self.assertEqual(set(streams), set(self.invoices.ids))
        files = {res_id: stream["stream"].getvalue() for res_id, stream in streams.items()}
        long_bill, short_bill = self.invoices
        self.assertGreater(PdfFileReader(io.BytesIO(files[long_bill.id])).getNumPages(), 1)
        self.assertEqual(PdfFileReader(io.BytesIO(files[short_bill.id])).getNumPages(), 1)
        self.assertIn("Extra 79", text_of(files[long_bill.id]))
        self.assertIn(short_bill.name, text_of(files[short_bill.id]))
        self.assertNotIn(short_bill.name, text_of(files[long_bill.id]))
