from odoo import models


class MailMessage(models.Model):
    """Messages, notes and chats hold no card number, by whichever way they come."""

    _name = "mail.message"
    _inherit = ["mail.message", "privacy.card.masked"]
    _card_texts = ("body", "subject")
