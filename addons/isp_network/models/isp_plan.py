from odoo import fields, models


class IspPlan(models.Model):
    _inherit = "isp.plan"

    allow_chap = fields.Boolean(
        "Allow CHAP",
        tracking=True,
        help="CHAP needs the password itself. It is then stored for RADIUS as well, encrypted "
        "with the key of RADIUS, so that whoever has that key and the database can read it. "
        "Without CHAP only a hash is stored. Hotspots of MikroTik ask by CHAP.",
    )
    mac_lock = fields.Selection(
        [
            ("none", "Any, unless some are entered"),
            ("first_use", "The first that log in"),
            ("fixed", "Only those that are entered"),
        ],
        "Devices",
        required=True,
        default="none",
        tracking=True,
        help="Which devices a subscription may log in with, by their MAC addresses.",
    )
    mac_lock_devices = fields.Integer(
        "Number of devices", required=True, default=1, help="How many devices are learned."
    )

    _mac_lock_devices_positive = models.Constraint(
        "CHECK (mac_lock_devices > 0)", "The number of devices is at least 1."
    )
