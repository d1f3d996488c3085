from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestCharge(IspBillingCase):
    def create_charge(self, line, date_from, date_to, **vals):
        return self.env["isp.charge"].create(
            {
                "subscription_id": line.subscription_id.id,
                "line_id": line.id,
                "date_from": date_from,
                "date_to": date_to,
                **vals,
            }
        )

    def test_the_database_refuses_to_bill_a_day_twice(self):
        line = self.create_subscription().line_ids
        self.create_charge(line, "2027-03-01", "2027-04-01")
        self.create_charge(line, "2027-04-01", "2027-05-01")
        for date_from, date_to in (
            ("2027-03-01", "2027-04-01"),
            ("2027-03-31", "2027-04-01"),
            ("2027-02-01", "2027-06-01"),
        ):
            with (
                self.subTest(date_from=date_from),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError) as caught,
                self.env.cr.savepoint(),
            ):
                self.create_charge(line, date_from, date_to)
            self.assertEqual(caught.exception.diag.constraint_name, "isp_charge_period_once")

    def test_another_line_may_be_billed_for_the_same_days(self):
        self.create_charge(self.create_subscription().line_ids, "2027-03-01", "2027-04-01")
        self.create_charge(self.create_subscription().line_ids, "2027-03-01", "2027-04-01")

    def test_an_empty_period_is_refused(self):
        line = self.create_subscription().line_ids
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.create_charge(line, "2027-03-01", "2027-03-01")

    def test_a_charge_names_the_invoice_line_that_carries_it(self):
        subscription = self.create_subscription()
        subscription.line_ids.create(
            {
                "subscription_id": subscription.id,
                "line_type": "static_ip",
                "product_id": self.plan_office.product_id.id,
                "name": "Static address",
                "price_unit": 300.0,
            }
        )
        self.bill("2027-03-10")
        charges = subscription.charge_ids.sorted("id")
        self.assertEqual(charges.mapped("amount"), [1000.0, 300.0])
        self.assertEqual(charges.invoice_line_id.mapped("price_unit"), [1000.0, 300.0])
        self.assertEqual(len(charges.move_id), 1)
        self.assertEqual(charges.move_id.amount_total, 1300.0)
        self.assertIn("2027-03-01 – 2027-03-31", charges[0].invoice_line_id.name)

    def test_labels_hold_no_personal_data(self):
        subscription = self.create_subscription(username="karim.secret")
        self.bill("2027-03-10")
        label = subscription.charge_ids.invoice_line_id.name
        for secret in (self.customer.name, "karim", self.customer.phone, self.customer.email):
            self.assertNotIn(secret, label)

    @proves("P-04")
    def test_an_invoice_with_charges_is_cancelled_not_deleted(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        move = subscription.charge_ids.move_id
        move.button_draft()
        with self.assertRaisesRegex(UserError, "Cancel it instead"):
            move.unlink()
        with self.assertRaisesRegex(UserError, "Only charges on a cancelled invoice"):
            subscription.charge_ids.action_release()
        move.button_cancel()
        self.bill("2027-03-10")
        self.assertEqual(len(subscription.charge_ids), 1, "cancelling alone bills nothing again")
        subscription.charge_ids.action_release()
        self.bill("2027-03-10")
        self.assertBilled(subscription, [("2027-03-01", "2027-04-01", 1000.0)])
        self.assertEqual(
            subscription.charge_ids.sorted("id").mapped("move_id.state"), ["cancel", "posted"]
        )

    def test_an_invoice_can_be_corrected_in_draft(self):
        tax = self.env["account.tax"].create({"name": "VAT 5 %", "amount": 5.0})
        self.plan_home.tax_ids = tax
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        move = subscription.charge_ids.move_id
        self.assertEqual(move.amount_total, 1050.0)
        move.button_draft()
        move.invoice_line_ids.write({"price_unit": 900.0, "tax_ids": False})
        move.action_post()
        self.assertEqual(move.amount_total, 900.0)
        self.assertEqual(subscription.charge_ids.invoice_line_id, move.invoice_line_ids)
