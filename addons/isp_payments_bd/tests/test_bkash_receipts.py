from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .bkash_common import BkashCommon


@tagged("post_install", "-at_install")
class TestBkashReceipts(BkashCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env,
            "receipt_clerk",
            groups="base.group_user,account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def receive(self, amount="250.50", code="C-1001", kind="qr", notify=True):
        """Pay at the counter; return the receipt."""
        trx_id = self.gateway.pay_directly(amount, code, kind)
        payload = self.gateway.notification(self.gateway.transactions[trx_id])
        if notify:
            self.assertEqual(self.notify(payload).status_code, 200)
        return self.receipt(trx_id) if notify else payload

    def receipt(self, trx_id):
        return self.env["isp.gateway.receipt"].search([("reference", "=", trx_id)])

    def test_a_payment_with_a_known_code_is_booked_for_its_customer(self):
        for kind, code in (("qr", "C-1001"), ("ussd", " c-1001 ")):
            with self.subTest(kind=kind, code=code):
                receipt = self.receive(code=code, kind=kind)
                self.assertEqual((receipt.state, receipt.kind), ("done", kind))
                payment = receipt.payment_id
                self.assertEqual(payment.partner_id, self.customer)
                self.assertEqual((payment.amount, payment.payment_type), (250.5, "inbound"))
                self.assertIn(payment.state, ("in_process", "paid"))
                self.assertEqual(payment.journal_id, self.provider.journal_id)
                self.assertIn(receipt.reference, payment.memo)
                self.assertEqual((receipt.payer, receipt.amount), ("017****1111", 250.5))

    def test_the_same_payment_in_many_messages_is_booked_once(self):
        receipt = self.receive()
        payload = self.gateway.notification(self.gateway.transactions[receipt.reference])
        for _time in range(3):
            self.notify(payload)
        self.assertEqual(len(self.receipt(receipt.reference)), 1)
        booked = self.env["account.payment"].search([("memo", "like", receipt.reference)])
        self.assertEqual(booked, receipt.payment_id)

    def test_only_what_bkash_confirms_is_booked_and_the_amount_is_its_own(self):
        payload = self.receive(notify=False)
        self.notify({**payload, "amount": "99999.00", "trxID": payload["trxID"]})
        self.assertEqual(self.receipt(payload["trxID"]).amount, 250.5)
        self.notify({**payload, "trxID": "MADEUP0001"})
        made_up = self.receipt("MADEUP0001")
        self.assertEqual((made_up.state, made_up.amount), ("refused", 0))
        self.assertFalse(made_up.payment_id)

    def test_answers_about_something_else_are_not_booked(self):
        for change in ({"trxID": "OTHER00000"}, {"currency": "USD"}, {"amount": "0.00"}):
            with self.subTest(change=change):
                payload = self.receive(notify=False)
                self.gateway.faults.add("search", change=change)
                self.notify(payload)
                receipt = self.receipt(payload["trxID"])
                self.assertEqual(receipt.state, "refused")
                self.assertFalse(receipt.payment_id)
        self.provider.bkash_short_code = "99999"
        receipt = self.receive()
        self.assertEqual(receipt.state, "refused")
        self.assertIn("50001", receipt.note)

    def test_money_without_a_known_code_waits_for_staff(self):
        self.env["res.partner"].create([{"name": "A", "ref": "TWO"}, {"name": "B", "ref": "TWO"}])
        for code, words in (
            ("", "no code"),
            ("C-9999", "C-9999"),
            ("two", "Several"),
            ("%", "%"),
            ("\0\n", "no code"),
        ):
            with self.subTest(code):
                receipt = self.receive(code=code)
                self.assertEqual(receipt.state, "review")
                self.assertIn(words, receipt.note)
                self.assertFalse(receipt.payment_id)
                self.assertTrue(receipt.activity_ids)

    def test_a_clerk_assigns_it_once(self):
        receipt = self.receive(code="whose?").with_user(self.clerk)
        with self.assertRaises(UserError):
            receipt.action_assign()
        receipt.partner_id = self.customer
        receipt.action_assign()
        self.assertEqual(receipt.state, "done")
        payment = receipt.payment_id
        self.assertEqual((payment.partner_id, payment.amount), (self.customer, 250.5))
        with self.assertRaises(UserError):
            receipt.action_assign()
        self.assertEqual(receipt.payment_id, payment)
        self.assertFalse(receipt.sudo().activity_ids)

    def test_set_aside_and_looked_at_again(self):
        receipt = self.receive(code="").with_user(self.clerk)
        receipt.action_set_aside()
        self.assertEqual(receipt.state, "set_aside")
        with self.assertRaises(UserError):
            receipt.action_assign()
        receipt.action_reopen()
        self.assertEqual(receipt.state, "review")

    def test_rights(self):
        receipt = self.receive(code="")
        user = new_test_user(self.env, "receipt_nobody", groups="base.group_user")
        with self.assertRaises(AccessError):
            receipt.with_user(user).read(["amount"])
        with self.assertRaises(AccessError):
            receipt.with_user(self.clerk).unlink()
        other = self.env["res.company"].create({"name": "Other ISP"})
        stranger = new_test_user(
            self.env,
            "receipt_stranger",
            groups="base.group_user,account.group_account_invoice",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        with self.assertRaises(AccessError):
            receipt.with_user(stranger).read(["amount"])

    def test_when_bkash_is_silent_the_job_asks_again(self):
        payload = self.receive(notify=False)
        self.gateway.faults.add("search", status=503)
        self.notify(payload)
        receipt = self.receipt(payload["trxID"])
        self.assertEqual((receipt.state, receipt.amount), ("new", 0))
        self.assertTrue(receipt.next_ask_at)
        receipt.next_ask_at = "2020-01-01"
        self.env.ref("isp_payments_bd.isp_gateway_receipt_cron_ask").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual((receipt.state, receipt.payment_id.amount), ("done", 250.5))
        self.assertFalse(receipt.next_ask_at)

    @mute_logger("odoo.addons.isp_payments_bd.controllers.bkash")
    def test_a_payment_of_ours_is_not_booked_as_a_receipt_too(self):
        tx = self.pay(self.start())
        payload = self.payload_of(tx)
        self.notify({**payload, "merchantInvoiceNumber": ""})
        receipt = self.receipt(tx.provider_reference)
        self.assertEqual(receipt.state, "refused")
        self.assertIn(tx.reference, receipt.note)

    def test_an_order_of_another_shop_waits_for_staff(self):
        trx_id = self.gateway.pay_directly("10", "C-1001", "api")
        self.notify(self.gateway.notification(self.gateway.transactions[trx_id]))
        self.assertEqual(self.receipt(trx_id).state, "review")

    def test_without_a_journal_the_money_waits(self):
        receipt = self.receive(code="")
        self.provider.state = "disabled"
        self.provider.journal_id = False
        receipt.partner_id = self.customer
        with self.assertRaisesRegex(UserError, "journal"):
            receipt.action_assign()
        self.assertEqual(receipt.state, "review")
