from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..radius import coa, live

# Pauses after an attempt that failed, in seconds; after the last one a person has to look.
RETRY_SECONDS = (5, 15, 60, 300, 1800, 1800, 1800)
# Fewer than a router disconnects in the time a payment may wait: jobs of one router take turns.
BATCH_SIZE = 200
# An accounting packet may have been on its way when the router confirmed.
_GRACE = timedelta(seconds=10)
# Error-Cause (RFC 5176, section 3.5) that will be the same next time.
LASTING_CAUSES = {
    "Unsupported-Attribute",
    "Missing-Attribute",
    "NAS-Identification-Mismatch",
    "Invalid-Request",
    "Unsupported-Service",
    "Unsupported-Extension",
    "Invalid-Attribute-Value",
    "Administratively-Prohibited",
}


class IspNetworkOrder(models.Model):
    """What the job of a router does with its orders."""

    _inherit = "isp.network.order"

    # === SENDING === #

    @api.model
    def _find_due(self, nas):
        """Orders of a router whose time has come, with all others of the same sessions."""
        domain = self._get_open_domain() & Domain("nas_id", "=", nas.id)
        now = fields.Datetime.now()
        due = domain & (Domain("next_try", "=", False) | Domain("next_try", "<=", now))
        uids = self.search(due, order="id", limit=BATCH_SIZE).mapped("session_uid")
        unfinished = self._get_open_domain() | Domain("state", "=", "failed")
        return self.search(unfinished & Domain("session_uid", "in", uids), order="id")

    def _lock_for_sending(self):
        """Lock the orders, as they are in the snapshot of this job.

        :raises psycopg2.errors.SerializationFailure: when somebody changed one meanwhile
        """
        self.env.cr.execute(
            SQL("SELECT FROM isp_network_order WHERE id = ANY(%s) FOR UPDATE", self.ids),
            log_exceptions=False,
        )

    def _merge(self):
        """Keep the newest order of each session, which learns what the others knew."""
        kept = self.browse()
        for orders in self.sorted("id").grouped("session_uid").values():
            newest, older = orders[-1], orders[:-1]
            kept += newest
            if not older:
                continue
            newest.write(
                {
                    "state": "pending",
                    "forced": any(orders.mapped("forced")),
                    # What held before the first of them, though one may have been obeyed unheard.
                    "told": orders[0].told,
                    "sent_at": max(orders.filtered("sent_at").mapped("sent_at"), default=False),
                }
            )
            older._finish("gone", self.env._("Replaced by a newer order."))
        return kept

    def _send(self, nas):
        """Send the orders to their router, write down what became of them; return the answers."""
        secret = nas._get_coa_secret()
        if not secret:
            for order in self:
                order._try_later(
                    self.env._("The router is archived, or its secret cannot be read."),
                    sent=False,
                    attempts=order.attempts + 1,
                )
            return []
        answers = nas._send_coa(self._prepare_requests(nas, secret))
        for answer in answers:
            answer.key._note_answer(answer)
        return answers

    def _prepare_requests(self, nas, secret):
        """What each session has to be told now, as :class:`coa.Request` with the order as key."""
        return [
            coa.Request(
                order,
                "disconnect" if order.kind == "disconnect" else "coa",
                nas.ip_address,
                nas.coa_port,
                secret.encode(),
                order._identity() | changes,
            )
            for order, changes in self._decide_all(nas)
        ]

    def _decide_all(self, nas):
        """Decide what each session has to be told now.

        Orders that need nothing any more are finished here.

        :return: list of ``(order, attributes that change)``
        """
        sessions = self._read_sessions(nas)
        decided = []
        for order in self:
            if order.session_uid not in sessions:
                order._finish("gone", self.env._("The session has ended."))
                continue
            wanted, for_router, online_s, limit_s = sessions[order.session_uid]
            kind = order._decide(wanted)
            if not kind:
                order._finish("gone", self.env._("The service is what it was."))
                continue
            changes = live.changes(for_router) if kind == "coa" else {}
            if order._gives_time(kind, wanted):
                changes[live.TIMEOUT] = live.new_timeout(wanted, online_s, limit_s)
            order.write(
                {
                    "kind": kind,
                    "sent_values": ", ".join(f"{k} = {v}" for k, v in sorted(changes.items())),
                }
            )
            decided.append((order, changes))
        return decided

    def _read_sessions(self, nas):
        """What is known of the sessions that are open, by ``acctuniqueid``.

        What RADIUS answers, the same in the attributes of the router, how long the session has been
        online in seconds, and how long it may last by its plan.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.acctuniqueid, radius.told(u.name), radius.told(u.name, %(address)s),
                    extract(epoch FROM clock_timestamp() - s.acctstarttime)::float,
                    NULLIF(e.session_timeout_s, 0)
                FROM radius.radacct_open s
                LEFT JOIN isp_entitlement e ON e.subscription_id = s.subscription_id
                CROSS JOIN LATERAL (SELECT COALESCE(lower(e.username), s.username)) u (name)
                WHERE s.acctuniqueid = ANY(%(uids)s)
                """,
                address=nas.ip_address,
                uids=self.mapped("session_uid"),
            )
        )
        return {uid: values for uid, *values in rows}

    def _gives_time(self, kind, wanted):
        """Whether the router is told a longer time."""
        self.ensure_one()
        if kind == "coa" and self.error_cause in LASTING_CAUSES:
            # It may have refused the time only: the speed is told without.
            return False
        return kind in ("coa", "extend") and live.ends_later(self.told, wanted)

    def _decide(self, wanted):
        self.ensure_one()
        if self.forced:
            return "disconnect"
        kind = live.decide(self.told or None, wanted)
        if kind or not self.sent_at:
            return kind
        # Back at the old service, but an earlier attempt may have been obeyed without our hearing.
        return live.decide(None, wanted)

    def _identity(self):
        """Attributes by which the router finds the session."""
        self.ensure_one()
        identity = {"User-Name": self.username, "Acct-Session-Id": self.session_ref}
        if self.ip_address:
            identity["Framed-IP-Address"] = self.ip_address
        if self.error_cause == coa.SESSION_NOT_FOUND or not self.username:
            # The router may know the name as it was typed; accounting keeps it in lower case.
            del identity["User-Name"]
        return identity

    def _note_answer(self, answer):
        """Write down what became of a request."""
        self.ensure_one()
        now = fields.Datetime.now()
        vals = {"attempts": self.attempts + 1, "error_cause": answer.error_cause}
        if answer.sends:
            vals["sent_at"] = now
        if answer.outcome == coa.ACK:
            self._finish("acked", acked_at=now, way="coa", **vals)
        elif answer.is_gone and self.kind == "disconnect":
            # Ended already, as far as the router knows; the next accounting packet tells.
            message = self.env._("The router knows no such session any more.")
            self._finish("acked", message, acked_at=now, way="coa", **vals)
        elif answer.outcome == coa.INVALID:
            self._fail(self.env._("It cannot be sent: %s.", answer.detail), **vals)
        elif self._can_do_without_time(answer):
            # At once: what was refused may have been the time, not the speed.
            self._try_later(self._explain(answer), **vals)
            self.next_try = False
        elif self.kind == "extend" and answer.error_cause in LASTING_CAUSES:
            self._leave_time(**vals)
        elif self._goes_over_api(answer):
            self._try_later(self._explain(answer), sent=bool(answer.sends), api_due=True, **vals)
        elif answer.outcome == coa.NAK and answer.error_cause in LASTING_CAUSES:
            self._fail(self._explain(answer), **vals)
        else:
            self._try_later(self._explain(answer), sent=bool(answer.sends), **vals)

    def _try_later(self, message, sent=True, **vals):
        """Wait for the next attempt, or fail after the last."""
        self.ensure_one()
        attempts = vals.get("attempts", self.attempts)
        if attempts > len(RETRY_SECONDS):
            if self.kind == "extend":
                self._leave_time(**vals)
            else:
                self._fail(message, **vals)
            return
        pause = timedelta(seconds=RETRY_SECONDS[max(attempts, 1) - 1])
        state = "sent" if sent or self.state == "sent" else "pending"
        self.write(
            {
                "state": state,
                "message": message,
                "next_try": fields.Datetime.now() + pause,
                **vals,
            }
        )

    def _can_do_without_time(self, answer):
        """Whether a router that refused a speed may take it without the time sent along."""
        return (
            self.kind == "coa"
            and answer.outcome == coa.NAK
            and answer.error_cause in LASTING_CAUSES
            and live.TIMEOUT in (self.sent_values or "")
        )

    def _leave_time(self, **vals):
        """More time is no reason to end a session: it ends at its old time, and logs in again."""
        message = self.env._(
            "The router does not change how long a session lasts. It ends when it would have ended, "
            "and the customer logs in again."
        )
        self._finish("gone", message, **vals)

    def _explain(self, answer):
        """What an answer, or none, means for the person who looks."""
        if answer.outcome == coa.NAK:
            if answer.error_cause in ("Unsupported-Attribute", "Unsupported-Service"):
                return self.env._(
                    "The router refused (%s): it does not take this change on a session that is "
                    "up. Disconnect the session, then it logs in with the new service.",
                    answer.error_cause,
                )
            return self.env._(
                "The router refused: %s.", answer.error_cause or self.env._("no cause")
            )
        if answer.detail:
            return self.env._("It cannot be sent: %s.", answer.detail)
        if answer.bad_answers:
            return self.env._(
                "An answer came that was not signed with the router's secret. Is the secret in "
                "Odoo the one of the router?"
            )
        return self.env._(
            "The router does not answer. Check its secret, the firewall, and on RouterOS "
            "/radius incoming (accept=yes and the CoA port)."
        )

    # === FOLLOWING UP === #

    @api.model
    def _cron_follow_up(self):
        """Look whether sessions did what routers promised, and for what was missed."""
        self._collect_missed()
        self._collect_outlived()
        self._verify()
        self._clear_failed()
        self.env["isp.nas"]._queue_forgotten_orders()

    @api.model
    def _collect_missed(self):
        """Order for sessions that the transaction of a change could not see.

        They were being set up when it committed, or the change was written by SQL.
        """
        # Logged in before the change: after it RADIUS had already given the new answer.
        logged_in = SQL(
            """
            COALESCE((SELECT max(p.authdate) FROM radius.radpostauth p
                WHERE p.subscription_id = s.subscription_id AND p.reply = 'Access-Accept'
                AND p.authdate <= s.acctstarttime + interval '1 s'), s.acctstarttime)
            """
        )
        orders = self._create_for_changes(
            SQL("c.changed_at < clock_timestamp() - interval '10 s'"),
            SQL("%s < c.changed_at", logged_in),
        )
        self.env.execute_query(
            SQL(
                "DELETE FROM radius.change WHERE changed_at < clock_timestamp() - interval '5 min'"
                " RETURNING 1"
            )
        )
        return orders

    @api.model
    def _collect_outlived(self):
        """Order the end of sessions that go on although their service is over.

        A router that counts a Session-Timeout of a CoA from another moment would let them go on.
        """
        self.flush_model()
        self.env["isp.entitlement"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.acctuniqueid FROM isp_entitlement e
                JOIN radius.radacct_open s ON s.subscription_id = e.subscription_id
                WHERE e.access IN ('full', 'throttled')
                    AND e.valid_until > (now() AT TIME ZONE 'UTC') - interval '2 days'
                    AND s.acctstarttime < e.valid_until AT TIME ZONE 'UTC'
                    AND s.acctupdatetime > e.valid_until AT TIME ZONE 'UTC' + interval '60 s'
                    AND NOT EXISTS (SELECT FROM isp_network_order o
                        WHERE o.session_uid = s.acctuniqueid AND o.create_date > e.valid_until)
                """
            )
        )
        vals = {"kind": "disconnect", "reason": self.env._("The service is over")}
        return self._create_for_sessions({uid: vals for [uid] in rows})

    @api.model
    def _verify(self):
        """Compare what was confirmed with the accounting since."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id, s.acctuniqueid IS NULL, s.acctupdatetime AT TIME ZONE 'UTC'
                FROM isp_network_order o
                LEFT JOIN radius.radacct_open s ON s.acctuniqueid = o.session_uid
                WHERE o.state = 'acked'
                """
            )
        )
        for order_id, ended, heard_at in rows:
            self.browse(order_id)._verify_one(ended, heard_at)

    def _verify_one(self, ended, heard_at):
        self.ensure_one()
        if ended:
            verified = self.kind == "disconnect" and not self.error_cause
            message = False if verified else self.env._("The session has ended.")
            self._finish("verified" if verified else "gone", message)
        elif not heard_at:
            return
        elif self.kind != "disconnect" and heard_at > self.acked_at:
            self._finish("verified")
        elif self.kind == "disconnect" and heard_at > self.acked_at + _GRACE:
            self._try_later(
                self.env._("The router confirmed the disconnect, but the session goes on.")
            )

    @api.model
    def _clear_failed(self):
        """A session that ended by itself needs nothing any more: the next login is right."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id FROM isp_network_order o WHERE o.state = 'failed' AND NOT EXISTS (
                    SELECT FROM radius.radacct_open s WHERE s.acctuniqueid = o.session_uid)
                """
            )
        )
        for order in self.browse(row[0] for row in rows):
            order._finish("gone", self.env._("The session has ended. Before: %s", order.message))
