"""Nobody of one company sees a row of another, in any model of the database."""

import logging
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.isp_base.tests.promises import proves

from .role_common import RoleCase

_logger = logging.getLogger(__name__)

LOOKING = (
    "first_line",
    "support",
    "clerk",
    "network",
    "lawful",
    "accountant",
    "manager",
    "officer",
)
# The one who sets the database up, of one company only: everything but the other companies.
EVERYTHING = ("manager", "lawful", "officer", "administrator")

# Own models without a rule on companies, and what keeps companies apart all the same.
SHARED = "Settings of the whole database: laws, kinds of data, cookies; nothing of a company."
WITHOUT_RULE = {
    "isp.bkash.login": "Nobody may read it at all.",
    "isp.radius.month": "How big the tables of a month are; all companies share them.",
    "isp.report.mark": "Up to where the figures have been worked out.",
    "isp.report.refresh": "When the figures were worked out, for all companies at once.",
    "privacy.audit.chain": "Numbers and hashes of the one chain; its rows have a rule.",
    "privacy.audit.seal": "Numbers and hashes of the one chain; its rows have a rule.",
    **dict.fromkeys(
        (
            *("privacy.breach.regime", "privacy.cookie", "privacy.map.entry", "privacy.profile"),
            *("isp.message.word", "privacy.profile.rule", "privacy.purpose"),
        ),
        SHARED,
    ),
}
# Fields of any model in which a row of another company is seen, and why that does no harm.
SEEN = {
    ("ir.attachment", "company_id"): (
        "Files are seen through the record they hang on; only administrators of the whole database "
        "see them without."
    ),
    ("onboarding.progress", "company_id"): "Which hints an administrator has closed.",
    ("onboarding.progress.step", "company_id"): "Which hints an administrator has closed.",
    ("res.users", "company_ids"): (
        "Who works for both companies: the names of staff are seen by all staff, as Odoo has it."
    ),
}
# Values without which a row of the model is not what its rule is about: a customer, and no colleague
# of ours, whose names all staff may see.
VALUES = {"res.partner": {"partner_share": True}, "res.users": {"share": True}}
# Models of which nobody is shown a row of the own company that is empty but for the company.
NOT_SHOWN = {
    "account.bank.statement.line": "Shown with its journal entry, whose rule counts.",
    "mail.message": "Shown with the record that it is about.",
    "spreadsheet.dashboard": "Shown to the groups it names.",
}

OWN, FOREIGN = 2_000_000_001, 2_000_000_002


@tagged("post_install", "-at_install")
class TestTenancy(RoleCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = cls.create_users({*LOOKING, *EVERYTHING})
        administrator = cls.users["administrator"]
        for role in EVERYTHING:
            administrator.group_ids |= cls.users[role].group_ids

    def company_fields(self, model):
        """Stored fields of a model that lead to companies."""
        return [
            field
            for field in model._fields.values()
            if field.store
            and field.comodel_name == "res.company"
            and field.type in ("many2one", "many2many")
        ]

    def models_of_companies(self):
        """``{model: its company fields}`` of all models with rows."""
        found = {}
        for name in sorted(self.env.registry):
            model = self.env[name]
            if model._abstract or model._transient or name == "res.company":
                continue
            if fields := self.company_fields(model):
                found[name] = fields
        return found

    # === ROWS === #

    @contextmanager
    def rows_of_both(self, model, fields):
        """Let a model have one row of each company, empty but for its number and the company.

        Whatever the model demands of its records, the rows stand in a temporary table of the same
        name, which the database finds first. Of a model that is a query, the query is replaced.
        """
        with ExitStack() as stack:
            if model._table_query:
                table = f"tenancy_{model._table}"
                self.copy_table(stack, table, SQL("%s", model._table_sql))
                query = SQL("SELECT * FROM %s", SQL.identifier(table))
                stack.enter_context(patch.object(type(model), "_table_query", query))
            else:
                table = model._table
                self.copy_table(stack, table, SQL.identifier("public", table))
            single = [field.name for field in fields if field.type == "many2one"]
            given = VALUES.get(model._name, {})
            columns = SQL(", ").join(SQL.identifier(name) for name in ["id", *single, *given])
            for row, company in ((OWN, self.company), (FOREIGN, self.other_company)):
                values = SQL(", ").join(
                    SQL("%s", value)
                    for value in (row, *[company.id] * len(single), *given.values())
                )
                self.env.cr.execute(
                    SQL("INSERT INTO %s (%s) VALUES (%s)", SQL.identifier(table), columns, values)
                )
            for field in fields:
                if field.type == "many2many":
                    self.link(stack, field)
            self.env.invalidate_all(flush=False)
            yield

    def copy_table(self, stack, name, source):
        """Make a temporary table without any constraint; it goes with the stack."""
        target = SQL.identifier("pg_temp", name)
        self.env.cr.execute(
            SQL("CREATE TEMP TABLE %s AS SELECT * FROM %s AS source", SQL.identifier(name), source)
        )
        stack.callback(lambda: self.env.cr.execute(SQL("DROP TABLE %s", target)))

    def link(self, stack, field):
        """Link the two rows with their companies."""
        self.copy_table(stack, field.relation, SQL.identifier("public", field.relation))
        for row, company in ((OWN, self.company), (FOREIGN, self.other_company)):
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %s (%s, %s) VALUES (%s, %s)",
                    SQL.identifier(field.relation),
                    SQL.identifier(field.column1),
                    SQL.identifier(field.column2),
                    row,
                    company.id,
                )
            )

    def look(self, model, fields):
        """Return ``(fields in which somebody sees the foreign row, roles who see the own one)``."""
        leaks, seeing = {}, set()
        for role, user in self.users.items():
            seen = model.with_user(user).with_context(
                active_test=False, allowed_company_ids=self.company.ids
            )
            if not seen.has_access("read"):
                continue
            if seen.search_count([("id", "=", OWN)]):
                seeing.add(role)
            for field in fields:
                if seen.search_count([(field.name, "in", self.other_company.ids)]):
                    leaks.setdefault(field.name, set()).add(role)
        return leaks, seeing

    # === TESTS === #

    @proves("P-15")
    def test_no_row_of_another_company_is_seen(self):
        leaks, hidden, count = {}, [], 0
        models = self.models_of_companies()
        self.env.flush_all()
        for name, fields in models.items():
            model = self.env[name]
            readers = [u for u in self.users.values() if model.with_user(u).has_access("read")]
            with self.rows_of_both(model, fields):
                found, seeing = self.look(model, fields)
            count += len(fields)
            leaks.update({(name, field): sorted(roles) for field, roles in found.items()})
            if readers and not seeing:
                hidden.append(name)
        self.env.invalidate_all(flush=False)
        own = [name for name in self.own_models() if name in models]
        _logger.info(
            "Tenancy: %s company fields of %s models (%s of them the suite's own), looked at by %s users",
            count,
            len(models),
            len(own),
            len(self.users),
        )
        self.assertEqual({key: who for key, who in leaks.items() if key not in SEEN}, {})
        # Where nobody sees a row of the own company either, the search proves nothing.
        self.assertEqual(set(hidden), set(NOT_SHOWN) & set(models))
        self.assertGreater(len(own), 50)

    def test_what_is_excused_is_still_so(self):
        models = self.models_of_companies()
        for name, field in SEEN:
            if name in models:
                with self.subTest(model=name), self.rows_of_both(self.env[name], models[name]):
                    self.assertIn(field, self.look(self.env[name], models[name])[0])

    @proves("P-15")
    def test_each_own_model_has_a_rule_on_companies(self):
        rules = self.env["ir.rule"].search([("global", "=", True)])
        ruled = {rule.model_id.model for rule in rules if "company" in (rule.domain_force or "")}
        own = [name for name in self.own_models() if not self.env[name]._transient]
        _logger.info(
            "Rules on companies: %s own models, %s by a rule, %s for another reason",
            len(own),
            len(set(own) & ruled),
            len(set(own) - ruled),
        )
        self.assertEqual(set(own) - ruled, set(WITHOUT_RULE) & set(own))
        for name in set(WITHOUT_RULE) & set(own):
            self.assertFalse(self.company_fields(self.env[name]), name)

    def test_a_wizard_is_seen_by_its_maker_only(self):
        wizards = [name for name in self.own_models() if self.env[name]._transient]
        self.assertGreater(len(wizards), 5)
        maker = self.users["manager"]
        other = self.users["clerk"]
        for name in ("isp.subscription.stop", "isp.subscription.change"):
            if name not in wizards:
                continue
            self.assertTrue(self.env[name].with_user(other).has_access("read"))
            with self.subTest(model=name), self.rows_of_both(self.env[name], []):
                self.env.cr.execute(
                    SQL(
                        "UPDATE %s SET create_uid = %s",
                        SQL.identifier(self.env[name]._table),
                        maker.id,
                    )
                )
                domain = [("id", "=", OWN)]
                self.assertEqual(self.env[name].with_user(maker).search_count(domain), 1)
                self.assertEqual(self.env[name].with_user(other).search_count(domain), 0)

    @proves("P-15")
    def test_a_missing_rule_is_noticed(self):
        rule = self.env.ref("isp_privacy.privacy_hold_rule_company")
        model = self.env["privacy.hold"]
        fields = self.company_fields(model)
        with self.rows_of_both(model, fields):
            self.assertEqual(self.look(model, fields)[0], {})
        rule.active = False
        with self.rows_of_both(model, fields):
            self.assertIn("company_id", self.look(model, fields)[0])
