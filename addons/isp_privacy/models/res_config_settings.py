from odoo import fields, models

from .mail_template import PURPOSE_REQUIRED


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    privacy_template_purpose_required = fields.Boolean(
        "Templates need a purpose", config_parameter=PURPOSE_REQUIRED
    )
