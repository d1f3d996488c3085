from odoo import models


class HelpdeskTicket(models.Model):
    """What customers write in tickets is theirs: exported, erased, and without card numbers."""

    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "privacy.card.masked"]
    _card_texts = ("name", "description")

    # A ticket that came by mail from nobody we know is found by the address.
    _privacy_subject = ("partner_id", "partner_email=email_normalized")
    _privacy_defaults = {
        "category": "communication",
        "purpose": "support",
        "retention": "message",
    }
    _privacy_fields = {
        "name description": {"erasure": "mask"},
        "partner_id": "subject",
        "partner_name": {"category": "identity", "erasure": "null"},
        "partner_email": {"category": "contact", "erasure": "null"},
        "email_cc": {"category": "contact", "erasure": "null", "export": False},
        # The ORM cannot search for properties that are filled, so no purge finds them by their
        # time: they go with the person.
        "properties": {
            "category": "free_text",
            "retention": "account",
            "erasure": "null",
            "export": False,
        },
        "user_id": "staff",
    }
    _privacy_facts = "number stage_id priority assigned_date closed_date last_stage_update"
    _privacy_free = {"How long it was in which stage.": "duration_tracking"}
    _privacy_retention = {"anchor": "closed_date"}
