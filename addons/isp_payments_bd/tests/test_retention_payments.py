import base64

from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestRetentionPayments(GatewayCase):
    """Logs of payments under the policy of a provider in Dhaka: a year from the settlement.

    Nothing of the addon that keeps policies is imported: its models are there when it is installed,
    as in the suite.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.bd")
        cls.company.partner_id.tz = "Asia/Dhaka"

    def purge(self, moment):
        with freeze_time(moment):
            self.env.invalidate_all()
            purge = self.env["privacy.purge"].create({"company_id": self.company.id})
            purge.action_start()
            while purge._purge_batch():
                pass
        self.env.invalidate_all()
        return purge

    def create_logs(self, moment):
        tx = self.pay(self.create_tx(500, partner_email="karim@example.com"))
        tx.last_state_change = moment
        event = self.env["isp.gateway.event"]._note(tx, "job", "paid", "Wallet 017****0001")
        event.last_at = moment
        receipt = self.env["isp.gateway.receipt"].create(
            {
                "provider_id": self.provider.id,
                "currency_id": self.bdt.id,
                "reference": "TRX0000001",
                "payer": "017****0001",
                "note": "For Karim",
                "paid_at": moment,
                "state": "done",
            }
        )
        settlement = self.env["isp.gateway.settlement"].create(
            {
                "journal_id": self.journal.id,
                "file": base64.b64encode(b"trx,wallet\nTRX0000001,01711000001\n"),
                "filename": "report.csv",
                "date_to": moment[:10],
            }
        )
        return tx, event, receipt, settlement

    @proves("P-29")
    def test_logs_of_payments_lose_their_words_after_a_year_and_the_money_stays(self):
        tx, event, receipt, settlement = self.create_logs("2026-02-10 12:00:00")
        self.purge("2027-02-10 17:59:59")  # the last second of 10 February in Dhaka
        self.assertEqual(
            (tx.partner_email, event.summary, receipt.payer),
            ("karim@example.com", "Wallet 017****0001", "017****0001"),
        )
        self.assertTrue(settlement.file)
        purge = self.purge("2027-02-10 18:00:00")
        self.assertFalse(purge.error_ids.mapped("message"))
        self.assertFalse(tx.partner_email or tx.partner_name or tx.partner_phone)
        self.assertFalse(event.summary)
        self.assertEqual((receipt.payer, receipt.note), (False, False))
        self.assertEqual(receipt.reference, f"***{receipt.id}")
        self.assertFalse(settlement.file)
        self.assertEqual((tx.state, tx.amount, tx.partner_id), ("done", 500, self.customer))
        kept = self.purge("2027-02-11 18:00:00").line_ids.filtered(
            lambda line: line.retention == "pay_log"
        )
        self.assertFalse(kept.mapped("model"), "nothing is left to be done")

    def test_a_payment_under_way_is_left_alone(self):
        tx = self.create_tx(500, partner_email="karim@example.com")
        tx.last_state_change = "2026-02-10 12:00:00"
        self.purge("2030-01-01 12:00:00")
        self.assertEqual(tx.partner_email, "karim@example.com")
