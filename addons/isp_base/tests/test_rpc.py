import xmlrpc.client

from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.models.res_users import RPC_PARAMETER
from odoo.addons.isp_base.tests.promises import proves

MUTED = ("odoo.addons.rpc.controllers.xmlrpc", "odoo.addons.rpc.controllers.jsonrpc", "odoo.http")


@tagged("post_install", "-at_install")
class TestRpc(HttpCase):
    """Calls that name the database themselves are refused, unless an administrator allows them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        password = "rpc_caller-password"
        cls.user = new_test_user(cls.env, "rpc_caller", "base.group_user", password=password)
        cls.call = (
            *(cls.env.cr.dbname, cls.user.id, password),
            *("res.users", "read", [[cls.user.id], ["login"]]),
        )

    def allow(self):
        self.env["ir.config_parameter"].set_param(RPC_PARAMETER, "True")

    def call_json(self):
        return self.make_jsonrpc_request(
            "/jsonrpc", {"service": "object", "method": "execute_kw", "args": self.call}
        )

    @proves("P-15")
    @mute_logger(*MUTED)
    def test_they_are_refused_with_the_right_password_too(self):
        with self.assertRaisesRegex(xmlrpc.client.Fault, "switched off"):
            self.xmlrpc_object.execute_kw(*self.call)
        with self.assertRaisesRegex(Exception, "AccessDenied"):
            self.call_json()

    @mute_logger(*MUTED)
    def test_an_administrator_may_allow_them(self):
        self.env["res.config.settings"].create({"isp_allow_rpc": True}).execute()
        expected = [{"id": self.user.id, "login": "rpc_caller"}]
        self.assertEqual(self.xmlrpc_object.execute_kw(*self.call), expected)
        self.assertEqual(self.call_json(), expected)
        self.env["res.config.settings"].create({"isp_allow_rpc": False}).execute()
        with self.assertRaises(xmlrpc.client.Fault):
            self.xmlrpc_object.execute_kw(*self.call)

    @mute_logger(*MUTED)
    def test_a_wrong_password_opens_nothing(self):
        self.allow()
        with self.assertRaises(xmlrpc.client.Fault):
            self.xmlrpc_object.execute_kw(*self.call[:2], "wrong", *self.call[3:])
