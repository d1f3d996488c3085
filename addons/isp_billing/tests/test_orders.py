from odoo.tests import tagged

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestOrders(IspBillingCase):
    """A fee on a bill of its own, which the customer may leave unpaid."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription()
        cls.march = cls.subscription._bill(cls.day("2027-03-01"), cls.day("2027-03-01"))
        cls.pay(cls, cls.march)

    @classmethod
    def day(cls, text):
        return cls.env["isp.charge"]._fields["date_from"].to_date(text)

    def create_fee(self, **vals):
        return self.env["isp.subscription.fee"].create(
            {
                "subscription_id": self.subscription.id,
                "product_id": self.plan_home.product_id.id,
                "name": "Visit",
                "amount": 300,
                **vals,
            }
        )

    def order(self, due="2027-03-05"):
        fee = self.create_fee()
        return fee, fee._bill_alone(
            isp_is_order=True, invoice_payment_term_id=False, invoice_date_due=due
        )

    def test_a_fee_is_billed_alone_and_once(self):
        waiting = self.create_fee(name="Router", amount=70)
        fee, bill = self.order()
        self.assertEqual((bill.state, bill.amount_total), ("posted", 300))
        self.assertEqual(bill.isp_charge_ids, fee.charge_ids)
        self.assertEqual(str(bill.invoice_date_due), "2027-03-05")
        self.assertEqual(str(bill.invoice_date), "2027-03-10")
        self.assertFalse(waiting.charge_ids)
        self.bill("2027-04-01")
        april = self.subscription.charge_ids.move_id - bill - self.march
        self.assertEqual(april.amount_total, 1070, "the month and the router, not the visit again")

    def test_nobody_is_reminded_of_an_order_or_loses_the_service(self):
        fee, bill = self.order()
        with self.at("2027-03-20 06:00:00"):
            self.assertFalse(self.subscription._get_unpaid_since())
            self.subscription._dun(self.company)
            self.assertEqual(self.subscription.state, "active")
            self.assertEqual(self.subscription.amount_due, 0)
            self.assertEqual(self.subscription.amount_overdue, 0)
            self.assertFalse(self.subscription._get_payable_bills())
            # The same bill, if it were none that the customer may leave unpaid.
            bill.isp_is_order = False
            self.subscription.invalidate_recordset()
            self.assertEqual(self.subscription.amount_overdue, 300)
            self.subscription._dun(self.company)
            self.assertEqual(self.subscription.state, "suspended")

    def test_an_open_order_does_not_keep_the_service_away(self):
        april = self.subscription._bill(self.day("2027-04-01"), self.day("2027-04-01"))
        with self.at("2027-04-10 06:00:00"):
            self.subscription._dun(self.company)
            self.assertEqual(self.subscription.state, "suspended")
            self.order("2027-04-05")
            self.pay(april)
            self.assertEqual(self.subscription.state, "active")

    def test_an_archived_fee_is_not_charged_and_what_was_billed_comes_back(self):
        self.create_fee(name="Never").active = False
        fee, _bill = self.order()
        fee.active = False
        self.bill("2027-04-01")
        self.assertEqual(sorted(fee.charge_ids.mapped("amount")), [-300, 300])
        april = self.subscription.charge_ids.move_id.filtered(
            lambda move: str(move.invoice_date) == "2027-04-01"
        )
        self.assertEqual(april.amount_total, 700)
        self.assertNotIn("Never", " ".join(april.invoice_line_ids.mapped("name")))

    def test_an_order_is_not_part_of_what_the_bill_says_is_due(self):
        _fee, order = self.order()
        april = self.subscription._bill(self.day("2027-04-01"), self.day("2027-04-01"))
        template = self.env["isp.document.template"]._get_for("bill", self.company)

        def due():
            [data] = april._get_document_data(template, "en_US")[1]
            return data["account"]["due"]

        self.assertIn("1,000.00", due())
        order.isp_is_order = False
        self.assertIn("1,300.00", due())
