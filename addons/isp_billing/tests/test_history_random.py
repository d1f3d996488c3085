"""Whatever happens to subscriptions, and however often they are billed, the books come out right."""

import logging
import os
import random
from datetime import timedelta
from decimal import Decimal

from odoo.tests import tagged

from ..engine import schedule
from .test_history import HistoryCase, day

_logger = logging.getLogger(__name__)

FIRST, LAST = day("01-01"), day("06-30")


@tagged("post_install", "-at_install")
class TestRandomHistory(HistoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seed = int(os.environ.get("ISP_TEST_SEED") or random.randrange(10**6))
        cls.random = random.Random(cls.seed)
        _logger.info("Random histories of seed %s", cls.seed)

    def test_the_books_are_as_if_the_history_had_been_known_from_the_beginning(self):
        subscriptions = self.create_some(24)
        moment = FIRST
        while moment < LAST:
            moment += timedelta(days=self.random.randint(1, 9))
            with self.at(f"{moment} 06:00:00"):
                self.env["isp.subscription"]._cron_change_plans()
                for subscription in subscriptions:
                    if self.random.random() < 0.25:
                        self.let_something_happen(subscription, moment)
                # The clock of a run may be behind or ahead.
                target = moment + timedelta(days=self.random.choice((0, 0, 0, -12, 8)))
                self.run_to(target)
        # Time goes on until nothing is known of that is still to come.
        with self.at(f"{LAST + timedelta(days=40)} 06:00:00"):
            self.env["isp.subscription"]._cron_change_plans()
            # Who is away for an unknown time gets the days back on return.
            subscriptions.filtered(lambda one: one.state == "suspended")._resume("Back")
            self.run_to(LAST + timedelta(days=40))
            charges = subscriptions.charge_ids
            subscriptions._note_change(FIRST)
            self.run_to(LAST + timedelta(days=40))
            self.assertEqual(subscriptions.charge_ids, charges, self.seed)
            for subscription in subscriptions:
                with self.subTest(seed=self.seed, subscription=subscription.name):
                    self.check_books(subscription, LAST + timedelta(days=40))

    def create_some(self, count):
        subscriptions = self.env["isp.subscription"]
        for number in range(count):
            self.plan_home.suspend_billing = self.random.choice(("keep", "credit"))
            start = FIRST + timedelta(days=self.random.randint(0, 40))
            with self.at(f"{start} 06:00:00"):
                subscriptions |= self.create_subscription(
                    partner_id=self.env["res.partner"].create({"name": f"Customer {number}"}).id,
                    date_start=start,
                    anchor_day=self.random.choice((0, 5, 15, 31)),
                    plan_id=self.random.choice((self.plan_home, self.plan_fast)).id,
                )
        return subscriptions

    def let_something_happen(self, subscription, moment):
        if subscription.state == "terminated" or subscription.date_start >= moment:
            return
        happening = self.random.choice(
            ("plan", "later", "price", "past", "addon", "leave", "fee", "pause", "pause", "end")
        )
        getattr(self, f"happen_{happening}")(subscription, moment)

    def happen_plan(self, subscription, _moment):
        others = self.plan_home + self.plan_fast - subscription.plan_id
        self.change(subscription, "plan", plan_id=others.id)

    def happen_later(self, subscription, _moment):
        others = self.plan_home + self.plan_fast - subscription.plan_id
        self.change(subscription, "plan", plan_id=others.id, when="cycle_end")

    def happen_price(self, subscription, _moment):
        line = subscription.line_ids.filtered(lambda line: not line.date_to)[:1]
        line.price_unit = self.random.choice((199.99, 333.33, 480.0))

    def happen_past(self, subscription, moment):
        line = subscription.line_ids.filtered(lambda line: not line.date_to)[:1]
        first = max(line.date_from or subscription.date_start, moment - timedelta(days=50))
        self.change(
            subscription,
            "line",
            line_id=line.id,
            price_unit=self.random.choice((250.0, 777.77)),
            quantity=self.random.choice((1.0, 2.0)),
            when="date",
            date=first + (moment - first) * self.random.random() if first < moment else moment,
        )

    def happen_addon(self, subscription, _moment):
        self.change(subscription, "addon", product_id=self.static_ip.id, price_unit=93.0)

    def happen_leave(self, subscription, _moment):
        addons = subscription.line_ids.filtered(
            lambda line: line.line_type == "addon" and not line.date_to
        )
        if addons:
            self.change(subscription, "end_line", line_id=addons[0].id)

    def happen_fee(self, subscription, moment):
        self.env["isp.subscription.fee"].create(
            {
                "subscription_id": subscription.id,
                "kind": self.random.choice(("one_off", "deposit")),
                "product_id": self.static_ip.id,
                "amount": 150.0,
                "date": moment,
            }
        )

    def happen_pause(self, subscription, _moment):
        if subscription.state == "active":
            subscription._suspend("request", "Away")
        else:
            subscription._resume("Back")

    def happen_end(self, subscription, moment):
        if self.random.random() < 0.3:
            subscription._terminate("Moved", moment)

    def run_to(self, target):
        run = self.bill(target)
        self.assertFalse(run.exception_ids.mapped("reason"), f"seed {self.seed}, {target}")

    def check_books(self, subscription, target):
        charges = subscription.charge_ids
        wanted = schedule.bill(subscription._get_history(), target).charges
        self.assertEqual(
            sum(Decimal(str(charge.amount)) for charge in charges),
            sum((charge.amount for charge in wanted), Decimal(0)),
        )
        invoiced = sum(
            -line.balance for line in charges.invoice_line_id if line.display_type == "product"
        )
        self.assertAlmostEqual(invoiced, sum(charges.mapped("amount")), 2)
        for charge in charges.filtered("amount"):
            sign = -1 if charge.move_id.move_type == "out_refund" else 1
            self.assertAlmostEqual(sign * charge.invoice_line_id.price_subtotal, charge.amount, 2)
