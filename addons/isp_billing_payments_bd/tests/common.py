from odoo import fields

from odoo.addons.isp_billing.tests.common import IspBillingCase


class WalletCase(IspBillingCase):
    """Karim has a wallet of Odoo's demo provider, which is charged without him."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", cls.company.id)], limit=1
        )
        assert cls.provider, "payment_demo is missing: run this test by scripts/test."
        cls.provider.write({"state": "test", "allow_tokenization": True})
        cls.provider.payment_method_ids.active = True
        cls.method = cls.provider.payment_method_ids[0]
        cls.token = cls.create_token(cls.customer)
        cls.service = cls.create_subscription(
            payment_term_id=cls.env.ref("account.account_payment_term_15days").id
        )

    @classmethod
    def create_token(cls, partner, details="017****1111", simulated="done"):
        return cls.env["payment.token"].create(
            {
                "provider_id": cls.provider.id,
                "payment_method_id": cls.method.id,
                "partner_id": partner.id,
                "provider_ref": "demo",
                "payment_details": details,
                "demo_simulated_state": simulated,
            }
        )

    def bill_service(self, day="2027-03-10", service=None):
        day = fields.Date.to_date(day)
        return (service or self.service)._bill(day, day)

    def run_job(self):
        """Run the job once; return the rows it made."""
        model = self.env["isp.wallet.charge"]
        before = model.search([])
        model._cron_pay_bills()
        self.env.invalidate_all()
        return model.search([]) - before

    def mails(self):
        return self.env["mail.mail"].sudo().search([("model", "=", "isp.wallet.charge")])
