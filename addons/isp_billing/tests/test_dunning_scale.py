import logging
import time

from odoo.tests import tagged
from odoo.tools import SQL

from .dunning_common import IspDunningCase

_logger = logging.getLogger(__name__)

COPIES = 9_999
GENEROUS_S = 30.0


@tagged("post_install", "-at_install")
class TestDunningScale(IspDunningCase):
    """Ten thousand subscriptions, each with an unpaid bill."""

    def copy_rows(self, table, source_id, first_id, **columns):
        """Copy a row so many times that with the first it makes ten thousand."""
        pairs = SQL(", ").join(
            SQL("%s, %s", name, SQL(value))
            for name, value in {"id": str(first_id) + " + n"}.items()
        )
        for name, value in columns.items():
            pairs = SQL("%s, %s, %s", pairs, name, SQL(value))
        self.env.cr.execute(
            SQL(
                "INSERT INTO %(table)s SELECT copy.* FROM %(table)s source,"
                " generate_series(1, %(copies)s) n,"
                " jsonb_populate_record(source, jsonb_build_object(%(pairs)s)) copy"
                " WHERE source.id = %(id)s",
                table=SQL.identifier(table),
                copies=COPIES,
                pairs=pairs,
                id=source_id,
            )
        )

    def multiply(self):
        """Copy the customer, the subscription, its charge and its bill."""
        self.env.flush_all()
        start = 10_000_000
        charge = self.subscription.charge_ids
        line = charge.move_id.line_ids.filtered(
            lambda item: item.account_type == "asset_receivable"
        )
        key = f"{start} + n"
        self.copy_rows(
            "res_partner", self.customer.id, start, commercial_partner_id=key, ref="'c' || n"
        )
        self.copy_rows(
            "isp_subscription",
            self.subscription.id,
            start,
            partner_id=key,
            commercial_partner_id=key,
            name="'copy' || n",
            username="'copy' || n",
        )
        self.copy_rows(
            "account_move",
            charge.move_id.id,
            start,
            partner_id=key,
            commercial_partner_id=key,
            name="'COPY/' || n",
        )
        self.copy_rows("account_move_line", line.id, start, partner_id=key, move_id=key)
        self.copy_rows(
            "isp_charge",
            charge.id,
            start,
            partner_id=key,
            subscription_id=key,
            move_id=key,
            charge_type="'one_off'",
            invoice_line_id="NULL::int",
        )
        self.env.cr.execute("ANALYZE account_move_line, account_move, isp_charge, isp_subscription")
        self.env.invalidate_all()

    def test_ten_thousand(self):
        self.set_steps(self.remind(1), {"action": "suspend", "days": 4, "hour": 10})
        self.bill("2027-03-01")
        self.multiply()
        with self.at("2027-03-05 06:00:00"):
            now = self.company._get_isp_now()
            steps = self.subscription._get_policy_steps(self.company, now)
            seconds, rows = self.measure(
                lambda: self.subscription._get_due_step_rows(self.company, now.date(), steps)
            )
            _logger.info("%s due steps selected in %.2f s", len(rows), seconds)
            self.assertLess(seconds, GENEROUS_S)
            seconds, decisions = self.measure(
                lambda: self.subscription._get_dunning_decisions(self.company)
            )
            _logger.info("%s steps decided in %.2f s", len(decisions), seconds)
            self.assertLess(seconds, GENEROUS_S)
            suspended = self.dun_batch()
            self.assertEqual(set(suspended.mapped("state")), {"suspended"})
            self.set_steps(self.remind(4))
            reminded = self.dun_batch()
            self.assertEqual(set(reminded.dunning_log_ids.mapped("outcome")), {"done"})
            self.assertEqual(len(self.mails(reminded[0])), 1)
        taken = [decision for decision in decisions if decision.verdict == "take"]
        self.assertEqual(len(taken), COPIES + 1)
        self.assertEqual({decision.step.action for decision in taken}, {"suspend"})

    def dun_batch(self):
        """Let the job's next batch be worked on; return it."""
        batch = self.env["isp.subscription"].search(
            [("state", "=", "active"), ("company_id", "=", self.company.id)], limit=200
        )
        seconds, _nothing = self.measure(lambda: (batch._dun(self.company), self.env.flush_all()))
        actions = set(
            batch.dunning_log_ids.filtered(lambda log: log.outcome == "done").mapped("action")
        )
        _logger.info("a batch of %s: %s in %.2f s", len(batch), actions, seconds)
        return batch

    def measure(self, work):
        """Seconds that ``work`` takes by the real clock, and its result."""
        begin = time.clock_gettime(time.CLOCK_MONOTONIC)
        result = work()
        return time.clock_gettime(time.CLOCK_MONOTONIC) - begin, result
