from odoo import fields, models

PORTAL_BILLS = 12
PORTAL_EVENTS = 5


class IspSubscription(models.Model):
    """What the customer is told about a subscription in the portal.

    The portal renders superuser records, so every value shown there comes from here or is named in
    the template one by one.
    """

    _inherit = "isp.subscription"

    # === BUSINESS METHODS - PORTAL === #

    def _get_portal_status(self):
        """State in the customer's words: ``(sentence, Bootstrap colour)``."""
        self.ensure_one()
        if self.state == "suspended" and self.suspend_reason == "request":
            return self.env._("Paused at your request"), "secondary"
        return {
            "draft": (self.env._("Not connected yet"), "info"),
            "active": (self.env._("Active"), "success"),
            "suspended": (self.env._("Suspended"), "danger"),
            "terminated": (self.env._("Ended"), "secondary"),
        }[self.state]

    def _get_portal_access(self):
        """What the connection gives now, in the customer's words."""
        self.ensure_one()
        if self.access == "walled":
            if self._is_waiting_for_payment():
                return self.env._("Payment page only – pay to be reconnected")
            return self.env._("Payment page only – please contact us")
        if self.access == "throttled" and self.throttle_reason == "overdue":
            return self.env._("Reduced speed – pay to have the full speed back")
        return {
            "full": self.env._("Full speed"),
            "throttled": self.env._("Reduced speed"),
        }.get(self.access, self.env._("No access"))

    def _get_portal_paid_until(self):
        """Last day that is paid, ``False`` while nothing is."""
        self.ensure_one()
        if not self.paid_until or not self.date_start or self.paid_until <= self.date_start:
            return False
        return fields.Date.subtract(self.paid_until, days=1)

    def _get_portal_bills(self):
        """The latest bills, newest first."""
        self.ensure_one()
        bills = self.charge_ids.move_id.filtered(lambda move: move.state == "posted")
        return bills.sorted(lambda move: (move.invoice_date, move.id), reverse=True)[:PORTAL_BILLS]

    def _get_payable_bills(self):
        """Open bills that can be paid online, oldest due first; orders are paid one by one."""
        self.ensure_one()
        return self.charge_ids.move_id.filtered(
            lambda move: not move.isp_is_order and move._has_to_be_paid()
        ).sorted(lambda move: (move.invoice_date_due, move.id))

    def _is_portal_overdue(self, bill):
        """Whether a part of the open ``bill`` should have been paid before today."""
        self.ensure_one()
        today = self.company_id._get_isp_today()
        return bill in self._get_open_receivables()[self.id].filtered(
            lambda line: line.date_maturity < today
        ).mapped("move_id")

    def _has_pending_payment(self):
        """Whether a payment of an open bill waits for its provider."""
        self.ensure_one()
        open_bills = self.charge_ids.move_id.filtered(
            lambda move: move.payment_state in ("not_paid", "partial")
        )
        return any(
            transaction.state in ("pending", "authorized")
            for transaction in open_bills.transaction_ids
        )

    def _is_waiting_for_payment(self):
        """Whether paying is all that is needed to be reconnected."""
        self.ensure_one()
        return self.state == "suspended" and self.suspend_reason == "overdue"

    def _get_portal_history(self):
        """Latest changes of state, ``[(moment, sentence)]``.

        The reasons written down by the staff are not for the customer.
        """
        self.ensure_one()
        events = self.env["isp.subscription.event"].search(
            [("subscription_id", "=", self.id), ("event_type", "=", "state")], limit=PORTAL_EVENTS
        )
        return [(event.date, self._get_portal_sentence(event)) for event in events]

    def _get_portal_sentence(self, event):
        if event.to_value == "suspended":
            return self.env._("Suspended")
        if event.to_value == "terminated":
            return self.env._("Service ended")
        if event.from_value == "suspended":
            return self.env._("Reconnected")
        return self.env._("Service started")
