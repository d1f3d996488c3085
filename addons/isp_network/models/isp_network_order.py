from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..radius import live

OPEN_STATES = ("pending", "sent")
_KEEP_DAYS = 90

_ORDER_STATES = [
    ("pending", "Waiting"),
    ("sent", "Sent, no answer"),
    ("acked", "Confirmed"),
    ("verified", "Verified"),
    ("failed", "Failed"),
    ("gone", "Nothing to do"),
]


class IspNetworkOrder(models.Model):
    """A change that a session which is online has to hear of: a new speed, or its end.

    Created in the transaction that changes the entitlement, executed after its commit by a job of
    the router (:meth:`isp.nas._job_send_orders`). A transaction only ever inserts orders and a
    job only ever updates them, so that nobody who takes a payment waits for a router. What is sent
    is what RADIUS would answer at that moment, not what held when the order was made.
    """

    _name = "isp.network.order"
    _description = "Change of a live session"
    _order = "id desc"
    _rec_name = "username"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "network",
        "retention": "network",
        "erasure": "delete",
    }
    _privacy_fields = {
        "username ip_address session_ref": {},
        "sent_values told message session_uid": {"export": False},
    }
    _privacy_facts = "kind state sent_at acked_at"
    _privacy_retention = {"anchor": "create_date"}
    _privacy_free = {
        "From our own lists, or the router's.": "reason error_cause",
        "Of the router and the database.": "nas_address xact",
    }
    _privacy_tables = {
        "radius.change": "What RADIUS answered before; taken by a job within minutes.",
    }

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    subscription_id = fields.Many2one(
        "isp.subscription", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id", string="Customer")
    nas_id = fields.Many2one(
        "isp.nas", "Router", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    nas_address = fields.Char("Router address", readonly=True)
    username = fields.Char(readonly=True)
    session_uid = fields.Char("Unique session number", readonly=True, required=True, index=True)
    session_ref = fields.Char("Session number", readonly=True)
    # Orders outlive their sessions, and who had an address is told by lawful requests only.
    ip_address = fields.Char("IP address", readonly=True, groups="isp_network.group_isp_lawful")
    kind = fields.Selection(
        [("coa", "New speed"), ("extend", "More time"), ("disconnect", "Disconnect")],
        "Change",
        readonly=True,
        required=True,
        help="A router changes the speed of a session that is up, and how long it lasts. For another "
        "address, pool or list the subscriber has to log in again, so the session is ended.",
    )
    forced = fields.Boolean(
        "Asked for", readonly=True, help="End the session, whatever the service is."
    )
    way = fields.Selection(
        [("coa", "RADIUS (CoA, Disconnect)"), ("api", "RouterOS API")],
        readonly=True,
        help="How the router took the order. A router that takes none by RADIUS is asked over its "
        "API, if an API account is entered: the session is ended there, and the customer's router "
        "logs in again with the new service.",
    )
    api_due = fields.Boolean("Over the API next", readonly=True)
    reason = fields.Char(readonly=True)
    state = fields.Selection(
        _ORDER_STATES, readonly=True, required=True, default="pending", index=True
    )
    attempts = fields.Integer(readonly=True)
    next_try = fields.Datetime("Next attempt", readonly=True)
    sent_at = fields.Datetime("Sent", readonly=True)
    acked_at = fields.Datetime("Confirmed", readonly=True)
    error_cause = fields.Char("Error-Cause", readonly=True, help="What the router gave as reason.")
    message = fields.Char("Result", readonly=True)
    sent_values = fields.Char("Sent values", readonly=True)
    told = fields.Json("Told before", readonly=True, help="What RADIUS had answered so far.")
    xact = fields.Char("Transaction", readonly=True)

    _open_idx = models.Index("(nas_id, id) WHERE state IN ('pending', 'sent')")

    # === COLLECTING === #

    @api.model
    def _collect_later(self):
        """Have :meth:`_collect_changes` called before the commit, once."""
        precommit = self.env.cr.precommit
        if precommit.data.get("isp_network.collect"):
            return
        precommit.data["isp_network.collect"] = True
        # A clean environment: neither who pays nor the context of a test may decide what happens.
        env = api.Environment(self.env.cr, SUPERUSER_ID, {})
        precommit.add(env["isp.network.order"]._collect_changes)

    @api.model
    def _collect_changes(self, reason=None):
        """Create the orders of what this transaction changed so far.

        :param reason: a sentence for people; what changes is said when there is none
        """
        # The moment that counts for logins is the commit, and this is as close as it gets.
        self.env.execute_query(
            SQL(
                "UPDATE radius.change SET changed_at = clock_timestamp()"
                " WHERE xact = pg_current_xact_id()::text::bigint RETURNING 1"
            )
        )
        return self._create_for_changes(
            SQL("c.xact = pg_current_xact_id()::text::bigint"), SQL("TRUE"), reason
        )

    @api.model
    def _create_for_changes(self, which_changes, which_sessions, reason=None):
        """Create orders for sessions that were told something else than RADIUS answers now.

        :param which_changes: condition on ``radius.change c``
        :param which_sessions: condition on ``radius.radacct_open s``
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.acctuniqueid, c.xact::text, c.told, radius.told(lower(e.username))
                FROM radius.change c
                JOIN isp_entitlement e ON e.subscription_id = c.subscription_id
                JOIN radius.radacct_open s ON s.subscription_id = c.subscription_id
                WHERE %(changes)s AND %(sessions)s AND NOT EXISTS (
                    SELECT FROM isp_network_order o
                    WHERE o.session_uid = s.acctuniqueid AND o.xact = c.xact::text)
                ORDER BY c.changed_at
                """,
                changes=which_changes,
                sessions=which_sessions,
            )
        )
        wanted = {}
        for uid, xact, told, now in rows:
            if kind := live.decide(told, now):
                # The oldest change wins: that is what the session was told.
                vals = {"kind": kind, "told": told, "xact": xact}
                vals["reason"] = reason or live.describe(told, now)
                wanted.setdefault(uid, vals)
        return self._create_for_sessions(wanted)

    @api.model
    def _create_for_sessions(self, vals_by_uid):
        """Create an order for each open session of ``{acctuniqueid: values}`` and queue them."""
        if not vals_by_uid:
            return self.browse()
        self.env["isp.nas"].flush_model(["ip_address", "active", "company_id"])
        self.env["isp.subscription"].flush_model(["company_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.acctuniqueid AS session_uid, s.acctsessionid AS session_ref, s.username,
                    host(s.framedipaddress) AS ip_address, host(s.nasipaddress) AS nas_address,
                    p.id AS subscription_id, COALESCE(n.id, m.id) AS nas_id,
                    COALESCE(p.company_id, n.company_id, m.company_id, %(company)s) AS company_id
                FROM radius.radacct_open s
                LEFT JOIN isp_subscription p ON p.id = s.subscription_id
                LEFT JOIN isp_nas n ON n.id = s.nas_id
                LEFT JOIN isp_nas m ON n.id IS NULL AND m.active
                    AND m.ip_address = host(s.nasipaddress)
                WHERE s.acctuniqueid = ANY(%(uids)s) ORDER BY s.radacctid
                """,
                company=self.env.company.id,
                uids=list(vals_by_uid),
            )
        )
        names = ("session_uid", "session_ref", "username", "ip_address", "nas_address")
        names += ("subscription_id", "nas_id", "company_id")
        vals_list = [dict(zip(names, row, strict=True)) for row in rows]
        # sudo: who changes a service need not have the rights of a network engineer.
        orders = self.sudo().create(
            [{**vals, **vals_by_uid[vals["session_uid"]]} for vals in vals_list]
        )
        orders._fail_without_router()
        orders.nas_id._queue_orders()
        return orders

    def _fail_without_router(self):
        for order in self.filtered(lambda order: not order.nas_id):
            order._fail(
                self.env._(
                    "The session came from %s, which is no router in Odoo.", order.nas_address
                )
            )

    @api.model
    def _disconnect_sessions(self, condition, reason):
        """Create orders that end open sessions.

        :param condition: SQL condition on ``radius.radacct_open s``
        """
        uids = self.env.execute_query(
            SQL("SELECT s.acctuniqueid FROM radius.radacct_open s WHERE %s", condition)
        )
        vals = {"kind": "disconnect", "forced": True, "reason": reason}
        return self._create_for_sessions({uid: vals for [uid] in uids})

    # === ACTIONS === #

    def action_resend(self):
        """Try again now, as if it was the first time."""
        self._require_engineer()
        todo = self.filtered(lambda order: order.state in (*OPEN_STATES, "failed"))
        if not todo:
            raise UserError(self.env._("Only what waits or has failed can be sent again."))
        todo.check_access("read")
        # sudo: orders are written by nobody else, so that they stay a record of what happened.
        todo = todo.sudo()
        todo.write(
            {
                "state": "pending",
                "attempts": 0,
                "next_try": False,
                "error_cause": False,
                "api_due": False,
            }
        )
        todo.nas_id._forget_silence()
        todo.nas_id._queue_orders()

    def action_give_up(self):
        """Stop trying."""
        self._require_engineer()
        todo = self.filtered(lambda order: order.state in (*OPEN_STATES, "failed"))
        todo.check_access("read")
        # sudo: as above.
        todo.sudo()._finish("gone", self.env._("Given up by %s.", self.env.user.name))

    @api.model
    def _require_engineer(self):
        if not self.env.user.has_group("isp_base.group_isp_network"):
            raise UserError(
                self.env._("Orders to routers are looked after by the network engineers.")
            )

    # === HELPERS === #

    def _finish(self, state, message=False, **vals):
        vals = {"state": state, "message": message, "next_try": False, "api_due": False, **vals}
        self.write(vals)

    def _fail(self, message, **vals):
        self._finish("failed", message, **vals)

    @api.model
    def _get_open_domain(self):
        return Domain("state", "in", OPEN_STATES)

    @api.autovacuum
    def _gc_orders(self):
        """Forget orders that are done after a while."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=_KEEP_DAYS)
        done = Domain("state", "in", ("verified", "gone", "failed"))
        self.search(done & Domain("create_date", "<", limit), limit=10000).unlink()

    # === BUSINESS METHODS - PRIVACY === #

    def _privacy_waiting(self):
        """Return the orders that are not erased yet, because a router is to hear of them first."""
        return self.filtered_domain(self._get_open_domain())
