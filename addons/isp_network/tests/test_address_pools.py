from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .address_common import IspAddressCase


@tagged("post_install", "-at_install")
class TestAddressPools(IspAddressCase):
    """An address belongs to one pool, and to one subscription at a time."""

    # === POOLS === #

    def test_a_pool_says_which_other_one_has_the_addresses(self):
        self.create_pool("Mirpur", "103.10.0.0/24")
        with self.assertRaisesRegex(ValidationError, "Mirpur"):
            self.create_pool("Gulshan", "103.10.0.200-103.10.1.20")

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_an_overlap_by_itself(self):
        pool = self.create_pool("Mirpur", "103.10.0.0/24")
        self.env.flush_all()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env.cr.execute(
                """
                INSERT INTO isp_ip_range (pool_id, domain_id, company_id, name, first_address,
                    last_address) VALUES (%s, %s, %s, 'x', '103.10.0.255', '103.10.2.0')
                """,
                [pool.id, pool.domain_id.id, pool.company_id.id],
            )

    def test_the_same_addresses_may_exist_in_another_routing_domain(self):
        self.create_pool("Mirpur", "10.0.0.0/16", purpose="dynamic")
        island = self.env["isp.routing.domain"].create({"name": "Island"})
        pool = self.create_pool("Island", "10.0.0.0/16", purpose="dynamic", domain_id=island.id)
        self.assertEqual(pool.total_count, 65536)

    def test_what_is_no_range_is_refused_in_words(self):
        for text, words in (
            ("103.10.0.300", "is not an IPv4 range"),
            ("103.10.0.9-103.10.0.1", "comes before"),
            ("103.10.0.5/24", "inside a network"),
        ):
            with self.subTest(text), self.assertRaisesRegex(ValidationError, words):
                self.create_pool("Wrong", text)

    @mute_logger("odoo.sql_db")
    def test_ipv6_pools_do_not_overlap(self):
        pools = self.env["isp.ipv6.pool"]
        pool = pools.create({"name": "Homes", "prefix": "2001:db8:100::/40"})
        with self.assertRaisesRegex(ValidationError, "Homes"):
            pools.create({"name": "More", "prefix": "2001:db8:1ff::/48"})
        self.assertEqual(pool.total_count, 65536)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env.cr.execute(
                "INSERT INTO isp_ipv6_pool (name, company_id, domain_id, prefix, purpose, "
                "delegated_length) VALUES ('x', %s, %s, '2001:db8::/32', 'static', 56)",
                [pool.company_id.id, pool.domain_id.id],
            )

    def test_utilisation_of_a_pool_that_the_router_gives_out(self):
        nas = self.env["isp.nas"].create({"name": "Core", "ip_address": "10.20.0.1"})
        other = self.env["isp.nas"].create({"name": "Far", "ip_address": "10.20.0.2"})
        pool = self.create_pool(
            "Homes", "10.0.0.0/29", purpose="dynamic", nas_id=nas.id, gateway="10.0.0.1"
        )
        subscription = self.create_subscription(username="karim")
        begin = "2027-03-10 05:00:00"
        self.add_session(subscription, nas, begin, framedipaddress="10.0.0.5")
        self.add_session(subscription, nas, begin, framedipaddress="10.0.0.9")
        self.add_session(subscription, other, begin, framedipaddress="10.0.0.6")
        self.add_session(subscription, nas, begin, stop=begin, framedipaddress="10.0.0.7")
        self.assertRecordValues(
            pool, [{"total_count": 8, "used_count": 1, "free_count": 6, "held_count": 0}]
        )

    # === STATIC ADDRESSES === #

    def test_next_free_skips_gateway_excluded_and_used_ones(self):
        pool = self.create_pool(
            "Static", "103.10.0.0/29", gateway="103.10.0.1", excluded="103.10.0.0, 103.10.0.7"
        )
        first = self.create_subscription(username="first")
        second = self.create_subscription(username="second")
        (first | second).action_next_free_ipv4()
        self.assertEqual(first.ipv4_address, "103.10.0.2")
        self.assertEqual(second.ipv4_address, "103.10.0.3")
        self.assertEqual(self.row(first)["ipv4_address"], "103.10.0.2", "RADIUS sends it")
        pool.invalidate_recordset()
        self.assertRecordValues(pool, [{"used_count": 2, "free_count": 3}])

    def test_an_exhausted_pool_says_so_and_assigns_nothing(self):
        self.create_pool("Static", "103.10.0.4-103.10.0.5")
        subscriptions = self.env["isp.subscription"].union(
            *[self.create_subscription(username=f"user{n}") for n in range(3)]
        )
        with self.assertRaisesRegex(UserError, "2 free, and 3 are needed"):
            subscriptions.action_next_free_ipv4()
        self.assertFalse(any(subscriptions.mapped("ipv4_address")))

    def test_two_subscriptions_never_have_one_address(self):
        self.create_pool("Static", "103.10.0.0/24")
        first = self.create_subscription(username="first", ipv4_address="103.10.0.9")
        with self.assertRaisesRegex(ValidationError, first.name):
            self.create_subscription(username="second", ipv4_address=" 103.10.0.9 ")
        second = self.create_subscription(username="third")
        with self.assertRaisesRegex(ValidationError, "belongs to"):
            second.ipv4_address = "103.10.0.9"

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_the_second_holder_by_itself(self):
        first = self.create_subscription(username="first", ipv4_address="103.10.0.9")
        second = self.create_subscription(username="second")
        held = first.address_assignment_ids
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            held.copy({"subscription_id": second.id})

    def test_an_address_outside_the_pools_needs_network_staff(self):
        subscription = self.create_subscription(username="karim")
        subscription.ipv4_address = "198.51.100.7"
        self.create_pool("Static", "103.10.0.0/24", gateway="103.10.0.1")
        clerk = subscription.with_user(self.create_user("clerk"))
        for address in ("203.0.113.4", "103.10.0.1"):
            with self.assertRaisesRegex(ValidationError, "no static pool"):
                clerk.ipv4_address = address
        with self.assertRaises(AccessError):
            clerk.address_forced = True
        subscription.address_forced = True
        clerk.ipv4_address = "203.0.113.4"
        self.assertEqual(subscription.address_assignment_ids[:1].address, "203.0.113.4")

    def test_network_staff_gives_addresses_and_changes_nothing_else(self):
        self.create_pool("Static", "103.10.0.4-103.10.0.9")
        network, support = self.create_user("network"), self.create_user("support")
        subscription = self.create_subscription(username="karim")
        with self.assertRaises(AccessError):
            subscription.with_user(support).action_next_free_ipv4()
        seen = subscription.with_user(network)
        seen.action_next_free_ipv4()
        self.assertEqual(subscription.ipv4_address, "103.10.0.4")
        action = seen.action_choose_address()
        wizard = self.env["isp.ip.assign"].with_user(network).with_context(**action["context"])
        wizard.create({"address": "203.0.113.4"}).action_assign()
        self.assertEqual(subscription.ipv4_address, "203.0.113.4")
        with self.assertRaises(AccessError):
            seen.plan_id = self.plan_office

    def test_a_terminated_subscription_gives_its_address_back_into_quarantine(self):
        self.company.isp_address_quarantine_days = 30
        pool = self.create_pool("Static", "103.10.0.4-103.10.0.5")
        leaver = self.create_subscription(username="leaver", ipv4_address="103.10.0.4")
        leaver._terminate("Moved away")
        self.assertFalse(leaver.ipv4_address)
        pool.invalidate_recordset()
        self.assertRecordValues(pool, [{"used_count": 0, "held_count": 1, "free_count": 1}])
        other = self.env["res.partner"].create({"name": "Nasrin"})
        taker = self.create_subscription(username="taker", partner_id=other.id)
        with self.assertRaisesRegex(ValidationError, "quarantine until 2027-04-09"):
            taker.ipv4_address = "103.10.0.4"
        taker.action_next_free_ipv4()
        self.assertEqual(taker.ipv4_address, "103.10.0.5")
        with self.at("2027-04-10 06:00:00"):
            taker.ipv4_address = "103.10.0.4"
        history = self.env["isp.ip.assignment"].search([("address", "=", "103.10.0.4")])
        self.assertEqual(history.subscription_id, leaver | taker)

    def test_who_comes_back_gets_the_own_address_back(self):
        leaver = self.create_subscription(username="leaver", ipv4_address="103.10.0.4")
        leaver._terminate("Moved away")
        again = self.create_subscription(username="again", ipv4_address="103.10.0.4")
        self.assertEqual(again.address_assignment_ids.address, "103.10.0.4")

    def test_who_had_an_address_before_is_only_for_those_who_answer_authorities(self):
        for name, address, days in (("gone", "103.10.0.4", 0), ("leaver", "103.10.0.5", 30)):
            self.company.isp_address_quarantine_days = days
            one = self.create_subscription(username=name, ipv4_address=address)
            one.ipv4_address = False
        self.create_subscription(username="here", ipv4_address="103.10.0.6")
        expected = {"support": 1, "clerk": 1, "network": 2, "manager": 2}
        for role, count in expected.items():
            seen = self.env["isp.ip.assignment"].with_user(self.create_user(role))
            self.assertEqual(seen.search_count([]), count, role)
        lawful = self.env["isp.ip.assignment"].with_user(self.create_lawful_user())
        self.assertEqual(lawful.search_count([]), 3)

    def test_network_staff_ends_a_quarantine_and_support_does_not(self):
        leaver = self.create_subscription(username="leaver", ipv4_address="103.10.0.4")
        leaver.ipv4_address = False
        held = leaver.address_assignment_ids
        self.assertEqual(held.state, "quarantine")
        with self.assertRaises(AccessError):
            held.with_user(self.create_user("support")).action_end_quarantine()
        held.with_user(self.create_user("network")).action_end_quarantine()
        other = self.env["res.partner"].create({"name": "Nasrin"})
        self.create_subscription(username="taker", ipv4_address="103.10.0.4", partner_id=other.id)
        for state, expected in (("active", "taker"), ("released", "leaver")):
            found = held.search([("state", "=", state), ("address", "=", "103.10.0.4")])
            self.assertEqual(found.subscription_id.username, expected)

    def test_prefixes_are_handed_out_without_overlap(self):
        self.env["isp.ipv6.pool"].create({"name": "Homes", "prefix": "2001:db8:100::/40"})
        wide = self.create_subscription(username="wide", delegated_prefix="2001:db8:100::/55")
        next_one = self.create_subscription(username="next")
        next_one.action_next_free_ipv6()
        self.assertEqual(next_one.delegated_prefix, "2001:db8:100:200::/56")
        with self.assertRaisesRegex(ValidationError, wide.name):
            self.create_subscription(username="inside", delegated_prefix="2001:db8:100:100::/56")

    def test_the_wizard_gives_many_an_address_and_keeps_what_they_have(self):
        pool = self.create_pool("Static", "103.10.0.0/24", excluded="103.10.0.0")
        clerk = self.create_user("clerk")
        has = self.create_subscription(username="has", ipv4_address="103.10.0.2")
        others = self.env["isp.subscription"].union(
            *[self.create_subscription(username=f"user{n}") for n in range(3)]
        )
        wizard = (
            self.env["isp.ip.assign"]
            .with_user(clerk)
            .with_context(active_model="isp.subscription", active_ids=(has | others).ids)
            .create({"pool_id": pool.id})
        )
        self.assertIn("3 subscriptions", wizard.summary)
        wizard.action_assign()
        self.assertEqual(has.ipv4_address, "103.10.0.2")
        self.assertEqual(
            set(others.mapped("ipv4_address")), {"103.10.0.1", "103.10.0.3", "103.10.0.4"}
        )

    def test_addresses_older_than_the_pools_are_adopted_and_doubles_are_shown(self):
        first = self.create_subscription(username="first", ipv4_address="103.10.0.4")
        second = self.create_subscription(username="second")
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM isp_ip_assignment")
        self.env.cr.execute(
            "UPDATE isp_subscription SET ipv4_address = '103.10.0.4' WHERE id = %s", [second.id]
        )
        self.env.invalidate_all()
        with self.assertLogs("odoo.addons.isp_network.models.isp_subscription_address", "WARNING"):
            self.env["isp.ip.assignment"]._adopt_existing()
        self.env.invalidate_all()
        self.assertEqual(first.address_assignment_ids.address, "103.10.0.4")
        self.assertTrue(second.address_conflict)
        self.assertEqual(
            self.env["isp.subscription"].search([("address_conflict", "=", True)]), second
        )
        self.assertFalse(first.address_conflict)

    # === RIGHTS === #

    def test_support_reads_pools_and_companies_stay_apart(self):
        other = self.env["res.company"].create({"name": "Other provider"})
        theirs = self.create_pool("Theirs", "103.10.0.0/24", company_id=other.id)
        ours = self.create_pool("Ours", "103.10.0.0/24")
        self.assertNotEqual(theirs.domain_id, ours.domain_id)
        support = self.create_user("support")
        self.assertEqual(self.env["isp.ip.pool"].with_user(support).search([]), ours)
        with self.assertRaises(AccessError):
            ours.with_user(support).name = "Mine"
        held = self.create_subscription(ipv4_address="103.10.0.5").address_assignment_ids
        with self.assertRaises(AccessError):
            held.with_user(self.create_user("manager")).write({"address": "103.10.0.6"})


@tagged("post_install", "-at_install")
class TestCgnat(IspAddressCase):
    """Public addresses shared by blocks of ports."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.private = cls.create_pool("Private", "100.64.0.0/24", purpose="dynamic")
        cls.public = cls.create_pool("Public", "203.0.113.0/29", purpose="cgnat")

    def create_translation(self, **vals):
        return self.env["isp.cgnat.pool"].create(
            {
                "name": "Homes",
                "private_pool_id": self.private.id,
                "public_pool_id": self.public.id,
                **vals,
            }
        )

    def test_one_row_serves_a_network(self):
        translation = self.create_translation()
        self.assertEqual(translation.sharing, 32)
        translation.action_put_in_force()
        self.assertEqual(len(translation.block_ids), 32)
        self.assertIn(
            "action=netmap src-address=100.64.0.8/29 out-interface-list=WAN "
            "to-addresses=203.0.113.0/29 protocol=tcp to-ports=3040-5055",
            translation.router_commands,
        )

    def test_too_few_public_addresses_are_refused(self):
        translation = self.create_translation(ports_per_block=4032)
        with self.assertRaisesRegex(UserError, "128 private addresses would have no ports"):
            translation.action_put_in_force()
        self.assertEqual(translation.state, "draft")

    @mute_logger("odoo.sql_db")
    def test_the_database_refuses_two_translations_of_one_port(self):
        self.create_translation().action_put_in_force()
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.create_translation(name="Again").action_put_in_force()

    def test_addresses_of_a_translation_in_force_stay_in_their_pool(self):
        translation = self.create_translation()
        translation.action_put_in_force()
        for change in (
            self.public.range_ids.unlink,
            self.public.unlink,
            lambda: self.private.range_ids.write({"name": "100.64.0.0/25"}),
        ):
            with self.assertRaisesRegex(UserError, "is in force over these addresses"):
                change()
        translation.action_end()
        self.private.range_ids.write({"name": "100.64.0.0/25"})

    def test_after_the_end_another_may_follow_and_the_first_stays_on_record(self):
        translation = self.create_translation()
        translation.action_put_in_force()
        with self.at("2027-03-10 07:00:00"):
            translation.action_end()
            again = self.create_translation(name="Again", ports_per_block=2000)
            again.action_put_in_force()
        self.assertEqual(again.state, "active")
        for change in (
            lambda: translation.write({"ports_per_block": 500}),
            translation.unlink,
        ):
            with self.assertRaisesRegex(UserError, "evidence"):
                change()
