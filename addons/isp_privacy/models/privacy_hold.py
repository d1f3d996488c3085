from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class PrivacyHold(models.Model):
    """A legal hold: what must not be deleted or erased, whatever else says it should be."""

    _name = "privacy.hold"
    _description = "Legal hold"
    _inherit = ["privacy.register"]
    _order = "date_from desc, id desc"
    _rec_name = "reference"
    _guarded = ("closed_at", "closed_by_id")

    _privacy_defaults = {
        "purpose": "licence",
        "erasure": "keep",
        "reason": "The law demands proof of what was held back from erasure, why and how long.",
    }
    _privacy_fields = {
        "partner_id": {"category": "account"},
        "description close_reason": {"category": "free_text"},
        "closed_by_id": "staff",
    }
    _privacy_free = {"Of the authority's order.": "reference authority"}

    reference = fields.Char(required=True, tracking=True, help="Number of the order or case.")
    authority = fields.Char(required=True, tracking=True)
    scope = fields.Selection(
        [
            ("subject", "Everything about a person"),
            ("documents", "Documents of one kind"),
            ("sessions", "Network sessions"),
        ],
        required=True,
        default="subject",
        tracking=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Person",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    document_model = fields.Selection(
        "_selection_document_model", "Kind of document", tracking=True
    )
    range_from = fields.Datetime("First moment held", tracking=True)
    range_to = fields.Datetime("Last moment held", tracking=True)
    description = fields.Text("What it is about")
    date_from = fields.Date(
        "In force from", required=True, default=fields.Date.context_today, tracking=True
    )
    date_to = fields.Date("In force until", tracking=True, help="The last day. Empty: open.")
    close_reason = fields.Text("Why it was closed", tracking=True, copy=False)
    closed_at = fields.Datetime("Closed", readonly=True, copy=False)
    closed_by_id = fields.Many2one(
        "res.users", "Closed by", readonly=True, copy=False, ondelete="restrict", tracking=True
    )
    state = fields.Selection(
        [
            ("coming", "Not yet"),
            ("open", "In force"),
            ("ended", "Ended"),
            ("closed", "Closed"),
        ],
        compute="_compute_state",
    )

    _date_order = models.Constraint(
        "CHECK (date_to >= date_from)", "The hold ends before it begins: correct one of the dates."
    )
    _range_order = models.Constraint(
        "CHECK (range_to >= range_from)", "The last moment held is before the first one."
    )
    _scope_complete = models.Constraint(
        "CHECK (CASE scope WHEN 'subject' THEN partner_id IS NOT NULL"
        " WHEN 'documents' THEN document_model IS NOT NULL"
        " ELSE range_from IS NOT NULL OR partner_id IS NOT NULL END)",
        "Enter what is held: the person, the kind of document, or the time of the sessions.",
    )
    _closed_by_somebody = models.Constraint(
        "CHECK (closed_at IS NULL OR (closed_by_id IS NOT NULL AND COALESCE(close_reason, '') <> ''))",
        "A hold is closed by a person, for a reason.",
    )

    # === COMPUTE AND CRUD METHODS === #

    @api.model
    def _selection_document_model(self):
        # sudo: officers may name any kind of document, though the list of models is closed to them.
        kinds = self.env["ir.model"].sudo().search([("transient", "=", False)])
        return [(kind.model, kind.name) for kind in kinds.sorted("name")]

    @api.depends("date_from", "date_to", "closed_at", "company_id")
    def _compute_state(self):
        for hold in self:
            today = hold._today()
            if hold.closed_at:
                hold.state = "closed"
            elif hold.date_to and hold.date_to < today:
                hold.state = "ended"
            elif hold.date_from and hold.date_from > today:
                hold.state = "coming"
            else:
                hold.state = "open"

    def write(self, vals):
        """A closed hold stays as it was closed."""
        if not self.env.su and self._own_fields(vals) and any(self.mapped("closed_at")):
            raise UserError(self.env._("This hold was closed. Enter a new one."))
        return super().write(vals)

    # === ACTIONS === #

    def action_close(self):
        """Close the hold in the name of the current user; the reason must have been entered."""
        self.ensure_one()
        self.check_access("write")
        if self.closed_at:
            raise UserError(self.env._("This hold was closed before."))
        if not (self.close_reason or "").strip():
            raise UserError(self.env._("Enter why the hold is closed, then close it."))
        # sudo: who closed it is closed to everybody, so that only this method writes it.
        self.sudo().write({"closed_at": fields.Datetime.now(), "closed_by_id": self.env.uid})

    # === BUSINESS METHODS === #

    @api.model
    def _find_for_subject(self, company, partner):
        """Return the holds in force on everything about ``partner``."""
        return self._find(company, "subject", partner)

    @api.model
    def _find_for_documents(self, company, model, partner=None, begin=None, end=None):
        """Return the holds in force that touch documents of ``model`` made in a span of time.

        What is not given could be anything: it never makes a hold not apply.
        """
        found = self._find(company, "documents", partner, begin, end)
        held = found.filtered(lambda hold: hold.document_model == model)
        return held | self._find(company, "subject", partner)

    @api.model
    def _find_for_sessions(self, company, partner=None, begin=None, end=None):
        """Return the holds in force that touch sessions of a span of time."""
        found = self._find(company, "sessions", partner, begin, end)
        return found | self._find(company, "subject", partner)

    def _find(self, company, scope, partner=None, begin=None, end=None):
        domain = Domain("company_id", "=", company.id) & Domain("scope", "=", scope)
        domain &= Domain("closed_at", "=", False)
        # sudo: jobs and users of other roles must not delete what they may not read about.
        found = self.sudo().search(domain)
        if not found:
            # The usual case, asked for each kind of record: the families below take longer.
            return found
        if partner:
            # A hold on a firm is one on each contact of it, and what is done to a firm is done to
            # its contacts.
            domain &= (
                Domain("partner_id", "=", False)
                | Domain("partner_id", "parent_of", partner.ids)
                | Domain("partner_id", "child_of", partner.ids)
            )
        if begin:
            domain &= Domain("range_to", "=", False) | Domain("range_to", ">=", begin)
        if end:
            domain &= Domain("range_from", "=", False) | Domain("range_from", "<=", end)
        return found.search(domain).filtered(lambda hold: hold.state == "open")
