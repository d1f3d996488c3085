from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from odoo import fields
from odoo.models import BaseModel
from odoo.tests import tagged

from .report_common import ReportCase, dec, month_of, next_month, split

MONTHS = [date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)]
# Months of 30 days, so that ten days are a third of one.
MONTHS_OF = {
    "1 month": Decimal(1),
    "1 quarter": Decimal(3),
    "1 year": Decimal(12),
    "10 day": 1 / Decimal(3),
}


@tagged("post_install", "-at_install")
class TestReportFigures(ReportCase):
    """Every figure is worked out again, in plain Python, from journal items."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Told once: what is kept in the database is restored after each test.
        story = cls("tell")
        story.tell()
        for name, value in vars(story).items():
            if isinstance(value, BaseModel):
                setattr(cls, name, value)

    def tell(self):
        """Bills of three months with all that may befall them."""
        quarter = self.create_plan("Quarter", 2999.99, cycle_unit="quarter", anchor="anniversary")
        year = self.create_plan("Year", 10000.0, cycle_unit="year", anchor="anniversary")
        decade = self.create_plan("Ten days", 333.33, cycle_unit="day", cycle_count=10)
        taxed = self.create_plan("Taxed", 1050.0, tax_ids=[fields.Command.set(self.included.ids)])
        with self.at("2027-01-01 06:00:00"):
            self.steady = self.subscriber("Steady", self.plan_home, "2027-01-01")
            self.middle = self.subscriber("Middle", self.plan_office, "2027-01-15", "Khulna")
            self.quarterly = self.subscriber("Quarterly", quarter, "2027-01-20")
            self.yearly = self.subscriber("Yearly", year, "2027-01-31", "Khulna")
            self.daily = self.subscriber("Daily", decade, "2027-01-03")
            self.gross = self.subscriber("Gross", taxed, "2027-01-10")
            self.leaver = self.subscriber("Leaver", self.plan_home, "2027-01-01", "Bogura")
        self.bill("2027-01-31")
        with self.at("2027-02-15 06:00:00"):
            self.bill("2027-02-15")
            self.steady._change_plan(self.plan_office, date(2027, 2, 15))
            self.middle._change_plan(self.plan_home, date(2027, 2, 15))
            self.leaver._terminate("Moved away", date(2027, 2, 15))
        with self.at("2027-02-28 06:00:00"):
            self.bill("2027-02-28")
        with self.at("2027-03-05 06:00:00"):
            self.bill("2027-03-05")
            self.back = self.create_subscription(
                partner_id=self.leaver.partner_id.id, date_start="2027-03-05"
            )
            self.bill("2027-03-06")
        self.pay(self.bills(self.steady)[0])
        self.pay(self.bills(self.middle)[0], amount=1000.01)
        self.reverse(self.bills(self.steady)[1], "2027-03-02", share=0.25)
        self.reverse(self.bills(self.quarterly)[0], "2027-03-09")
        self.share_a_bill()
        self.write_off(self.bills(self.gross)[0], 50.0)
        self.cancelled = self.bills(self.daily)[1]
        self.cancelled.button_draft()
        self.cancelled.button_cancel()
        self.bill_the_other_company()
        self.refresh()

    def bill_the_other_company(self):
        env = self.env(context=dict(self.env.context, allowed_company_ids=self.other_company.ids))
        plan = env["isp.plan"].create(
            {"name": "Theirs", "price": 700.0, "tax_ids": [(5,)], "company_id": env.company.id}
        )
        self.theirs = env["isp.subscription"].create(
            {
                "partner_id": self.partner("Theirs").id,
                "plan_id": plan.id,
                "date_start": "2027-02-01",
            }
        )
        self.theirs._activate()
        env["isp.billing.run"].create(
            {"target_date": "2027-03-01", "invoice_date": "2027-03-01"}
        )._run_to_end()

    def write_off(self, bill, amount):
        """Settle a part of ``bill`` by an entry that brings no money."""
        journal = self.env["account.journal"].search([("type", "=", "general")], limit=1)
        account = bill.line_ids.account_id.filtered(lambda a: a.reconcile)
        entry = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": "2027-03-04",
                "line_ids": [
                    fields.Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": bill.partner_id.id,
                            "credit": amount,
                        }
                    ),
                    fields.Command.create(
                        {"account_id": bill.invoice_line_ids.account_id.id, "debit": amount}
                    ),
                ],
            }
        )
        entry.action_post()
        items = (bill | entry).line_ids.filtered(lambda item: item.account_id == account)
        items.reconcile()

    def share_a_bill(self):
        """Three services of one customer on one bill, of which a third coin by coin is paid."""
        self.company.isp_one_bill = True
        customer = self.partner("Family", "Sylhet")
        with self.at("2027-02-20 06:00:00"):
            self.family = self.env["isp.subscription"].union(
                *(
                    self.create_subscription(
                        partner_id=customer.id,
                        service_address_id=self.partner(f"House {city}", city).id,
                        date_start="2027-02-20",
                    )
                    for city in ("Bogura", "Khulna", "Sylhet")
                )
            )
            self.bill("2027-02-20")
        (self.shared,) = self.bills(self.family)
        self.pay(self.shared, amount=100.01)
        with self.at("2027-03-05 06:00:00"):
            self.bill("2027-03-05")

    def bills(self, subscription):
        return subscription.charge_ids.move_id.sorted("id")

    # === INDEPENDENT RECOMPUTATION === #

    def ledger_revenue(self, company):
        """Revenue by month, from the journal items of bills and of what reverses them."""
        months = defaultdict(Decimal)
        for bill in self.bills_of(company):
            earned = defaultdict(Decimal)
            for charge in bill.isp_charge_ids.sorted("id"):
                item = charge.invoice_line_id
                days = max((charge.date_to - charge.date_from).days, 1)
                by_month = defaultdict(Decimal)
                for number in range(days):
                    by_month[month_of(charge.date_from + timedelta(days=number))] += 1
                for month, part in zip(
                    by_month, split(-dec(item.balance), list(by_month.values())), strict=True
                ):
                    earned[month] += part
            for month, amount in earned.items():
                months[month] += amount
            for credit in bill.reversal_move_ids.filtered(lambda move: move.state == "posted"):
                items = credit.line_ids.filtered(lambda line: line.display_type == "product")
                order = sorted(earned)
                parts = split(-dec(sum(items.mapped("balance"))), [earned[m] for m in order])
                for month, part in zip(order, parts, strict=True):
                    months[month] += part
        return {month: amount for month, amount in months.items() if amount}

    def ledger_collections(self, company):
        """Billed and collected by month, from posted moves and their reconciliations."""
        billed, collected = defaultdict(Decimal), defaultdict(Decimal)
        bills = self.bills_of(company)
        bills |= bills.reversal_move_ids.filtered(lambda move: move.state == "posted")
        for move in bills:
            billed[month_of(move.date)] += dec(move.amount_total_signed)
            for item in move.line_ids.filtered(
                lambda line: line.account_id.account_type == "asset_receivable"
            ):
                for part in item.matched_credit_ids:
                    if part.credit_move_id.move_id.origin_payment_id:
                        collected[month_of(part.max_date)] += dec(part.amount)
                for part in item.matched_debit_ids:
                    if part.debit_move_id.move_id.origin_payment_id:
                        collected[month_of(part.max_date)] -= dec(part.amount)
        return billed, collected

    def bills_of(self, company):
        return (
            self.env["isp.charge"]
            .search([("company_id", "=", company.id), ("charge_type", "!=", "released")])
            .move_id.filtered(lambda move: move.state == "posted")
        )

    def ledger_mrr(self, subscription, last_day):
        """Monthly value of what covers ``last_day``, from journal items and what repairs left."""
        if subscription.date_end and subscription.date_end <= last_day:
            return Decimal(0)
        charges = subscription.charge_ids.filtered(
            lambda c: c.move_id.state == "posted" and c.date_from <= last_day < c.date_to
        )
        taken_back = charges.filtered(lambda c: c.charge_type == "repair").repairs_id
        total = Decimal(0)
        for charge in charges.filtered(lambda c: c.charge_type == "recurring") - taken_back:
            value = -dec(charge.invoice_line_id.balance)
            if charge.rule != "full":
                value = dec(charge.price_unit) * dec(charge.quantity)
                value /= Decimal("1.05") if charge.invoice_line_id.tax_ids else 1
            total += dec(value / MONTHS_OF[charge.per])
        return total

    # === TESTS === #

    def test_recurring_revenue_agrees_with_the_ledger(self):
        subscriptions = self.env["isp.subscription"].search([("state", "!=", "draft")])
        moved = defaultdict(lambda: defaultdict(Decimal))
        for subscription in subscriptions - self.daily:
            before = Decimal(0)
            for month in MONTHS:
                last_day = next_month(month) - timedelta(days=1)
                after = self.ledger_mrr(subscription, last_day)
                kind = (
                    None
                    if after == before
                    else ("back" if subscription == self.back else "new")
                    if not before
                    else "lost"
                    if not after
                    else "up"
                    if after > before
                    else "down"
                )
                moved[subscription.company_id, month]["mrr"] += after
                if kind:
                    moved[subscription.company_id, month][kind] += after - before
                before = after
        names = ("new", "up", "down", "lost", "back", "mrr")
        for company in (self.company, self.other_company):
            rows = self.env["isp.report.fact"]._read_group(
                [("company_id", "=", company.id), ("subscription_id", "!=", self.daily.id)]
                + [("month", "<=", MONTHS[-1])],
                ["month:month"],
                [f"{name}_mrr:sum" for name in names[:-1]] + ["mrr:sum"],
            )
            self.assertTrue(rows)
            for month, *values in rows:
                wanted = moved[company, month]
                self.assertEqual(
                    dict(zip(names, map(dec, values), strict=True)),
                    {name: wanted[name] for name in names},
                    f"{company.name} {month}",
                )
        # Steady went up, Middle down, Leaver left and came back.
        kinds = {kind for row in moved.values() for kind in row}
        self.assertEqual(kinds, set(names))

    def test_movements_lead_from_opening_to_closing(self):
        names = "opening_mrr new_mrr up_mrr down_mrr lost_mrr back_mrr taken_over_mrr mrr"
        before = Decimal(0)
        for month, row in self.by_month("isp.report.mrr", *names.split()).items():
            self.assertEqual(row[0], before, month)
            self.assertEqual(sum(row[:-1]), row[-1], month)
            before = row[-1]

    def test_a_bill_to_come_is_expected_at_the_last_price(self):
        # Ten days at 333.33 are billed until 14 March; the bill of the rest will follow.
        fact = self.env["isp.report.fact"].search(
            [("subscription_id", "=", self.daily.id), ("month", "=", "2027-03-01")]
        )
        self.assertEqual((fact.mrr, fact.unbilled_mrr, fact.lost_mrr), (999.99, 999.99, 0.0))

    def test_a_cancelled_bill_recurs_no_more(self):
        def of(month):
            return self.env["isp.report.fact"].search(
                [("subscription_id", "=", self.daily.id), ("month", "=", month)]
            )

        self.assertEqual(of("2027-02-01").mrr, 999.99)
        bill = self.daily.charge_ids.filtered(
            lambda charge: charge.date_from <= date(2027, 2, 28) < charge.date_to
        ).move_id
        bill.button_draft()
        bill.button_cancel()
        self.refresh()
        self.assertEqual(
            (of("2027-02-01").mrr, of("2027-02-01").lost_mrr, of("2027-03-01").back_mrr),
            (0.0, -999.99, 999.99),
        )

    def test_revenue_agrees_with_the_ledger(self):
        for company in (self.company, self.other_company):
            facts = {
                month: dec(revenue)
                for month, revenue in self.env["isp.report.mrr"]._read_group(
                    [("company_id", "=", company.id)], ["month:month"], ["revenue:sum"]
                )
                if revenue
            }
            self.assertEqual(facts, self.ledger_revenue(company))
            items = self.bills_of(company)
            items = (items | items.reversal_move_ids).invoice_line_ids
            self.assertEqual(sum(facts.values()), -dec(sum(items.mapped("balance"))))

    def test_bills_and_payments_agree_with_the_ledger(self):
        for company in (self.company, self.other_company):
            billed, collected = self.ledger_collections(company)
            for month in {*billed, *collected}:
                row = self.by_month(
                    "isp.report.collection", "invoiced", "collected", company=company
                ).get(f"{month:%Y-%m}", (0, 0))
                self.assertEqual(row, (billed[month], collected[month]), month)
        self.assertGreater(sum(self.ledger_collections(self.company)[1].values()), 1000)
