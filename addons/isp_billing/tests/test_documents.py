import base64
import io
import re
import zipfile
from unittest.mock import patch

from PIL import Image

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools.pdf import PdfFileReader

from ..models import account_move_document_file, isp_document_batch
from .document_common import DocumentCase, text_of


@tagged("post_install", "-at_install")
class TestDocuments(DocumentCase):
    """What stands on a printed bill, and where Odoo prints it."""

    def run_bills(self):
        """A run over the subscriptions made here, whatever else the database holds."""
        return self.bill("2027-03-01", plan_ids=[Command.set(self.plan_taxed.ids)])

    # === THE PAGE AND THE LEDGER === #

    def test_a_bill_says_what_the_ledger_says(self):
        bill = self.bill_of("2027-03-01")
        text = self.print_text(bill)
        for line in bill.invoice_line_ids:
            self.assertIn(line.name, text)
            self.assertIn(f"{line.price_subtotal:,.2f}", text)
        tax = bill.line_ids.filtered(lambda line: line.display_type == "tax")
        self.assertIn(f"{-tax.amount_currency:,.2f}", text)
        self.assertIn(tax.tax_group_id.name, text)
        template = self.env["isp.document.template"]._get_for("bill", self.company)
        data = bill._get_document_data(template, "en_US")[1][0]
        self.assertEqual(
            data["taxes"],
            [{"name": tax.tax_group_id.name, "amount": f"{bill.amount_tax:,.2f}"}],
        )
        self.assertEqual(
            [(line["name"], line["net"], line["total"]) for line in data["lines"]],
            [
                (line.name, f"{line.price_subtotal:,.2f}", f"{line.price_total:,.2f}")
                for line in bill.invoice_line_ids
            ],
        )
        self.assertIn(f"{bill.amount_untaxed:,.2f}", text)
        self.assertIn(f"{bill.amount_total:,.2f}", text)
        for words in ("Padma Net Ltd.", "BIN 000123456-0101", "Trade licence 12345", "Karim Uddin"):
            self.assertIn(words, text)
        for words in (bill.name, "1 – 31 March 2027", "Fibre 30", self.subscription.username):
            self.assertIn(words, text)
        self.assertIn("K-77", text)
        self.assertIn("bKash 01711-000000", text)
        self.assertIn("Seven hundred and eighty-six", text)

    def test_the_account_leads_from_the_bill_before_to_what_is_due(self):
        first = self.bill_of("2027-03-01")
        self.pay(first, 500)
        second = self.bill_of("2027-04-01")
        template = self.env["isp.document.template"]._get_for("bill", self.company)
        _common, bills = (first | second)._get_document_data(template, "en_US")
        self.assertEqual(self.plain(bills[0]["account"]["previous"]), "0.00")
        self.assertEqual(bills[0]["account"]["movements"], [])
        account = bills[1]["account"]
        self.assertEqual(self.plain(account["previous"]), f"{first.amount_total:.2f}")
        self.assertEqual(
            [(entry["kind"], self.plain(entry["amount"])) for entry in account["movements"]],
            [("received", "-500.00")],
        )
        due = first.amount_total - 500 + second.amount_total
        self.assertEqual(self.plain(account["due"]), f"{due:,.2f}")
        receivable = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.customer.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )
        self.assertAlmostEqual(sum(receivable.mapped("balance")), due)
        self.assertIn(f"{due:,.2f}", self.print_text(second))
        # Printed again after the next payment, the account says the same.
        with self.at("2027-04-09 06:00:00"):
            self.pay(second, 100)
        self.env.invalidate_all()
        again = second._get_document_data(template, "en_US")[1][0]["account"]
        self.assertEqual(again, account)

    @staticmethod
    def plain(money):
        """The number in an amount of money, with its sign."""
        return "".join(re.findall(r"[-\d.,]", money))

    def test_a_paid_bill_asks_for_nothing(self):
        bill = self.bill_of("2027-03-01")
        self.assertIn("How to pay", self.print_text(bill))
        self.pay(bill)
        text = self.print_text(bill)
        self.assertIn("Paid", text)
        self.assertIn("There is nothing to pay", text)

    def test_the_logo_of_the_company_is_printed(self):
        bill = self.bill_of("2027-03-01")
        self.assertFalse(self.company._get_document_company()["logo"])
        without = bill._render_documents()[bill]
        picture = Image.new("RGBA", (900, 300), (200, 30, 30, 128))
        file = io.BytesIO()
        picture.save(file, "PNG")
        self.company.logo = base64.b64encode(file.getvalue())
        data = self.company._get_document_company()
        self.assertAlmostEqual(data["logo_ratio"], 3, places=2)
        self.assertLess(len(data["logo"]), 20_000)
        content = bill._render_documents()[bill]
        self.assertIn(b"/Subtype/Image", content)
        self.assertNotIn(b"/Subtype/Image", without)

    def test_a_draft_is_marked(self):
        bill = self.bill_of("2027-03-01")
        bill.button_draft()
        report = self.env["ir.actions.report"]
        content, _kind = report._render_qweb_pdf("isp_billing.action_report_bill", bill.ids)
        page = PdfFileReader(io.BytesIO(content)).getPage(0)
        self.assertIn("Draft", page.extract_text())
        self.assertNotIn("How to pay", text_of(content))

    def test_a_credit_note_names_the_bill_it_takes_back(self):
        bill = self.bill_of("2027-03-01")
        refund = bill._reverse_moves([{"date": bill.date}], cancel=True)
        self.assertTrue(refund.isp_is_bill)
        text = self.print_text(refund)
        self.assertIn("Credit note", text)
        self.assertIn(bill.name, text)
        self.assertIn(f"{refund.amount_total:,.2f}", text)
        self.assertNotIn("How to pay", text)

    def test_markup_in_names_is_printed_as_it_is(self):
        self.customer.name = r"#panic() $x$ *bold* _it_ @a <b> \n"
        bill = self.bill_of("2027-03-01")
        self.assertIn(r"#panic() $x$ *bold* _it_ @a <b> \n", self.print_text(bill))

    def test_each_customer_gets_his_language(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        other = self.customer.copy({"name": "সালাম উদ্দিন", "lang": "bn_IN"})
        self.create_subscription(partner_id=other.id, plan_id=self.plan_taxed.id)
        run = self.run_bills()
        files = run._get_document_bills()._render_documents()
        texts = {move.partner_id: text_of(content) for move, content in files.items()}
        self.assertIn("Total of this bill", texts[self.customer])
        self.assertIn("এই বিলের মোট", texts[other])
        self.assertIn("৭৮৬.৯৮", texts[other])
        self.assertIn("সালাম", texts[other])

    def test_receipt(self):
        bill = self.bill_of("2027-03-01")
        content, _kind = self.env["ir.actions.report"]._render_qweb_pdf(
            "isp_billing.action_report_receipt", bill.ids
        )
        page = PdfFileReader(io.BytesIO(content)).getPage(0)
        self.assertAlmostEqual(float(page.mediabox.width) / 72 * 25.4, 80, places=1)
        self.assertIn(f"{bill.amount_total:,.2f}", text_of(content))

    def test_usage_is_printed_where_it_is_known(self):
        bill = self.bill_of("2027-03-01")
        self.assertNotIn("Total used", self.print_text(bill))
        row = {"label": "March", "download": "182 GB", "upload": "21 GB", "total": "203 GB"}
        row["cap"] = None
        with patch.object(
            self.env.registry["account.move"],
            "_get_document_usage",
            lambda moves, _writer: {move.id: [row] for move in moves},
        ):
            text = self.print_text(bill)
            row["cap"] = "250 GB"
            limited = self.print_text(bill)
        self.assertIn("Total used", text)
        self.assertIn("203 GB", text)
        self.assertNotIn("Data volume", text)
        self.assertIn("Data volume", limited)
        self.assertIn("250 GB", limited)

    def test_mushak_has_the_fields_of_the_form(self):
        duty = self.env["account.tax"].create(
            {
                "name": "SD 10%",
                "amount": 10,
                "type_tax_use": "sale",
                "sequence": 1,
                "include_base_amount": True,
                "isp_is_supplementary_duty": True,
            }
        )
        self.vat.sequence = 2
        self.plan_taxed.tax_ids = duty | self.vat
        self.customer.write({"vat": "000987654-0202", "country_id": self.env.ref("base.bd").id})
        bill = self.bill_of("2027-03-01")
        template = self.env["isp.document.template"]._get_for("vat", self.company)
        data = bill._get_document_data(template, "en_US", "vat")[1][0]
        row = data["vat"]["rows"][0]
        # Duty on the price, VAT on both: 749.50, 74.95, 5 % of 824.45.
        self.assertEqual(
            [row[name] for name in ("net", "sd_rate", "sd", "vat_rate", "vat", "gross")],
            ["749.50", "10%", "74.95", "5%", "41.22", "865.67"],
        )
        self.assertEqual(data["vat"]["sums"]["gross"], f"{bill.amount_total:.2f}")
        text = self.print_text(bill, "isp_billing.action_report_vat_challan")
        for words in (
            "মূসক-৬.৩",
            "000123456-0101",
            "000987654-0202",
            bill.name,
            "1 March 2027",
            "865.67",
            "House 7, Road 3",
        ):
            self.assertIn(words, text)

    # === WHERE ODOO PRINTS === #

    def test_the_print_button_prints_the_bill(self):
        bill = self.bill_of("2027-03-01")
        self.assertEqual(self.printed_by(bill), "isp_billing.report_bill")
        self.company.isp_bill_layout = "odoo"
        self.assertEqual(self.printed_by(bill), "account.report_invoice_with_payments")

    def printed_by(self, move):
        """The report behind the print button, the first time that anything is printed."""
        self.company.external_report_layout_id = False
        action = move.action_print_pdf()
        # Odoo asks for the layout of its own reports first; then the report is in the context.
        return (action.get("context", {}).get("report_action") or action)["report_name"]

    def test_odoos_own_report_prints_bills_by_template(self):
        bill = self.bill_of("2027-03-01")
        report = self.env["ir.actions.report"]
        content, kind = report._render_qweb_pdf("account.account_invoices", bill.ids)
        self.assertEqual(kind, "pdf")
        self.assertIn("Your account", text_of(content))

    def test_other_invoices_and_another_choice_stay_with_odoo(self):
        bill = self.bill_of("2027-03-01")
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_line_ids": [Command.create({"name": "Cable", "price_unit": 10})],
            }
        )
        invoice.action_post()
        self.assertFalse(invoice.isp_is_bill)
        self.assertEqual(self.printed_by(invoice), "account.report_invoice_with_payments")
        report = self.env["ir.actions.report"]
        # Odoo's tests print HTML where QWeb does it.
        self.assertEqual(
            report._render_qweb_pdf("account.account_invoices", invoice.ids)[1], "html"
        )
        self.company.isp_bill_layout = "odoo"
        self.assertEqual(report._render_qweb_pdf("account.account_invoices", bill.ids)[1], "html")
        self.assertEqual(
            self.env["account.move"].search(
                [("isp_is_bill", "=", True), ("partner_id", "=", self.customer.id)]
            ),
            bill,
        )

    def test_the_send_wizard_attaches_the_bill(self):
        bill = self.bill_of("2027-03-01")
        wizard = (
            self.env["account.move.send.wizard"]
            .with_context(active_model="account.move", active_ids=bill.ids)
            .create({"sending_methods": ["email"]})
        )
        wizard.action_send_and_print()
        stored = bill.invoice_pdf_report_id
        self.assertIn("Your account", text_of(stored.raw))
        message = bill.message_ids.filtered("attachment_ids")[:1]
        self.assertEqual(message.attachment_ids.mapped("checksum"), [stored.checksum])

    def test_a_stored_bill_is_sent_as_it_is(self):
        bill = self.bill_of("2027-03-01")
        bill._store_documents()
        self.env.invalidate_all()
        stored = bill.invoice_pdf_report_id
        wizard = (
            self.env["account.move.send.wizard"]
            .with_context(active_model="account.move", active_ids=bill.ids)
            .create({"sending_methods": ["email"]})
        )
        wizard.action_send_and_print()
        self.assertEqual(bill.invoice_pdf_report_id, stored)
        self.assertTrue(bill.is_move_sent)
        message = bill.message_ids.filtered("attachment_ids")[:1]
        self.assertEqual(message.attachment_ids.mapped("checksum"), [stored.checksum])

    def test_the_web_client_knows_what_needs_no_wkhtmltopdf(self):
        bill = self.bill_of("2027-03-01")
        self.assertEqual(bill.action_print_pdf()["isp_document"], "bill")
        self.assertIn("isp_document", self.env["ir.actions.report"]._get_readable_fields())

    def test_support_may_print_and_another_company_may_not(self):
        bill = self.bill_of("2027-03-01")
        support = self.create_user("support")
        self.assertIn(bill.name, self.with_user_print(support, bill))
        company = self.env["res.company"].create({"name": "Other Net"})
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="base.group_user,isp_base.group_isp_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        with self.assertRaises(AccessError):
            self.with_user_print(stranger, bill)

    def with_user_print(self, user, bill):
        self.env.invalidate_all()
        report = self.env["ir.actions.report"].with_user(user)
        return text_of(report._render_qweb_pdf("isp_billing.action_report_bill", bill.ids)[0])

    # === STORED FILES === #

    def test_a_file_is_stored_once_where_odoo_keeps_it(self):
        bill = self.bill_of("2027-03-01")
        self.assertEqual(bill._store_documents(), bill)
        self.env.invalidate_all()
        stored = bill.invoice_pdf_report_id
        self.assertEqual(bill.message_main_attachment_id, stored)
        self.assertFalse(bill.is_move_sent)
        self.assertEqual(stored.name, f"{bill.name.replace('/', '_')}.pdf")
        self.assertFalse(bill._store_documents())
        self.assertEqual(bill._get_invoice_legal_documents("pdf")["content"], stored.raw)
        # A bill that is changed gets another file.
        bill.button_draft()
        self.env.invalidate_all()
        self.assertFalse(bill.invoice_pdf_report_id)
        bill.action_post()
        self.assertEqual(bill._store_documents(), bill)

    def test_bills_for_who_asks_for_the_own_data(self):
        """P-35: as they were sent where there is a file, else printed now; no drafts."""
        sent, other = self.bill_of("2027-03-01"), self.bill_of("2027-04-01")
        sent._store_documents()
        self.env.invalidate_all()
        draft = other.copy()
        (first, first_file), (second, second_file) = (sent | other | draft)._privacy_documents()
        self.assertEqual(first, f"{sent.name.replace('/', '_')}.pdf")
        self.assertEqual(first_file, sent.invoice_pdf_report_id.raw)
        self.assertEqual(second, f"{other.name.replace('/', '_')}.pdf")
        self.assertIn(other.name, text_of(second_file))
        self.assertFalse(other.invoice_pdf_report_id, "nothing is stored by it")

    def test_a_run_makes_its_files_in_batches_and_none_twice(self):
        for number in range(5):
            partner = self.customer.copy({"name": f"Customer {number}"})
            self.create_subscription(partner_id=partner.id, plan_id=self.plan_taxed.id)
        domain = [("method_name", "=", "_job_store_documents")]
        jobs = self.env["queue.job"].search_count(domain)
        run = self.run_bills()
        self.assertEqual(self.env["queue.job"].search_count(domain), jobs + 1)
        bills = run._get_document_bills()
        self.assertEqual(len(bills), 6)
        bills[1]._store_documents()
        kept = bills[1].invoice_pdf_report_id
        with patch.object(account_move_document_file, "BATCH", 2):
            counts = []
            while len(bills._filter_without_document()):
                run._job_store_documents()
                counts.append(len(bills._filter_without_document()))
            self.assertEqual(counts, [3, 1, 0])
            run._job_store_documents()
        self.env.invalidate_all()
        self.assertEqual(bills[1].invoice_pdf_report_id, kept)
        files = self.env["ir.attachment"].search(
            [("res_field", "=", "invoice_pdf_report_file"), ("res_id", "in", bills.ids)]
        )
        self.assertEqual(sorted(files.mapped("res_id")), sorted(bills.ids))

    def test_no_files_are_made_where_the_company_does_not_want_them(self):
        self.company.isp_print_after_run = False
        domain = [("method_name", "=", "_job_store_documents")]
        jobs = self.env["queue.job"].search_count(domain)
        self.run_bills()
        self.assertEqual(self.env["queue.job"].search_count(domain), jobs)

    def test_queries_do_not_grow_with_the_bills(self):
        for number in range(12):
            partner = self.customer.copy({"name": f"Customer {number}"})
            self.create_subscription(partner_id=partner.id, plan_id=self.plan_taxed.id)
        bills = self.run_bills()._get_document_bills()
        template = self.env["isp.document.template"]._get_for("bill", self.company)
        bills[:1]._get_document_data(template, "en_US")

        def count(moves):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            moves._get_document_data(template, "en_US")
            return self.env.cr.sql_log_count - start

        self.assertEqual(count(bills[:2]), count(bills))

    # === MANY AS ONE === #

    def make_batch(self, count=3, **vals):
        for number in range(count - 1):
            partner = self.customer.copy({"name": f"Customer {number}"})
            self.create_subscription(partner_id=partner.id, plan_id=self.plan_taxed.id)
        run = self.run_bills()
        action = run.action_print()
        batch = self.env["isp.document.batch"].browse(action["res_id"])
        batch.write(vals)
        return batch

    def test_bills_of_a_run_as_one_file(self):
        batch = self.make_batch()
        self.assertFalse(batch.action_start())
        self.assertEqual(batch.state, "done")
        self.assertIn(f"/web/content/{batch.attachment_ids.id}", batch.action_download()["url"])
        reader = PdfFileReader(io.BytesIO(batch.attachment_ids.raw))
        self.assertEqual(reader.getNumPages(), 3)
        text = text_of(batch.attachment_ids.raw)
        for bill in batch.move_ids:
            self.assertIn(bill.name, text)

    def test_bills_as_an_archive(self):
        batch = self.make_batch(output="zip")
        batch.action_start()
        archive = zipfile.ZipFile(io.BytesIO(batch.attachment_ids.raw))
        self.assertEqual(
            sorted(archive.namelist()),
            sorted(f"{bill.name.replace('/', '_')}.pdf" for bill in batch.move_ids),
        )
        for bill in batch.move_ids:
            content = archive.read(f"{bill.name.replace('/', '_')}.pdf")
            self.assertEqual(content, bill.invoice_pdf_report_id.raw)

    def test_many_bills_are_printed_in_the_background_and_in_parts(self):
        batch = self.make_batch(5)
        with (
            patch.object(isp_document_batch, "AT_ONCE", 1),
            patch.object(isp_document_batch, "PART", 2),
        ):
            self.assertFalse(batch.action_start())
            self.assertEqual(batch.state, "running")
            self.assertFalse(batch.attachment_ids)
            self.assertTrue(self.env["queue.job"].search_count([("method_name", "=", "_job_work")]))
            batch._job_work()
            self.assertEqual((batch.done_count, batch.state, batch.progress), (2, "running", 40))
            batch._job_work()
            batch._job_work()
            # A job that comes too late does nothing.
            batch._job_work()
        self.assertEqual((batch.done_count, batch.state), (5, "done"))
        pages = [
            PdfFileReader(io.BytesIO(file.raw)).getNumPages()
            for file in batch.attachment_ids.sorted("id")
        ]
        self.assertEqual(pages, [2, 2, 1])

    def test_invoices_of_the_list_are_printed_together(self):
        bill = self.bill_of("2027-03-01")
        action = bill.action_print_documents()
        batch = self.env["isp.document.batch"].browse(action["res_id"])
        batch.kind = "receipt"
        batch.action_start()
        self.assertIn(bill.name, text_of(batch.attachment_ids.raw))
        with self.assertRaises(UserError):
            self.env["account.move"].action_print_documents()
