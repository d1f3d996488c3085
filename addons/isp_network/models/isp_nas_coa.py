import logging
from contextlib import contextmanager
from datetime import timedelta

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.queue_job.exception import RetryableJobError

from ..radius import coa

_logger = logging.getLogger(__name__)

# Pauses of a router that answers nothing, in seconds: its orders wait together.
_SILENCE_SECONDS = (5, 15, 60, 300)
_SOURCE_PARAMETER = "isp_network.coa_source_address"


class IspNas(models.Model):
    """The router as the one who takes orders for its sessions."""

    _inherit = "isp.nas"

    network_order_ids = fields.One2many("isp.network.order", "nas_id", readonly=True)
    last_contact = fields.Datetime(
        "Last contact",
        compute="_compute_contact",
        help="When the router last reported a session or answered an order.",
    )
    silent_since = fields.Datetime(
        "Silent since",
        compute="_compute_contact",
        search="_search_silent_since",
        help="When the router first left an order unanswered, after its last answer.",
    )
    pending_order_count = fields.Integer("Orders waiting", compute="_compute_order_counts")
    failed_order_count = fields.Integer("Orders failed", compute="_compute_order_counts")

    # === COMPUTE METHODS === #

    def _compute_contact(self):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT n.id, GREATEST(c.answered_at,
                    (SELECT max(s.acctupdatetime) AT TIME ZONE 'UTC' FROM radius.radacct_open s
                     WHERE s.nas_id = n.id)), c.silent_since
                FROM isp_nas n LEFT JOIN radius.nas_contact c ON c.nas_id = n.id
                WHERE n.id = ANY(%s)
                """,
                self._origin.ids,
            )
        )
        found = {nas_id: values for nas_id, *values in rows}
        for nas in self:
            nas.last_contact, nas.silent_since = found.get(nas._origin.id, (False, False))

    @api.model
    def _search_silent_since(self, operator, value):
        if operator != "in" or list(value) != [False]:
            return NotImplemented
        rows = self.env.execute_query(
            SQL("SELECT nas_id FROM radius.nas_contact WHERE silent_since IS NOT NULL")
        )
        return Domain("id", "not in", [nas_id for [nas_id] in rows])

    def _compute_order_counts(self):
        counts = {}
        orders = self.env["isp.network.order"]
        domain = Domain("nas_id", "in", self._origin.ids)
        domain &= orders._get_open_domain() | Domain("state", "=", "failed")
        for nas, state, count in orders._read_group(domain, ["nas_id", "state"], ["__count"]):
            key = nas.id, "failed" if state == "failed" else "pending"
            counts[key] = counts.get(key, 0) + count
        for nas in self:
            nas.pending_order_count = counts.get((nas._origin.id, "pending"), 0)
            nas.failed_order_count = counts.get((nas._origin.id, "failed"), 0)

    # === ACTIONS === #

    def action_view_orders(self):
        """Open the orders of the router."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_network.isp_network_order_action"
        )
        action.update(domain=[("nas_id", "=", self.id)], context={"search_default_unfinished": 1})
        return action

    def action_resend_orders(self):
        """Try everything that waits or has failed once more, now."""
        orders = self.network_order_ids.filtered(
            lambda order: order.state in ("pending", "sent", "failed")
        )
        if not orders:
            raise UserError(self.env._("No order waits for this router."))
        orders.action_resend()

    # === BUSINESS METHODS === #

    def _queue_orders(self, eta=None, identity_key=None):
        """Have the orders of each router sent after this transaction.

        There is no identity key at first: a job that another transaction has queued may have
        started when this one commits, and would not see its orders.
        """
        for nas in self.with_env(api.Environment(self.env.cr, SUPERUSER_ID, {})):
            nas.with_delay(
                description=nas.env._("Tell %s about its sessions", nas.display_name),
                eta=eta,
                identity_key=identity_key,
            )._job_send_orders()

    def _job_send_orders(self):
        """Send the orders of one router that are due."""
        self.ensure_one()
        contact = self._lock_contact()
        due = self.env["isp.network.order"]._find_due(self)
        with self._take_turns():
            due._lock_for_sending()
        if contact["retry_at"] and contact["retry_at"] > fields.Datetime.now():
            self._wait_for_answer(contact["retry_at"], due)
            return
        if due:
            kept = due._merge()
            answers = kept._send(self)
            self._note_contact(contact, answers)
            self._hand_to_api(kept)
        self._queue_rest()

    def _wait_for_answer(self, moment, orders):
        """A router that answered nothing lately is asked again then; its API at once."""
        if self._has_order_api():
            new = orders.filtered(
                lambda order: (
                    order.state != "failed" and order.kind != "extend" and not order.attempts
                )
            )
            new.api_due = True
            self._hand_to_api(new)
        self._queue_at(moment, orders)

    def _send_coa(self, requests):
        """Send requests over the network and return the answers. Tests replace this."""
        # sudo: a technical setting.
        source = self.env["ir.config_parameter"].sudo().get_param(_SOURCE_PARAMETER, "")
        return coa.send(requests, source=source)

    def _get_coa_secret(self):
        """Secret to sign orders with; none for a router that must be left alone."""
        self.ensure_one()
        if not self.active:
            return None
        try:
            # sudo: the job signs with the secret, whoever caused it.
            return self.sudo().secret or None
        except UserError as error:
            _logger.error("The secret of router %s cannot be read: %s", self.id, error)
            return None

    # === CONTACT === #

    def _lock_contact(self):
        """Lock the router for this job and return what is known about it.

        Two jobs of a router must not overlap: the one with the older speed could come last.

        :raises RetryableJobError: when another job talks to the router, or just did
        """
        self.ensure_one()
        columns = ("silent_since", "silences", "retry_at")
        insert = SQL(
            "INSERT INTO radius.nas_contact (nas_id) SELECT %(id)s WHERE NOT EXISTS ("
            "SELECT FROM radius.nas_contact WHERE nas_id = %(id)s) ON CONFLICT DO NOTHING",
            id=self.id,
        )
        select = SQL(
            "SELECT silent_since, silences, retry_at FROM radius.nas_contact WHERE nas_id = %s"
            " FOR UPDATE SKIP LOCKED",
            self.id,
        )
        with self._take_turns():
            self.env.cr.execute(insert, log_exceptions=False)
            self.env.cr.execute(select, log_exceptions=False)
            row = self.env.cr.fetchone()
        if not row:
            raise self._come_back()
        return dict(zip(columns, row, strict=True))

    @contextmanager
    def _take_turns(self):
        """Give way to the job that was faster, and come back with a new view of the data."""
        try:
            with self.env.cr.savepoint(flush=False):
                yield
        except psycopg2.errors.SerializationFailure:
            raise self._come_back() from None

    def _come_back(self):
        return RetryableJobError(
            f"Another job talks to router {self.id}", seconds=1, ignore_retry=True
        )

    def _note_contact(self, contact, answers):
        """Keep whether the router answers; a silent one is left alone for a while."""
        heard = any(answer.outcome in (coa.ACK, coa.NAK) for answer in answers)
        asked = any(answer.outcome == coa.SILENCE for answer in answers)
        now = fields.Datetime.now()
        if heard:
            vals = (now, None, 0, None)
        elif asked:
            silences = contact["silences"] + 1
            pause = _SILENCE_SECONDS[min(silences, len(_SILENCE_SECONDS)) - 1]
            since = contact["silent_since"] or now
            vals = (None, since, silences, now + timedelta(seconds=pause))
        else:
            return
        self._write_contact(*vals)

    def _write_contact(self, answered_at, silent_since, silences, retry_at):
        self.env.cr.execute(
            SQL(
                """
                UPDATE radius.nas_contact SET answered_at = COALESCE(%s, answered_at),
                    silent_since = %s, silences = %s, retry_at = %s
                WHERE nas_id = ANY(%s)
                """,
                *(answered_at, silent_since, silences, retry_at),
                self.ids,
            )
        )
        self.invalidate_recordset(["last_contact", "silent_since"], flush=False)

    def _forget_silence(self):
        """Ask the router again at once; what is known about its silence stays."""
        self.env.cr.execute(
            SQL(
                "UPDATE radius.nas_contact SET retry_at = NULL, api_retry_at = NULL"
                " WHERE nas_id = ANY(%s)"
                " AND (retry_at IS NOT NULL OR api_retry_at IS NOT NULL)",
                self.ids,
            )
        )

    # === QUEUE === #

    def _queue_at(self, moment, orders):
        """Come back for orders at a moment, with one job however often this is asked."""
        if orders:
            self._queue_orders(moment, f"isp_network.coa.{self.id}.{moment:%Y%m%d%H%M%S}")

    def _queue_rest(self):
        """Come back for what was left, or at the time of the next attempt."""
        orders = self.env["isp.network.order"]
        domain = orders._get_open_domain() & Domain("nas_id", "=", self.id)
        now = fields.Datetime.now()
        due = domain & (Domain("next_try", "=", False) | Domain("next_try", "<=", now))
        if orders.search(due, limit=1):
            self._queue_orders()
        elif later := orders.search(domain, order="next_try", limit=1):
            self._queue_at(later.next_try, later)

    @api.model
    def _queue_forgotten_orders(self):
        """Queue routers whose orders are overdue: their job was lost or deleted."""
        orders = self.env["isp.network.order"]
        limit = fields.Datetime.now() - timedelta(seconds=60)
        waiting = Domain("next_try", "=", False) & Domain("create_date", "<", limit)
        domain = orders._get_open_domain() & (waiting | Domain("next_try", "<", limit))
        for [nas] in orders._read_group(domain, ["nas_id"]):
            nas._queue_at(limit, nas)
