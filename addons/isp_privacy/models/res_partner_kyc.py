from odoo import api, fields, models
from odoo.fields import Domain

from .privacy_kyc import STATES

# The best that somebody has counts: an old rejection is no matter once another was approved.
_RANK = ("approved", "checked", "submitted", "draft", "expired", "rejected")


class ResPartner(models.Model):
    """How far the check of a contact's identity is."""

    _inherit = "res.partner"

    privacy_kyc_ids = fields.One2many(
        "privacy.kyc",
        "partner_id",
        "Identity documents",
        groups="isp_privacy.group_kyc_officer",
    )
    privacy_kyc_state = fields.Selection(
        [*STATES, ("none", "Not captured")],
        "Identity",
        compute="_compute_privacy_kyc_state",
        compute_sudo=True,
        groups="isp_base.group_isp_support,isp_privacy.group_kyc_officer",
    )

    @api.depends("privacy_kyc_ids.state", "privacy_kyc_ids.valid_until")
    @api.depends_context("company")
    def _compute_privacy_kyc_state(self):
        company = self.env.company
        for partner in self:
            partner.privacy_kyc_state = partner._privacy_kyc_state(company)

    def action_privacy_kyc(self):
        """Show the identity documents of the contact."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_privacy.privacy_kyc_action")
        own = Domain("partner_id", "in", (self | self.commercial_partner_id).ids)
        return {**action, "domain": list(own), "context": {"default_partner_id": self.id}}

    # === BUSINESS METHODS === #

    def _privacy_kyc(self, company):
        """Return the document of the contact, or of its company, that counts; empty without any."""
        self.ensure_one()
        # sudo: that there is an approved document decides what others may do; they see no more.
        found = self.env["privacy.kyc"].sudo()
        found = found.search(
            Domain("partner_id", "in", (self | self.sudo().commercial_partner_id).ids)
            & Domain("company_id", "=", company.id)
        )
        today = company._get_privacy_today()
        return found.sorted(lambda kyc: _RANK.index(kyc._get_state_on(today)))[:1]

    def _privacy_kyc_state(self, company):
        """Return the state of the identity check, ``none`` before it began."""
        found = self._privacy_kyc(company)
        return found._get_state_on(company._get_privacy_today()) if found else "none"

    def _privacy_kyc_problem(self, company):
        """Return what is missing for an approved identity, as a sentence; None when nothing is.

        Addons that begin a service ask for it by this name.
        """
        self.ensure_one()
        words = {
            "none": self.env._("no identity document was captured"),
            "draft": self.env._("the identity document is not submitted yet"),
            "submitted": self.env._("the identity document has to be checked"),
            "checked": self.env._("a second person has to approve the identity document"),
            "rejected": self.env._("the identity document was rejected, so a new one is needed"),
            "expired": self.env._("the identity document has expired, so a new one is needed"),
        }
        return words.get(self._privacy_kyc_state(company))
