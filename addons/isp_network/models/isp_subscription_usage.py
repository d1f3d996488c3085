from contextlib import suppress
from datetime import datetime, time, timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.isp_billing.engine.periods import first_boundary

from ..usage import caps


class IspSubscription(models.Model):
    """What a subscription has used. Days are the company's; sizes are octets unless named MB."""

    _inherit = "isp.subscription"

    usage_today_mb = fields.Float(
        "Today (MB)", digits=(16, 1), compute="_compute_usage", help="Download and upload."
    )
    usage_cycle_mb = fields.Float(
        "This period (MB)",
        digits=(16, 1),
        compute="_compute_usage",
        help="Download and upload since the billing period began.",
    )

    # === COMPUTE METHODS === #

    def _compute_usage(self):
        for subscription in self:
            today = subscription.company_id._get_isp_today()
            begin, end = subscription._get_usage_cycle(today)
            tomorrow = today + timedelta(days=1)
            subscription.usage_today_mb = sum(subscription._get_usage(today, tomorrow)) / 1e6
            subscription.usage_cycle_mb = sum(subscription._get_usage(begin, end)) / 1e6

    # === ACTION METHODS === #

    def action_view_usage(self):
        """Open the usage of the subscription by day."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_network.isp_usage_day_action")
        action.update(domain=[("subscription_id", "=", self.id)], context={})
        return action

    # === BUSINESS METHODS === #

    def _get_usage(self, date_from, date_to):
        """``(upload_bytes, download_bytes)`` of the days from ``date_from`` until before
        ``date_to``."""
        self.ensure_one()
        [sums] = self.env.execute_query(
            SQL(
                "SELECT COALESCE(sum(upload_bytes), 0)::bigint, "
                "COALESCE(sum(download_bytes), 0)::bigint FROM radius.usage_day "
                "WHERE subscription_id = %s AND day >= %s AND day < %s",
                # A new record has no usage.
                self._origin.id or None,
                date_from,
                date_to,
            )
        )
        return sums

    def _get_usage_by_day(self, date_from, date_to):
        """``{day: (upload_bytes, download_bytes)}`` of the days with usage."""
        self.ensure_one()
        return {
            day: (upload, download)
            for day, upload, download in self.env.execute_query(
                SQL(
                    "SELECT day, upload_bytes, download_bytes FROM radius.usage_day "
                    "WHERE subscription_id = %s AND day >= %s AND day < %s",
                    self.id,
                    date_from,
                    date_to,
                )
            )
        }

    def _get_usage_by_hour(self, day):
        """``{hour: (upload_bytes, download_bytes)}`` of today or yesterday."""
        self.ensure_one()
        begin = datetime.combine(day, time.min)
        return {
            hour.hour: (upload, download)
            for hour, upload, download in self.env.execute_query(
                SQL(
                    "SELECT hour, upload_bytes, download_bytes FROM radius.usage_hour "
                    "WHERE subscription_id = %s AND hour >= %s AND hour < %s",
                    self.id,
                    begin,
                    begin + timedelta(days=1),
                )
            )
        }

    def _get_usage_cycle(self, day):
        """``(first day, first day after)`` of the billing period that contains ``day``."""
        self.ensure_one()
        if not self.date_start or not self.plan_id:
            return day.replace(day=1), fields.Date.add(day.replace(day=1), months=1)
        if self.has_changes:
            # A history that cannot be billed is shown by the billing run, not here.
            with suppress(UserError):
                return self._get_period_on(max(day, self.date_start))
        cycle = self._get_cycle()
        first = first_boundary(self.date_start, cycle)
        return caps.cycle_window(day, self.date_start, cycle, first)
