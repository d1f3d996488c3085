"""Explain this invoice: totals, taxes and payments, the clerk's screens, words in two languages."""

import re
from decimal import Decimal
from pathlib import Path

from odoo import fields
from odoo.tests import tagged

from ..engine.problems import Problem
from ..errors import explain_error
from ..models.isp_billing_reasons import REASONS, explain_problem
from ..models.isp_import_reasons import REASONS as IMPORT_REASONS
from .explain_common import ExplainCase


@tagged("post_install", "-at_install")
class TestExplainInvoice(ExplainCase):
    """Karim's bills as a whole."""

    # === THE WHOLE INVOICE === #

    def create_tax(self, percent, **vals):
        return self.env["account.tax"].create(
            {"name": f"VAT {percent} %", "amount": percent, "type_tax_use": "sale", **vals}
        )

    def explain_move(self, move, for_customer=False):
        """The explanation of an invoice, with every sum checked."""
        explained = move._get_isp_explanation(for_customer)
        for line in explained["lines"]:
            for charge in line["charges"]:
                self.check_steps(charge["steps"], charge["charge"].amount)
        for rows, total in (
            (explained["totals"], move.amount_total),
            (explained["payments"], move.amount_residual),
        ):
            for row in rows:
                result = self.check_formula(row["formula"]) if row["formula"] else None
                self.assertEqual(
                    result if result is not None else self.read_last(row["amount"]),
                    self.read_last(row["amount"]),
                )
            if rows:
                self.assertEqual(self.read_last(rows[-1]["amount"]), Decimal(str(total)))
        return explained

    def test_the_total_with_two_taxes(self):
        self.plan_home.tax_ids = self.create_tax(7.5) | self.create_tax(0.33)
        subscription = self.create_subscription(date_start="2027-03-18")
        move = self.bill_on(subscription, "2027-03-18")
        explained = self.explain_move(move)
        rows = {row["label"]: row["formula"] for row in explained["totals"]}
        self.assertEqual(rows["VAT 7.5 %"], "451.61 × 7.5 ÷ 100 = 33.87075, rounded to 33.87")
        self.assertEqual(rows["Total"], "451.61 + 33.87 + 1.49 = 486.97")
        self.assertFalse(explained["payments"])

    def test_a_price_that_contains_its_tax(self):
        tax = self.create_tax(5, price_include_override="tax_included")
        self.plan_home.tax_ids = tax
        subscription = self.create_subscription()
        move = self.bill_on(subscription, "2027-03-10")
        (line,) = self.explain_move(move)["lines"]
        self.assertEqual(line["steps"][0]["formula"], "1,000.00 − 47.62 = 952.38")

    def test_payments_and_credits_that_were_used(self):
        subscription = self.create_subscription()
        move = self.bill_on(subscription, "2027-03-10")
        self.pay(move, 400.0)
        explained = self.explain_move(move)
        self.assertEqual(
            [(row["label"], row["amount"]) for row in explained["payments"]],
            [
                ("Payment of 10 Mar 2027", "−400.00\xa0৳"),
                ("Left to pay", "600.00\xa0৳"),
            ],
        )
        with self.at("2027-03-21 06:00:00"):
            subscription._terminate("Moved", fields.Date.to_date("2027-03-21"))
        credit = self.bill_on(subscription, "2027-03-21")
        self.assertEqual(credit.move_type, "out_refund")
        credit._isp_apply_credits()
        told = self.explain_move(credit)
        self.assertIn(
            f"Used for invoice {move.name} of 10 Mar 2027",
            [row["label"] for row in told["payments"]],
        )
        labels = [row["label"] for row in self.explain_move(move)["payments"]]
        self.assertIn(f"Credit note {credit.name} of 21 Mar 2027", labels)

    def test_lines_entered_by_hand(self):
        subscription = self.create_subscription()
        move = self.bill_on(subscription, "2027-03-10")
        move.button_draft()
        move.invoice_line_ids = [
            fields.Command.create(
                {"name": "Cable", "quantity": 3, "price_unit": 50.0, "tax_ids": False}
            )
        ]
        move.action_post()
        cable = self.explain_move(move)["lines"][-1]
        self.assertEqual(cable["steps"][0]["formula"], "3 × 50.00")
        self.assertIn("Entered by hand", cable["steps"][0]["label"])

    # === THE CLERK'S SCREENS === #

    def test_support_reads_explanations_and_only_they(self):
        subscription = self.create_subscription()
        move = self.bill_on(subscription, "2027-03-10")
        support = self.create_user("support")
        seen = move.with_user(support)
        self.assertTrue(seen.isp_has_charges)
        self.assertIn("The whole period", seen.isp_explanation)
        self.assertIn("The whole period, 1 Mar 2027", seen.isp_explanation_text)
        self.assertTrue(seen.invoice_line_ids.isp_has_charge)
        self.assertIn("per month", subscription.charge_ids.with_user(support).explanation)
        action = seen.action_isp_explain()
        view = self.env["ir.ui.view"].browse(action["views"][0][0])
        self.assertIn("isp_explanation", view.arch)
        action = seen.invoice_line_ids.action_isp_explain()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("isp.charge", move.isp_charge_ids.id)
        )

    def test_names_are_escaped(self):
        subscription = self.create_subscription()
        subscription.line_ids.name = "<script>alert('x')</script>"
        move = self.bill_on(subscription, "2027-03-10")
        for html in (move.isp_explanation, subscription.charge_ids.explanation):
            self.assertNotIn("<script>", html)
            self.assertIn("&lt;script&gt;", html)

    def test_the_customers_print_has_nothing_of_the_staff(self):
        subscription = self.create_subscription()
        with self.at("2027-03-02 06:00:00"):
            subscription._terminate("Rude on the phone", fields.Date.to_date("2027-03-11"))
        move = self.bill_on(subscription, "2027-03-12")
        self.assertIn("Rude on the phone", move.isp_explanation)
        page, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "isp_billing.report_explanation", move.ids
        )
        text = page.decode()
        self.assertIn("Service ended", text)
        self.assertNotIn("Rude on the phone", text)
        self.assertNotIn("OdooBot", text)

    def test_labels_of_invoice_lines_hold_no_personal_data(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Shahnaz Parvin",
                "phone": "+8801712345678",
                "email": "shahnaz@example.com",
                "street": "House 12, Road 5, Dhanmondi",
            }
        )
        plan = self.create_plan("Trial", 1000.0, setup_fee=750.0, early_fee=100.0)
        subscription = self.create_subscription(
            partner_id=partner.id,
            plan_id=plan.id,
            username="shahnaz.parvin",
            contract_end="2028-03-01",
        )
        self.bill_on(subscription, "2027-03-10")
        with self.at("2027-03-20 06:00:00"):
            subscription._change_plan(self.plan_office, fields.Date.to_date("2027-03-20"))
        self.bill_on(subscription, "2027-03-20")
        with self.at("2027-03-25 06:00:00"):
            subscription._terminate("Moved", fields.Date.to_date("2027-03-25"))
        self.bill_on(subscription, "2027-03-25")
        lines = subscription.charge_ids.invoice_line_id
        self.assertGreaterEqual(len(lines), 5)
        personal = {
            *partner.name.split(),
            partner.phone,
            "1712345678",
            partner.email,
            "Dhanmondi",
            subscription.username,
            subscription.password,
            subscription.name,
            *filter(None, subscription.entitlement_ids.mapped("ipv4_address")),
        }
        for line in lines:
            for value in personal:
                self.assertNotIn(value.lower(), line.name.lower())

    # === BANGLA === #

    def test_bangla_explains_with_the_same_numbers(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.env["ir.module.module"]._load_module_terms(["isp_billing"], ["bn_IN"])
        subscription = self.change_plan()
        for charge in self.charges_of(subscription):
            english, bangla = self.explain(charge), self.explain(charge, lang="bn_IN")
            self.assertEqual(
                [step["code"] for step in bangla["steps"]],
                [step["code"] for step in english["steps"]],
            )
            for step in bangla["steps"]:
                self.assertRegex(step["label"], "[\u0980-\u09ff]", step)
        repair = self.charges_of(subscription, rule="repair")
        because = self.explain(repair, for_customer=True, lang="bn_IN")["because"]
        self.assertEqual(because, ["15 মার্চ 2027: প্ল্যান Home 20 থেকে Office 50 হয়েছে"])
        stub = self.charges_of(subscription)[-1]
        self.assertEqual(
            self.labels(stub, lang="bn_IN"),
            [
                "Office 50: প্রতি মাসে 2,500.00",
                "31 দিনের মধ্যে 17 দিন: 15 মার্চ 2027 থেকে 31 মার্চ 2027",
                "এই দিনগুলোর দাম",
            ],
        )
        self.assertIn(", পূর্ণ করে 1,370.97", self.formulas(stub, lang="bn_IN")[-1])
        move = subscription.charge_ids[0].move_id.with_context(lang="bn_IN")
        self.assertIn("মোট", move.isp_explanation_text)

    # === PROBLEMS === #

    def test_every_problem_of_the_engine_has_words(self):
        engine = Path(__file__).parents[1] / "engine"
        codes = {
            code
            for path in engine.rglob("*.py")
            for code in re.findall(r'Problem\(\s*"(\w+)"', path.read_text())
        }
        self.assertGreater(len(codes), 30)
        self.assertFalse(codes - {*REASONS, *IMPORT_REASONS})

    def test_problems_of_the_engine_are_told_in_words(self):
        day = fields.Date.to_date("2027-03-01")
        params = {
            "start": day,
            "end": day,
            "target": day,
            "what": "mode",
            "value": "advnace",
            "date_from": day,
            "date_to": day,
            "key": "fee7",
            "count": -1,
            "proration": "exakt",
            "day": day,
            "moment": "2027-03-01T10:00",
            "zone": "Asia/Daka",
            "coupon": "NEW10",
            "valid_from": day,
            "valid_to": day,
            "limit": 5,
        }
        for code in REASONS:
            with self.subTest(code=code):
                sentence = explain_error(self.env, Problem(code, **params))
                self.assertRegex(sentence, r"^[A-Z“].*\.$")
                for leftover in (code, "%(", "2027-03-01 ", "fee7", "exakt", "advnace"):
                    self.assertNotIn(leftover, sentence)
        with self.assertLogs("odoo.addons.isp_billing.models.isp_billing_reasons", "WARNING"):
            sentence = explain_problem(self.env, Problem("brand_new", secret="01711"))
        self.assertIn("cannot be worked out", sentence)
        self.assertNotIn("brand_new", sentence)
