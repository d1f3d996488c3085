"""Keys for tests: never those of the machine, and changed at will."""

import base64
import hashlib
import json
import os
from unittest.mock import patch

from odoo.tests import TransactionCase

from odoo.addons.isp_base import crypto


def keys_json(active="k1", key_ids=("k1",)):
    """Return the JSON of a keyring that is the same for the same key ids."""

    def key(name):
        return hashlib.sha256(f"test key {name}".encode()).digest()

    return json.dumps(
        {
            "active": active,
            "keys": {key_id: base64.b64encode(key(key_id)).decode() for key_id in key_ids},
            "index": base64.b64encode(key("index")).decode(),
            "radius": key("radius").hex(),
        }
    )


class EncryptionCase(TransactionCase):
    """Run with test keys; call :meth:`use_keys` or :meth:`use_no_keys` to change them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        environ = patch.dict(os.environ, {crypto.ENV_KEYS: keys_json()})
        environ.start()
        cls.addClassCleanup(environ.stop)

    def setUp(self):
        super().setUp()
        self.addCleanup(os.environ.__setitem__, crypto.ENV_KEYS, os.environ[crypto.ENV_KEYS])

    def use_keys(self, active, *key_ids):
        """Change the keyring; what was decrypted with the former one is forgotten."""
        os.environ[crypto.ENV_KEYS] = keys_json(active, key_ids or (active,))
        self.env.invalidate_all()

    def use_no_keys(self):
        """Let the keyring be missing, as on a machine where no key file was made."""
        os.environ[crypto.ENV_KEYS] = ""
        file = patch.dict(os.environ, {crypto.ENV_KEY_FILE: "/nonexistent/isp.keys"})
        file.start()
        self.addCleanup(file.stop)
        self.env.invalidate_all()
