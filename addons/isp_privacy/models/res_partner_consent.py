from odoo import fields, models

from ..catalogue import CHANNELS


class ResPartner(models.Model):
    """What a person agreed to, and whether they may be contacted for a purpose."""

    _inherit = "res.partner"

    privacy_consent_count = fields.Integer(
        "Consents",
        compute="_compute_privacy_consent_count",
        groups="isp_privacy.group_privacy_auditor",
    )

    def _compute_privacy_consent_count(self):
        found = self.env["privacy.consent"]._read_group(
            [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
        )
        counts = {partner.id: count for partner, count in found}
        for partner in self:
            partner.privacy_consent_count = counts.get(partner.id, 0)

    # === BUSINESS METHODS === #

    def _privacy_consents(self, purpose, channel=None, company=None):
        """Return the rows that hold now, at most one for each person, purpose and channel."""
        company = company or self.env.company
        if not self:
            return self.env["privacy.consent"].sudo()
        return self.env["privacy.consent"]._get_current(company, purpose, channel, self)

    def _privacy_may_contact(self, purpose, channel, company=None):
        """Return those whose data may be used for ``purpose`` by ``channel`` today.

        Messages of the service itself (contract, law) go to everybody: nobody can opt out of them.
        """
        company, purpose = company or self.env.company, purpose.sudo()
        if not purpose._may_be_refused():
            return self
        people = self - self._privacy_get_excluded(purpose)
        hashes = people._privacy_contact_hashes(channel)
        suppressed = self.env["privacy.suppression"]._find(
            company, purpose, channel, hashes.values()
        )
        people = people.filtered(lambda person: hashes[person.id] not in suppressed)
        current = people._privacy_consents(purpose, channel, company)
        if purpose._needs_consent():
            agreed = current._filter_valid().partner_id
            return people.filtered(lambda person: person in agreed)
        objected = current.filtered(lambda row: row.action == "withdrawn").partner_id
        return people - objected

    def _privacy_get_excluded(self, purpose):
        """Return those whose data is used for nothing that can be refused.

        Hook: restriction of processing and minors.
        """
        return self.browse()

    def _privacy_contact_hashes(self, channel):
        """Return ``{partner id: digest of the address or number}``, None where there is none."""
        Suppression = self.env["privacy.suppression"]
        # sudo: whoever sends need not see every contact; only the digest leaves this method.
        return {
            partner.id: Suppression._digest(channel, partner._privacy_get_address(channel))
            for partner in self.sudo()
        }

    def _privacy_get_address(self, channel):
        """Return the mail address, or the number in E.164, by which a person is reached."""
        self.ensure_one()
        if channel == "mail":
            return self.email_normalized
        if channel in dict(CHANNELS) and channel != "none":
            return self.phone_sanitized
        return None

    # === ACTIONS === #

    def action_privacy_consents(self):
        """Show the ledger of this person."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_privacy.privacy_consent_action")
        return {**action, "domain": [("partner_id", "=", self.id)], "context": {}}
