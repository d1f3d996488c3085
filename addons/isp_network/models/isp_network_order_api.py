from odoo import fields, models

from ..radius import coa
from ..routeros import active, errors
from .isp_network_order_send import LASTING_CAUSES


class IspNetworkOrder(models.Model):
    """Orders for routers that take none by RADIUS, carried out over the RouterOS API.

    RouterOS does not let anybody change the queue of a session that RADIUS made, so over the API a
    session is always ended; the customer's router logs in again and gets the new service.
    """

    _inherit = "isp.network.order"

    def _goes_over_api(self, answer):
        """Whether the API is asked after this answer, or none, to an order by RADIUS."""
        self.ensure_one()
        # More time is no reason to end a session.
        if self.kind == "extend" or not self.nas_id._has_order_api():
            return False
        if answer.outcome == coa.NAK:
            return answer.error_cause in LASTING_CAUSES
        # A packet may get lost. For a speed it is asked once more before the session is ended.
        return answer.outcome in (coa.SILENCE, coa.SKIPPED) and (
            self.kind == "disconnect" or self.attempts > 0
        )

    def _send_over_api(self, nas):
        """End the sessions over the API, write down what became of the orders.

        :return: the error when the router could not be talked to, else None
        """
        decided = [order for order, _changes in self._decide_all(nas)]
        if not decided:
            return None
        sessions = [
            active.Online(
                order, order.username or "", order.session_ref or "", order.ip_address or ""
            )
            for order in decided
        ]
        try:
            with nas._open_router() as session:
                results = active.end_online(session, sessions)
        except errors.RouterError as error:
            for order in decided:
                order._note_api_failure(nas._explain_router_error(error))
            return error
        for order, result in results.items():
            order._note_api_result(result)
        return None

    def _note_api_result(self, result):
        self.ensure_one()
        if result not in (active.ENDED, active.GONE):
            self._note_api_failure(
                self.env._("%(router)s refused: %(what)s.", router=self.nas_id.name, what=result)
            )
            return
        message = (
            self.env._(
                "By RADIUS it was not possible. The session was ended over the RouterOS API."
            )
            if result == active.ENDED
            else self.env._("The router knows no such session any more.")
        )
        now = fields.Datetime.now()
        # Whatever it was: the session has to end, and that is what accounting has to show.
        vals = {"kind": "disconnect", "way": "api", "sent_values": False, "error_cause": False}
        self._finish("acked", message, acked_at=now, sent_at=now, **vals)

    def _note_api_failure(self, message):
        """Both ways failed: it is tried again when it was going to be."""
        self.ensure_one()
        both = self.env._(
            "%(radius)s Over the API: %(api)s", radius=self.message or "", api=message
        ).strip()
        self.write({"message": both, "api_due": False})
