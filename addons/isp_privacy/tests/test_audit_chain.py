from odoo.tests import Form, tagged

from ..engine import chain
from ..hooks import uninstall_hook
from .register_common import NOW
from .test_audit import AuditCase


@tagged("post_install", "-at_install")
class TestAuditChain(AuditCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chain = cls.env.ref("isp_privacy.audit_chain")
        cls.rows = cls.audit.browse()
        for number in range(6):
            cls.rows |= cls.audit._log("write", cls.customer, fields={"vat": str(number)})
            if number == 2:
                cls.seal_all()
        cls.seal_all()

    def tamper(self, statement, *params):
        """Change the database as somebody would who owns its tables."""
        for table in ("privacy_audit", "privacy_audit_seal"):
            self.env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        self.env.cr.execute(statement, params)
        self.assertTrue(self.env.cr.rowcount)
        self.env.invalidate_all()

    def assertBroken(self, seq, reason):
        for batch_size in (2, 1000):
            with self.subTest(batch_size=batch_size):
                self.assertFalse(self.chain._verify(batch_size))
                self.assertEqual(
                    (self.chain.state, self.chain.broken_seq, self.chain.broken_reason),
                    ("broken", seq, reason),
                )

    def test_an_untouched_chain_is_intact(self):
        for batch_size in (1, 2, 3, 1000):
            with self.subTest(batch_size=batch_size):
                self.assertTrue(self.chain._verify(batch_size))
        self.assertEqual((self.chain.state, str(self.chain.checked_at)), ("intact", NOW))
        self.assertEqual(self.chain.checked_seq, self.rows[-1].seal_seq)
        self.assertFalse(self.chain.activity_ids)

    def test_an_edited_row_is_named(self):
        row = self.rows[3]
        seq = row.seal_seq
        for column, value in (
            ("action", "read"),
            ("actor_id", self.officer.id),
            ("subject", "someone"),
            ("ip", "203.0.113.7"),
            ("at", "2020-01-01"),
            ("res_id", 7),
            ("changes", '{"vat": null}'),
            ("company_id", self.other_company.id),
        ):
            with self.subTest(column=column), self.env.cr.savepoint() as savepoint:
                self.tamper(
                    f"UPDATE privacy_audit SET {column} = %s WHERE seal_seq = %s", value, seq
                )
                self.assertBroken(seq, "edited")
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_deleted_row_is_named(self):
        seq = self.rows[2].seal_seq
        self.tamper("DELETE FROM privacy_audit WHERE seal_seq = %s", seq)
        self.assertBroken(seq, "missing")

    def test_a_deleted_tail_is_named(self):
        seq = self.rows[4].seal_seq
        self.tamper("DELETE FROM privacy_audit WHERE seal_seq >= %s", seq)
        self.assertBroken(seq, "missing")

    def test_a_whole_deleted_chain_is_noticed(self):
        self.tamper("DELETE FROM privacy_audit")
        self.assertBroken(1, "missing")

    def test_rows_that_lost_their_seal_are_noticed(self):
        seq = self.rows[4].seal_seq
        self.tamper(
            "UPDATE privacy_audit SET seal_seq = NULL, hash = NULL WHERE seal_seq >= %s", seq
        )
        self.assertBroken(seq, "missing")

    def test_a_tail_deleted_with_its_seal_is_found_by_the_mail(self):
        number, mailed = self.chain.sealed_seq, self.chain.sealed_hash
        first = self.seals.search([], limit=1).first_seq
        self.tamper("DELETE FROM privacy_audit WHERE seal_seq >= %s", first)
        self.tamper("DELETE FROM privacy_audit_seal WHERE first_seq = %s", first)
        self.assertTrue(self.chain._verify(), "nothing in the database can show this")
        self.assertEqual(self.compare(number, mailed), "gone")

    def test_a_mailed_hash_can_be_compared(self):
        number, mailed = self.chain.sealed_seq, self.chain.sealed_hash
        self.assertEqual(self.compare(number, f" {mailed.upper()} "), "same")
        self.assertEqual(self.compare(number - 1, mailed), "differs")
        self.tamper("UPDATE privacy_audit SET hash = 'forged' WHERE seal_seq = %s", number)
        self.assertEqual(self.compare(number, mailed), "differs")

    def compare(self, number, mailed):
        with Form(self.as_user(self.auditor, "privacy.audit.compare")) as form:
            form.seq = number
            form.hash = mailed
        form.record.action_compare()
        return form.record.result

    def test_a_rewritten_chain_does_not_fit_an_older_seal(self):
        """Whoever hashes everything anew must change every seal too."""
        seq = self.rows[1].seal_seq
        self.tamper("UPDATE privacy_audit SET action = 'read' WHERE seal_seq = %s", seq)
        links, last = {}, chain.START
        for link, row in self.audit._fetch_sealed(0, 10000):
            last = links[link.seq] = chain.seal(last, row)
        for number, link in links.items():
            self.tamper("UPDATE privacy_audit SET hash = %s WHERE seal_seq = %s", link.hash, number)
        self.tamper(
            "UPDATE privacy_audit_seal SET hash = %s WHERE last_seq = %s", last.hash, last.seq
        )
        self.assertBroken(self.rows[2].seal_seq, "rewritten")

    def test_officers_are_told_once(self):
        self.tamper("DELETE FROM privacy_audit WHERE seal_seq = %s", self.rows[2].seal_seq)
        self.chain._verify()
        self.chain._verify()
        told = self.chain.activity_ids.user_id
        self.assertLessEqual(self.officer | self.second_officer, told)
        self.assertNotIn(self.auditor, told)
        self.assertEqual(len(self.chain.activity_ids), len(told))
        mine = self.chain.activity_ids.filtered(lambda activity: activity.user_id == self.officer)
        mine.with_user(self.officer).action_feedback("Restored from the backup.")
        self.assertNotIn(self.officer, self.chain.activity_ids.user_id)

    def test_an_auditor_checks_and_sees_the_result(self):
        record = self.as_user(self.auditor, self.chain._name).browse(self.chain.id)
        with Form(record) as form:
            self.assertEqual(form.sealed_seq, self.rows[-1].seal_seq)
        self.assertEqual(record.action_check()["params"]["type"], "success")
        self.tamper("UPDATE privacy_audit SET ip = 'x' WHERE id = %s", self.rows[0].id)
        answer = record.action_check()["params"]
        self.assertEqual(answer["type"], "danger")
        self.assertIn(str(self.rows[0].seal_seq), answer["message"])
        shown = self.audit.search(record.action_open_rows()["domain"])
        self.assertIn(self.rows[0], shown)

    def test_the_head_is_mailed_to_each_officer_each_day(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_privacy.ir_cron_audit_check").method_direct_trigger()
        self.env.invalidate_all()
        mails = self.env["mail.mail"].search([("subject", "like", "Audit chain of")])
        to = " ".join(mails.mapped("email_to"))
        self.assertIn("prv_officer@example.com", to)
        self.assertIn("prv_second@example.com", to)
        self.assertNotIn("prv_auditor@example.com", to)
        for mail in mails:
            self.assertIn(self.chain.sealed_hash, mail.body_html)
            self.assertIn(str(self.chain.sealed_seq), mail.body_html)
            self.assertIn(self.env.cr.dbname, mail.subject)
        self.assertEqual((self.chain.state, str(self.chain.mailed_at)), ("intact", NOW))
        self.assertEqual(self.chain.mailed_seq, self.chain.sealed_seq)

    def test_a_mail_of_a_broken_chain_says_so(self):
        self.tamper("UPDATE privacy_audit SET ip = 'x' WHERE id = %s", self.rows[0].id)
        self.chain._verify()
        self.chain._mail_head()
        mail = self.env["mail.mail"].search([("subject", "like", "BROKEN")], limit=1)
        self.assertIn("broken at number", mail.body_html)

    def test_a_check_that_was_stopped_goes_on(self):
        self.assertTrue(self.chain._walk(2))
        self.assertEqual(self.chain.walk_seq, 2)
        while self.chain._walk(2):
            pass
        self.assertEqual((self.chain.walk_seq, self.chain.state), (0, "intact"))

    def test_uninstalling_removes_the_guard(self):
        uninstall_hook(self.env)
        self.env.cr.execute("SELECT 1 FROM pg_proc WHERE proname = 'privacy_audit_guard'")
        self.assertFalse(self.env.cr.fetchall())
        self.env.cr.execute("DELETE FROM privacy_audit")
