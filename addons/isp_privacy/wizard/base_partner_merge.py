from odoo import models
from odoo.exceptions import UserError


class MergePartnerAutomatic(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Refuse to merge away a contact whose decisions are proof: rows of ledgers do not move."""
        for name in self.env.registry["privacy.ledger"]._inherit_children:
            # sudo: who merges contacts need not see the ledgers.
            rows = self.env[name].sudo().search([("partner_id", "in", src_partners.ids)])
            if rows:
                raise UserError(
                    self.env._(
                        "%s decided about the use of the data, and the proof cannot be moved to "
                        "another contact. Choose this one as the contact that is kept, or archive "
                        "the other one.",
                        ", ".join(rows.partner_id.mapped("display_name")),
                    )
                )
        return super()._update_foreign_keys(src_partners, dst_partner)
