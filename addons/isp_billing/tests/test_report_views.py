import io

from openpyxl import load_workbook

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from ..report.workbook import Workbook
from .report_common import ReportCase, dec

REPORTS = ("mrr", "subscriber", "cohort", "ageing", "collection", "fact")


@tagged("post_install", "-at_install")
class TestReportViews(ReportCase):
    """Who may see what, how new it is, what is owed, and what the workbook holds."""

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
        for model in ("isp.report.fact", "isp.report.total"):
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

        for number, _done in enumerate(changes()):
            with self.subTest(step=number):
                before = self.facts()
                self.env["isp.report.refresh"].search([]).since = "2027-03-10 06:00:00"
                self.outdate(
                    one if number in (1, 2) else two if number in (3, 4) else one | two | three
                )
                self.refresh()
                self.assertFalse(self.env["isp.report.refresh"].search([], limit=1).is_full)
                after = self.facts()
                self.assertNotEqual(before, after)
                self.refresh(full=True)
                self.assertEqual(after, self.facts())

    def outdate(self, subscriptions):
        """Let only what belongs to ``subscriptions`` look as if it was written lately."""
        moves = subscriptions.charge_ids.move_id
        moves |= moves.reversal_move_ids
        self.env.flush_all()
        for table, ids in (
            ("isp_subscription", subscriptions.ids),
            ("isp_charge", subscriptions.charge_ids.ids),
            ("account_move", moves.ids),
            ("res_partner", subscriptions.partner_id.ids),
        ):
            self.env.cr.execute(
                f"UPDATE {table} SET write_date = CASE WHEN id = ANY(%s)"
                " THEN timestamp '2027-03-10 07:00' ELSE timestamp '2027-03-10 05:00' END",
                [list(ids)],
            )
        self.env.cr.execute(
            "UPDATE account_partial_reconcile SET write_date = '2027-03-10 05:00';"
            "UPDATE isp_subscription_line SET write_date = '2027-03-10 05:00';"
            "UPDATE isp_subscription_event SET create_date = '2027-03-10 05:00'"
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

    # === THE WORKBOOK === #

    def workbook(self, first="2027-01-01", last="2027-03-01"):
        file = io.BytesIO()
        Workbook(
            self.env(context=dict(self.env.context, allowed_company_ids=self.company.ids)),
            file,
            first,
            last,
        ).build()
        return load_workbook(io.BytesIO(file.getvalue()))

    def test_no_name_becomes_a_formula(self):
        nasty = (
            '=HYPERLINK("http://evil.example","Pay")',
            "+880",
            "-1+1",
            "@SUM(A1)",
            "http://x.example",
        )
        for name in nasty:
            self.subscriber(name, self.plan_home, "2027-02-01", name)
        self.bill("2027-03-01")
        self.refresh()
        book = self.workbook()
        self.assertEqual(book.sheetnames, ["Movements", "Subscribers", "Ageing", "Collected"])
        shown = set()
        for sheet in book:
            self.assertTrue(sheet.freeze_panes, sheet.title)
            for row in sheet.iter_rows():
                for cell in row:
                    self.assertFalse(cell.hyperlink, cell.coordinate)
                    if cell.data_type == "f":
                        self.assertRegex(cell.value, r"^=SUM\([A-Z]+2:[A-Z]+\d+\)$")
                    elif cell.data_type == "s":
                        shown.add(cell.value)
        self.assertLessEqual(set(nasty), shown)

    def test_the_workbook_holds_the_figures(self):
        for number in range(3):
            self.subscriber(f"S{number}", self.plan_home, "2027-02-01", "Khulna")
        self.bill("2027-03-01")
        self.refresh()
        book = self.workbook("2027-03-01")
        heads, figures, *_rest = book["Movements"].iter_rows(values_only=True)
        self.assertEqual(
            dict(zip(heads, figures, strict=True)) | {"Month": f"{figures[0]:%Y-%m}"},
            {
                "Month": "2027-03",
                "Company": self.company.name,
                "Plan": "Home 20",
                "Opening": 3000,
                "New": 0,
                "Up": 0,
                "Down": 0,
                "Lost": 0,
                "Back": 0,
                "Taken over": 0,
                "Recurring revenue": 3000,
                "Not billed yet": 0,
                "Recognised revenue": 3000,
                "Billed before taxes": 6000,
            },
        )
        ageing = list(book["Ageing"].iter_rows(values_only=True))
        self.assertEqual(len(ageing), 1 + 3 + 1)
        self.assertEqual([row[-1] for row in ageing[1:]], [2000, 2000, 2000, f"=SUM(K2:K{4})"])
        collected = list(book["Collected"].iter_rows(values_only=True))
        self.assertEqual(collected[1][2:], ("Khulna", 6000, 0, 0))

    def test_an_empty_workbook_opens(self):
        book = self.workbook("2020-01-01", "2020-02-01")
        self.assertEqual([sheet.max_row for sheet in book][0], 1)


@tagged("post_install", "-at_install")
class TestReportDownload(HttpCase):
    def test_the_workbook_is_downloaded_by_who_may(self):
        accountant = new_test_user(
            self.env, "isp_xlsx", groups="base.group_user,isp_base.group_isp_accountant"
        )
        wizard = self.env["isp.report.export"].with_user(accountant).create({})
        url = wizard.action_export()["url"]
        self.authenticate("isp_xlsx", "isp_xlsx")
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        self.assertIn(".xlsx", response.headers["Content-Disposition"])
        self.assertIn("Movements", load_workbook(io.BytesIO(response.content)).sheetnames)
        self.assertEqual(self.url_open(url.replace("date_from=2", "date_from=x")).status_code, 400)
        new_test_user(self.env, "isp_xlsx_no", groups="base.group_user,isp_base.group_isp_clerk")
        self.authenticate("isp_xlsx_no", "isp_xlsx_no")
        self.assertEqual(self.url_open(url).status_code, 403)
