from markupsafe import Markup

from odoo import api, models

from ..engine import cards


class PrivacyCardMasked(models.AbstractModel):
    """Base of models in which people write: numbers of payment cards are masked before they are stored.

    ``_card_texts`` names the fields. They pass through create and write; nothing looks for what was
    stored before.
    """

    _name = "privacy.card.masked"
    _description = "Card numbers masked"
    _card_texts = ()

    @api.model_create_multi
    def create(self, vals_list):
        """Mask what people wrote."""
        return super().create([self._mask_cards(vals) for vals in vals_list])

    def write(self, vals):
        """Mask what people changed."""
        return super().write(self._mask_cards(vals))

    @api.model
    def _mask_cards(self, vals):
        """Return the values with the numbers of cards masked."""
        return {
            name: self._mask_value(name, value) if name in self._card_texts else value
            for name, value in vals.items()
        }

    @api.model
    def _mask_value(self, name, value):
        if not isinstance(value, str) or not value:
            return value
        if self._fields[name].type == "html":
            masked = cards.mask_cards_in_html(value)
            return Markup(masked) if isinstance(value, Markup) else masked
        return cards.mask_cards(value)
