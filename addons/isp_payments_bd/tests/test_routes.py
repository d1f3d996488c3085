"""What the routes of all gateways share."""

import io
from types import SimpleNamespace
from unittest.mock import patch

from werkzeug.exceptions import RequestEntityTooLarge

from odoo.tests import BaseCase, tagged

from ..controllers import main


@tagged("post_install", "-at_install")
class TestBody(BaseCase):
    def read_body(self, body, length="same", limit=10):
        stream = io.BytesIO(body)
        length = len(body) if length == "same" else length
        http_request = SimpleNamespace(content_length=length, stream=stream)
        with patch.object(main, "request", SimpleNamespace(httprequest=http_request)):
            return main.GatewayController()._read_body(limit), stream

    def test_a_body(self):
        self.assertEqual(self.read_body(b"0123456789")[0], b"0123456789")
        self.assertEqual(self.read_body(b"")[0], b"")

    def test_a_body_that_is_too_large_is_refused_before_it_is_read(self):
        for length in ("same", None, 3):
            with self.subTest(length), self.assertRaises(RequestEntityTooLarge):
                self.read_body(b"x" * 11, length)
