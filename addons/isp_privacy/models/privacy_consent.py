import hashlib

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..catalogue import CHANNELS

ACTIONS = [("given", "Given"), ("withdrawn", "Withdrawn")]


class PrivacyConsent(models.Model):
    """The ledger of consents and objections: who said yes or no to what, when and to which words.

    What holds now is the last row of a person, purpose and channel. Rows are written by
    :meth:`_record` alone, when a person decides; signing in or using the service is no decision.
    """

    _name = "privacy.consent"
    _description = "Consent"
    _inherit = ["privacy.ledger"]
    _rec_name = "action"
    _log_access = False
    _erasable = ("ip", "user_agent", "evidence")

    _privacy_fields = {
        "contact_hash": {
            "erasure": "keep",
            "reason": "A keyed digest: it proves that this address opted out after it is erased.",
            "export": False,
        },
        "evidence": "free_text",
    }
    _privacy_facts = "action channel purpose_id source lang"
    _privacy_free = {"What we asked everybody, in our words.": "wording wording_hash"}

    purpose_id = fields.Many2one("privacy.purpose", required=True, index=True, ondelete="restrict")
    channel = fields.Selection(CHANNELS, required=True)
    action = fields.Selection(ACTIONS, required=True)
    source = fields.Selection(
        [
            ("portal", "Portal"),
            ("link", "Link in a message"),
            ("request", "Privacy request"),
            ("staff", "Entered by staff"),
            ("guardian", "Parent or guardian"),
        ],
        "Came by",
        required=True,
    )
    contact_hash = fields.Char("Digest of the address", index="btree_not_null")
    wording = fields.Text("What was agreed to", required=True)
    wording_hash = fields.Char("SHA-256 of the wording", required=True)
    lang = fields.Char("Language")
    evidence = fields.Text(help="What else proves it, such as the form that was signed.")

    _current_idx = models.Index("(partner_id, purpose_id, channel, company_id, id DESC)")
    _somebody = models.Constraint(
        "CHECK (partner_id IS NOT NULL OR contact_hash IS NOT NULL)",
        "A consent is somebody's: it names the person, or the digest of an address.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """The suppression list follows the ledger."""
        for vals in vals_list:
            wording = vals.get("wording") or ""
            vals["wording_hash"] = hashlib.sha256(wording.encode()).hexdigest()
        rows = super().create(vals_list)
        self.env["privacy.suppression"]._follow(rows)
        return rows

    # === BUSINESS METHODS === #

    @api.model
    def _record(self, action, purpose, channel, source, partner=None, address=None, **vals):
        """Write down what a person decided; to repeat what holds already writes nothing.

        :param action: ``given`` or ``withdrawn``
        :param partner: who decided; without one ``address`` says it
        :param address: digest of the mail address or number, if it is not the partner's own
        :param vals: further values, such as ``evidence`` or ``company_id``
        :return: the new row, an empty recordset when nothing changed
        """
        company = self.env["res.company"].browse(
            vals.pop("company_id", None) or self.env.company.id
        )
        partner = partner or self.env["res.partner"]
        digest = address or partner._privacy_contact_hashes(channel).get(partner.id)
        if action == "given":
            purpose._check_consent_allowed(channel, partner)
        if self._holds(action, company, purpose, channel, partner, digest):
            return self.browse()
        lang = self.env.lang or "en_US"
        # sudo: rows are added by this method only, or a consent could be forged.
        return self.sudo().create(
            {
                "company_id": company.id,
                "partner_id": partner.id,
                "contact_hash": digest,
                "purpose_id": purpose.id,
                "channel": channel,
                "action": action,
                "source": source,
                "lang": lang,
                "wording": purpose._get_consent_wording(channel, company),
                **(self._prepare_origin() if source in ("portal", "link") else {}),
                **self._prepare_policy(company),
                **vals,
            }
        )

    @api.model
    def _prepare_policy(self, company):
        """Return the version of the policy that the person could read; see ``privacy.policy``."""
        return {}

    @api.model
    def _holds(self, action, company, purpose, channel, partner, digest):
        """Tell if ``action`` is what holds already, also for the suppression list."""
        last = self._get_current(company, purpose, channel, partner, digest)
        if last.action != action or (action == "given" and not last._filter_valid()):
            return False
        suppressed = self.env["privacy.suppression"]._find(company, purpose, channel, [digest])
        return not digest or bool(suppressed) == (action == "withdrawn")

    @api.model
    def _get_current(self, company, purpose, channel, partners, digest=None):
        """Return the last row of each of ``partners``; without any, that of an address."""
        domain = Domain("company_id", "=", company.id)
        domain &= Domain("purpose_id", "in", purpose.ids)
        if channel:
            domain &= Domain("channel", "=", channel)
        if partners:
            domain &= Domain("partner_id", "in", partners.ids)
        else:
            domain &= Domain("contact_hash", "=", digest or "")
        # sudo: whoever sends must know, and people see their own.
        ledger = self.sudo()
        by = ["partner_id", "purpose_id", "channel"] if partners else ["purpose_id", "channel"]
        return ledger.browse([row[-1] for row in ledger._read_group(domain, by, ["id:max"])])

    def _filter_valid(self):
        """Return the consents that still hold today; see ``privacy.policy``."""
        return self.filtered(lambda row: row.action == "given")

    @api.model
    def _withdraw_all(self, purposes, source, partner=None, address=None, **vals):
        """Withdraw what was agreed to, or object, for all channels of ``purposes``.

        :param address: digest of a mail address, for a person who is not among the contacts
        """
        rows = self.browse()
        for purpose in purposes:
            channels = purpose._get_channels() if partner else ["mail"]
            for channel in channels:
                rows |= self._record(
                    "withdrawn", purpose, channel, source, partner, address, **vals
                )
        return rows

    @api.constrains("purpose_id", "action")
    def _check_purpose(self):
        if any(row.action == "given" and not row.purpose_id.is_choice for row in self):
            raise ValidationError(
                self.env._("For this purpose nobody is asked, so nobody can agree to it.")
            )
