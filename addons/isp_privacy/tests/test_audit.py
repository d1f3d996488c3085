import json

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..models import privacy_audit_seal
from .register_common import NOW, RegisterCase


class AuditCase(RegisterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.audit = cls.env["privacy.audit"]
        cls.seals = cls.env["privacy.audit.seal"]
        # What was written while users were made is not of this test.
        cls.seal_all()

    @classmethod
    def seal_all(cls, batch_size=2000):
        done = 0
        while sealed := cls.seals._seal(batch_size):
            done += sealed
        return done

    def log(self, number=1):
        return self.audit.browse(
            [self.audit._log("export", self.customer).id for _number in range(number)]
        )

    def refused(self, statement, *params):
        """Assert that the database itself refuses a statement."""
        with self.assertRaises(psycopg2.errors.RestrictViolation), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.env.cr.execute(statement, params)


@tagged("post_install", "-at_install")
class TestAudit(AuditCase):
    def test_who_did_what_to_whose_data(self):
        row = self.as_user(self.officer, "privacy.audit")._log(
            "export", self.customer, fields=["phone", "email"], subject=self.customer
        )
        self.assertEqual(
            (str(row.at), row.actor_id, row.actor, row.action, row.model, row.res_id),
            (NOW, self.officer.id, "prv_officer (isp_privacy.group_privacy_officer)", "export")
            + ("res.partner", self.customer.id),
        )
        self.assertEqual(row.field_names, "email, phone")
        self.assertEqual(row.company_id, self.company)
        self.assertFalse(row.seal_seq)

    def test_one_row_for_each_record_and_one_for_a_model(self):
        partners = self.customer | self.company.partner_id
        self.assertEqual(self.audit._log("read", partners).mapped("res_id"), partners.ids)
        self.assertFalse(self.audit._log("mass_export", partners.browse()).res_id)

    def test_values_are_never_in_clear(self):
        secret = "NID 1990-1234567890"
        row = self.audit._log("write", self.customer, fields={"vat": secret, "street": False})
        self.audit.flush_model()
        self.env.cr.execute("SELECT to_jsonb(a)::text FROM privacy_audit a WHERE id = %s", [row.id])
        [text] = self.env.cr.fetchone()
        for part in (secret, "1234567890", "Karim"):
            self.assertNotIn(part, text)
        self.assertEqual(len(row.changes["vat"]), 32)
        self.assertIsNone(row.changes["street"])

    def test_digests_are_equal_for_equal_values_only(self):
        def digest(value, name="vat"):
            return self.audit._digest("res.partner", name, value)

        self.assertEqual(digest("A-1"), digest("A-1"))
        self.assertNotEqual(digest("A-1"), digest("a1"), "exact, unlike the blind index")
        self.assertNotEqual(digest("A-1"), digest("A-1", "ref"))
        before = digest("A-1")
        self.use_keys("k2")
        self.assertEqual(digest("A-1"), before, "the index key is not rotated")

    def test_a_subject_has_one_pseudonym_that_holds_no_name(self):
        one, two = (self.audit._log(do, self.company, subject=self.customer) for do in "ab")
        other = self.audit._log("a", self.company, subject=self.company.partner_id)
        self.assertEqual(one.subject, two.subject)
        self.assertNotEqual(one.subject, other.subject)
        self.assertRegex(one.subject, r"^[0-9a-f]{16}$")

    def test_without_keys_it_says_what_to_do(self):
        self.use_no_keys()
        with self.assertRaisesRegex(UserError, "ISP_KEY_FILE"):
            self.audit._log("write", self.customer, fields={"vat": "1"})
        self.assertTrue(self.audit._log("write", self.customer, fields=["vat"]))

    def test_nobody_writes_rows_by_hand(self):
        row = self.log()
        for user in (self.officer, self.auditor):
            audit = self.as_user(user, "privacy.audit")
            with self.assertRaises(AccessError):
                audit.create({"action": "x", "at": NOW, "actor_id": 1})
            with self.assertRaises(AccessError):
                audit.browse(row.id).unlink()
        for forbidden in (lambda: row.write({"action": "x"}), row.unlink):
            with self.assertRaisesRegex(UserError, "never changed"):
                forbidden()

    def test_the_database_refuses_changes_before_sealing(self):
        row = self.log()
        self.audit.flush_model()
        self.refused("UPDATE privacy_audit SET action = 'read' WHERE id = %s", row.id)
        self.refused("DELETE FROM privacy_audit WHERE id = %s", row.id)
        self.refused(
            "UPDATE privacy_audit SET seal_seq = 1000000, hash = 'x', action = 'read'"
            " WHERE id = %s",
            row.id,
        )
        self.refused("UPDATE privacy_audit SET seal_seq = 1000000 WHERE id = %s", row.id)

    def test_the_database_refuses_changes_after_sealing(self):
        row = self.log()
        self.seal_all()
        self.refused("UPDATE privacy_audit SET action = 'read' WHERE id = %s", row.id)
        self.refused("UPDATE privacy_audit SET seal_seq = NULL, hash = NULL WHERE id = %s", row.id)
        self.refused("UPDATE privacy_audit SET hash = 'x' WHERE id = %s", row.id)
        self.refused("DELETE FROM privacy_audit WHERE id = %s", row.id)
        self.refused("TRUNCATE privacy_audit")
        self.refused("UPDATE privacy_audit_seal SET hash = 'x'")
        self.refused("DELETE FROM privacy_audit_seal")
        self.refused("TRUNCATE privacy_audit_seal")

    def test_the_database_refuses_a_row_that_pretends_to_be_sealed(self):
        self.refused(
            "INSERT INTO privacy_audit (at, actor_id, action, company_id, seal_seq, hash)"
            " VALUES (now(), 1, 'export', %s, 1000000, 'x')",
            self.company.id,
        )

    def test_a_deleted_user_leaves_the_rows(self):
        user = self.new_user("prv_gone", "base.group_user")
        row = self.as_user(user, "privacy.audit")._log("export", self.customer)
        self.seal_all()
        number = user.id
        user.unlink()
        row.invalidate_recordset()
        self.assertEqual((row.actor_id, row.actor), (number, f"User {number} (deleted)"))


@tagged("post_install", "-at_install")
class TestSealing(AuditCase):
    def test_rows_get_numbers_without_a_gap(self):
        before = self.seals._head()
        rows = self.log(3)
        self.assertEqual(self.seal_all(), 3)
        self.assertEqual(rows.mapped("seal_seq"), [before.seq + 1, before.seq + 2, before.seq + 3])
        seal = self.seals.search([], limit=1)
        self.assertEqual((seal.first_seq, seal.last_seq), (before.seq + 1, before.seq + 3))
        self.assertEqual(seal.hash, rows[-1].hash)

    def test_nothing_waits_nothing_is_written(self):
        seals = self.seals.search_count([])
        self.assertEqual(self.seals._seal(), 0)
        self.assertEqual(self.seals.search_count([]), seals)

    def test_a_row_that_was_committed_late_is_sealed_later(self):
        self.env.cr.execute("SELECT nextval('privacy_audit_id_seq')")
        [early_id] = self.env.cr.fetchone()
        late = self.log(2)
        self.seal_all()
        self.env.cr.execute(
            "INSERT INTO privacy_audit (id, at, actor_id, action, company_id)"
            " VALUES (%s, now() AT TIME ZONE 'UTC', 1, 'export', %s)",
            [early_id, self.company.id],
        )
        self.assertEqual(self.seal_all(), 1)
        early = self.audit.browse(early_id)
        self.assertLess(early.id, late[0].id)
        self.assertEqual(early.seal_seq, late[-1].seal_seq + 1)
        self.assertTrue(self.env.ref("isp_privacy.audit_chain")._verify())

    def test_gaps_of_rolled_back_transactions_break_nothing(self):
        for _number in range(3):
            with self.env.cr.savepoint() as savepoint:
                self.log()
                savepoint.rollback()
            self.log()
        self.seal_all()
        self.assertTrue(self.env.ref("isp_privacy.audit_chain")._verify())

    def test_a_second_sealer_does_nothing(self):
        row = self.log()
        # A lock of its own: this class sealed in its transaction and so holds the usual one.
        self.patch(privacy_audit_seal, "_LOCK", 4242)
        with self.registry.cursor() as other:
            self.assertTrue(self.env(cr=other)["privacy.audit.seal"]._try_lock())
            self.assertEqual(self.seals._seal(), 0)
            self.assertFalse(row.seal_seq)
        self.assertEqual(self.seals._seal(), 1)

    def test_the_same_number_is_never_given_twice(self):
        row = self.log()
        self.audit.flush_model()
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                self.env.cr.execute(
                    "UPDATE privacy_audit SET seal_seq = (SELECT max(seal_seq) FROM privacy_audit),"
                    " hash = 'x' WHERE id = %s",
                    [row.id],
                )

    def test_thousands_are_sealed_in_batches_by_the_job(self):
        before = self.seals._head().seq
        self.insert(5000)
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.ir_cron_audit_seal").method_direct_trigger()
        self.assertEqual(self.seals._head().seq, before + 5000)
        sizes = [seal.last_seq - seal.first_seq + 1 for seal in self.seals.search([], limit=3)]
        self.assertEqual(sizes, [1000, 2000, 2000])
        with self.assertQueryCount(__system__=100):
            self.assertTrue(self.env.ref("isp_privacy.audit_chain")._verify(batch_size=1000))

    def insert(self, number):
        self.env.execute_query(
            SQL(
                "INSERT INTO privacy_audit"
                " (at, actor_id, action, model, res_id, changes, company_id)"
                " SELECT now() AT TIME ZONE 'UTC', 1, 'write', 'res.partner', n, %s::jsonb, %s"
                " FROM generate_series(1, %s) n",
                json.dumps({"name": None, "vat": "00ff"}),
                self.company.id,
                number,
            )
        )
