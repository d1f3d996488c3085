from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from odoo.addons.isp_base.encryption import SHOW_UNREADABLE, encrypted_char

from ..engine import identity_number

KINDS = [
    ("nid", "National identity card"),
    ("passport", "Passport"),
    ("business", "Business registration"),
]
STATES = [
    ("draft", "Draft"),
    ("submitted", "Submitted"),
    ("checked", "Checked"),
    ("approved", "Approved"),
    ("rejected", "Rejected"),
    ("expired", "Expired"),
]
OPEN = ("draft", "submitted", "checked")
# What is captured, and may be changed as long as nobody has been asked to look at it.
_CAPTURED = {"partner_id", "company_id", "kind", "number", "valid_until"}


class PrivacyKyc(models.Model):
    """The identity document of a person or firm: captured, checked, approved by a second person.

    The number is encrypted, and found by its whole value only; the pictures are sealed files (see
    ``privacy.kyc.document``). Each look at the number or at a picture is a row of the audit chain.
    """

    _name = "privacy.kyc"
    _description = "Identity document"
    _inherit = ["isp.encrypted.mixin", "privacy.audited"]
    _order = "id desc"
    _check_company_auto = True
    _guarded = (
        *("state", "captured_on", "captured_by_ids", "submitted_on"),
        *("checked_on", "checked_by_id", "decided_on", "decided_by_id"),
    )

    _privacy_subject = "partner_id"
    _privacy_defaults = {
        "category": "identity_document",
        "purpose": "identity",
        "retention": "kyc",
        "erasure": "delete",
    }
    _privacy_retention = {"anchor": "captured_on"}
    _privacy_fields = {
        "partner_id": "subject",
        "number": {},
        "rejection_reason": "free_text",
        "captured_by_ids checked_by_id decided_by_id": "staff",
    }
    _privacy_facts = "kind state valid_until captured_on submitted_on checked_on decided_on"

    partner_id = fields.Many2one(
        "res.partner", "Contact", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    kind = fields.Selection(KINDS, "Document", required=True, default="nid")
    number, number_enc, number_bidx, number_last4 = encrypted_char(
        "number",
        "Number",
        groups="isp_privacy.group_kyc_officer",
        indexed=True,
        normalize=identity_number.same_number,
        last4_from=8,
        help="Stored encrypted. Whoever has it shown is written into the audit chain.",
    )
    valid_until = fields.Date("Valid until", help="The last day, if the document says one.")
    document_ids = fields.One2many("privacy.kyc.document", "kyc_id", "Pictures")
    duplicate_ids = fields.Many2many(
        "privacy.kyc",
        string="Same number",
        compute="_compute_duplicate_ids",
        help="Documents of other contacts of this company with the same number.",
    )

    # === FIELDS - STATE === #
    state = fields.Selection(
        STATES, required=True, readonly=True, default="draft", index=True, copy=False
    )
    captured_on = fields.Datetime(
        "Captured", required=True, readonly=True, copy=False, default=fields.Datetime.now
    )
    captured_by_ids = fields.Many2many(
        "res.users",
        string="Captured by",
        readonly=True,
        copy=False,
        help="Whoever typed the number or added a picture. None of them approves it.",
    )
    submitted_on = fields.Datetime("Submitted", readonly=True, copy=False)
    checked_on = fields.Datetime("Checked", readonly=True, copy=False)
    checked_by_id = fields.Many2one("res.users", "Checked by", readonly=True, copy=False)
    decided_on = fields.Datetime("Decided", readonly=True, copy=False)
    decided_by_id = fields.Many2one("res.users", "Decided by", readonly=True, copy=False)
    rejection_reason = fields.Text(
        "Reason of a rejection",
        copy=False,
        help="The customer reads it on the customer page, so say what to do.",
    )
    can_approve = fields.Boolean(compute="_compute_can_approve")

    _open_uniq = models.UniqueIndex(
        "(partner_id, company_id, kind) WHERE state IN ('draft', 'submitted', 'checked')",
        "A document of this kind is being looked at already. Open that one.",
    )

    # === COMPUTE METHODS === #

    @api.depends("partner_id", "kind")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for kyc in self:
            kyc.display_name = self.env._(
                "%(kind)s of %(contact)s",
                kind=kinds.get(kyc.kind, ""),
                contact=kyc.partner_id.display_name or "",
            )

    @api.depends("number", "kind", "company_id", "partner_id")
    def _compute_duplicate_ids(self):
        for kyc in self.with_context(**{SHOW_UNREADABLE: True}):
            kyc.duplicate_ids = kyc.number and self.search(kyc._get_duplicate_domain())

    def _get_duplicate_domain(self):
        return (
            Domain("number", "=", self.number)
            & Domain("kind", "=", self.kind)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("partner_id", "!=", self.partner_id.id)
            & Domain("id", "!=", self._origin.id)
        )

    @api.depends("state", "captured_by_ids", "checked_by_id", "partner_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for kyc in self:
            kyc.can_approve = kyc.state == "checked" and not kyc._get_approval_problem()

    # === CREATE AND WRITE === #

    @api.model_create_multi
    def create(self, vals_list):
        """Note who captured it; numbers are stored in one way of writing."""
        default = self.default_get(["kind"]).get("kind")
        documents = super().create(
            [_with_clean_number(vals, vals.get("kind") or default) for vals in vals_list]
        )
        documents._check_number()
        documents._note_captured()
        return documents

    def write(self, vals):
        """Refuse to change what was submitted; whoever changes a draft has captured it."""
        changed = _CAPTURED & set(vals)
        if changed:
            self._check_draft()
        result = super().write(_with_clean_number(vals, vals.get("kind") or self[:1].kind))
        if changed & {"number", "kind", "company_id"}:
            self._check_number()
        if changed:
            self._note_captured()
        return result

    def copy_data(self, default=None):
        """Refuse: a document is captured, never copied."""
        if self:
            raise UserError(self.env._("An identity document cannot be copied. Capture a new one."))
        return super().copy_data(default)

    @api.ondelete(at_uninstall=False)
    def _unlink_pictures(self):
        """The files of the pictures go too, whose rows the database deletes with this one."""
        self._privacy_delete_files()

    def _check_draft(self):
        """Refuse changes of what people have been asked to look at.

        :raises UserError: says how to correct it
        """
        if not self.env.su and any(kyc.state != "draft" for kyc in self):
            raise UserError(
                self.env._(
                    "Only a draft can be changed. Press “Back to draft” to correct the document; "
                    "then it has to be checked and approved again."
                )
            )

    def _check_number(self):
        """Refuse a number that the document cannot have.

        :raises ValidationError: says what a number looks like
        """
        for kyc in self.filtered("number"):
            country = kyc.company_id.sudo().country_id.code
            found = identity_number.problem(kyc.kind, kyc.number, country)
            if found:
                raise ValidationError(kyc._describe_number_problem(*found))

    def _describe_number_problem(self, code, lengths):
        kind = dict(self._fields["kind"]._description_selection(self.env))[self.kind]
        if code == "digits":
            return self.env._("%s: the number has digits only. Look at the document again.", kind)
        if code == "letters":
            return self.env._("%s: the number has letters and digits only.", kind)
        allowed = [str(length) for length in lengths]
        if len(allowed) > 3:
            words = self.env._("from %(first)s to %(last)s", first=allowed[0], last=allowed[-1])
        else:
            words = self.env._(" or ").join(allowed)
        return self.env._(
            "%(kind)s: the number has %(given)s characters, and must have %(lengths)s. Look at the "
            "document again.",
            kind=kind,
            given=len(self.number),
            lengths=words,
        )

    def _note_captured(self):
        """Write down who captured it, also behind a page of the customer."""
        # sudo: guarded, so that nobody is taken off the list.
        for kyc in self.sudo():
            if self.env.user not in kyc.captured_by_ids:
                kyc.captured_by_ids = [Command.link(self.env.uid)]

    # === BUSINESS METHODS === #

    def _log_reveal(self, field_name, label):
        """One row of the audit chain for each look at the number."""
        self.env["privacy.audit"]._log("reveal", self, [field_name], self.partner_id)
        return super()._log_reveal(field_name, label)

    def _privacy_delete_files(self):
        """Delete the files of the pictures; erasure asks for it before it deletes the rows."""
        # sudo: whoever may delete the document deletes its pictures.
        self.sudo().document_ids._delete_files()

    def _get_kind_label(self):
        self.ensure_one()
        return dict(self._fields["kind"]._description_selection(self.env))[self.kind]

    # === CUSTOMER PAGE === #

    @api.model
    def _send_from_portal(self, kind, number, files):
        """Capture what a customer sends about the own identity, and submit it.

        :param files: ``{side: binary stream}``
        """
        partner, company = self.env.user.partner_id, self.env.company
        if kind not in dict(KINDS):
            raise UserError(self.env._("Choose which document it is."))
        if not (number or "").strip():
            raise UserError(self.env._("Type the number of the document."))
        # sudo: customers have no rights on identity documents; this one is the own.
        mine = self.sudo()
        own = Domain("partner_id", "=", partner.id) & Domain("company_id", "=", company.id)
        if mine.search_count(
            own & Domain("kind", "=", kind) & Domain("state", "in", OPEN), limit=1
        ):
            raise UserError(self.env._("We are looking at your document already."))
        if mine.search_count(own & Domain("state", "=", "approved"), limit=1):
            raise UserError(self.env._("Your identity is confirmed already."))
        kyc = mine.create(
            {"partner_id": partner.id, "company_id": company.id, "kind": kind, "number": number}
        )
        for side, stream in files.items():
            kyc.document_ids.create({"kyc_id": kyc.id, "side": side})._seal(stream)
        kyc.invalidate_recordset(["document_ids"])
        kyc._submit()
        return kyc


def _with_clean_number(vals, kind):
    if not vals.get("number"):
        return vals
    return {**vals, "number": identity_number.clean(kind, vals["number"])}
