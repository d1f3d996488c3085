from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from .report_common import ReportCase, dec

REFRESH = "odoo.addons.isp_billing.report.isp_report_refresh"
REPORTS = ("mrr", "subscriber", "cohort", "ageing", "collection", "fact")


@tagged("post_install", "-at_install")
class TestReportViews(ReportCase):
    """Who may see what, how new it is, what recurs, who is there and what is owed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Rows of single services are looked at; test_report_groups is about small groups.
        (cls.company | cls.other_company).isp_report_min_group = 0

    def owed(self, **domain):
        """``{bucket: amount}``"""
        rows = self.env["isp.report.ageing"]._read_group(
            [("company_id", "=", self.company.id)]
            + [(name, "=", value) for name, value in domain.items()],
            ["bucket"],
            ["amount:sum"],
        )
        return {bucket: dec(amount) for bucket, amount in rows}

    # === WHAT IS OWED === #

    def test_what_is_owed_is_the_balance_of_the_customers(self):
        late = self.subscriber("Late", self.plan_home, "2026-12-01", "Khulna")
        paid = self.subscriber("Paid", self.plan_office, "2027-02-01")
        self.bill("2026-12-01", invoice_date="2026-12-01")
        self.bill("2027-01-31", invoice_date="2027-01-31")
        self.bill("2027-03-10")
        self.pay(paid.charge_ids.move_id[:1])
        advance = self.env["account.payment"].create(
            {
                "partner_id": paid.partner_id.id,
                "amount": 77.07,
                "payment_type": "inbound",
                "partner_type": "customer",
            }
        )
        advance.action_post()
        self.reverse(late.charge_ids.move_id[:1], "2027-03-10", share=0.1)
        stranger = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.partner("Stranger").id,
                "invoice_line_ids": [(0, 0, {"name": "Cable", "price_unit": 9.0})],
            }
        )
        stranger.action_post()
        items = self.env["account.move.line"].search(
            [
                ("partner_id", "in", (late | paid).partner_id.ids),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )
        owed = self.owed()
        self.assertEqual(sum(owed.values()), dec(sum(items.mapped("balance"))))
        by_bucket = {}
        for item in items.filtered("amount_residual"):
            days = (self.company._get_isp_today() - item.date_maturity).days
            bucket = (
                "0"
                if item.amount_residual < 0
                else "1"
                if days <= 0
                else str(min(5, 2 + (days - 1) // 30))
            )
            by_bucket[bucket] = by_bucket.get(bucket, 0) + dec(item.amount_residual)
        self.assertEqual(owed, by_bucket)
        self.assertTrue({"0", "1", "3", "5"} <= owed.keys(), owed)
        self.assertEqual(
            self.owed(area="Khulna").keys(), self.owed(partner_id=late.partner_id.id).keys()
        )
        credit = self.env["isp.report.ageing"].search(
            [("partner_id", "=", paid.partner_id.id), ("bucket", "=", "0")]
        )
        self.assertEqual((dec(credit.amount), credit.subscription_id), (dec(-77.07), paid))

    def test_a_shared_bill_is_owed_by_each_service_to_the_cent(self):
        self.company.isp_one_bill = True
        customer = self.partner("Family", "Sylhet")
        services = [
            self.create_subscription(
                partner_id=customer.id,
                service_address_id=self.partner(city, city).id,
                date_start="2027-03-10",
            )
            for city in ("Bogura", "Khulna", "Sylhet")
        ]
        self.bill("2027-03-10")
        (bill,) = services[0].charge_ids.move_id
        self.assertEqual(len(bill.isp_charge_ids.subscription_id), 3)
        self.pay(bill, amount=100.0)
        rows = self.env["isp.report.ageing"].search([("move_id", "=", bill.id)])
        self.assertEqual(len(set(rows.ids)), 3)
        self.assertEqual(set(rows.mapped("area")), {"Bogura", "Khulna", "Sylhet"})
        self.assertEqual(dec(sum(rows.mapped("amount"))), dec(bill.amount_residual))
        self.assertLess(max(rows.mapped("amount")) - min(rows.mapped("amount")), 0.011)
        self.refresh()
        facts = self.env["isp.report.fact"].search(
            [("subscription_id", "in", bill.isp_charge_ids.subscription_id.ids)]
        )
        self.assertEqual(dec(sum(facts.mapped("collected"))), dec(100))
        self.assertEqual(dec(sum(facts.mapped("invoiced"))), dec(bill.amount_total))

    # === WHAT RECURS === #

    def mrr(self, subscription, month):
        fact = self.env["isp.report.fact"].search(
            [("subscription_id", "=", subscription.id), ("month", "=", month)]
        )
        return fact.mrr, fact.new_mrr, fact.taken_over_mrr, fact.unbilled_mrr

    def test_a_discount_counts_from_the_first_part_of_a_period(self):
        service = self.subscriber("Discount", self.plan_home, "2027-02-11", active=False)
        service.write(
            {"discount_ids": [(0, 0, {"name": "Ten", "percent": 10.0, "date_from": "2027-02-11"})]}
        )
        service._activate()
        self.bill("2027-03-01")
        self.refresh()
        self.assertEqual(self.mrr(service, "2027-02-01"), (900.0, 900.0, 0.0, 0.0))
        self.assertEqual(self.mrr(service, "2027-03-01"), (900.0, 0.0, 0.0, 0.0))

    def test_imported_customers_are_taken_over_not_new(self):
        service = self.subscriber(
            "Imported", self.plan_home, "2026-01-01", opening_billed_through="2027-02-01"
        )
        self.bill("2027-02-01")
        self.refresh()
        self.assertEqual(self.mrr(service, "2027-02-01"), (1000.0, 0.0, 1000.0, 0.0))
        # March is not billed yet.
        self.assertEqual(self.mrr(service, "2027-03-01"), (1000.0, 0.0, 0.0, 1000.0))

    def test_a_service_paused_without_charge_does_not_recur(self):
        with self.at("2027-02-01 06:00:00"):
            service = self.subscriber("Paused", self.plan_home, "2027-02-01")
            self.bill("2027-02-01")
        with self.at("2027-03-01 06:00:00"):
            service._suspend("request", "Abroad", policy="credit")
        self.refresh()
        self.assertEqual(self.mrr(service, "2027-02-01")[0], 1000.0)
        self.assertEqual(self.mrr(service, "2027-03-01")[0], 0.0)

    def test_fees_and_deposits_do_not_recur_and_a_deposit_is_no_revenue(self):
        service = self.subscriber("Fees", self.plan_home, "2027-03-01", active=False)
        for kind, amount in (("one_off", 300.0), ("deposit", 500.0)):
            self.env["isp.subscription.fee"].create(
                {
                    "subscription_id": service.id,
                    "kind": kind,
                    "name": kind,
                    "product_id": self.plan_home.product_id.id,
                    "date": "2027-03-01",
                    "amount": amount,
                }
            )
        service._activate()
        self.bill("2027-03-01")
        self.refresh()
        fact = self.env["isp.report.fact"].search([("subscription_id", "=", service.id)])
        self.assertEqual(
            (fact.mrr, fact.revenue, fact.billed, fact.invoiced), (1000.0, 1300.0, 1300.0, 1800.0)
        )

    # === WHO IS THERE === #

    def test_who_joined_left_and_came_back(self):
        with self.at("2027-01-05 06:00:00"):
            left, stays, pauses = (
                self.subscriber(name, self.plan_home, "2027-01-05")
                for name in ("Left", "Stays", "Pauses")
            )
            self.bill("2027-01-05")
        with self.at("2027-01-20 06:00:00"):
            pauses._suspend("other", "Abuse")
            left._terminate("Moved")
        with self.at("2027-02-20 06:00:00"):
            pauses._resume("Settled")
        with self.at("2027-03-01 06:00:00"):
            self.create_subscription(partner_id=left.partner_id.id, date_start="2027-03-01")
            stays._terminate("Moved")
        self.subscriber("Draft", self.plan_home, "2027-03-01", active=False)
        self.refresh()
        names = (
            "opening_count joined_count returned_count left_count subscriber_count"
            " suspended_count resumed_count active_count"
        )
        self.assertEqual(
            self.by_month("isp.report.subscriber", *names.split()),
            {
                "2027-01": (0, 3, 0, 1, 2, 1, 0, 1),
                "2027-02": (2, 0, 0, 0, 2, 0, 1, 2),
                "2027-03": (2, 0, 1, 1, 2, 0, 0, 2),
            },
        )
        self.assertEqual(
            [
                (
                    f"{row.joined_month:%Y-%m}",
                    row.months_since,
                    row.cohort_count,
                    row.retained_count,
                )
                for row in self.env["isp.report.cohort"].search(
                    [], order="joined_month, months_since"
                )
            ],
            [
                ("2027-01", 0, 3, 2),
                ("2027-01", 1, 3, 2),
                ("2027-01", 2, 3, 1),
                ("2027-03", 0, 1, 1),
            ],
        )
        ((share,),) = self.env["isp.report.cohort"]._read_group(
            [("months_since", "=", 0)], [], ["retention_rate:avg"]
        )
        self.assertEqual(float(share), 0.75)

    def test_revenue_per_user_is_what_was_billed_by_who_is_active(self):
        for number in range(3):
            self.subscriber(f"S{number}", self.plan_home, "2027-02-01")
        self.bill("2027-03-01")
        self.env["isp.subscription"].search([], limit=1)._suspend("other", "Abuse")
        self.refresh()
        figures = self.by_month("isp.report.subscriber", "billed", "active_count", "arpu")
        self.assertEqual(figures["2027-03"], (6000, 2, 3000))
        ((arpu, count),) = self.env["isp.report.subscriber"]._read_group(
            [], [], ["arpu:avg", "active_count:sum"]
        )
        self.assertEqual((dec(arpu), count), (dec(6000 / 5), 2.5))

    # === HOW NEW === #

    def facts(self):
        """Everything stored, without numbers of rows."""
        self.env.flush_all()
        tables = []
        for model in ("isp.report.fact", "isp.report.total", "isp.report.group"):
            rows = self.env[model].search([]).read(load=None)
            tables.append(
                sorted(
                    tuple(sorted((k, str(v)) for k, v in row.items() if k != "id")) for row in rows
                )
            )
        return tables

    def test_a_refresh_of_what_changed_is_as_good_as_one_of_everything(self):
        one, two, three = (
            self.subscriber(name, self.plan_home, "2027-01-01") for name in ("One", "Two", "Three")
        )
        self.bill("2027-01-01", invoice_date="2027-01-01")
        self.refresh()

        def changes():
            yield self.bill("2027-03-01")
            yield self.pay(one.charge_ids.move_id[:1])
            yield one.charge_ids.move_id.line_ids.remove_move_reconcile()
            yield self.reverse(two.charge_ids.move_id[:1], "2027-03-09")
            yield two.charge_ids.move_id[1:].button_draft()
            yield three._terminate("Moved")
            yield three.partner_id.write({"city": "Rajshahi"})

        # What each change leaves behind to be found by: rows of whom, or nothing but payments.
        nobody = self.env["isp.subscription"]
        traces = [one | two | three, nobody, nobody, two, two, three, three]
        for number, _done in enumerate(changes()):
            with self.subTest(step=number):
                before = self.facts()
                self.env["isp.report.refresh"].search([]).since = "2027-03-10 06:00:00"
                self.outdate(traces[number], payments=number == 1)
                self.refresh()
                self.assertFalse(self.env["isp.report.refresh"].search([], limit=1).is_full)
                after = self.facts()
                self.assertNotEqual(before, after)
                self.refresh(full=True)
                self.assertEqual(after, self.facts())

    def outdate(self, subscriptions, payments):
        """Let only what belongs to ``subscriptions``, or payments, look as if written lately."""
        self.env.flush_all()
        moves = subscriptions.charge_ids.move_id
        moves |= moves.reversal_move_ids
        lately, before = "2027-03-10 07:00:00", "2027-03-10 05:00:00"
        for model, column, records in (
            ("isp.subscription", "write_date", subscriptions),
            ("isp.charge", "write_date", subscriptions.charge_ids),
            ("isp.subscription.line", "write_date", subscriptions.line_ids),
            ("isp.subscription.event", "create_date", subscriptions.event_ids),
            ("account.move", "write_date", moves),
            ("res.partner", "write_date", subscriptions.partner_id),
            ("account.partial.reconcile", "write_date", self.env["account.partial.reconcile"]),
        ):
            self.env.cr.execute(
                SQL(
                    "UPDATE %(table)s SET %(column)s = CASE WHEN %(all)s OR id = ANY(%(ids)s)"
                    " THEN timestamp %(lately)s ELSE timestamp %(before)s END",
                    table=SQL.identifier(self.env[model]._table),
                    column=SQL.identifier(column),
                    all=payments and model == "account.partial.reconcile",
                    ids=records.ids,
                    lately=lately,
                    before=before,
                )
            )
        self.env.invalidate_all()

    def test_a_report_opens_with_its_age(self):
        manager = self.create_user("manager")
        self.subscriber("One", self.plan_home, "2027-03-01")
        self.bill("2027-03-01")
        refresh = self.env["isp.report.refresh"].with_user(manager).with_context(tz="Asia/Dhaka")
        action = refresh.action_open("isp_billing.isp_report_mrr_action")
        self.assertEqual(action["display_name"], "Recurring revenue at 12:00\u202fPM")
        rows = self.env["isp.report.mrr"].with_user(manager).search([])
        self.assertEqual(
            (sum(rows.mapped("mrr")), rows[0].as_of), (1000.0, refresh._get_last().date)
        )

    def test_refresh_is_asked_for_by_a_button(self):
        self.subscriber("One", self.plan_home, "2027-03-01")
        self.refresh()
        accountant = self.create_user("accountant")
        cron = self.env.ref("isp_billing.isp_report_cron_refresh")
        triggers = [("cron_id", "=", cron.id)]
        before = self.env["ir.cron.trigger"].search_count(triggers)
        action = self.env["isp.report.subscriber"].with_user(accountant).search([]).action_refresh()
        self.assertEqual(action["tag"], "display_notification")
        self.assertGreater(self.env["ir.cron.trigger"].search_count(triggers), before)

    def test_large_books_open_with_the_figures_there_are(self):
        self.subscriber("One", self.plan_home, "2027-03-01")
        self.refresh()
        self.subscriber("Two", self.plan_home, "2027-03-01")
        with patch(f"{REFRESH}.QUICK_MOVES", -2):
            self.env["isp.report.refresh"].action_open("isp_billing.isp_report_mrr_action")
        count = self.by_month("isp.report.subscriber", "subscriber_count", "joined_count")
        self.assertEqual(count["2027-03"], (1, 1))
        self.env["isp.report.refresh"].action_open("isp_billing.isp_report_mrr_action")
        count = self.by_month("isp.report.subscriber", "subscriber_count", "joined_count")
        self.assertEqual(count["2027-03"], (2, 2))

    def test_a_run_that_ends_asks_for_a_refresh(self):
        trigger = self.env["ir.cron.trigger"].search_count([])
        self.subscriber("One", self.plan_home, "2027-03-01")
        self.bill("2027-03-01")
        cron = self.env.ref("isp_billing.isp_report_cron_refresh")
        self.assertGreater(self.env["ir.cron.trigger"].search_count([]), trigger)
        self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]))
        self.env["isp.report.refresh"]._cron_refresh()
        self.assertEqual(
            self.env["isp.report.mrr"].search([("month", "=", "2027-03-01")]).mrr, 1000.0
        )

    def test_rows_lead_to_the_subscribers_behind_them(self):
        inside = self.subscriber("Inside", self.plan_home, "2027-03-01", "Khulna")
        self.subscriber("Outside", self.plan_home, "2027-03-01", "Dhaka")
        self.subscriber("Nowhere", self.plan_home, "2027-03-01", False)
        self.bill("2027-03-01")
        self.refresh()
        for area, names in (("Khulna", ["Inside"]), (False, ["Nowhere"])):
            row = self.env["isp.report.mrr"].search([("area", "=", area)])
            action = row.action_view_subscribers()
            facts = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(facts.partner_id.mapped("name"), names)
        self.assertEqual(facts.action_view_subscription()["res_id"], facts.subscription_id.id)
        self.assertEqual(inside.charge_ids.amount, 1000.0)

    # === WHO MAY === #

    def test_companies_do_not_see_each_other(self):
        mine = self.subscriber("Mine", self.plan_home, "2027-03-01")
        env = self.env(context=dict(self.env.context, allowed_company_ids=self.other_company.ids))
        other_plan = env["isp.plan"].create({"name": "Theirs", "price": 700.0, "tax_ids": [(5,)]})
        theirs = env["isp.subscription"].create(
            {
                "partner_id": self.partner("Theirs").id,
                "plan_id": other_plan.id,
                "date_start": "2027-03-01",
            }
        )
        theirs._activate()
        env["isp.billing.run"].create({"target_date": "2027-03-01"})._run_to_end()
        self.bill("2027-03-01")
        self.refresh()
        manager = self.create_user("manager")
        manager.company_ids |= self.other_company
        for company, plan in ((self.company, mine.plan_id), (self.other_company, other_plan)):
            for name in REPORTS:
                model = self.env[f"isp.report.{name}"].with_user(manager)
                rows = model.with_context(allowed_company_ids=company.ids).search([])
                self.assertEqual(rows.company_id, company, name)
                self.assertEqual(rows.plan_id, plan, name)

    def test_reports_are_for_accountants_and_managers(self):
        self.subscriber("One", self.plan_home, "2027-03-01")
        self.bill("2027-03-01")
        self.refresh()
        for role, may in (
            ("support", False),
            ("clerk", False),
            ("accountant", True),
            ("manager", True),
        ):
            user = self.create_user(role)
            for name in REPORTS:
                model = self.env[f"isp.report.{name}"].with_user(user)
                with self.subTest(role=role, report=name):
                    if may:
                        self.assertTrue(model.search([]))
                        with self.assertRaises(AccessError):
                            model.create({})
                    else:
                        with self.assertRaises(AccessError):
                            model.search([])
            if not may:
                with self.assertRaises(AccessError):
                    self.env["isp.report.refresh"].with_user(user).action_open(
                        "isp_billing.isp_report_mrr_action"
                    )
