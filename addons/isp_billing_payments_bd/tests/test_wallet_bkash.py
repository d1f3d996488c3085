from odoo import fields
from odoo.tests import tagged

from odoo.addons.isp_payments_bd.tests.bkash_common import BkashCommon


@tagged("post_install", "-at_install")
class TestWalletBkash(BkashCommon):
    """A saved bKash wallet: with the PIN a link, without it a charge."""

    def setUp(self):
        super().setUp()
        # The job commits before it charges; here everything is rolled back after each test.
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda *_a, **_k: 99)
        self.customer.email = "rahima@example.com"
        self.company.partner_id.tz = "Asia/Dhaka"
        self.env.user.sudo().group_ids |= self.env.ref("isp_base.group_isp_manager")
        self.plan = self.env["isp.plan"].create(
            {"name": "Home", "price": 21000.0, "tax_ids": [fields.Command.clear()]}
        )
        today = self.company._get_isp_today()
        self.service = self.env["isp.subscription"].create(
            {"partner_id": self.customer.id, "plan_id": self.plan.id, "date_start": today}
        )
        self.service._activate()
        unused = self.bill()
        self.token = self.saved_wallet(unused)
        unused.button_draft()
        unused.button_cancel()
        self.token._isp_set_pays_bills(True)
        self.internet_bill = self.service._bill(today, today)
        self.assertEqual(self.internet_bill.state, "posted")

    def pay_one(self):
        charge = self.env["isp.wallet.charge"].sudo()._pay_one(self.internet_bill)
        self.run_after_commit()
        sent = charge.transaction_id.sudo()
        if sent.state == "pending" and not sent.bkash_pay_url:
            # What follows the second commit; the cursor of tests drops it.
            sent._bd_settle("charge", hint={"status": "success"})
        return charge

    def mails(self):
        return self.env["mail.mail"].sudo().search([("model", "=", "isp.wallet.charge")])

    def test_a_wallet_with_a_pin_gets_a_link_once(self):
        charge = self.pay_one()
        self.assertEqual(charge.occasion, "link")
        self.assertFalse(self.pay_one())
        mail = self.mails()
        self.assertEqual(len(mail), 1)
        self.assertIn("asks for your PIN", mail.body_html)
        self.assertIn(f"/my/invoices/{self.internet_bill.id}", mail.body_html)
        self.assertFalse(self.internet_bill.transaction_ids)
        url = charge._get_pay_url()
        page = self.url_open("/" + url.split("/", 3)[3])
        self.assertEqual(page.status_code, 200)
        self.assertIn("bKash", page.text)

    def test_a_customer_without_mail_is_shown_to_staff(self):
        self.customer.email = False
        self.assertIn("no e-mail address", self.pay_one().note)
        self.assertFalse(self.mails())

    def test_a_contract_without_pin_pays_by_itself(self):
        self.gateway.pin_page = False
        self.provider.isp_unattended = True
        charge = self.pay_one()
        self.assertEqual(charge.transaction_state, "done", charge.transaction_id.gateway_note)
        self.assertPaidOnce(charge.transaction_id, self.internet_bill)
        self.assertFalse(self.pay_one())
        self.assertFalse(self.mails())

    def test_an_answer_that_is_lost_is_never_asked_for_with_a_second_charge(self):
        self.gateway.pin_page = False
        self.provider.isp_unattended = True
        before = len(self.gateway.received("execute"))
        self.gateway.faults.add("execute", lose=True)
        self.gateway.faults.add("query", status=503)  # asked at once, for want of the answer
        charge = self.pay_one()
        self.assertEqual(charge.transaction_state, "pending")
        self.assertFalse(self.pay_one())
        charge.transaction_id._bd_settle("job")
        self.assertPaidOnce(charge.transaction_id, self.internet_bill)
        self.assertEqual(len(self.gateway.received("execute")) - before, 1)

    def test_a_wallet_that_was_cancelled_at_bkash(self):
        self.provider.isp_unattended = True
        self.gateway.agreements[self.token.provider_ref].active = False
        self.assertEqual(self.pay_one().transaction_state, "error")
        self.assertEqual(self.pay_one().occasion, "link")
        self.assertIn("could not take", self.mails().body_html)

    def test_the_customer_is_just_paying(self):
        self.start(self.internet_bill)
        self.provider.isp_unattended = True
        self.assertFalse(self.pay_one())

    def test_money_that_came_twice_pays_the_oldest_bill_first(self):
        owed = self.internet_bill.amount_residual
        bill = self.bill(500.0)
        second = self.start(bill)
        self.pay(self.start(bill))
        self.gateway.clock.advance(150)  # bKash refuses the same amount within two minutes
        self.pay(second)
        self.assertEqual(self.internet_bill.amount_residual, owed - 500.0)
        self.assertFalse(second.gateway_paid_twice)
        self.assertFalse(second.activity_ids)

    def test_what_no_bill_takes_is_a_credit_for_staff(self):
        self.pay(self.start(self.internet_bill))
        bill = self.bill(500.0)
        second = self.start(bill)
        self.pay(self.start(bill))
        self.gateway.clock.advance(150)
        self.pay(second)
        self.assertTrue(second.gateway_paid_twice)
        self.assertIn("500.00", second.activity_ids.note)
