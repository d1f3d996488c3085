import hashlib

from odoo import api, fields, models
from odoo.tools import email_normalize

from odoo.addons.isp_base.encryption import get_keyring

from ..catalogue import CHANNELS


class PrivacySuppression(models.Model):
    """Addresses and numbers to which nothing is sent for a purpose, known by their digest only.

    The digest outlives the contact: one that was erased or deleted and comes back by an import
    stays suppressed. Rows follow the ledger of consents and are written by it alone.
    """

    _name = "privacy.suppression"
    _description = "Suppression list"
    _order = "since desc, id desc"
    _rec_name = "contact_hash"
    _log_access = False

    # Nothing leads from a person to the row but the key of the digests.
    _privacy_subject = None
    _privacy_defaults = {
        "category": "proof",
        "purpose": "rights",
        "retention": "audit",
        "erasure": "keep",
        "export": False,
    }
    _privacy_fields = {
        "contact_hash": {
            "reason": "A keyed digest: without it nobody could stay on the suppression list.",
        },
    }

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    purpose_id = fields.Many2one(
        "privacy.purpose", required=True, readonly=True, ondelete="cascade"
    )
    contact_hash = fields.Char("Digest of the address", required=True, readonly=True)
    since = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)

    _contact_uniq = models.UniqueIndex("(contact_hash, channel, purpose_id, company_id)")

    # === BUSINESS METHODS === #

    @api.model
    def _digest(self, channel, address):
        """Return the digest of a mail address or of a number in E.164, None of what is neither."""
        if channel == "mail":
            address = email_normalize(address)
        if not address or channel == "none":
            return None
        # Hashed before it is indexed: the blind index takes "a.b@x" and "ab@x" for the same.
        exact = hashlib.sha256(address.encode()).hexdigest()
        kind = "mail" if channel == "mail" else "phone"
        return get_keyring(self.env).blind_index(f"privacy.contact|{kind}", exact)

    @api.model
    def _find(self, company, purpose, channel, digests):
        """Return those of ``digests`` to which nothing is sent."""
        wanted = [digest for digest in digests if digest]
        # sudo: whoever sends must know, and reads nothing but that.
        found = self.sudo().search_fetch(
            [
                ("company_id", "=", company.id),
                ("purpose_id", "=", purpose.id),
                ("channel", "=", channel),
                ("contact_hash", "in", wanted),
            ],
            ["contact_hash"],
        )
        return set(found.mapped("contact_hash"))

    @api.model
    def _follow(self, rows):
        """Let the list follow rows of the ledger of consents, in their order."""
        for row in rows.filtered("contact_hash"):
            key = {
                "company_id": row.company_id.id,
                "channel": row.channel,
                "purpose_id": row.purpose_id.id,
                "contact_hash": row.contact_hash,
            }
            # sudo: the list is written by this method only.
            listed = self.sudo().search([(name, "=", value) for name, value in key.items()])
            if row.action == "given":
                listed.unlink()
            elif not listed:
                listed.create(key)
