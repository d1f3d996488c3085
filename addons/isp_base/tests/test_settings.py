from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import EncryptionCase


@tagged("post_install", "-at_install")
class TestSettings(EncryptionCase):
    def test_the_active_key_is_shown(self):
        self.use_keys("k2", "k1", "k2")
        self.assertEqual(Form(self.env["res.config.settings"]).isp_key_id, "k2")

    def test_missing_keys_are_told_and_do_not_break_the_page(self):
        self.use_no_keys()
        settings = Form(self.env["res.config.settings"])
        self.assertIn("does not exist", settings.isp_key_problem)
        self.assertFalse(settings.isp_key_id)

    def test_rotation_without_keys_is_refused(self):
        self.use_no_keys()
        with self.assertRaisesRegex(UserError, "make run"):
            self.env["res.config.settings"].create({}).action_isp_rotate_keys()

    def test_the_button_wakes_the_scheduled_action(self):
        cron = self.env.ref("isp_base.ir_cron_rotate_keys")
        triggers = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        self.env["res.config.settings"].create({}).action_isp_rotate_keys()
        self.assertEqual(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]), triggers + 1
        )
