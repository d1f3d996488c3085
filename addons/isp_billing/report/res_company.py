from odoo import fields, models


class ResCompany(models.Model):
    """How small the groups are that analyses show."""

    _inherit = "res.company"

    isp_report_min_group = fields.Integer(
        "Smallest group in analyses",
        required=True,
        default=10,
        help="Groups of fewer people are shown together as others. 0: groups of any size are shown, "
        "and no figures outlive those of the single subscriptions.",
    )

    _isp_report_min_group_valid = models.Constraint(
        "CHECK (isp_report_min_group >= 0)",
        "The smallest group in analyses cannot be negative. Enter 0 to show groups of any size.",
    )

    def write(self, vals):
        """Have the groups made anew when their size changes."""
        res = super().write(vals)
        if "isp_report_min_group" in vals:
            # sudo: a manager may set the size, but not call a scheduled action.
            self.env["isp.report.refresh"].sudo()._get_cron()._trigger()
        return res
