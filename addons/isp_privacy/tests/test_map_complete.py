"""The build fails for a field that could hold personal data and about which nobody said anything."""

import logging
from collections import Counter
from unittest.mock import patch

from odoo import fields
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from odoo.addons.isp_base.tests.promises import proves

_logger = logging.getLogger(__name__)

# Columns that can hold a name or an address: texts, JSON, bytes, network addresses, lists.
COLUMNS = SQL(
    """
    SELECT CASE WHEN n.nspname = current_schema THEN c.relname
            ELSE n.nspname || '.' || c.relname END, a.attname
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND NOT pg_is_other_temp_schema(n.oid) AND n.oid <> pg_my_temp_schema()
        AND t.typcategory IN ('A', 'C', 'I', 'S', 'U')
    """
)


@tagged("post_install", "-at_install")
class TestMapComplete(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Entry = cls.env["privacy.map.entry"]
        cls.datamap = cls.Entry._get_map()

    def gaps(self, model=None):
        """Return the fields about which nobody said anything."""
        return [
            f"{entry.model}.{entry.field}"
            for entry in self.datamap.coverage(self.Entry._get_tables())
            if entry.status == "gap" and model in (None, entry.model)
        ]

    def with_field(self, model, name, field):
        """Let a model of the registry have one more stored field for a while."""
        field.name, field.model_name, field.store = name, model, True
        return patch.dict(self.env.registry[model]._fields__, {name: field})

    def test_declarations_are_sound(self):
        self.assertEqual(self.datamap.problems(), [])

    @proves("P-02", "P-06")
    def test_every_field_is_accounted_for(self):
        """P-02, P-06, P-10."""
        covered = self.datamap.coverage(self.Entry._get_tables())
        count = Counter(entry.status for entry in covered)
        _logger.info(
            "Data map: %s models with a table, %s models with such fields, %s fields looked at "
            "(%s personal, %s facts, %s free of personal data, %s under a rule), %s gaps",
            sum(cls._table in self.Entry._get_tables() for cls in self.env.registry.values()),
            len({entry.model for entry in covered}),
            len(covered),
            *(count[status] for status in ("mapped", "fact", "free", "rule", "gap")),
        )
        self.assertFalse(
            self.gaps(),
            "Nobody said whether these fields hold personal data. Declare them beside the field, or "
            "in stock_map if they are not ours; see isp_privacy/datamap.py.",
        )
        self.assertGreater(count["mapped"], 200)

    def test_every_column_belongs_to_a_field_or_is_answered_for(self):
        columns = self.env.execute_query(COLUMNS)
        self.assertIn(("res_partner", "name"), columns)
        self.assertIn(("res_users", "password"), columns)
        self.assertEqual(self.datamap.unclaimed_columns(columns), [])

    def test_tables_and_columns_that_are_answered_for_exist(self):
        columns = self.env.execute_query(COLUMNS)
        existing = {table for table, _ in columns} | {".".join(names) for names in columns}
        self.assertEqual(self.datamap.answered_for() - existing, set())

    @proves("P-02", "P-06")
    def test_a_new_field_is_noticed(self):
        cases = [
            ("res.partner", "shoe_size", fields.Char()),
            ("res.partner", "date_of_birth", fields.Date()),
            ("ir.sequence", "customer_phone", fields.Char()),
            ("ir.sequence", "owner_id", fields.Many2one("res.partner")),
            ("ir.logging", "remark", fields.Json()),
        ]
        for model, name, field in cases:
            with self.subTest(f"{model}.{name}"):
                if field.type == "many2one":
                    field.comodel_name = "res.partner"
                with self.with_field(model, name, field):
                    self.assertEqual(self.gaps(model), [f"{model}.{name}"])
                self.assertEqual(self.gaps(model), [])

    def test_a_field_listed_as_free_must_exist(self):
        self.datamap.models["ir.sequence"].free["gone"] = "It was renamed."
        self.addCleanup(self.datamap.models["ir.sequence"].free.pop, "gone")
        self.assertEqual(self.datamap.problems(), ["ir.sequence: gone: there is no such field"])

    def test_a_model_listed_in_the_stock_map_must_exist(self):
        self.datamap._unknown_models.append("res.gone")
        self.addCleanup(self.datamap._unknown_models.remove, "res.gone")
        self.assertEqual(self.datamap.problems(), ["res.gone: there is no such model"])

    def test_no_register_is_reached_from_a_person(self):
        """An export would tell of a hold, erasure would delete the order of a court."""
        reached = self.datamap.subject_models()
        self.assertIn("privacy.request", reached)
        registers = self.registry["privacy.register"]._inherit_children
        self.assertGreater(len(registers), 5)
        self.assertEqual(set(registers) & set(reached), set())

    def test_secrets_are_not_exported(self):
        exported = [
            f"{entry.model}.{entry.field}"
            for model in self.datamap.models
            for entry in self.datamap.entries(model)
            if entry.export and any(word in entry.field for word in ("password", "secret", "token"))
        ]
        self.assertEqual(exported, [])
