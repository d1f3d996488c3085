from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestCredits(IspBillingCase):
    """Bills below zero, and credits that settle new bills."""

    def add_line(self, subscription, price):
        return subscription.line_ids.create(
            {
                "subscription_id": subscription.id,
                "product_id": self.plan_office.product_id.id,
                "name": "Compensation",
                "line_type": "addon",
                "price_unit": price,
            }
        )

    def pay_ahead(self, amount, day="2027-02-20", **vals):
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "payment_type": "inbound",
                "partner_type": "customer",
                "amount": amount,
                "date": day,
                **vals,
            }
        )
        payment.action_post()
        return payment

    def bill_of(self, subscription):
        return subscription.charge_ids.move_id.sorted("id")[-1]

    @proves("P-04")
    def test_a_payment_that_was_in_the_books_is_kept(self):
        payment = self.pay_ahead(500.0)
        for step in (lambda: None, payment.action_draft, payment.action_cancel):
            step()
            with self.subTest(state=payment.state):
                with self.assertRaisesRegex(UserError, "so it is kept"), self.env.cr.savepoint():
                    payment.unlink()
                self.assertEqual((payment.exists(), payment.amount), (payment, 500.0))

    def test_a_payment_that_was_never_posted_can_be_deleted(self):
        draft = self.env["account.payment"].create({"partner_id": self.customer.id, "amount": 5})
        draft.unlink()
        self.assertFalse(draft.exists())

    # === BILLS BELOW ZERO === #

    def test_charges_below_zero_make_a_credit_note(self):
        subscription = self.create_subscription()
        self.add_line(subscription, -1200.0)
        run = self.bill("2027-03-10")
        move = subscription.charge_ids.move_id
        self.assertEqual((move.move_type, move.state), ("out_refund", "posted"))
        self.assertEqual(move.amount_total, 200.0)
        self.assertEqual(sorted(move.invoice_line_ids.mapped("price_unit")), [-1000.0, 1200.0])
        for charge in subscription.charge_ids:
            self.assertEqual(charge.invoice_line_id.price_unit, -charge.amount)
        self.assertEqual((run.invoice_count, run.amount_total), (1, -200.0))
        self.assertEqual(subscription.amount_due, 0.0)

    def test_taxes_decide_on_which_side_of_zero_a_bill_is(self):
        tax = self.env["account.tax"].create(
            {"name": "VAT 10", "amount": 10.0, "type_tax_use": "sale"}
        )
        self.plan_office.product_id.taxes_id = tax
        subscription = self.create_subscription()
        self.add_line(subscription, -950.0)  # 1,000.00 less 1,045.00
        self.bill("2027-03-10")
        move = subscription.charge_ids.move_id
        self.assertEqual((move.move_type, move.amount_total), ("out_refund", 45.0))

    def test_a_bill_of_zero_is_paid_at_once(self):
        subscription = self.create_subscription()
        self.add_line(subscription, -1000.0)
        self.bill("2027-03-10")
        move = subscription.charge_ids.move_id
        self.assertEqual((move.move_type, move.amount_total), ("out_invoice", 0.0))
        self.assertEqual(move.payment_state, "paid")
        self.assertEqual(len(move.invoice_line_ids), 2)

    def test_all_kinds_of_bills_in_one_batch(self):
        subscriptions = self.env["isp.subscription"]
        for price in (-1200.0, None, -1000.0, None, -1500.0, None):
            one = self.create_subscription()
            if price:
                self.add_line(one, price)
            subscriptions |= one
        run = self.bill("2027-03-10")
        self.assertFalse(run.exception_ids)
        self.assertEqual(
            [
                (self.bill_of(one).move_type, self.bill_of(one).amount_total)
                for one in subscriptions
            ],
            [
                ("out_refund", 200.0),
                ("out_invoice", 1000.0),
                ("out_invoice", 0.0),
                ("out_invoice", 1000.0),
                ("out_refund", 500.0),
                ("out_invoice", 1000.0),
            ],
        )
        self.assertEqual(run.bulk_count, 2)
        self.assertIn("credit note", run.fallback_reasons)

    # === CREDITS ARE USED === #

    def test_a_payment_in_advance_settles_the_new_bill(self):
        self.pay_ahead(1500.0)
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.assertIn(self.bill_of(subscription).payment_state, ("paid", "in_payment"))
        self.bill("2027-04-01")
        self.assertEqual(self.bill_of(subscription).amount_residual, 500.0)
        self.assertEqual(subscription.amount_due, 500.0)

    def test_a_credit_note_of_the_run_settles_the_next_bill(self):
        subscription = self.create_subscription()
        line = self.add_line(subscription, -1200.0)
        self.bill("2027-03-10")
        line.date_to = "2027-04-01"
        self.bill("2027-04-01")
        self.assertEqual(self.bill_of(subscription).amount_residual, 800.0)

    def test_the_oldest_due_is_settled_first(self):
        subscription = self.create_subscription(date_start="2027-02-01")
        self.bill("2027-02-01")
        february = self.bill_of(subscription)
        self.pay_ahead(1200.0)
        self.assertEqual(february.amount_residual, 1000.0, "nobody has reconciled it")
        self.bill("2027-03-01")
        march = self.bill_of(subscription)
        self.assertEqual((february.amount_residual, march.amount_residual), (0.0, 800.0))

    def test_a_credit_that_settles_what_is_due_gives_the_service_back(self):
        subscription = self.create_subscription(date_start="2027-02-01")
        self.bill("2027-02-01")
        subscription._suspend("overdue", "Unpaid")
        february = self.bill_of(subscription)
        self.pay_ahead(2000.0)
        self.bill("2027-03-01")
        self.assertEqual(february.amount_residual, 0.0)
        self.assertEqual((subscription.state, subscription.amount_due), ("active", 0.0))
        self.assertEqual(subscription.entitlement_ids.access, "full")

    def test_credits_are_left_alone_where_the_company_says_so(self):
        self.company.isp_apply_credits = False
        self.pay_ahead(1500.0)
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.assertEqual(self.bill_of(subscription).amount_residual, 1000.0)

    def test_other_credits_are_never_touched(self):
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        self.pay_ahead(1500.0, partner_id=stranger.id)
        draft = self.env["account.payment"].create(
            {"partner_id": self.customer.id, "payment_type": "inbound", "amount": 1500.0}
        )
        abroad = self.pay_ahead(1500.0, currency_id=self.env.ref("base.USD").id)
        other_account = self.pay_ahead(1500.0)
        receivable = self.customer.property_account_receivable_id
        self.customer.property_account_receivable_id = receivable.copy({"code": "100298"})
        elsewhere = self.create_elsewhere_credit(1500.0)
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        self.assertEqual(self.bill_of(subscription).amount_residual, 1000.0)
        self.assertFalse((abroad | other_account).move_id.line_ids.matched_debit_ids)
        self.assertFalse(elsewhere.line_ids.matched_debit_ids)
        self.assertEqual(draft.state, "draft")

    def create_elsewhere_credit(self, amount):
        """A credit of the same customer in another company, on an account of both."""
        company = self.env["res.company"].create({"name": "Second Net"})
        self.env.user.company_ids |= company
        env = self.env(context=dict(self.env.context, allowed_company_ids=company.ids))
        receivable = self.customer.property_account_receivable_id
        receivable.write(
            {
                "company_ids": [Command.link(company.id)],
                "code_mapping_ids": [Command.create({"company_id": company.id, "code": "100297"})],
            }
        )
        income = env["account.account"].create(
            {"name": "Income", "code": "400100", "account_type": "income"}
        )
        journal = env["account.journal"].create({"name": "Misc", "code": "MI", "type": "general"})
        move = env["account.move"].create(
            {
                "journal_id": journal.id,
                "line_ids": [
                    (
                        0,
                        0,
                        {"account_id": receivable.id, "partner_id": self.customer.id}
                        | {"credit": amount},
                    ),
                    (0, 0, {"account_id": income.id, "debit": amount}),
                ],
            }
        )
        move._post()
        return move

    def test_a_blocked_invoice_is_not_settled(self):
        subscription = self.create_subscription(date_start="2027-02-01")
        self.bill("2027-02-01")
        february = self.bill_of(subscription)
        february.payment_state = "blocked"
        self.pay_ahead(1200.0)
        self.bill("2027-03-01")
        self.assertEqual(february.amount_residual, 1000.0)
        self.assertIn(self.bill_of(subscription).payment_state, ("paid", "in_payment"))

    def test_one_query_for_customers_without_credit(self):
        subscriptions = self.env["isp.subscription"]
        for number in range(12):
            partner = self.env["res.partner"].create({"name": f"Customer {number}"})
            subscriptions |= self.create_subscription(partner_id=partner.id)
        self.company.isp_apply_credits = False
        self.bill("2027-03-10")
        self.company.isp_apply_credits = True
        moves = subscriptions.charge_ids.move_id
        self.env.flush_all()
        self.env.invalidate_all()
        moves.mapped("commercial_partner_id.name")
        with self.assertQueryCount(4):
            self.assertFalse(moves._isp_apply_credits())

    def test_copied_bills_use_credits_as_well(self):
        subscriptions = self.env["isp.subscription"]
        for number in range(6):
            partner = self.env["res.partner"].create({"name": f"Customer {number}"})
            subscriptions |= self.create_subscription(partner_id=partner.id)
            if number % 2:
                self.pay_ahead(600.0 + number, partner_id=partner.id)
        run = self.bill("2027-03-10")
        self.assertEqual(run.bulk_count, 5)
        self.assertEqual(
            [self.bill_of(one).amount_residual for one in subscriptions],
            [1000.0, 399.0, 1000.0, 397.0, 1000.0, 395.0],
        )
        self.assertEqual(run.amount_residual, sum(subscriptions.mapped("amount_due")))
