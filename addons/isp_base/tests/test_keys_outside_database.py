import json
import os

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.isp_base import crypto

from .common import EncryptionCase, keys_json


@tagged("post_install", "-at_install")
class TestKeysOutsideDatabase(EncryptionCase):
    def test_a_parameter_holding_a_key_is_refused(self):
        keys = json.loads(os.environ[crypto.ENV_KEYS])
        for value in (keys["keys"]["k1"], keys["index"], keys["radius"], json.dumps(keys)):
            with self.subTest(value=value[:8]), self.assertRaises(ValidationError):
                self.env["ir.config_parameter"].set_param("isp.key", value)

    def test_no_parameter_holds_a_key_of_this_machine(self):
        os.environ[crypto.ENV_KEYS] = ""
        try:
            keyring = crypto.load_keyring()
        except crypto.KeyringMissing:
            keyring = crypto.Keyring.from_json(keys_json(), "test")
        self.env.cr.execute("SELECT key, value FROM ir_config_parameter")
        leaking = [key for key, value in self.env.cr.fetchall() if keyring.is_leaked_in(value)]
        self.assertEqual(leaking, [])
