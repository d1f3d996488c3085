"""bKash for tests inside Odoo: the simulator of the repository, over real HTTP on loopback."""

import itertools
import json
import sys
from contextlib import contextmanager
from pathlib import Path

from odoo import Command
from odoo.tests import HttpCase

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

# The simulators are shared with the tests that cross processes, in tests/ beside addons/.
sys.path.append(str(Path(__file__).resolve().parents[3] / "tests"))

from simulators.gateways.bkash import Bkash
from simulators.gateways.faults import Fault

WALLET = "01711111111"


class BkashCommon(AccountTestInvoicingCommon, HttpCase):
    """A Bangladeshi company that takes bKash, and a customer with bills."""

    @classmethod
    @AccountTestInvoicingCommon.setup_chart_template("bd")
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.bdt = cls.env.ref("base.BDT")
        cls.customer = cls.env["res.partner"].create({"name": "Rahima Khatun", "ref": "C-1001"})
        # Different amounts: bKash refuses the same wallet and amount within two minutes.
        cls.amounts = itertools.count(300)

    def setUp(self):
        super().setUp()
        self.gateway = Bkash().start()
        self.addCleanup(self.gateway.stop)
        self.provider = self.prepare_provider(self.company)
        self.method = self.env.ref("isp_payments_bd.payment_method_bkash")

    def prepare_provider(self, company, **values):
        provider = self.env["payment.provider"].search(
            [("code", "=", "bkash"), ("company_id", "=", company.id)]
        )
        credentials = {f"bkash_{name}": value for name, value in self.gateway.credentials.items()}
        provider.write(
            {
                **credentials,
                "bkash_test_url": self.gateway.url,
                "bkash_sns_topic": self.gateway.topic.arn,
                "state": "test",
                "is_published": True,
                "allow_tokenization": True,
                **values,
            }
        )
        line = provider.journal_id.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == provider
        )
        if company == self.company:
            line.payment_account_id = self.inbound_payment_method_line.payment_account_id
        return provider

    # === WHAT HAPPENS === #

    def bill(self, amount=None, partner=None):
        return self.init_invoice(
            *("out_invoice", partner or self.customer),
            amounts=[amount or next(self.amounts)],
            post=True,
            taxes=[],
        )

    def create_tx(self, bill, **values):
        tx = self.env["payment.transaction"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "amount": bill.amount_residual,
                "currency_id": self.bdt.id,
                "partner_id": bill.partner_id.id,
                "reference": self.env["payment.transaction"]._compute_reference(
                    "bkash", prefix=f"{bill.name}-"
                ),
                "operation": "online_redirect",
                "invoice_ids": [Command.set(bill.ids)],
                **values,
            }
        )
        return tx

    def start(self, bill=None, **values):
        """Start a payment as the portal does: the customer sees bKash's page."""
        tx = self.create_tx(bill or self.bill(), **values)
        tx._get_processing_values()
        return tx

    def come_back(self, url):
        """Let the browser go where bKash sends it; return the HTTP response."""
        path = "/" + url.split("/", 3)[3]
        response = self.url_open(path, allow_redirects=False)
        self.env.invalidate_all()
        return response

    def notify(self, payload, provider=None, body=None, **fault):
        """Let Amazon SNS deliver a notification; return the HTTP response."""
        if body is None:
            message = {"Type": "Notification", "Payload": payload}
            body, _headers = self.gateway.topic.make(message, Fault("notify", **fault))
        if not isinstance(body, str):
            body = json.dumps(body)
        response = self.url_open(
            f"/payment/bkash/notification/{(provider or self.provider).id}",
            data=body,
            headers={"Content-Type": "text/plain; charset=UTF-8"},
        )
        self.env.invalidate_all()
        return response

    def message(self, payload, **fault):
        """Return a notification as SNS sends it, as a dictionary."""
        message = {"Type": "Notification", "Payload": payload}
        return json.loads(self.gateway.topic.make(message, Fault("notify", **fault))[0])

    def payload_of(self, tx):
        """Return what bKash says of a payment that was executed."""
        payment = self.gateway.payments[tx.gateway_payment_id]
        return payment.transaction and self.gateway.notification(payment.transaction)

    def pay(self, tx):
        """Let the customer pay and come back."""
        self.come_back(self.gateway.customer(tx.gateway_payment_id))
        self.assertEqual(tx.state, "done", tx.gateway_note)
        return tx

    def run_after_commit(self):
        """Do what is done once a request is committed."""
        self.env.flush_all()
        self.env.cr.postcommit.run()
        self.env.invalidate_all()

    # === WHAT IS TRUE THEN === #

    def payments(self, tx):
        return self.env["account.payment"].search([("payment_transaction_id", "in", tx.ids)])

    def assertPaidOnce(self, tx, bill):
        """One payment, posted, reconciled with the bill; the money moved once."""
        self.assertEqual(tx.state, "done", tx.gateway_note)
        payment = self.payments(tx)
        self.assertEqual(len(payment), 1)
        self.assertEqual(payment.amount, tx.amount)
        self.assertIn(payment.state, ("in_process", "paid"))
        self.assertIn(bill.payment_state, ("in_payment", "paid"))
        self.assertEqual(bill.amount_residual, 0)
        transfers = [
            one for one in self.gateway.transactions.values() if one.invoice == tx.gateway_order_id
        ]
        self.assertEqual([one.id for one in transfers], [tx.provider_reference])

    def assertNothingPaid(self, tx, bill):
        self.assertNotEqual(tx.state, "done")
        self.assertFalse(self.payments(tx))
        self.assertEqual(bill.payment_state, "not_paid")

    @contextmanager
    def assertNoSecretLogged(self):
        """Whatever is logged meanwhile, at any level, no secret is in it."""
        with self.assertLogs(level="DEBUG") as logs:
            yield logs
        text = "\n".join(logs.output)
        secrets = [
            *(value for name, value in self.gateway.credentials.items() if name != "username"),
            *self.gateway.tokens,
            *self.gateway.refresh_tokens,
            WALLET,
        ]
        for secret in secrets:
            self.assertNotIn(secret, text)
