from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_address_quarantine_days = fields.Integer(
        related="company_id.isp_address_quarantine_days", readonly=False
    )
    isp_radius_host = fields.Char(
        "RADIUS server",
        config_parameter="isp_network.radius_host",
        default="127.0.0.1",
        help="Where “Test login” asks.",
    )
    isp_radius_port = fields.Integer(
        "RADIUS port", config_parameter="isp_network.radius_port", default=1812
    )
