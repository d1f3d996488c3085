from datetime import timedelta

from odoo import SUPERUSER_ID, fields
from odoo.tests import tagged

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from ..routeros import errors, menus
from .routeros_common import SECRET, RouterosCase


@tagged("post_install", "-at_install")
class TestRouterosJobs(RouterosCase):
    """A change of an entitlement reaches the router, whatever happens on the way."""

    # === WHAT CAUSES A LOOK === #

    def test_a_suspension_queues_a_look_in_the_same_transaction(self):
        self.env.invalidate_all()
        self.karim._suspend("overdue", "March is not paid")
        jobs = self.commit()
        self.assertEqual([job.method_name for job in jobs], ["_job_routeros_reconcile"])
        self.assertEqual(jobs[0].channel, f"root.isp_routeros.nas_{self.nas.id}")
        self.assertEqual(jobs[0].recordset.env.uid, SUPERUSER_ID)
        self.assertEqual(self.waiting.subscription_id, self.karim)
        self.assertFalse(self.waiting.whole)
        self.assertTrue(self.waiting.ends_session)
        self.assertTrue(self.karim.router_waiting)
        self.assertEqual(self.shown.routeros_state, "pending")

    def test_several_changes_of_a_transaction_queue_one_look(self):
        (self.karim | self.rahim)._suspend("overdue", "March is not paid")
        self.karim.password = "another-one"
        self.assertEqual(len(self.commit()), 1)
        self.assertEqual(self.waiting.subscription_id, self.karim | self.rahim)

    def test_each_transaction_queues_its_own_look(self):
        """A job seen as pending in an old snapshot may have read the entitlements already."""
        self.karim._suspend("overdue", "March is not paid")
        self.assertEqual(len(self.commit()), 1)
        self.rahim._suspend("overdue", "March is not paid")
        self.assertEqual(len(self.commit()), 1)

    def test_a_new_password_queues_a_look(self):
        self.karim.password = "another-one"
        self.assertEqual(len(self.commit()), 1)
        self.assertFalse(self.waiting.ends_session)

    def test_a_plan_with_another_speed_queues_a_look(self):
        self.plan_home.download_kbps = 40960
        self.commit()
        self.assertEqual(self.waiting.subscription_id, self.karim | self.rahim)
        self.assertTrue(all(self.waiting.mapped("ends_session")))

    def test_what_no_router_needs_queues_nothing(self):
        self.karim.note = "Likes tea"
        self.assertFalse(self.commit())
        # Derives the whole entitlement again, with the same result.
        self.env.invalidate_all()
        self.karim.settled_at = fields.Datetime.now()
        self.assertFalse(self.commit())
        self.assertFalse(self.waiting)
        elsewhere = self.create_subscription(username="salma")
        elsewhere._suspend("overdue", "March is not paid")
        self.assertFalse(self.commit())

    def test_routers_that_only_ask_radius_are_left_alone(self):
        self.nas.provisioning = "radius"
        self.karim._suspend("overdue", "March is not paid")
        self.assertFalse(self.commit())
        self.assertEqual(self.run_job(full=True), "nothing to do")
        self.assertFalse(self.opened)

    def test_a_service_that_moves_leaves_the_old_router(self):
        self.fill()
        other = self.env["isp.nas"].create(
            {"name": "Uttara", "ip_address": "10.20.0.8", "provisioning": "routeros"}
        )
        self.commit()
        with trap_jobs() as trap:
            self.karim.nas_id = other
        self.assertEqual({job.recordset for job in trap.enqueued_jobs}, {self.nas, other})
        self.run_job()
        self.assertEqual([row["name"] for row in self.router.rows(SECRET).values()], ["rahim"])
        self.assertFalse(self.waiting)

    # === THE LOOK === #

    def test_an_empty_router_is_filled(self):
        self.nas.action_routeros_reconcile()
        self.run_job()
        row = self.secret("karim")
        self.assertEqual(row["password"], "karim-1")
        self.assertEqual(row["comment"], f"isp:subscription:{self.karim.id}")
        self.assertEqual(row["disabled"], "false")
        profile = self.router.find(menus.PPP_PROFILE, row["profile"])
        self.assertEqual(profile["rate-limit"], "10240k/20480k")
        self.assertEqual(profile["local-address"], "10.64.0.1")
        self.assertEqual(self.shown.routeros_state, "ok")
        self.assertEqual(self.nas.routeros_version, "7.16")
        self.assertFalse(self.differences())

    def test_a_suspended_customer_reaches_the_payment_page_only(self):
        self.fill()
        self.router.add("/ppp/active", name="karim", uptime="2h")
        self.router.add("/ppp/active", name="rahim", uptime="2h")
        self.karim._suspend("overdue", "March is not paid")
        self.run_job()
        profile = self.router.find(menus.PPP_PROFILE, self.secret("karim")["profile"])
        self.assertEqual(profile["address-list"], "walled-garden")
        self.assertEqual(self.secret("karim")["disabled"], "false")
        online = [row["name"] for row in self.router.rows("/ppp/active").values()]
        self.assertEqual(online, ["rahim"])
        self.assertFalse(self.waiting)
        self.karim._resume("Paid")
        self.run_job()
        self.assertEqual(self.secret("karim")["profile"], self.secret("rahim")["profile"])

    def test_a_plan_without_payment_page_switches_the_login_off(self):
        self.fill()
        self.plan_home.suspend_mode = "reject"
        self.karim._suspend("overdue", "March is not paid")
        self.run_job()
        self.assertEqual(self.secret("karim")["disabled"], "true")

    def test_a_terminated_customer_is_gone(self):
        self.fill()
        self.karim._terminate("Moved away")
        self.run_job()
        self.assertEqual([row["name"] for row in self.router.rows(SECRET).values()], ["rahim"])

    def test_a_renamed_login_with_a_note_keeps_its_row(self):
        self.fill()
        self.secret("karim")["comment"] += " on the roof"
        self.karim.username = "karim2"
        self.run_job()
        row = self.secret("karim2")
        self.assertTrue(row["comment"].endswith(" on the roof"))
        self.assertEqual(len(self.router.rows(SECRET)), 2)

    def test_only_what_changed_is_written(self):
        self.fill()
        self.karim.password = "another-one"
        self.run_job()
        [words] = self.router.log
        self.assertEqual((words[0], words[2:]), ("/ppp/secret/set", ("=password=another-one",)))

    def test_radius_keeps_the_logins_of_a_router_that_holds_the_rest(self):
        self.nas.provisioning = "both"
        office = self.create_subscription(
            username="office", plan_id=self.create_plan("Static", 900.0, service_type="static").id,
            ipv4_address="10.9.0.5", nas_id=self.nas.id,
        )  # fmt: skip
        self.run_job()
        self.assertFalse(self.router.rows(SECRET))
        self.assertEqual(self.router.find(menus.QUEUE, "office")["target"], "10.9.0.5/32")
        office._suspend("overdue", "March is not paid")
        self.run_job()
        [entry] = self.router.rows(menus.ADDRESS_LIST).values()
        self.assertEqual((entry["list"], entry["address"]), ("walled-garden", "10.9.0.5"))

    def test_a_prepaid_service_ends_by_the_clock(self):
        prepaid = self.create_plan(
            "Card", 300.0, billing_mode="prepaid", anchor="anniversary", service_type="pppoe"
        )
        card = self.create_subscription(username="card", plan_id=prepaid.id, nas_id=self.nas.id)
        self.env.flush_all()
        entitlement = card.entitlement_ids
        entitlement.valid_until = fields.Datetime.now() + timedelta(minutes=5)
        self.fill()
        model = self.env["isp.nas"]
        model._cron_routeros_follow()
        self.assertFalse(self.waiting)
        with self.at("2027-03-10 06:06:00"):
            model._cron_routeros_follow()
            self.assertEqual(self.waiting.subscription_id, card)
            self.run_job()
            profile = self.router.find(menus.PPP_PROFILE, self.secret("card")["profile"])
            self.assertEqual(profile["address-list"], "walled-garden")
            model._cron_routeros_follow()
            self.assertFalse(self.waiting)

    # === THE ROUTER IS NOT THERE === #

    def test_a_dead_router_waits_alone_and_is_tried_again(self):
        self.fill()
        self.karim._suspend("overdue", "March is not paid")
        self.commit()
        with self.away():
            self.run_job()
        self.assertEqual(self.shown.routeros_state, "unreachable")
        self.assertIn("No route to host", self.shown.routeros_message)
        self.assertIn("Mirpur", self.shown.routeros_message)
        [job] = self.env["queue.job"].search(
            [("identity_key", "=", f"isp-routeros-retry-{self.nas.id}")]
        )
        self.assertEqual(job.eta, self.sync.next_try)
        self.assertEqual(self.waiting.subscription_id, self.karim)
        tries = len(self.opened)
        self.assertIn("waits until", self.run_job())
        self.assertEqual(len(self.opened), tries)
        with self.at("2027-03-10 06:01:00"):
            self.run_job()
        self.assertEqual(self.shown.routeros_state, "ok")
        self.assertFalse(self.waiting)
        self.assertEqual(self.sync.failures, 0)

    def test_pauses_grow_to_a_quarter_of_an_hour(self):
        pauses = []
        with self.away():
            for _try in range(9):
                self.sync.next_try = False
                self.run_job(full=True)
                pauses.append((self.sync.next_try - fields.Datetime.now()).seconds)
        self.assertEqual(pauses, [15, 30, 60, 120, 300, 600, 900, 900, 900])

    def test_new_settings_end_the_pause(self):
        with self.away():
            self.run_job(full=True)
        self.nas.routeros_host = "router.example.com"
        self.assertFalse(self.sync.next_try)

    def test_a_wrong_password_is_told_in_words(self):
        def fail():
            raise errors.WrongPassword("invalid user name or password (6)")

        self.router.before_login = fail
        self.run_job(full=True)
        self.assertEqual(self.shown.routeros_state, "refused")
        self.assertIn("does not accept the user “isp”", self.shown.routeros_message)
        self.assertNotIn("api-password", self.shown.routeros_message)

    def test_a_run_that_is_cut_off_goes_on_where_the_router_stands(self):
        self.fill()
        (self.karim | self.rahim)._suspend("overdue", "March is not paid")
        left = [3]

        def cut(_words):
            left[0] -= 1
            if left[0] < 0:
                raise errors.Unreachable("the router closed the connection")

        self.router.before = cut
        self.run_job()
        self.assertEqual(self.shown.routeros_state, "unreachable")
        self.assertEqual(self.waiting.subscription_id, self.karim | self.rahim)
        self.assertTrue(all(self.waiting.mapped("tried")))
        self.router.before = None
        self.router.add("/ppp/active", name="karim", uptime="5s")
        with self.at("2027-03-10 06:01:00"):
            self.run_job()
        for name in ("karim", "rahim"):
            profile = self.router.find(menus.PPP_PROFILE, self.secret(name)["profile"])
            self.assertEqual(profile["address-list"], "walled-garden")
        self.assertFalse(self.router.rows("/ppp/active"))
        self.assertFalse(self.waiting)

    def test_one_refused_row_holds_back_nobody(self):
        original = self.router._do

        def refuse(command, *words):
            if command == "/ppp/secret/add" and "=name=karim" in words:
                raise errors.classify("input does not match any value of profile", 1)
            return original(command, *words)

        self.router._do = refuse
        self.karim.password = "another-one"
        self.run_job(full=True)
        self.assertTrue(self.secret("rahim"))
        [difference] = self.differences(is_open=True)
        self.assertEqual(difference.subscription_id, self.karim)
        self.assertIn("does not match any value of profile", difference.message)
        self.assertEqual(self.waiting.subscription_id, self.karim)
        self.assertIn("profile", self.waiting.message)
        self.router._do = original
        with self.at("2027-03-10 06:10:00"):
            self.run_job()
        self.assertFalse(self.differences(is_open=True))
        self.assertFalse(self.waiting)

    def test_two_runs_take_turns(self):
        self.env["isp.nas.sync"]._of(self.nas)
        model = type(self.env["isp.nas.sync"])
        self.patch(model, "try_lock_for_update", lambda records, **_options: records.browse())
        with self.assertRaises(RetryableJobError) as caught:
            self.run_job(full=True)
        self.assertTrue(caught.exception.ignore_retry)
        self.assertFalse(self.opened)

    def test_changes_nobody_follows_are_found_again(self):
        self.karim._suspend("overdue", "March is not paid")
        self.commit()
        before = self.env["queue.job"].search_count([])
        with self.at("2027-03-10 06:00:30"):
            self.env["isp.nas"]._cron_routeros_follow()
        self.assertEqual(self.env["queue.job"].search_count([]), before)
        with self.at("2027-03-10 06:02:00"):
            self.env["isp.nas"]._cron_routeros_follow()
        self.assertEqual(self.env["queue.job"].search_count([]), before + 1)

    def test_every_night_all_routers_are_compared_and_backed_up(self):
        radius = self.env["isp.nas"].create(
            {"name": "Savar", "ip_address": "10.20.0.6", "routeros_password": "api-password"}
        )
        with trap_jobs() as trap:
            self.env["isp.nas"]._cron_routeros_nightly()
        queued = {(job.recordset, job.method_name) for job in trap.enqueued_jobs}
        self.assertEqual(
            queued,
            {
                (self.nas, "_job_routeros_reconcile"),
                (self.nas, "_job_routeros_backup"),
                (radius, "_job_routeros_backup"),
            },
        )

    def test_who_edits_a_router_does_not_wait_for_a_run(self):
        locked = []

        def try_lock(records, **_options):
            locked.append(records)
            return records.browse()

        self.patch(type(self.env["isp.nas.sync"]), "try_lock_for_update", try_lock)
        self.nas.routeros_host = "router.example.com"
        self.assertEqual(locked, [self.sync])

    def test_clearing_most_of_a_router_waits_for_a_person(self):
        self.fill()
        for number in range(60):
            self.router.add(
                SECRET, name=f"old{number}", comment=f"isp:subscription:{10**8 + number}"
            )
        self.run_job(full=True)
        self.assertEqual(self.shown.routeros_state, "refused")
        self.assertIn("60 of", self.shown.routeros_message)
        self.assertEqual(len(self.router.rows(SECRET)), 62)
        self.run_job(full=True, force=True)
        self.assertEqual(len(self.router.rows(SECRET)), 2)
        self.assertEqual(self.shown.routeros_state, "ok")
