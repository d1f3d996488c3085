from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestRetentionBills(IspBillingCase):
    """Bills under the policy of a provider in Dhaka: seven years from the end of June.

    Nothing of the addon that keeps policies is imported: its models are there when it is installed,
    as in the suite.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.bd")
        cls.subscription = cls.create_subscription()

    def create_bill(self):
        self.bill("2027-03-10")
        move = self.subscription.charge_ids.move_id
        move.write({"narration": "For Karim, as he asked", "ref": "Karim's order"})
        self.assertEqual(move.state, "posted")
        return move

    def purge(self, moment):
        with self.at(moment):
            purge = self.env["privacy.purge"].create({"company_id": self.company.id})
            purge.action_start()
            while purge._purge_batch():
                pass
        self.env.invalidate_all()
        return purge.line_ids.filtered(lambda line: line.model == "account.move")

    @proves("P-30")
    def test_a_bill_loses_its_words_seven_years_after_its_fiscal_year(self):
        move = self.create_bill()
        amount = move.amount_total
        # The last second of 30 June 2034 in Dhaka
        self.assertFalse(self.purge("2034-06-30 17:59:59"))
        self.assertEqual(move.ref, "Karim's order")
        line = self.purge("2034-06-30 18:00:00")
        self.assertEqual((line.done_count, line.error_count), (1, 0))
        self.assertEqual((move.ref, move.narration), (False, False))
        self.assertNotIn("Karim", move.invoice_partner_display_name)
        self.assertEqual((move.state, move.amount_total), ("posted", amount), "the books stay")
        self.assertFalse(self.purge("2034-07-01 18:00:00"), "nothing is left to be done")

    @proves("P-30")
    def test_a_bill_in_a_case_stays(self):
        move = self.create_bill()
        self.env["privacy.hold"].create(
            {
                "company_id": self.company.id,
                "reference": "Tax case 7",
                "authority": "Tax office",
                "date_from": "2027-03-01",
                "scope": "documents",
                "document_model": "account.move",
            }
        )
        line = self.purge("2040-01-01 12:00:00")
        self.assertEqual((line.due_count, line.held_count, line.done_count), (1, 1, 0))
        self.assertEqual(move.ref, "Karim's order")
