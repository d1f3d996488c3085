from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.account.models.account_move import AccountMove

from ..engine import bulk_guard
from .common import IspBillingCase


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

    def test_journals_with_numbers_of_their_own_are_left_to_the_orm(self):
        self.assertEqual(bulk_guard.journal_reasons(self.journal), [])
        self.journal.sequence_override_regex = r"^(?P<prefix1>.*?)(?P<seq>\d+)(?P<suffix>\D*?)$"
        (reason,) = bulk_guard.journal_reasons(self.journal)
        self.assertIn("own pattern of numbers", reason)

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
            [reason for reason in bulk_guard.registry_reasons(self.env) if "x_city" in reason],
            ["account.move.x_city depends on account.move.partner_id"],
        )
