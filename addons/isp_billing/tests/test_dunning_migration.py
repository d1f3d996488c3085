import importlib.util
from pathlib import Path

from odoo.tests import tagged

from .dunning_common import IspDunningCase

SCRIPT = Path(__file__).parents[1] / "migrations/19.0.1.1.0/post-dunning.py"


@tagged("post_install", "-at_install")
class TestDunningMigration(IspDunningCase):
    """The rule of a company before there were policies becomes its policy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].create({"name": "Jamuna Net"})
        cls.env.flush_all()
        cls.env.cr.execute(
            "ALTER TABLE res_company ADD isp_auto_suspend bool DEFAULT true,"
            " ADD isp_suspend_after_days int DEFAULT 7, ADD isp_suspend_hour int DEFAULT 15"
        )
        cls.env.cr.execute(
            "UPDATE res_company SET isp_auto_suspend = false WHERE id = %s", [cls.other.id]
        )

    def migrate(self):
        spec = importlib.util.spec_from_file_location("post_dunning", SCRIPT)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_each_company_keeps_its_rule(self):
        for _again in range(2):
            self.migrate()
            steps = self.company.isp_dunning_policy_id.step_ids
            self.assertEqual(
                [(step.action, step.days, step.hour) for step in steps], [("suspend", 8, 15)]
            )
            self.assertFalse(self.other.isp_dunning_policy_id.step_ids)
        self.assertFalse(self.company.isp_dunning_policy_id._get_calendar().weekdays)

    def test_the_job_calls_the_policies(self):
        cron = self.env.ref("isp_billing.isp_subscription_cron_suspend")
        cron.code = "model._cron_suspend_overdue()"
        self.migrate()
        self.assertEqual(cron.code, "model._cron_dun()")

    def test_a_policy_in_use_is_not_touched(self):
        self.bill("2027-03-01")
        self.dun("2027-03-05 12")
        self.migrate()
        self.assertEqual(self.policy.step_ids.days, 4)
