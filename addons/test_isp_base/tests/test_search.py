from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import IDENTITY, SecretCase


@tagged("post_install", "-at_install")
class TestSearch(SecretCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.Secret.create({"name": "Karim", "identity": "AB-1234567", "password": "x"})
        cls.empty = cls.Secret.create({"name": "Nobody"})

    def find(self, *condition):
        return self.Secret.search([condition])

    def test_exact_value(self):
        self.assertEqual(self.find("identity", "=", IDENTITY), self.record)
        self.assertFalse(self.find("identity", "=", IDENTITY[:-1]))
        self.assertFalse(self.find("identity", "in", []))

    def test_spelling_of_the_same_value_does_not_matter(self):
        self.assertEqual(self.find("identity", "=", "ab 1234567"), self.other)
        bengali = IDENTITY.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯"))
        self.assertEqual(self.find("identity", "=", bengali), self.record)
        for phone in ("+880 1712 345678", "01712345678", "০১৭১২৩৪৫৬৭৮"):
            with self.subTest(phone=phone):
                self.assertEqual(self.find("phone", "=", phone), self.record)

    def test_several_values(self):
        self.assertEqual(
            self.find("identity", "in", [IDENTITY, "AB-1234567", "none"]), self.record + self.other
        )
        self.assertEqual(self.find("identity", "in", [IDENTITY, False]), self.record + self.empty)

    def test_negation(self):
        self.assertEqual(self.find("identity", "!=", IDENTITY), self.other + self.empty)
        self.assertEqual(self.find("identity", "not in", [IDENTITY, "AB-1234567"]), self.empty)

    def test_presence(self):
        self.assertEqual(self.find("identity", "=", False), self.empty)
        self.assertEqual(self.find("identity", "!=", False), self.record + self.other)
        self.assertEqual(self.find("password", "!=", False), self.record + self.other)

    def test_archived_records_follow_the_callers_wish(self):
        self.record.active = False
        self.assertFalse(self.find("identity", "=", IDENTITY))
        found = self.Secret.with_context(active_test=False).search([("identity", "=", IDENTITY)])
        self.assertEqual(found, self.record)

    def test_parts_of_a_value_cannot_be_searched(self):
        for operator in ("like", "ilike", "=like", "=ilike", "not like", "not ilike"):
            with self.subTest(operator=operator), self.assertRaisesRegex(UserError, "whole value"):
                self.find("identity", operator, IDENTITY[:5])
        with self.assertRaises(UserError):
            self.find("identity", ">", "1")

    def test_a_field_without_index_cannot_be_searched(self):
        with self.assertRaisesRegex(UserError, "cannot be searched"):
            self.find("password", "=", "x")

    def test_a_user_of_the_fields_group_may_search_and_others_not(self):
        manager = new_test_user(self.env, "sec_manager", "isp_base.group_isp_manager")
        clerk = new_test_user(self.env, "sec_clerk", "isp_base.group_isp_clerk")
        found = self.Secret.with_user(manager).search([("identity", "=", IDENTITY)])
        self.assertEqual(found, self.record)
        for domain in ([("identity", "=", IDENTITY)], [("identity_bidx", "!=", False)]):
            with self.subTest(domain=domain), self.assertRaises(AccessError):
                self.Secret.with_user(clerk).search(domain)

    def test_the_index_of_one_field_does_not_match_another(self):
        self.record.write({"phone": IDENTITY})
        self.assertNotEqual(
            self.token(self.record, "phone_bidx"), self.token(self.record, "identity_bidx")
        )

    def test_exact_search_uses_the_index(self):
        self.env.cr.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'test_isp_secret'"
            " AND indexdef LIKE '%%(identity_bidx)%%'"
        )
        self.assertEqual(len(self.env.cr.fetchall()), 1)
