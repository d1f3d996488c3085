from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..usage import caps

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class IspPlanHours(models.Model):
    """Another speed at some hours of some days, in the company's time zone."""

    _name = "isp.plan.hours"
    _description = "Speed by the hour"
    _order = "plan_id, sequence, id"

    _privacy_free = "What is sold, the same for all customers."

    plan_id = fields.Many2one("isp.plan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    name = fields.Char("Description", required=True, translate=True)
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean(default=True)
    wednesday = fields.Boolean(default=True)
    thursday = fields.Boolean(default=True)
    friday = fields.Boolean(default=True)
    saturday = fields.Boolean(default=True)
    sunday = fields.Boolean(default=True)
    hour_from = fields.Float("From", required=True)
    hour_to = fields.Float(
        "Until",
        required=True,
        default=6.0,
        help="At or before the hour it begins, it lies on the next day.",
    )
    percent = fields.Integer(
        "Share of the speed (%)", default=200, help="0 to enter the speeds instead."
    )
    download_kbps = fields.Integer("Download (kbit/s)")
    upload_kbps = fields.Integer("Upload (kbit/s)")

    _hours_valid = models.Constraint(
        "CHECK (hour_from >= 0 AND hour_from < 24 AND hour_to >= 0 AND hour_to <= 24)",
        "Hours lie between 0:00 and 24:00.",
    )
    _speed_valid = models.Constraint(
        "CHECK (percent BETWEEN 1 AND 10000 OR (percent = 0 AND download_kbps > 0"
        " AND upload_kbps > 0))",
        "Enter a share of 1 to 10,000 %, or a share of 0 and both speeds.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains(*_DAYS)
    def _check_days(self):
        for row in self:
            if not any(row[day] for day in _DAYS):
                raise ValidationError(
                    self.env._("“%(name)s” holds on no day. Choose at least one.", name=row.name)
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._refresh_later()
        return rows

    def write(self, vals):
        res = super().write(vals)
        self._refresh_later()
        return res

    def unlink(self):
        self._refresh_later()
        return super().unlink()

    # === BUSINESS METHODS === #

    def _refresh_later(self):
        """Let the speeds follow within a minute, outside the transaction of whoever edits."""
        if self:
            self.env.ref("isp_network.ir_cron_speed_by_hour")._trigger()

    def _get_hours(self):
        """The engine's rule."""
        self.ensure_one()
        return caps.Hours(
            frozenset(number for number, day in enumerate(_DAYS) if self[day]),
            round(self.hour_from * 60),
            round(self.hour_to * 60) % (24 * 60),
            self.percent,
            None if self.percent else caps.Rates(self.download_kbps, self.upload_kbps),
        )
