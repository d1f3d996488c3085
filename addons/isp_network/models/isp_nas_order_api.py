from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..routeros import errors
from .isp_network_order_send import BATCH_SIZE

# Pauses after the API could not be used, in seconds: away, and refused (a person has to act).
_AWAY_SECONDS = 60
_REFUSED_SECONDS = 300


class IspNas(models.Model):
    """The RouterOS API as the second way for orders, when RADIUS is no way."""

    _inherit = "isp.nas"

    def _has_order_api(self):
        """Whether orders can be carried out over the API, as far as is known."""
        self.ensure_one()
        # sudo: whether there is a password, whoever caused the order.
        return bool(
            self.active and self.nas_type == "mikrotik" and self.sudo().routeros_password_enc
        )

    def _queue_api_orders(self):
        """Have the orders that wait for the API carried out.

        In the channel of the router's API and not in that of CoA, where three routers that answer
        nothing would stop everybody else's orders.
        """
        for nas in self.with_env(api.Environment(self.env.cr, SUPERUSER_ID, {})):
            nas.with_delay(
                channel=f"root.isp_routeros.nas_{nas.id}",
                description=nas.env._("End sessions on %s over its API", nas.display_name),
                max_retries=0,
            )._job_send_orders_over_api()

    def _job_send_orders_over_api(self):
        """Carry out the orders of one router that wait for its API."""
        self.ensure_one()
        self._lock_contact()
        orders = self._find_api_orders()
        with self._take_turns():
            orders._lock_for_sending()
        if not orders:
            return "nothing to do"
        error = orders._merge()._send_over_api(self)
        self._note_api_contact(error)
        if error:
            self._queue_rest()
        elif self._find_api_orders():
            self._queue_api_orders()
        return str(error or "done")

    def _find_api_orders(self):
        """Orders that wait for the API, with all others of the same sessions."""
        orders = self.env["isp.network.order"]
        unfinished = orders._get_open_domain() | Domain("state", "=", "failed")
        mine = unfinished & Domain("nas_id", "=", self.id)
        due = orders.search(mine & Domain("api_due", "=", True), order="id", limit=BATCH_SIZE)
        return orders.search(
            mine & Domain("session_uid", "in", due.mapped("session_uid")), order="id"
        )

    def _hand_to_api(self, orders):
        """Let the API do what RADIUS could not, unless the API has failed just now."""
        due = orders.filtered("api_due")
        if not due:
            return
        [[paused]] = self.env.execute_query(
            SQL(
                "SELECT count(*) > 0 FROM radius.nas_contact WHERE nas_id = %s AND api_retry_at > %s",
                self.id,
                fields.Datetime.now(),
            )
        )
        if paused:
            due.api_due = False
        else:
            self._queue_api_orders()

    def _note_api_contact(self, error):
        """Keep that the router answered, or when its API may be tried again."""
        now = fields.Datetime.now()
        retry_at = None
        if error:
            away = isinstance(error, errors.Unreachable)
            retry_at = now + timedelta(seconds=_AWAY_SECONDS if away else _REFUSED_SECONDS)
        self.env.cr.execute(
            SQL(
                "UPDATE radius.nas_contact SET api_retry_at = %s,"
                " answered_at = COALESCE(%s, answered_at) WHERE nas_id = %s",
                retry_at,
                None if error else now,
                self.id,
            )
        )
        self.invalidate_recordset(["last_contact"], flush=False)
