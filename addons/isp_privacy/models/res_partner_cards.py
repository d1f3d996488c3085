from odoo import models


class ResPartner(models.Model):
    """Notes on contacts hold no card number."""

    _name = "res.partner"
    _inherit = ["res.partner", "privacy.card.masked"]
    _card_texts = ("comment",)
