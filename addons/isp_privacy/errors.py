"""Errors that the web client knows by name."""

from odoo.exceptions import UserError


class ExportReasonNeeded(UserError):
    """An export of many rows, for which nobody said why. The client asks, and tries again."""
