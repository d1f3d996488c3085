from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import IspBillingCase


@tagged("post_install", "-at_install")
class TestPlan(IspBillingCase):
    def test_a_plan_brings_its_product(self):
        product = self.plan_home.product_id
        self.assertEqual(product.name, "Home 20")
        self.assertEqual(product.type, "service")
        self.assertEqual(product.lst_price, 1000.0)

    def test_price_and_name_follow_between_plan_and_product(self):
        self.plan_home.write({"price": 1100.0, "name": "Home 20 plus"})
        self.assertEqual(self.plan_home.product_id.lst_price, 1100.0)
        self.assertEqual(self.plan_home.product_id.name, "Home 20 plus")
        self.plan_home.product_id.lst_price = 1200.0
        self.assertEqual(self.plan_home.price, 1200.0)

    def test_a_copy_has_its_own_product_and_the_same_price(self):
        copy = self.plan_home.copy()
        self.assertNotEqual(copy.product_id, self.plan_home.product_id)
        self.assertEqual(copy.price, 1000.0)
        self.assertEqual(copy.name, "Home 20 (copy)")
        self.assertEqual(copy.product_id.name, "Home 20 (copy)")

    def test_speed_in_words(self):
        for kbps, words in (
            (512, "512 kbit/s"),
            (20_480, "20 Mbit/s"),
            (20_000, "20 Mbit/s"),
            (2_500, "2.5 Mbit/s"),
            (1_048_576, "1 Gbit/s"),
            (1_000_000, "1 Gbit/s"),
        ):
            with self.subTest(kbps=kbps):
                self.assertEqual(self.env["isp.plan"]._format_speed(kbps), words)

    def test_impossible_values_are_refused(self):
        for vals in (
            {"anchor_day": 0},
            {"anchor_day": 32},
            {"cycle_count": 0},
            {"download_kbps": 0},
            {"priority": 9},
            {"simultaneous_use": -1},
        ):
            with (
                self.subTest(vals=vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.plan_home.write(vals)
                self.env.flush_all()

    def test_a_prepaid_month_begins_with_the_service(self):
        with self.assertRaisesRegex(ValidationError, "prepaid period begins with the service"):
            self.plan_home.write({"billing_mode": "prepaid", "anchor": "calendar"})
