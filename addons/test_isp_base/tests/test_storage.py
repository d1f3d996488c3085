from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import IDENTITY, PASSWORD, PHONE, SecretCase


@tagged("post_install", "-at_install")
class TestRoundTrip(SecretCase):
    def test_values_are_read_back_from_the_database(self):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.record.password, PASSWORD)
        self.assertEqual(self.record.identity, IDENTITY)
        self.assertEqual(self.record.phone, PHONE)

    def test_write_replaces_and_clears(self):
        for value in ("বাংলা পাসওয়ার্ড", " spaces kept ", "x" * 5000):
            self.record.password = value
            self.env.invalidate_all()
            self.assertEqual(self.record.password, value)
        self.record.write({"password": False, "identity": ""})
        self.env.invalidate_all()
        self.assertFalse(self.record.password)
        self.assertFalse(self.token(self.record))
        self.assertFalse(self.token(self.record, "identity_bidx"))
        self.assertEqual(self.record.phone, PHONE)

    def test_one_value_for_several_records_gives_different_ciphertexts(self):
        other = self.Secret.create({"name": "Karim"})
        (self.record + other).write({"password": "shared"})
        self.assertNotEqual(self.token(self.record), self.token(other))
        self.env.invalidate_all()
        self.assertEqual((self.record + other).mapped("password"), ["shared", "shared"])

    def test_stored_values_that_depend_on_a_secret_follow_it(self):
        self.assertEqual(self.record.password_length, len(PASSWORD))
        self.record.password = "1234"
        self.assertEqual(self.record.password_length, 4)
        self.record._write_secrets("password", {self.record: "12345"})
        self.assertEqual(self.record.password_length, 5)

    def test_a_form_writes_a_secret(self):
        with Form(self.Secret) as form:
            form.name = "From a form"
            form.password = "typed in"
        record = form.record
        self.env.invalidate_all()
        self.assertEqual(record.password, "typed in")
        with Form(record) as form:
            form.name = "Renamed"
        self.env.invalidate_all()
        self.assertEqual(record.password, "typed in")

    def test_an_import_by_load_encrypts(self):
        result = self.Secret.load(["name", "password"], [["A", "first"], ["B", "second"]])
        self.assertFalse(result["messages"])
        self.env.invalidate_all()
        self.assertEqual(self.Secret.browse(result["ids"]).mapped("password"), ["first", "second"])


@tagged("post_install", "-at_install")
class TestNoClearText(SecretCase):
    def test_the_row_holds_no_clear_text(self):
        row = self.row_text(self.record)
        self.assertIn("Rahim", row)
        self.assertIn("v1:k1:", row)
        for clear in (PASSWORD, PASSWORD[-4:], IDENTITY, IDENTITY[-4:], PHONE, "1712345678"):
            self.assertNotIn(clear, row)

    def test_copies_start_without_secrets(self):
        copy = self.record.copy({"name": "Copy"})
        self.assertFalse(copy.password or copy.identity or copy.phone)
        self.assertNotIn("v1:", self.row_text(copy))

    def test_chatter_and_tracking_hold_no_clear_text(self):
        self.env.cr.flush()
        self.record.write({"name": "Rahim Uddin", "password": "Another-Secret-99"})
        self.record.message_post(body="A note")
        self.env.cr.flush()
        self.env.cr.execute(
            "SELECT string_agg(m::text, ' ') FROM mail_message m"
            " WHERE model = 'test.isp.secret' AND res_id = %s",
            [self.record.id],
        )
        messages = self.env.cr.fetchone()[0]
        self.env.cr.execute(
            "SELECT string_agg(v::text, ' ') FROM mail_tracking_value v JOIN mail_message m"
            " ON m.id = v.mail_message_id WHERE model = 'test.isp.secret' AND res_id = %s",
            [self.record.id],
        )
        tracked = self.env.cr.fetchone()[0]
        self.assertIn("Rahim Uddin", tracked)
        for text in (messages, tracked):
            self.assertNotIn("Another-Secret-99", text)
            self.assertNotIn(PASSWORD, text)


@tagged("post_install", "-at_install")
class TestBatches(SecretCase):
    def create_batch(self, number):
        self.Secret.with_context(tracking_disable=True).create(
            [
                {"name": f"S{i}", "password": f"password {i}", "identity": f"{i:017}"}
                for i in range(number)
            ]
        )
        self.env.flush_all()

    def test_a_batch_needs_the_same_queries_as_one_record(self):
        """1,000 records: ten INSERTs and flushes of 100 or 1,000 rows, never a query a record."""
        self.create_batch(1)
        with self.assertQueryCount(__system__=24):
            self.create_batch(1000)

    def test_setting_many_different_secrets_is_one_update(self):
        records = self.Secret.create([{"name": f"S{i}"} for i in range(200)])
        self.env.flush_all()
        with self.assertQueryCount(__system__=5):
            records._write_secrets("password", {r: f"secret {r.id}" for r in records})
            self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(records[7].password, f"secret {records[7].id}")

    def test_reading_many_secrets_is_one_query(self):
        self.create_batch(500)
        records = self.Secret.search([])
        self.env.invalidate_all()
        with self.assertQueryCount(__system__=2):
            records.mapped("password")


@tagged("post_install", "-at_install")
class TestMissingKeys(SecretCase):
    def test_create_is_refused_and_nothing_is_stored(self):
        self.use_no_keys()
        before = self.Secret.search_count([])
        with self.assertRaisesRegex(UserError, "make run.*ISP_KEY_FILE"):
            self.Secret.create({"name": "No keys", "password": "clear"})
        # No savepoint was rolled back: the refusal came before the INSERT.
        self.assertEqual(self.Secret.search_count([]), before)

    def test_write_is_refused_and_nothing_is_stored(self):
        before = self.row_text(self.record)
        self.use_no_keys()
        with self.assertRaisesRegex(UserError, "ISP_KEY_FILE"):
            self.record.write({"name": "Changed", "password": "clear"})
        self.assertEqual(self.row_text(self.record), before)

    def test_records_without_secrets_can_be_handled(self):
        self.use_no_keys()
        record = self.Secret.create({"name": "Plain", "password": False})
        record.write({"name": "Still plain", "password": False})
        self.assertFalse(record.password)
