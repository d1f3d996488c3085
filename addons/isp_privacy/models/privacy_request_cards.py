from odoo import models


class PrivacyRequest(models.Model):
    """What a person writes to us holds no card number."""

    _name = "privacy.request"
    _inherit = ["privacy.request", "privacy.card.masked"]
    _card_texts = ("words",)
