from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import MessagingCase

NUMBER = "01711000001"


@tagged("post_install", "-at_install")
class TestCodes(MessagingCase):
    def setUp(self):
        super().setUp()
        self.codes = self.env["isp.message.code"]
        self.now = fields.Datetime.now()

    def request(self, number=NUMBER, session="s1", address="203.0.113.1", known=True, **after):
        partner = self.customer if known else None
        now = self.now + timedelta(**after)
        self.codes._request(self.company, "login", number, session, address, partner, now)

    def sent_code(self):
        self.send()
        return self.client.orders[-1].text[:6]

    def check(self, code, session="s1", purpose="login", number=NUMBER, **after):
        now = self.now + timedelta(**after)
        return self.codes._check(purpose, number, session, code, self.company, now)

    def test_a_code_is_used_once(self):
        self.request()
        code = self.sent_code()
        self.assertRegex(code, r"^\d{6}$")
        self.assertTrue(self.check(code))
        self.assertFalse(self.check(code))

    def test_it_is_bound_to_number_purpose_session_and_five_minutes(self):
        self.request()
        code = self.sent_code()
        self.assertFalse(self.check(code, session="s2"))
        self.assertFalse(self.check(code, purpose="payment"))
        self.assertFalse(self.check(code, number="01711000002"))
        self.assertFalse(self.check(code, minutes=5))
        self.assertTrue(self.check(f" {code} ", minutes=4, number="+880 1711-000001"))

    def test_after_five_wrong_tries_it_is_dead(self):
        self.request()
        code = self.sent_code()
        for _number in range(5):
            self.assertFalse(self.check("no"))
        self.assertFalse(self.check(code))

    def test_a_newer_code_replaces_the_older(self):
        self.request()
        first = self.sent_code()
        self.request(seconds=61)
        second = self.sent_code()
        if first != second:
            self.assertFalse(self.check(first, seconds=62))
        self.assertTrue(self.check(second, seconds=62))

    def test_whoever_asks_for_a_number_does_not_spoil_the_code_of_its_owner(self):
        self.request()
        code = self.sent_code()
        self.request(session="s2", seconds=61)
        for _number in range(5):
            self.assertFalse(self.check("no", session="s2", seconds=62))
        self.assertTrue(self.check(code, seconds=62))

    def test_the_sending_is_limited(self):
        self.request()
        with self.assertRaisesRegex(UserError, "minute"):
            self.request(seconds=59)
        self.request(minutes=2)
        self.request(minutes=4)
        with self.assertRaisesRegex(UserError, "Too many"):
            self.request(minutes=6)
        self.request("01711000009", minutes=6)

    def test_numbers_abroad_get_none(self):
        for number in ("+12025550123", "12", ""):
            with self.assertRaisesRegex(UserError, "no mobile number"):
                self.request(number)

    def test_who_is_not_known_is_answered_alike_and_gets_nothing(self):
        self.assertIsNone(self.request(known=False))
        self.assertFalse(self.outbox.search([("message_class", "=", "otp")]))
        with self.assertRaisesRegex(UserError, "minute"):
            self.request(known=False, seconds=30)

    def test_neither_code_nor_number_stays(self):
        self.request()
        code = self.sent_code()
        self.env.flush_all()
        self.env.cr.execute("SELECT c::text FROM isp_message_code c")
        rows = str(self.env.cr.fetchall())
        self.assertNotIn("1711000001", rows)
        message = self.outbox.search([("message_class", "=", "otp")])
        self.assertEqual((message.state, message.body), ("accepted", False))
        self.assertNotIn(code, str(message.read()))
