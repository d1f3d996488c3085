import re
from pathlib import Path
from unittest.mock import ANY, patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools.translate import CodeTranslations

from odoo.addons.account.models.account_move import AccountMove

from ..engine import bulk_amount, bulk_guard, bulk_reason, bulk_sql
from ..models import isp_subscription_bulk
from ..models.isp_bulk_reasons import REASONS, explain_reason
from .common import IspBillingCase
from .test_migration import load_script


@tagged("post_install", "-at_install")
class TestBulkInvoicing(IspBillingCase):
    """Equality with the ORM, column by column, is tested in tests/test_bulk_equality.py."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.isp_bulk_invoicing = True
        cls.partners = cls.env["res.partner"].create([{"name": f"Customer {n}"} for n in range(8)])
        cls.journal = cls.company.isp_billing_journal_id

    def subscribe(self, count=8, **vals):
        return self.env["isp.subscription"].union(
            *(
                self.create_subscription(partner_id=self.partners[number].id, **vals)
                for number in range(count)
            )
        )

    def assertGapless(self, moves):
        numbers = sorted(moves.mapped("sequence_number"))
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.assertEqual(len(set(moves.mapped("name"))), len(moves))
        self.assertFalse(any(moves.sorted("sequence_number")[1:].mapped("made_sequence_gap")))

    def test_one_bill_is_posted_and_the_others_are_copied(self):
        subscriptions = self.subscribe()
        run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count, run.fallback_reasons), (7, 1, ""))
        moves = subscriptions.charge_ids.move_id
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self.assertEqual(moves.partner_id, self.partners)
        self.assertGapless(moves)
        for subscription in subscriptions:
            move = subscription.charge_ids.move_id
            self.assertEqual(move.invoice_origin, subscription.name)
            self.assertEqual(move.payment_reference, move.name)
            self.assertEqual(set(move.line_ids.mapped("move_name")), {move.name})
            self.assertEqual(subscription.charge_ids.invoice_line_id, move.invoice_line_ids)
            self.assertEqual(str(subscription.next_bill_date), "2027-04-01")
        self.assertEqual(set(self.partners.mapped("customer_rank")), {1})

    def test_numbers_follow_the_subscriptions_also_across_groups(self):
        home = self.subscribe(4)
        office = self.subscribe(4, plan_id=self.plan_office.id)
        more = self.subscribe(3)
        run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count), (9, 2))
        in_order = (home | office | more).sorted("id").mapped("charge_ids.move_id.sequence_number")
        self.assertEqual(in_order, sorted(in_order))
        moves = (home | office | more).charge_ids.move_id
        self.assertGapless(moves)
        for move in moves:
            term = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
            self.assertEqual((term.name, term.move_name), (move.name, move.name))

    def test_posted_invoices_may_exchange_their_numbers(self):
        # Odoo numbers more than a thousand prototypes in an order of its own.
        self.company.isp_bulk_invoicing = False
        subscriptions = self.subscribe(3)
        self.bill("2027-03-10")
        moves = subscriptions.charge_ids.move_id
        names = moves.mapped("name")
        rows = []
        for move, other in zip(moves, moves[1:] + moves[0], strict=True):
            (term,) = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
            labels = [(term.id, other.name)]
            rows.append((move.id, other.name, other.sequence_number, other.name, labels))
        bulk_sql.renumber(self.env, rows)
        self.env.invalidate_all()
        self.assertEqual(moves.mapped("name"), [*names[1:], names[0]])
        self.assertGapless(moves)
        for move in moves:
            self.assertEqual(set(move.line_ids.mapped("move_name")), {move.name})
            self.assertEqual(move.payment_reference, move.name)
            self.assertIn(move.name, move.line_ids.mapped("name"))

    def test_the_next_invoice_by_hand_gets_the_next_number(self):
        subscriptions = self.subscribe()
        self.bill("2027-03-10")
        moves = subscriptions.charge_ids.move_id
        copy = moves[-1].copy({"invoice_date": "2027-03-10"})
        copy.action_post()
        self.assertEqual(copy.sequence_number, max(moves.mapped("sequence_number")) + 1)

    def test_who_is_a_customer_already_is_counted_after_the_commit(self):
        self.partners.customer_rank = 4
        self.subscribe()
        self.bill("2027-03-10")
        waiting = self.env.cr.postcommit.data["isp_billing.customer_rank"]
        self.assertEqual(waiting, dict.fromkeys(self.partners[1:].ids, 1))
        self.assertEqual(set(self.partners.mapped("customer_rank")), {4})

    def test_a_copied_bill_is_paid_and_gives_the_service_back(self):
        subscriptions = self.subscribe()
        self.bill("2027-03-10")
        last = subscriptions[-1]
        last._suspend("overdue", "Test")
        self.pay(last.charge_ids.move_id)
        self.assertEqual(last.charge_ids.move_id.payment_state, "paid")
        self.assertEqual(last.state, "active")
        self.assertEqual(subscriptions[-2].charge_ids.move_id.payment_state, "not_paid")

    def test_a_bill_over_nothing_goes_through_the_orm_and_leaves_no_gap(self):
        free = self.subscribe(3)
        free.line_ids.write({"discount": 100.0})
        paying = self.subscribe(4)
        run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count), (3, 4))
        self.assertIn("3 × a total is zero or negative", run.fallback_reasons)
        self.assertGapless((free | paying).charge_ids.move_id)
        self.assertEqual(set(free.charge_ids.move_id.mapped("payment_state")), {"paid"})

    def subscribe_at(self, *prices, **tax):
        tax = self.env["account.tax"].create({"name": "VAT", "amount": 7.5, **tax})
        plan = self.create_plan("Taxed", 500.0, tax_ids=[fields.Command.set(tax.ids)])
        subscriptions = self.subscribe(len(prices), plan_id=plan.id)
        for subscription, price in zip(subscriptions, prices, strict=True):
            subscription.line_ids.price_unit = price
        return subscriptions

    def test_bills_with_prices_of_their_own_are_copied_too(self):
        # 7.5 % of 499.80 is 37.485, of 733.40 55.005
        subscriptions = self.subscribe_at(500.0, 499.8, 733.4, 500.0, 12.345, 9.99, 9.99)
        run = self.bill("2027-03-10")
        # Below ten a tax may vanish: these have a prototype of their own.
        self.assertEqual((run.bulk_count, run.orm_count, run.fallback_reasons), (5, 2, ""))
        moves = subscriptions.mapped("charge_ids.move_id").sorted("sequence_number")
        self.assertEqual(
            [(move.amount_untaxed, move.amount_tax, move.amount_total) for move in moves],
            [
                *((500.0, 37.5, 537.5), (499.8, 37.49, 537.29), (733.4, 55.01, 788.41)),
                *((500.0, 37.5, 537.5), (12.35, 0.93, 13.28)),
                *((9.99, 0.75, 10.74), (9.99, 0.75, 10.74)),
            ],
        )
        for move in moves:
            term, tax, line = move.line_ids.sorted("balance", reverse=True)
            if tax.display_type != "tax":
                tax, line = line, tax
            self.assertEqual((term.debit, term.amount_residual), (move.amount_total,) * 2)
            self.assertEqual((tax.credit, tax.tax_base_amount), (move.amount_tax, line.balance))
            self.assertEqual(line.price_unit, move.isp_charge_ids.price_unit)

    def test_taxes_that_are_no_plain_share_keep_a_prototype_for_each_price(self):
        self.subscribe_at(500.0, 600.0, 500.0, 600.0, price_include_override="tax_included")
        run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count, run.fallback_reasons), (2, 2, ""))

    def test_amounts_that_do_not_come_out_as_odoo_stored_them_are_left_to_the_orm(self):
        get = bulk_amount.Calculator.get

        def get_wrong(calculator, prices):
            amounts = get(calculator, prices)
            return bulk_amount.Amounts(("1.00", *amounts.move[1:]), amounts.lines)

        subscriptions = self.subscribe_at(500.0, 600.0, 500.0, 700.0)
        with patch.object(bulk_amount.Calculator, "get", get_wrong):
            run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count), (1, 3))
        self.assertIn("2 × amounts at other prices cannot", run.fallback_reasons)
        self.assertGapless(subscriptions.charge_ids.move_id)

    def test_the_option_switches_it_off(self):
        self.company.isp_bulk_invoicing = False
        self.subscribe(3)
        run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count), (0, 3))

    def test_a_hashed_journal_is_billed_by_the_orm_with_the_reason(self):
        self.journal.restrict_mode_hash_table = True
        subscriptions = self.subscribe(3)
        run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count), (0, 3))
        self.assertIn("is secured with hashes", run.fallback_reasons)
        self.assertGapless(subscriptions.charge_ids.move_id)

    def test_reasons_are_read_in_the_users_language_and_logged_in_english(self):
        self.env["res.lang"]._activate_lang("bn_IN")
        self.journal.restrict_mode_hash_table = True
        self.subscribe(3)
        bangla = {"journal %(journal)s is secured with hashes": "জার্নাল %(journal)s"}
        known = CodeTranslations.get_python_translations

        def translate(translations, module, lang):
            return {**known(translations, module, lang), **(bangla if lang == "bn_IN" else {})}

        run = self.env["isp.billing.run"].with_context(lang="bn_IN")
        run = run.create({"target_date": "2027-03-10", "invoice_date": "2027-03-10"})
        with (
            patch.object(CodeTranslations, "get_python_translations", translate),
            patch.object(isp_subscription_bulk, "_logger") as logger,
        ):
            self.assertTrue(run._run_to_end())
            self.assertEqual(
                (run.bulk_count, run.orm_count, run.exception_ids.mapped("reason")), (0, 3, [])
            )
            read = [run.with_context(lang=lang).fallback_reasons for lang in ("bn_IN", "en_US")]
        code = self.journal.code
        in_english = f"journal {code} is secured with hashes"
        self.assertEqual(read, [f"3 × জার্নাল {code}", f"3 × {in_english}"])
        logger.info.assert_called_once_with(ANY, 3, in_english)

    def test_reasons_in_words_of_an_earlier_version_stay_readable(self):
        self.subscribe(2)
        run = self.bill("2027-03-10")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE isp_billing_run_batch SET fallback_reasons = %s WHERE run_id = %s",
            ['{"a total is zero or negative": 3, "an invoice carries a hash": 1}', run.id],
        )
        script = load_script("19.0.1.1.0", "post-bulk-reasons")
        for _again in range(2):
            script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertEqual(
            run.fallback_reasons, "3 × a total is zero or negative\n1 × an invoice carries a hash"
        )

    def test_every_reason_has_words(self):
        engine = Path(bulk_guard.__file__).parent
        source = "".join(path.read_text() for path in engine.glob("bulk_*.py"))
        codes = set(re.findall(r'reason\(\s*"(\w+)"', source))
        for found in re.findall(r"found = \{(.*?)\n    \}", source, re.DOTALL):
            codes |= set(re.findall(r'^ +"(\w+)": ', found, re.MULTILINE))
        self.assertEqual(codes, set(REASONS))
        noted = bulk_reason.reason("noted", text="written by version 19.0.1.0.0")
        self.assertIn("19.0.1.0.0", explain_reason(self.env, noted))

    def test_journals_with_numbers_of_their_own_are_left_to_the_orm(self):
        self.assertEqual(bulk_guard.journal_reasons(self.journal), [])
        self.journal.sequence_override_regex = r"^(?P<prefix1>.*?)(?P<seq>\d+)(?P<suffix>\D*?)$"
        (reason,) = bulk_guard.journal_reasons(self.journal)
        self.assertIn("own pattern of numbers", explain_reason(self.env, reason))

    def test_analytic_distribution_is_left_to_the_orm(self):
        self.env["account.analytic.distribution.model"].create({"partner_id": self.partners[1].id})
        self.subscribe(3)
        run = self.bill("2027-03-10")
        self.assertEqual(run.bulk_count, 0)
        self.assertIn("analytic distribution models", run.fallback_reasons)

    def test_a_write_that_nobody_knows_of_is_noticed(self):
        post = AccountMove._post

        def post_and_note(moves, soft=True):
            moves.env["res.partner.category"].create({"name": "Invoiced"})
            return post(moves, soft)

        self.subscribe(4)
        with patch.object(AccountMove, "_post", post_and_note):
            run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count), (0, 4))
        self.assertIn("also writes to res_partner_category", run.fallback_reasons)

    def test_a_method_patched_at_run_time_is_noticed(self):
        model_class = type(self.env["account.move"])
        self.subscribe(3)
        with patch.object(model_class, "write", model_class.write):
            run = self.bill("2027-03-10")
        self.assertEqual(run.bulk_count, 0)
        self.assertIn("account.move.write is patched", run.fallback_reasons)

    def test_labels_that_are_rewritten_are_noticed(self):
        create = AccountMove.create

        def create_and_rename(model, vals_list):
            moves = create(model, vals_list)
            for line in moves.invoice_line_ids:
                line.name = f"{line.name} for {line.partner_id.name}"
            return moves

        subscriptions = self.subscribe(3)
        with patch.object(AccountMove, "create", create_and_rename):
            run = self.bill("2027-03-10")
        self.assertEqual(run.bulk_count, 0)
        self.assertIn("labels do not follow", run.fallback_reasons)
        for subscription in subscriptions:
            self.assertIn(
                subscription.partner_id.name, subscription.charge_ids.invoice_line_id.name
            )

    def test_one_bad_subscription_does_not_stop_the_copies(self):
        subscriptions = self.subscribe()
        bad = subscriptions[3]
        closed = "This customer's account is closed"
        prepare = type(bad)._prepare_invoice_vals

        def refuse_bad(subscription, invoice_date, charges):
            if subscription == bad:
                raise UserError(closed)
            return prepare(subscription, invoice_date, charges)

        with patch.object(type(bad), "_prepare_invoice_vals", refuse_bad):
            run = self.bill("2027-03-10")
        self.assertEqual(run.exception_ids.subscription_id, bad)
        self.assertFalse(bad.charge_ids)
        self.assertEqual(run.bulk_count + run.orm_count, 7)
        self.assertGreater(run.bulk_count, 3)
        self.assertGapless((subscriptions - bad).charge_ids.move_id)

    def test_customers_with_other_terms_accounts_or_positions_are_groups_of_their_own(self):
        position = self.env["account.fiscal.position"].create({"name": "Exempt"})
        terms = self.env["account.payment.term"].create(
            {
                "name": "30 days",
                "line_ids": [fields.Command.create({"value_amount": 100, "nb_days": 30})],
            }
        )
        self.partners[:2].property_account_position_id = position
        self.partners[2:4].property_payment_term_id = terms
        subscriptions = self.subscribe(6, payment_term_id=False)
        run = self.bill("2027-03-10")
        self.assertEqual((run.bulk_count, run.orm_count), (3, 3))
        moves = [subscription.charge_ids.move_id for subscription in subscriptions]
        self.assertEqual(
            [move.fiscal_position_id.name for move in moves], ["Exempt"] * 2 + [False] * 4
        )
        self.assertEqual(
            [str(move.invoice_date_due) for move in moves],
            ["2027-03-10"] * 2 + ["2027-04-09"] * 2 + ["2027-03-10"] * 2,
        )

    def test_an_accountant_may_run_it(self):
        self.subscribe(4)
        accountant = new_test_user(
            self.env, "bulk_accountant", "base.group_user,isp_base.group_isp_accountant"
        )
        run = self.env["isp.billing.run"].create(
            {"target_date": "2027-03-10", "invoice_date": "2027-03-10"}
        )
        self.assertTrue(run.with_user(accountant)._run_to_end())
        self.assertEqual((run.bulk_count, run.orm_count), (3, 1))

    def test_the_guard_finds_no_reason_in_the_suite_itself(self):
        self.assertEqual(bulk_guard.registry_reasons(self.env), [])

    def test_a_new_graph_of_fields_is_judged_anew(self):
        self.assertEqual(bulk_guard.registry_reasons(self.env), [])
        model = self.env["ir.model"]._get("account.move")
        self.env["ir.model.fields"].create(
            {
                "name": "x_city",
                "model_id": model.id,
                "ttype": "char",
                "store": True,
                "depends": "partner_id.city",
                "compute": "for move in self: move['x_city'] = move.partner_id.city",
            }
        )
        self.addCleanup(self.registry.reset_changes)
        self.assertEqual(
            [
                explain_reason(self.env, reason)
                for reason in bulk_guard.registry_reasons(self.env)
                if "x_city" in str(reason)
            ],
            ["account.move.x_city depends on account.move.partner_id"],
        )
