from odoo.tests import tagged

from .bkash_common import BkashCommon


@tagged("post_install", "-at_install")
class TestBkashWallets(BkashCommon):
    def charge(self, bill, token, operation):
        tx = self.create_tx(bill, operation=operation, token_id=token.id)
        tx._charge_with_token()
        self.run_after_commit()
        if operation == "offline" and tx.gateway_payment_id:
            # What follows the second commit; a cursor of the tests has none.
            hint = {} if tx.bkash_pay_url else {"status": "success"}
            tx._bd_settle("charge", hint=hint)
        return tx

    def test_a_wallet_is_saved_without_a_payment(self):
        token = self.saved_wallet()
        self.assertEqual(token.payment_details, "017****1111")
        self.assertIn(token.provider_ref, self.gateway.agreements)
        self.assertFalse(token.bkash_is_live)
        self.assertEqual(self.gateway.merchant_balance, 0)

    def test_saving_that_the_customer_breaks_off_saves_nothing(self):
        for choice, state in (("cancel", "cancel"), ("fail", "error"), ("close", "draft")):
            with self.subTest(choice):
                tx = self.create_tx(
                    self.bill(), operation="validation", tokenize=True, amount=0, invoice_ids=False
                )
                tx._get_processing_values()
                url = self.gateway.customer(tx.gateway_payment_id, choice)
                if url:
                    self.come_back(url)
                tx._bd_settle("job")
                self.assertEqual(tx.state, state)
                self.assertFalse(tx.token_id)

    def test_a_wallet_is_saved_while_paying(self):
        """The customer confirms the wallet, then the payment; each return may come twice."""
        bill = self.bill()
        tx = self.start(bill, tokenize=True)
        saving_id = tx.gateway_payment_id
        first = self.gateway.customer(saving_id)
        for _time in range(2):
            response = self.come_back(first)
            self.assertEqual(response.headers["Location"], tx.bkash_pay_url)
        self.assertEqual(tx.bkash_pay_url, self.gateway.pay_url(tx.gateway_payment_id))
        self.assertNotEqual(tx.gateway_payment_id, saving_id)
        self.assertNothingPaid(tx, bill)
        self.assertEqual(len(self.gateway.agreements), 1)
        second = self.gateway.customer(tx.gateway_payment_id)
        for _time in range(2):
            self.assertIn("/payment/status", self.come_back(second).headers["Location"])
        self.come_back(first)
        self.assertPaidOnce(tx, bill)
        self.assertEqual(tx.token_id.payment_details, "017****1111")
        self.assertEqual(self.env["payment.token"].search_count([("id", "=", tx.token_id.id)]), 1)

    def test_a_wallet_that_needs_no_pin_is_paid_from_at_once(self):
        self.gateway.pin_page = False
        bill = self.bill()
        tx = self.start(bill, tokenize=True)
        response = self.come_back(self.gateway.customer(tx.gateway_payment_id))
        self.assertNothingPaid(tx, bill)
        self.assertIn(f"/payment/bkash/return/{tx.gateway_order_id}", response.headers["Location"])
        self.come_back(response.headers["Location"])
        self.assertPaidOnce(tx, bill)

    def test_paying_from_a_saved_wallet_asks_for_the_pin(self):
        token = self.saved_wallet()
        bill = self.bill()
        tx = self.charge(bill, token, "online_token")
        self.assertEqual(tx.state, "draft")
        html = str(tx._get_processing_values()["redirect_form_html"])
        self.assertIn(tx.gateway_payment_id, html)
        self.assertNotIn("redirect_form_html", tx._get_processing_values(), "started only once")
        self.assertNothingPaid(tx, bill)
        self.pay(tx)
        self.assertPaidOnce(tx, bill)

    def test_a_pending_payment_from_a_wallet_is_not_started_again_by_the_job(self):
        token = self.saved_wallet()
        tx = self.charge(self.bill(), token, "online_token")
        tx._get_processing_values()
        url = self.gateway.customer(tx.gateway_payment_id)
        self.gateway.faults.add("execute", lose=True)
        self.gateway.faults.add("query", status=503)
        self.come_back(url)
        self.assertEqual(tx.state, "pending")
        created = len(self.gateway.received("create"))
        tx.gateway_next_ask_at = "2020-01-01"
        tx._bd_reconcile_one()
        self.assertEqual(tx.state, "done")
        self.assertEqual(len(self.gateway.received("create")), created)

    def test_an_unattended_charge_that_needs_the_pin_keeps_a_link(self):
        token = self.saved_wallet()
        bill = self.bill()
        tx = self.charge(bill, token, "offline")
        self.assertEqual((tx.state, tx.gateway_status), ("pending", "pending"))
        self.assertEqual(tx.bkash_pay_url, self.gateway.pay_url(tx.gateway_payment_id))
        self.assertNothingPaid(tx, bill)
        self.pay(tx)
        self.assertPaidOnce(tx, bill)

    def test_an_unattended_charge_without_pin_is_paid(self):
        self.gateway.pin_page = False
        token = self.saved_wallet()
        bill = self.bill()
        tx = self.charge(bill, token, "offline")
        self.assertPaidOnce(tx, bill)

    def test_a_wallet_that_the_customer_cancelled_at_bkash(self):
        token = self.saved_wallet()
        self.gateway.agreements[token.provider_ref].active = False
        bill = self.bill()
        tx = self.charge(bill, token, "offline")
        self.assertEqual(tx.state, "error")
        self.assertIn("cancelled the saved wallet", tx.gateway_note)
        self.assertNotIn("bKash: 2053", tx.state_message)

    def test_a_wallet_that_is_removed_is_cancelled_at_bkash_until_it_is(self):
        token = self.saved_wallet()
        token.action_archive()
        self.assertTrue(token.bkash_to_cancel)
        agreement = self.gateway.agreements[token.provider_ref]
        with self.assertLogs("odoo.addons.isp_payments_bd.models.payment_token_bkash", "WARNING"):
            self.gateway.faults.add("agreement_cancel", status=503)
            self.run_cancel_job()
        self.assertTrue(token.bkash_to_cancel and agreement.active)
        self.run_cancel_job()
        self.assertFalse(token.bkash_to_cancel or agreement.active)
        self.run_cancel_job()
        self.assertEqual(len(self.gateway.received("agreement_cancel")), 2)

    def test_a_wallet_of_the_sandbox_is_not_cancelled_in_live_mode(self):
        token = self.saved_wallet()
        self.provider.state = "enabled"
        self.assertFalse(token.active)
        self.run_cancel_job()
        self.assertTrue(token.bkash_to_cancel)
        self.assertFalse(self.gateway.received("agreement_cancel"))

    def run_cancel_job(self):
        self.env.ref("isp_payments_bd.payment_token_cron_bkash_cancel").method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestBkashRefunds(BkashCommon):
    def refund(self, tx, amount):
        """Press the button Refund; return the refund after it was sent."""
        tx.action_refund(amount_to_refund=amount)
        child = tx.child_transaction_ids.sorted("id")[-1]
        self.run_after_commit()
        return child

    def listed(self, tx):
        return self.gateway.transactions[tx.provider_reference].refunds

    def test_partial_and_full_refunds(self):
        tx = self.pay(self.start(self.bill(500.0)))
        first, second = self.refund(tx, 100), self.refund(tx, 400)
        self.assertEqual([first.state, second.state], ["done", "done"])
        self.assertEqual(
            [one[0] for one in self.listed(tx)], (first | second).mapped("provider_reference")
        )
        self.assertEqual(self.gateway.merchant_balance, 0)
        outbound = self.payments(first | second)
        self.assertEqual(outbound.mapped("payment_type"), ["outbound", "outbound"])
        self.assertEqual(sum(outbound.mapped("amount")), 500)

    def test_contracts_with_one_refund(self):
        self.provider.bkash_refund_version = "1"
        tx = self.pay(self.start(self.bill(500.0)))
        self.assertEqual(self.refund(tx, 100).state, "done")
        second = self.refund(tx, 50)
        self.assertEqual(second.state, "error")
        self.assertIn("only once", second.gateway_note)
        self.assertEqual(self.gateway.merchant_balance, 400)

    def test_a_refund_whose_answer_is_lost_is_found_in_the_list_and_not_sent_again(self):
        tx = self.pay(self.start(self.bill(500.0)))
        self.gateway.faults.add("refund", lose=True)
        refund = self.refund(tx, 100)
        self.assertEqual((refund.state, refund.gateway_status), ("pending", "unknown"))
        other = self.refund(tx, 50)
        self.assertEqual(other.state, "error")
        self.assertIn("still under way", other.gateway_note)
        refund._bd_settle("job")
        self.assertEqual(refund.state, "done")
        self.assertEqual(len(self.gateway.received("refund")), 1)
        self.assertEqual(len(self.payments(refund)), 1)

    def test_a_refund_that_was_not_made_fails_after_an_hour(self):
        tx = self.pay(self.start(self.bill(500.0)))
        self.gateway.faults.add("refund", status=503)
        refund = self.refund(tx, 100)
        refund._bd_settle("job")
        self.assertEqual((refund.state, refund.gateway_status), ("pending", "pending"))
        refund.gateway_sent_at = "2020-01-01"
        refund._bd_settle("job")
        self.assertEqual(refund.state, "error")
        self.assertFalse(self.payments(refund))
        self.assertEqual(self.refund(tx, 100).state, "done")
        self.assertEqual(self.gateway.merchant_balance, 400)

    def test_a_refund_made_in_the_panel_of_bkash_is_taken_over(self):
        """As after a crash: the customer has the money already and gets it once."""
        tx = self.pay(self.start(self.bill(500.0)))
        self.provider._bd_client().refund(
            version=2,
            payment_id=tx.gateway_payment_id,
            trx_id=tx.provider_reference,
            amount=self.start(self.bill(100.0))._bd_amount(),
            sku="x",
            reason="x",
        )
        refund = self.refund(tx, 100)
        self.assertEqual((refund.state, len(self.listed(tx))), ("done", 1))
        self.assertIn("already", refund.gateway_note)
        self.assertEqual(self.refund(tx, 100).state, "done")
        self.assertEqual(len(self.listed(tx)), 2)
