"""How the helpdesk is organised: nothing of a customer is in it."""

from odoo import models

SETTINGS = "How the helpdesk is organised."


class HelpdeskTicketCategory(models.Model):
    _inherit = "helpdesk.ticket.category"

    _privacy_free = SETTINGS


class HelpdeskTicketChannel(models.Model):
    _inherit = "helpdesk.ticket.channel"

    _privacy_free = SETTINGS


class HelpdeskTicketStage(models.Model):
    _inherit = "helpdesk.ticket.stage"

    _privacy_free = SETTINGS


class HelpdeskTicketTag(models.Model):
    _inherit = "helpdesk.ticket.tag"

    _privacy_free = SETTINGS


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    _privacy_subject = None
    _privacy_free = SETTINGS
    _privacy_defaults = {"category": "trace", "purpose": "staff", "retention": "staff"}
    _privacy_fields = {"user_id user_ids": "staff"}


class ResUsers(models.Model):
    _inherit = "res.users"

    _privacy_free = {"Which teams somebody of the staff is in.": "helpdesk_team_ids"}
