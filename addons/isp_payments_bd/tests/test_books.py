"""What reaches the ledger: payments, fees, money that came twice."""

from decimal import Decimal

from odoo.tests import tagged

from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestBooks(GatewayCase):
    def balance(self, account, moves):
        lines = moves.line_ids.filtered(lambda line: line.account_id == account)
        return sum(lines.mapped("balance"))

    def test_two_payments_of_one_bill(self):
        bill = self.create_bill(500)
        first, second = self.create_tx(500, bill), self.create_tx(500, bill)
        self.pay(first)
        self.assertFalse(first.gateway_paid_twice)
        self.pay(second)
        self.assertTrue(second.gateway_paid_twice)
        self.assertEqual(second.activity_ids.summary, "A bill was paid twice")
        self.assertEqual(bill.amount_residual, 0)
        receivable = second.payment_id.destination_account_id
        credit = second.payment_id.move_id.line_ids.filtered(
            lambda line: line.account_id == receivable
        )
        self.assertEqual((credit.amount_residual, credit.reconciled), (-500, False))
        self.assertEqual(credit.partner_id, self.customer)

    def test_a_bill_paid_at_the_counter_meanwhile(self):
        bill = self.create_bill(500)
        tx = self.create_tx(500, bill)
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        )
        wizard.create({"amount": 200})._create_payments()
        self.pay(tx)
        self.assertTrue(tx.gateway_paid_twice)
        self.assertIn("200", tx.activity_ids.note)

    def test_part_of_a_bill_is_no_credit(self):
        tx = self.pay(self.create_tx(200, self.create_bill(500)))
        self.assertFalse(tx.gateway_paid_twice)
        self.assertFalse(tx.activity_ids)

    # === FEES === #

    def with_fees(self, percent=1.5, **values):
        self.provider.write(
            {"bd_fee_percent": percent, "bd_fee_account_id": self.fee_account.id, **values}
        )

    def test_the_fee_of_the_gateway_is_booked_with_the_payment(self):
        self.with_fees()
        tx = self.pay(self.create_tx(500, self.create_bill(500)), fee=Decimal("12.35"))
        entry = tx.gateway_fee_move_id
        self.assertEqual((tx.gateway_fee, entry.state), (12.35, "posted"))
        waiting = tx.payment_id.outstanding_account_id
        moves = tx.payment_id.move_id + entry
        self.assertEqual(self.balance(self.fee_account, moves), 12.35)
        self.assertEqual(self.balance(waiting, moves), 487.65)

    def test_without_a_fee_of_the_gateway_the_percentage_counts(self):
        self.with_fees()
        tx = self.pay(self.create_tx(333, self.create_bill(333)))
        self.assertEqual(tx.gateway_fee, 5.0)  # 4.995, rounded as money

    def test_no_fee(self):
        self.with_fees()
        for values in ({"bd_fee_bearer": "payer"}, {"bd_fee_bearer": "merchant"}):
            self.provider.write(values)
            fee = Decimal("0.00") if values["bd_fee_bearer"] == "merchant" else Decimal("9.00")
            tx = self.pay(self.create_tx(500), fee=fee)
            self.assertEqual((tx.gateway_fee, bool(tx.gateway_fee_move_id)), (0, False))

    def test_a_fee_that_eats_the_payment_is_not_believed(self):
        self.with_fees()
        tx = self.pay(self.create_tx(500), fee=Decimal("500.00"))
        self.assertEqual(tx.gateway_fee, 0)

    def test_a_fee_without_an_account_is_noted(self):
        tx = self.pay(self.create_tx(500), fee=Decimal("9.00"))
        self.assertFalse(tx.gateway_fee_move_id)
        self.assertIn("not booked", tx.gateway_note)
        self.assertTrue(tx.payment_id)

    def test_the_fee_is_booked_once(self):
        self.with_fees()
        tx = self.pay(self.create_tx(500), fee=Decimal("9.00"))
        entry = tx.gateway_fee_move_id
        tx._bd_book_fee(tx.payment_id)
        self.assertEqual(tx.gateway_fee_move_id, entry)
