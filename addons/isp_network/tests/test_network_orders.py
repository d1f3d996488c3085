import itertools

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import isp_network_order_send
from ..radius import coa
from .common import IspNetworkCase

_transactions = itertools.count(1)


class FakeRouters:
    """Stands in for the network: keeps what was sent, answers as told."""

    def __init__(self):
        self.sent = []
        self.answer = lambda request: coa.Answer(request.key, coa.ACK, sends=1)

    def __call__(self, _nas, requests):
        self.sent += requests
        return [self.answer(request) for request in requests]

    def refuse(self, cause):
        """Answer everything with a NAK."""
        self.answer = lambda request: coa.Answer(request.key, coa.NAK, cause, sends=1)

    def fall_silent(self):
        """Answer nothing."""
        self.answer = lambda request: coa.Answer(request.key, coa.SILENCE, sends=3)


class NetworkOrderCase(IspNetworkCase):
    """A subscriber who is online at a router, and time that passes between transactions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Order = cls.env["isp.network.order"]
        cls.nas = cls.env["isp.nas"].create(
            {"name": "Core", "ip_address": "10.20.0.1", "secret": "core-secret", "coa_port": 3799}
        )
        cls.plan_home.write({"throttle_download_kbps": 2048, "throttle_upload_kbps": 1024})
        cls.subscription = cls.create_subscription(username="karim")
        cls.env.cr.flush()
        cls.next_transaction()
        cls.uid = cls.log_in(cls.subscription)

    def setUp(self):
        super().setUp()
        self.routers = FakeRouters()
        self.patch(type(self.nas), "_send_coa", lambda nas, requests: self.routers(nas, requests))

    @classmethod
    def next_transaction(cls):
        """Make what happened so far look committed."""
        mark = -next(_transactions)
        cls.env.cr.execute("UPDATE radius.change SET xact = %s WHERE xact > 0", [mark])
        cls.env.cr.execute(
            "UPDATE isp_network_order SET xact = %s WHERE xact NOT LIKE '-%%'", [str(mark)]
        )
        cls.env.invalidate_all()

    @classmethod
    def log_in(cls, subscription, nas=None, number=1, since="now()"):
        """Put a session on record; return its unique number."""
        nas = nas or cls.nas
        uid = f"uid-{subscription.id}-{number}"
        cls.env.cr.execute(
            f"""
            INSERT INTO radius.radacct (acctsessionid, acctuniqueid, username, nasipaddress, nas_id,
                subscription_id, acctstarttime, acctupdatetime, framedipaddress)
            VALUES (%s, %s, %s, %s, %s, %s, {since}, {since}, '10.0.0.5')
            """,
            [
                f"8100000{number}",
                uid,
                subscription.username,
                nas.ip_address,
                nas.id,
                subscription.id,
            ],
        )
        return uid

    def log_out(self, uid=None):
        self.env.cr.execute(
            "UPDATE radius.radacct SET acctstoptime = now() WHERE acctuniqueid = %s",
            [uid or self.uid],
        )

    def hear(self, moment, uid=None):
        """An accounting packet of the session comes in, at a moment in UTC."""
        self.env.cr.execute(
            "UPDATE radius.radacct SET acctupdatetime = %s::timestamp AT TIME ZONE 'UTC'"
            " WHERE acctuniqueid = %s",
            [moment, uid or self.uid],
        )

    def orders_of(self, change):
        """Orders that a transaction makes, as it commits."""
        before = self.Order.search([])
        change()
        self.env.cr.flush()
        orders = self.Order.search([]) - before
        self.next_transaction()
        return orders

    def run_job(self, nas=None):
        """Let the job of the router run; return what was sent."""
        self.routers.sent.clear()
        with trap_jobs() as self.trap:
            (nas or self.nas)._job_send_orders()
        self.env.flush_all()
        return [(request.kind, request.attributes) for request in self.routers.sent]

    def follow_up(self):
        self.env.flush_all()
        with trap_jobs() as self.trap:
            self.Order._cron_follow_up()

    IDENTITY = {
        "User-Name": "karim",
        "Acct-Session-Id": "81000001",
        "Framed-IP-Address": "10.0.0.5",
    }


@tagged("post_install", "-at_install")
class TestOrdersOfChanges(NetworkOrderCase):
    """Which change of the ledger makes which order."""

    def assertOrdered(self, change, kind, reason):
        with trap_jobs() as trap:
            orders = self.orders_of(change)
            self.assertRecordValues(
                orders,
                [
                    {
                        "kind": kind,
                        "reason": reason,
                        "state": "pending",
                        "subscription_id": self.subscription.id,
                        "nas_id": self.nas.id,
                        "session_uid": self.uid,
                        "company_id": self.company.id,
                        "forced": False,
                    }
                ],
            )
            trap.assert_jobs_count(1, only=self.nas._job_send_orders)
        return orders

    def test_suspended_and_paid(self):
        self.assertOrdered(
            lambda: self.subscription._suspend("overdue", "Unpaid"), "disconnect", "full → walled"
        )
        self.assertOrdered(lambda: self.subscription._resume("Paid"), "disconnect", "walled → full")

    def test_a_payment_makes_the_order_in_its_own_transaction(self):
        self.bill("2027-03-01")
        move = self.subscription.charge_ids.move_id
        self.subscription._suspend("overdue", "Unpaid")
        self.env.cr.flush()
        self.next_transaction()
        self.assertOrdered(lambda: self.pay(move), "disconnect", "walled → full")

    def test_throttled_and_back(self):
        self.assertOrdered(
            lambda: self.subscription._throttle("overdue", "Unpaid"),
            "coa",
            "10240k/20480k → 1024k/2048k",
        )
        self.assertOrdered(
            lambda: self.subscription._unthrottle("Paid"), "coa", "1024k/2048k → 10240k/20480k"
        )

    def test_another_speed_of_the_plan(self):
        self.assertOrdered(
            lambda: self.plan_home.write({"upload_kbps": 20480}),
            "coa",
            "10240k/20480k → 20480k/20480k",
        )

    def test_another_plan(self):
        fast = self.create_plan("Home 100", 3000.0, download_kbps=100000, upload_kbps=100000)
        self.assertOrdered(
            lambda: self.subscription._change_plan(fast, self.company._get_isp_today()),
            "coa",
            "10240k/20480k → 100M/100M",
        )

    def test_another_pool_or_address(self):
        self.assertOrdered(
            lambda: self.plan_home.write({"framed_pool": "new"}),
            "disconnect",
            "Framed-Pool: – → new",
        )
        self.assertOrdered(
            lambda: self.subscription.write({"ipv4_address": "10.7.0.9"}),
            "disconnect",
            "Framed-IP-Address: – → 10.7.0.9, Framed-Pool: new → –",
        )

    def test_terminated(self):
        self.assertOrdered(
            lambda: self.subscription._terminate("Moved"), "disconnect", "full → reject"
        )

    def test_written_by_sql_in_a_transaction_that_odoo_knows(self):
        def change():
            self.env.cr.execute(
                "UPDATE isp_entitlement SET access = 'none' WHERE subscription_id = %s",
                [self.subscription.id],
            )
            self.Order._collect_later()

        self.assertOrdered(change, "disconnect", "full → reject")

    def test_what_a_session_need_not_hear(self):
        def check(change):
            with trap_jobs() as trap:
                self.assertFalse(self.orders_of(change))
                trap.assert_jobs_count(0)

        check(lambda: self.subscription.write({"password": "another-password"}))
        check(lambda: self.subscription.write({"username": "rahim"}))
        check(lambda: self.plan_home.write({"interim_interval_s": 60, "idle_timeout_s": 900}))

        def back_and_forth():
            self.subscription._suspend("overdue", "Unpaid")
            self.env.flush_all()
            self.subscription._resume("Paid")

        check(back_and_forth)

    def test_who_is_not_online_needs_no_order(self):
        self.log_out()
        self.assertFalse(self.orders_of(lambda: self.subscription._suspend("overdue", "Unpaid")))

    def test_two_steps_in_one_transaction_are_one_order(self):
        def change():
            self.subscription._suspend("overdue", "Unpaid")
            self.env.cr.flush()
            self.subscription._terminate("Moved")

        order = self.assertOrdered(change, "disconnect", "full → walled")
        self.assertEqual(order.told["service"], "full")

    def test_each_session_has_its_order_and_each_router_its_job(self):
        other = self.env["isp.nas"].create({"name": "Edge", "ip_address": "10.20.0.2"})
        self.env.flush_all()
        self.log_in(self.subscription, other, number=2)
        self.log_in(self.subscription, number=3)
        with trap_jobs() as trap:
            orders = self.orders_of(lambda: self.subscription._suspend("overdue", "Unpaid"))
            trap.assert_jobs_count(1, only=self.nas._job_send_orders)
            trap.assert_jobs_count(1, only=other._job_send_orders)
            trap.assert_jobs_count(2)
        self.assertEqual(orders.nas_id, self.nas | other)
        self.assertEqual(len(orders), 3)

    def test_nothing_is_ordered_when_the_transaction_fails(self):
        with trap_jobs() as trap:
            with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
                self.subscription._suspend("overdue", "Unpaid")
                self.env.flush_all()
                raise ZeroDivisionError
            self.env.cr.flush()
            trap.assert_jobs_count(0)
        self.assertFalse(self.Order.search([("subscription_id", "=", self.subscription.id)]))

    def test_a_refresh_gives_the_reason(self):
        def change():
            self.plan_home.upload_kbps = 20480
            made.append(self.subscription._network_refresh("Quota used up"))

        made = []
        order = self.assertOrdered(change, "coa", "Quota used up")
        self.assertEqual(made[0], order)

    def test_a_refresh_tells_the_speed_again_although_nothing_changed(self):
        orders = self.orders_of(lambda: self.subscription._network_refresh("Router was replaced"))
        self.assertEqual((orders.kind, orders.told), ("coa", False))
        self.assertEqual(
            self.run_job(), [("coa", self.IDENTITY | {"Mikrotik-Rate-Limit": "10240k/20480k"})]
        )

    def test_a_session_at_an_unknown_router_is_told_to_people(self):
        self.env.cr.execute("UPDATE radius.radacct SET nas_id = NULL, nasipaddress = '10.99.0.1'")
        order = self.orders_of(lambda: self.subscription._suspend("overdue", "Unpaid"))
        self.assertEqual(order.state, "failed")
        self.assertIn("10.99.0.1", order.message)
        self.assertEqual(self.subscription.failed_order_count, 1)

    def test_a_session_that_was_just_being_set_up(self):
        """Its login was answered before the change, its Start came after."""
        self.log_out()
        self.orders_of(lambda: self.subscription._suspend("overdue", "Unpaid"))
        self.env.cr.execute("UPDATE radius.change SET changed_at = now() - interval '30 s'")
        late = self.log_in(self.subscription, number=2, since="now() - interval '29 s'")
        knows = self.log_in(self.subscription, number=3, since="now() - interval '20 s'")
        self.env.cr.execute(
            "INSERT INTO radius.radpostauth (username, reply, subscription_id, authdate) VALUES"
            " ('karim', 'Access-Accept', %s, now() - interval '31 s'),"
            " ('karim', 'Access-Accept', %s, now() - interval '21 s')",
            [self.subscription.id] * 2,
        )
        self.follow_up()
        orders = self.Order.search([("subscription_id", "=", self.subscription.id)])
        self.assertEqual(orders.mapped("session_uid"), [late])
        self.assertNotIn(knows, orders.mapped("session_uid"))
        self.follow_up()
        self.assertEqual(self.Order.search_count([("session_uid", "=", late)]), 1)

    def test_written_by_sql_behind_odoos_back(self):
        self.env.cr.execute(
            "UPDATE isp_entitlement SET access = 'walled' WHERE subscription_id = %s",
            [self.subscription.id],
        )
        self.env.cr.execute("UPDATE radius.radacct SET acctstarttime = now() - interval '1 hour'")
        self.env.cr.execute("UPDATE radius.change SET changed_at = now() - interval '30 s'")
        self.follow_up()
        self.assertRecordValues(
            self.Order.search([("session_uid", "=", self.uid)]),
            [{"kind": "disconnect", "reason": "full → walled", "state": "pending"}],
        )

    def test_old_changes_are_forgotten(self):
        self.orders_of(lambda: self.subscription._suspend("overdue", "Unpaid"))
        self.env.cr.execute("UPDATE radius.change SET changed_at = now() - interval '6 min'")
        self.follow_up()
        self.env.cr.execute("SELECT count(*) FROM radius.change")
        self.assertEqual(self.env.cr.fetchone(), (0,))


@tagged("post_install", "-at_install")
class TestOrdersOnTheWire(NetworkOrderCase):
    """What the job of a router sends, and what it makes of the answers."""

    def order_suspension(self):
        return self.orders_of(lambda: self.subscription._suspend("overdue", "Unpaid"))

    def order_speed(self, kbps=20480):
        return self.orders_of(lambda: self.plan_home.write({"upload_kbps": kbps}))

    def test_a_disconnect_names_the_session_and_is_signed_with_the_secret(self):
        order = self.order_suspension()
        self.assertEqual(self.run_job(), [("disconnect", self.IDENTITY)])
        [request] = self.routers.sent
        self.assertEqual(
            (request.host, request.port, request.secret), ("10.20.0.1", 3799, b"core-secret")
        )
        self.assertRecordValues(order, [{"state": "acked", "attempts": 1, "next_try": False}])
        self.assertEqual(self.nas.last_contact, fields.Datetime.now())
        self.trap.assert_jobs_count(0)
        self.assertEqual(self.run_job(), [], "once is enough")

    def test_the_speed_sent_is_the_one_that_holds_then(self):
        first = self.order_speed(20480)
        second = self.order_speed(30720)
        self.assertEqual(
            self.run_job(), [("coa", self.IDENTITY | {"Mikrotik-Rate-Limit": "30720k/20480k"})]
        )
        self.assertEqual((first.state, second.state), ("gone", "acked"))
        self.assertEqual(second.sent_values, "Mikrotik-Rate-Limit = 30720k/20480k")

    def test_a_speed_and_a_suspension_are_one_disconnect(self):
        self.order_suspension()
        self.order_speed()
        self.assertEqual([kind for kind, _attributes in self.run_job()], ["disconnect"])

    def test_what_was_taken_back_in_time_is_not_sent(self):
        self.order_suspension()
        order = self.orders_of(lambda: self.subscription._resume("Paid"))
        self.assertEqual(self.run_job(), [])
        self.assertEqual(order.state, "gone")

    def test_what_was_taken_back_after_an_unanswered_attempt_is_told(self):
        self.order_speed()
        self.routers.fall_silent()
        self.run_job()
        self.order_speed(10240)
        self.env.cr.execute("UPDATE radius.nas_contact SET retry_at = NULL")
        self.assertEqual(
            self.run_job(), [("coa", self.IDENTITY | {"Mikrotik-Rate-Limit": "10240k/20480k"})]
        )

    def test_routers_of_other_makers_get_wispr_bandwidths(self):
        self.nas.nas_type = "other"
        self.order_speed()
        self.assertEqual(
            self.run_job(),
            [
                (
                    "coa",
                    self.IDENTITY
                    | {
                        "WISPr-Bandwidth-Max-Up": "20480000",
                        "WISPr-Bandwidth-Max-Down": "20480000",
                    },
                )
            ],
        )

    def test_a_session_that_ended_meanwhile_is_left_alone(self):
        order = self.order_suspension()
        self.log_out()
        self.assertEqual(self.run_job(), [])
        self.assertEqual(order.state, "gone")

    def test_silence_is_tried_again_with_growing_pauses_then_left_to_people(self):
        order = self.order_suspension()
        self.routers.fall_silent()
        pauses = []
        moment = fields.Datetime.now()
        for _attempt in range(8):
            with self.at(moment):
                self.assertEqual(len(self.run_job()), 1)
                if order.state == "failed":
                    break
                self.assertEqual(order.state, "sent")
                self.trap.assert_jobs_count(1, only=self.nas._job_send_orders)
                self.assertEqual(self.run_job(), [], "not before its time")
                pauses.append((order.next_try - moment).total_seconds())
                moment = order.next_try
        self.assertEqual(pauses, [5, 15, 60, 300, 1800, 1800, 1800])
        self.assertIn("/radius incoming", order.message)
        self.assertEqual(self.subscription.order_problem, order.message)
        self.assertEqual(
            (self.subscription.failed_order_count, self.nas.failed_order_count), (1, 1)
        )
        self.assertIn(self.nas, self.nas.search([("silent_since", "!=", False)]))
        self.assertNotIn(self.nas, self.nas.search([("silent_since", "=", False)]))

    def test_a_silent_router_is_not_asked_again_for_a_new_order(self):
        self.order_speed()
        self.routers.fall_silent()
        self.run_job()
        self.order_speed(30720)
        self.assertEqual(self.run_job(), [])
        self.trap.assert_jobs_count(1, only=self.nas._job_send_orders)
        [job] = self.trap.enqueued_jobs
        self.assertIn(f"isp_network.coa.{self.nas.id}.", job.identity_key)

    def test_one_silent_session_does_not_hold_back_the_router(self):
        other = self.create_subscription(username="rahim")
        self.env.cr.flush()
        self.log_in(other, number=2)
        self.order_speed()
        self.routers.answer = lambda request: coa.Answer(
            request.key,
            coa.ACK if request.attributes["User-Name"] == "rahim" else coa.SILENCE,
            sends=1,
        )
        self.run_job()
        states = {order.username: order.state for order in self.Order.search([])}
        self.assertEqual(states, {"karim": "sent", "rahim": "acked"})
        self.assertFalse(self.nas.silent_since)

    def test_a_router_without_the_session_has_done_its_part(self):
        order = self.order_suspension()
        self.routers.refuse("Session-Context-Not-Found")
        self.run_job()
        self.assertEqual(order.state, "acked")
        self.log_out()
        self.follow_up()
        self.assertEqual(order.state, "gone")

    def test_a_session_known_by_another_spelling_is_found_without_the_name(self):
        order = self.order_suspension()
        self.routers.refuse("Session-Context-Not-Found")
        self.run_job()
        self.hear(fields.Datetime.now().replace(minute=5))
        self.follow_up()
        self.assertEqual(order.state, "sent")
        with self.at("2027-03-10 06:06:00"):
            [(kind, attributes)] = self.run_job()
        self.assertEqual(kind, "disconnect")
        self.assertNotIn("User-Name", attributes)
        self.assertEqual(attributes["Acct-Session-Id"], "81000001")

    def test_a_lasting_refusal_stands_with_its_cause(self):
        order = self.order_speed()
        self.routers.refuse("Unsupported-Attribute")
        self.run_job()
        self.assertRecordValues(
            order, [{"state": "failed", "error_cause": "Unsupported-Attribute", "next_try": False}]
        )
        self.assertIn("Disconnect the session", self.subscription.order_problem)
        self.trap.assert_jobs_count(0)

    def test_a_passing_refusal_is_tried_again(self):
        order = self.order_speed()
        self.routers.refuse("Resources-Unavailable")
        self.run_job()
        self.assertRecordValues(order, [{"state": "sent", "attempts": 1}])
        self.assertEqual(self.nas.last_contact, fields.Datetime.now())
        self.trap.assert_jobs_count(1)

    def test_a_wrong_signature_points_at_the_secret(self):
        order = self.order_speed()
        self.routers.answer = lambda request: coa.Answer(
            request.key, coa.SILENCE, sends=3, bad_answers=2
        )
        self.run_job()
        self.assertIn("secret", order.message)

    def test_an_archived_router_is_left_alone(self):
        order = self.order_speed()
        self.nas.active = False
        self.assertEqual(self.run_job(), [])
        self.assertEqual((order.state, order.attempts), ("pending", 1))
        self.assertIn("archived", order.message)

    def test_a_new_change_makes_good_for_a_failed_one(self):
        failed = self.order_speed()
        self.routers.refuse("Unsupported-Attribute")
        self.run_job()
        self.routers.answer = FakeRouters().answer
        order = self.order_speed(30720)
        self.run_job()
        self.assertEqual((failed.state, order.state), ("gone", "acked"))
        self.assertFalse(self.subscription.failed_order_count)

    def test_a_mass_of_orders_is_sent_in_batches(self):
        other = self.create_subscription(username="rahim")
        self.env.cr.flush()
        self.log_in(other, number=2)
        self.order_speed()
        self.patch(isp_network_order_send, "BATCH_SIZE", 1)
        self.assertEqual(len(self.run_job()), 1)
        self.trap.assert_jobs_count(1, only=self.nas._job_send_orders)
        self.assertFalse(self.trap.enqueued_jobs[0].eta, "the rest follows at once")
        self.assertEqual(len(self.run_job()), 1)
        self.trap.assert_jobs_count(0)

    def test_an_order_that_changed_under_the_job_is_looked_at_again(self):
        """Whoever was faster may have sent a newer speed, which must not be undone."""
        self.order_speed()

        def changed(_orders):
            raise psycopg2.errors.SerializationFailure("could not serialize access")

        self.patch(type(self.Order), "_lock_for_sending", changed)
        with self.assertRaises(RetryableJobError) as caught:
            self.nas._job_send_orders()
        self.assertTrue(caught.exception.ignore_retry)
        self.assertFalse(self.routers.sent)

    def test_jobs_of_one_router_take_turns(self):
        """Two at a time could send an older speed last."""
        self.addCleanup(self.forget_contact)
        with self.registry.cursor() as first, self.registry.cursor() as second:
            mine, yours = (self.nas.with_env(self.env(cr=cr)) for cr in (first, second))
            mine._lock_contact()
            first.commit()
            contact = mine._lock_contact()
            self.assertEqual(contact, {"silent_since": None, "silences": 0, "retry_at": None})
            with self.assertRaises(RetryableJobError) as caught:
                yours._lock_contact()
            self.assertEqual((caught.exception.seconds, caught.exception.ignore_retry), (1, True))
            mine._write_contact(None, None, 3, None)
            first.commit()
            # Free again, but what this job saw at its beginning is not what holds now.
            with self.assertRaises(RetryableJobError):
                yours._lock_contact()
            second.rollback()
            self.assertEqual(yours._lock_contact()["silences"], 3)

    def forget_contact(self):
        with self.registry.cursor() as other:
            other.execute("DELETE FROM radius.nas_contact WHERE nas_id = %s", [self.nas.id])

    # === VERIFICATION === #

    def test_a_disconnect_is_verified_by_the_stop(self):
        order = self.order_suspension()
        self.run_job()
        self.follow_up()
        self.assertEqual(order.state, "acked", "nothing heard yet")
        self.log_out()
        self.follow_up()
        self.assertEqual(order.state, "verified")

    def test_a_speed_is_verified_by_the_next_interim(self):
        order = self.order_speed()
        self.run_job()
        self.hear("2027-03-10 05:59:00")
        self.follow_up()
        self.assertEqual(order.state, "acked", "that was before")
        self.hear("2027-03-10 06:05:00")
        self.follow_up()
        self.assertEqual(order.state, "verified")

    def test_a_router_that_confirms_and_does_nothing_is_found_out(self):
        order = self.order_suspension()
        self.run_job()
        self.hear("2027-03-10 06:00:05")
        self.follow_up()
        self.assertEqual(order.state, "acked", "it may have been on its way")
        self.hear("2027-03-10 06:05:00")
        self.follow_up()
        self.assertEqual(order.state, "sent")
        self.assertIn("goes on", order.message)
        with self.at("2027-03-10 06:06:00"):
            self.follow_up()
            self.assertEqual(len(self.run_job()), 1, "it is told again")

    def test_a_failed_order_is_settled_by_the_end_of_the_session(self):
        order = self.order_speed()
        self.routers.refuse("Unsupported-Attribute")
        self.run_job()
        self.log_out()
        self.follow_up()
        self.assertEqual(order.state, "gone")
        self.assertFalse(self.subscription.failed_order_count)

    def test_an_order_whose_job_was_lost_is_queued_again(self):
        self.order_speed()
        self.env.cr.execute("UPDATE isp_network_order SET create_date = '2027-03-10 06:00:00'")
        with self.at("2027-03-10 06:00:30"):
            self.follow_up()
            self.trap.assert_jobs_count(0)
        self.env.cr.execute("UPDATE isp_network_order SET create_date = '2027-03-10 05:00:00'")
        self.env.invalidate_all()
        self.follow_up()
        self.trap.assert_jobs_count(1, only=self.nas._job_send_orders)

    # === PEOPLE === #

    def test_support_disconnects_sessions_and_engineers_send_again(self):
        support, engineer = self.create_user("support"), self.create_user("network")
        session = self.env["isp.radius.session"].search(
            [("subscription_id", "=", self.subscription.id)]
        )
        orders = self.orders_of(lambda: session.with_user(support).action_disconnect())
        self.assertRecordValues(
            orders, [{"kind": "disconnect", "forced": True, "state": "pending"}]
        )
        self.assertIn(support.name, orders.reason)
        again = self.orders_of(
            lambda: self.subscription.with_user(support).action_network_disconnect()
        )
        self.assertEqual([kind for kind, _attributes in self.run_job()], ["disconnect"])
        self.assertEqual((orders.state, again.state), ("gone", "acked"))
        again.state = "failed"
        with self.assertRaises(UserError):
            again.with_user(support).action_resend()
        with self.assertRaises(AccessError):
            again.with_user(engineer).write({"state": "verified"})
        with trap_jobs() as trap:
            again.with_user(engineer).action_resend()
            trap.assert_jobs_count(1, only=self.nas._job_send_orders)
        self.assertRecordValues(again, [{"state": "pending", "attempts": 0}])
        again.with_user(engineer).action_give_up()
        self.assertEqual(again.state, "gone")
        with self.assertRaises(UserError):
            again.with_user(engineer).action_resend()

    def test_a_closed_session_cannot_be_disconnected(self):
        session = self.env["isp.radius.session"].search(
            [("subscription_id", "=", self.subscription.id)]
        )
        self.log_out()
        session.invalidate_recordset()
        with self.assertRaises(UserError):
            session.action_disconnect()
        with self.assertRaises(UserError):
            self.subscription.action_network_disconnect()

    def test_customers_do_not_end_sessions(self):
        portal = self.env["res.users"].create(
            {
                "name": "Karim",
                "login": "karim@portal",
                "partner_id": self.customer.id,
                "group_ids": [fields.Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        with self.assertRaises(AccessError):
            self.subscription.with_user(portal).action_network_disconnect()

    def test_companies_do_not_see_each_others_orders(self):
        other = self.env["res.company"].create({"name": "Other provider"})
        order = self.order_speed()
        support = self.create_user("support")
        self.assertIn(order, self.Order.with_user(support).search([]))
        order.sudo().company_id = other
        self.assertNotIn(order, self.Order.with_user(support).search([]))

    def test_the_router_sends_everything_again(self):
        order = self.order_speed()
        self.routers.refuse("Unsupported-Attribute")
        self.run_job()
        self.nas.with_user(self.create_user("network")).action_resend_orders()
        self.assertEqual(order.state, "pending")
        self.assertEqual((self.nas.pending_order_count, self.nas.failed_order_count), (1, 0))
        action = self.nas.action_view_orders()
        self.assertIn(order, self.Order.search(action["domain"]))
        self.subscription.action_view_network_orders()

    def test_the_screens_can_be_built(self):
        for model in ("isp.network.order", "isp.nas", "isp.radius.session", "isp.subscription"):
            views = self.env[model].get_views([(False, "list"), (False, "form"), (False, "search")])
            self.assertEqual(set(views["views"]), {"list", "form", "search"})

    def test_old_orders_are_thrown_away(self):
        order = self.order_speed()
        order.sudo().state = "verified"
        self.env.flush_all()
        self.env.cr.execute("UPDATE isp_network_order SET create_date = '2026-11-01'")
        self.Order._gc_orders()
        self.assertFalse(order.exists())
