"""What the routes of all gateways share."""

from types import SimpleNamespace
from unittest.mock import patch

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from odoo.tests import BaseCase, tagged

from ..controllers import main


@tagged("post_install", "-at_install")
class TestBody(BaseCase):
    def read_body(self, body, limit=10):
        http_request = Request(EnvironBuilder(method="POST", data=body).get_environ())
        with patch.object(main, "request", SimpleNamespace(httprequest=http_request)):
            return main.GatewayController()._read_body(limit)

    def test_a_body(self):
        self.assertEqual(self.read_body(b"0123456789"), b"0123456789")
        self.assertEqual(self.read_body(b""), b"")

    def test_a_body_that_is_too_large_is_refused_before_it_is_read(self):
        with self.assertRaises(RequestEntityTooLarge):
            self.read_body(b"x" * 11)
