import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..usage import caps

_logger = logging.getLogger(__name__)

# What routers report late still counts for the window it was used in.
_GRACE_DAYS = 1


class Octets(fields.Integer):
    """A number of octets: 64 bits in the database."""

    _column_type = ("int8", "int8")


class IspUsageWindow(models.Model):
    """The volume of one subscription in one day, week or billing period of its plan's cap.

    ``current``: it runs. ``ended``: its days are over, late reports still count. ``settled``: what
    was used beyond has been charged. The figures are sums over the days, never counters that could
    drift.
    """

    _name = "isp.usage.window"
    _description = "Data volume"
    _order = "date_from desc, id desc"
    _rec_name = "subscription_id"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "usage", "purpose": "service", "retention": "network"}
    _privacy_facts = "date_from date_to included_bytes carried_bytes topup_bytes used_bytes"
    _privacy_free = {"Name of the period.": "period"}

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True, precompute=True
    )
    partner_id = fields.Many2one(related="subscription_id.partner_id", store=True, precompute=True)
    plan_id = fields.Many2one(
        "isp.plan", required=True, readonly=True, ondelete="restrict", index=True
    )
    period = fields.Char(required=True, readonly=True)
    date_from = fields.Date("From", required=True, readonly=True)
    date_to = fields.Date(
        "Until", required=True, readonly=True, help="First day that does not count any more."
    )
    state = fields.Selection(
        [("current", "Running"), ("ended", "Over"), ("settled", "Settled")],
        required=True,
        readonly=True,
        default="current",
    )
    included_bytes = Octets("Included", required=True, readonly=True, default=0)
    carried_bytes = Octets("Taken over", required=True, readonly=True, default=0)
    topup_bytes = Octets("Topped up", required=True, readonly=True, default=0)
    used_bytes = Octets("Used", required=True, readonly=True, default=0)
    allowed_gb = fields.Float("Volume (GB)", digits=(16, 2), compute="_compute_figures")
    used_gb = fields.Float("Used (GB)", digits=(16, 2), compute="_compute_figures")
    left_gb = fields.Float("Left (GB)", digits=(16, 2), compute="_compute_figures")
    percent = fields.Integer("Used (%)", compute="_compute_figures")
    noticed_percent = fields.Integer("Notice sent (%)", readonly=True)
    noticed_on = fields.Datetime("Notice sent on", readonly=True)
    topup_ids = fields.One2many("isp.subscription.topup", "window_id", "Top-ups")
    fee_id = fields.Many2one(
        "isp.subscription.fee", "Extra volume charged", readonly=True, ondelete="set null"
    )

    _once = models.UniqueIndex("(subscription_id, date_from, period)", "This window exists.")
    _one_current = models.UniqueIndex(
        "(subscription_id) WHERE state = 'current'", "A subscription has one running window."
    )
    _due_idx = models.Index("(date_to) WHERE state <> 'settled'")
    _dates_ordered = models.Constraint("CHECK (date_from < date_to)", "A window has days.")

    # === COMPUTE METHODS === #

    @api.depends("included_bytes", "carried_bytes", "topup_bytes", "used_bytes")
    def _compute_figures(self):
        for window in self:
            account = window._get_account()
            window.allowed_gb = account.allowed / caps.GB
            window.used_gb = account.used / caps.GB
            window.left_gb = account.left / caps.GB
            window.percent = account.percent

    def _get_account(self):
        """The engine's account."""
        self.ensure_one()
        return caps.Account(
            self.included_bytes, self.carried_bytes, self.topup_bytes, self.used_bytes
        )

    # === BUSINESS METHODS - USAGE === #

    @api.model
    def _follow_usage(self, subscription_ids):
        """Bring the windows of subscriptions with new usage up to date, and act on them."""
        if not subscription_ids:
            return
        self._open_missing(self.env["isp.subscription"].browse(subscription_ids))
        self._sum_up(subscription_ids)
        self._act(subscription_ids)

    @api.model
    def _open_missing(self, subscriptions):
        """Begin the window of today for those of ``subscriptions`` that have a cap and none."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT s.id FROM isp_subscription s JOIN isp_plan p ON p.id = s.plan_id
                WHERE s.id = ANY(%s) AND p.cap_gb > 0 AND s.state IN ('active', 'suspended')
                    AND NOT EXISTS (SELECT FROM isp_usage_window w
                        WHERE w.subscription_id = s.id AND w.state = 'current')
                """,
                subscriptions.ids,
            )
        )
        missing = subscriptions.browse(subscription_id for (subscription_id,) in rows)
        if not missing:
            return self.browse()
        latest = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (subscription_id) subscription_id, id FROM isp_usage_window
                WHERE subscription_id = ANY(%s) AND state <> 'current'
                ORDER BY subscription_id, date_to DESC
                """,
                missing.ids,
            )
        )
        before = {key: self.browse(window_id) for key, window_id in latest}
        self.browse(window_id for _key, window_id in latest).fetch()
        return self.create(
            [
                self._prepare_window_vals(subscription, before.get(subscription.id, self.browse()))
                for subscription in missing
            ]
        )

    @api.model
    def _prepare_window_vals(self, subscription, before):
        """Values of the window that today lies in.

        Hook: extend to include other volumes.

        :param before: the latest window that is over, perhaps none
        """
        plan = subscription.plan_id
        date_from, date_to = self._get_days(subscription, subscription.company_id._get_isp_today())
        if before.date_to and before.date_to > date_from:
            # The cap changed within a window: its days belong to that one.
            date_from, date_to = before.date_to, max(date_to, before.date_to + timedelta(days=1))
        return {
            "subscription_id": subscription.id,
            "plan_id": plan.id,
            "period": plan.cap_period,
            "date_from": date_from,
            "date_to": date_to,
            "included_bytes": plan._get_cap_rule().included,
            "carried_bytes": before._get_carried() if before.date_to == date_from else 0,
        }

    @api.model
    def _get_days(self, subscription, day):
        plan = subscription.plan_id
        return caps.window_on(
            day, plan.cap_period, subscription._get_usage_cycle(day), int(plan.cap_weekday)
        )

    def _get_carried(self):
        """Volume left over for the next window."""
        if not self:
            return 0
        rule = self.plan_id._get_cap_rule()
        return caps.carried_over(rule, self._get_account()) if rule else 0

    @api.model
    def _sum_up(self, subscription_ids):
        """Sum the days of every window of the subscriptions that is not settled."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE isp_usage_window w SET used_bytes = u.used, write_date = now() AT TIME ZONE 'UTC'
                FROM (
                    SELECT w.id, sum(d.download_bytes
                        + CASE WHEN p.cap_counts = 'download' THEN 0 ELSE d.upload_bytes END) AS used
                    FROM isp_usage_window w
                    JOIN isp_plan p ON p.id = w.plan_id
                    JOIN radius.usage_day d ON d.subscription_id = w.subscription_id
                        AND d.day >= w.date_from AND d.day < w.date_to
                    WHERE w.state <> 'settled' AND w.subscription_id = ANY(%s)
                    GROUP BY w.id
                ) u
                WHERE u.id = w.id AND w.used_bytes IS DISTINCT FROM u.used
                RETURNING w.id
                """,
                list(subscription_ids),
            )
        )
        changed = self.browse(window_id for (window_id,) in rows)
        changed.invalidate_recordset(["used_bytes"])
        changed.modified(["used_bytes"])

    # === BUSINESS METHODS - ACTING === #

    @api.model
    def _act(self, subscription_ids):
        """Throttle, block, give back and tell, where the figures ask for it."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT w.id FROM isp_usage_window w
                JOIN isp_subscription s ON s.id = w.subscription_id
                JOIN isp_plan p ON p.id = w.plan_id
                CROSS JOIN LATERAL (SELECT w.used_bytes AS used,
                    w.included_bytes + w.carried_bytes + w.topup_bytes AS allowed) a
                WHERE w.state = 'current' AND w.subscription_id = ANY(%s) AND (
                    (a.used >= a.allowed AND (COALESCE(w.noticed_percent, 0) < 100
                        OR NULLIF(p.cap_action, 'overage') IS DISTINCT FROM s.cap_state))
                    OR (a.used * 100 >= a.allowed * 80 AND COALESCE(w.noticed_percent, 0) < 80)
                    OR (a.used < a.allowed AND s.cap_state IS NOT NULL))
                """,
                list(subscription_ids),
            )
        )
        for window in self.browse(window_id for (window_id,) in rows):
            window._act_one()

    def _act_one(self):
        self.ensure_one()
        account = self._get_account()
        action = caps.reached(self.plan_id._get_cap_rule(), account)
        self.subscription_id._set_cap_state(action if action in ("throttle", "block") else False)
        for percent in caps.due_notices(account, [self.noticed_percent]):
            if percent > (self.noticed_percent or 0):
                self.write({"noticed_percent": percent, "noticed_on": fields.Datetime.now()})
                self._notify(percent)

    def _notify(self, percent):
        """Tell the customer that ``percent`` of the volume are used.

        Hook: extend to use another channel.
        """
        self.ensure_one()
        if self.plan_id.cap_notices and self.partner_id.email:
            template = self.env.ref(
                f"isp_network.mail_template_usage_{percent}", raise_if_not_found=False
            )
            if template:
                template.send_mail(self.id)

    # === BUSINESS METHODS - BOUNDARIES === #

    @api.model
    def _end_due(self, today):
        """End the windows of the company of the environment whose days are over on ``today``.

        Speeds come back at once, and the next window begins for those who were slowed down; the
        others begin theirs with their next report.
        """
        company = self.env.company
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE isp_usage_window SET state = 'ended'
                WHERE state = 'current' AND date_to <= %s AND company_id = %s
                RETURNING subscription_id
                """,
                today,
                company.id,
            )
        )
        self.invalidate_model(["state"])
        ended = self.env["isp.subscription"].browse(row[0] for row in rows)
        limited = ended.filtered("cap_state")
        limited._set_cap_state(False)
        self._open_missing(limited)
        return len(ended)

    @api.model
    def _settle_due(self, today):
        """Charge what was used beyond the windows that ended long enough ago."""
        company = self.env.company
        ready = [
            ("company_id", "=", company.id),
            ("state", "=", "ended"),
            ("date_to", "<=", today - timedelta(days=_GRACE_DAYS)),
        ]
        windows = self.search(ready)
        windows._sum_up(windows.subscription_id.ids)
        for window in windows:
            if window.plan_id.cap_action == "overage" and window._get_account().over:
                window.fee_id = self.env["isp.subscription.fee"].create(window._prepare_fee_vals())
        windows.state = "settled"
        return len(windows)

    def _prepare_fee_vals(self):
        """Values of the charge for what was used beyond the volume.

        Hook: extend to price it in another way.
        """
        self.ensure_one()
        plan = self.plan_id
        volume = caps.started_gigabytes(self._get_account().over)
        env = self.with_context(lang=self.partner_id.lang).env
        return {
            "subscription_id": self.subscription_id.id,
            "kind": "usage",
            "product_id": (plan.cap_overage_product_id or plan.product_id).id,
            "amount": plan.currency_id.round(volume * plan.cap_overage_price),
            "date": self.date_to,
            "name": env._(
                "%(volume)s GB beyond %(allowed)s GB, %(first)s – %(last)s",
                volume=volume,
                allowed=f"{self._get_account().allowed / caps.GB:g}",
                first=self.date_from,
                last=self.date_to - timedelta(days=1),
            ),
        }

    @api.model
    def _follow_plans(self, plans):
        """Let running windows follow what ``plans`` say now."""
        windows = self.sudo().search([("plan_id", "in", plans.ids), ("state", "=", "current")])
        windows.subscription_id._follow_cap()
