import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import clean_context, email_normalize

from ..engine import request_states
from ..engine.request_states import DIRECT_TYPES, STATES, TERMINAL, TYPES

# Passed in the context by the methods that own the values below. A context that arrives by RPC can
# hold only plain data, never this object, so nobody outside can move a request past its method.
_STEP = object()

# What the person asked: fixed as soon as somebody works on it.
ASKED_FIELDS = frozenset({"request_type", "partner_id", "email_from", "words", "company_id"})
# What only the methods of a step write.
STEP_FIELDS = frozenset(
    {
        "name",
        "state",
        "channel",
        "profile_id",
        "profile_version",
        "terms",
        "date_due",
        "extended_on",
        "extension_reason",
        "warned_percent",
        "checked_on",
        "problem",
        "recover_until",
        "stopped_user_ids",
        "erasure_ids",
        "erasure_alarm_at",
        "held_from",
        "hold_reference",
        "reviewer_id",
        "approver_id",
        "identity_state",
        "identity_asked_on",
        "identity_method",
        "identity_note",
        "identity_user_id",
        "identity_date",
        "proofs_delete_on",
        "rejection_reason",
        "result",
        "original_id",
        "closed_on",
        "event_ids",
        "email_normalized",
    }
)
# Nobody can do anything now: proof is awaited, or the time to think better of it.
WAITING_STATES = frozenset({"identity_pending", "recovery"})
# Letters that look alike when read aloud are left out.
_REFERENCE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_OPEN_SQL = f"state NOT IN {tuple(sorted(TERMINAL))}"

AUDITOR = "isp_privacy.group_privacy_auditor"


class PrivacyRequest(models.Model):
    """What a person asks about the own data, from receipt to answer."""

    _name = "privacy.request"
    _description = "Privacy request"
    _inherit = ["portal.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "date_due, id"
    _primary_email = "email_from"
    _check_company_auto = True

    # After erasure a request tells that somebody, now a pseudonym, asked for what, when, and what
    # was decided; all words about it go.
    _privacy_subject = ("partner_id", "email_normalized=email_normalized")
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {
        "partner_id": "subject",
        "email_from": {"category": "contact", "erasure": "pseudonymise"},
        "email_normalized": {"category": "contact", "erasure": "null", "export": False},
        "words extension_reason rejection_reason result": "free_text",
        "identity_note": {"category": "identity_document", "erasure": "null"},
        # Of a hold nobody is told, nor what exactly went wrong within.
        "hold_reference": {"erasure": "null", "export": False},
        "problem": {"category": "trace", "erasure": "null", "export": False},
        "user_id identity_user_id reviewer_id approver_id": "staff",
    }
    _privacy_facts = (
        "name request_type state channel date_received date_due extended_on closed_on "
        "identity_state identity_method identity_asked_on identity_date recover_until"
    )
    _privacy_free = {"Days and months that the policy promised to everybody.": "terms"}
    _privacy_retention = {"anchor": "closed_on"}

    name = fields.Char(
        "Reference",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self._new_reference(),
        help="Random, so that it tells nobody how many requests there are.",
    )
    request_type = fields.Selection(TYPES, "What is asked", tracking=True)
    state = fields.Selection(
        STATES,
        required=True,
        readonly=True,
        copy=False,
        default="received",
        index=True,
        tracking=True,
        group_expand="_group_expand_state",
    )
    partner_id = fields.Many2one("res.partner", "Who asks", index=True, check_company=True)
    email_from = fields.Char(
        "E-mail", help="Where answers go when the person is not among the contacts."
    )
    email_normalized = fields.Char(
        compute="_compute_email_normalized",
        store=True,
        groups=AUDITOR,
        export_string_translation=False,
        help="Tells whose request it is as long as the person is not among the contacts.",
    )
    words = fields.Text("In their words")
    channel = fields.Selection(
        [("portal", "Portal"), ("mail", "E-mail"), ("staff", "Entered by staff")],
        "Came by",
        required=True,
        readonly=True,
        copy=False,
        default="staff",
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        "Officer",
        tracking=True,
        check_company=True,
        domain="[('share', '=', False)]",
    )

    profile_id = fields.Many2one(
        "privacy.profile",
        "Policy profile",
        required=True,
        readonly=True,
        copy=False,
        groups=AUDITOR,
    )
    profile_version = fields.Integer(readonly=True, copy=False, groups=AUDITOR)
    terms = fields.Json(readonly=True, copy=False)

    date_received = fields.Datetime(
        "Received",
        required=True,
        copy=False,
        default=fields.Datetime.now,
        help="When it reached us, by our own clock. A letter: the day on which it was delivered.",
    )
    date_due = fields.Date(
        "Answer due", required=True, readonly=True, copy=False, index=True, tracking=True
    )
    is_overdue = fields.Boolean(compute="_compute_clock", search="_search_is_overdue")
    percent_used = fields.Integer("Time used (%)", compute="_compute_clock")
    extended_on = fields.Date("Extended on", readonly=True, copy=False)
    extension_reason = fields.Text("Why it takes longer", readonly=True, copy=False)
    warned_percent = fields.Integer(readonly=True, copy=False, groups=AUDITOR)
    checked_on = fields.Date(readonly=True, copy=False, groups=AUDITOR)
    problem = fields.Char(
        readonly=True,
        copy=False,
        groups=AUDITOR,
        help="Why the daily job could not look after the request.",
    )
    closed_on = fields.Datetime("Closed", readonly=True, copy=False)

    identity_state = fields.Selection(
        [
            ("missing", "Not proven"),
            ("asked", "Asked for"),
            ("proven", "Proven"),
            ("not_needed", "Not needed"),
            ("failed", "Not proven in time"),
        ],
        "Identity",
        required=True,
        readonly=True,
        copy=False,
        default="missing",
    )
    identity_asked_on = fields.Datetime("Proof asked for", readonly=True, copy=False)
    identity_method = fields.Selection(
        [
            ("reauth", "Signed in again in the portal"),
            ("code", "Code to a registered phone or e-mail"),
            ("letter", "Letter and call back"),
            ("person", "In person"),
        ],
        "Proven by",
        readonly=True,
        copy=False,
        groups=AUDITOR,
    )
    identity_note = fields.Char("Note on the proof", readonly=True, copy=False, groups=AUDITOR)
    identity_user_id = fields.Many2one(
        "res.users", "Proof taken by", readonly=True, copy=False, groups=AUDITOR
    )
    identity_date = fields.Datetime("Proven on", readonly=True, copy=False)
    proof_ids = fields.Many2many(
        "ir.attachment",
        "privacy_request_proof_rel",
        string="Proofs",
        copy=False,
        groups=AUDITOR,
        help="Never ask for more than is needed. Deleted some time after closing.",
    )
    proofs_delete_on = fields.Date(
        "Proofs deleted on", readonly=True, copy=False, index="btree_not_null", groups=AUDITOR
    )

    reviewer_id = fields.Many2one(
        "res.users", "Reviewed by", readonly=True, copy=False, groups=AUDITOR
    )
    approver_id = fields.Many2one(
        "res.users", "Approved by", readonly=True, copy=False, groups=AUDITOR
    )
    recover_until = fields.Datetime(
        "Can be called off until", readonly=True, copy=False, index="btree_not_null"
    )
    held_from = fields.Selection(STATES, readonly=True, copy=False, groups=AUDITOR)
    hold_reference = fields.Char("Held because of", readonly=True, copy=False, groups=AUDITOR)
    rejection_reason = fields.Text(readonly=True, copy=False)
    result = fields.Text("What was done", readonly=True, copy=False)
    original_id = fields.Many2one(
        "privacy.request", "Duplicate of", readonly=True, copy=False, check_company=True
    )
    event_ids = fields.One2many(
        "privacy.request.event", "request_id", "History", readonly=True, groups=AUDITOR
    )

    open_request_id = fields.Many2one("privacy.request", compute="_compute_open_request_id")
    next_states = fields.Char(compute="_compute_next_states")
    can_approve = fields.Boolean(compute="_compute_can_approve")

    _name_uniq = models.UniqueIndex("(name)", "This reference is taken. Please try again.")
    _open_partner_uniq = models.UniqueIndex(
        "(company_id, partner_id, COALESCE(request_type, ''))"
        f" WHERE partner_id IS NOT NULL AND {_OPEN_SQL}",
        "This person has an open request of this kind already. Work on that one, and mark this one "
        "as its duplicate.",
    )
    _open_email_uniq = models.UniqueIndex(
        "(company_id, email_normalized, COALESCE(request_type, ''))"
        f" WHERE partner_id IS NULL AND email_normalized IS NOT NULL AND {_OPEN_SQL}",
        "An open request of this kind came from this address already. Work on that one, and mark "
        "this one as its duplicate.",
    )

    # === COMPUTE METHODS === #

    @api.model
    def _new_reference(self):
        return "PR-" + "".join(secrets.choice(_REFERENCE_LETTERS) for _letter in range(8))

    def _compute_access_url(self):
        for request in self:
            request.access_url = f"/my/privacy/{request.id}"

    @api.depends("email_from", "partner_id")
    def _compute_email_normalized(self):
        for request in self:
            # Of a known person the address says nothing: a family may share one mailbox.
            known = request.partner_id
            request.email_normalized = not known and email_normalize(request.email_from)

    @api.depends("partner_id", "email_from", "request_type", "company_id", "state")
    def _compute_open_request_id(self):
        for request in self:
            other = self.browse()
            if request.state not in TERMINAL:
                other = self._find_open(
                    request.company_id._origin,
                    request.request_type,
                    request.partner_id._origin,
                    request.email_from,
                )
            request.open_request_id = other - request._origin

    @api.depends("request_type", "state", "held_from")
    def _compute_next_states(self):
        for request in self:
            request.next_states = " ".join(sorted(request._get_next_states()))

    @api.depends("state", "reviewer_id", "partner_id")
    @api.depends_context("uid")
    def _compute_can_approve(self):
        for request in self:
            request.can_approve = (
                "approved" in request._get_next_states()
                and self.env.user not in request._get_involved_users()
            )

    @api.model
    def _group_expand_state(self, states, domain):
        """Columns of the board: the way of a request, and side exits only where one stands."""
        way = {"received", "identity_pending", "verified", "in_review", "approved", "executing"}
        return [state for state, _label in STATES if state in way | set(states)]

    # === CONSTRAINTS === #

    @api.constrains("date_received")
    def _check_date_received(self):
        if any(request.date_received > fields.Datetime.now() for request in self):
            raise ValidationError(
                self.env._("A request cannot be received in the future. Correct its date.")
            )

    @api.constrains("company_id", "partner_id", "email_from")  # the first is always written
    def _check_sender(self):
        # Of one that has ended, erasure leaves no address.
        for request in self.filtered(lambda request: request.state not in TERMINAL):
            if not (request.partner_id or request.email_normalized):
                raise ValidationError(
                    self.env._("Say who asks: choose the person, or enter a valid e-mail address.")
                )

    # === CREATE AND WRITE === #

    @api.model_create_multi
    def create(self, vals_list):
        # Defaults of the context would get past the check below.
        context = clean_context(self.env.context)
        model = self.with_context(context, mail_create_nosubscribe=True)
        for vals in vals_list:
            model._refuse_new_fields(vals)
            model._complete_vals(vals)
        requests = super(PrivacyRequest, model).create(vals_list)
        requests = requests.with_env(self.with_context(privacy_step=None).env)
        for request in requests:
            request._log_event("open", request._get_channel_words(), to_state="received")
            request._send_letter("received")
            if request.request_type in DIRECT_TYPES:
                request._begin_execution(self.env._("Needs no proof and no decision"))
        return requests

    def write(self, vals):
        self._refuse_fixed_fields(vals)
        return super().write(vals)

    @api.model
    def _complete_vals(self, vals):
        """Add the promises that bind from now on, and the date that follows from them."""
        company = self.env["res.company"].browse(vals.get("company_id") or self.env.company.id)
        profile = company._get_privacy_profile()
        vals["date_received"] = vals.get("date_received") or fields.Datetime.now()
        received = company._get_privacy_day(fields.Datetime.to_datetime(vals["date_received"]))
        vals.update(
            company_id=company.id,
            profile_id=profile.id,
            profile_version=profile.version,
            terms=profile._get_terms(),
            date_due=self._get_due_of_terms(profile._get_terms(), received),
        )

    def _refuse_new_fields(self, vals):
        """Refuse to open a request with more than what was asked, by whom and when."""
        foreign = STEP_FIELDS & set(vals)
        # The client may send the defaults of a new record; they change nothing.
        defaults = self.default_get(list(foreign - {"name"}))
        self._refuse_fields({name for name in foreign if vals[name] != defaults.get(name)})

    def _refuse_fixed_fields(self, vals):
        """Refuse to change what only the steps of a request write, and what a person asked."""
        fixed = STEP_FIELDS | {"date_received"}
        if any(request.state != "received" for request in self):
            fixed |= ASKED_FIELDS
        self._refuse_fields(fixed & set(vals))

    def _refuse_fields(self, names):
        if names and self.env.context.get("privacy_step") is not _STEP:
            labels = ", ".join(sorted(self._fields[name].string for name in names))
            raise UserError(
                self.env._(
                    "This cannot be changed by hand: %s. Use the buttons of the request.", labels
                )
            )

    def _write_step(self, vals):
        """Write what belongs to the steps of a request."""
        return self.with_context(privacy_step=_STEP).write(vals)

    def _privacy_empty(self, vals):
        """Empty what has had its time; see ``retention_map``."""
        return self._write_step(vals)

    @api.model
    def _create_step(self, vals):
        """Create a request with values that a form must not give."""
        return self.with_context(privacy_step=_STEP).create(vals).with_env(self.env)

    # === HELPERS === #

    def _get_next_states(self):
        self.ensure_one()
        # sudo: where a request was held is internal, what the person may do next is not.
        held_from = self.sudo().held_from
        return request_states.next_states(self.request_type, self.state, held_from)

    def _get_involved_users(self):
        """Users who must not approve the request: who entered or reviewed it, and who asks."""
        self.ensure_one()
        # sudo: a login of the person counts in whichever company it is, and when it is archived.
        request = self.sudo().with_context(active_test=False)
        return request.create_uid | request.reviewer_id | request.partner_id.user_ids

    def _get_channel_words(self):
        return dict(self._fields["channel"]._description_selection(self.env))[self.channel]

    @api.model
    def _find_open(self, company, request_type, partner, email=None):
        """Return the open request of the same person and kind, if there is one."""
        domain = Domain("company_id", "=", company.id) & Domain("state", "not in", list(TERMINAL))
        domain &= Domain("request_type", "=", request_type or False)
        if partner:
            domain &= Domain("partner_id", "=", partner.id)
        elif normalized := email_normalize(email):
            domain &= Domain("partner_id", "=", False)
            domain &= Domain("email_normalized", "=", normalized)
        else:
            return self.browse()
        return self.search(domain, limit=1)
