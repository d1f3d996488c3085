from odoo import fields, models


class PrivacyProfile(models.Model):
    """What is promised about data packages."""

    _inherit = "privacy.profile"

    export_days = fields.Integer(
        "Days to fetch a package",
        required=True,
        default=7,
        tracking=True,
        help="A package with the data of a person is deleted so many days after it was made.",
    )
    export_downloads = fields.Integer(
        "Downloads of a package",
        required=True,
        default=3,
        tracking=True,
        help="A package is deleted after so many downloads.",
    )
    automated_decisions = fields.Text(
        translate=True,
        default=lambda self: self.env._(
            "A service is suspended by the system when its bills stay unpaid, and goes on as soon as "
            "they are paid. You may ask for a person to look at it. No other decision about you is "
            "made by a machine alone."
        ),
        help="Told to whoever asks for the own data: which decisions no person makes, by which "
        "logic, and with which consequences.",
    )

    _export_positive = models.Constraint(
        "CHECK (export_days > 0 AND export_downloads > 0)",
        "Days and downloads of packages must be greater than zero.",
    )
