from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .usage_common import GB, IspUsageCase


class TopupCase(IspUsageCase):
    """Karim has 100 GB a month and may buy more, with 15 % VAT."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vat = cls.env["account.tax"].create(
            {"name": "VAT 15%", "amount": 15, "type_tax_use": "sale"}
        )
        cls.plan_home.write({"cap_gb": 100, "cap_action": "block"})
        cls.plan_home.product_id.taxes_id = cls.vat
        offers = cls.env["isp.plan.topup"].create(
            [
                {"plan_id": cls.plan_home.id, "name": "20 GB", "volume_gb": 20, "price": 150},
                {"plan_id": cls.plan_home.id, "name": "50 GB", "volume_gb": 50, "price": 300},
                {"plan_id": cls.plan_home.id, "name": "A gift", "volume_gb": 1, "price": 0},
            ]
        )
        cls.small, cls.large, cls.gift = offers
        cls.service = cls.create_subscription(username="karim")
        cls.pay(cls, cls.service._bill(cls.service.date_start, cls.service.date_start))

    def use_up(self):
        self.use(self.service, "2027-03-10 06:00:00", 100 * GB)
        self.assertEqual(self.row(self.service)["access"], "walled")

    def order(self, offer=None):
        return self.service._order_topup(offer or self.small)


@tagged("post_install", "-at_install")
class TestTopupOrder(TopupCase):
    """Ordered, billed, paid, given: in this order, and once."""

    # === ORDERING === #

    def test_an_order_is_an_ordinary_bill_and_gives_nothing_yet(self):
        self.use_up()
        order = self.order()
        bill = order.move_id
        self.assertEqual((order.state, bill.state), ("ordered", "posted"))
        self.assertEqual((bill.amount_untaxed, bill.amount_total), (150, 172.5))
        self.assertEqual(self.service._get_topup_price(self.small), (172.5, 22.5))
        self.assertEqual(bill.isp_charge_ids, order.fee_id.charge_ids)
        self.assertEqual(bill.partner_id, self.customer)
        # As long as the volume itself.
        self.assertEqual(str(bill.invoice_date_due), "2027-03-31")
        self.assertEqual(self.window(self.service).topup_bytes, 0)
        self.assertEqual(self.row(self.service)["access"], "walled")

    def test_the_payment_gives_the_volume_in_its_transaction(self):
        self.use_up()
        order = self.order()
        jobs = self.env["queue.job"].search_count([])
        self.pay(order.move_id)
        self.assertEqual((order.state, self.window(self.service).topup_bytes), ("active", 20 * GB))
        self.env.flush_all()
        self.assertEqual(self.row(self.service)["access"], "full")
        self.assertEqual(self.env["queue.job"].search_count([("state", "!=", "done")]), jobs)
        self.assertEqual(order.window_id, self.window(self.service))

    def test_a_part_of_the_price_gives_nothing(self):
        self.use_up()
        order = self.order()
        self.pay(order.move_id, 100)
        self.assertEqual((order.state, self.window(self.service).topup_bytes), ("ordered", 0))
        self.pay(order.move_id)
        self.assertEqual((order.state, self.window(self.service).topup_bytes), ("active", 20 * GB))

    def test_given_once_whatever_happens_to_the_payment(self):
        order = self.order()
        payment = self.pay(order.move_id)
        order.move_id._invoice_paid_hook()
        lines = order.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        lines.remove_move_reconcile()
        self.assertEqual(order.move_id.payment_state, "not_paid")
        receivable = (payment.move_id.line_ids + lines).filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        receivable.reconcile()
        self.assertEqual(order.move_id.payment_state, "paid")
        self.roll_up("2027-03-10 07:00:00")
        self.assertEqual(self.window(self.service).topup_bytes, 20 * GB)

    def test_a_credit_note_is_no_payment(self):
        order = self.order()
        order.move_id._reverse_moves(cancel=True)
        self.assertEqual(order.move_id.payment_state, "reversed")
        self.roll_up("2027-03-10 07:00:00")
        self.assertEqual((order.state, self.window(self.service).topup_bytes), ("ordered", 0))

    def test_a_credit_of_the_customer_pays_at_once(self):
        self.env["account.payment"].create(
            {"partner_id": self.customer.id, "amount": 500, "payment_type": "inbound"}
        ).action_post()
        self.assertTrue(self.service._get_owed(), "the payment is in the books")
        order = self.order()
        self.assertEqual((order.state, order.move_id.payment_state), ("active", "paid"))
        self.assertEqual(self.window(self.service).topup_bytes, 20 * GB)

    def test_a_payment_without_an_entry_of_its_own_counts_too(self):
        order = self.order()
        # As where the accounting app keeps payments apart until the bank has reported them.
        self.patch(
            type(order.move_id), "_get_invoice_in_payment_state", lambda _moves: "in_payment"
        )
        line = self.env["account.payment.method.line"].search(
            [
                ("journal_id.type", "in", ("bank", "cash")),
                ("company_id", "=", self.company.id),
                ("payment_type", "=", "inbound"),
            ],
            limit=1,
        )
        line.payment_account_id = False
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "amount": 172.5,
                "payment_type": "inbound",
                "journal_id": line.journal_id.id,
                "payment_method_line_id": line.id,
                "invoice_ids": [fields.Command.set(order.move_id.ids)],
            }
        )
        payment.action_post()
        self.assertFalse(payment.move_id)
        self.assertEqual((order.state, self.window(self.service).topup_bytes), ("active", 20 * GB))

    # === WHAT CANNOT BE BOUGHT === #

    def assertRefused(self, words, offer=None):
        offer = self.small if offer is None else offer
        with self.assertRaisesRegex(UserError, words):
            self.service._order_topup(offer)
        self.assertFalse(self.service.topup_ids)

    def test_what_is_not_on_offer(self):
        other = self.env["isp.plan.topup"].create(
            {"plan_id": self.plan_office.id, "name": "99 GB", "volume_gb": 99, "price": 1}
        )
        for offer in (other, self.gift, self.small.browse()):
            self.assertRefused("not on offer", offer)

    def test_who_cannot_buy(self):
        self.service._suspend("overdue", "Unpaid")
        self.assertRefused("pay it first")
        self.service._resume("Paid")
        self.service._suspend("request", "Holidays")
        self.assertRefused("not active")
        self.service._resume("Back")
        self.plan_home.cap_gb = 0
        self.assertRefused("not limited")
        self.plan_home.write({"cap_gb": 100, "topup_ids": [fields.Command.clear()]})
        self.assertRefused("contact us")

    def test_no_journal_no_order(self):
        self.patch(type(self.service), "_prepare_invoice_vals", self.no_journal)
        with self.assertRaisesRegex(UserError, "sales journal"), self.env.cr.savepoint():
            self.order()
        self.assertFalse(self.service.topup_ids)

    def no_journal(self, *_args):
        error = "There is no sales journal."
        raise UserError(error)

    # === ONE AT A TIME === #

    def test_the_same_again_is_the_same_order(self):
        order = self.order()
        self.assertEqual(self.order(), order)
        self.assertEqual(len(self.service.topup_ids), 1)

    def test_another_one_takes_its_place(self):
        first = self.order()
        second = self.order(self.large)
        self.assertEqual((first.state, first.move_id.state), ("cancelled", "cancel"))
        self.assertEqual((second.state, second.move_id.amount_total), ("ordered", 345))
        self.pay(second.move_id)
        self.assertEqual(self.window(self.service).topup_bytes, 50 * GB)

    def test_nobody_fills_the_books_with_cancelled_orders(self):
        for offer in (self.small, self.large) * 3:
            self.order(offer)
        with self.assertRaisesRegex(UserError, "often today"):
            self.order(self.small)
        self.assertEqual(len(self.service.topup_ids), 6)
        self.assertEqual(self.service._get_topup_order().offer_id, self.large)

    def start_payment(self, order, state):
        provider = self.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", self.company.id)], limit=1
        )
        return self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[0].id,
                "amount": order.move_id.amount_total,
                "currency_id": order.move_id.currency_id.id,
                "partner_id": self.customer.id,
                "reference": f"T{order.id}",
                "invoice_ids": [fields.Command.set(order.move_id.ids)],
                "state": state,
            }
        )

    def test_an_order_that_is_being_paid_is_not_replaced(self):
        order = self.order()
        self.start_payment(order, "pending")
        with self.assertRaisesRegex(UserError, "being paid"):
            self.order(self.large)
        self.assertEqual(order.move_id.state, "posted")

    # === NOT PAID === #

    def test_an_order_ends_with_the_window(self):
        order = self.order()
        self.roll_up("2027-03-31 17:59:00")  # a minute before midnight in Dhaka
        self.assertEqual((order.state, order.move_id.state), ("ordered", "posted"))
        self.roll_up("2027-03-31 18:00:00")
        self.assertEqual((order.state, order.move_id.state), ("cancelled", "cancel"))
        self.bill("2027-04-01")
        april = self.service.charge_ids.move_id.filtered(
            lambda move: str(move.invoice_date) == "2027-04-01"
        )
        self.assertEqual(april.invoice_line_ids.mapped("price_unit"), [1000], "nothing of it")
        self.assertEqual(
            self.service.charge_ids.filtered("fee_id").mapped("charge_type"), ["released"]
        )

    def test_a_payment_under_way_is_waited_for(self):
        order = self.order()
        transaction = self.start_payment(order, "pending")
        self.roll_up("2027-04-01 06:00:00")
        self.assertEqual(order.state, "ordered")
        transaction.state = "cancel"
        self.roll_up("2027-04-01 06:01:00")
        self.assertEqual(order.state, "cancelled")

    def test_a_form_that_was_just_opened_is_waited_for_an_hour(self):
        order = self.order()
        with self.at("2027-03-31 17:50:00"):
            self.start_payment(order, "draft")
        self.roll_up("2027-03-31 18:40:00")
        self.assertEqual(order.state, "ordered")
        self.roll_up("2027-03-31 18:51:00")
        self.assertEqual(order.state, "cancelled")

    def test_paid_late_it_counts_for_the_window_of_that_day(self):
        order = self.order()
        with self.at("2027-04-01 06:00:00"):
            self.windows.with_company(self.company)._end_due(fields.Date.to_date("2027-04-01"))
            self.pay(order.move_id)
        self.assertEqual(order.state, "active")
        self.assertEqual(str(order.window_id.date_from), "2027-04-01")
        self.assertEqual(order.window_id.topup_bytes, 20 * GB)

    def test_what_was_paid_in_part_is_a_credit_again(self):
        order = self.order()
        self.pay(order.move_id, 100)
        self.roll_up("2027-04-01 06:00:00")
        self.assertEqual(order.state, "cancelled")
        april = self.service._bill(*[fields.Date.to_date("2027-04-01")] * 2)
        self.assertEqual(april.amount_residual, april.amount_total - 100)

    def test_a_sealed_bill_is_taken_back_by_a_credit_note(self):
        order = self.order()
        order.move_id.button_hash()
        self.assertTrue(order.move_id.inalterable_hash)
        self.roll_up("2027-04-01 06:00:00")
        self.assertEqual(order.state, "cancelled")
        self.assertEqual((order.move_id.state, order.move_id.payment_state), ("posted", "reversed"))
        self.bill("2027-04-01")
        self.assertFalse(self.service.charge_ids.filtered(lambda c: c.charge_type == "repair"))

    def test_one_that_cannot_be_cancelled_does_not_hold_back_the_others(self):
        other = self.create_subscription(partner_id=self.customer.copy().id)
        stuck, free = self.order(), other._order_topup(self.small)
        cancel = type(stuck)._cancel_order

        def fail(order):
            if order == stuck:
                error = "The year is closed"
                raise UserError(error)
            return cancel(order)

        self.patch(type(stuck), "_cancel_order", fail)
        with self.assertLogs("odoo.addons.isp_network.models.isp_subscription_topup_order") as log:
            self.roll_up("2027-04-01 06:00:00")
        self.assertIn("The year is closed", log.output[0])
        self.assertEqual((stuck.state, free.state), ("ordered", "cancelled"))

    def test_a_service_that_ends_takes_its_order_along(self):
        order = self.order()
        self.service._terminate("Moved away")
        self.roll_up("2027-03-10 07:00:00")
        self.assertEqual(order.state, "cancelled")

    def test_nothing_to_top_up_any_more_when_it_is_paid(self):
        order = self.order()
        self.plan_home.cap_gb = 0
        self.pay(order.move_id)
        self.assertEqual(order.state, "undone")
        self.assertIn("comes back", self.last_event(self.service).reason)
        self.bill("2027-04-01")
        repair = self.service.charge_ids.filtered(lambda c: c.charge_type == "repair")
        self.assertEqual(repair.amount, -150)

    # === RIGHTS === #

    def test_nobody_writes_a_top_up_as_given(self):
        order = self.order()
        clerk = self.create_user("clerk")
        for vals in ({"state": "active"}, {"window_id": False}, {"move_id": False}):
            with self.assertRaises(UserError):
                order.with_user(clerk).write(vals)
        topups = self.env["isp.subscription.topup"].with_user(clerk)
        forged = topups.with_context(isp_selling=True)
        with self.assertRaises(UserError):
            forged.create(
                {"subscription_id": self.service.id, "offer_id": self.small.id, "state": "ordered"}
            )
        with self.assertRaises(AccessError):
            self.env["isp.subscription.topup"].with_user(self.create_user("support")).create(
                {"subscription_id": self.service.id, "offer_id": self.small.id}
            )
