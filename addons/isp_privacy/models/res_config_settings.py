from odoo import fields, models

from .mail_template import PURPOSE_REQUIRED
from .privacy_mass_export import DEFAULT_ROWS, ROWS_PARAMETER


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    privacy_template_purpose_required = fields.Boolean(
        "Templates need a purpose", config_parameter=PURPOSE_REQUIRED
    )
    privacy_mass_export_rows = fields.Integer(
        "Rows exported without a reason", config_parameter=ROWS_PARAMETER, default=DEFAULT_ROWS
    )
