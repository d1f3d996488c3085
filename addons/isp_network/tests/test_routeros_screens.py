import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..routeros import errors, menus
from .routeros_common import SECRET, RouterosCase


@tagged("post_install", "-at_install")
class TestRouterosScreens(RouterosCase):
    """What people see and do: test, dry run, drift, backups, moving in."""

    def setUp(self):
        super().setUp()
        self.network = self.create_user("network")
        self.support = self.create_user("support")
        self.nas_network = self.nas.with_user(self.network)

    # === SETTINGS AND RIGHTS === #

    def test_network_staff_sets_up_a_router(self):
        with Form(self.nas_network) as form:
            form.routeros_host = "10.20.0.9"
            form.routeros_fingerprint = "AA:bb:" * 15 + "AA:BB"
            form.routeros_password = "typed-by-hand"
        self.assertEqual(self.nas.routeros_fingerprint, "aabb" * 16)
        self.assertEqual(self.nas.sudo().routeros_password, "typed-by-hand")
        self.env.flush_all()
        self.env.cr.execute("SELECT n::text FROM isp_nas n WHERE id = %s", [self.nas.id])
        self.assertNotIn("typed-by-hand", self.env.cr.fetchone()[0])

    def test_support_sees_the_state_and_touches_nothing(self):
        self.fill()
        nas = self.nas.with_user(self.support)
        self.assertEqual(nas.routeros_state, "ok")
        for name in ("routeros_password", "routeros_password_enc"):
            with self.assertRaises(AccessError):
                nas.read([name])
        for action in (
            "action_routeros_test", "action_routeros_dry_run", "action_routeros_reconcile",
            "action_routeros_force", "action_routeros_import", "action_routeros_backup",
            "action_routeros_fetch_fingerprint",
        ):  # fmt: skip
            with self.subTest(action), self.assertRaises(AccessError):
                getattr(nas, action)()
        with self.assertRaises(AccessError):
            self.env["isp.nas.backup"].with_user(self.support).search([])

    def test_companies_do_not_see_each_others_routers(self):
        other = self.env["res.company"].create({"name": "Other provider"})
        nas = self.env["isp.nas"].create(
            {
                "name": "Theirs", "ip_address": "10.20.0.7", "company_id": other.id,
                "provisioning": "routeros",
            }
        )  # fmt: skip
        self.env["isp.nas.backup"]._store(nas, "/ip\n", "7.16")
        self.env["isp.nas.difference"].create({"nas_id": nas.id, "kind": "missing"})
        for model in ("isp.nas.sync", "isp.nas.change", "isp.nas.difference", "isp.nas.backup"):
            with self.subTest(model):
                self.assertTrue(self.env[model].search([("nas_id", "=", nas.id)]))
                found = self.env[model].with_user(self.network).search([])
                self.assertNotIn(nas.id, found.nas_id.ids)

    # === TEST CONNECTION === #

    def test_a_router_that_answers_is_told_with_its_version(self):
        action = self.nas_network.action_routeros_test()
        self.assertIn("RouterOS 7.16", action["params"]["message"])

    def test_what_is_wrong_is_told_in_words(self):
        for error, words in (
            (errors.Unreachable("Connection refused"), "cannot be reached: Connection refused"),
            (errors.WrongPassword("invalid user name or password (6)"), "does not accept the user"),
            (errors.NoRights("not enough permissions (9)"), "has too few rights"),
            (errors.UntrustedCertificate("other", "ab" * 32), "another certificate"),
            (errors.Refused("no such command"), "does not carry this out: no such command"),
        ):
            with self.subTest(words):

                def fail(error=error):
                    raise error

                self.router.before_login = fail
                with self.assertRaises(UserError) as caught:
                    self.nas_network.action_routeros_test()
                self.assertIn(words, str(caught.exception))

    def test_missing_policies_are_named(self):
        self.router.add("/user", name="isp", group="isp")
        self.router.add("/user/group", name="isp", policy="api,read,!write,!sensitive,test")
        with self.assertRaises(UserError) as caught:
            self.nas_network.action_routeros_test()
        self.assertIn("lacks: write, sensitive", str(caught.exception))

    # === DRY RUN AND DRIFT === #

    def test_a_dry_run_shows_the_differences_and_writes_nothing(self):
        self.fill()
        self.secret("karim").update(password="drifted", disabled="true")
        action = self.nas_network.action_routeros_dry_run()
        self.assertEqual(action["res_model"], "isp.nas.difference")
        self.assertFalse(self.router.log)
        found = {one.property_name: one for one in self.differences()}
        self.assertEqual(set(found), {"password", "disabled"})
        self.assertEqual(found["disabled"].subscription_id, self.karim)
        self.assertEqual((found["disabled"].found, found["disabled"].wanted), ("true", "no"))
        self.assertNotIn("drifted", str(self.differences().read()))
        self.assertNotIn("karim-1", str(self.differences().read()))
        self.nas_network.action_routeros_dry_run()
        self.assertEqual(len(self.differences()), 2)

    def test_a_dry_run_without_differences_says_so(self):
        self.fill()
        action = self.nas_network.action_routeros_dry_run()
        self.assertIn("3 rows are as they should be", action["params"]["message"])

    def test_drift_is_corrected_and_reported(self):
        self.fill()
        self.secret("karim")["profile"] = "default"
        self.karim.password = "another-one"
        self.rahim.password = "another-one"
        self.secret("rahim")["profile"] = "default"
        self.env.cr.flush()
        self.waiting.filtered(lambda one: one.subscription_id == self.karim).unlink()
        self.run_job(full=True)
        self.assertTrue(self.secret("karim")["profile"].startswith("isp-"))
        [*corrected] = self.differences(state="corrected")
        self.assertEqual({one.subscription_id for one in corrected}, {self.karim})
        self.assertEqual(self.sync.drift_count, 1)

    def test_drift_can_wait_for_a_person_and_be_corrected(self):
        self.fill()
        self.nas.routeros_drift = "report"
        self.secret("karim")["profile"] = "default"
        self.router.rows(SECRET).pop(
            next(key for key, row in self.router.rows(SECRET).items() if row["name"] == "rahim")
        )
        self.run_job(full=True)
        self.assertTrue(self.secret("rahim"), "what is missing is put back in any case")
        self.assertEqual(self.secret("karim")["profile"], "default")
        [difference] = self.differences(is_open=True)
        difference.with_user(self.network).action_correct()
        self.assertEqual(difference.state, "queued")
        self.run_job(full=True)
        self.assertTrue(self.secret("karim")["profile"].startswith("isp-"))
        self.assertFalse(self.differences(is_open=True))

    def test_a_password_changed_on_the_router_is_adopted(self):
        self.fill()
        self.nas.routeros_drift = "report"
        self.secret("karim")["password"] = "new-on-router"
        self.run_job(full=True)
        self.differences(is_open=True).with_user(self.network).action_adopt()
        self.assertEqual(self.karim.password, "new-on-router")
        self.assertEqual(self.differences().state, "adopted")
        self.router.log.clear()
        self.run_job(full=True)
        self.assertFalse(self.router.log)

    def test_a_speed_changed_on_the_router_is_not_adopted(self):
        self.fill()
        self.nas.routeros_drift = "report"
        self.secret("karim")["profile"] = "default"
        self.run_job(full=True)
        with self.assertRaises(UserError) as caught:
            self.differences(is_open=True).with_user(self.network).action_adopt()
        self.assertIn("follows from the plan", str(caught.exception))

    def test_a_row_that_is_given_up_loses_its_marker(self):
        self.fill()
        self.nas.routeros_drift = "report"
        self.router.add(SECRET, name="old", comment="isp:subscription:99999999 House 5")
        self.run_job(full=True)
        [difference] = self.differences(is_open=True)
        self.assertEqual(difference.kind, "extra")
        difference.with_user(self.network).action_adopt()
        self.assertEqual(self.secret("old")["comment"], "House 5")
        self.run_job(full=True)
        self.assertFalse(self.differences(is_open=True))

    def test_a_taken_name_is_reported_and_can_be_taken_over_with_its_password(self):
        self.router.add(SECRET, name="karim", password="theirs", comment="House 5")
        self.run_job(full=True)
        [difference] = self.differences(is_open=True)
        self.assertEqual((difference.kind, difference.label), ("clash", "karim"))
        self.assertEqual(self.secret("karim")["password"], "theirs")
        difference.with_user(self.network).action_adopt()
        self.assertEqual(self.karim.password, "theirs")
        self.run_job(full=True)
        self.assertEqual(
            self.secret("karim")["comment"], f"isp:subscription:{self.karim.id} House 5"
        )
        self.assertTrue(self.secret("karim")["profile"].startswith("isp-"))
        self.assertFalse(self.differences(is_open=True))

    def test_support_reads_differences_and_settles_none(self):
        self.router.add(SECRET, name="karim", password="theirs")
        self.run_job(full=True)
        difference = self.differences(is_open=True).with_user(self.support)
        self.assertEqual(difference.label, "karim")
        for action in ("action_adopt", "action_correct"):
            with self.assertRaises(AccessError):
                getattr(difference, action)()

    # === MOVING IN === #

    def test_the_logins_of_a_router_become_an_import(self):
        self.router.add(
            SECRET, name="salma", password="=007", profile="Home 20", comment="Salma Begum",
            remote_address="10.9.0.7",
        )  # fmt: skip
        self.router.add(SECRET, name="jamal", password="x'y\"z", profile="Home 20", disabled="true")
        self.fill()
        user = self.create_user("manager")
        action = self.nas.with_user(user).action_routeros_import()
        record = self.env["isp.import"].browse(action["res_id"])
        record.action_check()
        self.assertEqual((record.new_count, record.rejected_count), (2, 0), record.warnings)
        record.action_import()
        while record.state == "running":
            record._job_import()
        salma = self.env["isp.subscription"].search([("username", "=", "salma")])
        self.assertEqual((salma.password, salma.ipv4_address), ("=007", "10.9.0.7"))
        self.assertEqual((salma.nas_id, salma.plan_id), (self.nas, self.plan_home))
        self.assertEqual(salma.partner_id.name, "Salma Begum")
        jamal = self.env["isp.subscription"].search([("username", "=", "jamal")])
        self.assertEqual((jamal.password, jamal.state), ("x'y\"z", "suspended"))
        self.run_job()
        row = self.secret("salma")
        self.assertEqual(row["comment"], f"isp:subscription:{salma.id} Salma Begum")
        self.assertEqual(row["password"], "=007")
        self.assertFalse(self.differences(is_open=True))

    def test_somebody_elses_login_of_the_same_name_is_not_taken(self):
        """Imported from this router, but the row has another password since."""
        record = self.env["isp.import"].create({"nas_id": self.nas.id})
        self.karim.import_id = record
        self.router.add(SECRET, name="karim", password="not-the-customers")
        self.run_job(full=True)
        self.assertEqual(self.secret("karim").get("comment"), None)
        self.assertEqual(self.differences(is_open=True).kind, "clash")

    # === BACKUPS === #

    def back_up(self, text):
        original = self.router._do

        def export(command, *words):
            if command == "/execute":
                return self.router.reply([], [b"!done", b"=ret=" + text.encode()])
            return original(command, *words)

        self.router._do = export
        self.nas._job_routeros_backup()
        self.router._do = original

    def test_a_version_is_kept_when_something_changed(self):
        first = "# 2027-03-10 03:00:00 by RouterOS 7.16\n/ppp secret\nadd name=karim password=s1\n"
        self.back_up(first)
        self.back_up(first.replace("03-10", "03-11"))
        self.assertEqual(self.nas.backup_ids.mapped("version"), [1])
        self.back_up(first.replace("s1", "s2"))
        second, one = self.env["isp.nas.backup"].search([("nas_id", "=", self.nas.id)])
        self.assertEqual((second.version, one.version), (2, 1))
        self.env.flush_all()
        self.env.cr.execute("SELECT b::text FROM isp_nas_backup b WHERE nas_id = %s", [self.nas.id])
        self.assertNotIn("karim", str(self.env.cr.fetchall()))
        seen = second.with_user(self.network)
        self.assertNotIn("s2", seen.masked)
        self.assertIn("name=karim password=***(", seen.masked)
        self.assertRegex(seen.changes, r"(?m)^-add name=karim password=\*\*\*\(\w{4}\)$")
        self.assertNotIn("s1", seen.changes)

    def test_a_download_is_noted(self):
        self.back_up("/ppp secret\nadd name=karim password=s1\n")
        backup = self.nas.backup_ids.with_user(self.network)
        self.assertIn("/web/content/isp.nas.backup/", backup.action_download()["url"])
        self.assertIn("password=s1", base64.b64decode(backup.file).decode())
        self.assertIn("Downloaded version 1", str(self.nas.message_ids.mapped("body")))

    def test_a_router_that_is_away_gets_no_backup(self):
        with self.away():
            self.assertIn("cannot be reached", self.nas._job_routeros_backup())
        self.assertFalse(self.nas.backup_ids)

    def test_a_profile_of_ours_that_was_changed_is_put_right(self):
        self.fill()
        [profile] = self.router.rows(menus.PPP_PROFILE).values()
        profile["rate-limit"] = "100M/100M"
        self.run_job(full=True)
        self.assertNotEqual(profile["rate-limit"], "100M/100M")
        self.assertEqual(self.differences(state="corrected").property_name, "rate-limit")
