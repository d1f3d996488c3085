import json
import xmlrpc.client

from odoo.tests import HttpCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from .promises import proves

PASSWORD = "second-factor-password"


@tagged("post_install", "-at_install")
class TestSecondFactor(HttpCase):
    """P-18: once the operator demands a second factor of the staff, a password alone opens nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.staff, cls.customer = (
            new_test_user(
                cls.env, f"factor_{name}", groups, password=PASSWORD, email=f"{name}@isp.example"
            )
            for name, groups in (
                ("staff", "isp_base.group_isp_manager"),
                ("customer", "base.group_portal"),
            )
        )

    def demand(self):
        """What “Employees only” under Settings / Permissions / Two-factor authentication does."""
        self.env["ir.config_parameter"].set_param("auth_totp.policy", "employee_required")

    def call(self, route, **params):
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        response = self.url_open(
            route, json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        return response.json()

    def sign_in(self, user):
        return self.call(
            "/web/session/authenticate", db=get_db_name(), login=user.login, password=PASSWORD
        )["result"]

    def read_own_name(self, user):
        """Read by the session of the browser."""
        return self.call(
            "/web/dataset/call_kw",
            model="res.users",
            method="read",
            args=[user.ids, ["name"]],
            kwargs={},
        )

    def read_by_rpc(self, user):
        """Read as a script does, with the password in each call, where that is allowed."""
        self.env["ir.config_parameter"].set_param("isp_base.allow_rpc", "True")
        return self.xmlrpc_object.execute_kw(
            get_db_name(), user.id, PASSWORD, "res.users", "read", [user.ids, ["name"]]
        )

    def test_without_the_demand_a_password_is_enough(self):
        self.assertEqual(self.sign_in(self.staff)["uid"], self.staff.id)
        self.assertEqual(self.read_own_name(self.staff)["result"][0]["name"], self.staff.name)
        self.assertEqual(self.read_by_rpc(self.staff)[0]["name"], self.staff.name)

    @proves("P-18")
    @mute_logger("odoo.http", "odoo.addons.auth_totp_mail.models.res_users")
    def test_the_password_alone_opens_no_session(self):
        self.demand()
        self.assertIsNone(self.sign_in(self.staff)["uid"], "half a session only")
        answer = self.read_own_name(self.staff)
        self.assertNotIn("result", answer)
        self.assertEqual(answer["error"]["data"]["name"], "odoo.http.SessionExpiredException")

    @proves("P-18")
    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.xmlrpc")
    def test_the_password_alone_opens_no_rpc(self):
        self.demand()
        common = self.xmlrpc_common
        self.assertFalse(common.authenticate(get_db_name(), self.staff.login, PASSWORD, {}))
        with self.assertRaises(xmlrpc.client.Fault):
            self.read_by_rpc(self.staff)

    @proves("P-18")
    def test_the_login_page_asks_for_the_second_factor(self):
        self.demand()
        page = self.url_open("/web/login").text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        response = self.url_open(
            "/web/login",
            data={"csrf_token": token, "login": self.staff.login, "password": PASSWORD},
        )
        self.assertTrue(response.url.split("?")[0].endswith("/web/login/totp"), response.url)

    def test_customers_sign_in_as_before(self):
        self.demand()
        self.assertEqual(self.sign_in(self.customer)["uid"], self.customer.id)
