from odoo import api, fields, models

from ..engine import words


class IspMessageWord(models.Model):
    """A word that sells something: it may stand in advertising only."""

    _name = "isp.message.word"
    _description = "Word of advertising"
    _order = "name"

    _privacy_free = "Words of advertising, the same for everybody."

    name = fields.Char("Word", required=True)
    active = fields.Boolean(default=True)

    _name_uniq = models.UniqueIndex("(lower(name))", "This word is on the list already.")

    @api.model
    def _find(self, text):
        """Return the words of advertising that a text has."""
        # sudo: whoever sends need not see the list.
        listed = self.sudo().search_fetch([("active", "=", True)], ["name"])
        return words.find(text, listed.mapped("name"))
