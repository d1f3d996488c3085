"""bKash for tests inside Odoo: the simulator of the repository, over real HTTP on loopback."""

import itertools
import json
import sys
from pathlib import Path

from .http_common import GatewayHttpCase

# The simulators are shared with the tests that cross processes, in tests/ beside addons/.
sys.path.append(str(Path(__file__).resolve().parents[3] / "tests"))

from simulators.gateways.bkash import Bkash
from simulators.gateways.faults import Fault

WALLET = "01711111111"


class BkashCommon(GatewayHttpCase):
    """A company that takes bKash."""

    code = "bkash"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.ref = "C-1001"
        cls.method = cls.env.ref("isp_payments_bd.payment_method_bkash")
        # Different amounts: bKash refuses the same wallet and amount within two minutes.
        cls.amounts = itertools.count(300)

    def setUp(self):
        super().setUp()
        self.gateway = Bkash().start()
        self.addCleanup(self.gateway.stop)
        self.provider = self.prepare_provider(self.company)

    def prepare_provider(self, company, **values):
        credentials = {f"bkash_{name}": value for name, value in self.gateway.credentials.items()}
        settings = {
            **credentials,
            "bkash_test_url": self.gateway.url,
            "bkash_sns_topic": self.gateway.topic.arn,
            "allow_tokenization": True,
            **values,
        }
        return self.open_provider(company, **settings)

    # === WHAT HAPPENS === #

    def next_amount(self):
        return next(self.amounts)

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

    def saved_wallet(self, bill=None):
        """Save a wallet without paying; return the token."""
        tx = self.start(
            bill,
            operation="validation",
            tokenize=True,
            amount=self.provider._get_validation_amount(),
            invoice_ids=False,
        )
        self.come_back(self.gateway.customer(tx.gateway_payment_id))
        self.assertEqual(tx.state, "done", tx.gateway_note)
        self.assertFalse(self.payments(tx))
        return tx.token_id

    def run_after_commit(self):
        """Do what is done once a request is committed."""
        self.env.flush_all()
        self.env.cr.postcommit.run()
        self.env.invalidate_all()

    # === WHAT IS TRUE THEN === #

    def assertPaidOnce(self, tx, bill):
        """One payment, posted, reconciled with the bill; the money moved once."""
        self.assertBookedOnce(tx, bill)
        transfers = [
            one for one in self.gateway.transactions.values() if one.invoice == tx.gateway_order_id
        ]
        self.assertEqual([one.id for one in transfers], [tx.provider_reference])

    def secrets(self):
        """All credentials but the user name, the tokens and the customer's wallet."""
        return [
            *(value for name, value in self.gateway.credentials.items() if name != "username"),
            *self.gateway.tokens,
            *self.gateway.refresh_tokens,
            WALLET,
        ]
