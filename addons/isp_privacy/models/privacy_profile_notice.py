from odoo import fields, models

NOTICES = [
    ("page", "On the page only"),
    ("all", "On the page, by mail and in the portal"),
]


class PrivacyProfile(models.Model):
    """How changes of the privacy policy, and of the owner, are told."""

    _inherit = "privacy.profile"

    notice_days = fields.Integer(
        "Days from notice to effect",
        required=True,
        default=14,
        tracking=True,
        help="A new version of the privacy policy takes effect so many days after it is published, "
        "or later. The first version may take effect at once.",
    )
    notice_minor = fields.Selection(
        NOTICES, "Minor changes are told", required=True, default="page", tracking=True
    )
    notice_major = fields.Selection(
        NOTICES, "Major changes are told", required=True, default="all", tracking=True
    )

    handover_notice_days = fields.Integer(
        "Days of notice before a hand-over",
        required=True,
        default=30,
        tracking=True,
        help="When the business goes to a new owner, each customer is told so many days before.",
    )

    _notice_days_positive = models.Constraint(
        "CHECK (notice_days >= 0 AND handover_notice_days >= 0)",
        "The days of notice cannot be negative.",
    )
