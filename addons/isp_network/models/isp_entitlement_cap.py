from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import SQL

from ..usage import caps

_SPEEDS = ("download_kbps", "upload_kbps")
# How often the cron comes by itself.
_CRON_INTERVAL = timedelta(minutes=5)


class IspEntitlement(models.Model):
    """Caps and hours change what the network gives: access and rates, nothing else."""

    _inherit = "isp.entitlement"

    reason = fields.Selection(
        selection_add=[("cap", "Data volume used up")], ondelete={"cap": "set null"}
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "subscription_id.cap_state",
        "subscription_id.plan_id.cap_download_kbps",
        "subscription_id.plan_id.cap_upload_kbps",
    )
    def _compute_service(self):
        return super()._compute_service()

    # === BUSINESS METHODS === #

    def _prepare_service_vals(self):
        vals = super()._prepare_service_vals()
        plan = self.subscription_id.plan_id
        if vals["access"] == "full" and plan.hours_ids:
            vals.update(self._prepare_hour_vals(plan))
        cap_state = self.subscription_id.cap_state
        if cap_state and vals["access"] in ("full", "throttled"):
            vals.update(self._prepare_cap_vals(plan, cap_state, vals))
        return vals

    @api.model
    def _prepare_cap_vals(self, plan, cap_state, vals):
        """What is left of a service whose volume is used up."""
        if cap_state == "block":
            return {"access": "walled", "reason": "cap"}
        if vals["access"] == "throttled":
            # Slowed down for the bills already: the slower speed of both.
            return {name: min(vals[name], plan[f"cap_{name}"]) for name in _SPEEDS}
        return {
            "access": "throttled",
            "reason": "cap",
            **{name: 0 for name in self._PLAN_FIELDS if name.startswith("burst_")},
            **{name: min(plan[name], plan[f"cap_{name}"]) for name in _SPEEDS},
        }

    @api.model
    def _prepare_hour_vals(self, plan):
        """The speeds of this hour, in the company's time zone."""
        now = plan.company_id._get_isp_now().replace(tzinfo=None)
        rates = caps.speed_at(now, plan._get_hours(), plan._get_rates())
        return {
            "download_kbps": rates.download,
            "upload_kbps": rates.upload,
            "burst_download_kbps": rates.burst_download,
            "burst_upload_kbps": rates.burst_upload,
            "burst_threshold_download_kbps": rates.threshold_download,
            "burst_threshold_upload_kbps": rates.threshold_upload,
        }

    def _refresh_service(self):
        """Derive the rows anew and write what differs.

        :return: the rows that differed
        """
        changed = self.browse()
        for entitlement in self:
            vals = {
                name: value
                for name, value in entitlement._prepare_service_vals().items()
                if (entitlement[name] or False) != (value or False)
            }
            if vals:
                entitlement.write(vals)
                changed |= entitlement
        return changed

    @api.model
    def _cron_speed_by_hour(self, batch=500):
        """Give the speeds of this hour, and come again at the minute of the next change."""
        cron = self.env["ir.cron"]
        plans = self.env["isp.plan"].search([("hours_ids", "!=", False)])
        due = self._search_other_speed(plans)
        for start in range(0, len(due), batch):
            part = due[start : start + batch]
            part._refresh_service()
            cron._commit_progress(len(part), remaining=len(due) - start - len(part))
        now = fields.Datetime.now()
        moments = [moment for plan in plans if (moment := self._get_next_change(plan))]
        soon = [moment for moment in moments if moment <= now + _CRON_INTERVAL]
        if soon:
            self.env.ref("isp_network.ir_cron_speed_by_hour")._trigger(at=soon)

    @api.model
    def _search_other_speed(self, plans):
        """Rows at full access whose speed is not the one of this hour."""
        self.env.flush_all()
        # A plan whose last hours were deleted has its own speed again.
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.id FROM isp_entitlement e
                JOIN isp_subscription s ON s.id = e.subscription_id
                JOIN isp_plan p ON p.id = s.plan_id
                WHERE e.access = 'full' AND (e.download_kbps, e.upload_kbps)
                        IS DISTINCT FROM (p.download_kbps, p.upload_kbps)
                    AND NOT EXISTS (SELECT FROM isp_plan_hours h WHERE h.plan_id = p.id)
                """
            )
        )
        found = self.browse(entitlement_id for (entitlement_id,) in rows)
        for plan in plans:
            rates = self._prepare_hour_vals(plan)
            found |= self.search(
                [
                    ("subscription_id.plan_id", "=", plan.id),
                    ("access", "=", "full"),
                    "|",
                    ("download_kbps", "!=", rates["download_kbps"]),
                    ("upload_kbps", "!=", rates["upload_kbps"]),
                ]
            )
        return found

    @api.model
    def _get_next_change(self, plan):
        """The moment of the next change of speed as naive UTC, ``None`` for never."""
        zone = plan.company_id._get_isp_timezone()
        local = plan.company_id._get_isp_now().replace(tzinfo=None)
        change = caps.next_change(local, plan._get_hours())
        return change and zone.localize(change).astimezone(pytz.utc).replace(tzinfo=None)
