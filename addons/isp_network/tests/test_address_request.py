import base64
import csv
import hashlib
import io

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .address_common import IspAddressCase


@tagged("post_install", "-at_install")
class TestAddressRequest(IspAddressCase):
    """Who had an address and port at a moment, asked with a reference and on record."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nas = cls.env["isp.nas"].create({"name": "Core", "ip_address": "10.20.0.1"})
        cls.karim = cls.create_subscription(username="karim")
        cls.customer.write({"street": "House 5, Road 7", "city": "Dhaka"})
        cls.nasrin = cls.create_subscription(
            username="nasrin", partner_id=cls.env["res.partner"].create({"name": "Nasrin"}).id
        )
        # 21:00 to 23:00 in Dhaka; then Nasrin gets the address.
        cls.add_session(
            cls.karim,
            cls.nas,
            "2027-03-08 15:00:00",
            "2027-03-08 17:00:00",
            framedipaddress="100.64.0.9",
            delegatedipv6prefix="2001:db8:1:100::/56",
        )
        cls.add_session(
            cls.nasrin,
            cls.nas,
            "2027-03-08 17:00:30",
            framedipaddress="100.64.0.9",
            framedipv6prefix="2001:db8:2:3::/64",
        )
        cls.staff = {role: cls.create_user(role) for role in ("support", "manager", "network")}
        cls.lawful = cls.create_lawful_user()
        cls.env = cls.env(user=cls.lawful)

    def ask(self, address, moment, **vals):
        request = self.create_request(address=address, moment_text=moment, **vals)
        request.action_answer()
        return request

    def who(self, *args, **vals):
        return self.ask(*args, **vals).answer_ids.mapped("username")

    # === WHO WAS IT === #

    def test_the_holder_at_the_moment_in_the_zone_of_the_letter(self):
        request = self.ask("100.64.0.9", "2027-03-08 21:14:05")
        self.assertEqual(
            request.moment_words, "2027-03-08 15:14:05 UTC = 2027-03-08 21:14:05 Asia/Dhaka"
        )
        self.assertRecordValues(
            request.answer_ids,
            [
                {
                    "source": "session",
                    "subscription_id": self.karim.id,
                    "subscription_number": self.karim.name,
                    "username": "karim",
                    "customer_name": "Karim Uddin",
                    "customer_phone": "+8801711000001",
                    "customer_address": "House 5, Road 7, Dhaka",
                    "ip_address": "100.64.0.9",
                    "mac_address": "AA-BB-CC-00-00-01",
                    "nas_name": "Core",
                    "nas_address": "10.20.0.1",
                }
            ],
        )
        self.assertEqual(str(request.answer_ids.date_start), "2027-03-08 15:00:00")
        self.assertEqual(str(request.answer_ids.date_stop), "2027-03-08 17:00:00")
        self.assertEqual((request.state, request.answer_count), ("answered", 1))

    def test_the_moment_decides_between_two_holders(self):
        for moment, expected in (
            ("2027-03-08 20:59:59", []),
            ("2027-03-08 21:00:00", ["karim"]),
            ("2027-03-08 23:00:00", ["karim"]),
            ("2027-03-08 23:00:15", []),
            ("2027-03-08 23:00:30", ["nasrin"]),
            ("2027-03-10 11:00:00", ["nasrin"]),
        ):
            with self.subTest(moment):
                self.assertEqual(self.who("100.64.0.9", moment), expected)

    def test_clocks_that_may_differ_name_both(self):
        found = self.who("100.64.0.9", "2027-03-08 23:00:15", tolerance_s=20)
        self.assertEqual(found, ["karim", "nasrin"])

    def test_ipv6_by_delegated_and_by_framed_prefix(self):
        for address, moment, expected in (
            ("2001:db8:1:1ff::77", "2027-03-08 21:14:05", ["karim"]),
            ("2001:db8:1:200::77", "2027-03-08 21:14:05", []),
            ("2001:db8:2:3::1", "2027-03-09 21:14:05", ["nasrin"]),
        ):
            with self.subTest(address):
                self.assertEqual(self.who(address, moment), expected)

    def test_a_session_of_last_year_that_never_ended_is_found(self):
        self.add_session(
            self.karim,
            self.nas,
            "2026-01-05 00:00:00",
            "2027-01-05 00:00:00",
            framedipaddress="100.64.7.7",
        )
        self.assertEqual(self.who("100.64.7.7", "2026-06-01 12:00:00"), ["karim"])

    def test_a_static_address_is_known_without_a_session(self):
        self.nasrin.sudo().ipv4_address = "103.10.0.8"
        request = self.ask("103.10.0.8", "2027-03-10 12:00:00")
        self.assertRecordValues(
            request.answer_ids, [{"source": "assignment", "username": "nasrin"}]
        )
        self.assertFalse(self.who("103.10.0.8", "2027-03-10 11:00:00"))

    def test_all_sessions_of_a_subscription_in_local_days(self):
        self.add_session(
            self.karim,
            self.nas,
            "2027-03-08 18:30:00",
            "2027-03-08 19:00:00",
            framedipaddress="100.64.0.10",
        )
        request = self.create_request(
            kind="subscription",
            subscription_id=self.karim.id,
            date_from="2027-03-08",
            date_to="2027-03-08",
        )
        request.action_answer()
        # 18:30 UTC is the next day in Dhaka.
        self.assertEqual(request.answer_ids.mapped("ip_address"), ["100.64.0.9"])

    # === SHARED ADDRESSES === #

    def put_translation_in_force(self, moment="2027-03-01 00:00:00"):
        env = self.env(su=True)
        private = self.create_pool("Private", "100.64.0.0/27", purpose="dynamic")
        public = self.create_pool("Public", "203.0.113.9", purpose="cgnat")
        translation = env["isp.cgnat.pool"].create(
            {
                "name": "Homes",
                "private_pool_id": private.id,
                "public_pool_id": public.id,
                "valid_from": moment,
            }
        )
        translation.action_put_in_force()
        return translation

    @classmethod
    def create_pool(cls, *args, **vals):
        env, cls.env = cls.env, cls.env(su=True)
        try:
            return super().create_pool(*args, **vals)
        finally:
            cls.env = env

    def test_a_shared_address_and_port_lead_to_one_customer(self):
        self.put_translation_in_force()
        # 100.64.0.9 is the tenth: ports 1024 + 9 × 2016 = 19168 to 21183.
        for port, expected in ((19167, []), (19168, ["karim"]), (21183, ["karim"]), (21184, [])):
            with self.subTest(port):
                found = self.who("203.0.113.9", "2027-03-08 21:14:05", port=port)
                self.assertEqual(found, expected)
        request = self.ask("203.0.113.9", "2027-03-08 21:14:05", port=20000)
        self.assertRecordValues(
            request.answer_ids,
            [
                {
                    "public_address": "203.0.113.9",
                    "port_first": 19168,
                    "port_last": 21183,
                    "ip_address": "100.64.0.9",
                }
            ],
        )
        self.assertIn("203.0.113.9 ports 19168–21183 = 100.64.0.9", request.answer_ids.mapping)

    def test_without_a_port_a_shared_address_names_nobody(self):
        self.put_translation_in_force()
        request = self.create_request(address="203.0.113.9", moment_text="2027-03-08 21:14:05")
        with self.assertRaisesRegex(UserError, "Ask the authority for the source port"):
            request.action_answer()
        self.assertEqual(request.state, "draft")

    def test_the_translation_in_force_at_the_moment_counts(self):
        translation = self.put_translation_in_force("2027-03-08 16:00:00")
        self.assertEqual(self.who("203.0.113.9", "2027-03-08 21:14:05", port=20000), [])
        self.assertEqual(self.who("203.0.113.9", "2027-03-08 22:30:00", port=20000), ["karim"])
        translation.action_end()
        self.assertEqual(self.who("203.0.113.9", "2027-03-08 22:30:00", port=20000), ["karim"])

    def test_the_same_private_address_at_another_router_is_somebody_else(self):
        env = self.env(su=True)
        other = env["isp.nas"].create({"name": "Far", "ip_address": "10.20.0.2"})
        translation = self.put_translation_in_force()
        translation.action_end()
        again = env["isp.cgnat.pool"].create(
            {
                "name": "Far homes",
                "private_pool_id": translation.private_pool_id.id,
                "public_pool_id": translation.public_pool_id.id,
                "nas_id": other.id,
            }
        )
        with self.at("2027-03-10 07:00:00"):
            again.action_put_in_force()
        with self.at("2027-03-10 09:00:00"):
            found = self.who("203.0.113.9", "2027-03-10 14:00:00", port=20000)
        self.assertEqual(found, [], "Nasrin has the private address at the core router only")

    # === WHAT IS REFUSED === #

    def test_no_question_without_its_reference(self):
        for name in ("authority", "reference", "date_received", "requested_by", "reason"):
            with (
                self.subTest(name),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.create_request(
                    address="100.64.0.9", moment_text="2027-03-08 21:14:05", **{name: False}
                )

    def test_what_cannot_name_one_person_is_refused_in_words(self):
        for vals, words in (
            ({"address": "100.64.0.9:80", "moment_text": "2027-03-08 21:14:05"}, "IP address"),
            ({"address": "100.64.0.9", "moment_text": "8 March"}, "date and time"),
            ({"address": "100.64.0.9", "moment_text": "2027-03-08"}, "date and time"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValidationError, words):
                self.create_request(**vals)
        for vals, words in (
            ({"address": "100.64.0.9"}, "Enter the moment"),
            ({"address": "100.64.0.9", "moment_text": "2027-04-08 21:14:05"}, "future"),
            ({"kind": "subscription", "date_from": "2027-03-01"}, "Choose the subscription"),
        ):
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                self.create_request(**vals).action_answer()

    # === THE RECORD === #

    @proves("P-27")
    def test_each_look_up_is_recorded_even_when_nobody_was_found(self):
        request = self.ask("198.51.100.1", "2027-03-08 21:14:05", port=4711)
        self.assertEqual(request.result, "Nobody was found.")
        self.assertRecordValues(
            request.log_ids,
            [
                {
                    "user_id": self.lawful.id,
                    "action": "search",
                    "row_count": 0,
                    "reference": "Cyber Crime Unit, CCU/2027/117",
                    "question": "198.51.100.1, port 4711, at 2027-03-08 15:14:05 UTC = "
                    "2027-03-08 21:14:05 Asia/Dhaka, ± 0 s",
                }
            ],
        )

    def test_what_was_answered_is_changed_by_nobody(self):
        request = self.ask("100.64.0.9", "2027-03-08 21:14:05")
        for change in (
            lambda: request.write({"reason": "Another"}),
            lambda: request.sudo().write({"address": "100.64.0.10"}),
            lambda: request.sudo().write({"state": "draft"}),
            request.sudo().unlink,
            lambda: request.answer_ids.sudo().write({"customer_name": "Somebody"}),
            request.answer_ids.sudo().unlink,
            lambda: request.log_ids.sudo().write({"row_count": 0}),
            request.log_ids.sudo().unlink,
            request.action_answer,
        ):
            with self.assertRaises(UserError):
                change()
        request.action_close()
        self.assertEqual(request.state, "closed")

    @mute_logger("odoo.sql_db")
    def test_the_database_itself_keeps_what_was_answered(self):
        request = self.ask("100.64.0.9", "2027-03-08 21:14:05")
        self.env.flush_all()
        for statement in (
            "UPDATE isp_address_request SET reason = 'x' WHERE id = %s",
            "UPDATE isp_address_request SET state = 'draft' WHERE id = %s",
            "DELETE FROM isp_address_request WHERE id = %s",
            "UPDATE isp_address_answer SET customer_name = 'x' WHERE request_id = %s",
            "DELETE FROM isp_address_answer WHERE request_id = %s",
            "UPDATE isp_address_log SET row_count = 9 WHERE request_id = %s",
            "DELETE FROM isp_address_log WHERE request_id = %s",
            "TRUNCATE isp_address_log -- %s",
        ):
            with (
                self.subTest(statement),
                self.assertRaisesRegex(IntegrityError, "evidence"),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(statement, [request.id])

    def test_the_chatter_names_nobody(self):
        request = self.ask("100.64.0.9", "2027-03-08 21:14:05")
        self.env.flush_all()
        bodies = " ".join(str(m.body) + str(m.tracking_value_ids) for m in request.message_ids)
        for private in ("Karim", "100.64", "karim", "1711000001"):
            self.assertNotIn(private, bodies)

    # === HANDING OVER === #

    def test_the_table_is_safe_to_open_and_its_hash_is_on_record(self):
        self.customer.sudo().name = "=HYPERLINK(1)"
        request = self.ask("100.64.0.9", "2027-03-08 21:14:05")
        action = request.action_export_csv()
        log = request.log_ids.filtered(lambda one: one.action == "csv")
        content = base64.b64decode(log.content)
        self.assertEqual(log.sha256, hashlib.sha256(content).hexdigest())
        self.assertIn(f"/web/content/isp.address.log/{log.id}/content/", action["url"])
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        text = dict(row for row in rows if len(row) == 2)
        self.assertEqual(text["Number of the authority"], "CCU/2027/117")
        head, answer = rows[-2:]
        values = dict(zip(head, answer, strict=True))
        self.assertEqual(values["Customer"], "'=HYPERLINK(1)")
        self.assertEqual(values["Username"], "karim")
        self.assertIn("15:00:00 UTC", values["Since"])

    def test_nothing_is_handed_over_before_it_was_looked_up_or_past_the_record(self):
        request = self.create_request(address="100.64.0.9", moment_text="2027-03-08 21:14:05")
        with self.assertRaisesRegex(UserError, "Answer the request first"):
            request.action_export_csv()
        request.action_answer()
        with self.assertRaisesRegex(UserError, "Use the button"):
            self.env["ir.actions.report"]._render_qweb_html(
                "isp_network.report_address_request_action", request.ids
            )

    def test_the_document_names_the_reference_on_each_page(self):
        for number in range(20):
            self.add_session(
                self.karim,
                self.nas,
                f"2027-02-{number + 1:02} 10:00:00",
                f"2027-02-{number + 1:02} 11:00:00",
                framedipaddress="100.64.0.9",
            )
        request = self.create_request(
            kind="subscription",
            subscription_id=self.karim.id,
            date_from="2027-02-01",
            date_to="2027-02-28",
        )
        request.action_answer()
        request.action_export_pdf()
        log = request.log_ids.filtered(lambda one: one.action == "pdf")
        html = base64.b64decode(log.content).decode()
        self.assertEqual(html.count("CCU/2027/117\n") + html.count(">CCU/2027/117<"), 4)
        self.assertEqual(html.count("page-break-after"), 2)
        self.assertEqual(log.sha256, hashlib.sha256(base64.b64decode(log.content)).hexdigest())

    # === RIGHTS === #

    @proves("P-27")
    def test_nobody_else_sees_requests_answers_or_the_record(self):
        request = self.ask("100.64.0.9", "2027-03-08 21:14:05")
        for user in (self.env.ref("base.user_admin"), *self.staff.values()):
            for records in (request, request.answer_ids, request.log_ids):
                with self.subTest(f"{user.login} {records._name}"), self.assertRaises(AccessError):
                    records.with_user(user).read(["id"])
            with self.assertRaises(AccessError):
                request.with_user(user).action_answer()

    def test_the_right_is_given_by_name_only(self):
        group = self.env.ref("isp_network.group_isp_lawful").sudo()
        self.assertEqual(group.user_ids.filtered(lambda u: u != self.lawful).ids, [])
        manager = self.env.ref("isp_base.group_isp_manager").sudo()
        self.assertNotIn(group, manager.all_implied_ids)

    def test_another_company_is_not_searched(self):
        env = self.env(su=True)
        other = env["res.company"].create({"name": "Other provider"})
        theirs = env["isp.nas"].create(
            {"name": "Theirs", "ip_address": "10.30.0.1", "company_id": other.id}
        )
        self.add_session(None, theirs, "2027-03-08 15:00:00", framedipaddress="100.64.5.5")
        self.add_session(None, None, "2027-03-08 15:00:00", framedipaddress="100.64.5.5")
        request = self.ask("100.64.5.5", "2027-03-08 21:14:05")
        self.assertFalse(request.answer_ids)
        self.assertIn("1 more sessions belong to no subscription", request.result)

    # === WHO SEES ADDRESSES IN LISTS === #

    def as_user(self, role):
        user = self.lawful if role == "lawful" else self.staff[role]
        user.sudo().group_ids += self.env.ref("base.group_allow_export")
        return self.env["isp.radius.session"].with_user(user)

    def test_staff_see_addresses_of_open_sessions_and_not_of_past_ones(self):
        names = ["username", "ip_address", "ipv6_prefix"]
        for role in self.staff:
            sessions = self.as_user(role)
            with self.subTest(role):
                found = sessions.search([], order="username")
                expected = [
                    ["karim", "", ""],
                    ["nasrin", "100.64.0.9", "2001:db8:2:3::/64"],
                ]
                # Whoever reads first must not leave what was read to the next.
                for env in (self.env(su=True), self.env(user=self.lawful)):
                    self.assertTrue(all(found.with_env(env).mapped("ip_address")))
                self.assertEqual(found.export_data(names)["datas"], expected)
                self.assertEqual([[s[n] or "" for n in names] for s in found], expected)
                rows = found.read(names)
                self.assertEqual([[row[n] or "" for n in names] for row in rows], expected)
        rows = self.as_user("lawful").search([], order="username").export_data(names)["datas"]
        self.assertEqual(rows[0], ["karim", "100.64.0.9", "2001:db8:1:100::/56"])

    def test_no_way_of_asking_tells_who_had_an_address(self):
        past = [("state", "=", "closed")]
        for role in self.staff:
            sessions = self.as_user(role)
            with self.subTest(role):
                for domain in (
                    [("ip_address", "=", "100.64.0.9")],
                    [("ip_address", "like", "100.64")],
                    [("ipv6_prefix", "=like", "2001:db8:%")],
                    [("ip_address", "!=", False)],
                    ["!", ("ip_address", "=", False)],
                ):
                    self.assertEqual(sessions.search(domain).username, "nasrin", domain)
                grouped = sessions._read_group(past, ["ip_address", "ipv6_prefix"], ["__count"])
                self.assertEqual(grouped, [(False, False, 1)])
                self.assertEqual(
                    sessions._read_group(past, [], ["ip_address:array_agg"]), [([None],)]
                )
                mine = [("subscription_id", "=", self.karim.id)]
                self.assertEqual(len(sessions.search(mine)), 1, "the history stays readable")
        found = self.as_user("lawful").search([("ip_address", "=", "100.64.0.9")])
        self.assertEqual(len(found), 2)

    def test_orders_of_past_sessions_do_not_tell_addresses(self):
        orders = self.nasrin.sudo()._network_disconnect("Asked for")
        self.assertEqual(orders.ip_address, "100.64.0.9")
        for user in self.staff.values():
            theirs = orders.with_user(user)
            with self.subTest(user.login):
                self.assertNotIn("ip_address", theirs.fields_get())
                with self.assertRaises(AccessError):
                    theirs.read(["ip_address"])
                with self.assertRaises(AccessError):
                    theirs.search([("ip_address", "=", "100.64.0.9")])
