from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestJointBills(IspBillingCase):
    """One bill for all services of a customer, where it is wanted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.isp_one_bill = "yes"

    def create_services(self, count=2, **vals):
        services = self.env["isp.subscription"]
        for _number in range(count):
            services |= self.create_subscription(**vals)
        return services

    def test_services_that_are_due_together_share_a_bill(self):
        services = self.create_subscription() | self.create_subscription(
            plan_id=self.plan_office.id
        )
        run = self.bill("2027-03-10")
        move = services.charge_ids.move_id
        self.assertEqual(len(move), 1)
        self.assertEqual(move.amount_total, 3500.0)
        self.assertEqual(move.invoice_origin, ", ".join(services.mapped("name")))
        self.assertEqual(run.invoice_count, 1)
        self.assertEqual((run.due_count, run.done_count, run.progress), (2, 2, 100.0))
        for service in services:
            (charge,) = service.charge_ids
            self.assertEqual(charge.invoice_line_id.price_unit, charge.amount)
            self.assertIn(service.name, charge.invoice_line_id.name)

    def test_without_the_wish_each_has_its_own(self):
        for wish, company, bills in (
            ("no", True, 2),
            (False, False, 2),
            (False, True, 1),
            ("yes", False, 1),
        ):
            with self.subTest(wish=wish, company=company):
                self.customer.isp_one_bill = wish
                self.company.isp_one_bill = company
                services = self.create_services()
                self.bill("2027-03-10")
                self.assertEqual(len(services.charge_ids.move_id), bills)

    def test_different_terms_need_different_bills(self):
        later = self.env.ref("account.account_payment_term_30days")
        services = self.create_services() | self.create_subscription(payment_term_id=later.id)
        self.bill("2027-03-10")
        self.assertEqual(len(services.charge_ids.move_id), 2)

    def test_places_that_are_taxed_differently_need_different_bills(self):
        here, there = self.env["res.partner"].create(
            [
                {"name": f"House {code}", "parent_id": self.customer.id, "type": "delivery"}
                | {"country_id": self.env.ref(f"base.{code}").id}
                for code in ("bd", "in")
            ]
        )
        same = self.create_services(service_address_id=here.id)
        other = self.create_subscription(service_address_id=there.id)
        self.bill("2027-03-10")
        self.assertEqual(len(same.charge_ids.move_id), 1)
        self.assertEqual(other.charge_ids.move_id.partner_shipping_id, there)
        self.assertEqual(same.charge_ids.move_id.partner_shipping_id, here)

    def test_branches_of_a_firm_share_the_bill_of_the_firm(self):
        branches = self.env["res.partner"].create(
            [{"name": f"Branch {n}", "parent_id": self.customer.id} for n in range(2)]
        )
        services = self.env["isp.subscription"]
        for branch in branches:
            services |= self.create_subscription(partner_id=branch.id)
        self.bill("2027-03-10")
        self.assertEqual(services.charge_ids.move_id.partner_id, self.customer)

    def test_a_batch_takes_all_services_of_the_customer(self):
        other = self.env["res.partner"].create({"name": "Rahima", "isp_one_bill": "yes"})
        services = self.create_services(1)
        others = self.create_services(2, partner_id=other.id)
        services |= self.create_services(2)
        run = self.env["isp.billing.run"].create({"target_date": "2027-03-10"})
        run._start()
        self.assertEqual(run._bill_batch(1), (3, 2), "one of a family brings the others")
        self.assertEqual(len(services.charge_ids.move_id), 1)
        self.assertFalse(others.charge_ids)
        self.assertEqual(run.progress, 60.0)
        self.assertEqual(run._bill_batch(1), (2, 0))
        self.assertEqual((run.state, run.invoice_count), ("done", 2))

    def test_a_family_that_is_half_held_waits(self):
        services = self.create_services(3)
        lone = self.create_subscription(
            partner_id=self.env["res.partner"].create({"name": "Lone"}).id
        )
        run = self.env["isp.billing.run"].create({"target_date": "2027-03-10"})
        run._start()
        lock = type(services).try_lock_for_update

        def lock_without_last(records, **options):
            return lock(records - services[2], **options)

        with patch.object(type(services), "try_lock_for_update", lock_without_last):
            self.assertEqual(run._bill_batch(10), (1, 3))
        self.assertTrue(lone.charge_ids)
        self.assertFalse(services.charge_ids)
        self.assertEqual(run._bill_batch(10), (3, 0))
        self.assertEqual(len(services.charge_ids.move_id), 1)

    def test_a_bad_service_does_not_keep_the_others_off_their_bill(self):
        services = self.create_services(3)
        bad = services[1]
        prepare = type(bad)._prepare_invoice_vals
        closed = "This line is closed"

        def refuse_bad(subscriptions, invoice_date, charges):
            if bad in subscriptions:
                raise UserError(closed)
            return prepare(subscriptions, invoice_date, charges)

        with patch.object(type(bad), "_prepare_invoice_vals", refuse_bad):
            run = self.bill("2027-03-10")
        self.assertEqual(run.exception_ids.subscription_id, bad)
        self.assertFalse(bad.charge_ids)
        self.assertEqual(len((services - bad).charge_ids.move_id), 1)
        self.assertEqual(run.amount_total, 2000.0)
        self.assertEqual((run.state, run.done_count), ("done", 3))

    def test_each_service_owes_its_part(self):
        services = self.create_subscription() | self.create_subscription(
            plan_id=self.plan_office.id
        )
        self.bill("2027-03-10")
        move = services.charge_ids.move_id
        self.assertEqual(services.mapped("amount_due"), [1000.0, 2500.0])
        self.pay(move, 100.01)
        services.invalidate_recordset()
        self.assertEqual(services.mapped("amount_due"), [971.43, 2428.56])
        self.assertAlmostEqual(sum(services.mapped("amount_due")), move.amount_residual)

    def test_paying_the_bill_gives_all_services_back(self):
        services = self.create_services()
        self.bill("2027-03-10")
        services._suspend("overdue", "Unpaid")
        move = services.charge_ids.move_id
        self.pay(move, 500.0)
        self.assertEqual(set(services.mapped("state")), {"suspended"})
        self.pay(move)
        self.assertEqual(set(services.mapped("state")), {"active"})

    def test_a_cancelled_bill_releases_each_service(self):
        services = self.create_services()
        self.bill("2027-03-10")
        first = services.charge_ids.move_id
        first.button_draft()
        first.button_cancel()
        services.charge_ids.action_release()
        self.bill("2027-03-10")
        again = services.charge_ids.move_id - first
        self.assertEqual((len(again), again.amount_total), (1, 2000.0))
        self.assertEqual(again.isp_subscription_count, 2)

    def test_joint_bills_are_copied_too(self):
        self.company.isp_one_bill = True
        for number in range(4):
            partner = self.env["res.partner"].create({"name": f"Customer {number}"})
            self.create_services(partner_id=partner.id)
        run = self.bill("2027-03-10")
        self.assertEqual((run.invoice_count, run.bulk_count, run.done_count), (4, 3, 8))
        for move in run.charge_ids.move_id:
            self.assertEqual(move.invoice_line_ids.mapped("price_total"), [1000.0, 1000.0])
            self.assertEqual(len(move.isp_charge_ids.subscription_id), 2)
            self.assertEqual(move.partner_id, move.isp_charge_ids.subscription_id.partner_id)
