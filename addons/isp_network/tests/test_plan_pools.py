import importlib.util

from odoo.exceptions import UserError, ValidationError
from odoo.modules.module import get_module_path
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .address_common import IspAddressCase


def load_script(version, name):
    path = f"{get_module_path('isp_network')}/migrations/{version}/{name}.py"
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@tagged("post_install", "-at_install")
class TestPlanPools(IspAddressCase):
    """A plan chooses its pools; routers and RADIUS are told their names."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan_home.write({"framed_pool": False, "ipv6_pool": False})
        cls.pool = cls.create_pool(
            "Homes", "100.64.0.0/24", purpose="dynamic", radius_name="pool-home"
        )
        cls.pool6 = cls.env["isp.ipv6.pool"].create(
            {
                "name": "Homes",
                "prefix": "2001:db8:100::/40",
                "purpose": "dynamic",
                "radius_name": "pool6",
            }
        )

    def told(self):
        reply = self.reply_items("karim")
        return reply.get("Framed-Pool"), reply.get("Mikrotik-Delegated-IPv6-Pool")

    def test_radius_and_routers_are_told_the_name_of_the_chosen_pool(self):
        subscription = self.create_subscription(username="karim")
        self.assertEqual(self.told(), (None, None))
        self.plan_home.write({"ip_pool_id": self.pool.id, "ipv6_pool_id": self.pool6.id})
        self.assertEqual(self.told(), ("pool-home", "pool6"))
        entitlement = subscription.entitlement_id
        service = self.env["isp.nas"]._prepare_routeros_service(
            entitlement, entitlement.create_date
        )
        self.assertEqual((service.framed_pool, service.ipv6_pool), ("pool-home", "pool6"))
        # The pool was renamed on the router, and here.
        self.pool.radius_name = " home-2 "
        self.assertEqual(self.told(), ("home-2", "pool6"))
        self.plan_home.write({"ip_pool_id": False, "ipv6_pool_id": False})
        self.assertEqual(self.told(), (None, None))

    def test_the_form_fills_the_name_in_and_takes_one_that_is_typed(self):
        self.plan_home.write({"framed_pool": "by-hand"})
        with Form(self.plan_home) as form:
            form.ip_pool_id = self.pool
            self.assertEqual(form.framed_pool, "pool-home")
        self.assertEqual(self.plan_home.framed_pool, "pool-home")
        with Form(self.plan_home) as form:
            form.ip_pool_id = self.env["isp.ip.pool"]
            self.assertFalse(form.framed_pool)
            form.framed_pool = "elsewhere"
        self.assertRecordValues(self.plan_home, [{"ip_pool_id": False, "framed_pool": "elsewhere"}])

    def test_a_name_chooses_the_pool_that_has_it(self):
        self.plan_home.write({"framed_pool": " pool-home", "ipv6_pool": "nobody6"})
        self.assertRecordValues(
            self.plan_home,
            [
                {
                    "ip_pool_id": self.pool.id,
                    "framed_pool": "pool-home",
                    "ipv6_pool_id": False,
                    "ipv6_pool": "nobody6",
                }
            ],
        )
        self.assertIn("nobody6", self.plan_home.pool_note)
        # Another name is no longer the pool's.
        self.plan_home.framed_pool = "other"
        self.assertFalse(self.plan_home.ip_pool_id)
        # The choice counts, whatever name comes with it.
        self.plan_home.write({"ip_pool_id": self.pool.id, "framed_pool": "other"})
        self.assertEqual(self.plan_home.framed_pool, "pool-home")

    def test_a_pool_that_is_added_later_is_chosen_for_plans_with_its_name(self):
        self.plan_home.framed_pool = "late"
        self.assertIn("late", self.plan_home.pool_note)
        late = self.create_pool("Late", "100.65.0.0/24", purpose="dynamic", radius_name="late")
        self.assertEqual(self.plan_home.ip_pool_id, late)
        self.assertFalse(self.plan_home.pool_note)

    def test_a_pool_of_one_router_is_noted(self):
        routers = self.env["isp.nas"].create(
            [{"name": f"R{number}", "ip_address": f"10.20.9.{number}"} for number in (1, 2)]
        )
        for number, nas in enumerate(routers):
            self.create_pool(
                f"Pool {number}",
                f"100.66.{number}.0/24",
                purpose="dynamic",
                radius_name="local",
                nas_id=nas.id,
            )
        self.plan_home.framed_pool = "local"
        self.assertEqual(self.plan_home.ip_pool_id.nas_id, routers[0])
        self.assertIn("R1, R2", self.plan_home.pool_note)
        everywhere = self.create_pool(
            "All", "100.67.0.0/24", purpose="dynamic", radius_name="local"
        )
        self.plan_home.invalidate_recordset(["pool_note"])
        self.assertFalse(self.plan_home.pool_note)
        self.plan_home.framed_pool = "local"
        self.assertEqual(self.plan_home.ip_pool_id, everywhere)

    @mute_logger("odoo.sql_db")
    def test_pools_that_routers_cannot_use_are_refused(self):
        static = self.create_pool("Static", "103.10.0.0/24")
        nameless = self.create_pool("Nameless", "100.68.0.0/24", purpose="dynamic")
        for pool in (static, nameless):
            with (
                self.subTest(pool.name),
                self.assertRaisesRegex(ValidationError, pool.name),
                self.env.cr.savepoint(),
            ):
                self.plan_home.ip_pool_id = pool
        self.plan_home.write({"ip_pool_id": self.pool.id, "ipv6_pool_id": self.pool6.id})
        for pool in (self.pool, self.pool6):
            for vals in ({"radius_name": " "}, {"purpose": "static"}):
                with (
                    self.subTest(vals),
                    self.assertRaisesRegex(ValidationError, "Home 20"),
                    self.env.cr.savepoint(),
                ):
                    pool.write(vals)
        other = self.env["res.company"].create({"name": "Other provider"})
        theirs = (
            self.env["isp.ip.pool"]
            .with_company(other)
            .create(
                {
                    "name": "Theirs",
                    "purpose": "dynamic",
                    "radius_name": "pool-theirs",
                    "company_id": other.id,
                }
            )
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.plan_home.ip_pool_id = theirs
        self.plan_home.framed_pool = "pool-theirs"
        self.assertFalse(self.plan_home.ip_pool_id)

    def test_a_manager_who_sees_no_pools_of_others_prices_plans(self):
        plan = self.plan_home.with_user(self.create_user("manager"))
        plan.framed_pool = "pool-home"
        self.assertEqual(plan.ip_pool_id, self.pool)

    def test_names_of_the_version_before_become_choices_and_none_is_lost(self):
        plans = self.plan_home + self.plan_home.copy({"name": "Old", "framed_pool": False})
        self.env.flush_all()
        # As the version before left them.
        for plan, name, name6 in (
            (plans[0], "pool-home", "pool6"),
            (plans[1], "Pool-Home", False),
        ):
            self.env.cr.execute(
                "UPDATE isp_plan SET framed_pool = %s, ipv6_pool = %s, ip_pool_id = NULL,"
                " ipv6_pool_id = NULL WHERE id = %s",
                [name, name6 or None, plan.id],
            )
        plans[1].invalidate_recordset()
        plans[1].action_archive()
        self.env.invalidate_all()
        for _twice in range(2):
            load_script("19.0.1.2.0", "post-pools").migrate(self.env.cr, "19.0.1.1.0")
            self.env.invalidate_all()
            self.assertRecordValues(
                plans,
                [
                    {
                        "framed_pool": "pool-home",
                        "ip_pool_id": self.pool.id,
                        "ipv6_pool": "pool6",
                        "ipv6_pool_id": self.pool6.id,
                    },
                    {
                        # Routers tell capitals apart.
                        "framed_pool": "Pool-Home",
                        "ip_pool_id": False,
                        "ipv6_pool": False,
                        "ipv6_pool_id": False,
                    },
                ],
            )
        found = (
            self.env["isp.plan"]
            .with_context(active_test=False)
            .search([("framed_pool", "!=", False), ("ip_pool_id", "=", False)])
        )
        self.assertEqual(found, plans[1])
