"""A company in Dhaka whose gateway exists only in the test."""

from decimal import Decimal
from unittest.mock import patch

from odoo import Command
from odoo.tests import TransactionCase, new_test_user

from ..gateways.common import PAID, Refund, Verified


class FakeGateway:
    """Answers what a test says; ``calls`` is what it was asked."""

    merchant = "M1"

    def __init__(self):
        self.calls = []
        self.answers = []
        self.refunds = []
        self.start_error = None

    def ask(self, tx, hint=None):
        self.calls.append(("ask", tx.gateway_order_id, hint))
        return self._next(self.answers)

    def start(self, tx):
        self.calls.append(("start", tx.gateway_order_id))
        if self.start_error:
            raise self.start_error
        tx.gateway_payment_id = f"P{tx.gateway_order_id}"
        return {"api_url": "https://gateway.example/pay"}

    def charge(self, tx):
        self.calls.append(("charge", tx.gateway_order_id))
        if self.start_error:
            raise self.start_error
        tx.gateway_payment_id = f"P{tx.gateway_order_id}"
        return {"execute": True}

    def refund(self, tx, amount):
        self.calls.append(("refund", tx.gateway_order_id, amount))
        return self._next(self.refunds)

    def ask_refund(self, tx):
        self.calls.append(("ask_refund", tx.gateway_order_id))
        return self._next(self.refunds)

    def _next(self, answers):
        """The last answer stands."""
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def asked(self, what):
        return [call for call in self.calls if call[0] == what]


class GatewayCase(TransactionCase):
    """One provider of code ``none`` that behaves as one of ours, over a fake gateway."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.bdt = cls.env.ref("base.BDT")
        cls.journal = cls.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", cls.company.id)], limit=1
        )
        cls.fee_account = cls.env["account.account"].create(
            {"name": "Gateway fees", "code": "509990", "account_type": "expense"}
        )
        cls.customer = cls.env["res.partner"].create(
            {"name": "Karim Uddin", "phone": "+8801711000001", "email": "karim@example.com"}
        )
        cls.accountant = new_test_user(
            cls.env, "gw_accountant", groups="base.group_user,account.group_account_invoice"
        )
        cls.gateway = FakeGateway()
        cls._make_code_none_ours()
        cls.method = cls.env["payment.method"].create(
            {
                "name": "Test wallet",
                "code": "test_wallet",
                "active": True,
                "support_refund": "partial",
                "image": cls.env.ref("payment.payment_method_unknown").image,
            }
        )
        cls.provider = cls.create_provider(cls.company, cls.journal)

    @classmethod
    def _make_code_none_ours(cls):
        """Let the existing code ``none`` be a gateway: hooks over the fake, nothing else."""

        def feature_support(providers):
            providers.update(
                {
                    "support_express_checkout": None,
                    "support_manual_capture": None,
                    "support_tokenization": True,
                    "support_refund": "partial",
                }
            )

        def information(_self):
            return {
                "none": {"mode": "electronic", "type": ("bank",)},
                "manual": {"mode": "multi", "type": ("bank", "cash")},
            }

        gateway = lambda: cls.gateway  # noqa: E731 - looked up at each call: a test may replace it
        tx = cls.registry["payment.transaction"]
        provider = cls.registry["payment.provider"]
        for model, name, function in (
            (tx, "_bd_ask", lambda self, hint=None: gateway().ask(self, hint)),
            (tx, "_bd_start", lambda self: gateway().start(self)),
            (tx, "_bd_charge", lambda self: gateway().charge(self)),
            (tx, "_bd_refund", lambda self, amount: gateway().refund(self, amount)),
            (tx, "_bd_ask_refund", lambda self: gateway().ask_refund(self)),
            (provider, "_bd_codes", lambda self: ("none",)),
            (provider, "_bd_merchant", lambda self: gateway().merchant),
            (provider, "_compute_feature_support_fields", feature_support),
            (
                cls.registry["account.payment.method"],
                "_get_payment_method_information",
                information,
            ),
        ):
            cls.startClassPatcher(patch.object(model, name, function))
        cls.env["account.payment.method"].create(
            {"name": "Test gateway", "code": "none", "payment_type": "inbound"}
        )

    @classmethod
    def create_provider(cls, company, journal, **values):
        provider = cls.env["payment.provider"].create(
            {
                "name": "Test gateway",
                "code": "none",
                "state": "test",
                "company_id": company.id,
                "is_published": True,
                "payment_method_ids": [Command.set(cls.method.ids)],
                **values,
            }
        )
        provider.journal_id = journal
        return provider

    def setUp(self):
        super().setUp()
        type(self).gateway = FakeGateway()

    # === HELPERS === #

    def create_bill(self, amount=500.0, partner=None, company=None):
        bill = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or self.customer).id,
                "company_id": (company or self.company).id,
                "currency_id": self.bdt.id,
                "invoice_line_ids": [
                    Command.create({"name": "Internet", "price_unit": amount, "tax_ids": False})
                ],
            }
        )
        bill.action_post()
        return bill

    def create_tx(self, amount=500.0, bill=None, provider=None, started=True, **values):
        tx = self.env["payment.transaction"].create(
            {
                "provider_id": (provider or self.provider).id,
                "payment_method_id": self.method.id,
                "amount": amount,
                "currency_id": self.bdt.id,
                "partner_id": self.customer.id,
                "operation": "online_redirect",
                "invoice_ids": [Command.set(bill.ids)] if bill else [],
                **values,
            }
        )
        if started:
            tx._get_specific_rendering_values({})
        return tx

    def verified(self, tx, status=PAID, **values):
        """What the gateway says about a payment, by default that all is as agreed."""
        return Verified(
            **{
                "status": status,
                "order_id": tx.gateway_order_id,
                "payment_id": tx.gateway_payment_id or None,
                "reference": f"T{tx.gateway_order_id}" if status == PAID else None,
                "merchant": "M1",
                "amount": Decimal(f"{tx.amount:.2f}"),
                "currency": "BDT",
                **values,
            }
        )

    def settle(self, tx, *answers, channel="return", hint=None, **options):
        """Let the gateway answer, and settle."""
        self.gateway.answers = list(answers)
        return tx._bd_settle(channel, hint=hint, **options)

    def pay(self, tx, **values):
        self.assertEqual(self.settle(tx, self.verified(tx, **values)), "paid")
        return tx

    def run_after_commit(self):
        """Do what is done once a request is committed."""
        with self.enter_registry_test_mode():
            self.env.flush_all()
            self.env.cr.postcommit.run()
        self.env.invalidate_all()

    def refund(self, tx, amount, answer=None):
        """Press the button Refund; return the refund after it was sent."""
        self.gateway.refunds = [answer or Refund(PAID, f"R{amount}", Decimal(f"{amount:.2f}"))]
        tx.action_refund(amount_to_refund=amount)
        child = tx.child_transaction_ids.sorted("id")[-1]
        self.run_after_commit()
        return child

    def run_job(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "isp_payments_bd.payment_transaction_cron_reconcile"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def make_due(self, txs):
        txs.gateway_next_ask_at = "2020-01-01 00:00:00"

    def events(self, tx):
        found = self.env["isp.gateway.event"].search([("transaction_id", "=", tx.id)], order="id")
        return [(event.channel, event.outcome) for event in found]
