import io
import json
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from .document_common import text_of


@tagged("post_install", "-at_install")
class TestDocumentHttp(HttpCase):
    """Bills over HTTP: the portal's download, and the report beside wkhtmltopdf."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("report.url", cls.base_url())
        cls.plan = cls.env["isp.plan"].create(
            {"name": "Home 20", "price": 1000, "tax_ids": [Command.clear()]}
        )
        cls.owner, cls.stranger = (
            cls.env["res.users"].create(
                {
                    "name": name.title(),
                    "login": name,
                    "password": name * 2,
                    "email": f"{name}@example.com",
                    "group_ids": [Command.set(cls.env.ref("base.group_portal").ids)],
                }
            )
            for name in ("owner", "stranger")
        )
        subscription = cls.env["isp.subscription"].create(
            {
                "partner_id": cls.owner.partner_id.id,
                "plan_id": cls.plan.id,
                "date_start": "2027-03-01",
            }
        )
        subscription._activate()
        run = cls.env["isp.billing.run"].create(
            {"target_date": "2027-03-01", "invoice_date": "2027-03-01"}
        )
        run._run_to_end()
        cls.bill = subscription.charge_ids.move_id

    def download(self, **params):
        return self.url_open(
            f"/my/invoices/{self.bill.id}",
            params={"report_type": "pdf", "download": "true", **params},
            allow_redirects=False,
        )

    def test_the_customer_downloads_his_bill_and_nobody_elses(self):
        self.authenticate("owner", "ownerowner")
        response = self.download()
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.content.startswith(b"%PDF"))
        self.assertIn(self.bill.name, text_of(response.content))
        self.authenticate("stranger", "strangerstranger")
        response = self.download()
        self.assertIn(response.status_code, (302, 303))
        self.assertNotIn(b"%PDF", response.content)
        self.authenticate(None, None)
        self.assertNotIn(b"%PDF", self.download().content)
        self.assertNotIn(b"%PDF", self.download(access_token="0" * 36).content)
        # The link in the code of the bill opens it without a login.
        self.assertIn(b"%PDF", self.download(access_token=self.bill.access_token).content)

    def test_the_download_is_the_stored_file(self):
        self.bill._store_documents()
        self.authenticate("owner", "ownerowner")
        self.env.invalidate_all()
        self.assertEqual(self.download().content, self.bill.invoice_pdf_report_id.raw)

    def test_the_report_route_serves_the_file(self):
        self.authenticate("admin", "admin")
        response = self.url_open(f"/report/pdf/isp_billing.report_bill/{self.bill.id}")
        self.assertEqual(response.headers["Content-Type"], "application/pdf")
        self.assertIn(self.bill.name, text_of(response.content))

    def print_bill(self):
        """What the web client does behind the button Print."""
        self.authenticate("admin", "admin")
        url = f"/report/pdf/isp_billing.report_bill/{self.bill.id}"
        return self.url_open("/report/download", params={"data": json.dumps([url, "qweb-pdf"])})

    def test_a_print_that_met_another_transaction_is_tried_again(self):
        render = self.registry["account.move"]._render_documents
        calls = []

        def lose_the_first_race(moves, *args, **kwargs):
            calls.append(moves.ids)
            if len(calls) == 1:
                moves.env.cr.execute("DO 'BEGIN RAISE SQLSTATE ''40001''; END'")
            return render(moves, *args, **kwargs)

        with (
            patch.object(self.registry["account.move"], "_render_documents", lose_the_first_race),
            mute_logger("odoo.sql_db", "odoo.addons.web.controllers.report"),
        ):
            response = self.print_bill()
        self.assertEqual(calls, [self.bill.ids] * 2)
        self.assertEqual(response.status_code, 200)
        self.assertIn(self.bill.name, text_of(response.content))

    def test_an_error_of_a_print_is_shown(self):
        refuse = UserError("No printer today")
        with (
            patch.object(
                self.registry["account.move"],
                "_render_documents",
                autospec=True,
                side_effect=refuse,
            ),
            mute_logger("odoo.addons.web.controllers.report"),
        ):
            response = self.print_bill()
        self.assertIn("No printer today", response.text)

    def test_a_bill_and_another_invoice_print_into_one_file(self):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.owner.partner_id.id,
                "invoice_line_ids": [
                    Command.create({"name": "Cable", "price_unit": 10, "tax_ids": []})
                ],
            }
        )
        invoice.action_post()
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        both = invoice | self.bill
        content, _kind = report._render_qweb_pdf("account.account_invoices", both.ids)
        reader = PdfFileReader(io.BytesIO(content))
        self.assertEqual(reader.getNumPages(), 2)
        text = text_of(content)
        self.assertIn("Cable", text)
        self.assertIn("Your account", text)
