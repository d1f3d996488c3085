from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import (
    DEFAULT_LOG_MONTHS,
    DEFAULT_USAGE_MONTHS,
    LEAST_LOG_MONTHS,
    LEAST_USAGE_MONTHS,
    LEGAL_LOG_MONTHS,
)


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_log_months = fields.Integer(
        "Keep sessions for (months)",
        compute="_compute_isp_log_months",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        help="Sessions and login attempts older than this are deleted, a whole month at a time.",
    )
    isp_usage_months = fields.Integer(
        "Keep usage for (months)",
        required=True,
        default=DEFAULT_USAGE_MONTHS,
        help="Usage per day older than this is deleted, a whole month at a time.",
    )

    # === COMPUTE METHODS === #

    @api.depends("country_id")
    def _compute_isp_log_months(self):
        for company in self:
            least = company._get_isp_least_log_months()
            company.isp_log_months = max(company.isp_log_months or DEFAULT_LOG_MONTHS, least)

    # === CONSTRAINT METHODS === #

    @api.constrains("isp_log_months", "isp_usage_months")
    def _check_isp_months(self):
        for company in self:
            least = company._get_isp_least_log_months()
            if company.isp_log_months < least:
                raise ValidationError(
                    self.env._(
                        "Sessions of %(company)s must be kept for at least %(months)s months.",
                        company=company.name,
                        months=least,
                    )
                )
            if company.isp_usage_months < LEAST_USAGE_MONTHS:
                raise ValidationError(
                    self.env._(
                        "Usage must be kept for at least %(months)s months: customers see the "
                        "last twelve.",
                        months=LEAST_USAGE_MONTHS,
                    )
                )

    # === HELPERS === #

    def _get_isp_least_log_months(self):
        """Months that the law of the company's country asks for."""
        self.ensure_one()
        return LEGAL_LOG_MONTHS.get(self.country_id.code, LEAST_LOG_MONTHS)
