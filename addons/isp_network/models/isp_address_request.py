import ipaddress

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.base.models.res_partner import _tz_get

from ..addresses.moment import parse_moment
from ..addresses.problem import AddressProblem
from .isp_address_reasons import explained

# Passed in the context by the methods of this model; a context that arrives by RPC holds only
# plain data, so nobody outside can move a request past its method.
TRANSITION = object()


class IspAddressRequest(models.Model):
    """An authority asks who had an address, or when a subscription was online.

    Nothing is looked up without authority, number, date, person and reason; what was found stays
    as it was found. The models beside this one look up and hand over.
    """

    _name = "isp.address.request"
    _description = "Lawful request"
    _inherit = ["mail.thread"]
    _order = "id desc"
    _check_company_auto = True

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "licence",
        "retention": "audit",
        "erasure": "keep",
        "reason": "What an authority asked, and why it was answered.",
        "export": False,
    }
    _privacy_fields = {
        "address result reason requested_by": {},
        "answered_by_id": "staff",
    }
    _privacy_free = {"Of the authority's letter.": "name authority reference moment_text"}

    name = fields.Char("Number", readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    state = fields.Selection(
        [("draft", "Draft"), ("answered", "Answered"), ("closed", "Closed")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )

    # === FIELDS - WHO ASKS === #
    authority = fields.Char(required=True, help="Who asks, such as a police unit or a court.")
    reference = fields.Char("Number of the authority", required=True, help="As on the letter.")
    date_received = fields.Date("Date of the letter", required=True)
    requested_by = fields.Char(
        "Signed by", required=True, help="Name and rank of the person who signed the letter."
    )
    reason = fields.Text(
        "Reason and legal basis", required=True, help="The case and the law that the letter names."
    )

    # === FIELDS - WHAT IS ASKED === #
    kind = fields.Selection(
        [
            ("address", "Who had an address at a moment"),
            ("subscription", "When a subscription was online"),
        ],
        "Question",
        required=True,
        default="address",
    )
    address = fields.Char("IP address", copy=False)
    port = fields.Integer(
        "Source port",
        copy=False,
        help="Needed where customers share a public address. 0 when the letter names none.",
    )
    moment_text = fields.Char(
        "Moment in the letter", copy=False, help="Year first: 2026-11-03 21:14:05."
    )
    tz = fields.Selection(
        _tz_get,
        "Time zone of the letter",
        default=lambda self: self.env.company._get_isp_timezone().zone,
    )
    tolerance_s = fields.Integer(
        "Clocks may differ by (s)",
        help="Sessions that began or ended within so many seconds of the moment are named as well.",
    )
    moment = fields.Datetime(compute="_compute_moment", store=True)
    moment_words = fields.Char("That is", compute="_compute_moment_words")
    subscription_id = fields.Many2one(
        "isp.subscription", check_company=True, copy=False, ondelete="restrict"
    )
    date_from = fields.Date("From day", copy=False)
    date_to = fields.Date("To day", copy=False, help="The last day asked for.")

    # === FIELDS - ANSWER === #
    answered_by_id = fields.Many2one("res.users", "Answered by", readonly=True, copy=False)
    answered_on = fields.Datetime("Answered on", readonly=True, copy=False)
    result = fields.Text(readonly=True, copy=False)
    answer_ids = fields.One2many("isp.address.answer", "request_id", "Answers", readonly=True)
    answer_count = fields.Integer("Found", readonly=True, copy=False)
    log_ids = fields.One2many("isp.address.log", "request_id", "Record", readonly=True)

    _port_valid = models.Constraint(
        "CHECK (port BETWEEN 0 AND 65535)", "A port lies between 1 and 65535."
    )
    _tolerance_valid = models.Constraint(
        "CHECK (tolerance_s BETWEEN 0 AND 3600)", "Clocks may differ by an hour at most."
    )

    def init(self):
        """Let the database itself refuse changes of what was answered."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE TRIGGER isp_keep_answered
                BEFORE UPDATE OR DELETE ON isp_address_request
                FOR EACH ROW EXECUTE FUNCTION radius.keep_answered()
            """
        )

    # === COMPUTE METHODS === #

    @api.depends("moment_text", "tz")
    def _compute_moment(self):
        for request in self:
            try:
                request.moment = request.moment_text and parse_moment(
                    request.moment_text, request.tz or "UTC"
                )
            except AddressProblem:
                request.moment = False

    @api.depends("moment", "tz")
    def _compute_moment_words(self):
        for request in self:
            request.moment_words = request._format_moment(request.moment)

    # === CONSTRAINT METHODS === #

    @api.constrains("moment_text", "tz")
    def _check_moment(self):
        for request in self.filtered("moment_text"):
            with explained(self.env):
                parse_moment(request.moment_text, request.tz or "UTC")

    @api.constrains("address")
    def _check_address(self):
        for request in self.filtered("address"):
            request._get_address()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._refuse_foreign(vals)
            company_id = vals.get("company_id") or self.env.company.id
            numbers = self.env["ir.sequence"].with_company(company_id)
            vals["name"] = numbers.next_by_code(self._name) or "/"
        return super().create(vals_list)

    def write(self, vals):
        if self.env.context.get("isp_transition") is not TRANSITION:
            self._refuse_foreign(vals)
            if self.filtered(lambda request: request.state != "draft"):
                raise UserError(
                    self.env._(
                        "The request was answered, so it is evidence and is not changed. Enter a "
                        "new request for another question."
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        if self.filtered(lambda request: request.state != "draft"):
            raise UserError(self.env._("An answered request is evidence and is not deleted."))

    @api.model
    def _refuse_foreign(self, vals):
        own = {"name", "state", "answered_by_id", "answered_on", "result", "answer_count"}
        if foreign := own & set(vals):
            if all(vals[name] in (False, "/", "draft", 0) for name in foreign):
                return
            raise UserError(self.env._("A request is answered by its button."))

    # === ACTION METHODS === #

    def action_close(self):
        """Put an answered request away."""
        for request in self.filtered(lambda request: request.state == "answered"):
            request.with_context(isp_transition=TRANSITION).write({"state": "closed"})

    # === HELPERS === #

    def _get_address(self):
        """The address asked for.

        :raises ValidationError: when it is none
        """
        self.ensure_one()
        try:
            return ipaddress.ip_address((self.address or "").strip())
        except ValueError:
            raise ValidationError(
                self.env._(
                    "“%s” is not an IP address. Write one address like 203.0.113.7 or "
                    "2001:db8::7, without a port.",
                    self.address or "",
                )
            ) from None

    def _format_moment(self, moment):
        """A moment in UTC and in the time zone of the letter, as one line."""
        self.ensure_one()
        if not moment:
            return False
        zone = self.tz or "UTC"
        local = pytz.utc.localize(moment).astimezone(pytz.timezone(zone))
        text = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        return text if zone == "UTC" else f"{text} = {local:%Y-%m-%d %H:%M:%S} {zone}"

    def _describe_question(self):
        """The question in one line, as the record of look-ups keeps it."""
        self.ensure_one()
        if self.kind == "subscription":
            return self.env._(
                "Sessions of %(number)s from %(first)s to %(last)s",
                number=self.subscription_id.name,
                first=self.date_from,
                last=self.date_to,
            )
        return self.env._(
            "%(address)s, port %(port)s, at %(moment)s, ± %(seconds)s s",
            address=self.address,
            port=self.port or "–",
            moment=self._format_moment(self.moment),
            seconds=self.tolerance_s,
        )
