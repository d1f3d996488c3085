from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs

from .order_common import NetworkOrderCase


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
