from odoo.tests import tagged

from ..routeros import menus
from .routeros_common import RouterosCase

MACS = "AA-BB-CC-00-00-01|AA-BB-CC-00-00-02"


@tagged("post_install", "-at_install")
class TestRouterosLimitations(RouterosCase):
    """What a router cannot hold stands on it and on the subscription, as long as it applies."""

    def known(self):
        found = self.env["isp.nas.limitation"].search([("nas_id", "=", self.nas.id)])
        return {(one.subscription_id.username, one.code) for one in found}

    def with_limitation(self):
        return self.env["isp.subscription"].search([("router_limitation_ids", "!=", False)])

    def test_it_is_said_on_both_and_disappears_with_its_cause(self):
        self.fill()
        self.assertFalse(self.known())
        self.karim.write({"mac_addresses": MACS, "delegated_prefix": "2001:db8:5::/56"})
        self.run_job()
        self.assertEqual(self.known(), {("karim", "several_macs"), ("karim", "prefix_announced")})
        self.assertEqual(self.shown.routeros_limitation_count, 2)
        self.assertIn("locks a login to one", self.karim.router_limitations)
        self.assertIn("delegates a fixed prefix with RADIUS only", self.karim.router_limitations)
        self.assertEqual(self.with_limitation(), self.karim)
        action = self.nas.action_view_limitations()
        self.assertEqual(len(self.env[action["res_model"]].search(action["domain"])), 2)
        # A look at another service leaves them, one at this service takes away what is over.
        self.rahim.password = "another-one"
        self.run_job()
        self.assertEqual(len(self.known()), 2)
        self.karim.mac_addresses = MACS[:17]
        self.run_job()
        self.assertEqual(self.known(), {("karim", "prefix_announced")})
        self.karim.delegated_prefix = False
        self.run_job()
        self.assertFalse(self.known())
        self.assertFalse(self.karim.router_limitations)
        self.assertFalse(self.with_limitation())

    def test_the_nightly_look_finds_them_and_keeps_since_when(self):
        self.karim.mac_addresses = MACS
        self.commit()
        self.waiting.unlink()
        self.run_job(full=True)
        first = self.env["isp.nas.limitation"].search([("nas_id", "=", self.nas.id)])
        self.assertEqual(self.known(), {("karim", "several_macs")})
        self.run_job(full=True)
        again = self.env["isp.nas.limitation"].search([("nas_id", "=", self.nas.id)])
        self.assertEqual(again, first)

    def test_another_router_or_none_takes_them_away(self):
        for step in ("moves", "ends", "radius", "archived"):
            with self.subTest(step):
                self.karim.mac_addresses = MACS
                self.run_job()
                self.env["isp.nas.change"]._note_router(self.nas)
                self.run_job()
                self.assertTrue(self.known())
                if step == "moves":
                    self.karim.nas_id = False
                    self.run_job()
                    self.karim.nas_id = self.nas
                    self.assertFalse(self.known())
                elif step == "ends":
                    self.karim.mac_addresses = False
                    self.run_job()
                elif step == "radius":
                    self.nas.provisioning = "radius"
                    self.assertFalse(self.known())
                    self.nas.provisioning = "routeros"
                else:
                    self.nas.active = False
                self.assertFalse(self.known())

    def test_the_version_of_the_router_counts(self):
        self.karim.delegated_prefix = "2001:db8:5:1::/64"
        self.router.version_text = "6.49.10"
        self.run_job()
        self.assertEqual(self.known(), {("karim", "prefix_v6")})
        self.assertNotIn("remote-ipv6-prefix", self.secret("karim"))
        self.router.version_text = "7.16"
        self.run_job(full=True)
        self.assertFalse(self.known())
        self.assertEqual(self.secret("karim")["remote-ipv6-prefix"], "2001:db8:5:1::/64")

    def test_a_static_customer_gets_prefix_and_lists_of_ipv6(self):
        self.plan_home.service_type = "static"
        self.rahim.ipv4_address = "10.9.0.5"
        self.rahim.delegated_prefix = "2001:db8:7::/56"
        self.fill()
        # Karim has neither address nor prefix.
        self.assertEqual(self.known(), {("karim", "no_address")})
        queue = self.router.find(menus.QUEUE, "rahim")
        self.assertEqual(queue["target"], "10.9.0.5/32,2001:db8:7::/56")
        [entry] = self.router.rows(menus.IPV6_ADDRESS_LIST).values()
        self.assertEqual((entry["list"], entry["address"]), ("isp-active", "2001:db8:7::/56"))

    def test_companies_and_roles(self):
        self.karim.mac_addresses = MACS
        self.run_job()
        for role in ("support", "clerk", "network"):
            user = self.create_user(role)
            with self.subTest(role):
                self.assertIn("lock", self.karim.with_user(user).router_limitations)
                self.assertEqual(self.with_limitation().with_user(user), self.karim)
                found = self.env["isp.nas.limitation"].with_user(user).search([])
                self.assertEqual(found.subscription_id, self.karim)
        other = self.env["res.company"].create({"name": "Other provider"})
        user.sudo().write({"company_ids": [(4, other.id)], "company_id": other.id})
        theirs = found.with_user(user).with_context(allowed_company_ids=other.ids)
        self.assertFalse(theirs.search([]))
