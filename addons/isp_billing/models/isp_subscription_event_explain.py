import pytz

from odoo import models
from odoo.tools import format_date

from .isp_charge_words import DATE_FORMAT


class IspSubscriptionEvent(models.Model):
    """An event as the reason for an amount."""

    _inherit = "isp.subscription.event"

    def _get_billing_day(self):
        """Day from which the bills follow the event, in the company's time zone."""
        self.ensure_one()
        if self._is_beginning() and self.subscription_id.date_start:
            return self.subscription_id.date_start
        if self.effective_date:
            return self.effective_date
        zone = self.company_id._get_isp_timezone()
        return pytz.utc.localize(self.date).astimezone(zone).date()

    def _is_beginning(self):
        """Whether the service began by the event."""
        self.ensure_one()
        return (self.event_type, self.from_value, self.to_value) == ("state", "draft", "active")

    def _explain(self, for_customer=False):
        """The event as a reason for an amount.

        :param for_customer: without the staff's names and words; empty when nothing is left
        """
        self.ensure_one()
        day = format_date(self.env, self._get_billing_day(), date_format=DATE_FORMAT)
        what = self._get_explained_change()
        if for_customer:
            return what and self.env._("%(day)s: %(what)s", day=day, what=what)
        reason, user = self.reason or "", self.user_id.name
        what = what or reason
        if not reason or what.startswith(reason):
            return self.env._("%(day)s: %(what)s, by %(user)s", day=day, what=what, user=user)
        return self.env._(
            "%(day)s: %(what)s, by %(user)s (%(reason)s)",
            day=day,
            what=what,
            user=user,
            reason=reason,
        )

    def _get_explained_change(self):
        """What changed, in words that a customer may read; empty when only the staff's tell it."""
        if self.event_type == "state":
            return self.subscription_id._get_portal_sentence(self)
        values = {"old": self.from_value, "new": self.to_value}
        if self.event_type == "plan":
            return self.env._("Plan changed from %(old)s to %(new)s", **values)
        if self.event_type == "price":
            if all(values.values()):
                return self.env._("Price changed from %(old)s to %(new)s", **values)
            return self.env._("Price changed")
        if self.event_type == "billing" and all(values.values()):
            return self.env._("Billing day changed from %(old)s to %(new)s", **values)
        return ""
