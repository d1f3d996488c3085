import psycopg2

from odoo import fields
from odoo.tests import tagged

from odoo.addons.queue_job.exception import RetryableJobError

from ..models import isp_network_order_send
from ..radius import coa
from .order_common import FakeRouters, NetworkOrderCase


@tagged("post_install", "-at_install")
class TestOrdersOnTheWire(NetworkOrderCase):
    """What the job of a router sends, and what it makes of the answers."""

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
