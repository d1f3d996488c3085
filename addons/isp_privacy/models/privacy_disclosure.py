import base64
import hashlib
import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

_SHA256 = re.compile(r"[0-9a-f]{64}")
# What was approved: it stays as it was approved.
_APPROVED_FIELDS = {
    *("authority", "legal_reference", "date_received", "partner_id", "scope", "company_id"),
}


class PrivacyDisclosure(models.Model):
    """Personal data handed to an authority: on what ground, approved by whom, and what it was.

    Who enters a disclosure never approves it.
    """

    _name = "privacy.disclosure"
    _description = "Disclosure"
    _inherit = ["privacy.register"]
    _order = "date_received desc, id desc"
    _rec_name = "legal_reference"
    _guarded = (
        *("state", "entered_by_id", "approved_by_id", "approved_at"),
        *("handed_over_by_id", "handed_over_at"),
    )

    _privacy_defaults = {
        "purpose": "licence",
        "erasure": "keep",
        "reason": "The law demands proof of what was handed to whom, on what ground and by whom.",
    }
    _privacy_fields = {
        "partner_id": {"category": "account"},
        "scope": {"category": "free_text"},
        "file_name": {"category": "document"},
        "entered_by_id approved_by_id handed_over_by_id": "staff",
    }
    _privacy_free = {
        "Of the authority's order.": "authority legal_reference",
        "Hash of the file, which itself is not kept.": "sha256",
    }

    state = fields.Selection(
        [("draft", "Entered"), ("approved", "Approved"), ("done", "Handed over")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    authority = fields.Char(required=True, tracking=True, help="The court or office that asks.")
    legal_reference = fields.Char(
        required=True, tracking=True, help="Law and number of the order, such as a court's."
    )
    date_received = fields.Date("Received", required=True, default=fields.Date.context_today)
    partner_id = fields.Many2one(
        "res.partner",
        "About",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Empty when it is about several persons.",
    )
    scope = fields.Text("What is handed over", required=True)
    entered_by_id = fields.Many2one(
        "res.users",
        "Entered by",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env.user,
        ondelete="restrict",
    )
    approved_by_id = fields.Many2one(
        "res.users",
        "Approved by",
        readonly=True,
        copy=False,
        tracking=True,
        ondelete="restrict",
    )
    approved_at = fields.Datetime("Approved", readonly=True, copy=False)
    handed_over_by_id = fields.Many2one(
        "res.users",
        "Handed over by",
        readonly=True,
        copy=False,
        ondelete="restrict",
    )
    handed_over_at = fields.Datetime("Handed over", readonly=True, copy=False)
    sha256 = fields.Char(
        "SHA-256 of what was handed over",
        copy=False,
        tracking=True,
        help="Proves later which file it was. Upload the file below, or type its hash.",
    )
    file_name = fields.Char(copy=False)
    content = fields.Binary(
        "Take the hash of a file",
        compute="_compute_content",
        inverse="_inverse_content",
        help="The file itself is not kept: only its hash is.",
    )

    _two_persons = models.Constraint(
        "CHECK (approved_by_id <> entered_by_id)",
        "Somebody else than who entered the disclosure must approve it.",
    )
    _done_complete = models.Constraint(
        "CHECK (state = 'draft' OR approved_by_id IS NOT NULL)",
        "A disclosure is approved by a person before anything is handed over.",
    )

    # === COMPUTE AND CONSTRAINT METHODS === #

    def _compute_content(self):
        self.content = False

    def _inverse_content(self):
        for disclosure in self.filtered("content"):
            raw = base64.b64decode(disclosure.content)
            disclosure.sha256 = hashlib.sha256(raw).hexdigest()

    @api.constrains("sha256")
    def _check_sha256(self):
        for disclosure in self:
            if disclosure.sha256 and not _SHA256.fullmatch(disclosure.sha256):
                raise ValidationError(
                    self.env._("A SHA-256 hash has 64 characters: digits and the letters a to f.")
                )

    # === CRUD METHODS === #

    def write(self, vals):
        """Keep what was approved, and what was handed over, as it was."""
        if not self.env.su and (changed := set(self._own_fields(vals))):
            if "done" in self.mapped("state"):
                raise UserError(
                    self.env._("This was handed over: the entry is not changed any more.")
                )
            if "approved" in self.mapped("state") and changed & _APPROVED_FIELDS:
                raise UserError(
                    self.env._("This was approved as it is. Enter a new disclosure for a change.")
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if any(disclosure.state != "draft" for disclosure in self):
            raise UserError(self.env._("An approved disclosure stays in the register."))

    # === ACTIONS === #

    def action_approve(self):
        """Approve, as somebody else than who entered it."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "draft":
            raise UserError(self.env._("This disclosure was approved before."))
        if self.entered_by_id == self.env.user:
            raise UserError(
                self.env._("You entered this disclosure: another privacy officer must approve it.")
            )
        self._step({"state": "approved", "approved_by_id": self.env.uid}, "approved_at")

    def action_hand_over(self):
        """Write down that the data was handed over, and which file it was."""
        self.ensure_one()
        self.check_access("write")
        if self.state != "approved":
            raise UserError(self.env._("Only an approved disclosure can be handed over, once."))
        if not self.sha256:
            raise UserError(
                self.env._("Upload the file that is handed over, or type its SHA-256 hash.")
            )
        self._step({"state": "done", "handed_over_by_id": self.env.uid}, "handed_over_at")

    def _step(self, vals, moment_field):
        # sudo: these fields are closed to everybody, so that only the methods above write them.
        self.sudo().write({**vals, moment_field: fields.Datetime.now()})
