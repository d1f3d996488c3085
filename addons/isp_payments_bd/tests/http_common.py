"""What the tests of every gateway need that let a browser or a gateway call Odoo."""

from contextlib import contextmanager

from odoo import Command
from odoo.tests import HttpCase, new_test_user

_STAFF = (
    *("base.group_user", "base.group_system", "base.group_partner_manager"),
    "account.group_account_manager",
)


class GatewayHttpCase(HttpCase):
    """A company that takes payments by one gateway, and a customer with bills.

    A gateway sets ``code``, ``provider`` and ``method``.
    """

    code = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        staff = new_test_user(cls.env, "gateway_staff", groups=",".join(_STAFF))
        cls.env = cls.env(user=staff)
        cls.company = cls.env.company
        cls.bdt = cls.env.ref("base.BDT")
        cls.customer = cls.env["res.partner"].create({"name": "Rahima Khatun"})
        cls.outstanding = cls.env["account.account"].create(
            {
                "name": "Money at the gateway",
                "code": "101990",
                "account_type": "asset_current",
                "reconcile": True,
            }
        )

    @classmethod
    def other_company(cls):
        """Return a company that keeps books of its own."""
        company = cls.env["res.company"].create(
            {"name": "Other Net Ltd.", "country_id": cls.company.country_id.id}
        )
        cls.env.user.company_ids |= company
        cls.env["account.chart.template"].try_loading("bd", company, install_demo=False)
        return company

    @classmethod
    def open_provider(cls, company, **settings):
        """Return the company's provider in test mode, with an account where payments wait."""
        provider = cls.env["payment.provider"].search(
            [("code", "=", cls.code), ("company_id", "=", company.id)]
        )
        provider.write({"state": "test", "is_published": True, **settings})
        line = provider.journal_id.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == provider
        )
        if company == cls.company:
            line.payment_account_id = cls.outstanding
        return provider

    # === WHAT HAPPENS === #

    def next_amount(self):
        """Return the amount of a bill that a test does not care about."""
        return 500.0

    def bill(self, amount=None, partner=None):
        bill = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or self.customer).id,
                "currency_id": self.bdt.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Internet",
                            "price_unit": amount or self.next_amount(),
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        bill.action_post()
        return bill

    def create_tx(self, bill, **values):
        return self.env["payment.transaction"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "amount": bill.amount_residual,
                "currency_id": self.bdt.id,
                "partner_id": bill.partner_id.id,
                "reference": self.env["payment.transaction"]._compute_reference(
                    self.code, prefix=f"{bill.name}-"
                ),
                "operation": "online_redirect",
                "invoice_ids": [Command.set(bill.ids)],
                **values,
            }
        )

    def start(self, bill=None, **values):
        """Start a payment as the portal does: the customer sees the gateway's page.

        What the browser was given is in ``processing``.
        """
        tx = self.create_tx(self.bill() if bill is None else bill, **values)
        self.processing = tx._get_processing_values()
        return tx

    @contextmanager
    def undone(self):
        """Take back what one of many cases wrote.

        Each payment refers to the same provider and customer: every reference that stays makes the
        next slower, the hundredth a lot.
        """
        with self.env.cr.savepoint() as savepoint:
            yield
            self.env.flush_all()
            self.env.cr.postcommit.clear()
            self.env.invalidate_all(flush=False)
            savepoint.rollback()

    # === WHAT IS TRUE THEN === #

    def payments(self, tx):
        return self.env["account.payment"].search([("payment_transaction_id", "in", tx.ids)])

    def assertBookedOnce(self, tx, bill):
        """One payment, posted and reconciled with the bill."""
        self.assertEqual(tx.state, "done", tx.gateway_note)
        payment = self.payments(tx)
        self.assertEqual(len(payment), 1)
        self.assertEqual(payment.amount, tx.amount)
        self.assertIn(payment.state, ("in_process", "paid"))
        self.assertIn(bill.payment_state, ("in_payment", "paid"))
        self.assertEqual(bill.amount_residual, 0)

    def assertNothingPaid(self, tx, bill):
        self.assertNotEqual(tx.state, "done")
        self.assertFalse(self.payments(tx))
        self.assertEqual(bill.payment_state, "not_paid")

    def secrets(self):
        """Return what must never be in a log."""
        raise NotImplementedError

    @contextmanager
    def assertNoSecretLogged(self):
        """Whatever is logged meanwhile, at any level, no secret is in it."""
        with self.assertLogs(level="DEBUG") as logs:
            yield logs
        text = "\n".join(logs.output)
        for secret in self.secrets():
            self.assertNotIn(secret, text)
