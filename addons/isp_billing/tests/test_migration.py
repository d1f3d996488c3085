"""The scripts that bring a database of an earlier version to this one."""

import importlib.util

from odoo import fields
from odoo.modules.module import get_module_path
from odoo.tests import tagged

from .common import IspBillingCase


def load_script(version, name):
    path = f"{get_module_path('isp_billing')}/migrations/{version}/{name}.py"
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@tagged("post_install", "-at_install")
class TestMigration(IspBillingCase):
    def forget(self):
        """Make the rows look as version 19.0.1.0.0 left them."""
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("UPDATE isp_charge SET per = NULL, basis = NULL")
        cr.execute("UPDATE isp_subscription_line SET plan_id = NULL")
        cr.execute("DELETE FROM isp_subscription_line_terms")
        cr.execute(
            "UPDATE isp_subscription SET has_changes = NULL, pending_since = NULL,"
            " end_policy = 'credit'"
        )
        self.env.invalidate_all()

    def migrate(self):
        load_script("19.0.1.1.0", "post-history").migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_bills_of_the_version_before_are_neither_repeated_nor_taken_back(self):
        ordinary = self.create_subscription(date_start="2027-01-17")
        repriced = self.create_subscription(date_start="2027-01-01")
        ended = self.create_subscription(date_start="2027-01-01")
        self.bill("2027-02-01")
        repriced.line_ids.price_unit = 1200.0
        self.bill("2027-03-10")
        repriced.line_ids.price_unit = 1300.0
        ended._terminate("Moved", fields.Date.to_date("2027-03-11"))
        self.forget()
        self.migrate()
        subscriptions = ordinary + repriced + ended
        # The engine looks at all of it once more.
        for subscription in subscriptions:
            subscription._note_change(subscription.date_start)
        charges = subscriptions.charge_ids
        run = self.bill("2027-03-10")
        self.assertFalse(run.exception_ids.mapped("reason"))
        self.assertEqual(subscriptions.charge_ids, charges)
        self.bill("2027-04-01")
        new = subscriptions.charge_ids - charges
        self.assertEqual(new.sorted("id").mapped("amount"), [1000.0, 1300.0])
        self.assertEqual(set(charges.mapped("per")), {"1 month"})
        self.assertEqual(ordinary.line_ids.plan_id, self.plan_home)

    def test_running_it_again_changes_nothing(self):
        repriced = self.create_subscription(date_start="2027-01-01")
        self.bill("2027-03-10")
        repriced.line_ids.price_unit = 1200.0
        self.forget()
        self.migrate()
        terms = repriced.line_ids.terms_ids
        self.migrate()
        self.assertEqual(
            [(str(one.date_to), one.price_unit) for one in repriced.line_ids.terms_ids],
            [("2027-04-01", 1000.0)],
        )
        self.assertEqual(repriced.line_ids.terms_ids, terms)
