from contextlib import contextmanager

from freezegun import freeze_time

from odoo import fields
from odoo.tests import TransactionCase, new_test_user

TODAY = "2027-03-10"


class IspBillingCase(TransactionCase):
    """A company in Dhaka with two untaxed plans, on a fixed day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        clock = freeze_time(f"{TODAY} 06:00:00")
        clock.start()
        cls.addClassCleanup(clock.stop)
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.company = cls.env.company
        cls.company.partner_id.tz = "Asia/Dhaka"
        cls.policy = cls.company.isp_dunning_policy_id
        cls.set_steps({"action": "suspend", "days": 4, "hour": 10})
        cls.plan_home = cls.create_plan("Home 20", 1000.0, download_kbps=20480, upload_kbps=10240)
        cls.plan_office = cls.create_plan("Office 50", 2500.0, download_kbps=51200)
        cls.customer = cls.env["res.partner"].create(
            {"name": "Karim Uddin", "phone": "+8801711000001", "email": "karim@example.com"}
        )
        cls.immediate = cls.env.ref("account.account_payment_term_immediate")

    @classmethod
    def set_steps(cls, *steps, **policy):
        """Give the company's policy these steps and no rest days, unless ``policy`` says so."""
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        cls.policy.write(
            {
                "step_ids": [fields.Command.clear(), *map(fields.Command.create, steps)],
                "holidays": True,
                **{f"rest_{day}": False for day in days},
                **policy,
            }
        )

    @classmethod
    def create_plan(cls, name, price, **vals):
        return cls.env["isp.plan"].create(
            {"name": name, "price": price, "tax_ids": [fields.Command.clear()], **vals}
        )

    @classmethod
    def create_subscription(cls, active=True, **vals):
        subscription = cls.env["isp.subscription"].create(
            {
                "partner_id": cls.customer.id,
                "plan_id": cls.plan_home.id,
                "payment_term_id": cls.immediate.id,
                "date_start": "2027-03-01",
                **vals,
            }
        )
        if active:
            subscription._activate()
        return subscription

    def create_recharged_plan(self):
        """A plan of ten days that begin with their payment."""
        return self.create_plan(
            "Ten days",
            100.0,
            billing_mode="prepaid",
            validity_from="payment",
            cycle_unit="day",
            cycle_count=10,
            anchor="anniversary",
        )

    @contextmanager
    def at(self, moment):
        """Let it be ``moment``, in UTC."""
        with freeze_time(moment):
            yield

    def bill(self, target, **vals):
        """Run the billing of ``target`` to its end and return the run."""
        run = self.env["isp.billing.run"].create(
            {"target_date": target, "invoice_date": target, **vals}
        )
        self.assertTrue(run._run_to_end())
        return run

    def pay(self, moves, amount=None):
        """Register a payment of ``moves``, in full when no amount is given."""
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=moves.ids)
            .create({"group_payment": True})
        )
        if amount is not None:
            wizard.amount = amount
        return wizard._create_payments()

    def assertBilled(self, subscription, expected):
        """The recurring charges are ``[(from, to, amount), …]``, dates as text."""
        charges = subscription.charge_ids.filtered(lambda c: c.charge_type == "recurring")
        self.assertEqual(
            [
                (str(charge.date_from), str(charge.date_to), charge.amount)
                for charge in charges.sorted("date_from")
            ],
            expected,
        )

    def last_event(self, subscription):
        """What was noted last, whatever the clock said."""
        return subscription.event_ids.sorted("id")[-1]

    @classmethod
    def create_user(cls, role):
        """A user of one role: support, clerk, accountant, network or manager."""
        return new_test_user(
            cls.env, f"isp_{role}", groups=f"base.group_user,isp_base.group_isp_{role}"
        )


class PortalMixin:
    """Customers with a login, for an ``HttpCase``."""

    @classmethod
    def create_portal_user(cls, login, partner=None):
        vals = {"partner_id": partner.id} if partner else {}
        # The groups of a portal user, and no other.
        return new_test_user(
            cls.env, login, groups="base.group_portal", password=f"{login}-password", **vals
        )

    def log_in(self, login):
        self.authenticate(login, f"{login}-password")

    def get(self, url):
        return self.url_open(url, timeout=60)
