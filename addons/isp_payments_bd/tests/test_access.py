from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import GatewayCase


@tagged("post_install", "-at_install")
class TestAccess(GatewayCase):
    def test_accountants_read_events_and_change_none(self):
        tx = self.pay(self.create_tx(500))
        event = tx.gateway_event_ids.with_user(self.accountant)
        self.assertEqual(event.outcome, "paid")
        for attempt in (
            lambda: event.write({"outcome": "failed"}),
            lambda: event.unlink(),
            lambda: event.create({"provider_id": self.provider.id}),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_others_see_nothing(self):
        tx = self.pay(self.create_tx(500))
        for groups in ("base.group_user", "base.group_portal"):
            user = new_test_user(self.env, f"gw_{groups}", groups=groups)
            with self.assertRaises(AccessError):
                tx.gateway_event_ids.with_user(user).read(["summary"])
            with self.assertRaises(AccessError):
                tx.with_user(user).action_bd_ask()

    @proves("P-15")
    def test_companies_do_not_see_each_other(self):
        company = self.env["res.company"].create({"name": "Other", "currency_id": self.bdt.id})
        provider = self.create_provider(company, False)
        tx = self.create_tx(500, provider=provider)
        event = self.env["isp.gateway.event"]._note(tx, "return", "pending", "")
        self.assertEqual(event.company_id, company)
        found = self.env["isp.gateway.event"].with_user(self.accountant).search([])
        self.assertNotIn(event, found)
        with self.assertRaises(AccessError):
            tx.with_user(self.accountant).action_bd_ask()

    def test_an_order_is_found_only_at_its_gateway(self):
        tx = self.create_tx(500)
        find = self.env["payment.transaction"]._bd_find
        self.assertEqual(find("none", order_id=tx.gateway_order_id), tx)
        self.assertEqual(find("none", tx.gateway_order_id, tx.gateway_payment_id), tx)
        self.assertFalse(find("bkash", order_id=tx.gateway_order_id))
        self.assertFalse(find("none", tx.gateway_order_id, "OTHER"))
        self.assertFalse(find("none", order_id=tx.gateway_order_id[:-1] + "%"))
        for nothing in (None, "", False):
            self.assertFalse(find("none", order_id=nothing, payment_id=nothing))

    def test_a_refund_is_not_found_by_a_route(self):
        tx = self.pay(self.create_tx(500))
        child = self.refund(tx, 100)
        found = self.env["payment.transaction"]._bd_find("none", order_id=child.gateway_order_id)
        self.assertFalse(found)
