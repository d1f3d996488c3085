import json
import os
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.isp_base.tests.promises import proves

from .erasure_common import ErasureCase

LEDGER_LOGGER = "odoo.addons.isp_privacy.models.privacy_erasure_ledger"


@tagged("post_install", "-at_install")
class TestErasureLedger(ErasureCase):
    """What survives a restore of the database, and repeats the erasures it has lost."""

    @property
    def ledger(self):
        return self.env["privacy.erasure.ledger"]

    def lines(self):
        return [json.loads(line) for line in self.path().read_text().splitlines()]

    def path(self):
        return self.ledger._get_path()

    def restore(self, run):
        """As a backup from before the erasure: the person is back, run and row are not."""
        run.partner_id.write(
            {"name": "Karim Ranvikson", "email": "karim.ranvikson@customer.example"}
        )
        run.ledger_ids.unlink()
        self.env.cr.execute("DELETE FROM privacy_erasure WHERE id = %s", [run.id])
        self.env.invalidate_all()

    def replay(self):
        runs = self.ledger._replay()
        for _run in range(10):  # the time of one run of the job is limited
            if "running" in runs.mapped("state"):
                self.run_job("privacy_erasure_cron_work")
        return runs

    def test_each_erasure_is_written_to_the_file(self):
        run = self.erase()
        line = self.lines()[-1]
        self.assertEqual(line["pseudonym"], run.pseudonym)
        self.assertEqual(line["request"], run.request_id.name)
        self.assertEqual(line["partner"], self.karim.id)
        text = self.path().read_text()
        self.assertNotIn("Ranvikson", text)
        self.assertNotIn("1799887701", text)
        self.assertTrue(run.ledger_ids.exported_at)
        self.assertEqual(os.stat(self.path()).st_mode & 0o077, 0, "others may not read it")
        self.assertEqual(len(os.listdir(self.folder)), 1, "no unfinished file stays")

    @proves("P-37")
    def test_a_restored_person_is_erased_again(self):
        run = self.erase()
        karim = self.karim
        self.restore(run)
        self.assertEqual(karim.name, "Karim Ranvikson")
        again = self.replay()
        self.assertEqual((again.state, again.is_replay), ("done", True), again.problem)
        self.assertTrue(karim.name.startswith("Subscriber "))
        self.assertEqual(self.search_for("Ranvikson"), set())

    def test_replaying_twice_changes_nothing(self):
        self.erase()
        self.assertFalse(self.replay())
        self.assertEqual(self.ledger.search([], limit=1).note, "Nothing is left")

    def test_a_number_that_was_given_to_somebody_else_is_left_alone(self):
        run = self.erase()
        self.restore(run)
        self.karim.write({"name": "Jamila Newcomer", "email": "jamila@customer.example"})
        self.assertFalse(self.replay())
        self.assertEqual(self.karim.name, "Jamila Newcomer")

    def test_others_with_the_same_address_are_left_to_an_officer(self):
        run = self.erase()
        self.restore(run)
        self.env.cr.execute(
            "UPDATE res_partner SET name = 'Other', email = NULL WHERE id = %s", [self.karim.id]
        )
        self.env.invalidate_all()
        self.rahim.email = "karim.ranvikson@customer.example"
        self.assertFalse(self.replay())
        self.assertEqual(self.rahim.name, "Rahim Aliquist")
        self.assertIn(str(self.rahim.id), self.ledger.search([], limit=1).note)

    def test_what_the_restored_database_does_not_know_stays_in_the_file(self):
        run = self.erase()
        self.restore(run)
        self.erase(self.rahim)
        self.assertEqual(len(self.lines()), 2)

    def test_a_foreign_line_erases_nobody(self):
        self.erase()
        lines = self.lines()
        lines[0]["partner"] = self.rahim.id
        self.path().write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        with self.assertRaisesRegex(UserError, "Line 1 of"):
            self.ledger._replay()
        self.assertEqual(self.rahim.name, "Rahim Aliquist")

    @mute_logger(LEDGER_LOGGER)
    def test_a_folder_that_is_away_is_tried_again(self):
        parameter = self.env["ir.config_parameter"]
        folder = Path(self.folder) / "away"
        parameter.set_param("isp_privacy.ledger_dir", str(folder))
        run = self.erase()
        self.assertFalse(run.ledger_ids.exported_at)
        self.assertIn("No such file", run.ledger_ids.problem)
        folder.mkdir()
        self.run_job("privacy_erasure_cron_ledger")
        self.assertTrue(run.ledger_ids.exported_at)
        self.assertFalse(run.ledger_ids.problem)
        self.assertEqual(len(self.lines()), 1)

    @mute_logger(LEDGER_LOGGER)
    def test_without_a_folder_the_officer_is_told(self):
        self.env["ir.config_parameter"].set_param("isp_privacy.ledger_dir", "")
        run = self.erase()
        self.assertIn("ledger_dir", run.ledger_ids.problem)
