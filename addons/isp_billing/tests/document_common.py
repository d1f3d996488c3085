import subprocess

from odoo.fields import Command

from .common import IspBillingCase


def text_of(content):
    """Words of a PDF file, as somebody would copy them from it."""
    result = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True
    )
    return result.stdout.decode().replace("\u00a0", " ")


class DocumentCase(IspBillingCase):
    """A provider with a taxed plan and a letterhead."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {
                "name": "Padma Net Ltd.",
                "street": "12 Gulshan Avenue",
                "city": "Dhaka",
                "vat": "000123456-0101",
                "report_footer": "<p>Trade licence 12345</p>",
                "isp_print_after_run": True,
                "isp_payment_instructions": "bKash 01711-000000",
            }
        )
        cls.vat = cls.env["account.tax"].create(
            {"name": "VAT 5%", "amount": 5, "type_tax_use": "sale"}
        )
        cls.plan_taxed = cls.create_plan("Fibre 30", 749.5, tax_ids=[Command.set(cls.vat.ids)])
        cls.customer.write({"street": "House 7, Road 3", "ref": "K-77"})
        cls.subscription = cls.create_subscription(plan_id=cls.plan_taxed.id)

    def bill_of(self, target, **vals):
        """The bill that a run on ``target`` makes for the subscription."""
        run = self.bill(target, plan_ids=[Command.set(self.plan_taxed.ids)], **vals)
        return self.subscription.charge_ids.filtered(lambda charge: charge.run_id == run).move_id

    def print_text(self, moves, report="isp_billing.action_report_bill"):
        content, kind = self.env["ir.actions.report"]._render_qweb_pdf(report, moves.ids)
        self.assertEqual(kind, "pdf")
        return text_of(content)
