"""Settlement reports: each row matched with its payment, each difference shown."""

import base64
from decimal import Decimal

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..gateways.common import PENDING
from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestSettlement(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider.bd_fee_account_id = cls.fee_account

    def read_report(self, *rows, heading="Trx ID,Amount,Fee,Net,Type,Order Id,Date", **values):
        settlement = (
            self.env["isp.gateway.settlement"]
            .with_user(self.accountant)
            .create(
                {
                    "journal_id": self.journal.id,
                    "file": base64.b64encode("\n".join([heading, *rows]).encode()),
                    "filename": "report.csv",
                    **values,
                }
            )
        )
        settlement.action_read()
        return settlement

    def statuses(self, settlement):
        return settlement.line_ids.sorted("id").mapped("status")

    def paid(self, amount=500, fee="7.50"):
        return self.pay(self.create_tx(amount, self.create_bill(amount)), fee=Decimal(fee))

    def test_rows_and_their_payments(self):
        good, cheap, dear = self.paid(), self.paid(), self.paid()
        open_tx = self.create_tx(500)
        self.settle(open_tx, self.verified(open_tx, PENDING))
        settlement = self.read_report(
            f"{good.provider_reference},500.00,7.50,492.50,Payment,,",
            f"{cheap.provider_reference},400.00,7.50,392.50,Payment,,",
            f"{dear.provider_reference},500.00,9.00,491.00,Payment,,",
            f"X1,500.00,7.50,492.50,Payment,{open_tx.gateway_order_id},",
            "X2,500.00,7.50,492.50,Payment,,",
            f"{good.provider_reference},500.00,7.50,492.50,Payment,,",
            "X3,500.00,7.50,400.00,Payment,,",
        )
        self.assertEqual(
            self.statuses(settlement),
            ["matched", "amount", "fee", "state", "unknown", "repeated", "unknown"],
        )
        self.assertEqual(settlement.line_ids[0].transaction_id, good)
        self.assertEqual((settlement.row_count, settlement.difference_count), (7, 6))
        self.assertEqual(settlement.amount_total, 3400)
        self.assertEqual(settlement.name, "report.csv")

    def test_a_row_that_does_not_add_up(self):
        tx = self.paid()
        settlement = self.read_report(f"{tx.provider_reference},500.00,7.50,400.00,Payment,,")
        self.assertEqual(self.statuses(settlement), ["odd"])

    def test_refunds(self):
        tx, other = self.paid(), self.paid()
        child = self.refund(tx, 200)
        second = self.refund(other, 100)
        settlement = self.read_report(
            f"{child.provider_reference},-200.00,,,,,",
            # The report may name a refund by its payment only.
            f"{other.provider_reference},100.00,,,Refund,,",
            f"{tx.provider_reference},500.00,7.50,492.50,Payment,,",
        )
        self.assertEqual(self.statuses(settlement), ["matched"] * 3)
        self.assertEqual(settlement.line_ids.transaction_id, child | second | tx)
        self.assertEqual(settlement.refund_total, 300)
        self.assertEqual(settlement.net_total, 500 - 300 - 7.5)

    def test_what_the_report_does_not_have(self):
        tx, other = self.paid(), self.paid()
        today = fields.Date.context_today(self.env["res.users"].with_context(tz="Asia/Dhaka"))
        row = f"{tx.provider_reference},500.00,7.50,492.50,Payment,,{today}"
        settlement = self.read_report(row)
        self.assertEqual((settlement.date_from, settlement.date_to), (today, today))
        self.assertIn(
            other,
            settlement.line_ids.filtered(lambda line: line.status == "missing").transaction_id,
        )
        # The next report has it: nothing is missing in it that another one has.
        second = self.read_report(f"{other.provider_reference},500.00,7.50,492.50,Payment,,{today}")
        self.assertNotIn("missing", self.statuses(second))
        settlement.action_match()
        self.assertEqual(self.statuses(settlement), ["matched"])

    def test_the_same_report_twice(self):
        tx = self.paid()
        row = f"{tx.provider_reference},500.00,7.50,492.50,Payment,,"
        self.assertEqual(self.statuses(self.read_report(row)), ["matched"])
        self.assertEqual(self.statuses(self.read_report(row)), ["repeated"])

    def test_reading_anew_replaces_the_rows(self):
        tx = self.paid()
        settlement = self.read_report(f"{tx.provider_reference},500.00,7.50,492.50,Payment,,")
        settlement.action_read()
        self.assertEqual(self.statuses(settlement), ["matched"])

    def test_fees_that_differ_are_booked_once(self):
        first, second = self.paid(), self.paid()
        unbooked = self.paid(fee="0.00")
        settlement = self.read_report(
            f"{first.provider_reference},500.00,9.00,491.00,Payment,,",
            f"{second.provider_reference},500.00,7.00,493.00,Payment,,",
            f"{unbooked.provider_reference},500.00,4.00,496.00,Payment,,",
        )
        self.assertEqual(self.statuses(settlement), ["fee"] * 3)
        settlement.action_book_fees()
        self.assertEqual(self.statuses(settlement), ["matched"] * 3)
        entry = settlement.line_ids.fee_move_id
        self.assertEqual(len(entry), 1)
        lines = entry.line_ids.filtered(lambda line: line.account_id == self.fee_account)
        self.assertEqual(lines.balance, 1.5 - 0.5 + 4.0)
        self.assertEqual((first.gateway_fee, second.gateway_fee, unbooked.gateway_fee), (9, 7, 4))
        with self.assertRaises(UserError):
            settlement.action_book_fees()

    def receive(self, reference, amount=500.0, state="done", **values):
        """Book money that came without an order, at a QR code for example."""
        receipt = self.env["isp.gateway.receipt"].create(
            {
                "provider_id": self.provider.id,
                "currency_id": self.bdt.id,
                "reference": reference,
                "amount": amount,
                "paid_at": "2026-03-05 06:00:00",
                "state": "review",
                **values,
            }
        )
        if state == "done":
            receipt._book(self.customer)
        return receipt

    def test_money_without_an_order_is_in_the_report_too(self):
        self.provider.bd_fee_percent = 1.5
        good, cheap, dear = (self.receive(f"QR{number}") for number in range(3))
        waiting, missing = self.receive("QR3", state="review"), self.receive("QR4")
        self.assertEqual((good.gateway_fee, good.gateway_fee_move_id.state), (7.5, "posted"))
        settlement = self.read_report(
            "QR0,500.00,7.50,492.50,Payment,,2026-03-05",
            "QR1,400.00,7.50,392.50,Payment,,2026-03-05",
            "QR2,500.00,9.00,491.00,Payment,,2026-03-05",
            "QR3,500.00,7.50,492.50,Payment,,2026-03-05",
            "QR0,500.00,7.50,492.50,Payment,,2026-03-05",
        )
        self.assertEqual(
            self.statuses(settlement),
            ["matched", "amount", "fee", "state", "repeated", "missing"],
        )
        lines = settlement.line_ids.sorted("id")
        self.assertEqual(lines[:4].receipt_id, good | cheap | dear | waiting)
        self.assertEqual(lines[-1].receipt_id, missing)
        self.assertEqual(lines[0].partner_id, self.customer)
        self.assertEqual((lines[0].booked_amount, lines[0].booked_fee), (500, 7.5))
        settlement.action_book_fees()
        self.assertEqual(lines[2].status, "matched")
        self.assertEqual((dear.gateway_fee, lines[2].fee_move_id.state), (9, "posted"))

    def test_the_fee_of_money_without_an_order_that_cannot_be_booked_is_said(self):
        self.provider.bd_fee_percent = 1.5
        self.patch(
            self.registry["isp.gateway.receipt"],
            "_bd_book_fee",
            lambda receipt, payment: "The fee is not booked",
        )
        receipt = self.receive("QR9")
        self.assertEqual((receipt.state, receipt.note), ("done", "The fee is not booked"))

    def test_a_checked_report_is_closed(self):
        settlement = self.read_report("X1,500.00,,,,,")
        settlement.action_done()
        for action in ("action_read", "action_match", "action_book_fees"):
            with self.assertRaises(UserError):
                getattr(settlement, action)()
        with self.assertRaises(UserError):
            settlement.unlink()
        settlement.action_reopen()
        settlement.action_match()

    def test_files_and_settings_that_cannot_be_read(self):
        for content, words in (
            ("Foo,Bar\nA1,5", "Foo, Bar"),
            ("TrxID,Amount\nA1,abc", "Row 2"),
            ("TrxID,Amount\n", "no payments"),
        ):
            with self.subTest(content), self.assertRaisesRegex(UserError, words):
                self.read_report(*content.split("\n")[1:], heading=content.split("\n")[0])
        with self.assertRaisesRegex(UserError, "Choose the file"):
            self.read_report(file=False)
        other = self.journal.copy()
        with self.assertRaisesRegex(UserError, "No gateway books"):
            self.read_report("A1,5,,,,,", journal_id=other.id)

    def test_columns_that_the_shop_names(self):
        tx = self.paid()
        self.provider.bd_settlement_columns = "reference = Foo\n\namount=Bar"
        settlement = self.read_report(f"{tx.provider_reference},500", heading="Foo,Bar")
        self.assertEqual(self.statuses(settlement), ["matched"])
        self.provider.bd_settlement_columns = "price = Bar"
        with self.assertRaisesRegex(UserError, "price = Bar"):
            settlement.action_read()

    def test_who_may(self):
        settlement = self.read_report("X1,500.00,,,,,")
        user = new_test_user(self.env, "gw_clerk", groups="base.group_user")
        with self.assertRaises(AccessError):
            settlement.with_user(user).read(["name"])
        company = self.env["res.company"].create({"name": "Other", "currency_id": self.bdt.id})
        stranger = new_test_user(
            self.env,
            "gw_stranger",
            groups="base.group_user,account.group_account_invoice",
            company_id=company.id,
            company_ids=[fields.Command.set(company.ids)],
        )
        for records in (settlement, settlement.line_ids):
            with self.assertRaises(AccessError):
                records.with_user(stranger).read(["company_id"])

    def test_many_rows_cost_few_queries(self):
        txs = [self.paid() for _n in range(3)]
        rows = [f"{tx.provider_reference},500.00,7.50,492.50,Payment,," for tx in txs]
        rows += [f"X{n},500.00,,,,," for n in range(300)]
        settlement = self.read_report(rows[0])
        settlement.file = base64.b64encode(
            "\n".join(["Trx ID,Amount,Fee,Net,Type,Order Id,Date", *rows]).encode()
        )
        self.env.flush_all()
        with self.assertQueryCount(60):
            settlement.action_read()
            self.env.flush_all()
        self.assertEqual(settlement.row_count, 303)
