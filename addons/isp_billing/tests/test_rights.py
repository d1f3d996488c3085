from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import IspBillingCase

OWN_MODELS = (
    "isp.plan",
    "isp.subscription",
    "isp.subscription.line",
    "isp.subscription.event",
    "isp.charge",
    "isp.billing.run",
    "isp.billing.run.exception",
    "isp.entitlement",
)


@tagged("post_install", "-at_install")
class TestRights(IspBillingCase):
    def test_a_clerk_sells_but_does_not_bill(self):
        clerk = self.create_user("clerk")
        form = Form(self.env["isp.subscription"].with_user(clerk))
        form.partner_id = self.customer
        form.plan_id = self.plan_home
        subscription = form.save()
        subscription.action_activate()
        self.assertEqual(subscription.state, "active")
        self.assertTrue(subscription.username)
        subscription._suspend("request", "Away")
        with self.assertRaises(AccessError):
            self.env["isp.billing.run"].with_user(clerk).create({})
        with self.assertRaises(AccessError):
            self.env["isp.plan"].with_user(clerk).create({"name": "Cheap", "price": 1})

    def test_an_accountant_bills(self):
        accountant = self.create_user("accountant")
        subscription = self.create_subscription()
        run = (
            self.env["isp.billing.run"]
            .with_user(accountant)
            .create({"target_date": "2027-03-10", "invoice_date": "2027-03-10"})
        )
        run.action_preview()
        self.assertTrue(run._run_to_end())
        self.assertEqual(subscription.charge_ids.move_id.state, "posted")
        self.assertEqual(run.user_id, accountant)

    def test_a_manager_makes_plans(self):
        manager = self.create_user("manager")
        plan = self.env["isp.plan"].with_user(manager).create({"name": "New", "price": 5.0})
        plan.price = 6.0
        self.assertEqual(plan.product_id.lst_price, 6.0)

    def test_support_reads_what_is_owed_and_changes_nothing(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        seen = subscription.with_user(self.create_user("support"))
        self.assertEqual(seen.amount_due, 1000.0)
        self.assertEqual(seen.invoice_count, 1)
        with self.assertRaises(AccessError):
            seen.username = "other"
        with self.assertRaises(AccessError):
            seen._terminate("No right")
        with self.assertRaises(AccessError):
            seen.read(["password"])

    def test_the_first_line_and_the_network_work_without_seeing_money(self):
        subscription = self.create_subscription()
        self.bill("2027-03-10")
        bill = subscription.charge_ids.move_id
        for role in ("first_line", "network"):
            user = self.create_user(role)
            seen = subscription.with_user(user)
            with self.subTest(role=role):
                form = Form(seen)
                self.assertEqual(form.plan_id, self.plan_home)
                self.assertNotIn("amount_due", form._view["fields"])
                self.assertEqual(seen.invoice_count, 1)
                for records, name in (
                    (seen, "amount_due"),
                    (seen, "unpaid_amount"),
                    (seen, "paid_until"),
                    (bill.with_user(user), "amount_total"),
                    (subscription.charge_ids.with_user(user), "amount"),
                ):
                    with self.assertRaises(AccessError):
                        records.read([name])
                views = (
                    self.env["isp.subscription"]
                    .with_user(user)
                    .get_views(
                        [
                            (False, kind)
                            for kind in ("list", "kanban", "search", "pivot", "calendar")
                        ]
                    )["views"]
                )
                self.assertNotIn("unpaid_amount", views["list"]["arch"])
                self.assertNotIn("next_dunning_action", views["search"]["arch"])

    def test_nobody_forges_history_or_entitlements(self):
        subscription = self.create_subscription()
        manager = self.create_user("manager")
        with self.assertRaises(AccessError):
            subscription.event_ids.with_user(manager).write({"reason": "Never happened"})
        with self.assertRaises(AccessError):
            subscription.entitlement_id.with_user(manager).write({"access": "full"})
        with self.assertRaises(AccessError):
            subscription.entitlement_id.with_user(manager).read(["nt_secret"])

    def test_portal_users_read_nothing_of_it_by_rpc(self):
        portal = new_test_user(self.env, "isp_portal", groups="base.group_portal")
        for model in OWN_MODELS:
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])

    @proves("P-15")
    def test_companies_never_see_each_other(self):
        other = self.env["res.company"].create(
            {"name": "Other operator", "country_id": self.company.country_id.id}
        )
        self.env["account.chart.template"].try_loading("bd", company=other, install_demo=False)
        env = self.env(context=dict(self.env.context, allowed_company_ids=other.ids))
        plan = env["isp.plan"].create(
            {"name": "Foreign", "price": 10.0, "tax_ids": [fields.Command.clear()]}
        )
        foreign = env["isp.subscription"].create(
            {
                "partner_id": env["res.partner"].create({"name": "Foreign customer"}).id,
                "plan_id": plan.id,
                "date_start": "2027-03-01",
            }
        )
        foreign._activate()
        run = env["isp.billing.run"].create({"target_date": "2027-03-10"})
        self.assertTrue(run._run_to_end())
        self.assertEqual(foreign.charge_ids.move_id.company_id, other)
        env["isp.billing.run.exception"].create(
            {"run_id": run.id, "subscription_id": foreign.id, "reason": "-"}
        )
        manager = self.create_user("manager")
        for model in OWN_MODELS:
            records = self.env[model].with_user(manager)
            field = (
                self.env["ir.rule"]
                .sudo()
                .search([("model_id.model", "=", model), ("groups", "=", False)])
            )
            self.assertTrue(field, f"{model} has no company rule")
            self.assertTrue(
                env[model].sudo().search_count([("company_id", "=", other.id)]),
                f"{model}: nothing of the other company to hide",
            )
            self.assertFalse(records.search_count([("company_id", "=", other.id)]), model)

    def test_a_run_bills_its_own_company_only(self):
        other = self.env["res.company"].create({"name": "Branch"})
        subscription = self.create_subscription()
        run = self.env["isp.billing.run"].create(
            {"target_date": "2027-03-10", "company_id": other.id}
        )
        run._run_to_end()
        self.assertFalse(subscription.charge_ids)
