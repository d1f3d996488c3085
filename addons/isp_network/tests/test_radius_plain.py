import random

from odoo.tests import tagged

from .common import IspNetworkCase

# What may be in a row of radius.login; nothing is how most logins have it.
VALUES = {
    "access": ["'full'", "'full'", "'full'", "'throttled'", "'walled'", "'none'"],
    "valid_until": [
        *("NULL", "NULL", "(now() AT TIME ZONE 'UTC') + interval '3 days'"),
        "(now() AT TIME ZONE 'UTC') - interval '1 s'",
    ],
    "session_timeout_s": ["NULL", "3600", "900000"],
    "idle_timeout_s": ["NULL", "600"],
    "simultaneous_use": ["NULL", "2"],
    "ipv4_address": ["NULL", "'103.10.0.4'"],
    "framed_pool": ["NULL", "'pool-home'"],
    "delegated_prefix": ["NULL", "'2001:db8::/56'"],
    "ipv6_pool": ["NULL", "'v6'"],
    "address_list": ["NULL", "'home'"],
    "upload_kbps": ["10000", "512", "0", "NULL"],
    "download_kbps": ["20000", "1536"],
    "priority": ["NULL", "8", "3"],
    "burst_upload_kbps": ["NULL", "NULL", "NULL", "20000"],
    "mac_lock": ["NULL", "NULL", "'first_use'", "'fixed'"],
    "mac_addresses": ["NULL", "NULL", "'AA-BB-CC-00-00-01'"],
    "nt_secret": ["nt_secret", "nt_secret", "NULL", "repeat('ab', 64)", "upper(nt_secret)"],
}
ITEMS = "SELECT attribute, value, op FROM radius.{}_items('karim', %s) ORDER BY 1, 2"


@tagged("post_install", "-at_install")
class TestRadiusPlain(IspNetworkCase):
    """Plain logins are answered by a statement of their own, as the general one would."""

    def setUp(self):
        super().setUp()
        self.use_key()
        self.subscription = self.create_subscription(username="karim", password="secret-word")
        self.env["isp.nas"].create(
            {
                "name": "Other",
                "ip_address": "10.9.9.9",
                "secret": "secret-of-the-nas",
                "nas_type": "other",
            }
        )
        self.env.flush_all()

    def items(self, function, row, nas_address):
        """``[(attribute, value, op), …]`` for the login with some columns changed."""
        with self.env.cr.savepoint() as savepoint:
            columns = ", ".join(f"{name} = {value}" for name, value in row.items())
            self.env.cr.execute(f"UPDATE radius.login SET {columns} WHERE username = 'karim'")
            self.env.cr.execute(ITEMS.format(function), [nas_address])
            found = self.env.cr.fetchall()
            savepoint.rollback()
        return found

    def test_both_ways_say_the_same(self):
        chance = random.Random(1)
        rows = [
            # Few columns at a time: else hardly any is plain.
            {name: chance.choice(VALUES[name]) for name in chance.sample(sorted(VALUES), 4)}
            for _time in range(300)
        ]
        cases = [(row, chance.choice([None, None, "10.9.9.9"])) for row in rows]
        expected = [self.items("any_login", *case) for case in cases]
        # Without the general way only plain ones get an answer.
        self.env.cr.execute(
            "CREATE OR REPLACE FUNCTION radius.any_login_items(login_name text, nas_address text)"
            " RETURNS TABLE (id int, username text, attribute text, value text, op text)"
            " LANGUAGE sql AS 'SELECT 1, NULL, NULL, NULL, NULL WHERE false'"
        )
        plain = 0
        for case, answer in zip(cases, expected, strict=True):
            found = self.items("login", *case)
            if found:
                plain += 1
                self.assertEqual(found, answer, case)
        self.assertGreater(plain, 50)
        self.assertLess(plain, 250)

    def test_what_says_how_to_check_comes_below_twenty(self):
        self.env.cr.execute("SELECT id, attribute FROM radius.login_items('karim')")
        below = {attribute for number, attribute in self.env.cr.fetchall() if number < 20}
        checks = {"ISP-Subscription-Id", "ISP-Service", "NT-Password", "Simultaneous-Use"}
        self.assertEqual(below, checks)
