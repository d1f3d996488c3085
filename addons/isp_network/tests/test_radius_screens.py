from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.isp_base.tests.promises import proves

from .common import IspNetworkCase


@tagged("post_install", "-at_install")
class TestRadiusScreens(IspNetworkCase):
    """Sessions and login attempts as Odoo shows them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription(username="karim")
        cls.nas = cls.env["isp.nas"].create({"name": "Core", "ip_address": "10.20.0.1"})
        cls.env.flush_all()
        where = (cls.subscription.id, cls.nas.id)
        cls._session("open", None, *where)
        cls._session("closed", "1 hour", *where)
        cls._attempt("karim", "Access-Accept", None, *where)
        cls._attempt("karim", "Access-Reject", "wrong-password", *where)
        cls._attempt("karim", "Access-Reject", "Something odd", *where)

    @classmethod
    def _session(cls, unique_id, stopped_ago, subscription_id=None, nas_id=None):
        cls.env.cr.execute(
            """
            INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress,
                nas_id, subscription_id, acctstarttime, acctupdatetime, acctstoptime,
                acctsessiontime, acctinputoctets, acctoutputoctets, framedipaddress,
                callingstationid)
            VALUES ('81000001', %s, 'karim', '10.20.0.1', %s, %s, now() - interval '2 hours',
                now(), now() - %s::interval, 5400, 3000000000, 12500000000, '10.0.0.5',
                'AA-BB-CC-DD-EE-FF')
            """,
            [unique_id, nas_id, subscription_id, stopped_ago],
        )

    @classmethod
    def _attempt(cls, username, reply, reason, subscription_id=None, nas_id=None):
        cls.env.cr.execute(
            "INSERT INTO radius.radpostauth (username, reply, reason, subscription_id, nas_id,"
            " nasipaddress) VALUES (%s, %s, %s, %s, %s, '10.20.0.1')",
            [username, reply, reason, subscription_id, nas_id],
        )

    def test_sessions_name_subscriber_router_and_volume(self):
        found = self.env["isp.radius.session"].search([("nas_id", "=", self.nas.id)])
        online = found.filtered(lambda s: s.state == "online")
        self.assertEqual(len(found), 2)
        self.assertRecordValues(
            online,
            [
                {
                    "username": "karim",
                    "subscription_id": self.subscription.id,
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "nas_address": "10.20.0.1",
                    "ip_address": "10.0.0.5",
                    "mac_address": "AA-BB-CC-DD-EE-FF",
                    "duration_hours": 1.5,
                    "download_mb": 12500.0,
                    "upload_mb": 3000.0,
                    "date_stop": False,
                }
            ],
        )

    def test_attempts_give_the_reason_in_words(self):
        found = self.env["isp.radius.attempt"].search(
            [("subscription_id", "=", self.subscription.id)], order="id"
        )
        labels = dict(found._fields["reason"]._description_selection(self.env))
        self.assertEqual(
            [(a.result, labels.get(a.reason), a.message) for a in found],
            [
                ("accepted", None, False),
                ("rejected", "Wrong password", False),
                ("rejected", "Other, see the message", "Something odd"),
            ],
        )

    def test_smart_buttons_count_and_open(self):
        user = self.create_user("support")
        subscription = self.subscription.with_user(user)
        self.assertEqual(subscription.online_session_count, 1)
        self.assertEqual(self.nas.with_user(user).session_count, 1)
        with self.at("2020-01-01 00:00:00"):
            self.assertEqual(subscription.rejected_login_count, 2)
        for action, expected in (
            (subscription.action_view_sessions(), 2),
            (subscription.action_view_attempts(), 3),
        ):
            records = self.env[action["res_model"]].with_user(user).search(action["domain"])
            self.assertEqual(len(records), expected)

    def test_filters_of_the_screens_work(self):
        for model in ("isp.nas", "isp.radius.session", "isp.radius.attempt"):
            views = self.env[model].get_views([(False, "list"), (False, "search")])
            self.assertEqual(set(views["views"]), {"list", "search"})
        with self.at("2020-01-01 00:00:00"):
            self.assertTrue(self.env["isp.radius.attempt"].search([("date", ">=", "now -24H")]))
        by_reason = self.env["isp.radius.attempt"]._read_group(
            [("nas_id", "=", self.nas.id)], ["reason"], ["__count"]
        )
        self.assertEqual(dict(by_reason), {False: 1, "wrong-password": 1, "other": 1})

    def test_nobody_changes_history_from_the_screen(self):
        session = self.env["isp.radius.session"].search([("nas_id", "=", self.nas.id)], limit=1)
        with self.assertRaises(AccessError):
            session.with_user(self.create_user("manager")).unlink()

    @proves("P-15")
    def test_companies_do_not_see_each_others_sessions(self):
        other = self.env["res.company"].create({"name": "Other provider"})
        nas = self.env["isp.nas"].create(
            {"name": "Theirs", "ip_address": "10.30.0.1", "company_id": other.id}
        )
        self.env.flush_all()
        self._session("theirs", None, nas_id=nas.id)
        self._attempt("theirs", "Access-Reject", "unknown-login", nas_id=nas.id)
        user = self.create_user("network")
        for model in ("isp.radius.session", "isp.radius.attempt"):
            with self.subTest(model):
                everything = self.env[model].search([("nas_id", "=", nas.id)])
                self.assertEqual(len(everything), 1)
                self.assertFalse(self.env[model].with_user(user).search([("nas_id", "=", nas.id)]))

    def test_a_deleted_subscription_leaves_its_sessions_readable(self):
        draft = self.create_subscription(active=False, username="gone")
        self.env.flush_all()
        self._session("gone", None, subscription_id=draft.id)
        draft.unlink()
        self.env.flush_all()
        session = self.env["isp.radius.session"].search([], limit=1)
        self.assertFalse(session.subscription_id)
        self.assertEqual(session.username, "karim")
