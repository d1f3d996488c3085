from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.crypto import Keyring

from .common import PASSWORD, SecretCase

MIXIN_LOGGER = "odoo.addons.isp_base.models.isp_encrypted_mixin"


@tagged("post_install", "-at_install")
class TestRotation(SecretCase):
    def setUp(self):
        super().setUp()
        self.records = self.record + self.Secret.create(
            [{"name": f"S{i}", "password": f"password {i}"} for i in range(9)]
        )
        self.records[3].active = False
        self.use_keys("k2", "k1", "k2")

    def key_ids(self):
        self.env.cr.execute("SELECT password_enc FROM test_isp_secret ORDER BY id")
        return [token.split(":")[1] for (token,) in self.env.cr.fetchall()]

    def test_all_secrets_get_the_active_key_and_stay_readable(self):
        clear = self.records.mapped("password")
        index = self.token(self.record, "identity_bidx")
        # Ten passwords, one identity number and one phone.
        self.assertEqual(self.Secret._rotate_keys(), 12)
        self.assertEqual(set(self.key_ids()), {"k2"})
        self.assertEqual(self.Secret._rotate_keys(), 0)
        self.use_keys("k2")
        self.assertEqual(self.records.mapped("password"), clear)
        self.assertEqual(self.token(self.record, "identity_bidx"), index)

    def test_a_limited_rotation_is_continued(self):
        self.assertEqual(self.Secret._rotate_keys(limit=4), 4)
        self.assertEqual(self.key_ids().count("k2"), 4)
        self.assertEqual(self.Secret._rotate_keys(limit=4), 4)
        self.assertEqual(self.Secret._rotate_keys(limit=100), 4)
        self.assertEqual(self.Secret._rotate_keys(limit=100), 0)

    def test_an_interrupted_rotation_is_continued(self):
        encrypt, calls = Keyring.encrypt, []

        def fail_at_the_sixth(keyring, plain, aad):
            calls.append(aad)
            if len(calls) == 6:
                raise SystemError("killed")
            return encrypt(keyring, plain, aad)

        self.assertEqual(self.Secret._rotate_keys(limit=3), 3)
        with (
            patch.object(Keyring, "encrypt", fail_at_the_sixth),
            self.assertRaises(SystemError),
            self.env.cr.savepoint(),
        ):
            self.Secret._rotate_keys(limit=100)
        self.env.invalidate_all()
        self.assertEqual(self.key_ids().count("k2"), 3)
        self.assertEqual(self.record.password, PASSWORD)
        self.assertEqual(self.Secret._rotate_keys(limit=100), 9)
        self.assertEqual(self.record.password, PASSWORD)

    def test_the_scheduled_action_rotates_in_batches(self):
        progress = []
        cron = type(self.env["ir.cron"])
        with patch.object(
            cron, "_commit_progress", lambda _self, done=0, **kw: progress.append((done, kw)) or 1
        ):
            self.env["isp.encrypted.mixin"]._cron_rotate_keys(batch_size=5)
        self.assertEqual([done for done, _kw in progress], [0, 5, 5, 2, 0])
        self.assertEqual(set(self.key_ids()), {"k2"})

    def test_the_scheduled_action_stops_when_its_time_is_up(self):
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_kw: 0):
            self.env["isp.encrypted.mixin"]._cron_rotate_keys(batch_size=5)
        self.assertEqual(self.key_ids().count("k2"), 5)

    def test_the_real_scheduled_action_runs(self):
        with self.enter_registry_test_mode():
            self.env.ref("isp_base.ir_cron_rotate_keys").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(set(self.key_ids()), {"k2"})

    @mute_logger(MIXIN_LOGGER)
    def test_damaged_secrets_do_not_stop_the_rotation(self):
        damaged = self.token(self.records[1])[:-8] + "AAAAAAA="
        self.set_token(self.records[1], damaged)
        self.assertEqual(self.Secret._rotate_keys(limit=1), 1)
        self.assertEqual(self.Secret._rotate_keys(limit=1), 1)
        self.assertEqual(self.key_ids().count("k2"), 2)
        self.assertEqual(self.Secret._rotate_keys(), 9)
        self.assertEqual(self.Secret._rotate_keys(), 0)
        self.assertEqual(self.token(self.records[1]), damaged)

    def test_the_settings_tell_what_is_left(self):
        self.Secret._rotate_keys(limit=4)
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.isp_old_secrets, 8)
        self.assertLess(settings.isp_rotation_progress, 100)
        self.assertIn("k1 (older)", settings.isp_key_usage)
        self.assertIn("k2 (active)", settings.isp_key_usage)
        self.use_keys("k2")
        settings = self.env["res.config.settings"].create({})
        self.assertIn("k1 (missing: unreadable)", settings.isp_key_usage)
        self.assertEqual(settings.isp_old_secrets, 0)

    def test_the_progress_reaches_a_hundred_only_when_nothing_waits(self):
        def settings():
            return self.env["res.config.settings"].create({})

        seen = [settings().isp_rotation_progress]
        while self.Secret._rotate_keys(limit=5):
            seen.append(settings().isp_rotation_progress)
        self.assertEqual(seen, sorted(seen))
        self.assertEqual(len(set(seen)), len(seen))
        self.assertEqual(settings().isp_old_secrets, 0)
        self.assertEqual(seen[-1], 100)
