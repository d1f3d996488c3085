from odoo import fields, models
from odoo.tools import SQL, format_datetime


class IspRadiusAttempt(models.Model):
    """Login attempts in words, with what the subscription might do at that moment."""

    _inherit = "isp.radius.attempt"

    access = fields.Selection(
        [
            ("full", "Full speed"),
            ("throttled", "Throttled"),
            ("walled", "Payment page only"),
            ("none", "No access"),
        ],
        "Access at that time",
        readonly=True,
    )
    access_reason = fields.Char(readonly=True)
    suspended_on = fields.Datetime("Suspended since", readonly=True)
    other_mac = fields.Char("Device already online", readonly=True)
    other_nas_id = fields.Many2one("isp.nas", "Router of that device", readonly=True)
    explanation = fields.Char(compute="_compute_explanation", help="What happened, in words.")

    @property
    def _table_query(self):
        # Joined to the table of the model itself by id, which is unique over the partitions.
        return SQL(
            """
            SELECT base.*, CASE p.access WHEN 'reject' THEN 'none' ELSE p.access END AS access,
                p.access_reason, p.suspended_on, p.other_mac, o.id AS other_nas_id
            FROM (%s) base JOIN radius.radpostauth p ON p.id = base.id
            LEFT JOIN isp_nas o ON o.id = p.other_nas_id
            """,
            super()._table_query,
        )

    # === COMPUTE METHODS === #

    def _compute_explanation(self):
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        for attempt in self:
            if attempt.result == "accepted":
                attempt.explanation = attempt._explain_accepted()
            else:
                explain = getattr(
                    attempt, f"_explain_{(attempt.reason or '').replace('-', '_')}", None
                )
                attempt.explanation = (explain and explain()) or (
                    attempt.message
                    if attempt.reason == "other"
                    else reasons.get(attempt.reason, attempt.reason)
                )

    # === HELPERS === #

    def _explain_accepted(self):
        return {
            "throttled": self.env._("Accepted at reduced speed"),
            "walled": self.env._("Accepted, payment page only"),
        }.get(self.access, self.env._("Accepted"))

    def _explain_not_active(self):
        if self.suspended_on:
            return self.env._(
                "Suspended since %(moment)s (%(reason)s)",
                moment=format_datetime(self.env, self.suspended_on, dt_format="medium"),
                reason=self._get_reason_words(),
            )
        return {
            "draft": self.env._("The subscription has not been activated yet"),
            "terminated": self.env._("The subscription was terminated"),
        }.get(self.access_reason)

    def _explain_session_limit(self):
        if not self.other_mac:
            return None
        if not self.other_nas_id:
            return self.env._("Second login: %(device)s is online", device=self.other_mac)
        return self.env._(
            "Second login: %(device)s is online on %(router)s",
            device=self.other_mac,
            router=self.other_nas_id.name,
        )

    def _explain_mac_mismatch(self):
        if not self.mac_address:
            return None
        return self.env._("Another device than the locked one: %(device)s", device=self.mac_address)

    def _explain_wrong_password(self):
        if self.suspended_on:
            return self.env._(
                "Wrong password; suspended since %(moment)s as well",
                moment=format_datetime(self.env, self.suspended_on, dt_format="medium"),
            )
        return None

    def _get_reason_words(self):
        field = self.env["isp.entitlement"]._fields["reason"]
        return dict(field._description_selection(self.env)).get(
            self.access_reason, self.access_reason
        )
