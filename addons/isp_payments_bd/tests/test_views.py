"""The screens open for those who work with them."""

from lxml import etree

from odoo.tests import Form, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestViews(GatewayCase):
    def test_an_accountant_opens_a_payment(self):
        tx = self.pay(self.create_tx(500, self.create_bill(500)))
        with Form(tx.with_user(self.accountant)) as form:
            self.assertEqual(form.gateway_order_id, tx.gateway_order_id)
            self.assertEqual(form.gateway_event_ids.edit(0).outcome, "paid")

    def test_an_accountant_makes_a_settlement_report(self):
        with Form(self.env["isp.gateway.settlement"].with_user(self.accountant)) as form:
            form.journal_id = self.journal
        self.assertEqual(form.record.currency_id, self.bdt)

    def test_an_administrator_sets_a_provider_up(self):
        admin = new_test_user(
            self.env, "gw_admin", groups="base.group_system,account.group_account_manager"
        )
        with Form(self.provider.with_user(admin)) as form:
            form.bd_fee_account_id = self.fee_account
            form.bd_fee_percent = 1.5
            self.assertTrue(form.bd_next_step)
        self.assertEqual(self.provider.bd_fee_percent, 1.5)

    def test_filters(self):
        open_tx, held, done = self.create_tx(), self.create_tx(), self.create_tx()
        self.settle(held, self.verified(held, "held", reference="T1"))
        self.pay(done)
        view = self.env["payment.transaction"].with_user(self.accountant)
        arch = view.get_view(self.env.ref("payment.payment_transaction_search").id, "search")[
            "arch"
        ]
        domains = {
            node.get("name"): safe_eval(node.get("domain"))
            for node in etree.fromstring(arch).iter("filter")
            if node.get("domain")
        }
        ours = [("provider_id", "=", self.provider.id)]
        self.assertEqual(view.search(ours + domains["gateway_open"]), held | open_tx)
        self.assertEqual(view.search(ours + domains["gateway_held"]), held)
