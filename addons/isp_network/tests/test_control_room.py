from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..radius import login_test
from .address_common import IspAddressCase


@tagged("post_install", "-at_install")
class TestControlRoom(IspAddressCase):
    """One search box finds a customer by whatever the customer says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nas = cls.env["isp.nas"].create({"name": "Core", "ip_address": "10.20.0.1"})
        cls.karim = cls.create_subscription(username="karim")
        cls.nasrin = cls.create_subscription(
            username="c00042",
            mac_addresses="11:22:33:44:55:66",
            ipv4_address="103.10.0.8",
            partner_id=cls.env["res.partner"]
            .create({"name": "Nasrin Akter", "phone": "01819-445566"})
            .id,
        )
        cls.add_session(
            cls.karim,
            cls.nas,
            "2027-03-10 05:00:00",
            framedipaddress="100.64.0.9",
            delegatedipv6prefix="2001:db8:1:100::/56",
        )
        cls.add_session(
            cls.nasrin,
            cls.nas,
            "2027-03-09 05:00:00",
            "2027-03-09 08:00:00",
            framedipaddress="100.64.0.9",
            callingstationid="66-55-44-33-22-11",
        )
        cls.support = cls.create_user("support")
        cls.room = cls.env["isp.control.room"].with_user(cls.support)

    def names(self, query):
        return [hit["username"] for hit in self.room.find(query)["hits"]]

    def test_a_customer_is_found_by_whatever_is_said(self):
        self.env.cr.execute(
            "UPDATE radius.radacct SET acctstoptime = now() - interval '1 day' "
            "WHERE callingstationid = '66-55-44-33-22-11'"
        )
        invoice = self.bill("2027-03-10") and self.karim.charge_ids.move_id[:1]
        for query, expected in (
            ("Karim", ["karim"]),
            ("uddin karim", ["karim"]),
            ("nasr", ["c00042"]),
            ("karim", ["karim"]),
            ("C000", ["c00042"]),
            (self.nasrin.name, ["c00042"]),
            (self.nasrin.name.lower(), ["c00042"]),
            ("+880 1711-000001", ["karim"]),
            ("01711000001", ["karim"]),
            ("8801711000001", ["karim"]),
            ("1711 000 001", ["karim"]),
            ("01819445566", ["c00042"]),
            ("445566", ["c00042"]),
            ("100.64.0.9", ["karim"]),
            ("2001:db8:1:1ab::5", ["karim"]),
            ("103.10.0.8", ["c00042"]),
            ("aabb.cc00.0001", ["karim"]),
            ("112233445566", ["c00042"]),
            ("66:55:44:33:22:11", ["c00042"]),
            (invoice.name, ["karim"]),
            ("100.64.0.77", []),
            ("zzz nobody", []),
            ("k", []),
            ("%%", []),
            ("'; DROP TABLE x --", []),
        ):
            with self.subTest(query):
                self.assertEqual(self.names(query), expected)

    def test_an_exact_username_comes_first(self):
        self.create_subscription(username="karim2")
        self.assertEqual(self.names("karim")[0], "karim")

    def test_a_hit_tells_what_support_needs(self):
        self.karim._suspend("overdue", "Unpaid")
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO radius.radpostauth (username, reply, reason, subscription_id, "
            "nasipaddress) VALUES ('karim', 'Access-Reject', 'wrong-password', %s, '10.20.0.1')",
            [self.karim.id],
        )
        [hit] = self.room.find("karim uddin")["hits"]
        expected = {
            "customer": "Karim Uddin",
            "phone": "+8801711000001",
            "plan": "Home 20",
            "state": "suspended",
            "state_words": "Suspended – Payment overdue",
            "online": True,
            "session_count": 1,
            "since": "2027-03-10 05:00:00",
            "ip": "100.64.0.9",
            "prefix": "2001:db8:1:100::/56",
            "mac": "AA-BB-CC-00-00-01",
            "router": "Core",
            "refused": "Wrong password",
        }
        self.assertEqual({name: hit[name] for name in expected}, expected)
        [offline] = self.room.find("nasrin")["hits"]
        self.assertFalse(offline["online"])
        self.assertEqual(offline["last_seen"], "2027-03-09 08:00:00")
        # The static one, not that of the last session.
        self.assertEqual((offline["ip"], offline["mac"]), ("103.10.0.8", "66-55-44-33-22-11"))

    def test_twenty_hits_and_a_hint_that_there_are_more(self):
        for number in range(22):
            self.create_subscription(username=f"many{number:02}")
        answer = self.room.find("many")
        self.assertEqual((len(answer["hits"]), answer["more"]), (20, True))

    def test_companies_stay_apart(self):
        other = self.env["res.company"].create({"name": "Other provider"})
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="base.group_user,isp_base.group_isp_support",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        room = self.env["isp.control.room"].with_user(stranger).with_company(other)
        for query in ("karim", "100.64.0.9", "aabb.cc00.0001", "01711000001"):
            self.assertFalse(room.find(query)["hits"], query)
        self.assertEqual(room.online()["sessions"], [])

    def test_the_network_sees_no_debts(self):
        room = self.env["isp.control.room"]
        for role, sees in (("first_line", False), ("network", False), ("clerk", True)):
            [hit] = room.with_user(self.create_user(role)).find("karim uddin")["hits"]
            with self.subTest(role=role):
                self.assertEqual((hit["customer"], bool(hit["due"])), ("Karim Uddin", sees))

    def test_the_room_is_for_staff(self):
        portal = new_test_user(self.env, "portal_room", groups="base.group_portal")
        plain = new_test_user(self.env, "plain_room", groups="base.group_user")
        for user in (portal, plain):
            room = self.env["isp.control.room"].with_user(user)
            with self.assertRaises(AccessError):
                room.find("karim")
            with self.assertRaises(AccessError):
                room.online()

    def test_who_is_online_by_router(self):
        empty = self.env["isp.nas"].create({"name": "Empty", "ip_address": "10.20.0.9"})
        live = self.room.online()
        routers = {router["name"]: router for router in live["routers"]}
        self.assertEqual((routers["Core"]["online"], routers["Empty"]["online"]), (1, 0))
        self.assertTrue(routers["Empty"]["silent"])
        self.assertEqual(
            [(s["username"], s["customer"], s["ip"]) for s in live["sessions"]],
            [("karim", "Karim Uddin", "100.64.0.9")],
        )
        self.assertEqual(self.room.online(empty.id)["sessions"], [])

    # === BUTTONS === #

    def run_test_login(self, answer):
        self.env["isp.nas"]._ensure_local_nas()
        with patch.object(login_test, "ask", return_value=answer) as asked:
            action = self.room.test_login(self.karim.id)
        test = self.env["isp.test.login"].with_user(self.support).browse(action["res_id"])
        return test, asked

    def test_a_login_is_tried_with_the_customers_password_and_device(self):
        answer = login_test.Answer(
            "accepted", {"Mikrotik-Rate-Limit": "10M/20M", "Framed-Pool": "pool-home"}
        )
        test, asked = self.run_test_login(answer)
        host, port, secret, username, password = asked.call_args.args
        self.assertEqual((host, port, username), ("127.0.0.1", 1812, "karim"))
        self.assertEqual(password, self.karim.password)
        self.assertEqual(secret, self.env["isp.nas"]._ensure_local_nas().secret)
        self.assertEqual(asked.call_args.kwargs["device"], "AA-BB-CC-00-00-01")
        self.assertEqual(test.result, "accepted")
        self.assertEqual(
            test.line_ids.mapped(lambda line: (line.label, line.value)),
            [
                ("Speed: upload/download, then burst", "10M/20M"),
                ("IPv4 pool on the router", "pool-home"),
            ],
        )

    def test_no_answer_says_what_to_look_at(self):
        test, _asked = self.run_test_login(login_test.Answer("silent"))
        self.assertEqual(test.result, "silent")
        self.assertIn("does not know this machine", test.explanation)

    def test_a_server_elsewhere_needs_a_router_record_for_this_machine(self):
        with patch.object(login_test, "source_address", return_value="192.0.2.55"):
            with self.assertRaisesRegex(UserError, "192.0.2.55"):
                self.karim.with_user(self.support).action_test_login()

    def test_disconnecting_waits_for_the_means(self):
        subscription = self.karim.with_user(self.support)
        if not subscription._can_disconnect():
            with self.assertRaisesRegex(UserError, "cannot be ended"):
                self.room.disconnect(subscription.id)
        with patch.object(
            type(subscription), "_network_disconnect", create=True, return_value=None
        ) as done:
            self.room.disconnect(subscription.id)
        done.assert_called_once()
