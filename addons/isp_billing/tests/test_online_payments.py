from odoo import Command, fields
from odoo.tests import tagged

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestOnlinePayments(IspBillingCase):
    """Karim owes 1,000.00 for February and 1,000.00 for March, and is suspended."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.create_subscription(date_start="2027-02-01")
        cls.february = cls.bill_service("2027-02-01")
        cls.march = cls.bill_service("2027-03-01")
        cls.service._dun(cls.company)

    @classmethod
    def bill_service(cls, day, service=None):
        day = fields.Date.to_date(day)
        return (service or cls.service)._bill(day, day)

    def provider(self, company=None):
        provider = self.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", (company or self.company).id)], limit=1
        )
        self.assertTrue(provider, "payment_demo is missing: run this test by scripts/test.")
        provider.state = "test"
        return provider

    def pay_online(self, amount, bills=None, company=None, **vals):
        """A payment that the provider confirmed, booked as by its job or the customer's page."""
        provider = self.provider(company)
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[0].id,
                "reference": self.env["payment.transaction"]._compute_reference("demo"),
                "amount": amount,
                "currency_id": self.company.currency_id.id,
                "partner_id": self.customer.id,
                "operation": "online_direct",
                "invoice_ids": [Command.set(bills.ids if bills else [])],
                **vals,
            }
        )
        transaction._set_done()
        transaction._post_process()
        return transaction

    def assertOpen(self, *amounts):
        """What is left of February's and March's bill."""
        bills = self.february | self.march
        self.assertEqual(bills.sorted("invoice_date").mapped("amount_residual"), list(amounts))

    def credit_of(self, transaction):
        lines = transaction.payment_id.move_id.line_ids
        return -sum(
            lines.filtered(lambda line: line.account_type == "asset_receivable").mapped(
                "amount_residual"
            )
        )

    def test_money_without_a_bill_settles_the_oldest_and_gives_the_service_back(self):
        self.assertEqual(self.service.state, "suspended")
        transaction = self.pay_online(2000.0)
        self.assertOpen(0.0, 0.0)
        self.assertEqual((self.service.state, self.service.access), ("active", "full"))
        self.assertEqual(self.credit_of(transaction), 0.0)

    def test_money_for_less_than_is_owed_settles_the_oldest_due_first(self):
        self.pay_online(1200.0)
        self.assertOpen(0.0, 800.0)
        self.assertEqual(self.service.state, "suspended")
        self.pay_online(800.0)
        self.assertOpen(0.0, 0.0)
        self.assertEqual(self.service.state, "active")

    def test_the_chosen_bill_comes_first(self):
        self.pay_online(1000.0, self.march)
        self.assertOpen(1000.0, 0.0)

    def test_what_the_chosen_bill_leaves_settles_the_oldest(self):
        transaction = self.pay_online(2500.0, self.march)
        self.assertOpen(0.0, 0.0)
        self.assertEqual(self.credit_of(transaction), 500.0)
        self.assertEqual(self.service.state, "active")

    def test_a_bill_paid_twice_pays_another(self):
        self.pay_online(1000.0, self.march)
        self.pay_online(1000.0, self.march)
        self.assertOpen(0.0, 0.0)
        self.assertEqual(self.service.state, "active")

    def test_booking_again_changes_nothing(self):
        transaction = self.pay_online(1500.0)
        matches = transaction.payment_id.move_id.line_ids.matched_debit_ids
        self.assertEqual(len(matches), 2)
        transaction._post_process()
        transaction.payment_id._isp_settle_oldest_bills()
        self.assertEqual(transaction.payment_id.move_id.line_ids.matched_debit_ids, matches)
        self.assertOpen(0.0, 500.0)

    def test_whatever_the_company_does_with_credits(self):
        self.company.isp_apply_credits = False
        advance = self.env["account.payment"].create(
            {"partner_id": self.customer.id, "payment_type": "inbound", "amount": 300.0}
        )
        advance.action_post()
        transaction = self.pay_online(1000.0)
        self.assertOpen(0.0, 1000.0)
        self.assertFalse(advance.reconciled_invoice_ids, "Only this payment's own money is used")
        self.assertEqual(self.credit_of(transaction), 0.0)

    def test_bills_of_others_are_left_alone(self):
        other = self.env["res.partner"].create({"name": "Rahim"})
        bill = self.bill_service("2027-03-01", self.create_subscription(partner_id=other.id))
        self.pay_online(5000.0)
        self.assertEqual(bill.amount_residual, 1000.0)

    def test_a_contact_pays_for_the_customer(self):
        wife = self.env["res.partner"].create({"name": "Salma", "parent_id": self.customer.id})
        self.pay_online(2000.0, partner_id=wife.id)
        self.assertOpen(0.0, 0.0)

    def test_an_order_that_was_left_unpaid_is_not_paid_by_accident(self):
        order = self.march.copy({"isp_is_order": True, "invoice_date": "2027-03-02"})
        order.action_post()
        transaction = self.pay_online(2300.0)
        self.assertOpen(0.0, 0.0)
        self.assertEqual(order.amount_residual, order.amount_total)
        self.assertEqual(self.credit_of(transaction), 300.0)

    def test_money_in_another_currency_stays_a_credit(self):
        dollar = self.env.ref("base.USD")
        dollar.active = True
        self.assertNotEqual(dollar, self.company.currency_id)
        transaction = self.pay_online(100.0, currency_id=dollar.id)
        self.assertOpen(1000.0, 1000.0)
        self.assertTrue(transaction.payment_id)
        self.assertGreater(self.credit_of(transaction), 0)

    def test_money_for_another_company_pays_none_of_these_bills(self):
        other = self.env["res.company"].create({"name": "Jamuna Net"})
        self.env.user.company_ids |= other
        self.env["account.chart.template"].try_loading("bd", company=other, install_demo=False)
        provider = self.provider(other)
        provider.journal_id = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", other.id)], limit=1
        )
        transaction = self.pay_online(2000.0, company=other)
        self.assertEqual(transaction.payment_id.company_id, other)
        self.assertOpen(1000.0, 1000.0)
        self.assertEqual(self.credit_of(transaction), 2000.0)
        self.assertEqual(self.service.state, "suspended")
