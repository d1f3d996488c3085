"""The job asks about every open payment until it is final, and shows what it found."""

from odoo import fields
from odoo.tests import mute_logger, tagged

from ..gateways.common import PENDING, Unknown
from .common import GatewayCase

JOB = "odoo.addons.isp_payments_bd.models.payment_transaction_job"


@tagged("post_install", "-at_install")
class TestJob(GatewayCase):
    def test_a_lost_payment_is_found(self):
        """The customer paid and closed the browser; nobody ever called us."""
        bill = self.create_bill(500)
        tx = self.create_tx(500, bill)
        self.gateway.answers = [self.verified(tx)]
        self.run_job()
        self.assertEqual(tx.state, "draft")  # not due yet: the payer is on the gateway's page
        self.make_due(tx)
        self.run_job()
        self.assertEqual((tx.state, bill.amount_residual), ("done", 0))
        self.assertEqual(self.events(tx), [("job", "paid")])
        calls = len(self.gateway.calls)
        self.run_job()
        self.assertEqual(len(self.gateway.calls), calls)

    def test_an_answer_that_is_no_news_is_not_written_down_again(self):
        tx = self.create_tx(500)
        self.gateway.answers = [self.verified(tx, PENDING)]
        for _time in range(4):
            self.make_due(tx)
            self.run_job()
        self.assertEqual(self.events(tx), [("job", "pending")])
        self.assertEqual(tx.gateway_asks, 4)

    def test_it_asks_less_and_less_often(self):
        tx = self.create_tx(500)
        waits = []
        for _time in range(6):
            self.settle(tx, self.verified(tx, PENDING), channel="job")
            waits.append(round((tx.gateway_next_ask_at - fields.Datetime.now()).seconds / 60))
        self.assertEqual(waits, [5, 10, 20, 40, 60, 60])

    def test_a_silent_gateway_does_not_hold_the_worker(self):
        txs = self.env["payment.transaction"].concat(*(self.create_tx() for _n in range(6)))
        self.make_due(txs)
        self.gateway.answers = [Unknown("no answer")]
        with self.assertLogs(JOB, "WARNING"):
            self.run_job()
        self.assertEqual(len(self.gateway.asked("ask")), 3)
        self.assertTrue(all(tx.gateway_next_ask_at > fields.Datetime.now() for tx in txs))

    def test_one_time_out_is_enough_when_the_time_is_up(self):
        """Odoo calls the job again ten times: each must not wait for the same dead gateway."""
        txs = self.env["payment.transaction"].concat(*(self.create_tx() for _n in range(3)))
        self.make_due(txs)
        self.gateway.answers = [Unknown("no answer")]
        told = []
        self.patch(
            self.registry["ir.cron"],
            "_commit_progress",
            lambda *_args, **kwargs: told.append(kwargs),
        )
        with mute_logger(JOB):
            for _call in range(10):
                txs._cron_bd_reconcile()
        self.assertEqual(len(self.gateway.asked("ask")), 1)
        self.assertIn({"remaining": 0}, told)  # the worker goes on with other jobs

    def test_after_a_time_out_the_job_comes_again(self):
        """For the gateways that do answer."""
        self.make_due(self.create_tx() + self.create_tx())
        self.gateway.answers = [Unknown("no answer")]
        self.patch(self.registry["ir.cron"], "_commit_progress", lambda *args, **kwargs: 0)
        triggers = self.env["ir.cron.trigger"]
        before = triggers.search_count([])
        with mute_logger(JOB):
            self.env["payment.transaction"]._cron_bd_reconcile()
        self.assertEqual(triggers.search_count([]), before + 1)

    def test_when_its_time_is_up_the_job_comes_again_after_the_others(self):
        txs = self.create_tx() + self.create_tx() + self.create_tx()
        self.make_due(txs)
        self.gateway.answers = [self.verified(txs[0], PENDING)]
        told = []
        self.patch(
            self.registry["ir.cron"],
            "_commit_progress",
            lambda *_args, **kwargs: told.append(kwargs),
        )
        triggers = self.env["ir.cron.trigger"]
        before = triggers.search_count([])
        txs._cron_bd_reconcile()
        self.assertEqual(len(self.gateway.asked("ask")), 1)
        self.assertEqual(told[-1], {"remaining": 0})
        self.assertEqual(triggers.search_count([]), before + 1)
        for _call in range(2):
            txs._cron_bd_reconcile()
        # All were asked about: nothing to come again for.
        self.assertEqual(triggers.search_count([]), before + 2)

    def test_a_silent_gateway_does_not_hold_up_another(self):
        other = self.create_provider(self.company, self.journal, name="Other gateway")
        silent = [self.create_tx() for _n in range(5)]
        good = self.create_tx(provider=other)
        self.make_due(good + self.env["payment.transaction"].concat(*silent))

        def ask(tx, hint=None):
            if tx.provider_id == other:
                return self.verified(tx)
            raise Unknown("no answer")

        self.gateway.ask = ask
        with mute_logger(JOB):
            self.run_job()
        self.assertEqual(good.state, "done")

    def test_one_that_breaks_does_not_hold_up_the_others(self):
        bad, good = self.create_tx(), self.create_tx()
        self.make_due(bad + good)

        def ask(tx, hint=None):
            if tx == bad:
                raise KeyError("a bug")
            return self.verified(tx)

        self.gateway.ask = ask
        with self.assertLogs(JOB, "ERROR"):
            self.run_job()
        self.assertEqual((bad.state, good.state), ("draft", "done"))
        self.assertGreater(bad.gateway_next_ask_at, fields.Datetime.now())
        self.assertTrue(bad.activity_ids)

    def test_what_came_while_the_row_was_taken_is_asked_about(self):
        tx = self.pay(self.create_tx(500))
        event = self.env["isp.gateway.event"]._note(
            tx, "notification", "busy", False, {"val_id": "2"}
        )
        self.gateway.answers = [self.verified(tx, reference="SECOND")]
        self.run_job()
        self.assertFalse(event.is_open)
        self.assertFalse(event.hint)
        self.assertEqual(self.gateway.asked("ask")[-1][2], {"val_id": "2"})
        self.assertEqual(tx._bd_extras().provider_reference, "SECOND")

    def test_different_claims_that_came_meanwhile_are_asked_about_one_by_one(self):
        tx = self.create_tx(500)
        events = self.env["isp.gateway.event"]
        claims = [{"status": "cancel"}, {"status": "success"}, None]
        for claim in claims * 2:
            events._note(tx, "return", "busy", False, claim)
        self.gateway.answers = [self.verified(tx, PENDING)]
        self.run_job()
        self.assertEqual([call[2] for call in self.gateway.asked("ask")], claims)
        self.assertFalse(tx.gateway_event_ids.filtered("is_open"))

    def test_what_cannot_be_asked_about_now_stays_open(self):
        """Another worker still has it: the job ends and comes again."""
        tx = self.create_tx(500)
        self.env["isp.gateway.event"]._note(tx, "return", "busy", False, {"status": "success"})
        self.patch(self.registry["payment.transaction"], "_bd_lock", lambda self: False)
        self.run_job()
        self.assertEqual(tx.gateway_event_ids.filtered("is_open").hint, {"status": "success"})

    def test_the_job_is_called_for_what_came_while_the_row_was_taken(self):
        tx = self.create_tx(500)
        cron = self.env.ref("isp_payments_bd.payment_transaction_cron_reconcile")
        triggers = [("cron_id", "=", cron.id)]
        before = self.env["ir.cron.trigger"].search_count(triggers)
        self.env["isp.gateway.event"]._note(tx, "return", "busy", False, {"status": "success"})
        self.assertEqual(self.env["ir.cron.trigger"].search_count(triggers), before + 1)

    def test_a_hundred_identical_messages_are_one_question(self):
        tx = self.create_tx(500)
        self.settle(tx, self.verified(tx), channel="notification", hint={"val_id": "1"})
        events = self.env["isp.gateway.event"]
        for _time in range(99):
            events._note(tx, "notification", "busy", False, {"val_id": "1"})
        self.run_job()
        self.assertEqual(len(self.gateway.asked("ask")), 1)
        self.assertFalse(tx.gateway_event_ids.filtered("is_open"))

    def test_days_without_an_answer_are_for_staff(self):
        tx = self.create_tx(500)
        self.settle(tx, Unknown("no answer"), channel="job")
        self.assertFalse(tx.activity_ids)
        self.env.cr.execute(
            "UPDATE payment_transaction SET create_date = create_date - interval '4 days'"
            " WHERE id = %s",
            [tx.id],
        )
        tx.invalidate_recordset()
        self.settle(tx, Unknown("no answer"), channel="job")
        self.settle(tx, Unknown("no answer"), channel="job")
        self.assertEqual(len(tx.activity_ids), 1)

    def test_asking_costs_few_queries(self):
        tx = self.create_tx(500)
        self.settle(tx, self.verified(tx, PENDING), channel="job")
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(12):
            self.settle(tx, self.verified(tx, PENDING), channel="job")
            self.env.flush_all()
