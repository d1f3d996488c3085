from odoo import fields, models


class IspNas(models.Model):
    _inherit = "isp.nas"

    login_by_mac = fields.Boolean(
        "Devices log in by their address",
        tracking=True,
        help="For IPoE, where the router asks with the MAC address as the username and there is no "
        "password. Only plans of the types IPoE and static address let a device in like that.",
    )
